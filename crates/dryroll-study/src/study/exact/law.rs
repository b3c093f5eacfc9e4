//! The law of one instance's verdict: its kind, and how long after the dispatch it arrives.
//!
//! Without disturbances an upgrade takes U ≥ 1 ms, and the first heartbeat after it is sent W later. A random phase is
//! uniform on the whole milliseconds of the interval, so W is uniform on 0 … h − 1 for every U and every time of
//! dispatch. A fixed phase puts the heartbeats at fixed distances from a dispatch, provided that all dispatches have
//! the same offset within the interval. Heartbeats are lost independently, so the first that arrives is the j-th with
//! probability (1 − ℓ)·ℓʲ.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use dryroll_sim::sim::compiled::Chances;
use dryroll_sim::sim::sampler::Sampler;
use dryroll_stats::exact::Trial;

/// The largest number of milliseconds that a distribution is tabulated for.
const LONGEST_TABLE: u64 = 1 << 22;
/// For intervals shorter than this, a window of the distribution is summed term by term: differences of sums would be
/// too inaccurate.
const SHORT_WINDOW: u64 = 256;
/// The probability of a run of lost heartbeats that is small enough to neglect.
const NEVER: f64 = 1e-18;

/// P(U ≤ u) for whole milliseconds, and its cumulative sums.
#[derive(Debug)]
pub(super) struct Table {
    cumulative: Vec<f64>,
    sums: Vec<f64>,
}

impl Table {
    /// A table up to `until` milliseconds; `None` where that is too long.
    pub fn new(upgrade: &Sampler, until: u64) -> Option<Self> {
        let until = until.min(upgrade.longest().0.max(1));
        if until > LONGEST_TABLE {
            return None;
        }
        let mut cumulative = Vec::with_capacity(until as usize + 1);
        let mut sums = Vec::with_capacity(until as usize + 1);
        let mut sum = 0.0;
        for u in 0..=until {
            // An upgrade takes at least one millisecond.
            let chance = if u == 0 { 0.0 } else { upgrade.cumulative(u) };
            sum += chance;
            cumulative.push(chance);
            sums.push(sum);
        }
        Some(Self { cumulative, sums })
    }

    fn last(&self) -> u64 {
        self.cumulative.len() as u64 - 1
    }

    /// P(U ≤ u).
    fn at(&self, u: u64) -> f64 {
        self.cumulative[u.min(self.last()) as usize]
    }

    /// Σ P(U ≤ v) for v = 0 … u.
    fn sum_to(&self, u: u64) -> f64 {
        let last = self.last();
        if u <= last { self.sums[u as usize] } else { self.sums[last as usize] + self.at(last) * (u - last) as f64 }
    }

    /// The mean of P(U ≤ t − w) over w = 0 … window − 1.
    fn window(&self, t: u64, window: u64) -> f64 {
        if window <= SHORT_WINDOW {
            return (0..window.min(t + 1)).map(|w| self.at(t - w)).sum::<f64>() / window as f64;
        }
        let before = if t >= window { self.sum_to(t - window) } else { 0.0 };
        (self.sum_to(t) - before) / window as f64
    }
}

/// When heartbeats are sent, relative to a dispatch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Beats {
    /// Uniform over the interval.
    Anywhere,
    /// This many milliseconds after the dispatch (1 … interval), and every interval after that.
    At(u64),
}

/// The heartbeats of an instance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Heartbeats {
    pub beats: Beats,
    pub interval: u64,
    pub loss: f64,
}

impl Heartbeats {
    /// The probabilities that the first heartbeat to arrive is the 0th, 1st, …, without negligible ones.
    fn through(&self) -> impl Iterator<Item = f64> + use<> {
        let loss = self.loss;
        std::iter::successors(Some(1.0 - loss), move |&chance| Some(chance * loss)).take_while(|&chance| chance > NEVER)
    }

    fn position_of(first: u64, interval: u64, u: u64) -> u64 {
        // The time from the end of the upgrade to the next heartbeat.
        if u <= first { first - u } else { (interval - (u - first) % interval) % interval }
    }
}

