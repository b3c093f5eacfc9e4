//! What a baseline keeps of a version's replicates.

use std::io;

use sha2::{Digest, Sha256};

use crate::study::results::CellRows;
use crate::study::row::value;
use dryroll_sim::digest::hex;
use dryroll_sim::scenario::{Measure, Metric};
use dryroll_sim::text::Foreign;
use dryroll_stats::moments::Moments;
use dryroll_stats::two_samples::Sample;

/// The result of a measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fact {
    /// The sample moments of a metric.
    Figure(Sample),
    /// The counts of a rate.
    Share {
        /// The number of hits.
        hits: u64,
        /// The number of replicates.
        n: u64,
    },
}

impl Fact {
    /// The mean or the rate.
    #[must_use]
    pub fn centre(&self) -> f64 {
        match *self {
            Self::Figure(sample) => sample.mean,
            Self::Share { hits, n } => hits as f64 / n as f64,
        }
    }

    /// The number of replicates; never 0.
    #[must_use]
    pub fn n(&self) -> u64 {
        match *self {
            Self::Figure(sample) => sample.n,
            Self::Share { n, .. } => n,
        }
    }
}

/// The results of a version.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionFacts {
    /// SHA-256 over all of its rows, in lower-case hex.
    pub digest: Foreign,
    /// Every measure that has a value in some replicate, in the order of the reports.
    pub facts: Vec<(Measure, Fact)>,
}

impl VersionFacts {
    /// The fact of a measure; `None` where no replicate has a value.
    #[must_use]
    pub fn get(&self, measure: Measure) -> Option<&Fact> {
        self.facts.iter().find(|(one, _)| *one == measure).map(|(_, fact)| fact)
    }

    /// Whether both are of the same rows: the digests are equal, and so is every fact that both have.
    #[must_use]
    pub fn are_the_bytes_of(&self, other: &Self) -> bool {
        let same = |(measure, fact): &(Measure, Fact)| other.get(*measure).is_none_or(|kept| kept == fact);
        self.digest == other.digest && self.facts.iter().all(same)
    }

    /// Reads the rows of a cell; `defective` states the ground truth of its version.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn of(rows: &CellRows<'_>, defective: bool) -> io::Result<Self> {
        let measures: Vec<Measure> = measures().collect();
        let mut moments = vec![Moments::default(); measures.len()];
        let mut digest = Sha256::new();
        rows.rows(&mut |_, row| {
            for (column, number) in row.iter().enumerate() {
                // A column that came later counts where it has a value, so that older digests stay.
                if column == Metric::BrickedInstances as usize && number.is_nan() {
                    continue;
                }
                // NaN has many bit patterns; the digest uses one.
                let bits = if number.is_nan() { u64::MAX } else { number.to_bits() };
                digest.update(bits.to_le_bytes());
            }
            for (moments, &measure) in moments.iter_mut().zip(&measures) {
                if let Some(value) = value(row, measure, defective) {
                    moments.push(value);
                }
            }
        })?;
        let fact = |(measure, moments): (Measure, Moments)| {
            let (mean, n) = (moments.mean()?, moments.n());
            let fact = match measure {
                // The values are 0 and 1, so the mean times their number is the number of hits.
                Measure::Rate(_) => Fact::Share { hits: (mean * n as f64).round() as u64, n },
                _ => Fact::Figure(Sample { mean, variance: moments.variance(), n }),
            };
            Some((measure, fact))
        };
        let facts = measures.into_iter().zip(moments).filter_map(fact).collect();
        Ok(Self { digest: hex(&digest.finalize()).into(), facts })
    }
}

/// How many measures a version has facts of: one more where an upgrade can brick an instance.
pub fn measured(bricks: bool) -> u64 {
    measures().filter(|&measure| bricks || measure != Measure::Metric(Metric::BrickedInstances)).count() as u64
}

/// The measures that facts are kept of: all numeric ones.
pub fn measures() -> impl Iterator<Item = Measure> {
    Measure::all().filter(|measure| *measure != Measure::Outcome)
}
