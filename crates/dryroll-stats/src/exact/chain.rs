//! Rules over counts: a chain through batches in which any rule may trip that follows from verdicts in their order.
//!
//! [`Counts`](super::Counts) is the chain of one rule, failures in a row. Here the state is what all rules together
//! remember, and whether one trips may depend on how many trials are judged. The states that a rollout can reach are
//! listed once, by the number of judged trials, with the state that follows each verdict; a walk is then additions and
//! multiplications alone.

use std::collections::BTreeMap;
use std::ops::Range;

use super::counts::Trial;

/// How a trial turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It passes.
    Passes,
    /// It fails in its turn.
    Fails,
    /// It fails silently, and counts after all others of its unit.
    Silent,
}

/// A moment at which rules are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The number of trials that are judged by then.
    pub judged: u32,
    /// The index of the batch.
    pub batch: u32,
}

/// Rules that judge verdicts one by one.
pub trait Rules {
    /// What they remember.
    type State: Clone + Ord;

    /// What they remember at the beginning.
    fn start(&self) -> Self::State;
    /// What they remember when a batch begins.
    fn begin(&self, state: &Self::State) -> Self::State;
    /// What they remember after a verdict.
    fn count(&self, state: &Self::State, turn: Turn) -> Self::State;
    /// The index of the rule that trips at a verdict, counted already.
    fn trips_at_verdict(&self, state: &Self::State, moment: Moment) -> Option<u8>;
    /// The index of the rule that trips at the end of a batch.
    fn trips_at_end(&self, state: &Self::State, moment: Moment) -> Option<u8>;
}

/// Trials that are dispatched together: a batch, or one trial of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Which trials.
    pub trials: Range<u32>,
    /// The index of their batch.
    pub batch: u32,
    /// Whether the batch begins with them.
    pub begins: bool,
    /// Whether the batch ends with them.
    pub ends: bool,
}

/// What follows: a place in the next list of states, or a rule that trips.
#[derive(Clone, Copy, Debug)]
enum Step {
    To(u32),
    Trips(u8),
}

/// A unit with the states that can occur in it.
#[derive(Clone, Debug)]
struct Unit {
    trials: Range<u32>,
    /// By the number of verdicts of the unit that are counted, by state: what follows a pass, a failure and a silent
    /// one.
    next: Vec<Vec<[Step; 3]>>,
    /// By state after all verdicts: what follows at its end.
    end: Vec<Step>,
    /// The number of states after each number of verdicts, and at the beginning of the next unit.
    sizes: Vec<usize>,
    leaves: usize,
}

/// Rules and units as a chain.
#[derive(Clone, Debug)]
pub struct Chain {
    units: Vec<Unit>,
    /// The number of rules.
    rules: usize,
}

/// The chain has too many states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// The weight that leaves a unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Left {
    /// By state at the beginning of the next unit.
    pub goes_on: Vec<f64>,
    /// By rule: the weight that trips.
    pub trips: Vec<f64>,
}

impl Left {
    /// The weight that does not trip.
    #[must_use]
    pub fn untripped(&self) -> f64 {
        self.goes_on.iter().sum()
    }

    /// The weight that trips.
    #[must_use]
    pub fn tripped(&self) -> f64 {
        self.trips.iter().sum()
    }
}

/// Lists states, each once.
struct Listed<S>(BTreeMap<S, u32>, Vec<S>);

impl<S: Clone + Ord> Listed<S> {
    fn new() -> Self {
        Self(BTreeMap::new(), Vec::new())
    }

    fn place(&mut self, state: S) -> u32 {
        let Self(places, states) = self;
        *places.entry(state).or_insert_with_key(|state| {
            states.push(state.clone());
            states.len() as u32 - 1
        })
    }
}

impl Chain {
    /// The chain of these rules (at most 255) through units.
    ///
    /// # Errors
    /// When there are more than `most` states in all.
    pub fn new<R: Rules>(rules: &R, count: usize, units: &[Group], most: usize) -> Result<Self, TooLarge> {
        let mut chain = Self { units: Vec::with_capacity(units.len()), rules: count };
        let mut all = 0;
        let start = rules.start();
        let mut states = vec![match units.first() {
            Some(unit) if unit.begins => rules.begin(&start),
            _ => start,
        }];
        for (number, unit) in units.iter().enumerate() {
            let mut next = Vec::with_capacity(unit.trials.len());
            let mut sizes = vec![states.len()];
            for trial in unit.trials.clone() {
                all += states.len();
                if all > most {
                    return Err(TooLarge);
                }
                let moment = Moment { judged: trial + 1, batch: unit.batch };
                let mut after = Listed::new();
                let steps = states.iter().map(|state| {
                    [Turn::Passes, Turn::Fails, Turn::Silent].map(|turn| {
                        let state = rules.count(state, turn);
                        match rules.trips_at_verdict(&state, moment) {
                            Some(rule) => Step::Trips(rule),
                            None => Step::To(after.place(state)),
                        }
                    })
                });
                next.push(steps.collect());
                states = after.1;
                sizes.push(states.len());
            }
            let moment = Moment { judged: unit.trials.end, batch: unit.batch };
            let begins = units.get(number + 1).is_some_and(|unit| unit.begins);
            let mut after = Listed::new();
            let end = states.iter().map(|state| match rules.trips_at_end(state, moment).filter(|_| unit.ends) {
                Some(rule) => Step::Trips(rule),
                None => Step::To(after.place(if begins { rules.begin(state) } else { state.clone() })),
            });
            let end = end.collect();
            states = after.1;
            chain.units.push(Unit { trials: unit.trials.clone(), next, end, sizes, leaves: states.len() });
        }
        Ok(chain)
    }

