//! Ground truth in figures: what a run cost. The engine never sees any of it.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::percent::Percent;
use crate::scenario::Metric;
use dryroll_engine::fleet::Span;
use dryroll_engine::{OperatorDecision, Outcome};

/// The metrics of one run. Seconds and minutes when serialised, under the contract's names.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// How it ended.
    pub outcome: Outcome,
    /// How often the breaker tripped, of rollbacks too.
    pub trips: u32,
    /// What was decided on the trips, in order.
    pub decisions: Vec<OperatorDecision>,
    /// Planned instances.
    pub planned: u32,
    /// Whether the target is defective.
    pub defective: bool,
    /// Request to `finished`.
    pub duration: Span,
    /// Of it, waiting for a person.
    pub approval_wait: Span,
    /// Most instances exposed at one moment.
    pub exposed: u32,
    /// Instances ever harmed.
    pub harmed: u32,
    /// Integral of exposed instances, in instance-milliseconds.
    pub exposure: u128,
    /// Integral of harmed and not serving.
    pub unhealthy: u128,
    /// Integral of not serving for any cause.
    pub capacity_loss: u128,
    /// Fewest instances serving at one moment.
    pub min_serving: u32,
    /// First dispatch to first trip.
    pub time_to_detect: Option<Span>,
    /// First trip to the end of the rollback; `None` if no rollback completed.
    pub time_to_mitigate: Option<Span>,
    /// First trip to the moment from which nothing is commanded to the target any more.
    pub time_to_stop: Option<Span>,
    /// Failed verdicts on instances that at that moment ran the target and served.
    pub false_failures: u32,
    /// Harmed instances with a healthy verdict, at the end.
    pub escaped: u32,
    /// Harmed instances that do not serve at the moment up to which ground truth is counted.
    pub still_down: u32,
    /// Whether a planned instance does not run the target at the end.
    pub drift: bool,
    /// Instances that an upgrade bricked; `None` where no upgrade can.
    pub bricked: Option<u32>,
}

/// Instance-milliseconds as instance-minutes.
fn minutes(millis: u128) -> f64 {
    millis as f64 / 60_000.0
}

impl Metrics {
    /// A share of the planned instances.
    fn pct(&self, instances: u32) -> Percent {
        Percent::of(instances, self.planned)
    }

    /// `exposed_pct`
    #[must_use]
    pub fn exposed_pct(&self) -> Percent {
        self.pct(self.exposed)
    }

    /// `blast_radius_pct`: of a defective target only.
    #[must_use]
    pub fn blast_radius_pct(&self) -> Option<Percent> {
        self.defective.then(|| self.exposed_pct())
    }

    /// `harmed_pct`
    #[must_use]
    pub fn harmed_pct(&self) -> Percent {
        self.pct(self.harmed)
    }

    /// `min_serving_pct`; 100 where nothing was planned.
    #[must_use]
    pub fn min_serving_pct(&self) -> Percent {
        if self.planned == 0 { Percent::ALL } else { self.pct(self.min_serving) }
    }

    /// `duration_sec`
    #[must_use]
    pub fn duration_sec(&self) -> f64 {
        self.duration.as_secs_f64()
    }

    /// `approval_wait_sec`
    #[must_use]
    pub fn approval_wait_sec(&self) -> f64 {
        self.approval_wait.as_secs_f64()
    }

    /// The duration without the waiting for a person.
    #[must_use]
    pub fn rollout(&self) -> Span {
        Span(self.duration.0 - self.approval_wait.0)
    }

    /// `rollout_sec`
    #[must_use]
    pub fn rollout_sec(&self) -> f64 {
        self.rollout().as_secs_f64()
    }

    /// `exposure_instance_min`
    #[must_use]
    pub fn exposure_instance_min(&self) -> f64 {
        minutes(self.exposure)
    }

