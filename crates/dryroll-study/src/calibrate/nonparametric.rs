//! The empirical distribution of the times, for where no family fits.

use super::goodness::staircase;
use super::sample::Sample;
use dryroll_sim::scenario::Distribution;

/// Points at which the duration may lie.
const PLACES: usize = 160;
/// Iterations; few, since many would converge to a few spikes (B. W. Silverman et al., "A smoothed EM approach", JRSS B
/// 52, 1990).
const ROUNDS: usize = 60;
/// Number of values in the result.
const VALUES: usize = 50;

/// A list of equally likely values: the quantiles of B. W. Turnbull's self-consistent estimate ("The empirical
/// distribution function with arbitrarily grouped, censored and truncated data", JRSS B 38, 1976), computed from the
/// steps of the Kaplan–Meier estimate.
pub fn distribution(sample: &Sample) -> Distribution {
    let steps = steps(sample);
    let (low, high) = (sample.shortest() as f64, sample.longest() as f64);
    let width = ((high - low) / PLACES as f64).max(1.0);
    let place = |i: usize| low + (i as f64 + 0.5) * width;
    let mut chances = vec![1.0 / PLACES as f64; PLACES];
    let ranges: Vec<(usize, usize, f64)> = steps
        .iter()
        .map(|&(time, weight)| {
            let index = |at: f64| (((at - low) / width).round().max(0.0) as usize).min(PLACES);
            let from = index(time as f64 - sample.resolution as f64).min(PLACES - 1);
            (from, index(time as f64).max(from + 1), weight)
        })
        .collect();
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; PLACES];
        for &(from, to, weight) in &ranges {
            let all: f64 = chances[from..to].iter().sum();
            if all > 0.0 {
                for i in from..to {
                    next[i] += weight * chances[i] / all;
                }
            }
        }
        let all: f64 = next.iter().sum();
        chances = next.into_iter().map(|chance| chance / all).collect();
    }
    let mut values = Vec::with_capacity(VALUES);
    let (mut sum, mut i) = (0.0, 0);
    for value in 0..VALUES {
        let goal = (value as f64 + 0.5) / VALUES as f64;
        while i + 1 < PLACES && sum + chances[i] < goal {
            sum += chances[i];
            i += 1;
        }
        let within = if chances[i] > 0.0 { ((goal - sum) / chances[i]).clamp(0.0, 1.0) - 0.5 } else { 0.0 };
        values.push(((place(i) + within * width).max(0.0)).round() / 1000.0);
    }
    Distribution::Empirical(values)
}

/// Whether a window is long enough that what outlasts it is no upgrade. With the longest observed time t and a window
/// w, this tests the probability (1 − N / n)ⁿ that nothing fell into the last w − t, where N of n lie within w − t of t
/// (R. A. Maller and S. Zhou, "Survival Analysis with Long-Term Survivors", 1996, §4).
pub fn is_followed_up(sample: &Sample, window: u64) -> bool {
    const SURE: f64 = 0.01;
    let longest = sample.longest();
    let n = sample.n_seen() + sample.n_open();
    let after = longest.saturating_sub(window.saturating_sub(longest));
    let near: f64 = sample.seen.iter().filter(|&&(time, _)| time > after).map(|&(_, weight)| weight).sum();
    window > longest && n * libm::log1p(-(near / n).min(1.0 - 1e-12)) < libm::log(SURE)
}

/// The share of each time among those that end: the heights of the steps of the Kaplan–Meier estimate.
fn steps(sample: &Sample) -> Vec<(u64, f64)> {
    let mut before = 0.0;
    let corners = staircase(sample);
    corners.into_iter().map(|(time, share)| (time, share - std::mem::replace(&mut before, share))).collect()
}
