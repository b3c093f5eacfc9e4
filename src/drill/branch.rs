//! The same world under other decisions: what each decision not taken would have come to, and each decision in half and in
//! double the time.
//!
//! A branch repeats the person's decisions up to the one that it changes. What comes after may differ, and other things may be
//! asked. The person's own later answers are given to what is asked then, as long after it as the person took; where they do
//! not fit, or there are none left, the changed decision is made again. A rollback that trips cannot be rolled back: whoever
//! rolls back sees it through.

use std::num::NonZeroU32;

use super::{Asked, Decision, Drill};
use crate::engine::{Answer, Edit, InterventionPolicy, OperatorDecision, RequestKind};
use crate::fleet::{At, Span};
use crate::sim::{Metrics, Unobserved, World};

/// What a branch does otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Another decision, at the same moment.
    Instead(Answer),
    /// The same decision in half the time.
    HalfAsLate,
    /// The same decision in double the time.
    TwiceAsLate,
}

/// Every branch that a person's decisions leave aside.
#[must_use]
pub fn alternatives(decisions: &[Decision]) -> Vec<(usize, Change)> {
    let mut all = Vec::new();
    for (place, decision) in decisions.iter().enumerate() {
        all.extend(instead(decision).into_iter().map(|answer| (place, Change::Instead(answer))));
        if decision.took() > Span::ZERO {
            all.extend([(place, Change::HalfAsLate), (place, Change::TwiceAsLate)]);
        }
    }
    all
}

/// The other answers to what was asked. An edit could be any; approval is what it is held against.
fn instead(decision: &Decision) -> Vec<Answer> {
    use OperatorDecision::{Abort, ContinueAnyway, RollbackCompletedBatches};
    let offered: &[Answer] = match decision.asked.kind {
        RequestKind::RollingUpgrade => &[Answer::Approve, Answer::Reject],
        RequestKind::RollingUpgradeContinuation => {
            &[Answer::OnTrip(ContinueAnyway), Answer::OnTrip(RollbackCompletedBatches), Answer::OnTrip(Abort)]
        }
        RequestKind::RollbackContinuation => &[Answer::OnTrip(ContinueAnyway), Answer::OnTrip(Abort)],
    };
    offered.iter().copied().filter(|answer| *answer != decision.answer).collect()
}

/// Runs one branch.
#[must_use]
pub fn run<'w>(world: &'w World, replicate: u64, decisions: &[Decision], decision: usize, change: Change) -> Run<'w> {
    follow(world, replicate, |place, asked| {
        let own = decisions.get(place);
        let changed = decisions.get(decision);
        let late = |own: &Decision| match change {
            Change::HalfAsLate => Span(own.took().0 / 2),
            Change::TwiceAsLate => Span(own.took().0.saturating_mul(2)),
            Change::Instead(_) => own.took(),
        };
        let again = |asked: Asked| match (change, changed) {
            (Change::Instead(answer), Some(_)) => fitting(asked.kind, answer),
            (_, Some(changed)) => fitting(asked.kind, changed.answer),
            (_, None) => fitting(asked.kind, Answer::Approve),
        };
        match own {
            Some(own) if place < decision => (own.at, own.answer),
            Some(own) if place == decision => {
                let answer = if let Change::Instead(answer) = change { answer } else { own.answer };
                (asked.at + late(own), answer)
            }
            Some(own) if own.asked.kind == asked.kind => (asked.at + own.took(), own.answer),
            _ => (asked.at + changed.map_or(Span::ZERO, Decision::took), again(asked)),
        }
    })
}

/// A decision made again on a request, if it offers it.
fn fitting(kind: RequestKind, answer: Answer) -> Answer {
    use OperatorDecision::{Abort, ContinueAnyway};
    match (kind, answer) {
        (RequestKind::RollingUpgrade, Answer::Approve | Answer::Reject) => answer,
        (RequestKind::RollingUpgrade, _) => Answer::Approve,
        (RequestKind::RollbackContinuation, Answer::OnTrip(Abort)) => answer,
        (RequestKind::RollbackContinuation, Answer::OnTrip(_)) => Answer::OnTrip(ContinueAnyway),
        (RequestKind::RollingUpgradeContinuation, Answer::OnTrip(_)) => answer,
        _ => Answer::OnTrip(Abort),
    }
}

