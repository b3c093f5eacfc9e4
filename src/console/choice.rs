//! The answers that a request takes, each with a sentence on what it does.

use dryroll_engine::{Answer, AnswerKind, Direction, Engine, OperatorDecision, RequestKind};
use dryroll_report::words::plural;
use dryroll_study::drill::Briefing;

/// An answer that a person may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its name in the contract.
    pub name: &'static str,
    /// The answer; `None` for an edit, which has values of its own.
    pub answer: Option<Answer>,
    /// What it does.
    pub does: String,
}

/// What a request offers, in its order.
#[must_use]
pub fn choices(kind: RequestKind, engine: &Engine, briefing: &Briefing) -> Vec<Choice> {
    use OperatorDecision::{Abort, ContinueAnyway, RollbackCompletedBatches};
    let (dispatched, total) = (engine.dispatched(), engine.plan().total_instances());
    let instances = |count: u32| plural(u64::from(count), "instance", "instances");
    kind.options()
        .iter()
        .map(|&option| {
            let (answer, does) = match (option, kind) {
                (AnswerKind::Approve, _) => (Some(Answer::Approve), "batch 0 begins on the next tick".to_owned()),
                (AnswerKind::Edit, _) => {
                    (None, "another batch_pct or max_consecutive_failures; the plan is asked for anew".to_owned())
                }
                (AnswerKind::Reject, _) => {
                    (Some(Answer::Reject), "nothing is changed, and the rollout is over".to_owned())
                }
                (AnswerKind::Promote, _) => (Some(Answer::Promote), begins(engine)),
                (AnswerKind::OnTrip(ContinueAnyway), RequestKind::RollbackContinuation) => {
                    (on_trip(ContinueAnyway), "the breaker counts from 0 again, and the rollback goes on".to_owned())
                }
                (AnswerKind::OnTrip(ContinueAnyway), _) => {
                    let left = match total - dispatched {
                        0 => "all instances have been commanded".to_owned(),
                        left => format!("up to {} more are commanded", instances(left)),
                    };
                    let does = format!("the breaker counts from 0 again, and the rollout goes on: {left}");
                    (on_trip(ContinueAnyway), does)
                }
                (AnswerKind::OnTrip(RollbackCompletedBatches), _) => {
                    let size = engine.settings().rollback_batches.largest(dispatched);
                    let does = match engine.version(Direction::Back) {
                        Some(_) => format!(
                            "{}, all that were commanded, go back to {}, {size} a batch",
                            instances(dispatched),
                            briefing.previous
                        ),
                        None => "fails: there is no previous version".to_owned(),
                    };
                    (on_trip(RollbackCompletedBatches), does)
                }
                (AnswerKind::OnTrip(Abort), RequestKind::RollbackContinuation) => {
                    (on_trip(Abort), "stops here: instances that are not rolled back stay as they are".to_owned())
                }
                (AnswerKind::OnTrip(Abort), _) => {
                    (on_trip(Abort), format!("stops here: the {} stay as they are", instances(dispatched)))
                }
            };
            Choice { name: option.name(), answer, does }
        })
        .collect()
}

/// `batch 2, of 10 instances, begins on the next tick`; how large a batch is that grows is known when it begins.
fn begins(engine: &Engine) -> String {
    let index = engine.batches_begun();
    let size = engine.batch(index).len() as u64;
    match engine.settings().batches.growth {
        None if size > 0 => {
            format!("batch {index}, of {}, begins on the next tick", plural(size, "instance", "instances"))
        }
        None | Some(_) => format!("batch {index} begins on the next tick"),
    }
}

fn on_trip(decision: OperatorDecision) -> Option<Answer> {
    Some(Answer::OnTrip(decision))
}
