//! Means over what is drawn once a replicate: rates by Gauss quadrature for their beta distributions, listed factors
//! and the positions of blocks one by one.
//!
//! Given the shared draws, the probabilities of a walk are polynomials in each rate, with degree at most the number of
//! instances. So a rule with half as many nodes is exact. With fewer nodes, and where rates are cut so that they sum to
//! at most 1, a finer rule must agree.

use std::collections::BTreeMap;

use super::fleet::Tables;
use super::scope::TrialWalk;
use super::{Approval, Depth, Exact, OutOfScope, Unknown, of};
use dryroll_engine::{InterventionPolicy, Outcome};
use dryroll_sim::sim::CompiledScenario;
use dryroll_sim::sim::PerRelease;
use dryroll_sim::sim::compiled::Release;
use dryroll_sim::sim::shared::{BlockLaw, Factor, RateSource, Shared, Spread};
use dryroll_stats::beta;

/// The largest number of shared draws that a mean is taken over.
const MOST_REPLICATES: usize = 20_000;
/// The largest number of shared draws whose durations are computed.
const MOST_TIMED: usize = 100;
/// The largest number of chain steps over all shared draws.
const MOST_STEPS: u64 = 400_000_000;
/// The largest difference between two rules that agree.
const AGREEMENT: f64 = 1e-10;
/// The largest number of nodes of one rate, by the number of drawn rates.
const MOST_NODES: [usize; 3] = [64, 32, 14];

pub(super) const TOO_MANY_DURATIONS: &str =
    "what a replicate draws once has too many possible values to compute the durations of each";

/// The possible shared draws of a replicate, with probabilities.
pub(super) type Parts = Vec<(Shared, f64)>;

/// The accuracy of the quadrature of rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The rule for results.
    Usual,
    /// A finer rule to check results against.
    Finer,
    /// The rule for means of squares of probabilities.
    Squares,
}

/// The exact results of a scenario with draws per replicate.
pub(super) fn exact(compiled: &CompiledScenario, tables: &Tables, depth: Depth) -> Result<Exact, OutOfScope> {
    let settled = rolls_nothing_out(compiled) || spread(compiled).is_none();
    let parts = parts(compiled, Rule::Usual)?;
    affordable(compiled, parts.len())?;
    if !settled {
        let finer = self::parts(compiled, Rule::Finer)?;
        affordable(compiled, finer.len())?;
        let (usual, finer) = (trips(compiled, &parts, tables)?, trips(compiled, &finer, tables)?);
        if (usual - finer).abs() > AGREEMENT {
            return Err(OutOfScope::new(
                "the rates that each replicate draws may add up to more than 1 or are spread too wide, so that no rule of few \
                 nodes gives their mean",
            ));
        }
    }
    let depth = if parts.len() <= MOST_TIMED { depth } else { Depth::Chances };
    let results: Result<Vec<(Exact, f64)>, OutOfScope> =
        parts.iter().map(|(shared, chance)| Ok((of(&compiled.given(shared), tables, depth)?, *chance))).collect();
    Ok(mean(&results?))
}

/// Whether nothing is dispatched, so that the chain is not needed.
fn rolls_nothing_out(compiled: &CompiledScenario) -> bool {
    compiled.rolls_nothing_out().is_some() || compiled.settings.policy == InterventionPolicy::Blocked
}

pub(super) fn affordable(compiled: &CompiledScenario, parts: usize) -> Result<(), OutOfScope> {
    let limit = compiled.settings.max_consecutive_failures.map_or(u32::MAX, std::num::NonZeroU32::get);
    let limit = limit.min(compiled.total());
    let steps = u64::from(compiled.total()) * u64::from(limit) * parts as u64;
    if steps > MOST_STEPS {
        return Err(OutOfScope::new("the fleet is too large to compute every possible draw of what instances share"));
    }
    Ok(())
}

/// The rates of the target, where they have beta distributions.
pub(super) fn spread(compiled: &CompiledScenario) -> Option<&Spread> {
    match compiled.rate_source(Release::Target) {
        RateSource::Spread(spread) => Some(spread),
        RateSource::Known(_) | RateSource::Believed(_) => None,
    }
}

/// The probability of a trip, given the shared draws.
pub(super) fn trip(compiled: &CompiledScenario, shared: &Shared, tables: &Tables) -> Result<f64, OutOfScope> {
    let given = compiled.given(shared);
    let approved = Approval::of(&given)?.approved;
    if approved == 0.0 || rolls_nothing_out(compiled) {
        return Ok(0.0);
    }
    Ok((TrialWalk::of(&given, tables)?.walked().walked.chance() * approved).clamp(0.0, 1.0))
}

