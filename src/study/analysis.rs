//! From the rows of a cell to its summaries. Rows are folded in the order of the replicates, so the figures are the same
//! bytes whoever ran them.

use std::io;

use super::results::CellRows;
use super::row::speaks_of;
use super::summary::{Figure, Share, Summaries, Summary};
use crate::scenario::{Measure, Metric, Rate};
use crate::stats::moments::Moments;
use crate::stats::proportion::{clopper_pearson, wilson};
use crate::stats::{Interval, quantile};

/// How sure the intervals are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certainty {
    /// Confidence of each interval.
    pub confidence: f64,
    /// Whether the number of replicates depended on what was seen. A rate's interval is then Clopper and Pearson's, which
    /// covers at its rate for every truth.
    pub peeked: bool,
}

/// The quantiles that are reported.
const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// Moments and extremes of a metric.
#[derive(Clone, Debug, Default)]
struct Passed {
    moments: Moments,
    min: f64,
    max: f64,
}

impl Passed {
    fn push(&mut self, value: f64) {
        let first = self.moments.n() == 0;
        self.min = if first { value } else { self.min.min(value) };
        self.max = if first { value } else { self.max.max(value) };
        self.moments.push(value);
    }
}

/// The summary of a metric alone.
///
/// # Errors
/// When the rows cannot be read.
pub fn figure(rows: &CellRows<'_>, metric: Metric, certainty: Certainty) -> io::Result<Figure> {
    let mut passed = Passed::default();
    rows.values(metric, &mut |_, value| passed.push(value))?;
    let n = passed.moments.n();
    let mut figure = Figure {
        mean: passed.moments.mean(),
        ci: passed.moments.t_interval(certainty.confidence),
        n,
        ..Figure::default()
    };
    if n == 0 {
        return Ok(figure);
    }
    (figure.min, figure.max) = (Some(passed.min), Some(passed.max));
    let intervals = QUANTILES.map(|q| quantile::interval_ranks(n, q, certainty.confidence));
    let mut ranks: Vec<u64> = QUANTILES.iter().map(|&q| quantile::rank(n, q)).collect();
    ranks.extend(intervals.iter().flatten().flat_map(|&(low, high)| [low, high]));
    let values: Vec<f64> = if passed.min == passed.max {
        vec![passed.min; ranks.len()]
    } else {
        let mut error = None;
        let keys = quantile::order_statistics(n, &ranks, &mut |take| {
            if let Err(failed) = rows.values(metric, &mut |_, value| take(quantile::key(value))) {
                error.get_or_insert(failed);
            }
        });
        if let Some(error) = error {
            return Err(error);
        }
        keys.into_iter().map(quantile::value).collect()
    };
    (figure.p50, figure.p95, figure.p99) = (Some(values[0]), Some(values[1]), Some(values[2]));
    let mut ends = values[QUANTILES.len()..].chunks_exact(2).map(|ends| Interval::new(ends[0], ends[1]));
    let mut next = |ranks: &Option<(u64, u64)>| ranks.and_then(|_| ends.next());
    (figure.p50_ci, figure.p95_ci, figure.p99_ci) = (next(&intervals[0]), next(&intervals[1]), next(&intervals[2]));
    Ok(figure)
}

/// The summary of a rate, of a version that is defective in truth or not.
#[must_use]
pub fn share(hits: u64, n: u64, certainty: Certainty) -> Share {
    let claim = clopper_pearson(hits, n, certainty.confidence);
    Share {
        rate: (n > 0).then(|| hits as f64 / n as f64),
        ci: if certainty.peeked { claim } else { wilson(hits, n, certainty.confidence) },
        hits,
        n,
        claim,
    }
}

/// Hits of every rate, in the order of [`Rate::ALL`], and over how many replicates.
///
/// # Errors
/// When the rows cannot be read.
pub fn shares(rows: &CellRows<'_>, defective: bool, certainty: Certainty) -> io::Result<Vec<(Rate, Share)>> {
    let mut hits = [0; Rate::ALL.len()];
    rows.endings(&mut |_, ending| {
        for (hits, rate) in hits.iter_mut().zip(Rate::ALL) {
            *hits += u64::from(ending.hits(rate));
        }
    })?;
    let of = |(rate, hits)| match speaks_of(rate, defective) {
        true => (rate, share(hits, rows.replicates(), certainty)),
        false => (rate, Share::default()),
    };
    Ok(Rate::ALL.into_iter().zip(hits).map(of).collect())
}

/// Every metric and rate of a cell.
///
/// # Errors
/// When the rows cannot be read.
pub fn summaries(rows: &CellRows<'_>, defective: bool, certainty: Certainty) -> io::Result<Summaries> {
    let mut all = Vec::with_capacity(Metric::ALL.len() + Rate::ALL.len());
    for metric in Metric::ALL {
        all.push((Measure::Metric(metric), Summary::Figure(figure(rows, metric, certainty)?)));
    }
    for (rate, share) in shares(rows, defective, certainty)? {
        all.push((Measure::Rate(rate), Summary::Share(share)));
    }
    Ok(Summaries(all))
}

/// Counts of a metric in so many cells of equal width from its smallest value to its largest; one cell of no width where
/// all are one value. `None` where there is none.
///
/// # Errors
/// When the rows cannot be read.
pub fn histogram(
    rows: &CellRows<'_>,
    metric: Metric,
    figure: &Figure,
    cells: usize,
) -> io::Result<Option<(f64, f64, Vec<u64>)>> {
    let (Some(low), Some(high)) = (figure.min, figure.max) else { return Ok(None) };
    if low == high {
        return Ok(Some((low, 0.0, vec![figure.n])));
    }
    let width = (high - low) / cells as f64;
    let mut counts = vec![0; cells];
    rows.values(metric, &mut |_, value| {
        let at = ((value - low) / width) as usize;
        counts[at.min(cells - 1)] += 1;
    })?;
    Ok(Some((low, width, counts)))
}

/// The replicates with the largest values of a metric, or the smallest where more is better; worst first, ties by replicate.
///
/// # Errors
/// When the rows cannot be read.
pub fn worst(rows: &CellRows<'_>, metric: Metric, most: usize) -> io::Result<Vec<(u64, f64)>> {
    let mut worst: Vec<(u64, f64)> = Vec::with_capacity(most + 1);
    rows.values(metric, &mut |replicate, value| {
        let is_worse = |than: f64| if metric.more_is_better() { value < than } else { value > than };
        if worst.len() == most && !worst.last().is_some_and(|&(_, last)| is_worse(last)) {
            return;
        }
        let at = worst.iter().position(|&(_, than)| is_worse(than)).unwrap_or(worst.len());
        worst.insert(at, (replicate, value));
        worst.truncate(most);
    })?;
    Ok(worst)
}