/// Somebody who approves at once, and makes one decision on every trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain {
    /// What the limit of failures in a row is set to before the approval; `None`: the plan is approved as it stands.
    pub limit: Option<NonZeroU32>,
    /// How long each decision on a trip takes.
    pub waits: Span,
    /// What is decided on every trip.
    pub on_trip: OperatorDecision,
}

/// How long the patient one of the plain operators waits for a trouble to pass.
const PATIENCE: Span = Span(20 * 60 * 1000);

impl Plain {
    /// The plain operators of a world: each decision at once, with the plan as it stands and with a limit of 1; and one who
    /// waits and continues.
    #[must_use]
    pub fn all(world: &World) -> Vec<Self> {
        use OperatorDecision::{Abort, ContinueAnyway, RollbackCompletedBatches};
        let is_asked = world.settings.policy == InterventionPolicy::RequireApproval;
        let careful = Some(NonZeroU32::MIN).filter(|&one| is_asked && world.settings.max_consecutive_failures > one);
        let decisions = [ContinueAnyway, Abort, RollbackCompletedBatches];
        let mut all = decisions.map(|on_trip| Self { limit: None, waits: Span::ZERO, on_trip }).to_vec();
        all.push(Self { limit: None, waits: PATIENCE, on_trip: ContinueAnyway });
        if careful.is_some() {
            all.extend(decisions.map(|on_trip| Self { limit: careful, waits: Span::ZERO, on_trip }));
        }
        all
    }
}

/// Runs a world with a plain operator.
#[must_use]
pub fn plain(world: &World, replicate: u64, plain: Plain) -> Run<'_> {
    follow(world, replicate, |place, asked| match asked.kind {
        RequestKind::RollingUpgrade if place == 0 && plain.limit.is_some() => {
            (asked.at, Answer::Edit(Edit { batch_pct: None, max_consecutive_failures: plain.limit }))
        }
        RequestKind::RollingUpgrade => (asked.at, Answer::Approve),
        kind => (asked.at + plain.waits, fitting(kind, Answer::OnTrip(plain.on_trip))),
    })
}

/// A run that is over.
#[derive(Debug)]
pub struct Run<'w> {
    drill: Drill<'w>,
}

impl Run<'_> {
    /// When it ended.
    #[must_use]
    pub fn finished(&self) -> At {
        At(self.drill.clock().0)
    }

    /// What was decided in it.
    #[must_use]
    pub fn decisions(&self) -> &[Decision] {
        self.drill.decisions()
    }

    /// Its metrics, with ground truth counted up to a moment, or to its end if that is later.
    pub fn settle_at(&mut self, end: At) -> (Metrics, u32) {
        let simulator = self.drill.simulator();
        let metrics = simulator.settle_at(end);
        (metrics, simulator.drifted())
    }
}

/// Runs a world whose requests are answered by `answer`, given which request it is, from 0.
fn follow(world: &World, replicate: u64, answer: impl Fn(usize, Asked) -> (At, Answer)) -> Run<'_> {
    let mut drill = Drill::new(world, replicate, &mut Unobserved);
    let mut place = 0;
    loop {
        // Nothing is asked any more where this fails.
        if drill.asked().is_none() && drill.next_decision(&mut Unobserved).is_err() {
            break;
        }
        let Some(asked) = drill.asked() else { break };
        let (at, answer) = answer(place, asked);
        drill.advance_to(at, &mut Unobserved);
        // Whoever is late is not heard any more.
        if drill.asked() == Some(asked) && drill.answer(answer, &mut Unobserved).is_err() {
            break;
        }
        place += 1;
    }
    drill.finish(&mut Unobserved);
    Run { drill }
}
