//! Rates: posteriors under Jeffreys's priors.
//!
//! A share r of all commands comes to an observable end, and a share c of those is a reported failure. With the share G
//! of ends that are observed in time, the likelihood is rⁿ Π (1 − r G) and, for n verdicts, binomial in c. Both have
//! the prior Beta(½, ½) (H. Jeffreys, "An invariant form for the prior probability in estimation problems", Proc. R.
//! Soc. A 186, 1946). Where all that ends is observed in time, 1 − r is Beta(silent + ½, ended + ½) exactly. Where
//! upgrades can be late, each family that fits has its own r (`silence`), and an interval covers those of all families.

use super::silence::Silence;
use super::spread::Spread;
use dryroll_stats::{Interval, beta};

/// The posterior of a rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Posterior {
    /// The number of hits.
    pub hits: u64,
    /// The number of trials.
    pub n: u64,
    /// The probability of a hit in the next trial: the posterior mean, or the best fit's where upgrades can be late.
    pub mean: f64,
    /// The equal-tailed 95 % interval of the mean over rollouts, with a spread that they do not rule out; of one rollout
    /// alone it is that of this rollout. It starts at 0 where there were no hits.
    pub interval: Interval,
    /// The shape parameters of the beta distribution of the next rollout's rate.
    pub beta: (f64, f64),
    /// How rollouts differ, where they do.
    pub spread: Option<Spread>,
}

/// The rates of a version.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// Reported failures.
    pub failure: Posterior,
    /// No observable end.
    pub silence: Posterior,
}

/// The posterior of r under one family of upgrade times.
#[derive(Clone, Debug, PartialEq)]
pub struct Tail {
    /// The weight of the family.
    pub weight: f64,
    /// Its posterior.
    pub grid: Grid,
    /// The smallest and the largest r within the profile likelihood interval, where there is one.
    pub likely: Option<(f64, f64)>,
}

/// How rollouts differ in each rate, as far as they show it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spreads {
    /// Failures among the commands that came to an end.
    pub failure: Option<Spread>,
    /// Timeouts among the commands that were observed to their end.
    pub silence: Option<Spread>,
}

const STEPS: usize = 400;
/// The probability on each side of an interval.
const MISS: f64 = (1.0 - super::fit::CONFIDENCE) / 2.0;

/// The posteriors of both rates from verdicts and the posterior of r.
#[must_use]
pub fn rates(failed: u64, healthy: u64, silent: u64, known: &Silence, spreads: Spreads) -> Rates {
    let ended = failed + healthy;
    let n = ended + silent;
    let tails = &known.tails;
    let mixed = |of: &dyn Fn(&Grid) -> f64| tails.iter().map(|tail| tail.weight * of(&tail.grid)).sum::<f64>();
    let ends = Moments { mean: mixed(&Grid::mean), square: mixed(&Grid::square) };
    let silence = silence(silent, n, known, ends, spreads.silence);
    // r is taken from the posterior of silence, so that both rates are consistent.
    let heard = Moments::of_beta(silence.beta.1, silence.beta.0);
    let found = spreads.failure.as_ref().filter(|spread| spread.is_found());
    let share = Share::new(failed, healthy, found);
    let mean = (1.0 - silence.mean) * share.moments.mean;
    // P(r c ≤ x) = Σ P(r) P(c ≤ x / r).
    let quantile =
        |share: &Share<'_>, tail: &Tail, p: f64| solve(|x| tail.grid.sum(|r| share.below((x / r).min(1.0))), p);
    // Where no spread is found, one that is not ruled out makes the interval wider, never narrower.
    let hidden = spreads.failure.as_ref().filter(|spread| !spread.is_found());
    let wide = hidden.map(|spread| Share::new(failed, healthy, Some(spread)));
    let shares = || [Some(&share), wide.as_ref()].into_iter().flatten();
    let low = shares().flat_map(|share| tails.iter().map(|tail| quantile(share, tail, MISS))).fold(1.0, f64::min);
    let high =
        shares().flat_map(|share| tails.iter().map(|tail| quantile(share, tail, 1.0 - MISS))).fold(0.0, f64::max);
    let interval = Interval::new(if failed == 0 { 0.0 } else { low.min(mean) }, high.max(mean));
    let next = hidden.map_or(share.next, |spread| share.next.or_wider(spread));
    let posterior = Moments { mean: heard.mean * next.mean, square: heard.square * next.square };
    let spread = spreads.failure.filter(Spread::is_found).map(|spread| spread.of_share(1.0 - silence.mean));
    let failure = Posterior { hits: failed, n, mean, interval, beta: posterior.beta(), spread };
    Rates { failure, silence }
}

