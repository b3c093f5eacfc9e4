//! From the rows of a cell to its summaries. Rows are folded in the order of the replicates, so the figures are the
//! same bytes on any number of threads.

use std::io;

use super::bounds::Bounds;
use super::mean::Estimator;
use super::results::CellRows;
use super::row::speaks_of;
use super::summary::{Figure, Share, Summaries, Summary};
use dryroll_sim::scenario::{Measure, Metric, Rate};
use dryroll_sim::sim::CompiledScenario;
use dryroll_stats::moments::Moments;
use dryroll_stats::proportion::{clopper_pearson, wilson};
use dryroll_stats::{Interval, quantile};

/// The confidence of intervals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certainty {
    /// The confidence of each interval.
    pub confidence: f64,
    /// Whether the number of replicates depended on the results. A rate's interval is then Clopper and Pearson's, which
    /// has at least its nominal coverage for every true rate.
    pub peeked: bool,
}

/// The reported quantiles.
const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// The smallest and the largest of some values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extremes(Option<(f64, f64)>);

impl Extremes {
    /// Includes one more value.
    pub fn push(&mut self, value: f64) {
        let (min, max) = self.0.unwrap_or((value, value));
        self.0 = Some((min.min(value), max.max(value)));
    }

    /// Empty bins from the smallest to the largest value; a single bin of zero width where both are equal. `None` where
    /// there is no value.
    #[must_use]
    pub fn cells(self, cells: usize) -> Option<Counts> {
        let (low, high) = self.0?;
        let single = low == high || cells < 2;
        let width = if low == high { 0.0 } else { (high - low) / cells.max(1) as f64 };
        Some(Counts { low, width, counts: vec![0; if single { 1 } else { cells }] })
    }
}

/// Counts in bins of equal width.
#[derive(Clone, Debug)]
pub struct Counts {
    low: f64,
    width: f64,
    counts: Vec<u64>,
}

impl Counts {
    /// Counts one more value; the last bin includes its upper end.
    pub fn push(&mut self, value: f64) {
        let at = if self.width > 0.0 { ((value - self.low) / self.width) as usize } else { 0 };
        let last = self.counts.len() - 1;
        self.counts[at.min(last)] += 1;
    }

    /// Lower end, width, counts.
    #[must_use]
    pub fn into_parts(self) -> (f64, f64, Vec<u64>) {
        (self.low, self.width, self.counts)
    }
}

/// The part of Student's interval of a mean that is possible. The bound from above is computed only where no value
/// reaches the interval's end.
fn possible(
    interval: Interval,
    compiled: &CompiledScenario,
    metric: Metric,
    mean: Option<f64>,
    max: Option<f64>,
) -> Interval {
    // No metric is negative.
    let low = interval.low.max(0.0);
    let Some((mean, max)) = mean.zip(max).filter(|&(_, max)| interval.high > max) else {
        return Interval::new(low, interval.high);
    };
    let most = Bounds::of(compiled).reach(metric).always.high.max(max);
    Interval::new(low.min(mean), interval.high.min(most))
}

/// The summary of a metric without its quantiles, which take longer than everything else.
///
/// The interval is Student's where the number of replicates was fixed, cut to what is possible ([`Bounds`]). Where the
/// number depended on the results, so
/// that decisions rest on the interval, and where all values are equal, it is the one that holds for every distribution
/// ([`Estimator`]).
///
/// # Errors
/// When the rows cannot be read.
pub fn mean(
    rows: &CellRows<'_>,
    compiled: &CompiledScenario,
    metric: Metric,
    certainty: Certainty,
) -> io::Result<Figure> {
    let (mut moments, mut extremes) = (Moments::default(), Extremes::default());
    rows.values(metric, &mut |_, value| {
        moments.push(value);
        extremes.push(value);
    })?;
    let (min, max) = extremes.0.unzip();
    let (mut mean, mut ci) = (moments.mean(), moments.t_interval(certainty.confidence));
    if certainty.peeked || (moments.n() > 1 && min == max) {
        let estimator = Estimator::new(compiled, Measure::Metric(metric));
        let sample = estimator.sample(rows)?;
        ci = estimator.interval(&sample, certainty.confidence);
        if certainty.peeked {
            mean = estimator.mean(&sample);
        }
    }
    ci = ci.map(|interval| possible(interval, compiled, metric, mean, max));
    Ok(Figure { mean, ci, min, max, n: moments.n(), ..Figure::default() })
}

