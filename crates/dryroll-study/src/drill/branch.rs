//! The same replicate under other decisions: the result of each decision that was not taken, and of each decision taken
//! in half and in double the time.
//!
//! A branch repeats the person's decisions up to the one that it changes. After that the run may differ, and other
//! requests may be opened. Requests are matched by kind (the plan, a promotion, a trip of the rollout, a trip of the
//! rollback): the second request of a kind gets the person's own second answer to that kind, after the time that the
//! person took. Where the person gave no such answer, the changed decision is repeated with its changed delay if it was
//! on a trip; otherwise the person's last decision on a trip is repeated with its delay. A rollback that trips cannot be
//! rolled back, so an answer to roll back becomes one to continue. A promotion without an answer of the person's is
//! promoted, after the delay of the person's last answer to a promotion, or at once. One that the person let wait until
//! a trip made it void waits in the branches too.
//!
//! If the person never decided on a trip, there is no decision to repeat. With the same decision at another time, a
//! trip then stays unanswered; with another decision there is a branch for each answer to a trip
//! ([`judge`](super::score::judge) adds these where a trip was left unanswered).

use std::num::NonZeroU32;

use super::{Asked, Decision, Drill};
use dryroll_engine::fleet::{At, Span};
use dryroll_engine::{Answer, Edit, InterventionPolicy, OperatorDecision, RequestKind};
use dryroll_sim::sim::{CompiledScenario, Metrics, Unobserved};

/// What a branch changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Another decision at the same moment, and the decision on trips if the person never made one; `None`: trips stay
    /// unanswered.
    Instead(Answer, Option<OperatorDecision>),
    /// The same decision in half the time.
    HalfAsLate,
    /// The same decision in double the time.
    TwiceAsLate,
}

/// All branches of a person's decisions: the index of the decision that changes, and the change.
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

/// The other answers to the request. An edit has endless alternatives, so it is compared with approval alone.
fn instead(decision: &Decision) -> Vec<Answer> {
    use OperatorDecision::{Abort, ContinueAnyway, RollbackCompletedBatches};
    let offered = match decision.asked.kind {
        RequestKind::RollingUpgrade => vec![Answer::Approve, Answer::Reject],
        RequestKind::RollingUpgradeContinuation => OperatorDecision::ALL.map(Answer::OnTrip).to_vec(),
        RequestKind::RollbackContinuation => [ContinueAnyway, Abort].map(Answer::OnTrip).to_vec(),
        RequestKind::Promotion => {
            vec![Answer::Promote, Answer::OnTrip(RollbackCompletedBatches), Answer::OnTrip(Abort)]
        }
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
    let is_on_trip = |own: &&Decision| own.asked.kind.is_of_trip();
    let last_on_trip = decisions.iter().rev().find(is_on_trip);
    let promotes_after = |own: &Decision| if Some(own) == changed { late } else { own.took() };
    let last_promotion = decisions.iter().rev().find(|own| own.asked.kind == RequestKind::Promotion);
    let promotes_after = last_promotion.map_or(Span::ZERO, promotes_after);
    // The answer to trips that the person's decisions do not cover.
    let again = if changed.is_some_and(|own| is_on_trip(&own)) {
        Some((late, answer))
    } else {
        let own = last_on_trip.map(|own| (own.took(), own.answer));
        own.or(on_trip.map(|decision| (late, Answer::OnTrip(decision))))
    };
    follow(compiled, replicate, |earlier, asked| {
        match decisions.get(earlier.len()) {
            // The person let this promotion wait until a trip made it void.
            Some(own) if earlier.len() <= decision && is_left(asked, own) => return Some((own.asked.at, own.answer)),
            Some(own) if earlier.len() < decision => return Some((own.at, own.answer)),
            Some(own) if earlier.len() == decision && own.asked.kind == asked.kind => {
                return Some((asked.at + late, answer));
            }
            _ => {}
        }
        // The n-th request of a kind gets the person's n-th answer to that kind.
        let alike = |one: &&Decision| one.asked.kind == asked.kind;
        match decisions.iter().filter(alike).nth(earlier.iter().filter(alike).count()) {
            Some(own) => Some((asked.at + own.took(), own.answer)),
            None if asked.kind == RequestKind::RollingUpgrade => Some((asked.at + late, fitting(asked.kind, answer))),
            None if asked.kind == RequestKind::Promotion => Some((asked.at + promotes_after, Answer::Promote)),
            None => again.map(|(late, answer)| (asked.at + late, fitting(asked.kind, answer))),
        }
    })
}

/// Whether a promotion was left unanswered: the person's next decision answers another request.
fn is_left(asked: Asked, own: &Decision) -> bool {
    asked.kind == RequestKind::Promotion && own.asked.request != asked.request
}

/// Adapts a repeated decision to what the request offers.
fn fitting(kind: RequestKind, answer: Answer) -> Answer {
    use OperatorDecision::{Abort, ContinueAnyway, RollbackCompletedBatches};
    match (kind, answer) {
        (RequestKind::Promotion, Answer::OnTrip(Abort | RollbackCompletedBatches)) => answer,
        (RequestKind::Promotion, _) => Answer::Promote,
        (RequestKind::RollingUpgrade, Answer::Approve | Answer::Reject) => answer,
        (RequestKind::RollingUpgrade, _) => Answer::Approve,
        (RequestKind::RollbackContinuation, Answer::OnTrip(Abort)) => answer,
        (RequestKind::RollbackContinuation, Answer::OnTrip(_)) => Answer::OnTrip(ContinueAnyway),
        (RequestKind::RollingUpgradeContinuation, Answer::OnTrip(_)) => answer,
        _ => Answer::OnTrip(Abort),
    }
}

/// An operator who approves and promotes at once, and makes the same decision on every trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain {
    /// The limit of failures in a row that is set before the approval; `None`: the plan is approved unchanged.
    pub limit: Option<NonZeroU32>,
    /// How long each decision on a trip takes.
    pub waits: Span,
    /// The decision on every trip.
    pub on_trip: OperatorDecision,
}

