//! Separates hangs from slow upgrades, as far as the tail of the upgrade time allows.
//!
//! A timeout is a hang, or an upgrade that outlasts its window. The split depends on a tail that is not observed. So
//! the share r that ends at all has its own profile likelihood under each family that fits: at each r, the family's
//! parameters are at their best. [`super::posterior`] combines the families.

use super::family::Family;
use super::fit::{Candidate, FALL, Fit};
use super::likelihood::{Model, log_of_share};
use super::nelder_mead::{self, NOWHERE};
use super::nonparametric;
use super::observations::VersionObservations;
use super::posterior::{Grid, Tail};
use super::result::Duration;
use super::sample::Sample;
use super::time_factor::{FamilyProfile, TimeFactor};
use super::two_groups::{SlowGroup, TwoGroups};

/// Where fewer late upgrades than this are expected, the parameters of the upgrade time count as known.
const LATE: f64 = 0.05;
/// How far below its maximum a profile is followed, in log-likelihood.
const DEEP: f64 = 12.0;
/// The drop at the ends of the interval of r under a mixture: half the 95 % point of χ² of two degrees. The share that
/// ends and the slow group's share take each other's place, so that one degree is too few.
const FALL_OF_GROUPS: f64 = 2.995_732_273_553_991;

/// The information in the log about the share that ends at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// The posterior of r under each family that fits.
    pub tails: Vec<Tail>,
    /// Those families, where more than one cause can be late; empty where no upgrade can be.
    pub families: Vec<Family>,
    /// The slow group of hosts that the times support, where part of it can be late.
    pub slow_group: Option<SlowGroup>,
    /// The estimate of the share that hangs, where upgrades can be late.
    pub hangs: Option<f64>,
}

impl Silence {
    /// The information in a version's commands and in the fit of their times.
    pub fn of(observed: &VersionObservations, duration: &Duration) -> Self {
        let ended = duration.sample.n_seen();
        let Some(fit) = &duration.fit else {
            // Where nothing ended, a closed window counts as silence, and a shorter wait carries no information.
            let open = [(1.0, observed.timed_out.len() as f64), (0.0, observed.cut_short.len() as f64)];
            return Self::known(ended, &open);
        };
        let sample = &duration.sample;
        let open_by = |model: &Model| -> Vec<(f64, f64)> {
            sample.open.iter().map(|&(time, weight)| (model.seen_by(time), weight)).collect()
        };
        let window = observed.timed_out.iter().min().copied();
        let judged = ended + observed.timed_out.len() as f64;
        let late = |one: &Candidate, window: u64| {
            judged * (1.0 - Model::new(&one.distribution, sample.resolution).seen_by(window))
        };
        if let (Some(factor), Some(model)) = (&duration.factor, duration.model()) {
            return match window {
                Some(window) if judged * (1.0 - model.seen_by(window)) > LATE => Self::with_factor(fit, factor),
                _ => Self::known(ended, &open_by(&model)),
            };
        }
        let fitting = fit.fitting(sample);
        let coarse = sample.coarser();
        // Where no family fits, a mixture has to be better than the best family.
        let single = if fit.family == Family::Empirical { &fit.candidates } else { &fitting };
        let groups = window.map_or_else(Vec::new, |window| {
            TwoGroups::fitting(&coarse, single, &|model: &Model| judged * (1.0 - model.seen_by(window)) > LATE)
        });
        let known = || Self::known(ended, &open_by(&Model::new(&fit.distribution, sample.resolution)));
        let is_late = |window: u64| !groups.is_empty() || fitting.iter().any(|one| late(one, window) > LATE);
        match window {
            Some(window) if fit.family == Family::Empirical => {
                let mut known = known();
                if !nonparametric::is_followed_up(sample, window) {
                    known.families = vec![Family::Empirical];
                    known.tails.iter_mut().for_each(|tail| tail.likely = Some((1.0, 1.0)));
                }
                if !groups.is_empty() {
                    known.families = vec![Family::Empirical];
                    known.slow_group = slow_group(&groups);
                    known.tails.extend(groups.iter().map(|one| group_tail(one, 0.0, &coarse)));
                }
                known
            }
            Some(window) if is_late(window) => Self::joint(fit, &fitting, &groups, &coarse),
            _ => known(),
        }
    }