    /// The number of steps of a walk; with silent trials there are more.
    #[must_use]
    pub fn steps(&self, can_be_silent: bool) -> u64 {
        let of = |unit: &Unit| -> u64 {
            let times = |counted: usize| if can_be_silent { unit.next.len() - counted } else { 1 };
            (0..unit.next.len()).map(|counted| unit.sizes[counted] as u64 * times(counted) as u64).sum()
        };
        self.units.iter().map(of).sum()
    }

    /// Goes through all units. `after` receives the weights before each unit and what leaves it.
    pub fn go(&self, trial: impl Fn(u32) -> Trial, mut after: impl FnMut(usize, Vec<f64>, &Left)) {
        let mut weights = vec![1.0];
        for number in 0..self.units.len() {
            let mut left = self.unit(number, &weights, &trial);
            after(number, weights, &left);
            weights = std::mem::take(&mut left.goes_on);
        }
    }

    /// One unit, all of whose trials are judged. The chances of a trial may add up to less than 1.
    #[must_use]
    pub fn unit(&self, number: usize, weights: &[f64], trial: impl Fn(u32) -> Trial) -> Left {
        let unit = &self.units[number];
        let mut trips = vec![0.0; self.rules];
        let heard = unit.heard(weights, &trial, &mut trips, true);
        let size = unit.next.len();
        let mut all = vec![0.0; unit.end.len()];
        for (silent, mut weights) in heard.into_iter().enumerate() {
            for (counted, steps) in unit.next.iter().enumerate().skip(size - silent) {
                let mut next = vec![0.0; unit.sizes[counted + 1]];
                for (steps, weight) in steps.iter().zip(&weights) {
                    put(steps[2], *weight, &mut next, &mut trips);
                }
                weights = next;
            }
            all.iter_mut().zip(weights).for_each(|(to, from)| *to += from);
        }
        unit.finish(&all, trips)
    }

    /// One unit as far as its trials have reported: `goes_on` is the weight with all of them judged and none tripped,
    /// `trips` that of the trips among those that have reported. The chances of a trial that is still awaited are what
    /// `fails` and `passes` leave of 1.
    #[must_use]
    pub fn so_far(&self, number: usize, weights: &[f64], trial: impl Fn(u32) -> Trial) -> Left {
        let unit = &self.units[number];
        let mut trips = vec![0.0; self.rules];
        let awaited = |position| {
            let Trial { fails, passes, .. } = trial(position);
            Trial { fails, passes, silent: (1.0 - fails - passes).max(0.0) }
        };
        let heard = unit.heard(weights, &awaited, &mut trips, false);
        unit.finish(heard.first().map_or(&[], Vec::as_slice), trips)
    }
}

impl Unit {
    /// The weights after all trials that are not silent, by the number of silent ones. `lasting`: a trip is weighted
    /// with the chances of the trials after it.
    fn heard(&self, weights: &[f64], trial: &impl Fn(u32) -> Trial, trips: &mut [f64], lasting: bool) -> Vec<Vec<f64>> {
        let mut by_silent = vec![weights.to_vec()];
        for (done, position) in self.trials.clone().enumerate() {
            let Trial { fails, passes, silent } = trial(position);
            if lasting {
                trips.iter_mut().for_each(|trips| *trips *= fails + passes + silent);
            }
            let rows = by_silent.len() + usize::from(silent > 0.0);
            let mut next: Vec<Vec<f64>> = (0..rows).map(|quiet| vec![0.0; self.sizes[done + 1 - quiet]]).collect();
            for (quiet, weights) in by_silent.into_iter().enumerate() {
                for (steps, weight) in self.next[done - quiet].iter().zip(&weights) {
                    if *weight == 0.0 {
                        continue;
                    }
                    put(steps[0], weight * passes, &mut next[quiet], trips);
                    put(steps[1], weight * fails, &mut next[quiet], trips);
                }
                if silent > 0.0 {
                    next[quiet + 1].iter_mut().zip(&weights).for_each(|(to, weight)| *to += weight * silent);
                }
            }
            by_silent = next;
        }
        by_silent
    }

    fn finish(&self, weights: &[f64], mut trips: Vec<f64>) -> Left {
        let mut goes_on = vec![0.0; self.leaves];
        for (step, weight) in self.end.iter().zip(weights) {
            put(*step, *weight, &mut goes_on, &mut trips);
        }
        Left { goes_on, trips }
    }
}

