//! How much rollouts differ beyond a common rate.
//!
//! The test is R. E. Tarone's ("Testing the goodness of fit of the binomial distribution", Biometrika 66, 1979): the
//! sum of (hits − expected)² is compared with its distribution when the same hits fall on the same commands in any
//! order. This is exact for all counts. If rollouts differ, their rates get a beta distribution, so that hits are
//! beta-binomial (J. G. Skellam, JRSS B 10, 1948). The posterior is a grid of the mean m and of the concentration a +
//! b, with a prior that is uniform in arcsin √m and in the logarithm of the concentration.

use std::collections::BTreeMap;

use super::fit::{CONFIDENCE, FALL};
use super::posterior::Moments;
use dryroll_sim::sim::draws::{Key, scale};
use dryroll_stats::{Interval, student};

/// With fewer rollouts than this, no spread is found.
pub const FEWEST: usize = 4;
/// With fewer rollouts than this, nothing is known of a spread, and the rate is that of the rollout.
const FEWEST_ALLOWED: usize = 2;
/// Rollouts differ if the p-value is below this; for the two rates of a version together the level is 1 %.
pub const LEVEL: f64 = 0.005;

/// How rollouts differ in a rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// The number of rollouts with information about it.
    pub rollouts: u64,
    /// The p-value for a common rate; 1 where none or all of the trials are hits.
    pub p_value: f64,
    /// The mean of the rate over rollouts.
    pub mean: f64,
    /// The interval of the mean: that of the posterior, and of the profile likelihood.
    pub mean_interval: Interval,
    /// a + b of the beta distribution of the rollouts' rates: the larger, the more alike they are.
    pub concentration: f64,
    /// The interval of the concentration.
    pub concentration_interval: Interval,
    /// The moments of the next rollout's rate, over the posterior.
    pub next: Moments,
    /// The posterior of the mean: values in ascending order, with weights.
    means: Vec<(f64, f64)>,
}

/// The range in which the concentration is sought.
const CONCENTRATIONS: (f64, f64) = (1.0, 10_000.0);
const MEANS: usize = 48;
const SIZES: usize = 40;

impl Spread {
    /// Estimates the spread from hits and trials of each rollout, whether or not it is found: without evidence of a
    /// spread, one that the rollouts do not rule out still widens what is known of the next. `None` for one rollout.
    #[must_use]
    pub fn of(counts: &[(u64, u64)]) -> Option<Self> {
        let rollouts: Vec<(u64, u64)> = counts.iter().copied().filter(|&(_, n)| n > 0).collect();
        (rollouts.len() >= FEWEST_ALLOWED).then(|| Self::fitted(&rollouts, chance(&rollouts).unwrap_or(1.0)))
    }

