//! The answer of the search with more information, replicate by replicate.
//!
//! With more information, each limit and the goal are predicted from what is known then: both are regressed over the
//! replicates on it. The regression that answers for a replicate is fitted to the other four fifths of them, so the
//! saving of that answer can be taken from the replicate's own goals.
//!
//! Which policy is within the limits by the regressions is itself a matter of chance, for many replicates at once. So
//! the intervals allow for it: the answers are found again from random halves of the replicates (J. A. Hartigan, "Using
//! subsample values as typical values", JASA 64, 1969), and two halves that differ by d have a mean whose variance is
//! d² / 4. Where no replicate has another answer, the interval reaches as far as a share that n replicates without one
//! do not rule out.

use std::io;

use rayon::prelude::*;

use super::{Drawn, Today};
use crate::study::result_log::ResultLog;
use crate::study::results::CellRows;
use crate::study::row;
use crate::study::sweep::CONFIDENCE;
use crate::study::theory::fits;
use crate::study::tune::limits::Limit;
use crate::study::tune::{State, Tune, Tuned};
use dryroll_sim::scenario::{Bound, Measure, Stat};
use dryroll_sim::sim::draws::{Key, scale};
use dryroll_stats::moments::Moments;
use dryroll_stats::proportion::upper_bound;
use dryroll_stats::regression::Basis;
use dryroll_stats::{Interval, student};

/// The degree of the polynomials in what is known.
const DEGREE: u32 = 3;
/// The number of parts that the replicates are divided into.
const PARTS: usize = 5;
/// How often the replicates are halved.
const HALVINGS: u64 = 8;

/// The answers of the search.
#[derive(Clone, Debug)]
pub struct Answers {
    /// By policy: the share of the replicates in which it would be the answer.
    pub shares: Vec<f64>,
    /// The share in which no policy would meet the limits.
    pub none: f64,
    /// The share in which today's answer would meet the limits and be within the tolerance of the best; `None` where
    /// there is no answer today.
    pub stays: Option<f64>,
    /// The mean reduction of the goal from today's answer to the new one, with its interval; where there is no new
    /// answer, today's stays. `None` where there is no answer today.
    pub saves: Option<(f64, Interval)>,
    /// The parts of that reduction. `None` where there is no answer today.
    pub parts: Option<Parts>,
}

/// The saving, in parts that add up to it, replicate by replicate. The first step is from today's policy to the best of
/// those that are certainly within the limits today. The second is to the best of these that meets the limits then. The
/// third is to the best that does so among these and those that are undecided today, and the fourth to the best of all
/// that do. Each part has its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// From a better choice among the policies that are certainly within the limits today.
    pub choice: (f64, Interval),
    /// From policies that turn out to break a limit: usually negative.
    pub forbidden: (f64, Interval),
    /// From policies that turn out to be within the limits and are undecided today.
    pub undecided: (f64, Interval),
    /// From policies that turn out to be within the limits and certainly are not today.
    pub allowed: (f64, Interval),
}

/// The policies on the steps from today's answer to that of a replicate.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    /// The best of those that are certainly within the limits today.
    choice: Option<usize>,
    /// The best of them that meets the limits by what is known then.
    still: Option<usize>,
    /// The best that meets the limits then, among them and those that are undecided today.
    open: Option<usize>,
    /// The best of all that meet the limits then.
    answer: Option<usize>,
}

impl Way {
    /// The saving of each step in a replicate with these goals, from today's policy on. Where no policy would be left,
    /// today's stays.
    fn saves(self, today: usize, goal: impl Fn(usize) -> f64) -> [f64; 4] {
        let at = |policy: Option<usize>| goal(policy.unwrap_or(today));
        let (choice, still, open, answer) = (at(self.choice), at(self.still), at(self.open), at(self.answer));
        [goal(today) - choice, choice - still, still - open, open - answer]
    }
}

/// The data of one policy.
#[derive(Debug)]
pub(super) struct Seen {
    goal: Vec<f64>,
    limits: Vec<SeenLimit>,
}

/// A limit with one of the versions that it is about.
#[derive(Debug)]
struct SeenLimit {
    limit: usize,
    version: usize,
    /// The value in each replicate whose mean is tested against the limit; NaN where nothing was measured.
    values: Vec<f64>,
    /// The decision of the search.
    holds: Option<bool>,
}