/// Upgrade and heartbeats together: the time of the first heartbeat from an instance that passes or reports a failure.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    pub table: Rc<Table>,
    pub heartbeats: Heartbeats,
    /// Whether that heartbeat certainly arrives within the health timeout.
    pub surely_in_time: bool,
}

impl Arrivals {
    /// P(a heartbeat arrives within t).
    fn by(&self, t: u64) -> f64 {
        let Heartbeats { beats, interval, .. } = self.heartbeats;
        let mut chance = 0.0;
        match beats {
            Beats::Anywhere => {
                for (j, through) in self.heartbeats.through().enumerate() {
                    let Some(t) = t.checked_sub(j as u64 * interval) else { break };
                    chance += through * self.table.window(t, interval);
                }
            }
            Beats::At(first) => {
                if t < first {
                    return 0.0;
                }
                let last = first + (t - first) / interval * interval;
                for (j, through) in self.heartbeats.through().enumerate() {
                    let Some(beat) = last.checked_sub(j as u64 * interval) else { break };
                    chance += through * self.table.at(beat);
                }
            }
        }
        chance.min(1.0)
    }
}

/// The same for an instance that crashes some time after its upgrade: its heartbeat must be sent before.
#[derive(Clone, Debug)]
pub(super) struct Crashing {
    crash_after: Sampler,
    known: RefCell<BTreeMap<u64, f64>>,
}

impl Crashing {
    pub fn new(crash_after: &Sampler) -> Self {
        Self { crash_after: crash_after.clone(), known: RefCell::default() }
    }

    fn by(&self, t: u64, arrivals: &Arrivals) -> f64 {
        if let Some(&chance) = self.known.borrow().get(&t) {
            return chance;
        }
        let chance = self.compute(t, arrivals).min(1.0);
        self.known.borrow_mut().insert(t, chance);
        chance
    }

    /// P(it has not crashed by this time after its upgrade).
    fn lives(&self, after: u64) -> f64 {
        1.0 - self.crash_after.cumulative(after)
    }

    fn compute(&self, t: u64, arrivals: &Arrivals) -> f64 {
        let Heartbeats { beats, interval, .. } = arrivals.heartbeats;
        let mut chance = 0.0;
        for (j, through) in arrivals.heartbeats.through().enumerate() {
            let Some(left) = t.checked_sub(j as u64 * interval) else { break };
            match beats {
                Beats::Anywhere => {
                    let share = through / interval as f64;
                    for wait in 0..interval.min(left) {
                        chance += share * self.lives(wait + j as u64 * interval) * arrivals.table.at(left - wait);
                    }
                }
                Beats::At(first) => {
                    let mut before = 0.0;
                    for u in 1..=left {
                        let up_to = arrivals.table.at(u);
                        let wait = Heartbeats::position_of(first, interval, u);
                        if u + wait <= left {
                            chance += through * (up_to - before) * self.lives(wait + j as u64 * interval);
                        }
                        before = up_to;
                    }
                }
            }
        }
        chance
    }
}

/// The law of the verdict on one kind of instance.
#[derive(Clone, Debug)]
pub(super) struct VerdictLaw {
    pub chances: Chances,
    pub arrivals: Arrivals,
    pub crashing: Option<Crashing>,
    pub timeout: u64,
}

impl VerdictLaw {
    /// The probabilities of each verdict within t. Silence becomes a verdict at the health timeout.
    pub fn by(&self, t: u64) -> Trial {
        let is_due = t >= self.timeout;
        let heard = if is_due && self.arrivals.surely_in_time { 1.0 } else { self.arrivals.by(t.min(self.timeout)) };
        let alive = self.crashing.as_ref().map_or(0.0, |crashing| crashing.by(t.min(self.timeout), &self.arrivals));
        let Chances { failure, silence, crash, ok } = self.chances;
        Trial {
            fails: failure * heard,
            passes: ok * heard + crash * alive,
            silent: if is_due { silence + (failure + ok) * (1.0 - heard) + crash * (1.0 - alive) } else { 0.0 },
        }
    }
}
