//! The distribution of the count of failures in a row.

/// One trial: three chances. They may add up to less than 1; the results are then joint chances: that the trials went
/// that way and that the case left out did not occur.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trial {
    /// The chance that it fails in its turn.
    pub fails: f64,
    /// The chance that it passes.
    pub passes: f64,
    /// The chance that it fails silently. If trials are counted in order of time, it then counts after all others of
    /// its unit.
    pub silent: f64,
}

/// In which order the trials of a unit are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// In the order of the list. A unit that trips is still judged to its end.
    InOrder,
    /// First those that are not silent, in an order that is independent of their results; then the silent ones in a
    /// row.
    SilentLast,
}

/// The probability of each count 0 … k − 1 together with no run of k so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    weights: Vec<f64>,
}

impl Counts {
    /// A count of zero with certainty; a run of `limit` (at least 1) trips.
    #[must_use]
    pub fn zero(limit: usize) -> Self {
        let mut counts = Self::nowhere(limit);
        counts.weights[0] = 1.0;
        counts
    }

    /// No weight anywhere.
    #[must_use]
    pub fn nowhere(limit: usize) -> Self {
        Self { weights: vec![0.0; limit.max(1)] }
    }

    /// The weights of the counts 0 … k − 1.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The weight of all counts together.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.weights.iter().sum()
    }

    /// Every count becomes zero.
    pub fn forget(&mut self) {
        let total = self.total();
        self.weights.fill(0.0);
        self.weights[0] = total;
    }

    /// Adds the weights of another distribution with the same limit.
    pub fn add(&mut self, other: &Self) {
        self.weights.iter_mut().zip(&other.weights).for_each(|(to, from)| *to += from);
    }

    /// Adds weight to the count of zero.
    pub fn join_at_zero(&mut self, weight: f64) {
        self.weights[0] += weight;
    }

    /// Counts a unit of trials, and returns the weight that trips in it. That weight is removed.
    pub fn take(&mut self, counting: Counting, trials: impl Iterator<Item = Trial>) -> f64 {
        match counting {
            Counting::InOrder => self.take_in_order(trials),
            Counting::SilentLast => self.take_silent_last(trials),
        }
    }

    fn take_in_order(&mut self, trials: impl Iterator<Item = Trial>) -> f64 {
        let mut tripped = 0.0;
        for trial in trials {
            let fails = trial.fails + trial.silent;
            tripped = tripped * (fails + trial.passes) + self.step(fails, trial.passes, 0.0);
        }
        tripped
    }

    /// Counts one trial; with the chance `nothing` the count stays as it is. Returns the weight that trips.
    fn step(&mut self, fails: f64, passes: f64, nothing: f64) -> f64 {
        let total = self.total();
        let last = self.weights.len() - 1;
        let tripped = self.weights[last] * fails;
        for count in (1..=last).rev() {
            self.weights[count] = self.weights[count] * nothing + self.weights[count - 1] * fails;
        }
        self.weights[0] = self.weights[0] * nothing + total * passes;
        tripped
    }

    /// The state is (count, silent ones so far); as many silent ones as the limit trip by themselves.
    fn take_silent_last(&mut self, trials: impl Iterator<Item = Trial>) -> f64 {
        let limit = self.weights.len();
        let mut by_silent: Vec<Counts> = vec![self.clone()];
        let (mut tripped, mut too_silent) = (0.0, 0.0);
        for trial in trials {
            let all = trial.fails + trial.passes + trial.silent;
            tripped *= all;
            too_silent *= all;
            if trial.silent > 0.0 && by_silent.len() < limit {
                by_silent.push(Self::nowhere(limit));
            }
            for silent in (0..by_silent.len()).rev() {
                let falls_silent: Vec<f64> = by_silent[silent].weights.iter().map(|w| w * trial.silent).collect();
                tripped += by_silent[silent].step(trial.fails, trial.passes, 0.0);
                match by_silent.get_mut(silent + 1) {
                    Some(next) => next.weights.iter_mut().zip(&falls_silent).for_each(|(to, from)| *to += from),
                    None => too_silent += falls_silent.iter().sum::<f64>(),
                }
            }
        }
        self.weights.fill(0.0);
        for (silent, counts) in by_silent.iter().enumerate() {
            for (count, weight) in counts.weights.iter().enumerate() {
                match self.weights.get_mut(count + silent) {
                    Some(to) => *to += weight,
                    None => tripped += weight,
                }
            }
        }
        tripped + too_silent
    }

    /// The weight that trips among the trials that have reported; the others, whose chance is 1 less `fails` and
    /// `passes`, are still awaited and count for nothing yet.
    #[must_use]
    pub fn trips_so_far(mut self, trials: impl Iterator<Item = Trial>) -> f64 {
        trials.map(|trial| self.step(trial.fails, trial.passes, (1.0 - trial.fails - trial.passes).max(0.0))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bernoulli(p: f64) -> Trial {
        Trial { fails: p, passes: 1.0 - p, silent: 0.0 }
    }

    /// P(no run of k in m), by the recursion S_m = S_{m−1} − (1−p)·pᵏ·S_{m−k−1}.
    fn survival(m: usize, k: usize, p: f64) -> f64 {
        let run = (0..k).fold(1.0, |product, _| product * p);
        let mut survival = vec![1.0; k];
        survival.push(1.0 - run);
        for i in k + 1..=m {
            survival.push(survival[i - 1] - (1.0 - p) * run * survival[i - k - 1]);
        }
        survival[m]
    }

    #[test]
    fn the_chain_agrees_with_the_recursion_on_survival() {
        for k in 1..6 {
            for p in [0.01, 0.3, 0.9] {
                let mut counts = Counts::zero(k);
                let mut tripped = 0.0;
                for m in 1..80 {
                    tripped += counts.take(Counting::InOrder, std::iter::once(bernoulli(p)));
                    assert!((1.0 - tripped - survival(m, k, p)).abs() < 1e-13, "{k} {p} {m}");
                    assert!((counts.total() + tripped - 1.0).abs() < 1e-13);
                }
            }
        }
    }

    /// Every outcome of a unit of trials, in every order of those that are not silent.
    #[test]
    fn silent_last_agrees_with_every_outcome() {
        for (limit, start) in [(1, 0), (2, 1), (3, 0), (3, 2), (5, 1), (9, 3)] {
            for (fails, silent) in [(0.2, 0.0), (0.0, 0.3), (0.25, 0.15)] {
                let trial = Trial { fails, passes: 1.0 - fails - silent, silent };
                let n = 5;
                let mut counts = Counts::nowhere(limit);
                counts.weights[start] = 1.0;
                let tripped = counts.take(Counting::SilentLast, std::iter::repeat_n(trial, n));
                let (mut wanted, mut wanted_trips) = (vec![0.0; limit], 0.0);
                for code in 0..3_usize.pow(n as u32) {
                    let kinds: Vec<usize> = (0..n).map(|i| code / 3_usize.pow(i as u32) % 3).collect();
                    let chance: f64 = kinds.iter().map(|&kind| [fails, trial.passes, silent][kind]).product();
                    let spoken = kinds.iter().filter(|&&kind| kind < 2);
                    let mut count = start;
                    let mut trips = false;
                    for kind in spoken.chain(kinds.iter().filter(|&&kind| kind == 2)) {
                        count = if *kind == 1 { 0 } else { count + 1 };
                        trips |= count == limit;
                    }
                    if trips { wanted_trips += chance } else { wanted[count] += chance }
                }
                assert!((tripped - wanted_trips).abs() < 1e-14, "{limit} {start} {fails} {silent}");
                for (has, wants) in counts.weights.iter().zip(&wanted) {
                    assert!((has - wants).abs() < 1e-14, "{limit} {start} {fails} {silent}");
                }
            }
        }
    }

    #[test]
    fn what_is_awaited_counts_for_nothing() {
        let half = Trial { fails: 0.25, passes: 0.25, silent: 0.0 };
        // Of two trials, both must have failed to make a run of two.
        assert_eq!(Counts::zero(2).trips_so_far([half; 2].into_iter()), 0.0625);
        // Of three: two in a row if the third is awaited, passes before or after them, or fails too.
        let awaited = 3.0 * 0.0625 * 0.5;
        let passes = 2.0 * 0.0625 * 0.25;
        let all = 0.25 * 0.0625;
        assert!((Counts::zero(2).trips_so_far([half; 3].into_iter()) - awaited - passes - all).abs() < 1e-15);
    }
}