impl Seen {
    /// The data of some replicates.
    fn of_rows(&self, rows: &[usize]) -> Self {
        let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        let limit = |one: &SeenLimit| SeenLimit { values: of(&one.values), ..*one };
        Self { goal: of(&self.goal), limits: self.limits.iter().map(limit).collect() }
    }
}

impl Answers {
    /// The saving, and its parts.
    fn savings(&self) -> Option<[(f64, Interval); 5]> {
        let Parts { choice, forbidden, undecided, allowed } = self.parts?;
        Some([self.saves?, choice, forbidden, undecided, allowed])
    }
}

/// Random halves of the rows.
fn halves(n: usize, halving: u64) -> [Vec<usize>; 2] {
    const KEY: Key = Key(0x6861_6c76_6573);
    let key = KEY.child(halving);
    let mut rows: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        rows.swap(last, scale(key.word(last as u64), last as u64 + 1) as usize);
    }
    let other = rows.split_off(n / 2);
    [rows, other]
}

impl Tune {
    /// The data of each policy from the first replicates.
    pub(super) fn seen(&self, log: &ResultLog, tuned: &Tuned, n: u64) -> io::Result<Vec<Seen>> {
        let of = |policy: usize| {
            let goal = self.values(log, self.cell(policy, 0), self.minimise, n)?;
            let mut limits = Vec::new();
            for (place, limit) in self.limits.iter().enumerate() {
                for &version in &limit.versions {
                    let cell = self.cell(policy, version);
                    let defective = self.cells.compiled[cell].defective;
                    let mut values = vec![f64::NAN; n as usize];
                    CellRows::open(std::slice::from_ref(log), cell as u32, n)?.rows(&mut |replicate, row| {
                        let value = row::value(row, limit.spec.metric, defective);
                        values[replicate as usize] = value.map_or(f64::NAN, |value| beyond(limit, value));
                    })?;
                    let known = &tuned.policies[policy].limits;
                    let held = known.iter().find(|held| held.limit == place && held.version == version);
                    limits.push(SeenLimit { limit: place, version, values, holds: held.and_then(|held| held.holds) });
                }
            }
            Ok(Seen { goal, limits })
        };
        (0..self.policies()).into_par_iter().map(of).collect()
    }

    /// The answers of the search, if these regressors were known for each replicate.
    pub(super) fn answers(&self, seen: &[Seen], tuned: &Tuned, by_limits: &Today, known: &[Drawn]) -> Option<Answers> {
        let mut answers = self.answers_of_all(seen, tuned, by_limits, known)?;
        let (Some(saves), Some(parts)) = (&mut answers.saves, &mut answers.parts) else { return Some(answers) };
        let mut squares = [0.0; 5];
        for halving in 0..HALVINGS {
            let halves = halves(known.len(), halving).map(|rows| {
                let seen: Vec<Seen> = seen.iter().map(|seen| seen.of_rows(&rows)).collect();
                let known: Vec<Drawn> = rows.iter().map(|&row| known[row].clone()).collect();
                self.answers_of_all(&seen, tuned, by_limits, &known)
            });
            let [Some(one), Some(other)] = halves else { return Some(answers) };
            let (one, other) = (one.savings()?, other.savings()?);
            squares
                .iter_mut()
                .zip(one.iter().zip(other))
                .for_each(|(sum, (a, b))| *sum += (a.0 - b.0) * (a.0 - b.0) / 4.0);
        }
        let far = student::two_sided(CONFIDENCE, HALVINGS + 1)?;
        let reaches = self.reaches(seen, tuned, by_limits);
        let unseen = upper_bound(0, known.len() as u64, CONFIDENCE)?;
        let all = [saves, &mut parts.choice, &mut parts.forbidden, &mut parts.undecided, &mut parts.allowed];
        for ((estimate, square), (low, high)) in all.into_iter().zip(squares).zip(reaches) {
            let (mean, interval) = estimate;
            let error = far * (square / HALVINGS as f64).sqrt();
            *interval = Interval::new(interval.low.min(*mean - error), interval.high.max(*mean + error));
            if interval.low == interval.high {
                *interval = Interval::new(interval.low + unseen * low, interval.high + unseen * high);
            }
        }
        Some(answers)
    }

