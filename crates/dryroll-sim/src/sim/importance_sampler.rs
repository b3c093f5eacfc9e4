//! The importance sampler: draws the outcomes of upgrades so that trips are common, and keeps the likelihood
//! ratio that makes up for it.
//!
//! A replicate follows one of these proposals, drawn from its own key:
//!
//! - *run*: Doob's h-transform of the chain of failures ([`RunChances`]): every path runs into a trip, if verdicts come
//!   in the order in which they are predicted: plan order, or the order of the first heartbeats after the upgrades;
//! - *window*: in some batches in a row, chosen at random, outcomes fail with a raised chance. Whatever the order in
//!   which their verdicts are counted, a run of failures lies in such a window: in one that just holds it, or in one
//!   with a batch more;
//! - *nominal*: as the simulator draws.
//!
//! The weight is that of the mixture, dP / Σ αₖ dQₖ, whichever proposal was followed (Owen and Zhou, "Safe and
//! effective importance sampling", 2000): no weight exceeds 1 / α of the nominal one.

use super::draws::{Key, scale, unit};
use super::next_at::NextAt;
use dryroll_engine::fleet::At;
use dryroll_stats::exact::RunChances;

/// The shares of the proposals; they add up to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// Follows the chain of failures.
    pub run: f64,
    /// Raises the chance of failure in a window of batches.
    pub window: f64,
    /// Changes nothing.
    pub nominal: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Proposal {
    Run,
    Window { kind: usize, first: u32 },
    Nominal,
}

/// Batches in a row in which failures are more likely.
#[derive(Clone, Debug)]
struct Window {
    /// How many batches.
    width: u32,
    /// At how many places it can begin.
    places: u32,
    /// The chance of failure in it.
    raised: f64,
    /// By batch: the logarithm of dQ/dP as if it lay in the window.
    log_batches: Vec<f64>,
}

/// One upgrade whose outcome is to be steered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Predicted {
    /// When its first heartbeat after the upgrade is due. `None` where it comes too late, so that the upgrade
    /// fails whatever its outcome.
    pub arrives: Option<At>,
    /// Its position in the plan.
    pub position: u32,
    /// The chance that the upgrade fails, hangs or is unhealthy.
    pub failing: f64,
    /// The word that its outcome would be drawn from.
    pub word: u64,
}

/// Draws the outcomes of the upgrades of a rollout; its rollback is left alone.
#[derive(Clone, Debug)]
pub struct ImportanceSampler {
    shares: Shares,
    runs: RunChances,
    limit: usize,
    batch_size: u32,
    fresh: bool,
    as_observed: bool,
    windows: Vec<Window>,
    // Of one replicate:
    proposal: Proposal,
    run: usize,
    steered: usize,
    words: Vec<u64>,
    /// The logarithm of dQ/dP of the run's proposal.
    log_run: f64,
}

/// Cells of [`unit`].
const CELLS: f64 = (1_u64 << 52) as f64;
/// The highest chance of failure in a window.
const HIGHEST_RAISED: f64 = 0.9;

