//! A guide: draws the outcomes of upgrades so that trips are common, and keeps the likelihood ratio that makes up for it.
//!
//! A replicate follows one of three proposals, drawn from its own key:
//!
//! - *plan*: Doob's h-transform of the chain of failures in plan order ([`RunGuide`]): every path runs into a trip in plan order;
//! - *window*: in some batches in a row, chosen at random, outcomes fail with a raised chance: whatever the order in which their
//!   verdicts are counted, a run of failures lies in such a window;
//! - *nominal*: as the simulator draws.
//!
//! The weight is that of the mixture, dP / Σ αₖ dQₖ, whichever proposal was followed (Owen and Zhou, "Safe and effective importance
//! sampling", 2000): no weight exceeds 1 / α of the nominal one.

use super::draws::{Key, unit};
use crate::stats::exact::Guide as RunGuide;

/// The shares of the three proposals; they add up to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// Follows the chain in plan order.
    pub plan: f64,
    /// Raises the chance of failure in a window of batches.
    pub window: f64,
    /// Changes nothing.
    pub nominal: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Proposal {
    Plan,
    Window { first: u32 },
    Nominal,
}

/// Guides the outcomes of the upgrades of a rollout; its rollback is left alone.
#[derive(Clone, Debug)]
pub struct Guide {
    shares: Shares,
    runs: RunGuide,
    limit: usize,
    batch_size: u32,
    fresh: bool,
    /// Batches in a window, places where one can begin, and the chance of failure in it.
    window: u32,
    places: u32,
    raised: f64,
    // Of one replicate:
    proposal: Proposal,
    run: usize,
    words: Vec<u64>,
    /// Logarithms of dQ/dP: of the plan's proposal; and by batch, as if it lay in the window.
    log_plan: f64,
    log_batches: Vec<f64>,
}

/// Cells of [`unit`].
const CELLS: f64 = (1_u64 << 52) as f64;
/// The highest chance of failure in a window.
const HIGHEST_RAISED: f64 = 0.9;

impl Guide {
    /// A guide for upgrades that fail with these chances (hang and unhealthy included), in plan order, in batches of
    /// `batch_size`; a run of `limit` trips. `fresh`: each batch starts its count at zero.
    #[must_use]
    pub fn new(shares: Shares, chances: &[f64], limit: usize, batch_size: u32, fresh: bool) -> Self {
        let (limit, batch_size) = (limit.max(1), batch_size.max(1));
        let batches = (chances.len() as u32).div_ceil(batch_size).max(1);
        let reach = if fresh { 0 } else { (limit as u64 - 1).div_ceil(u64::from(batch_size)) as u32 };
        let window = reach.saturating_add(1).min(batches);
        let size = u64::from(window) * u64::from(batch_size);
        Self {
            shares,
            runs: RunGuide::new(limit, chances, |i| fresh && (i as u32).is_multiple_of(batch_size)),
            limit,
            batch_size,
            fresh,
            window,
            places: batches - window + 1,
            raised: (limit as f64 / size as f64).min(HIGHEST_RAISED),
            proposal: Proposal::Nominal,
            run: 0,
            words: Vec::new(),
            log_plan: 0.0,
            log_batches: Vec::new(),
        }
    }

    /// The chance of a trip in plan order.
    #[must_use]
    pub fn chance(&self) -> f64 {
        self.runs.value(0, 0)
    }

    /// A replicate begins.
    pub fn begin(&mut self, key: Key) {
        let u = unit(key.word(0));
        self.proposal = if u < self.shares.plan {
            Proposal::Plan
        } else if u < self.shares.plan + self.shares.window {
            Proposal::Window { first: super::draws::scale(key.word(1), u64::from(self.places)) as u32 }
        } else {
            Proposal::Nominal
        };
        self.run = 0;
        self.words.clear();
        self.log_plan = 0.0;
        self.log_batches.clear();
    }