/// The summary of one metric.
///
/// # Errors
/// When the rows cannot be read.
pub fn figure(
    rows: &CellRows<'_>,
    compiled: &CompiledScenario,
    metric: Metric,
    certainty: Certainty,
) -> io::Result<Figure> {
    let mut figure = mean(rows, compiled, metric, certainty)?;
    let (n, Some((min, max))) = (figure.n, figure.min.zip(figure.max)) else { return Ok(figure) };
    let intervals = QUANTILES.map(|q| quantile::interval_ranks(n, q, certainty.confidence));
    let mut ranks: Vec<u64> = QUANTILES.iter().map(|&q| quantile::rank(n, q)).collect();
    ranks.extend(intervals.iter().flatten().flat_map(|&(low, high)| [low, high]));
    let values: Vec<f64> = if min == max {
        vec![min; ranks.len()]
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

/// The summary of a rate; `defective` states the ground truth of the version.
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

/// The summary of one rate; `defective` states the ground truth of the version.
///
/// # Errors
/// When the rows cannot be read.
pub fn rate(rows: &CellRows<'_>, rate: Rate, defective: bool, certainty: Certainty) -> io::Result<Share> {
    if !speaks_of(Measure::Rate(rate), defective) {
        return Ok(Share::default());
    }
    let mut hits = 0;
    rows.endings(&mut |_, ending| hits += u64::from(ending.hits(rate)))?;
    Ok(share(hits, rows.replicates(), certainty))
}

/// All rates, in the order of [`Rate::ALL`].
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
    let of = |(rate, hits)| match speaks_of(Measure::Rate(rate), defective) {
        true => (rate, share(hits, rows.replicates(), certainty)),
        false => (rate, Share::default()),
    };
    Ok(Rate::ALL.into_iter().zip(hits).map(of).collect())
}

/// The summaries of all metrics and rates of a cell.
///
/// # Errors
/// When the rows cannot be read.
pub fn summaries(rows: &CellRows<'_>, compiled: &CompiledScenario, certainty: Certainty) -> io::Result<Summaries> {
    let mut all = Vec::with_capacity(Metric::ALL.len() + Rate::ALL.len());
    for metric in compiled.metrics() {
        all.push((Measure::Metric(metric), Summary::Figure(figure(rows, compiled, metric, certainty)?)));
    }
    for (rate, share) in shares(rows, compiled.defective, certainty)? {
        all.push((Measure::Rate(rate), Summary::Share(share)));
    }
    Ok(Summaries(all))
}

/// Counts of a metric in this many bins of equal width from its smallest value to its largest; one bin of zero width
/// where all values are equal. `None` where there is no value.
///
/// # Errors
/// When the rows cannot be read.
pub fn histogram(
    rows: &CellRows<'_>,
    metric: Metric,
    figure: &Figure,
    cells: usize,
) -> io::Result<Option<(f64, f64, Vec<u64>)>> {
    let Some(mut counts) = Extremes(figure.min.zip(figure.max)).cells(cells) else { return Ok(None) };
    rows.values(metric, &mut |_, value| counts.push(value))?;
    Ok(Some(counts.into_parts()))
}

/// The replicates with the largest values of a metric, or with the smallest where more is better; worst first, ties by
/// replicate.
///
/// # Errors
/// When the rows cannot be read.
pub fn worst(rows: &CellRows<'_>, metric: Metric, most: usize) -> io::Result<Vec<(u64, f64)>> {
    furthest(rows, metric, most, !metric.more_is_better())
}

/// The replicates with the largest values of a metric, or with the smallest; most extreme first, ties by replicate.
///
/// # Errors
/// When the rows cannot be read.
pub fn furthest(rows: &CellRows<'_>, metric: Metric, most: usize, largest: bool) -> io::Result<Vec<(u64, f64)>> {
    let mut worst: Vec<(u64, f64)> = Vec::with_capacity(most + 1);
    rows.values(metric, &mut |replicate, value| {
        let is_worse = |than: f64| if largest { value > than } else { value < than };
        if worst.len() == most && !worst.last().is_some_and(|&(_, last)| is_worse(last)) {
            return;
        }
        let at = worst.iter().position(|&(_, than)| is_worse(than)).unwrap_or(worst.len());
        worst.insert(at, (replicate, value));
        worst.truncate(most);
    })?;
    Ok(worst)
}
