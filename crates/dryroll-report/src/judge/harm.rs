//! Harm that goes on when a run is over: what its figures leave out.

use serde::{Deserialize, Serialize};

use crate::words::{number, plural, spoken};
use dryroll_engine::fleet::Span;
use dryroll_sim::scenario::MAX_SECONDS;
use dryroll_sim::sim::Metrics;

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
        Self::with(metrics.still_down, observed)
    }

    fn with(instances: u32, observed: Span) -> Option<Self> {
        if instances == 0 {
            return None;
        }
        let when = match observed {
            Span::ZERO => "when the rollout ends".to_owned(),
            observed => format!("{} after the rollout ends", spoken(observed)),
        };
        let are = if instances == 1 { "is" } else { "are" };
        let who = plural(u64::from(instances), "instance", "instances");
        let most = (MAX_SECONDS * 1000.0) as u64;
        let until = observed.0.saturating_add(LONGER.0).min(most);
        let more = until.saturating_sub(observed.0);
        let advice = if more == 0 {
            "more cannot be observed".to_owned()
        } else {
            let minutes = more as f64 / 60_000.0;
            format!(
                "`observe_after_sec = {}` in [rollout] would add up to {} instance-minutes: {who} × {} min",
                Span(until).as_secs_f64(),
                number(f64::from(instances) * minutes),
                number(minutes)
            )
        };
        let says = format!("{who} {are} still down {when}; the unhealthy time stops there: {advice}");
        Some(Self { instances, says })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_longer_observation_would_add_is_said_and_never_beyond_what_a_file_may_hold() {
        let says = |observed| HarmGoesOn::with(2, Span(observed)).map(|harm| harm.says).unwrap_or_default();
        let hour = "`observe_after_sec = 3600` in [rollout] would add up to 120 instance-minutes: 2 instances × 60 min";
        assert!(says(0).ends_with(hour), "{}", says(0));
        let most = 1_000_000_000_000;
        let minute =
            "`observe_after_sec = 1000000000` in [rollout] would add up to 2 instance-minutes: 2 instances × 1 min";
        assert!(says(most - 60_000).ends_with(minute), "{}", says(most - 60_000));
        assert!(says(most).ends_with("more cannot be observed"), "{}", says(most));
        assert_eq!(HarmGoesOn::with(0, Span(0)), None);
    }
}