    /// The word for the outcome at the next position in place of the one drawn, whose upgrade fails with chance `failing`.
    pub fn steer(&mut self, failing: f64, word: u64) -> u64 {
        let position = self.words.len();
        let batch = position as u32 / self.batch_size;
        if self.fresh && (position as u32).is_multiple_of(self.batch_size) && self.run < self.limit {
            self.run = 0;
        }
        // How many cells of the uniform variate fail: what is really drawn.
        let cells = (failing * CELLS - 0.5).ceil().clamp(0.0, CELLS);
        let p = cells / CELLS;
        let by_plan = if self.run < self.limit { self.runs.tilted(position, self.run, p) } else { p };
        let raised = if cells > 0.0 { self.raised.max(p) } else { p };
        let q = match self.proposal {
            Proposal::Plan => by_plan,
            Proposal::Window { first } if (first..first + self.window).contains(&batch) => raised,
            _ => p,
        };
        let u = unit(word);
        let fails = u < q;
        let steered = if q == p {
            word
        } else if fails {
            to_word((u / q * cells).min(cells - 1.0))
        } else {
            to_word((cells + (u - q) / (1.0 - q) * (CELLS - cells)).min(CELLS - 1.0))
        };
        let log_ratio = |q: f64| match (q == p, fails) {
            (true, _) => 0.0,
            (_, true) => libm::log(q / p),
            (_, false) => libm::log((1.0 - q) / (1.0 - p)),
        };
        self.log_plan += log_ratio(by_plan);
        self.log_batches.resize(batch as usize + 1, 0.0);
        self.log_batches[batch as usize] += log_ratio(raised);
        if self.run < self.limit {
            self.run = if fails { self.run + 1 } else { 0 };
        }
        self.words.push(steered);
        steered
    }

    /// The word that the outcome at a position was drawn from.
    #[must_use]
    pub fn word(&self, position: u32) -> Option<u64> {
        self.words.get(position as usize).copied()
    }

    /// The weight of the replicate, so far as it was drawn: dP / dQ of the mixture.
    #[must_use]
    pub fn weight(&self) -> f64 {
        let place_share = self.shares.window / f64::from(self.places);
        // Logarithms of the densities, each with its share; a window that lies beyond what was drawn has a density of 1.
        let batches = |first: u32| {
            let drawn = self.log_batches.get(first as usize..).unwrap_or_default();
            drawn.iter().take(self.window as usize).sum::<f64>()
        };
        let beyond = f64::from(self.places.saturating_sub(self.log_batches.len() as u32));
        let near = self.places.min(self.log_batches.len() as u32);
        let flat = self.shares.nominal + place_share * beyond;
        let logs = || {
            let windows = (0..near).map(batches).map(|log| (log, place_share));
            [(self.log_plan, self.shares.plan), (0.0, flat)]
                .into_iter()
                .chain(windows)
                .filter(|&(_, share)| share > 0.0)
        };
        let largest = logs().map(|(log, _)| log).fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            return 0.0;
        }
        let sum: f64 = logs().map(|(log, share)| share * libm::exp(log - largest)).sum();
        libm::exp(-largest) / sum
    }
}

/// The lowest word of a cell.
fn to_word(cell: f64) -> u64 {
    (cell as u64) << 12
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guide(plan: f64, window: f64, nominal: f64) -> Guide {
        Guide::new(Shares { plan, window, nominal }, &[1e-3; 12], 3, 4, false)
    }

    /// Draws a whole plan; whether each upgrade fails.
    fn draw(guide: &mut Guide, replicate: u64) -> Vec<bool> {
        let key = Key(replicate).child(0);
        guide.begin(key);
        (0..12).map(|i| unit(guide.steer(1e-3, key.word(100 + i))) < 1e-3).collect()
    }

    #[test]
    fn the_plan_alone_trips_always_and_with_one_weight() {
        let mut guide = guide(1.0, 0.0, 0.0);
        for replicate in 0..200 {
            let fails = draw(&mut guide, replicate);
            assert!(fails.windows(3).any(|run| run.iter().all(|&fails| fails)));
            assert!((guide.weight() / guide.chance() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn nominal_changes_nothing() {
        let mut guide = guide(0.0, 0.0, 1.0);
        guide.begin(Key(5));
        assert_eq!(guide.steer(0.3, 12_345), 12_345);
        assert_eq!(guide.weight(), 1.0);
    }

    /// The mean weight of anything is its chance. Weights lie in 0 … 10, and the standard error is estimated; a |z| of 5 is
    /// exceeded once in 1.7 million.
    #[test]
    fn the_weights_of_all_runs_have_mean_one() {
        let mut guide = guide(0.45, 0.45, 0.1);
        let n = 40_000;
        let weights: Vec<f64> = (0..n)
            .map(|replicate| {
                draw(&mut guide, replicate);
                guide.weight()
            })
            .collect();
        let mean = weights.iter().sum::<f64>() / n as f64;
        let variance = weights.iter().map(|w| (w - mean) * (w - mean)).sum::<f64>() / n as f64;
        assert!(weights.iter().all(|&w| (0.0..=10.0 + 1e-9).contains(&w)));
        assert!(((mean - 1.0) / (variance / n as f64).sqrt()).abs() < 5.0, "{mean}");
    }
}