    /// The posterior of r where the probabilities of observation in time are known.
    fn known(ended: f64, open: &[(f64, f64)]) -> Self {
        let grid = Grid::new(|phi| {
            let sine = libm::sin(phi);
            log_of_share(ended, open, sine * sine)
        });
        let tails = vec![Tail { weight: 1.0, grid, likely: None }];
        Self { tails, families: Vec::new(), slow_group: None, hangs: None }
    }

    /// The posterior of r where rollouts differ in how long upgrades take.
    fn with_factor(fit: &Fit, factor: &TimeFactor) -> Self {
        let best = factor.profiles.iter().map(|one| one.bic).fold(f64::INFINITY, f64::min);
        let weight = |bic: f64| libm::exp((best - bic) / 2.0);
        let all: f64 = factor.profiles.iter().map(|one| weight(one.bic)).sum();
        let tail = |one: &FamilyProfile| Profile::new(one.logs.clone()).tail(weight(one.bic) / all, FALL);
        Self {
            tails: factor.profiles.iter().map(tail).collect(),
            families: factor.profiles.iter().map(|one| one.family).collect(),
            slow_group: None,
            hangs: Some(1.0 - fit.ends),
        }
    }

    fn joint(fit: &Fit, fitting: &[Candidate], groups: &[TwoGroups], coarse: &Sample) -> Self {
        let bics = || fitting.iter().map(|one| one.bic).chain(groups.iter().map(|one| one.bic(coarse)));
        let best = bics().fold(f64::INFINITY, f64::min);
        let all: f64 = bics().map(|bic| libm::exp((best - bic) / 2.0)).sum();
        let weight = |bic: f64| libm::exp((best - bic) / 2.0) / all;
        let of_families = fitting.iter().map(|one| Profile::of(one, coarse).tail(weight(one.bic), FALL));
        let of_groups = groups.iter().map(|one| group_tail(one, weight(one.bic(coarse)), coarse));
        let tails = of_families.chain(of_groups).collect();
        let slow_group = slow_group(groups);
        let families = fitting.iter().map(|one| one.family).collect();
        Self { tails, families, slow_group, hangs: Some(1.0 - fit.ends) }
    }
}

/// The posterior of r under a mixture.
fn group_tail(groups: &TwoGroups, weight: f64, sample: &Sample) -> Tail {
    let model = |x: &[f64]| groups.at(x, sample.resolution);
    Profile::over(model, &groups.peak, &groups.steps, sample, groups.without_hangs).tail(weight, FALL_OF_GROUPS)
}

/// The slow group of the best mixture, where it is better than every family.
fn slow_group(groups: &[TwoGroups]) -> Option<SlowGroup> {
    groups.first().filter(|one| one.is_better).and_then(TwoGroups::slow_group)
}

/// The profile likelihood of r = sin² φ: the log-likelihood below its maximum at knots φ, in ascending order.
struct Profile(Vec<(f64, f64)>);

impl Profile {
    fn of(candidate: &Candidate, sample: &Sample) -> Self {
        let family = candidate.family;
        let (_, steps) = family.start(sample);
        let model = |x: &[f64]| family.at(x).map(|distribution| Model::new(&distribution, sample.resolution));
        Self::over(model, &candidate.peak, &steps, sample, NOWHERE)
    }

