//! What is kept of a version's replicates.

use std::io;

use sha2::{Digest, Sha256};

use crate::study::results::CellRows;
use crate::study::row::value;
use dryroll_sim::digest::hex;
use dryroll_sim::scenario::Measure;
use dryroll_sim::text::Foreign;
use dryroll_stats::moments::Moments;
use dryroll_stats::two_samples::Sample;

/// What a measure came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fact {
    /// Of a metric.
    Figure(Sample),
    /// Of a rate.
    Share {
        /// In how many replicates it was so.
        hits: u64,
        /// How many replicates.
        n: u64,
    },
}

impl Fact {
    /// Mean or rate.
    #[must_use]
    pub fn centre(&self) -> f64 {
        match *self {
            Self::Figure(sample) => sample.mean,
            Self::Share { hits, n } => hits as f64 / n as f64,
        }
    }

    /// Over how many replicates; never 0.
    #[must_use]
    pub fn n(&self) -> u64 {
        match *self {
            Self::Figure(sample) => sample.n,
            Self::Share { n, .. } => n,
        }
    }
}

/// What a version came to.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionFacts {
    /// SHA-256 over all of its rows, in lower-case hex.
    pub digest: Foreign,
    /// Every measure of which a replicate has a value, in the order of the reports.
    pub facts: Vec<(Measure, Fact)>,
}

impl VersionFacts {
    /// What a measure came to; `None` where no replicate has a value.
    #[must_use]
    pub fn get(&self, measure: Measure) -> Option<&Fact> {
        self.facts.iter().find(|(one, _)| *one == measure).map(|(_, fact)| fact)
    }

    /// Whether these are the bytes that gave those: all rows are the same, and so is every fact that both have.
    #[must_use]
    pub fn are_the_bytes_of(&self, other: &Self) -> bool {
        let same = |(measure, fact): &(Measure, Fact)| other.get(*measure).is_none_or(|kept| kept == fact);
        self.digest == other.digest && self.facts.iter().all(same)
    }

    /// Reads the rows of a cell, of a version that is defective in truth or not.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn of(rows: &CellRows<'_>, defective: bool) -> io::Result<Self> {
        let measures: Vec<Measure> = measures().collect();
        let mut moments = vec![Moments::default(); measures.len()];
        let mut digest = Sha256::new();
        rows.rows(&mut |_, row| {
            for number in row {
                // Of the many that are no number, one.
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
                // Ones and noughts: their mean times their number is how many ones there are.
                Measure::Rate(_) => Fact::Share { hits: (mean * n as f64).round() as u64, n },
                _ => Fact::Figure(Sample { mean, variance: moments.variance(), n }),
            };
            Some((measure, fact))
        };
        let facts = measures.into_iter().zip(moments).filter_map(fact).collect();
        Ok(Self { digest: hex(&digest.finalize()).into(), facts })
    }
}

/// The measures of which facts are kept: all that are numbers.
pub fn measures() -> impl Iterator<Item = Measure> {
    Measure::all().filter(|measure| *measure != Measure::Outcome)
}
