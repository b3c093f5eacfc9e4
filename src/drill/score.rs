//! What a run cost, and how that compares with the best of three plain operators on the very same world.
//!
//! cost = instance-minutes not serving + [`TO_PUT_RIGHT`] for each instance that is not where it ought to be at the end:
//! on the target if that is sound, off it if it is defective.
//!
//! score = 100 × (best + N) / (cost + N), at most 100, where N is the number of planned instances (one instance-minute each, so
//! that a little more or less of a large fleet weighs little), and best is the least cost among three operators who approve at
//! once and on each trip at once continue, roll back, or abort. All are counted up to one moment: when the last of all the runs
//! that are looked at has ended.

use super::branch::{self, Change, Run};
use super::{Decision, Drill};
use crate::engine::OperatorDecision;
use crate::fleet::At;
use crate::sim::{Metrics, World};

/// Instance-minutes that an instance costs which somebody has to put right by hand afterwards.
pub const TO_PUT_RIGHT: f64 = 30.0;

/// What a run cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// Instance-minutes not serving, for any cause.
    pub not_serving: f64,
    /// Instances that are not where they ought to be at the end.
    pub misplaced: u32,
    /// Both together, in instance-minutes.
    pub total: f64,
}

impl Cost {
    fn of(metrics: &Metrics, drifted: u32) -> Self {
        let misplaced = if metrics.defective { metrics.planned - drifted } else { drifted };
        let not_serving = metrics.capacity_loss_instance_min();
        Self { not_serving, misplaced, total: not_serving + TO_PUT_RIGHT * f64::from(misplaced) }
    }

    /// The score, where `best` is the least cost of the plain operators.
    #[must_use]
    pub fn score(&self, best: &Cost, planned: u32) -> f64 {
        let little = f64::from(planned.max(1));
        (100.0 * (best.total + little) / (self.total + little)).min(100.0)
    }
}

/// A run that was judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// When it ended.
    pub finished: At,
    /// What was decided in it.
    pub decisions: Vec<Decision>,
    /// Its metrics, with ground truth counted up to the common moment.
    pub metrics: Metrics,
    /// What it cost.
    pub cost: Cost,
    /// 0 to 100.
    pub score: f64,
}

/// The person's run beside the branches that the decisions leave aside and the plain operators.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Everything is counted up to this moment.
    pub until: At,
    /// The person's run.
    pub own: Judged,
    /// The branches: which decision is changed, and how.
    pub branches: Vec<(usize, Change, Judged)>,
    /// Who approves at once and makes this decision on every trip at once.
    pub plain: Vec<(OperatorDecision, Judged)>,
}

/// What the plain operators decide.
const PLAIN: [OperatorDecision; 3] =
    [OperatorDecision::ContinueAnyway, OperatorDecision::RollbackCompletedBatches, OperatorDecision::Abort];

/// Judges a drill that is over.
#[must_use]
pub fn judge(world: &World, drill: &mut Drill<'_>) -> Judgement {
    let decisions = drill.decisions().to_vec();
    let replicate = drill.replicate();
    let changes = branch::alternatives(&decisions);
    let mut branches: Vec<Run<'_>> =
        changes.iter().map(|&(decision, change)| branch::run(world, replicate, &decisions, decision, change)).collect();
    let mut plain: Vec<Run<'_>> = PLAIN.iter().map(|&on_trip| branch::at_once(world, replicate, on_trip)).collect();
    let ends = branches.iter().chain(&plain).map(Run::finished);
    let until = ends.fold(drill.clock(), At::max);

    let settled = |run: &mut Run<'_>| {
        let (metrics, drifted) = run.settle_at(until);
        Judged {
            finished: run.finished(),
            decisions: run.decisions().to_vec(),
            cost: Cost::of(&metrics, drifted),
            metrics,
            score: 0.0,
        }
    };
    let mut branches: Vec<Judged> = branches.iter_mut().map(settled).collect();
    let mut plain: Vec<Judged> = plain.iter_mut().map(settled).collect();
    let metrics = drill.simulator().settle_at(until);
    let cost = Cost::of(&metrics, drill.simulator().drifted());
    let mut own = Judged { finished: drill.clock(), decisions, metrics, cost, score: 0.0 };

    let best = plain.iter().map(|judged| &judged.cost).min_by(|a, b| a.total.total_cmp(&b.total)).cloned();
    if let Some(best) = best {
        for judged in branches.iter_mut().chain(&mut plain).chain(std::iter::once(&mut own)) {
            judged.score = judged.cost.score(&best, world.total());
        }
    }
    Judgement {
        until,
        own,
        branches: changes
            .into_iter()
            .zip(branches)
            .map(|((decision, change), judged)| (decision, change, judged))
            .collect(),
        plain: PLAIN.into_iter().zip(plain).collect(),
    }
}