impl ImportanceSampler {
    /// A sampler for upgrades that fail with these chances (hang and unhealthy included), in plan order, in batches of
    /// `batch_size`; a run of `limit` trips. `fresh`: each batch starts its count at zero. `as_observed`: what is
    /// dispatched at once is counted as it is heard of, not in plan order.
    #[must_use]
    pub fn new(shares: Shares, chances: &[f64], limit: usize, batch_size: u32, fresh: bool, as_observed: bool) -> Self {
        let (limit, batch_size) = (limit.max(1), batch_size.max(1));
        let batches = (chances.len() as u32).div_ceil(batch_size).max(1);
        let batches_of = |instances: usize| (instances as u64).div_ceil(u64::from(batch_size)) as u32;
        // As many as a run fills, and as many as it can touch.
        let (filled, touched) = (batches_of(limit), batches_of(limit - 1).saturating_add(1));
        let mut widths = vec![filled.min(batches), if fresh { 1 } else { touched.min(batches) }];
        widths.dedup();
        let windows = widths.into_iter().map(|width| {
            let size = u64::from(width) * u64::from(batch_size);
            let raised = (limit as f64 / size as f64).min(HIGHEST_RAISED);
            Window { width, places: batches - width + 1, raised, log_batches: Vec::new() }
        });
        Self {
            shares,
            runs: RunChances::new(limit, chances, |i| fresh && (i as u32).is_multiple_of(batch_size)),
            limit,
            batch_size,
            fresh,
            as_observed,
            windows: windows.collect(),
            proposal: Proposal::Nominal,
            run: 0,
            steered: 0,
            words: Vec::new(),
            log_run: 0.0,
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
        self.proposal = if u < self.shares.run {
            Proposal::Run
        } else if u < self.shares.run + self.shares.window {
            let kind = scale(key.word(1), self.windows.len() as u64) as usize;
            Proposal::Window { kind, first: scale(key.word(2), u64::from(self.windows[kind].places)) as u32 }
        } else {
            Proposal::Nominal
        };
        self.run = 0;
        self.steered = 0;
        self.words.clear();
        self.log_run = 0.0;
        self.windows.iter_mut().for_each(|window| window.log_batches.clear());
    }

    /// Steers the outcomes of what is dispatched at one moment: the next positions of the plan, in its order.
    pub fn steer(&mut self, burst: &mut [Predicted]) {
        if self.as_observed {
            // A heartbeat that comes too late is found out at the deadline, in plan order.
            burst.sort_by_key(|predicted| (NextAt::from(predicted.arrives), predicted.position));
        }
        if self.fresh && (self.steered as u32).is_multiple_of(self.batch_size) && self.run < self.limit {
            self.run = 0;
        }
        let end = self.steered + burst.len();
        self.words.resize(end, 0);
        // What is known of these, and what is expected of those after them.
        let chances: Vec<f64> =
            burst.iter().map(|one| if one.arrives.is_none() { 1.0 } else { drawn(one.failing) }).collect();
        let known = RunChances::ahead_of(self.limit, &chances, |_| false, |count| self.runs.value(end, count));
        for (i, predicted) in burst.iter().enumerate() {
            let word = if predicted.arrives.is_none() {
                self.run += usize::from(self.run < self.limit);
                predicted.word
            } else {
                self.steer_one(predicted, |run, p| known.tilted(i, run, p))
            };
            if let Some(place) = self.words.get_mut(predicted.position as usize) {
                *place = word;
            }
            self.steered += 1;
        }
    }

    fn steer_one(&mut self, predicted: &Predicted, tilted: impl Fn(usize, f64) -> f64) -> u64 {
        let &Predicted { position, failing, word, .. } = predicted;
        let batch = position / self.batch_size;
        let has_tripped = self.run >= self.limit;
        let p = drawn(failing);
        let cells = p * CELLS;
        let by_run = if has_tripped { p } else { tilted(self.run, p) };
        let by_window = |window: &Window| if cells > 0.0 { window.raised.max(p) } else { p };
        let q = match self.proposal {
            Proposal::Run => by_run,
            Proposal::Window { kind, first } if (first..first + self.windows[kind].width).contains(&batch) => {
                by_window(&self.windows[kind])
            }
            _ => p,
        };
        let u = unit(word);
        let fails = u < q;
        let log_ratio = |q: f64| match (q == p, fails) {
            (true, _) => 0.0,
            (_, true) => libm::log(q / p),
            (_, false) => libm::log((1.0 - q) / (1.0 - p)),
        };
        self.log_run += log_ratio(by_run);
        for window in &mut self.windows {
            let log = log_ratio(by_window(window));
            if window.log_batches.len() <= batch as usize {
                window.log_batches.resize(batch as usize + 1, 0.0);
            }
            window.log_batches[batch as usize] += log;
        }
        if !has_tripped {
            self.run = if fails { self.run + 1 } else { 0 };
        }
        if q == p {
            word
        } else if fails {
            to_word((u / q * cells).min(cells - 1.0))
        } else {
            to_word((cells + (u - q) / (1.0 - q) * (CELLS - cells)).min(CELLS - 1.0))
        }
    }

    /// The word that the outcome at a position is drawn from, once it is steered.
    #[must_use]
    pub fn word(&self, position: u32) -> Option<u64> {
        self.words.get(position as usize).copied()
    }

    /// The weight of the replicate, so far as it was drawn: dP / dQ of the mixture.
    #[must_use]
    pub fn weight(&self) -> f64 {
        let of_kind = self.shares.window / self.windows.len().max(1) as f64;
        // Logarithms of the densities, each with its share. A window beyond what was drawn has a density of 1.
        let windows = self.windows.iter().flat_map(|window| {
            let share = of_kind / f64::from(window.places);
            let near = window.places.min(window.log_batches.len() as u32);
            let beyond = (0.0, share * f64::from(window.places - near));
            let log_of = |first: u32| {
                let drawn = window.log_batches.iter().skip(first as usize);
                drawn.take(window.width as usize).sum::<f64>()
            };
            (0..near).map(move |first| (log_of(first), share)).chain([beyond])
        });
        let others = [(self.log_run, self.shares.run), (0.0, self.shares.nominal)];
        let logs: Vec<(f64, f64)> = others.into_iter().chain(windows).filter(|&(_, share)| share > 0.0).collect();
        let largest = logs.iter().map(|&(log, _)| log).fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            return 0.0;
        }
        let sum: f64 = logs.iter().map(|&(log, share)| share * libm::exp(log - largest)).sum();
        libm::exp(-largest) / sum
    }
}