    /// `unhealthy_instance_min`
    #[must_use]
    pub fn unhealthy_instance_min(&self) -> f64 {
        minutes(self.unhealthy)
    }

    /// `capacity_loss_instance_min`
    #[must_use]
    pub fn capacity_loss_instance_min(&self) -> f64 {
        minutes(self.capacity_loss)
    }
}

impl Metrics {
    /// A figure of the run in its reported unit; `None` if it is not defined for such a run.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<f64> {
        Some(match metric {
            Metric::Trips => f64::from(self.trips),
            Metric::Decisions => self.decisions.len() as f64,
            Metric::DurationSec => self.duration_sec(),
            Metric::ApprovalWaitSec => self.approval_wait_sec(),
            Metric::RolloutSec => self.rollout_sec(),
            Metric::ExposedInstances => f64::from(self.exposed),
            Metric::ExposedPct => self.exposed_pct().get(),
            Metric::BlastRadiusPct => return self.blast_radius_pct().map(Percent::get),
            Metric::BlastRadiusPctTripped => {
                return self.blast_radius_pct().filter(|_| self.trips > 0).map(Percent::get);
            }
            Metric::HarmedInstances => f64::from(self.harmed),
            Metric::HarmedPct => self.harmed_pct().get(),
            Metric::ExposureInstanceMin => self.exposure_instance_min(),
            Metric::UnhealthyInstanceMin => self.unhealthy_instance_min(),
            Metric::CapacityLossInstanceMin => self.capacity_loss_instance_min(),
            Metric::MinServingPct => self.min_serving_pct().get(),
            Metric::TimeToDetectSec => return self.time_to_detect.map(Span::as_secs_f64),
            Metric::TimeToMitigateSec => return self.time_to_mitigate.map(Span::as_secs_f64),
            Metric::TimeToStopSec => return self.time_to_stop.map(Span::as_secs_f64),
            Metric::FalseFailures => f64::from(self.false_failures),
            Metric::EscapedInstances => f64::from(self.escaped),
            Metric::BrickedInstances => return self.bricked.map(f64::from),
        })
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("metrics", 21 + usize::from(self.bricked.is_some()))?;
        map.serialize_field("outcome", &self.outcome)?;
        map.serialize_field("trips", &self.trips)?;
        map.serialize_field("decisions", &self.decisions)?;
        map.serialize_field("duration_sec", &self.duration_sec())?;
        map.serialize_field("approval_wait_sec", &self.approval_wait_sec())?;
        map.serialize_field("rollout_sec", &self.rollout_sec())?;
        map.serialize_field("exposed_instances", &self.exposed)?;
        map.serialize_field("exposed_pct", &self.exposed_pct())?;
        map.serialize_field("blast_radius_pct", &self.blast_radius_pct())?;
        map.serialize_field("harmed_instances", &self.harmed)?;
        map.serialize_field("harmed_pct", &self.harmed_pct())?;
        map.serialize_field("exposure_instance_min", &self.exposure_instance_min())?;
        map.serialize_field("unhealthy_instance_min", &self.unhealthy_instance_min())?;
        map.serialize_field("capacity_loss_instance_min", &self.capacity_loss_instance_min())?;
        map.serialize_field("min_serving_pct", &self.min_serving_pct())?;
        map.serialize_field("time_to_detect_sec", &self.time_to_detect.map(Span::as_secs_f64))?;
        map.serialize_field("time_to_mitigate_sec", &self.time_to_mitigate.map(Span::as_secs_f64))?;
        map.serialize_field("time_to_stop_sec", &self.time_to_stop.map(Span::as_secs_f64))?;
        map.serialize_field("false_failures", &self.false_failures)?;
        map.serialize_field("escaped_instances", &self.escaped)?;
        map.serialize_field("drift", &self.drift)?;
        match self.bricked {
            Some(bricked) => map.serialize_field("bricked_instances", &bricked)?,
            None => map.skip_field("bricked_instances")?,
        }
        map.end()
    }
}
