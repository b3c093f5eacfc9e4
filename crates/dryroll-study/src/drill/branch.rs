//! The same replicate under other decisions: what each decision not taken would have come to, and each decision in half
//! and in double the time.
//!
//! A branch repeats the person's decisions up to the one that it changes. What comes after may differ, and other things
//! may be asked. What is asked then for the second time (on the plan, on a trip of the rollout, on one of its rollback:
//! each by itself) gets the person's own second answer to such a question, as long after it as the person took. Where
//! there is none, the changed decision is made again, as fast as it was changed to be, if it is one on a trip; else the
//! last one that the person made on a trip, as fast as that was. A rollback that trips cannot be rolled back: whoever
//! rolls back sees it through.
//!
//! Somebody who never decided on a trip says nothing of one. With the same decision at another time it waits, as it
//! did; with another decision there is a branch for each answer that a trip takes ([`judge`](super::score::judge) asks
//! for them where a trip was left waiting).

use std::num::NonZeroU32;

use super::{Asked, Decision, Drill};
use dryroll_engine::fleet::{At, Span};
use dryroll_engine::{Answer, Edit, InterventionPolicy, OperatorDecision, RequestKind};
use dryroll_sim::sim::{CompiledScenario, Metrics, Unobserved};

/// What a branch does otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Another decision, at the same moment, and what is made of trips by somebody who never decided on one; `None`:
    /// nothing.
    Instead(Answer, Option<OperatorDecision>),
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
        all.extend(instead(decision).into_iter().map(|answer| (place, Change::Instead(answer, None))));
        if decision.took() > Span::ZERO {
            all.extend([(place, Change::HalfAsLate), (place, Change::TwiceAsLate)]);
        }
    }
    all
}

/// The other answers to what was asked. An edit could be any; approval is what it is held against.
fn instead(decision: &Decision) -> Vec<Answer> {
    use OperatorDecision::{Abort, ContinueAnyway};
    let offered = match decision.asked.kind {
        RequestKind::RollingUpgrade => vec![Answer::Approve, Answer::Reject],
        RequestKind::RollingUpgradeContinuation => OperatorDecision::ALL.map(Answer::OnTrip).to_vec(),
        RequestKind::RollbackContinuation => [ContinueAnyway, Abort].map(Answer::OnTrip).to_vec(),
    };
    offered.into_iter().filter(|answer| *answer != decision.answer).collect()
}

/// Runs one branch.
#[must_use]
pub fn run<'w>(
    compiled: &'w CompiledScenario,
    replicate: u64,
    decisions: &[Decision],
    decision: usize,
    change: Change,
) -> Run<'w> {
    let changed = decisions.get(decision);
    let took = changed.map_or(Span::ZERO, Decision::took);
    let (late, answer, on_trip) = match change {
        Change::HalfAsLate => (Span(took.0 / 2), changed.map(|own| own.answer), None),
        Change::TwiceAsLate => (Span(took.0.saturating_mul(2)), changed.map(|own| own.answer), None),
        Change::Instead(answer, on_trip) => (took, Some(answer), on_trip),
    };
    let answer = answer.unwrap_or(Answer::Approve);
    let is_on_trip = |answer: &Answer| matches!(answer, Answer::OnTrip(_));
    let last_on_trip = decisions.iter().rev().find(|own| is_on_trip(&own.answer));
    // What is made of a trip that the person's decisions do not reach.
    let again = if is_on_trip(&answer) {
        Some((late, answer))
    } else {
        let own = last_on_trip.map(|own| (own.took(), own.answer));
        own.or(on_trip.map(|decision| (late, Answer::OnTrip(decision))))
    };
    follow(compiled, replicate, |earlier, asked| {
        match decisions.get(earlier.len()) {
            Some(own) if earlier.len() < decision => return Some((own.at, own.answer)),
            Some(_) if earlier.len() == decision => return Some((asked.at + late, answer)),
            _ => {}
        }
        // What is asked for the second time gets the person's second answer to such a question.
        let alike = |one: &&Decision| one.asked.kind == asked.kind;
        match decisions.iter().filter(alike).nth(earlier.iter().filter(alike).count()) {
            Some(own) => Some((asked.at + own.took(), own.answer)),
            None if asked.kind == RequestKind::RollingUpgrade => Some((asked.at + late, fitting(asked.kind, answer))),
            None => again.map(|(late, answer)| (asked.at + late, fitting(asked.kind, answer))),
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
    /// The plain operators of a replicate: each decision at once, with the plan as it stands and with a limit of 1; and
    /// one who waits and continues.
    #[must_use]
    pub fn all(compiled: &CompiledScenario) -> Vec<Self> {
        use OperatorDecision::{Abort, ContinueAnyway, RollbackCompletedBatches};
        let is_asked = compiled.settings.policy == InterventionPolicy::RequireApproval;
        let careful = Some(NonZeroU32::MIN).filter(|&one| is_asked && compiled.settings.max_consecutive_failures > one);
        let decisions = [ContinueAnyway, Abort, RollbackCompletedBatches];
        let mut all = decisions.map(|on_trip| Self { limit: None, waits: Span::ZERO, on_trip }).to_vec();
        all.push(Self { limit: None, waits: PATIENCE, on_trip: ContinueAnyway });
        if careful.is_some() {
            all.extend(decisions.map(|on_trip| Self { limit: careful, waits: Span::ZERO, on_trip }));
        }
        all
    }
}

/// Runs a replicate with a plain operator.
#[must_use]
pub fn plain(compiled: &CompiledScenario, replicate: u64, plain: Plain) -> Run<'_> {
    follow(compiled, replicate, |earlier, asked| match asked.kind {
        RequestKind::RollingUpgrade if earlier.is_empty() && plain.limit.is_some() => {
            Some((asked.at, Answer::Edit(Edit { batch_pct: None, max_consecutive_failures: plain.limit })))
        }
        RequestKind::RollingUpgrade => Some((asked.at, Answer::Approve)),
        kind => Some((asked.at + plain.waits, fitting(kind, Answer::OnTrip(plain.on_trip)))),
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

    /// Whether a trip waited for its decision to the end.
    #[must_use]
    pub fn left_a_trip(&self) -> bool {
        self.drill.unanswered().is_some_and(|asked| asked.kind != RequestKind::RollingUpgrade)
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

/// Runs a replicate whose requests are answered by `answer`, given what was decided before; from one that it does not
/// answer on it is left alone.
fn follow(
    compiled: &CompiledScenario,
    replicate: u64,
    answer: impl Fn(&[Decision], Asked) -> Option<(At, Answer)>,
) -> Run<'_> {
    let mut drill = Drill::new(compiled, replicate, &mut Unobserved);
    loop {
        // Nothing is asked any more where this fails.
        if drill.asked().is_none() && drill.next_decision(&mut Unobserved).is_err() {
            break;
        }
        let Some(asked) = drill.asked() else { break };
        let Some((at, answer)) = answer(drill.decisions(), asked) else { break };
        drill.advance_to(at, &mut Unobserved);
        // Whoever is late is not heard any more.
        if drill.asked() == Some(asked) && drill.answer(answer, &mut Unobserved).is_err() {
            break;
        }
    }
    drill.finish(&mut Unobserved);
    Run { drill }
}