    /// Whether enough rollouts differ by more than chance.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.rollouts >= FEWEST as u64 && self.p_value < LEVEL
    }

    /// The p-value for a common rate, where it is below the level; needs at least two rollouts.
    #[must_use]
    pub fn differ(counts: &[(u64, u64)]) -> Option<f64> {
        chance(counts).filter(|&chance| chance < LEVEL)
    }

    /// The design effect that the data do not rule out, where no spread was found: an upper bound at 95 % of how far
    /// the variance of hits may exceed that of a common rate. For a spread of ρ between rollouts, Σ (hits − expected)²
    /// is about that of one rate times 1 + (n − 1) ρ times χ² over its degrees. The quantile of χ² is E. B. Wilson and
    /// M. M. Hilferty's (PNAS 17, 1931). `None` for fewer than four rollouts, and where none or all of the trials are
    /// hits.
    #[must_use]
    pub fn hidden(counts: &[(u64, u64)]) -> Option<f64> {
        const FIVE_PERCENT: f64 = -1.644_853_626_951_472_2;
        let rollouts: Vec<(f64, f64)> =
            counts.iter().filter(|one| one.1 > 0).map(|&(hits, n)| (hits as f64, n as f64)).collect();
        let (hits, n) = rollouts.iter().fold((0.0, 0.0), |(hits, n), one| (hits + one.0, n + one.1));
        if rollouts.len() < FEWEST || hits == 0.0 || hits == n {
            return None;
        }
        let share = hits / n;
        let of_one: f64 = rollouts.iter().map(|one| one.1 * share * (1.0 - share) * (1.0 - one.1 / n)).sum();
        let off = rollouts.iter().map(|one| one.0 - one.1 * share);
        let seen: f64 = off.map(|off| off * off).sum();
        let degrees = rollouts.len() as f64 - 1.0;
        let spread = 2.0 / (9.0 * degrees);
        let root = 1.0 - spread + FIVE_PERCENT * spread.sqrt();
        let most = rollouts.iter().map(|one| one.1).fold(1.0, f64::max);
        Some((seen / of_one / (root * root * root)).clamp(1.0, most))
    }

    fn fitted(counts: &[(u64, u64)], p_value: f64) -> Self {
        let mut groups: BTreeMap<(u64, u64), f64> = BTreeMap::new();
        counts.iter().for_each(|&pair| *groups.entry(pair).or_default() += 1.0);
        let log = |mean: f64, size: f64| {
            let (a, b) = (mean * size, (1.0 - mean) * size);
            let own = log_beta(a, b);
            let hits = groups
                .iter()
                .map(|(&(hits, n), weight)| weight * (log_beta(a + hits as f64, b + (n - hits) as f64) - own));
            hits.sum::<f64>()
        };
        let whole = Axes { phi: (0.0, std::f64::consts::FRAC_PI_2), size: both(CONCENTRATIONS, libm::log) };
        let coarse = whole.weighed(&log);
        let fine = whole.around(&coarse).weighed(&log);
        let sum = |of: &dyn Fn(f64, f64) -> f64| fine.iter().map(|&(m, s, w)| w * of(m, s)).sum::<f64>();
        let mean = sum(&|mean, _| mean);
        let next = Moments { mean, square: sum(&|mean, size| mean * (mean * size + 1.0) / (size + 1.0)) };
        let means = marginal(fine.iter().map(|&(mean, _, weight)| (mean, weight)));
        let sizes = marginal(fine.iter().map(|&(_, size, weight)| (size, weight)));
        let within = |of: &[(f64, f64)]| Interval::new(quantile(of, 0.025), quantile(of, 0.975));
        // The priors are uniform over the grid, so its weights are likelihoods, and the means within the drop of the
        // greatest are those of the profile likelihood interval.
        let least = fine.iter().map(|point| point.2).fold(0.0, f64::max) * libm::exp(-fall(counts.len(), p_value));
        let likely = || fine.iter().filter(|point| point.2 >= least).map(|point| point.0);
        let own = within(&means);
        let mean_interval = Interval::new(likely().fold(own.low, f64::min), likely().fold(own.high, f64::max));
        Self {
            rollouts: counts.len() as u64,
            p_value,
            mean,
            mean_interval,
            concentration: quantile(&sizes, 0.5),
            concentration_interval: within(&sizes),
            next,
            means,
        }
    }

    /// The probability that the mean over rollouts is at most x.
    #[must_use]
    pub fn mean_below(&self, x: f64) -> f64 {
        let next = self.means.partition_point(|&(mean, _)| mean <= x);
        let until = |i: usize| self.means[..i].iter().map(|&(_, weight)| weight).sum::<f64>();
        match (next.checked_sub(1), self.means.get(next)) {
            (None, _) => 0.0,
            (Some(_), None) => 1.0,
            (Some(before), Some(&(high, _))) => {
                let (low, own) = self.means[before];
                let share = (x - low) / (high - low).max(1e-300);
                until(before) + own / 2.0 + share * (own + self.means[next].1) / 2.0
            }
        }
    }

    /// The spread of this share of the rate: the mean scales, the relative variance stays the same.
    #[must_use]
    pub fn of_share(self, share: f64) -> Self {
        let variance = self.mean * (1.0 - self.mean) / (self.concentration + 1.0);
        let mean = self.mean * share;
        let concentration = (mean * (1.0 - mean) / (variance * share * share).max(1e-15) - 1.0).max(1e-3);
        let ratio = concentration / self.concentration;
        let Interval { low, high } = self.concentration_interval;
        let means = Interval::new(self.mean_interval.low * share, (self.mean_interval.high * share).min(1.0));
        Self {
            mean,
            mean_interval: means,
            concentration,
            concentration_interval: Interval::new(low * ratio, high * ratio),
            means: self.means.into_iter().map(|(mean, weight)| ((mean * share).min(1.0), weight)).collect(),
            ..self
        }
    }
}

fn both((a, b): (f64, f64), f: impl Fn(f64) -> f64) -> (f64, f64) {
    (f(a), f(b))
}

/// The ranges of φ, with mean sin² φ, and of the logarithm of the concentration.
struct Axes {
    phi: (f64, f64),
    size: (f64, f64),
}

impl Axes {
    fn weighed(&self, log: &impl Fn(f64, f64) -> f64) -> Vec<(f64, f64, f64)> {
        let place = |(low, high): (f64, f64), i: usize, of: usize| low + (high - low) * (i as f64 + 0.5) / of as f64;
        let mut points = Vec::with_capacity(MEANS * SIZES);
        for i in 0..MEANS {
            let sine = libm::sin(place(self.phi, i, MEANS));
            for j in 0..SIZES {
                let (mean, size) = (sine * sine, libm::exp(place(self.size, j, SIZES)));
                points.push((mean, size, log(mean, size)));
            }
        }
        let top = points.iter().map(|point| point.2).fold(f64::MIN, f64::max);
        points.iter_mut().for_each(|point| point.2 = libm::exp(point.2 - top));
        let all: f64 = points.iter().map(|point| point.2).sum();
        points.iter_mut().for_each(|point| point.2 /= all);
        points
    }

