//! The cost of a run, compared with the best of a few plain operators on the same replicate.
//!
//! cost = instance-minutes not serving + [`TO_PUT_RIGHT`] for each instance that ends on the wrong version + for each
//! minute from the approval to the end [`HELD_UP`] of the planned instances.
//!
//! An instance should end on the target if the target is sound, and off it if the target is defective. A rollout that
//! never began leaves the choice open for all of them: a person who rejects knows no more than before.
//!
//! score = 100 × (best + N) / (cost + N), at most 100, where N is the number of planned instances (one instance-minute
//! each, so that small differences in a large fleet weigh little), and best is the least cost among the plain
//! operators. All runs are counted over a time that does not depend on the person: from the approval, the length of the
//! longest run of the plain operators who act at once, plus the time that the scenario observes afterwards. A longer
//! run is counted up to its own end. Waiting before the approval neither gains nor loses anything.

use super::branch::{self, Change, Plain, Run};
use super::{Decision, Drill};
use dryroll_engine::fleet::{At, Span};
use dryroll_engine::{Answer, InterventionPolicy, OperatorDecision, RequestKind};
use dryroll_sim::sim::{CompiledScenario, Metrics};

/// The cost, in instance-minutes, of an instance that somebody has to repair by hand afterwards.
pub const TO_PUT_RIGHT: f64 = 30.0;
/// The share of the planned instances that counts as not serving while a rollout is in progress.
pub const HELD_UP: f64 = 0.01;

/// The cost of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// Instance-minutes not serving, for any cause.
    pub not_serving: f64,
    /// Instances that end on the wrong version.
    pub misplaced: u32,
    /// From the approval to the end.
    pub under_way: Span,
    /// The total, in instance-minutes.
    pub total: f64,
}

impl Cost {
    fn of(metrics: &Metrics, drifted: u32, begun: Option<At>) -> Self {
        let misplaced = match begun {
            None => metrics.planned,
            Some(_) if metrics.defective => metrics.planned - drifted,
            Some(_) => drifted,
        };
        let not_serving = metrics.capacity_loss_instance_min();
        let under_way = begun.map_or(Span::ZERO, |begun| (At::ZERO + metrics.duration).since(begun));
        let total = not_serving + TO_PUT_RIGHT * f64::from(misplaced) + held_up(under_way, metrics.planned);
        Self { not_serving, misplaced, under_way, total }
    }

    /// The score, where `best` is the least cost of the plain operators.
    #[must_use]
    pub fn score(&self, best: &Cost, planned: u32) -> f64 {
        let little = f64::from(planned.max(1));
        (100.0 * (best.total + little) / (self.total + little)).min(100.0)
    }
}

/// The cost of a rollout's being in progress, in instance-minutes.
#[must_use]
pub fn held_up(under_way: Span, planned: u32) -> f64 {
    under_way.as_secs_f64() / 60.0 * HELD_UP * f64::from(planned)
}

/// When a rollout was approved; `None` if it was not. A rollout that needs no approval begins with its request.
fn begun(compiled: &CompiledScenario, decisions: &[Decision]) -> Option<At> {
    if compiled.settings.policy != InterventionPolicy::RequireApproval || compiled.total() == 0 {
        return Some(At::ZERO);
    }
    let first = decisions.iter().filter(|decision| decision.asked.kind == RequestKind::RollingUpgrade);
    first.filter(|decision| decision.answer == Answer::Approve).map(|decision| decision.at).next()
}

/// A judged run.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// When it ended.
    pub finished: At,
    /// The end of the time that is counted.
    pub until: At,
    /// The decisions of the run.
    pub decisions: Vec<Decision>,
    /// Its metrics, with ground truth counted up to `until`.
    pub metrics: Metrics,
    /// Its cost.
    pub cost: Cost,
    /// The score, 0 to 100.
    pub score: f64,
}

/// The person's run compared with its branches and with the plain operators.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The time from the approval that is counted, or up to a run's own end where that is later.
    pub counted: Span,
    /// The person's run.
    pub own: Judged,
    /// The branches: the index of the changed decision, the change, and the judged run.
    pub branches: Vec<(usize, Change, Judged)>,
    /// The plain operators.
    pub plain: Vec<(Plain, Judged)>,
}

impl Judgement {
    /// The plain operator whose run cost least; the first of equals.
    #[must_use]
    pub fn best(&self) -> Option<&(Plain, Judged)> {
        self.plain.iter().min_by(|(_, a), (_, b)| a.cost.total.total_cmp(&b.cost.total))
    }
}

/// Judges a finished drill.
#[must_use]
pub fn judge(compiled: &CompiledScenario, drill: &mut Drill<'_>) -> Judgement {
    let decisions = drill.decisions().to_vec();
    let replicate = drill.replicate();
    let operators = Plain::all(compiled);
    let mut plain: Vec<Run<'_>> = operators.iter().map(|&plain| branch::plain(compiled, replicate, plain)).collect();
    let at_once = operators.iter().zip(&plain).filter(|(operator, _)| operator.waits == Span::ZERO);
    // They approve at the moment of the request.
    let longest = at_once.map(|(_, run)| run.finished().since(At::ZERO)).fold(Span::ZERO, Span::max);
    let counted = longest + compiled.observe_after;
    let until = |decisions: &[Decision], finished: At| {
        let begun = begun(compiled, decisions);
        let until = begun.unwrap_or(At::ZERO) + counted;
        (begun, finished.max(until.min(compiled.end)))
    };

    let settled = |run: &mut Run<'_>| {
        let decisions = run.decisions().to_vec();
        let (begun, until) = until(&decisions, run.finished());
        let (metrics, drifted) = run.settle_at(until);
        let cost = Cost::of(&metrics, drifted, begun);
        Judged { finished: run.finished(), until, decisions, cost, metrics, score: 0.0 }
    };
    let plain: Vec<Judged> = plain.iter_mut().map(settled).collect();
    // One run at a time: all runs of a large fleet would not fit into memory.
    let run = |decision, change| branch::run(compiled, replicate, &decisions, decision, change);
    let mut branches = Vec::new();
    for (decision, change) in branch::alternatives(&decisions) {
        let mut left = run(decision, change);
        match change {
            // The person never decided on a trip, so each answer to it is a branch of its own.
            Change::Instead(answer, None) if left.left_a_trip() => {
                drop(left);
                for on_trip in OperatorDecision::ALL {
                    let change = Change::Instead(answer, Some(on_trip));
                    branches.push((decision, change, settled(&mut run(decision, change))));
                }
            }
            _ => branches.push((decision, change, settled(&mut left))),
        }
    }
    let finished = drill.clock();
    let (begun, until) = until(&decisions, finished);
    let metrics = drill.simulator().settle_at(until);
    let cost = Cost::of(&metrics, drill.simulator().drifted(), begun);
    let own = Judged { finished, until, decisions, metrics, cost, score: 0.0 };

    let mut judgement = Judgement { counted, own, branches, plain: operators.into_iter().zip(plain).collect() };
    if let Some(best) = judgement.best().map(|(_, judged)| judged.cost.clone()) {
        let branches = judgement.branches.iter_mut().map(|(_, _, judged)| judged);
        let plain = judgement.plain.iter_mut().map(|(_, judged)| judged);
        for judged in branches.chain(plain).chain(std::iter::once(&mut judgement.own)) {
            judged.score = judged.cost.score(&best, compiled.total());
        }
    }
    judgement
}