fn silence(silent: u64, n: u64, known: &Silence, ends: Moments, spread: Option<Spread>) -> Posterior {
    let tails = &known.tails;
    let most = |tail: &Tail| tail.grid.quantile(1.0 - MISS).max(tail.likely.map_or(0.0, |(_, most)| most));
    let least = |tail: &Tail| tail.grid.quantile(MISS).min(tail.likely.map_or(1.0, |(least, _)| least));
    let low = if silent == 0 { 0.0 } else { 1.0 - tails.iter().map(most).fold(0.0, f64::max) };
    let high = 1.0 - tails.iter().map(least).fold(1.0, f64::min);
    let own = Moments { mean: 1.0 - ends.mean, square: 1.0 - 2.0 * ends.mean + ends.square };
    // Like the posterior mean (silent + ½) / (n + 1) where nothing can be late.
    let mean = known.hangs.map_or(own.mean, |hangs| (hangs * n as f64 + 0.5) / (n as f64 + 1.0));
    let interval = Interval::new(low.max(0.0).min(mean), high.min(1.0).max(mean));
    // The spread is that of timeouts. Where some timeouts may be slow upgrades, hangs are a share of it.
    let spread = spread.map(|spread| match known.hangs {
        Some(_) => {
            let share = mean / spread.mean;
            spread.of_share(share)
        }
        None => spread,
    });
    let (interval, mean, posterior) = match &spread {
        None => (interval, mean, own),
        Some(spread) => {
            let Interval { low: least, high: most } = match known.hangs.is_some() || !spread.is_found() {
                true => Interval::new(spread.mean_interval.low.min(low), spread.mean_interval.high.max(high)),
                false => spread.mean_interval,
            };
            let mean = if spread.is_found() { spread.mean } else { mean };
            let least = if silent == 0 { 0.0 } else { least.max(0.0) };
            let next = if known.hangs.is_some() { own.wider(spread.next) } else { own.or_wider(spread) };
            (Interval::new(least.min(mean), most.min(1.0).max(mean)), mean, next)
        }
    };
    let spread = spread.filter(Spread::is_found);
    let beta = if known.hangs.is_some() { reaching(posterior, interval) } else { posterior.beta() };
    Posterior { hits: silent, n, mean, interval, beta, spread }
}

/// The shapes of a beta distribution with these moments, or of a wider one whose 95 % interval covers `interval`: with
/// the same mean as far as a beta distribution of that mean can, then with a larger one.
fn reaching(posterior: Moments, interval: Interval) -> (f64, f64) {
    const NARROWER: f64 = 0.9;
    /// With a shape below this, nearly all the mass lies at the ends.
    const SMALLEST: f64 = 0.25;
    let (mut a, mut b) = posterior.beta();
    let reaches = |a: f64, b: f64| {
        beta::quantile(a, b, 1.0 - MISS) >= interval.high && beta::quantile(a, b, MISS) <= interval.low.max(1e-6)
    };
    while (a * NARROWER).min(b * NARROWER) > SMALLEST && !reaches(a, b) {
        (a, b) = (a * NARROWER, b * NARROWER);
    }
    while b * NARROWER > SMALLEST && beta::quantile(a, b, 1.0 - MISS) < interval.high {
        b *= NARROWER;
    }
    (a, b)
}

/// The first two moments of a share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// E\[x\].
    pub mean: f64,
    /// E\[x²\].
    pub square: f64,
}

impl Moments {
    fn of_beta(a: f64, b: f64) -> Self {
        Self { mean: a / (a + b), square: a * (a + 1.0) / ((a + b) * (a + b + 1.0)) }
    }

    /// The shapes of the beta distribution with these moments.
    fn beta(self) -> (f64, f64) {
        let variance = self.variance().max(1e-15);
        let size = (self.mean * (1.0 - self.mean) / variance - 1.0).max(1e-6);
        (self.mean * size, (1.0 - self.mean) * size)
    }