    /// Ranges around the mass, one step wider on each side.
    fn around(&self, points: &[(f64, f64, f64)]) -> Self {
        let heavy = || points.iter().filter(|point| point.2 > 1e-8);
        let range = |of: &dyn Fn(&(f64, f64, f64)) -> f64, (low, high): (f64, f64), steps: usize| {
            let step = (high - low) / steps as f64;
            let least = heavy().map(of).fold(high, f64::min) - step;
            let most = heavy().map(of).fold(low, f64::max) + step;
            (least.max(low), most.min(high))
        };
        Self {
            phi: range(&|point| libm::asin(point.0.sqrt()), self.phi, MEANS),
            size: range(&|point| libm::log(point.1), self.size, SIZES),
        }
    }
}

/// The drop of the log-likelihood at the ends of the interval of the mean. Where a spread is found, the rollouts are few
/// draws of a distribution whose spread they estimate, so Student's quantile replaces the normal one.
fn fall(rollouts: usize, p_value: f64) -> f64 {
    match student::two_sided(CONFIDENCE, rollouts as u64) {
        Some(far) if rollouts >= FEWEST && p_value < LEVEL => far * far / 2.0,
        _ => FALL,
    }
}

fn log_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

/// Values in ascending order, each with the sum of its weights.
pub(super) fn marginal(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = points.collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        if is_same {
            kept.1 += next.1;
        }
        is_same
    });
    points
}

pub(super) fn quantile(points: &[(f64, f64)], p: f64) -> f64 {
    let (mut below, mut before) = (0.0, None);
    for &(value, weight) in points {
        let here = below + weight / 2.0;
        if here >= p {
            return before.map_or(value, |(v, q): (f64, f64)| v + (value - v) * (p - q) / (here - q).max(1e-300));
        }
        before = Some((value, here));
        below += weight;
    }
    points.last().map_or(0.0, |&(value, _)| value)
}

