//! The line of an event (§10): one JSON object with its keys in the contract's order.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Answer, Direction, Event, EventBody};
use crate::fleet::InstanceNames;

/// The names that an event line needs in addition to the event.
#[derive(Clone, Copy, Debug)]
pub struct EventNames<'a> {
    /// The names of the fleet's instances.
    pub instances: InstanceNames,
    /// The target version's id.
    pub target: &'a str,
    /// The previous version's id.
    pub previous: &'a str,
}

impl EventNames<'_> {
    fn version(&self, direction: Direction) -> &str {
        match direction {
            Direction::Forward => self.target,
            Direction::Back => self.previous,
        }
    }
}

/// An event as the contract defines it: one JSON object with its keys in a fixed order.
#[derive(Clone, Copy, Debug)]
pub struct EventLine<'a> {
    /// The event.
    pub event: &'a Event,
    /// The names.
    pub names: EventNames<'a>,
}

impl Serialize for EventLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Event { at, rollout, body } = self.event;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at_ms", at)?;
        map.serialize_entry("kind", body.kind().full_name())?;
        map.serialize_entry("rollout_id", &Shown(rollout))?;
        if let Some(batch_index) = body.batch_index() {
            map.serialize_entry("batch_index", &batch_index)?;
        }
        match body {
            EventBody::Planned { total_instances, batch_size, batch_count } => {
                map.serialize_entry("total_instances", total_instances)?;
                map.serialize_entry("batch_size", batch_size)?;
                map.serialize_entry("batch_count", batch_count)?;
            }
            EventBody::ApprovalRequested { request, kind } => {
                map.serialize_entry("approval_request_id", &Shown(request))?;
                map.serialize_entry("type", kind.type_name())?;
                map.serialize_entry("options", &kind.option_names())?;
            }
            EventBody::ApprovalDecided { request, answer } => {
                map.serialize_entry("approval_request_id", &Shown(request))?;
                map.serialize_entry("decision", answer.name())?;
                if let Answer::Edit(edit) = answer {
                    if let Some(batch_pct) = edit.batch_pct {
                        map.serialize_entry("batch_pct", &batch_pct)?;
                    }
                    if let Some(limit) = edit.max_consecutive_failures {
                        map.serialize_entry("max_consecutive_failures", &limit)?;
                    }
                }
            }
            EventBody::BatchStarted { instance_count, .. } => {
                map.serialize_entry("instance_count", instance_count)?;
            }
            EventBody::InstanceStarted { instance, to, .. } => {
                map.serialize_entry("instance_id", &self.names.instances.name(*instance))?;
                map.serialize_entry("target_version", self.names.version(*to))?;
            }
            EventBody::InstanceHealthCheck { instance, failure, .. } => {
                map.serialize_entry("instance_id", &self.names.instances.name(*instance))?;
                map.serialize_entry("healthy", &failure.is_none())?;
                if let Some(reason) = failure {
                    map.serialize_entry("reason", reason.name())?;
                }
            }
            EventBody::InstanceRetried { instance, attempt, reason, .. } => {
                map.serialize_entry("instance_id", &self.names.instances.name(*instance))?;
                map.serialize_entry("attempt", attempt)?;
                map.serialize_entry("reason", reason.name())?;
            }
            EventBody::InstanceRelapsed { instance, reason, .. } => {
                map.serialize_entry("instance_id", &self.names.instances.name(*instance))?;
                map.serialize_entry("reason", reason.name())?;
            }
            EventBody::CircuitBreakerTripped { failed, reason, .. }
            | EventBody::BreakerNoted { failed, reason, .. } => {
                let names: Vec<_> = failed.iter().map(|&id| self.names.instances.name(id)).collect();
                map.serialize_entry("failed_instance_ids", &names)?;
                map.serialize_entry("reason", &Shown(reason))?;
            }
            EventBody::BatchCompleted { healthy_count, failed_count, .. } => {
                map.serialize_entry("healthy_count", healthy_count)?;
                map.serialize_entry("failed_count", failed_count)?;
            }
            EventBody::RollbackStarted { instance_count } => {
                map.serialize_entry("target_version", self.names.previous)?;
                map.serialize_entry("instance_count", instance_count)?;
            }
            EventBody::RollbackFailed => {
                map.serialize_entry("reason", "the previous version is archived or gone")?;
            }
            EventBody::Finished { outcome } => map.serialize_entry("outcome", outcome.name())?,
            EventBody::OperatorNotified => {}
        }
        map.end()
    }
}

/// Serialises a value as the string that it displays, without an allocation.
struct Shown<'a, T>(&'a T);

impl<T: fmt::Display> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}