fn put(step: Step, weight: f64, next: &mut [f64], trips: &mut [f64]) {
    match step {
        Step::To(place) => next[place as usize] += weight,
        Step::Trips(rule) => trips[rule as usize] += weight,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::{Counting, Unit as RunUnit, Walk};

    /// Failures in a row, and a share of those that are judged at the end of a batch.
    struct Both {
        run: u32,
        share: u32,
    }

    impl Rules for Both {
        type State = (u32, u32);

        fn start(&self) -> (u32, u32) {
            (0, 0)
        }

        fn begin(&self, state: &(u32, u32)) -> (u32, u32) {
            *state
        }

        fn count(&self, &(run, failed): &(u32, u32), turn: Turn) -> (u32, u32) {
            let share = self.share > 0;
            if turn == Turn::Passes { (0, failed) } else { (run + 1, if share { failed + 1 } else { 0 }) }
        }

        fn trips_at_verdict(&self, state: &(u32, u32), _: Moment) -> Option<u8> {
            (state.0 >= self.run).then_some(0)
        }

        fn trips_at_end(&self, state: &(u32, u32), moment: Moment) -> Option<u8> {
            (self.share > 0 && state.1 * 100 >= self.share * moment.judged).then_some(1)
        }
    }

    fn spans(n: u32, size: u32) -> Vec<Group> {
        let batch = |batch| batch * size..n.min((batch + 1) * size);
        (0..n.div_ceil(size))
            .map(|index| Group { trials: batch(index), batch: index, begins: true, ends: true })
            .collect()
    }

    /// The chain of failures in a row is the other one.
    #[test]
    fn runs_alone_agree_with_the_chain_of_counts() {
        let trial = |i: u32| {
            let (fails, silent) = (0.05 + 0.02 * f64::from(i), 0.1);
            Trial { fails, passes: 1.0 - fails - silent, silent }
        };
        for (size, run) in [(1, 2), (3, 2), (4, 3), (9, 4)] {
            let units = spans(12, size);
            let chain = Chain::new(&Both { run, share: 0 }, 2, &units, 1000).expect("few states");
            let runs = units.iter().map(|unit| RunUnit { trials: unit.trials.clone(), fresh: false }).collect();
            let walk = Walk { units: runs, counting: Counting::SilentLast, limit: run as usize, waved: Some(0) };
            let walked = walk.go(trial, |_, _| {});
            chain.go(trial, |number, _, left| {
                assert!((left.trips[0] - walked.first[number]).abs() < 1e-14, "{size} {run} {number}");
            });
        }
    }

    /// Every outcome of a unit of trials, in every order.
    #[test]
    fn all_outcomes_agree() {
        let (fails, silent) = (0.25, 0.15);
        let trial = Trial { fails, passes: 1.0 - fails - silent, silent };
        let rules = Both { run: 3, share: 40 };
        let units = spans(6, 3);
        let chain = Chain::new(&rules, 2, &units, 1000).expect("few states");
        let mut wanted = [0.0; 2];
        for code in 0..3_usize.pow(6) {
            let kinds: Vec<usize> = (0..6).map(|i| code / 3_usize.pow(i) % 3).collect();
            let chance: f64 = kinds.iter().map(|&kind| [fails, trial.passes, silent][kind]).product();
            let (mut run, mut failed) = (0, 0);
            'units: for unit in &units {
                let unit = &kinds[unit.trials.start as usize..unit.trials.end as usize];
                let silent = unit.iter().filter(|&&kind| kind == 2);
                for kind in unit.iter().filter(|&&kind| kind < 2).chain(silent) {
                    run = if *kind == 1 { 0 } else { run + 1 };
                    failed += u32::from(*kind != 1);
                    if run == 3 {
                        wanted[0] += chance;
                        break 'units;
                    }
                }
                if failed * 100 >= 40 * (if std::ptr::eq(unit, &kinds[..3]) { 3 } else { 6 }) {
                    wanted[1] += chance;
                    break 'units;
                }
            }
        }
        let mut trips = [0.0; 2];
        chain.go(|_| trial, |_, _, left| (0..2).for_each(|rule| trips[rule] += left.trips[rule]));
        for rule in 0..2 {
            assert!((trips[rule] - wanted[rule]).abs() < 1e-14, "{rule}: {} {}", trips[rule], wanted[rule]);
        }
    }

    #[test]
    fn what_is_too_large_is_refused() {
        assert_eq!(Chain::new(&Both { run: 30, share: 40 }, 2, &spans(60, 10), 100).map(|_| ()), Err(TooLarge));
    }

    #[test]
    fn what_is_awaited_counts_for_nothing() {
        let quarter = Trial { fails: 0.25, passes: 0.25, silent: 0.0 };
        let chain = Chain::new(&Both { run: 2, share: 0 }, 2, &spans(2, 2), 100).expect("few states");
        let left = chain.so_far(0, &[1.0], |_| quarter);
        assert!((left.tripped() - 0.0625).abs() < 1e-15);
        assert!((left.untripped() - 3.0 * 0.0625).abs() < 1e-15);
    }
}
