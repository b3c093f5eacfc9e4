//! Goodness of fit of a distribution to a sample with censored times.

use super::likelihood::Model;
use super::sample::Sample;
use dryroll_sim::sim::draws::Key;
use dryroll_stats::normal;

/// The result of a goodness-of-fit test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goodness {
    /// Σ (observed − expected)² / expected.
    pub chi_squared: f64,
    /// Number of time bins, less one.
    pub degrees: u32,
    /// Approximate probability of an agreement at least this bad if the family is right; simulated where it is small
    /// and the times are few.
    pub p_value: f64,
}

/// The least number of observed times for a test: enough for three bins.
pub const FEWEST: f64 = 3.0 * PER_STRETCH;
/// The least expected count of a bin.
const PER_STRETCH: f64 = 8.0;
const MOST_STRETCHES: f64 = 12.0;
/// Up to this many times a small p-value is simulated, since χ² is asymptotic.
const FEW: f64 = 500.0;
/// A p-value below this is small.
const DOUBTFUL: f64 = 0.02;
/// With more verdicts than this, χ² is scaled to this many: a difference that only more verdicts reveal is no reason to
/// reject a family, since the model of the heartbeats is not exact to the last digit either.
const MOST_VERDICTS: f64 = 20_000.0;

/// Compares observed counts in time bins with the cumulative hazard of those at risk (M. G. Akritas, "Pearson-type
/// goodness-of-fit tests: the univariate case", JASA 83, 1988). `None` with too few times for three bins.
pub fn test(sample: &Sample, model: &Model, ends: f64) -> Option<Goodness> {
    let (chi_squared, degrees) = statistic(sample, model, ends)?;
    let about = beyond(chi_squared, f64::from(degrees));
    let is_few = sample.n_seen() <= FEW;
    let p_value = if is_few && about < DOUBTFUL { simulated(sample, model, ends, chi_squared) } else { about };
    Some(Goodness { chi_squared, degrees, p_value })
}

/// χ² and its degrees of freedom; `None` with too few times for three bins.
fn statistic(sample: &Sample, model: &Model, ends: f64) -> Option<(f64, u32)> {
    let stretches = (sample.n_seen() / PER_STRETCH).floor().min(MOST_STRETCHES);
    if stretches < 3.0 {
        return None;
    }
    let bounds = bounds(sample, stretches);
    // The longest of n times has about this much probability left; a fitted distribution may have none there.
    let least = 0.5 / (sample.n_seen() + sample.n_open());
    let hazard = |time: u64| -libm::log((1.0 - ends * model.seen_by(time)).max(least));
    let at_bounds: Vec<f64> = bounds.iter().map(|&bound| hazard(bound)).collect();
    let (mut seen, mut expected) = (vec![0.0; bounds.len()], vec![0.0; bounds.len()]);
    let both = sample.seen.iter().map(|&group| (group, true)).chain(sample.open.iter().map(|&group| (group, false)));
    for ((time, weight), is_seen) in both {
        let own = hazard(time);
        let mut before = 0.0;
        for (stretch, &bound) in bounds.iter().enumerate() {
            let is_last = time <= bound;
            let until = if is_last { own } else { at_bounds[stretch] };
            expected[stretch] += weight * (until - before);
            before = until;
            if is_last {
                seen[stretch] += if is_seen { weight } else { 0.0 };
                break;
            }
        }
    }
    let chi_squared: f64 = seen
        .iter()
        .zip(&expected)
        .map(|(seen, expected)| (seen - expected) * (seen - expected) / expected.max(0.5))
        .sum();
    let chi_squared = chi_squared * (MOST_VERDICTS / sample.n_seen()).min(1.0);
    let degrees = bounds.len() as u32 - 1;
    Some((chi_squared, degrees))
}

/// The probability of a larger χ² if the fit is the truth, from samples that are drawn from it with the same number of
/// observed times and the same open times. The draws are not fitted again, which would lower their χ²; so the result is
/// too large rather than too small. The draws stop once the probability is certainly not small (J. Besag and P.
/// Clifford, "Sequential Monte Carlo p-values", Biometrika 78, 1991).
fn simulated(sample: &Sample, model: &Model, ends: f64, chi_squared: f64) -> f64 {
    const DRAWS: u64 = 4999;
    const ENOUGH: u64 = 20;
    const TRIES: u64 = 200;
    const KEY: Key = Key(0x676f_6f64_6e65_7373);
    let window = sample.open.last().map_or(u64::MAX, |&(time, _)| time.max(sample.longest()));
    let n = sample.n_seen() as u64;
    let mut worse = 0;
    for draw in 1..=DRAWS {
        let key = KEY.child(draw);
        let mut times: Vec<u64> = (0..n)
            .map(|one| {
                let own = key.child(one);
                let seen = |attempt: u64| model.seen_at(own.word(2 * attempt), own.word(2 * attempt + 1));
                (0..TRIES).map(seen).find(|&time| time <= window).unwrap_or(window)
            })
            .collect();
        times.sort_unstable();
        let seen = times.into_iter().map(|time| (time, 1.0)).collect();
        let drawn = Sample { resolution: sample.resolution, seen, open: sample.open.clone() };
        worse += u64::from(statistic(&drawn, model, ends).is_some_and(|(drawn, _)| drawn >= chi_squared));
        if worse == ENOUGH {
            return worse as f64 / draw as f64;
        }
    }
    (worse + 1) as f64 / (DRAWS + 1) as f64
}

/// The ends of bins with about the same number of observed times in each; the last bin has no end.
fn bounds(sample: &Sample, stretches: f64) -> Vec<u64> {
    let each = sample.n_seen() / stretches;
    let mut bounds = Vec::new();
    let (mut count, mut goal) = (0.0, each);
    for &(time, weight) in &sample.seen {
        count += weight;
        if count >= goal && (bounds.len() as f64) < stretches - 1.0 {
            bounds.push(time);
            while goal <= count {
                goal += each;
            }
        }
    }
    bounds.push(u64::MAX);
    bounds
}

/// The probability that χ² with this many degrees is larger: its cube root is nearly normal (E. B. Wilson and M. M.
/// Hilferty, "The distribution of chi-square", PNAS 17, 1931).
#[must_use]
pub fn beyond(chi_squared: f64, degrees: f64) -> f64 {
    if degrees <= 0.0 {
        return 1.0;
    }
    let spread = 2.0 / (9.0 * degrees);
    normal::cumulative(-(libm::cbrt(chi_squared / degrees) - (1.0 - spread)) / spread.sqrt())
}

/// The share observed by each time, whatever is fitted (E. L. Kaplan and P. Meier, "Nonparametric estimation from
/// incomplete observations", JASA 53, 1958): the corners of a step function.
#[must_use]
pub fn staircase(sample: &Sample) -> Vec<(u64, f64)> {
    let mut at_risk = sample.n_seen() + sample.n_open();
    let mut left = 1.0;
    let mut open = sample.open.iter().peekable();
    let mut corners = Vec::with_capacity(sample.seen.len());
    for &(time, weight) in &sample.seen {
        while let Some((_, gone)) = open.next_if(|(until, _)| *until < time) {
            at_risk -= gone;
        }
        left *= 1.0 - weight / at_risk.max(weight);
        at_risk -= weight;
        corners.push((time, 1.0 - left));
    }
    corners
}