    fn variance(self) -> f64 {
        self.square - self.mean * self.mean
    }

    /// The moments of the next rollout's rate under a spread, where it is found or makes them less certain.
    fn or_wider(self, spread: &Spread) -> Self {
        if spread.is_found() || spread.next.variance() > self.variance() { spread.next } else { self }
    }

    /// The same mean, with the variance of the other added.
    fn wider(self, other: Self) -> Self {
        let variance = other.variance().max(0.0);
        let most = self.mean - self.square;
        Self { mean: self.mean, square: self.square + variance.min(0.9 * most.max(0.0)) }
    }
}

/// The share c of commands with an observable end that are a reported failure.
struct Share<'a> {
    failed: f64,
    healthy: f64,
    spread: Option<&'a Spread>,
    /// The moments of c, or of its mean over rollouts.
    moments: Moments,
    /// The moments of c in the next rollout.
    next: Moments,
}

impl<'a> Share<'a> {
    fn new(failed: u64, healthy: u64, spread: Option<&'a Spread>) -> Self {
        let (failed, healthy) = (failed as f64 + 0.5, healthy as f64 + 0.5);
        let own = Moments::of_beta(failed, healthy);
        let moments = spread.map_or(own, |spread| Moments { mean: spread.mean, square: spread.mean * spread.mean });
        Self { failed, healthy, spread, moments, next: spread.map_or(own, |spread| spread.next) }
    }

    fn below(&self, x: f64) -> f64 {
        self.spread.map_or_else(|| beta::cumulative(self.failed, self.healthy, x), |spread| spread.mean_below(x))
    }
}

/// The x in [0, 1] at which an increasing function reaches p.
fn solve(rises: impl Fn(f64) -> f64, p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if rises(middle) < p { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The posterior of r on a grid of r = sin² φ, in which Jeffreys's prior is uniform.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid(Vec<(f64, f64)>);

impl Grid {
    /// A grid from the log-likelihood as a function of φ.
    pub fn new(log: impl Fn(f64) -> f64) -> Self {
        let right = std::f64::consts::FRAC_PI_2;
        // A coarse grid finds where the mass lies; a finer one covers it.
        let coarse: Vec<(f64, f64)> = points(0.0, right).map(|phi| (phi, log(phi))).collect();
        let top = coarse.iter().map(|&(_, log)| log).fold(f64::MIN, f64::max);
        let near = || coarse.iter().filter(|(_, log)| *log > top - 40.0).map(|&(phi, _)| phi);
        let step = right / STEPS as f64;
        let low = (near().fold(right, f64::min) - step).max(0.0);
        let high = (near().fold(0.0, f64::max) + step).min(right);
        let fine: Vec<(f64, f64)> = points(low, high).map(|phi| (phi, log(phi))).collect();
        let top = fine.iter().map(|&(_, log)| log).fold(f64::MIN, f64::max);
        let all: f64 = fine.iter().map(|&(_, log)| libm::exp(log - top)).sum();
        let weighed = fine.into_iter().map(|(phi, log)| {
            let sine = libm::sin(phi);
            (sine * sine, libm::exp(log - top) / all)
        });
        Self(weighed.collect())
    }

    fn sum(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.0.iter().filter(|(_, weight)| *weight > 1e-12).map(|&(r, weight)| weight * f(r)).sum()
    }

    fn mean(&self) -> f64 {
        self.sum(|r| r)
    }

    fn square(&self) -> f64 {
        self.sum(|r| r * r)
    }

    /// The quantile, by linear interpolation between the midpoints of the steps.
    fn quantile(&self, p: f64) -> f64 {
        let (mut below, mut before) = (0.0, None);
        for &(r, weight) in &self.0 {
            let here = below + weight / 2.0;
            if here >= p {
                return before.map_or(r, |(r0, p0): (f64, f64)| r0 + (r - r0) * (p - p0) / (here - p0).max(1e-300));
            }
            before = Some((r, here));
            below += weight;
        }
        1.0
    }
}

fn points(low: f64, high: f64) -> impl Iterator<Item = f64> {
    (0..STEPS).map(move |i| low + (high - low) * (i as f64 + 0.5) / STEPS as f64)
}