fn trips(compiled: &CompiledScenario, parts: &[(Shared, f64)], tables: &Tables) -> Result<f64, OutOfScope> {
    parts.iter().try_fold(0.0, |sum, (shared, chance)| Ok(sum + chance * trip(compiled, shared, tables)?))
}

/// All possible shared draws, with probabilities.
pub(super) fn parts(compiled: &CompiledScenario, rule: Rule) -> Result<Parts, OutOfScope> {
    let mut parts = vec![(beginning(compiled)?, 1.0)];
    if let Some(spread) = spread(compiled) {
        parts = with_rates(&parts, spread, compiled.total(), rule)?;
    }
    parts = with_factors(&parts, compiled)?;
    with_places(parts, compiled.block_laws())
}

/// The shared draws of the previous version matter only to whether a rollback certainly succeeds; its mean rates and
/// its longest factor decide that.
fn beginning(compiled: &CompiledScenario) -> Result<Shared, OutOfScope> {
    let mean = |release| match compiled.rate_source(release) {
        RateSource::Known(rates) => Ok(*rates),
        RateSource::Spread(spread) => Ok(spread.with([None; 4])),
        RateSource::Believed(_) => Err(OutOfScope::new("rates from a posterior are drawn in pairs")),
    };
    let longest = match compiled.factor(Release::Previous) {
        Factor::Constant(factor) => *factor,
        Factor::Drawn { law, .. } => law.millis(u64::MAX) / 1000.0,
    };
    Ok(Shared {
        rates: PerRelease { previous: mean(Release::Previous)?, target: mean(Release::Target)? },
        factors: PerRelease { previous: longest, target: 1.0 },
        blocks: Vec::new(),
    })
}

fn with_rates(parts: &Parts, spread: &Spread, instances: u32, rule: Rule) -> Result<Parts, OutOfScope> {
    let drawn = spread.laws().iter().flatten().count();
    let Some(most) = MOST_NODES.get(drawn.saturating_sub(1)) else {
        return Err(OutOfScope::new(
            "more than three rates of the target are drawn, and their joint law has too many nodes",
        ));
    };
    let order = (instances as usize / 2 + 1).min(*most);
    let order = match rule {
        Rule::Usual => order,
        Rule::Finer => order + order / 4 + 2,
        Rule::Squares => (instances as usize + 1).min(*most),
    };
    let mut places = vec![([None; 4], 1.0)];
    for (place, law) in spread.laws().iter().enumerate() {
        let Some((a, b)) = law.as_ref().map(beta::Quantiles::shapes) else { continue };
        let nodes = beta::nodes(a, b, order);
        places = places
            .iter()
            .flat_map(|&(rates, chance): &([Option<f64>; 4], f64)| {
                nodes.iter().map(move |&(x, weight)| {
                    let mut rates = rates;
                    rates[place] = Some(x);
                    (rates, chance * weight)
                })
            })
            .collect();
    }
    let with = |(shared, before): &(Shared, f64), (rates, chance): &([Option<f64>; 4], f64)| {
        let mut shared = shared.clone();
        shared.rates.target = spread.with(*rates);
        (shared, before * chance)
    };
    Ok(parts.iter().flat_map(|part| places.iter().map(move |place| with(part, place))).collect())
}

fn with_factors(parts: &Parts, compiled: &CompiledScenario) -> Result<Parts, OutOfScope> {
    let Some(values) = compiled.factor(Release::Target).values() else {
        return Err(OutOfScope::new(
            "the factor of upgrade times is drawn from a smooth distribution, and what it makes too late has no smooth law; a list \
             of values, `{empirical = […]}`, is covered",
        ));
    };
    let chance = 1.0 / values.len() as f64;
    let with = |shared: &Shared, factor: f64| {
        let mut shared = shared.clone();
        shared.factors.target = factor;
        shared
    };
    let each = |(shared, before): &(Shared, f64)| {
        values.iter().map(|&factor| (with(shared, factor), before * chance)).collect::<Vec<_>>()
    };
    Ok(parts.iter().flat_map(each).collect())
}

/// All choices of positions for the blocks of each law, equally likely.
fn with_places(parts: Parts, laws: &[BlockLaw]) -> Result<Parts, OutOfScope> {
    let mut parts = parts;
    for law in laws {
        let choices = if law.for_target { choices(law.slots(), law.blocks.count) } else { Some(1) };
        let all = choices.map(|choices| choices.saturating_mul(parts.len()));
        if all.is_none_or(|all| all > MOST_REPLICATES) {
            return Err(OutOfScope::new("blocks have too many possible places to compute each"));
        }
        // The positions of blocks that do not differ for the target have no effect on the results.
        let places = if law.for_target { places(law) } else { vec![law.starts(0..law.blocks.count)] };
        let chance = 1.0 / places.len() as f64;
        parts = parts
            .iter()
            .flat_map(|(shared, before)| {
                places.iter().map(move |starts| {
                    let mut shared = shared.clone();
                    shared.blocks.push(starts.clone());
                    (shared, before * chance)
                })
            })
            .collect();
    }
    Ok(parts)
}