/// The chance that a draw falls below this one: a uniform variate has cells, and this many of them do.
fn drawn(chance: f64) -> f64 {
    (chance * CELLS - 0.5).ceil().clamp(0.0, CELLS) / CELLS
}

/// The lowest word of a cell.
fn to_word(cell: f64) -> u64 {
    (cell as u64) << 12
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(run: f64, window: f64, nominal: f64) -> ImportanceSampler {
        ImportanceSampler::new(Shares { run, window, nominal }, &[1e-3; 12], 3, 4, false, true)
    }

    /// Draws a whole plan; whether each upgrade fails, in the order in which they are heard of.
    fn draw(sampler: &mut ImportanceSampler, replicate: u64) -> Vec<bool> {
        let key = Key(replicate).child(0);
        sampler.begin(key);
        let mut order = Vec::new();
        for batch in 0..3 {
            let mut burst: Vec<Predicted> = (4 * batch..4 * batch + 4)
                .map(|position| Predicted {
                    arrives: Some(At(key.word(200 + u64::from(position)) % 50)),
                    position,
                    failing: 1e-3,
                    word: key.word(100 + u64::from(position)),
                })
                .collect();
            sampler.steer(&mut burst);
            order.extend(burst.iter().map(|predicted| predicted.position));
        }
        order.into_iter().map(|position| unit(sampler.word(position).expect("it was steered")) < 1e-3).collect()
    }

    #[test]
    fn the_run_alone_trips_always_and_with_one_weight() {
        let mut sampler = sampler(1.0, 0.0, 0.0);
        for replicate in 0..200 {
            let fails = draw(&mut sampler, replicate);
            assert!(fails.windows(3).any(|run| run.iter().all(|&fails| fails)));
            assert!((sampler.weight() / sampler.chance() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn nominal_changes_nothing() {
        let mut sampler = sampler(0.0, 0.0, 1.0);
        sampler.begin(Key(5));
        sampler.steer(&mut [Predicted { arrives: Some(At::ZERO), position: 0, failing: 0.3, word: 12_345 }]);
        assert_eq!(sampler.word(0), Some(12_345));
        assert_eq!(sampler.weight(), 1.0);
    }

    /// The mean weight of anything is its chance. Weights lie in 0 … 10, and the standard error is estimated; a |z| of
    /// 5 is exceeded once in 1.7 million.
    #[test]
    fn the_weights_of_all_runs_have_mean_one() {
        let mut sampler = sampler(0.45, 0.45, 0.1);
        let n = 40_000;
        let weights: Vec<f64> = (0..n)
            .map(|replicate| {
                draw(&mut sampler, replicate);
                sampler.weight()
            })
            .collect();
        let mean = weights.iter().sum::<f64>() / n as f64;
        let variance = weights.iter().map(|w| (w - mean) * (w - mean)).sum::<f64>() / n as f64;
        assert!(weights.iter().all(|&w| (0.0..=10.0 + 1e-9).contains(&w)));
        assert!(((mean - 1.0) / (variance / n as f64).sqrt()).abs() < 5.0, "{mean}");
    }
}