/// The p-value for a common rate; `None` where none or all of the trials are hits. The draws stop once it is certainly
/// not small (J. Besag and P. Clifford, "Sequential Monte Carlo p-values", Biometrika 78, 1991).
fn chance(counts: &[(u64, u64)]) -> Option<f64> {
    const ENOUGH: u64 = 40;
    const MOST_WORK: u64 = 20_000_000;
    const KEY: Key = Key(0x7461_726f_6e65);
    let (hits, n) = counts.iter().fold((0, 0), |(hits, n), one| (hits + one.0, n + one.1));
    if hits == 0 || hits == n {
        return None;
    }
    let share = hits as f64 / n as f64;
    let statistic = |hits: &[u64]| -> f64 {
        let off = hits.iter().zip(counts).map(|(&hits, &(_, n))| hits as f64 - n as f64 * share);
        off.map(|off| off * off).sum()
    };
    let seen = statistic(&counts.iter().map(|one| one.0).collect::<Vec<u64>>());
    let owner: Vec<u32> =
        counts.iter().enumerate().flat_map(|(i, &(_, n))| std::iter::repeat_n(i as u32, n as usize)).collect();
    // The rarer of hits and misses is placed at random: the statistic is the same for both.
    let rare = hits.min(n - hits);
    let draws = (MOST_WORK / rare).clamp(999, 4999);
    let mut taken = vec![0_u64; owner.len()];
    let mut worse = 0;
    for draw in 1..=draws {
        let key = KEY.child(draw);
        let mut drawn = vec![0_u64; counts.len()];
        let (mut index, mut left) = (0, rare);
        while left > 0 {
            let place = scale(key.word(index), n) as usize;
            index += 1;
            if taken[place] != draw {
                taken[place] = draw;
                drawn[owner[place] as usize] += 1;
                left -= 1;
            }
        }
        let all = if rare == hits { drawn } else { counts.iter().zip(drawn).map(|(one, rare)| one.1 - rare).collect() };
        worse += u64::from(statistic(&all) >= seen * (1.0 - 1e-12));
        if worse == ENOUGH {
            return Some(worse as f64 / draw as f64);
        }
    }
    Some((worse + 1) as f64 / (draws + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollouts_of_one_rate_seldom_differ() {
        // 2000 sets of 8 rollouts of 60 commands with a rate of 5 %: the level is 0.5 %, and more than 21 differing
        // sets have probability 0.0008.
        let differ = (0..2000_u64).filter(|&set| {
            let key = Key(7).child(set);
            let hits = |rollout: u64| (0..60).filter(|i| scale(key.word(rollout * 60 + i), 100) < 5).count() as u64;
            Spread::of(&(0..8).map(|rollout| (hits(rollout), 60)).collect::<Vec<_>>()).is_some_and(|one| one.is_found())
        });
        let differ = differ.count();
        assert!((1..=21).contains(&differ), "{differ}");
    }

    #[test]
    fn a_spread_comes_back() {
        // Rates alternate between 2 % and 20 %: mean 0.11, standard deviation 0.09, so the concentration is 0.11 · 0.89
        // / 0.0081 − 1 = 11.
        let counts: Vec<(u64, u64)> = (0..20).map(|i| (if i % 2 == 0 { 4 } else { 40 }, 200)).collect();
        let spread = Spread::of(&counts).expect("they differ");
        assert!(spread.p_value < 0.001 && spread.mean_interval.contains(0.11), "{spread:?}");
        assert!(spread.concentration_interval.contains(11.0), "{spread:?}");
        let (mean, variance) = (spread.next.mean, spread.next.square - spread.next.mean * spread.next.mean);
        assert!((mean - 0.11).abs() < 0.03 && variance.sqrt() > 0.07, "{spread:?}");
        assert!((spread.mean_below(spread.mean_interval.low) - 0.025).abs() < 0.01);
        assert!((spread.mean_below(spread.mean_interval.high) - 0.975).abs() < 0.01);
    }

    #[test]
    fn what_few_rollouts_could_hide_is_bounded() {
        // χ² of 3 degrees exceeds 0.352 with 95 %; the observed variance is 2 × 3 / 4 of that of a common rate.
        let counts = [(10, 100), (10, 100), (10, 100), (16, 100)];
        let share: f64 = 46.0 / 400.0;
        let seen = (3.0 * 1.5 * 1.5 + 4.5 * 4.5) / (3.0 * 100.0 * share * (1.0 - share));
        let most = Spread::hidden(&counts).expect("a bound");
        assert!((most / (3.0 * seen / 0.352) - 1.0).abs() < 0.1, "{most}");
        assert_eq!(Spread::hidden(&[(0, 100); 9]), None);
        // 2000 sets of 8 rollouts with rates that alternate between 5 % and 15 %, with design effect 1 + 99 · 0.0025 /
        // 0.09 = 3.75: the bound reaches it in about 95 % or more.
        let holds = (0..2000_u64).filter(|&set| {
            let key = Key(11).child(set);
            let hits = |rollout: u64| {
                let rate = if scale(key.child(rollout).word(100), 2) == 0 { 5 } else { 15 };
                (0..100).filter(|&i| scale(key.child(rollout).word(i), 100) < rate).count() as u64
            };
            let counts: Vec<(u64, u64)> = (0..8).map(|rollout| (hits(rollout), 100)).collect();
            Spread::hidden(&counts).is_some_and(|most| most >= 3.5)
        });
        let holds = holds.count();
        assert!(holds >= 1850, "{holds}");
    }

    /// The interval of the mean holds whether or not the spread is found. Right intervals of 95 % miss more than 8 of 60
    /// with a chance of 0.003; those of the pooled counts miss about 24.
    #[test]
    fn the_mean_over_rollouts_is_within_its_interval() {
        for (rollouts, mean, size) in [(3, 0.06, 10.0), (5, 0.03, 33.0), (8, 0.06, 10.0), (4, 0.02, 1e5)] {
            let missed = (0..60_u64).filter(|&set| {
                let key = Key(23).child(set);
                let share = |word: u64| (word >> 11) as f64 / (1_u64 << 53) as f64;
                let hits = |rollout: u64| {
                    let key = key.child(rollout);
                    let rate = dryroll_stats::beta::quantile(mean * size, (1.0 - mean) * size, share(key.word(100)));
                    ((0..50).filter(|&i| share(key.word(i)) < rate).count() as u64, 50)
                };
                let counts: Vec<(u64, u64)> = (0..rollouts).map(hits).collect();
                !Spread::of(&counts).expect("rollouts").mean_interval.contains(mean)
            });
            let missed = missed.count();
            assert!(missed <= 8, "{rollouts} rollouts: {missed}");
        }
    }

    #[test]
    fn few_rollouts_say_nothing_of_their_spread() {
        assert_eq!(Spread::of(&[(1, 100)]), None);
        for counts in [&[(0, 100), (50, 100), (0, 100)][..], &[(0, 100); 9]] {
            assert!(Spread::of(counts).is_some_and(|one| !one.is_found()), "{counts:?}");
        }
    }
}