/// The binomial coefficient; `None` beyond the number that is followed.
fn choices(of: u32, count: u32) -> Option<usize> {
    let mut choices: u64 = 1;
    for i in 0..u64::from(count.min(of - count)) {
        choices = choices * (u64::from(of) - i) / (i + 1);
        if choices > MOST_REPLICATES as u64 {
            return None;
        }
    }
    Some(choices as usize)
}

fn places(law: &BlockLaw) -> Vec<Vec<u32>> {
    let (slots, count) = (law.slots(), law.blocks.count as usize);
    let mut chosen: Vec<u32> = (0..count as u32).collect();
    let mut all = vec![law.starts(chosen.iter().copied())];
    // The next choice in order: the last position that can move does, and those after it follow.
    while let Some(i) = (0..count).rev().find(|&i| chosen[i] + ((count - i) as u32) < slots) {
        let from = chosen[i] + 1;
        for (slot, next) in chosen[i..].iter_mut().zip(from..) {
            *slot = next;
        }
        all.push(law.starts(chosen.iter().copied()));
    }
    all
}

/// The mean of results with these probabilities.
fn mean(results: &[(Exact, f64)]) -> Exact {
    const TRIPPED: &str = "blast_radius_pct_tripped";
    let mut mean = Exact::default();
    for (exact, _) in results {
        for unknown in &exact.why_not {
            if mean.why_not.iter().all(|known: &Unknown| known.metric != unknown.metric) {
                mean.why_not.push(unknown.clone());
            }
        }
    }
    let (mut exposed, mut dispatched) = (BTreeMap::<u32, f64>::new(), BTreeMap::<u32, f64>::new());
    for (exact, chance) in results {
        let tripped = exact.value("trip_rate").unwrap_or(0.0);
        for (metric, value) in &exact.values {
            if mean.why_not.iter().any(|unknown| unknown.metric == *metric) {
                continue;
            }
            // This is a mean over the runs that trip.
            let weight = if metric == TRIPPED { chance * tripped } else { *chance };
            *mean.values.entry(metric.clone()).or_default() += weight * value;
        }
        for (all, some) in [(&mut exposed, &exact.exposed), (&mut dispatched, &exact.dispatched_at_first_trip)] {
            for &(place, weight) in some {
                *all.entry(place).or_default() += chance * weight;
            }
        }
    }
    if let Some(tripped) = mean.values.get("trip_rate").copied().filter(|&rate| rate > 0.0)
        && let Some(blast) = mean.values.get_mut(TRIPPED)
    {
        *blast /= tripped;
    }
    if mean.why_not.iter().all(|unknown| unknown.metric != "exposed_instances") {
        mean.exposed = exposed.into_iter().collect();
    }
    // Rounding makes the weights of nodes miss 1 slightly.
    let chances = Outcome::ALL.iter().map(|outcome| outcome.name()).chain(["trip_rate"]);
    for name in chances {
        if let Some(chance) = mean.values.get_mut(name) {
            *chance = chance.clamp(0.0, 1.0);
        }
    }
    mean.dispatched_at_first_trip = dispatched.into_iter().collect();
    mean
}

/// The rates and factors for uniform variates: of failure, hang, unhealthy and crash, and of the factor.
pub(super) fn at(compiled: &CompiledScenario, base: &Shared, variates: [f64; 5]) -> Shared {
    let [rates @ .., factor] = variates;
    let mut shared = base.clone();
    if let Some(spread) = spread(compiled) {
        let mut variate = rates.into_iter();
        let drawn = spread.laws().each_ref().map(|law| {
            let u = variate.next().unwrap_or(0.5);
            law.as_ref().map(|law| law.at(u))
        });
        shared.rates.target = spread.with(drawn);
    }
    if let Some(values) = compiled.factor(Release::Target).values() {
        let place = ((factor * values.len() as f64) as usize).min(values.len() - 1);
        shared.factors.target = values[place];
    }
    shared
}

/// A replicate's initial shared draws, with every choice of positions for its blocks.
pub(super) fn of_places(compiled: &CompiledScenario) -> Result<Parts, OutOfScope> {
    with_places(vec![(beginning(compiled)?, 1.0)], compiled.block_laws())
}