/// How long the patient plain operator waits before an answer to a trip.
const PATIENCE: Span = Span(20 * 60 * 1000);

impl Plain {
    /// The plain operators of a replicate: one for each immediate decision on trips, with the plan unchanged and with a
    /// limit of 1, and one who waits and continues.
    #[must_use]
    pub fn all(compiled: &CompiledScenario) -> Vec<Self> {
        use OperatorDecision::{Abort, ContinueAnyway, RollbackCompletedBatches};
        let is_asked = compiled.settings.policy == InterventionPolicy::RequireApproval;
        let careful = Some(NonZeroU32::MIN)
            .filter(|&one| is_asked && compiled.settings.max_consecutive_failures.is_none_or(|limit| limit > one));
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
        RequestKind::Promotion => Some((asked.at, Answer::Promote)),
        kind => Some((asked.at + plain.waits, fitting(kind, Answer::OnTrip(plain.on_trip)))),
    })
}

/// A finished run.
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

    /// Whether a trip was still unanswered at the end.
    #[must_use]
    pub fn left_a_trip(&self) -> bool {
        self.drill.unanswered().is_some_and(|asked| asked.kind.is_of_trip())
    }

    /// The decisions of the run.
    #[must_use]
    pub fn decisions(&self) -> &[Decision] {
        self.drill.decisions()
    }

    /// The metrics, with ground truth counted up to a moment, or to the end of the run if that is later.
    pub fn settle_at(&mut self, end: At) -> (Metrics, u32) {
        let simulator = self.drill.simulator();
        let metrics = simulator.settle_at(end);
        (metrics, simulator.drifted())
    }
}

/// Runs a replicate and answers its requests with `answer`, which sees the decisions so far. After the first request
/// without an answer, the run continues without a person.
fn follow(
    compiled: &CompiledScenario,
    replicate: u64,
    answer: impl Fn(&[Decision], Asked) -> Option<(At, Answer)>,
) -> Run<'_> {
    let mut drill = Drill::new(compiled, replicate, &mut Unobserved);
    loop {
        // An error means that no further request can be opened.
        if drill.asked().is_none() && drill.next_decision(&mut Unobserved).is_err() {
            break;
        }
        let Some(asked) = drill.asked() else { break };
        let Some((at, answer)) = answer(drill.decisions(), asked) else { break };
        drill.advance_to(at, &mut Unobserved);
        // An answer that comes too late is dropped.
        if drill.asked() == Some(asked) && drill.answer(answer, &mut Unobserved).is_err() {
            break;
        }
    }
    drill.finish(&mut Unobserved);
    Run { drill }
}
