//! A walk through units of trials, with trips after which it continues and one that ends it.

use std::ops::Range;

use super::counts::{Counting, Counts, Trial};

/// Trials that are counted together; their numbers are their places in the whole sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Which trials.
    pub trials: Range<u32>,
    /// Whether the count is set to zero before it.
    pub fresh: bool,
}

/// A sequence of units.
#[derive(Clone, Debug)]
pub struct Walk {
    /// The units, in order.
    pub units: Vec<Unit>,
    /// How the trials of a unit are counted.
    pub counting: Counting,
    /// The number of failures in a row that trips; at least 1.
    pub limit: usize,
    /// How many trips the walk continues after, with a count of zero from the next unit on, before one ends it; `None`:
    /// all.
    pub waved: Option<usize>,
}

/// The result of a walk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walked {
    /// By unit: the chance that the first trip is in it.
    pub first: Vec<f64>,
    /// By unit: the chance that the trip which ends the walk is in it.
    pub ending: Vec<f64>,
    /// The expected number of trips.
    pub trips: f64,
}

impl Walked {
    /// P(any trip).
    #[must_use]
    pub fn chance(&self) -> f64 {
        self.first.iter().sum()
    }

    /// P(a trip ends it).
    #[must_use]
    pub fn chance_of_ending(&self) -> f64 {
        self.ending.iter().sum()
    }
}

impl Walk {
    /// The number of layers. Distributions of the count are kept apart by the number of trips so far, as far as that
    /// matters; each is a layer.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.waved.map_or(2, |waved| waved + 1)
    }

    /// Whether a trip out of this layer ends the walk.
    #[must_use]
    pub fn ends(&self, layer: usize) -> bool {
        self.waved == Some(layer)
    }

    /// Goes through all units. `before` receives the distributions, by layer, before each.
    pub fn go(&self, trial: impl Fn(u32) -> Trial, mut before: impl FnMut(usize, &[Counts])) -> Walked {
        let layers = self.layers();
        let mut counts = vec![Counts::nowhere(self.limit); layers];
        counts[0] = Counts::zero(self.limit);
        let none = vec![0.0; self.units.len()];
        let mut walked = Walked { first: none.clone(), ending: none, trips: 0.0 };
        for (number, unit) in self.units.iter().enumerate() {
            if unit.fresh {
                counts.iter_mut().for_each(Counts::forget);
            }
            before(number, &counts);
            let mut from_below = 0.0;
            for (layer, counts) in counts.iter_mut().enumerate() {
                let is_empty = layer > 0 && counts.total() == 0.0;
                let tripped = if is_empty { 0.0 } else { counts.take(self.counting, unit.trials.clone().map(&trial)) };
                counts.join_at_zero(std::mem::take(&mut from_below));
                walked.trips += tripped;
                if layer == 0 {
                    walked.first[number] = tripped;
                }
                if self.ends(layer) {
                    walked.ending[number] = tripped;
                } else if layer + 1 < layers {
                    from_below = tripped;
                } else {
                    counts.join_at_zero(tripped);
                }
            }
        }
        walked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every string of verdicts, one by one.
    fn manual(walk: &Walk, chances: &[f64]) -> Walked {
        let none = vec![0.0; walk.units.len()];
        let mut walked = Walked { first: none.clone(), ending: none, trips: 0.0 };
        for string in 0..1_u32 << chances.len() {
            let failed = |i: u32| string >> i & 1 == 1;
            let weight: f64 =
                chances.iter().enumerate().map(|(i, p)| if failed(i as u32) { *p } else { 1.0 - p }).product();
            let (mut count, mut trips) = (0, 0);
            'walk: for (number, unit) in walk.units.iter().enumerate() {
                let silent_last = walk.counting == Counting::SilentLast;
                let (failing, passing): (Vec<u32>, Vec<u32>) = unit.trials.clone().partition(|&i| failed(i));
                let order: Vec<u32> = if silent_last {
                    passing.into_iter().chain(failing).collect()
                } else {
                    unit.trials.clone().collect()
                };
                count = if unit.fresh { 0 } else { count };
                for i in order {
                    count = if failed(i) { count + 1 } else { 0 };
                    if count == walk.limit {
                        trips += 1;
                        walked.trips += weight;
                        if trips == 1 {
                            walked.first[number] += weight;
                        }
                        if walk.waved.is_some_and(|waved| trips > waved) {
                            walked.ending[number] += weight;
                            break 'walk;
                        }
                        count = 0;
                        break;
                    }
                }
            }
        }
        walked
    }

    #[test]
    fn the_walk_agrees_with_every_string_of_verdicts() {
        let n = 9_u32;
        let chances: Vec<f64> = (0..n).map(|i| 0.1 + 0.08 * f64::from(i)).collect();
        let mut compared = 0;
        for counting in [Counting::InOrder, Counting::SilentLast] {
            for size in [1, 2, 3, 4, 9] {
                for fresh in [false, true] {
                    for limit in 1..=4 {
                        for waved in [Some(0), Some(1), Some(2), None] {
                            let units = (0..n)
                                .step_by(size)
                                .map(|first| Unit { trials: first..n.min(first + size as u32), fresh });
                            let walk = Walk { units: units.collect(), counting, limit, waved };
                            let trial = |i: u32| {
                                let p = chances[i as usize];
                                match counting {
                                    Counting::InOrder => Trial { fails: p, passes: 1.0 - p, silent: 0.0 },
                                    Counting::SilentLast => Trial { fails: 0.0, passes: 1.0 - p, silent: p },
                                }
                            };
                            let (walked, wanted) = (walk.go(trial, |_, _| {}), manual(&walk, &chances));
                            for (has, wants) in [(&walked.first, &wanted.first), (&walked.ending, &wanted.ending)] {
                                assert!(has.iter().zip(wants).all(|(a, b)| (a - b).abs() < 1e-13), "{walk:?}");
                            }
                            assert!((walked.trips - wanted.trips).abs() < 1e-13, "{walk:?}");
                            compared += 1;
                        }
                    }
                }
            }
        }
        assert_eq!(compared, 320);
    }
}