    /// The least and the largest saving that one replicate may show: all in all, and of each part. Both are 0 where
    /// there is no other policy to choose.
    fn reaches(&self, seen: &[Seen], tuned: &Tuned, Today { within, undecided }: &Today) -> [(f64, f64); 5] {
        let Some(today) = tuned.incumbent else { return [(0.0, 0.0); 5] };
        let among = |policies: &[usize]| {
            let goals = policies.iter().flat_map(|&policy| seen[today].goal.iter().zip(&seen[policy].goal));
            goals
                .map(|(today, goal)| today - goal)
                .fold((0.0_f64, 0.0_f64), |(low, high), saves| (low.min(saves), high.max(saves)))
        };
        // From one policy to another the saving may be as large as both of theirs.
        let between = |policies: &[usize]| {
            let (low, high) = among(policies);
            (low - high, high - low)
        };
        let could = |policy: &usize| tuned.policies[*policy].state != State::NeverTrips;
        let open: Vec<usize> = within.iter().chain(undecided).copied().filter(could).collect();
        let out: Vec<usize> = (0..seen.len()).filter(could).filter(|policy| !open.contains(policy)).collect();
        let all: Vec<usize> = open.iter().chain(&out).copied().collect();
        let if_any = |some: &[usize], reach: (f64, f64)| if some.is_empty() { (0.0, 0.0) } else { reach };
        [among(&all), among(within), between(within), if_any(undecided, between(&open)), if_any(&out, between(&all))]
    }

    fn answers_of_all(&self, seen: &[Seen], tuned: &Tuned, by_limits: &Today, known: &[Drawn]) -> Option<Answers> {
        let Today { within, undecided } = by_limits;
        let n = known.len();
        let regressors: Vec<Vec<Vec<f64>>> = (0..self.versions()).map(|version| self.rates(known, version)).collect();
        let mut ways: Vec<Way> = vec![Way::default(); n];
        let mut stays = 0_u64;
        for part in 0..PARTS {
            let fitted: Vec<bool> = (0..n).map(|replicate| replicate % PARTS != part).collect();
            let bases: Vec<Basis> = regressors.iter().map(|one| Basis::new(one, DEGREE, fitted.clone())).collect();
            let predicted: Vec<(Vec<f64>, Vec<bool>)> = seen
                .par_iter()
                .map(|seen| (bases[0].predict(&seen.goal), self.met(seen, &fitted, &regressors, &bases)))
                .collect();
            for replicate in (part..n).step_by(PARTS) {
                let goal = |policy: usize| predicted[policy].0[replicate];
                let meets = |policy: &usize| {
                    predicted[*policy].1[replicate] && tuned.policies[*policy].state != State::NeverTrips
                };
                let least = |best: usize, next: usize| if goal(next) < goal(best) { next } else { best };
                let way = Way {
                    choice: within.iter().copied().reduce(least),
                    still: within.iter().copied().filter(meets).reduce(least),
                    open: within.iter().chain(undecided).copied().filter(meets).reduce(least),
                    answer: (0..seen.len()).filter(meets).reduce(least),
                };
                ways[replicate] = way;
                if let (Some(best), Some(today)) = (way.answer, tuned.incumbent) {
                    let as_good = goal(today) <= goal(best) + self.tolerance * goal(best).abs();
                    stays += u64::from(predicted[today].1[replicate] && as_good);
                }
            }
        }
        let share = |count: usize| count as f64 / n.max(1) as f64;
        let of = |policy: usize| share(ways.iter().filter(|way| way.answer == Some(policy)).count());
        let (mut saves, mut parts) = (None, None);
        if let Some(today) = tuned.incumbent {
            let mut saved = Moments::default();
            let mut by_part: [Moments; 4] = Default::default();
            for (replicate, way) in ways.iter().enumerate() {
                let goal = |policy: usize| seen[policy].goal[replicate];
                saved.push(goal(today) - goal(way.answer.unwrap_or(today)));
                by_part.iter_mut().zip(way.saves(today, goal)).for_each(|(part, saves)| part.push(saves));
            }
            let with_interval = |moments: &Moments| Some((moments.mean()?, moments.t_interval(CONFIDENCE)?));
            let [choice, forbidden, undecided, allowed] = &by_part;
            saves = Some(with_interval(&saved)?);
            parts = Some(Parts {
                choice: with_interval(choice)?,
                forbidden: with_interval(forbidden)?,
                undecided: with_interval(undecided)?,
                allowed: with_interval(allowed)?,
            });
        }
        Some(Answers {
            shares: (0..seen.len()).map(of).collect(),
            none: share(ways.iter().filter(|way| way.answer.is_none()).count()),
            stays: tuned.incumbent.map(|_| share(stays as usize)),
            saves,
            parts,
        })
    }

