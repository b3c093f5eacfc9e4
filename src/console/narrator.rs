//! The narrator: which events of a drill get a line, and what the line adds to the event's sentence. Events of large
//! batches are summarised.

use super::feed::Tone;
use dryroll_engine::fleet::At;
use dryroll_engine::{Answer, BreakerOrder, BreakerScope, Engine, Event, EventBody};
use dryroll_report::words::events::narrate;
use dryroll_report::words::spoken;
use dryroll_study::drill::Briefing;

/// In batches up to this size every verdict gets a line.
const VERDICTS_SHOWN: u32 = 40;
/// In larger batches this many failures get a line.
const FAILURES_SHOWN: u32 = 12;

/// Writes the lines of one drill; keeps the state that later lines need.
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
    pub fn line(&mut self, briefing: &Briefing, engine: &Engine, event: &Event) -> Option<(Tone, String)> {
        let text = || narrate(briefing.event_names(), engine, event);
        let line = match &event.body {
            EventBody::Planned { .. } => (Tone::Plain, format!("plan: {}", text())),
            EventBody::ApprovalRequested { .. } | EventBody::OperatorNotified => (Tone::Asks, text()),
            EventBody::ApprovalDecided { answer, .. } => {
                if matches!(answer, Answer::OnTrip(_)) && self.is_tripped {
                    (self.in_a_row, self.is_tripped) = (0, false);
                }
                (Tone::Asks, text())
            }
            EventBody::BatchStarted { instance_count, .. } => {
                (self.batch_began_at, self.batch_instances, self.failures) = (event.at, *instance_count, 0);
                if engine.settings().breaker_scope == BreakerScope::Batch {
                    self.in_a_row = 0;
                }
                (Tone::Plain, text())
            }
            EventBody::InstanceStarted { .. } => return None,
            EventBody::InstanceRetried { .. } => (Tone::Plain, text()),
            EventBody::InstanceRelapsed { .. } => {
                self.in_a_row += 1;
                (Tone::Bad, text())
            }
            EventBody::BreakerNoted { .. } => (Tone::Asks, text()),
            EventBody::InstanceHealthCheck { failure: None, .. } => {
                self.in_a_row = 0;
                if self.batch_instances > VERDICTS_SHOWN {
                    return None;
                }
                (Tone::Good, text())
            }
            EventBody::InstanceHealthCheck { failure: Some(_), .. } => {
                self.in_a_row += 1;
                self.failures += 1;
                if self.batch_instances > VERDICTS_SHOWN && self.failures > FAILURES_SHOWN {
                    let more = "further failures in this batch are counted, not listed".to_owned();
                    return (self.failures == FAILURES_SHOWN + 1).then_some((Tone::Bad, more));
                }
                (Tone::Bad, format!("{}{}", text(), self.count(engine)))
            }
            EventBody::CircuitBreakerTripped { .. } => {
                self.is_tripped = true;
                (Tone::Bad, text())
            }
            EventBody::BatchCompleted { failed_count, .. } => {
                let tone = if *failed_count == 0 { Tone::Good } else { Tone::Plain };
                (tone, format!("{}, in {}", text(), spoken(event.at - self.batch_began_at)))
            }
            EventBody::RollbackStarted { .. } => (Tone::Plain, format!("rollback: {}", text())),
            EventBody::RollbackFailed => (Tone::Bad, text()),
            EventBody::Finished { .. } => (Tone::Asks, format!("finished: {}", text())),
        };
        Some(line)
    }

    /// What the breaker counts after a failure.
    fn count(&self, engine: &Engine) -> String {
        let Some((_, limit)) = engine.breaker() else { return String::new() };
        if self.is_tripped || engine.settings().breaker_order == BreakerOrder::Listed {
            return String::new();
        }
        format!("; {} in a row of {limit}", self.in_a_row.min(limit))
    }
}
