//! The narrator: events in words, one line each. Events of large batches are summarised.

use super::feed::Tone;
use dryroll_engine::fleet::At;
use dryroll_engine::{Answer, BreakerOrder, BreakerScope, Engine, Event, EventBody, RolloutId};
use dryroll_report::judge::forecast::Forecast;
use dryroll_report::words::events::{self, NOTIFIED, asks, because, in_a_row};
use dryroll_report::words::{plural, spoken};
use dryroll_study::drill::Briefing;

/// In batches up to this size every verdict gets a line.
const VERDICTS_TOLD: u32 = 40;
/// In larger batches this many failures get a line.
const FAILURES_TOLD: u32 = 12;

/// Describes the events of one drill; keeps the state that later lines need.
#[derive(Debug, Default)]
pub struct Narrator {
    batch_began_at: At,
    batch_instances: u32,
    failures: u32,
    in_a_row: u32,
    /// Failures between a trip and its decision do not count.
    is_tripped: bool,
}

impl Narrator {
    /// The line of an event, if it has one.
    pub fn tell(&mut self, briefing: &Briefing, engine: &Engine, event: &Event) -> Option<(Tone, String)> {
        let names = briefing.event_names();
        let of_rollback = event.rollout != RolloutId::FIRST;
        let batch = if of_rollback { "rollback batch" } else { "batch" };
        let line = match &event.body {
            EventBody::Planned { .. } => (Tone::Plain, format!("plan: {}", Forecast::of(engine).plan())),
            EventBody::ApprovalRequested { request, kind } => (Tone::Asks, format!("{request} asks: {}", asks(*kind))),
            EventBody::ApprovalDecided { request, answer } => {
                if matches!(answer, Answer::OnTrip(_)) {
                    (self.in_a_row, self.is_tripped) = (0, false);
                }
                (Tone::Asks, format!("{request} is answered: {}", decided(answer)))
            }
            EventBody::OperatorNotified => (Tone::Asks, NOTIFIED.to_owned()),
            EventBody::BatchStarted { batch_index, instance_count } => {
                (self.batch_began_at, self.batch_instances, self.failures) = (event.at, *instance_count, 0);
                if engine.settings().breaker_scope == BreakerScope::Batch {
                    self.in_a_row = 0;
                }
                let instances = plural(u64::from(*instance_count), "instance", "instances");
                (Tone::Plain, format!("{batch} {batch_index} begins: {instances}"))
            }
            EventBody::InstanceStarted { .. } => return None,
            EventBody::InstanceHealthCheck { instance, failure: None, .. } => {
                self.in_a_row = 0;
                if self.batch_instances > VERDICTS_TOLD {
                    return None;
                }
                (
                    Tone::Good,
                    format!(
                        "{} is {}",
                        names.instances.name(*instance),
                        if of_rollback { "restored" } else { "healthy" }
                    ),
                )
            }
            EventBody::InstanceHealthCheck { instance, failure: Some(reason), batch_index } => {
                self.in_a_row += 1;
                self.failures += 1;
                if self.batch_instances > VERDICTS_TOLD && self.failures > FAILURES_TOLD {
                    let more = format!("more failures in {batch} {batch_index} are counted, not told");
                    return (self.failures == FAILURES_TOLD + 1).then_some((Tone::Bad, more));
                }
                let name = names.instances.name(*instance);
                (Tone::Bad, format!("{name} failed: {}{}", because(*reason, engine), self.count(engine)))
            }
            EventBody::CircuitBreakerTripped { batch_index, failed } => {
                self.is_tripped = true;
                let (listed, more) = events::listed(names.instances, failed);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let row = in_a_row(failed.len() as u32);
                (Tone::Bad, format!("the breaker trips in {batch} {batch_index}: {row}: {listed}{more}"))
            }
            EventBody::BatchCompleted { batch_index, healthy_count, failed_count } => {
                let took = spoken(event.at - self.batch_began_at);
                let tone = if *failed_count == 0 { Tone::Good } else { Tone::Plain };
                let text = format!(
                    "{batch} {batch_index} is complete: {healthy_count} healthy, {failed_count} failed, in {took}"
                );
                (tone, text)
            }
            EventBody::RollbackStarted { instance_count } => {
                let back = events::goes_back(*instance_count, &briefing.previous);
                (Tone::Plain, format!("rollback: {back}"))
            }
            EventBody::RollbackFailed => {
                (Tone::Bad, "no rollback: the previous version is archived or gone, and nothing is changed".to_owned())
            }
            EventBody::Finished { outcome } => (Tone::Asks, format!("finished: {outcome}")),
        };
        Some(line)
    }

    /// What the breaker counts after a failure.
    fn count(&self, engine: &Engine) -> String {
        let limit = engine.breaker().1;
        if self.is_tripped || engine.settings().breaker_order == BreakerOrder::Listed {
            return String::new();
        }
        format!("; {} in a row of {limit}", self.in_a_row.min(limit))
    }
}

/// An answer in words.
pub fn decided(answer: &Answer) -> String {
    match answer {
        Answer::Approve => "approve".to_owned(),
        Answer::Reject => "reject".to_owned(),
        Answer::Edit(edit) => format!("edit {}", events::changes(edit, "=").join(" ")),
        Answer::OnTrip(decision) => events::decision(*decision).to_owned(),
    }
}
