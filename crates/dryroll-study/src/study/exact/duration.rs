//! The mean duration. A batch lasts as long as the slowest of its verdicts, and the next batch begins on the first tick
//! at or after that. So whole ticks count for a batch with a successor, and milliseconds for the last batch and for a
//! trip.

use super::TrialWalk;
use super::approval::{Approval, mean};
use super::scope::Gone;
use dryroll_engine::OperatorDecision;
use dryroll_sim::sim::CompiledScenario;
use dryroll_sim::sim::sampler::Sampler;
use dryroll_stats::exact::{Counting, Counts, Trial, sum_of_falling};

/// The largest number of steps of the chain and of the evaluation of laws.
const MOST_STEPS: u64 = 200_000_000;
/// The error of the sum over milliseconds, in milliseconds.
const TOLERANCE: f64 = 1e-4;

/// A unit of the walk with its initial state, in one layer of the walk.
pub(super) struct Start {
    from: u32,
    to: u32,
    known: Known,
    is_last: bool,
    /// Whether a trip in it ends the walk.
    ends: bool,
}

/// The weights of what the rules remember.
enum Known {
    /// Failures in a row.
    Run(Counts),
    /// All rules, before this unit.
    Rules(usize, Vec<f64>),
}

impl Start {
    /// The starts of a unit, by layer, where failures in a row alone count.
    pub fn of_runs<'a>(
        walk: &'a TrialWalk<'_>,
        unit: usize,
        layers: &'a [Counts],
    ) -> impl Iterator<Item = Self> + use<'a> {
        let layers = layers.iter().enumerate().filter(|(_, counts)| counts.total() != 0.0);
        layers.map(move |(layer, counts)| Self::of(walk, unit, Known::Run(counts.clone()), walk.walk.ends(layer)))
    }

    /// The start of a unit where other rules count.
    pub fn of_rules(walk: &TrialWalk<'_>, unit: usize, weights: Vec<f64>) -> Self {
        Self::of(walk, unit, Known::Rules(unit, weights), walk.walk.waved == Some(0))
    }

    fn of(walk: &TrialWalk<'_>, number: usize, known: Known, ends: bool) -> Self {
        let unit = &walk.walk.units[number];
        let is_last = number + 1 == walk.walk.units.len();
        Self { from: unit.trials.start, to: unit.trials.end, known, is_last, ends }
    }
}

/// Probabilities that a unit is over by some moment.
#[derive(Clone, Copy, Default)]
struct Over {
    untripped: f64,
    tripped: f64,
}

/// The mean duration, and the mean of its waits for a person; milliseconds.
pub(super) fn mean_duration(
    compiled: &CompiledScenario,
    approval: &Approval,
    walk: &TrialWalk<'_>,
    gone: &Gone,
    starts: Vec<Start>,
) -> Result<(f64, f64), String> {
    if !compiled.settings.pace.bakes.is_empty() {
        return Err("the walk stays after a batch, and that time is not computed".to_owned());
    }
    if walk.rules.is_some() && walk.at_once && !walk.is_timed() {
        return Err("there are too many batches to sum the duration of each".to_owned());
    }
    if !walk.is_timed() {
        return Err("with `max_in_flight` a batch is dispatched instance by instance".to_owned());
    }
    let walked = &gone.walked;
    let waved_trips = walked.trips - walked.chance_of_ending();
    if waved_trips > 0.0 && !walk.later_trips_are_known {
        return Err("after a decision to continue, the order of verdicts depends on time".to_owned());
    }
    if walked.chance_of_ending() > 0.0 {
        let by_decision = walk.last_decision == OperatorDecision::RollbackCompletedBatches && gone.asked > 0.0;
        if gone.asked > 0.0 {
            walk.last_decision_in_time.clone()?;
        }
        if (by_decision || gone.rolled_back > 0.0) && compiled.settings.previous.is_some() {
            return Err("a run that trips is rolled back, and the time of a rollback is not computed".to_owned());
        }
    }
    let (wait, first) = (approval.wait.clone()?, approval.first.clone()?);
    let walking = walking(compiled, walk, gone, starts)?;
    let unasked = gone.aborted + gone.rolled_back;
    let deciding = (walked.trips - unasked) * mean(&compiled.operator.decision_delay);
    Ok((first + approval.approved * walking, wait + approval.approved * deciding))
}