    /// The profile of a model with these parameters, from the point of its maximum. The log-likelihood where all end is
    /// at least `all_end`: the way from the maximum may lead to a lower one.
    fn over(
        model: impl Fn(&[f64]) -> Option<Model>,
        peak: &[f64],
        steps: &[f64],
        sample: &Sample,
        all_end: f64,
    ) -> Self {
        let free = |x: &[f64]| model(x).map_or(NOWHERE, |model| model.likelihood(sample).log);
        let small = |by: f64| steps.iter().map(|step| step / by).collect::<Vec<f64>>();
        let (top, _) = maximised(&free, peak, &small(4.0));
        let ends = model(&top).map_or(1.0, |model| model.likelihood(sample).ends);
        let right = std::f64::consts::FRAC_PI_2;
        let middle = libm::asin(ends.clamp(0.0, 1.0).sqrt());
        let at = |phi: f64, from: &[f64]| {
            let sine = libm::sin(phi);
            let fixed = |x: &[f64]| model(x).map_or(NOWHERE, |model| model.log_at(sample, sine * sine));
            maximised(&fixed, from, &small(8.0))
        };
        let (at_top, value) = at(middle, &top);
        let mut knots = vec![(middle, value)];
        let size = (sample.n_seen() + sample.n_open()).max(1.0).sqrt();
        for sign in [-1.0, 1.0] {
            let (mut phi, mut step, mut from) = (middle, 0.25 / size, at_top.clone());
            let end = if sign < 0.0 { 0.0 } else { right };
            while phi != end {
                phi = if sign < 0.0 { (phi - step).max(0.0) } else { (phi + step).min(right) };
                step *= 1.25;
                let (next, log) = at(phi, &from);
                from = next;
                knots.push((phi, log));
                if log < value - DEEP {
                    break;
                }
            }
        }
        knots.sort_by(|a, b| a.0.total_cmp(&b.0));
        match knots.last_mut() {
            Some((phi, log)) if *phi == right => *log = log.max(all_end),
            _ if all_end > NOWHERE => knots.push((right, all_end)),
            _ => {}
        }
        Self::new(knots)
    }

    /// A profile from log-likelihoods at φ in ascending order.
    fn new(knots: Vec<(f64, f64)>) -> Self {
        let best = knots.iter().map(|&(_, log)| log).fold(f64::MIN, f64::max);
        Self(knots.into_iter().map(|(phi, log)| (phi, (best - log).max(0.0))).collect())
    }

    /// The posterior of r, with the interval of r within this drop.
    fn tail(&self, weight: f64, fall: f64) -> Tail {
        Tail { weight, grid: Grid::new(|phi| self.log(phi)), likely: Some(self.within(fall)) }
    }

    /// The log-likelihood at φ, with maximum 0: the square root of the drop is nearly linear between knots.
    fn log(&self, phi: f64) -> f64 {
        let next = self.0.partition_point(|&(knot, _)| knot < phi);
        let root = match (next.checked_sub(1).and_then(|i| self.0.get(i)), self.0.get(next)) {
            (Some(&(low, a)), Some(&(high, b))) => {
                a.sqrt() + (b.sqrt() - a.sqrt()) * (phi - low) / (high - low).max(1e-300)
            }
            (Some(&(knot, fall)), None) | (None, Some(&(knot, fall))) if knot == phi => fall.sqrt(),
            _ => return -1e3,
        };
        -root * root
    }

    /// The smallest and the largest r within this drop from the maximum.
    fn within(&self, fall: f64) -> (f64, f64) {
        let goal = fall.sqrt();
        let cross = |(out, a): (f64, f64), (inside, b): (f64, f64)| {
            let (a, b) = (a.sqrt(), b.sqrt());
            out + (inside - out) * ((a - goal) / (a - b).max(1e-300)).clamp(0.0, 1.0)
        };
        let inside = |&(_, depth): &(f64, f64)| depth <= fall;
        let share = |phi: f64| libm::sin(phi) * libm::sin(phi);
        let (Some(first), Some(last)) = (self.0.iter().position(inside), self.0.iter().rposition(inside)) else {
            return (0.0, 1.0);
        };
        let low = if first == 0 { self.0[0].0 } else { cross(self.0[first - 1], self.0[first]) };
        let high = self.0.get(last + 1).map_or(self.0[last].0, |&out| cross(out, self.0[last]));
        (share(low), if last + 1 == self.0.len() { 1.0 } else { share(high) })
    }
}

/// The maximum near a point; a family without parameters keeps its point.
fn maximised(f: &impl Fn(&[f64]) -> f64, from: &[f64], steps: &[f64]) -> (Vec<f64>, f64) {
    if steps.is_empty() { (from.to_vec(), f(from)) } else { nelder_mead::near(f, from, steps) }
}
