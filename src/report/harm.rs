//! Harm that goes on when a run is over: what its figures leave out.

use serde::{Deserialize, Serialize};

use super::wording::{plural, spoken};
use crate::fleet::Span;
use crate::sim::Metrics;

/// How much longer a run would have to be observed, by the advice.
const LONGER: Span = Span(3_600_000);

/// Harmed instances that do not serve at the moment up to which a run is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HarmGoesOn {
    /// How many.
    pub instances: u32,
    /// That in words, and how to count more of it.
    pub says: String,
}

impl HarmGoesOn {
    /// Of a run that was observed for so long after its end; `None` where no harm goes on.
    #[must_use]
    pub fn of(metrics: &Metrics, observed: Span) -> Option<Self> {
        let instances = metrics.still_down;
        if instances == 0 {
            return None;
        }
        let when = match observed {
            Span::ZERO => "when the rollout ends".to_owned(),
            observed => format!("{} after the rollout ends", spoken(observed)),
        };
        let are = if instances == 1 { "is" } else { "are" };
        let says = format!(
            "{} {are} still down {when}; the unhealthy time stops there: `observe_after_sec = {}` in [rollout] would \
             count an hour more",
            plural(u64::from(instances), "instance", "instances"),
            Span(observed.0.saturating_add(LONGER.0)).as_secs_f64()
        );
        Some(Self { instances, says })
    }
}