/// The mean time from the first tick to the end, if approved.
fn walking(compiled: &CompiledScenario, walk: &TrialWalk<'_>, gone: &Gone, starts: Vec<Start>) -> Result<f64, String> {
    let (tick, timeout) = (compiled.tick_interval.0, compiled.settings.health_timeout.0);
    let stages = stages(walk, starts);
    let steps: u64 = match &walk.rules {
        Some(rules) => rules.chain.steps(true),
        None => stages.iter().map(|stage| u64::from(stage.to - stage.from) * 2 * walk.walk.limit as u64).sum(),
    };
    let budget = MOST_STEPS / (steps + walk.law.effort).max(1);
    let ticks = timeout.div_ceil(tick);
    let too_much = || "summing the durations would take too long".to_owned();
    if 2 * ticks > budget {
        return Err(too_much());
    }
    let all: Vec<Over> = stages.iter().map(|stage| over(walk, stage, &walk.law.verdicts(), true)).collect();
    // Whole ticks: between a batch that does not trip and the next one, and after a decision to continue.
    let decision = &compiled.operator.decision_delay;
    let waved = stages.iter().zip(&all).any(|(stage, all)| !stage.ends && !stage.is_last && all.tripped > 0.0);
    let shift = match decision {
        Sampler::Constant(span) => span.0,
        _ if waved => return Err("the delay of a decision to continue is drawn".to_owned()),
        _ => 0,
    };
    let mut sum_of_ticks = 0.0;
    for k in 0..ticks {
        let over = over_by(walk, &stages, k * tick, timeout);
        for ((stage, all), over) in stages.iter().zip(&all).zip(over) {
            if !stage.is_last {
                sum_of_ticks += all.untripped - over.untripped;
            }
        }
    }
    if waved {
        for k in 0..(timeout + shift).div_ceil(tick) {
            let over = (k * tick).checked_sub(shift).map(|t| over_by(walk, &stages, t, timeout));
            for (i, (stage, all)) in stages.iter().zip(&all).enumerate() {
                if !stage.is_last && !stage.ends {
                    sum_of_ticks += all.tripped - over.as_ref().map_or(0.0, |over| over[i].tripped);
                }
            }
        }
    }
    // Milliseconds: the last batch, and trips that end the walk.
    let left = |t: u64| -> f64 {
        let over = over_by(walk, &stages, t, timeout);
        let each = stages.iter().zip(&all).zip(over).map(|((stage, all), over)| {
            let untripped = if stage.is_last { all.untripped - over.untripped } else { 0.0 };
            let tripped = if stage.is_last || stage.ends { all.tripped - over.tripped } else { 0.0 };
            untripped + tripped
        });
        each.sum()
    };
    let millis = sum_of_falling(timeout, TOLERANCE, budget as usize, left).ok_or_else(too_much)?;
    let last = |stage: &Start| stage.is_last && !stage.ends;
    let continued_at_the_end: f64 =
        stages.iter().zip(&all).filter(|(stage, _)| last(stage)).map(|(_, all)| all.tripped).sum();
    let decided = (gone.asked + continued_at_the_end) * mean(decision);
    Ok(sum_of_ticks * tick as f64 + millis + decided)
}

/// Where all instances are alike and failures in a row count alone, units of equal length are merged into one stage,
/// with the sum of their weights.
fn stages(walk: &TrialWalk<'_>, starts: Vec<Start>) -> Vec<Start> {
    let mut stages: Vec<Start> = Vec::new();
    for start in starts {
        let alike = |known: &&mut Start| {
            let sizes = known.to - known.from == start.to - start.from;
            sizes && known.is_last == start.is_last && known.ends == start.ends
        };
        let known = stages.iter_mut().find(alike).filter(|_| walk.law.is_uniform());
        match (known.map(|known| &mut known.known), &start.known) {
            (Some(Known::Run(sum)), Known::Run(counts)) => sum.add(counts),
            _ => stages.push(start),
        }
    }
    stages
}

fn over_by(walk: &TrialWalk<'_>, stages: &[Start], t: u64, timeout: u64) -> Vec<Over> {
    let trials = walk.law.by(t);
    stages.iter().map(|stage| over(walk, stage, &trials, t >= timeout)).collect()
}

/// The probabilities that the unit is judged without a trip, and that it has tripped, given these verdicts so far.
fn over(walk: &TrialWalk<'_>, stage: &Start, trials: &[Trial], is_due: bool) -> Over {
    let each = || (stage.from..stage.to).map(|position| walk.law.pick(trials, position));
    match (&stage.known, &walk.rules) {
        (Known::Rules(unit, weights), Some(rules)) => {
            let trial = |position| walk.law.pick(trials, position);
            let unit = |due: bool| {
                if due { rules.chain.unit(*unit, weights, trial) } else { rules.chain.so_far(*unit, weights, trial) }
            };
            let left = unit(is_due);
            Over { untripped: left.untripped(), tripped: left.tripped() }
        }
        (Known::Run(counts), _) => {
            let before = counts;
            let mut counts = before.clone();
            let tripped = counts.take(walk.walk.counting, each());
            let untripped = counts.total();
            match walk.walk.counting {
                // Verdicts are counted as they arrive, so a run can trip before the batch is over.
                Counting::SilentLast if !is_due => Over { untripped, tripped: before.clone().trips_so_far(each()) },
                _ => Over { untripped, tripped },
            }
        }
        (Known::Rules(..), None) => Over::default(),
    }
}