    /// In which replicates every limit holds by what is known. Where the regressors give no information on a limit, the
    /// decision of the search stands: what is undecided today stays so.
    fn met(&self, seen: &Seen, fitted: &[bool], regressors: &[Vec<Vec<f64>>], bases: &[Basis]) -> Vec<bool> {
        let mut met = vec![true; fitted.len()];
        for SeenLimit { limit, version, values, holds } in &seen.limits {
            if bases[*version].len() < 2 {
                met.iter_mut().for_each(|met| *met &= *holds == Some(true));
                continue;
            }
            let bound = as_mean(&self.limits[*limit]);
            let predicted = if values.iter().all(|value| !value.is_nan()) {
                bases[*version].predict(values)
            } else {
                let usable: Vec<bool> = values.iter().zip(fitted).map(|(value, &is)| is && !value.is_nan()).collect();
                let values: Vec<f64> = values.iter().map(|value| if value.is_nan() { 0.0 } else { *value }).collect();
                let basis = Basis::new(&regressors[*version], DEGREE, usable);
                // Where nothing was measured, no limit is known to hold.
                if basis.is_empty() { vec![f64::NAN; values.len()] } else { basis.predict(&values) }
            };
            met.iter_mut().zip(predicted).for_each(|(met, seen)| *met &= fits(seen, &bound));
        }
        met
    }
}

/// The percentile that a limit is about, as a share; `None` for other limits.
fn percentile(limit: &Limit) -> Option<f64> {
    match (limit.spec.metric, limit.spec.stat) {
        (Measure::Metric(_), Some(Stat::P50)) => Some(0.5),
        (Measure::Metric(_), Some(Stat::P95)) => Some(0.95),
        (Measure::Metric(_), Some(Stat::P99)) => Some(0.99),
        _ => None,
    }
}

/// A limit as one on a mean. A percentile is at most L if at most the rest lies above L, and at least L if at most its
/// own share lies below.
fn as_mean(limit: &Limit) -> Bound {
    match (percentile(limit), &limit.spec.bound) {
        (Some(share), Bound::AtMost(_)) => Bound::AtMost(1.0 - share),
        (Some(share), Bound::AtLeast(_)) => Bound::AtMost(share),
        (_, bound) => bound.clone(),
    }
}

/// The value whose mean is tested.
fn beyond(limit: &Limit, value: f64) -> f64 {
    match (percentile(limit), &limit.spec.bound) {
        (Some(_), Bound::AtMost(most)) => f64::from(u8::from(value > *most)),
        (Some(_), Bound::AtLeast(least)) => f64::from(u8::from(value < *least)),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_random_and_take_each_row_once() {
        for n in [2, 7, 2048] {
            let [one, other] = halves(n, 3);
            assert_eq!(one.len(), n / 2);
            let mut all = [one.clone(), other].concat();
            all.sort_unstable();
            assert_eq!(all, (0..n).collect::<Vec<usize>>());
            assert!(n < 10 || one != halves(n, 4)[0] && one.windows(2).any(|pair| pair[1] != pair[0] + 1));
        }
    }

    /// Four policies: today's, another within the limits, one that is undecided, and one that is out. Their goals are
    /// 10, 8, 6 and 5.
    #[test]
    fn the_parts_of_a_way_add_up_and_are_told_apart() {
        let goal = |policy: usize| [10.0, 8.0, 6.0, 5.0][policy];
        let way = |choice, still, open, answer| Way { choice, still, open, answer }.saves(0, goal);
        assert_eq!(
            way(Some(1), Some(1), Some(1), Some(1)),
            [2.0, 0.0, 0.0, 0.0],
            "a better choice among those allowed"
        );
        assert_eq!(way(Some(0), Some(0), Some(2), Some(2)), [0.0, 0.0, 4.0, 0.0], "one that is undecided is allowed");
        assert_eq!(way(Some(0), Some(0), Some(0), Some(3)), [0.0, 0.0, 0.0, 5.0], "one that is out becomes allowed");
        assert_eq!(way(Some(0), Some(0), Some(2), Some(3)), [0.0, 0.0, 4.0, 1.0], "both");
        assert_eq!(way(Some(1), Some(0), Some(0), Some(0)), [2.0, -2.0, 0.0, 0.0], "one that becomes forbidden");
        assert_eq!(way(Some(1), None, None, Some(3)), [2.0, -2.0, 0.0, 5.0], "all that are allowed become forbidden");
        assert_eq!(way(Some(1), None, None, None), [2.0, -2.0, 0.0, 0.0], "none is left, and today's stays");
    }
}
