//! How well a fitted distribution agrees with the sample, where some of it is censored.

use super::likelihood::Model;
use super::sample::Sample;
use crate::stats::normal;

/// The agreement of a sample with what was fitted to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goodness {
    /// Σ (seen − expected)² / expected.
    pub chi_squared: f64,
    /// Stretches of time that were compared, less one.
    pub degrees: u32,
    /// About the chance of so bad an agreement where the family is right; rough, see `docs/calibration.md`.
    pub p_value: f64,
}

/// Fewest expected a stretch.
const PER_STRETCH: f64 = 8.0;
const MOST_STRETCHES: f64 = 12.0;
/// With more verdicts χ² is that of so many: what only more of them would tell apart is no reason to leave a family, and the
/// model of the heartbeats is not exact to the last digit either.
const MOST_VERDICTS: f64 = 20_000.0;

/// Counts what is seen in stretches of time against the cumulated hazard of those at risk (M. G. Akritas,
/// "Pearson-type goodness-of-fit tests: the univariate case", JASA 83, 1988). `None` with too few for three stretches.
pub fn test(sample: &Sample, model: &Model, ends: f64) -> Option<Goodness> {
    let stretches = (sample.n_seen() / PER_STRETCH).floor().min(MOST_STRETCHES);
    if stretches < 3.0 {
        return None;
    }
    let bounds = bounds(sample, stretches);
    let hazard = |time: u64| -libm::log((1.0 - ends * model.seen_by(time)).max(1e-12));
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
    Some(Goodness { chi_squared, degrees, p_value: beyond(chi_squared, f64::from(degrees)) })
}

/// The ends of stretches with about as many seen in each; the last has no end.
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

/// The chance that χ² of so many degrees is larger: the cube root is nearly normal (E. B. Wilson and M. M. Hilferty, "The
/// distribution of chi-square", PNAS 17, 1931).
#[must_use]
pub fn beyond(chi_squared: f64, degrees: f64) -> f64 {
    if degrees <= 0.0 {
        return 1.0;
    }
    let spread = 2.0 / (9.0 * degrees);
    normal::cumulative(-(libm::cbrt(chi_squared / degrees) - (1.0 - spread)) / spread.sqrt())
}

/// The share seen by each time, whatever is fitted (E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete
/// observations", JASA 53, 1958): the corners of a staircase.
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
