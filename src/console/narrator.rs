//! The narrator: which events of a drill get a line, and what the line adds to the event's sentence. Events of large
//! batches are summarised.

use std::collections::BTreeMap;

use super::feed::Tone;
use super::tally::Tally;
use dryroll_engine::fleet::At;
use dryroll_engine::{Answer, BreakerOrder, BreakerScope, Engine, Event, EventBody, RolloutId};
use dryroll_report::events::bakes::Bake;
use dryroll_report::words::events::narrate;
use dryroll_report::words::spoken;
use dryroll_study::drill::Briefing;

/// In batches up to this size every verdict gets a line.
const VERDICTS_SHOWN: u32 = 40;
/// In larger batches this many failures get a line.
const FAILURES_SHOWN: u32 = 12;

/// A batch that is not complete.
#[derive(Clone, Copy, Debug, Default)]
struct OpenBatch {
    began_at: At,
    instances: u32,
    judged: u32,
    failures: u32,
}

/// Writes the lines of one drill; keeps the state that later lines need.
#[derive(Debug, Default)]
pub struct Narrator {
    open: BTreeMap<(RolloutId, u32), OpenBatch>,
    /// Failures in a row: one count for the rollout, under 0, or one for each batch.
    in_a_row: BTreeMap<u32, u32>,
    /// Failures between a trip and its decision do not count.
    is_tripped: bool,
    /// The last bake that got a line.
    bake: Option<(u32, At)>,
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
                    self.in_a_row.clear();
                    self.is_tripped = false;
                }
                (Tone::Asks, text())
            }
            &EventBody::BatchStarted { batch_index, instance_count } => {
                let (began_at, instances) = (event.at, instance_count);
                let batch = OpenBatch { began_at, instances, ..OpenBatch::default() };
                self.open.retain(|(rollout, _), _| *rollout == event.rollout);
                self.open.insert((event.rollout, batch_index), batch);
                (Tone::Plain, text())
            }
            EventBody::InstanceStarted { .. } => return None,
            EventBody::InstanceRetried { .. } => (Tone::Plain, text()),
            &EventBody::InstanceRelapsed { batch_index, .. } => {
                *self.in_a_row(engine, batch_index) += 1;
                (Tone::Bad, format!("{}{}", text(), self.count(engine, batch_index)))
            }
            EventBody::BreakerNoted { .. } => (Tone::Asks, text()),
            &EventBody::InstanceHealthCheck { batch_index, failure: None, .. } => {
                *self.in_a_row(engine, batch_index) = 0;
                let batch = self.open.entry((event.rollout, batch_index)).or_default();
                batch.judged += 1;
                if batch.instances > VERDICTS_SHOWN {
                    return None;
                }
                (Tone::Good, text())
            }
            &EventBody::InstanceHealthCheck { batch_index, failure: Some(_), .. } => {
                *self.in_a_row(engine, batch_index) += 1;
                let batch = self.open.entry((event.rollout, batch_index)).or_default();
                batch.judged += 1;
                batch.failures += 1;
                if batch.instances > VERDICTS_SHOWN && batch.failures > FAILURES_SHOWN {
                    let more = "further failures in this batch are counted, not listed".to_owned();
                    return (batch.failures == FAILURES_SHOWN + 1).then_some((Tone::Bad, more));
                }
                (Tone::Bad, format!("{}{}", text(), self.count(engine, batch_index)))
            }
            EventBody::CircuitBreakerTripped { .. } => {
                self.is_tripped = true;
                (Tone::Bad, text())
            }
            &EventBody::BatchCompleted { batch_index, failed_count, .. } => {
                let tone = if failed_count == 0 { Tone::Good } else { Tone::Plain };
                let batch = self.open.remove(&(event.rollout, batch_index)).unwrap_or_default();
                (tone, format!("{}, in {}", text(), spoken(event.at - batch.began_at)))
            }
            EventBody::RollbackStarted { .. } => {
                self.in_a_row.clear();
                self.is_tripped = false;
                (Tone::Plain, format!("rollback: {}", text()))
            }
            EventBody::RollbackFailed => (Tone::Bad, text()),
            EventBody::Finished { .. } => (Tone::Asks, format!("finished: {}", text())),
        };
        Some(line)
    }

    /// The line of a bake that has begun; of a batch that is complete it stands below the batch's own.
    pub fn bake(&mut self, tally: &Tally) -> Option<String> {
        let Bake { batch_index, from, until } = tally.bake()?;
        if self.bake.is_some_and(|last| last.0 == batch_index && last.1 >= until)
            || self.open.values().any(|batch| batch.judged == batch.instances)
        {
            return None;
        }
        self.bake = Some((batch_index, until));
        Some(format!("batch {batch_index} bakes for {}, until {until}", spoken(until - from)))
    }

    fn in_a_row(&mut self, engine: &Engine, batch: u32) -> &mut u32 {
        let place = match engine.settings().breaker_scope {
            BreakerScope::Rollout => 0,
            BreakerScope::Batch => batch,
        };
        self.in_a_row.entry(place).or_default()
    }

    /// What the breaker counts after a failure.
    fn count(&mut self, engine: &Engine, batch: u32) -> String {
        let Some((_, limit)) = engine.breaker() else { return String::new() };
        if self.is_tripped || engine.settings().breaker_order == BreakerOrder::Listed {
            return String::new();
        }
        let count = *self.in_a_row(engine, batch);
        format!("; {} in a row of {limit}", count.min(limit))
    }
}
