//! Harm that goes on when a run is over: what its figures leave out.

use serde::{Deserialize, Serialize};

use crate::words::{number, plural, spoken};
use dryroll_engine::fleet::Span;
use dryroll_sim::scenario::MAX_SECONDS;
use dryroll_sim::sim::Metrics;

/// How much longer a run would have to be observed, by the advice.
const LONGER: Span = Span(3_600_000);

/// Harm that begins or goes on after the moment up to which a run is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HarmGoesOn {
    /// How many harmed instances do not serve at that moment.
    pub instances: u32,
    /// That in words, and how to count more of it.
    pub says: String,
}

impl HarmGoesOn {
    /// Of a run that was observed for so long after its end, after which at least `pending` more instances go down;
    /// `None` where no harm is known to follow.
    #[must_use]
    pub fn of(metrics: &Metrics, pending: u32, observed: Span) -> Option<Self> {
        Self::with(metrics.still_down, pending, observed)
    }

    fn with(instances: u32, pending: u32, observed: Span) -> Option<Self> {
        if instances == 0 && pending == 0 {
            return None;
        }
        let when = match observed {
            Span::ZERO => "when the rollout ends".to_owned(),
            observed => format!("{} after the rollout ends", spoken(observed)),
        };
        if instances == 0 {
            let (who, serve) =
                (plural(u64::from(pending), "instance", "instances"), if pending == 1 { "serves" } else { "serve" });
            let says = format!(
                "at least {who} that the new version takes down later still {serve} {when}, and none of that harm is counted: a larger \
                 `observe_after_sec` in [rollout] counts it"
            );
            return Some(Self { instances, says });
        }
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
        let later = match pending {
            0 => String::new(),
            1 => "; at least 1 more goes down later, which adds to that".to_owned(),
            more => format!("; at least {more} more go down later, which adds to that"),
        };
        let says = format!("{who} {are} still down {when}; the unhealthy time stops there: {advice}{later}");
        Some(Self { instances, says })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_longer_observation_would_add_is_said_and_never_beyond_what_a_file_may_hold() {
        let says = |observed| HarmGoesOn::with(2, 0, Span(observed)).map(|harm| harm.says).unwrap_or_default();
        let hour = "`observe_after_sec = 3600` in [rollout] would add up to 120 instance-minutes: 2 instances × 60 min";
        assert!(says(0).ends_with(hour), "{}", says(0));
        let most = 1_000_000_000_000;
        let minute =
            "`observe_after_sec = 1000000000` in [rollout] would add up to 2 instance-minutes: 2 instances × 1 min";
        assert!(says(most - 60_000).ends_with(minute), "{}", says(most - 60_000));
        assert!(says(most).ends_with("more cannot be observed"), "{}", says(most));
        assert_eq!(HarmGoesOn::with(0, 0, Span(0)), None);
    }

    #[test]
    fn harm_that_is_still_to_come_is_said() {
        let says = |instances, pending| HarmGoesOn::with(instances, pending, Span(0)).expect("harm").says;
        assert!(says(2, 3).ends_with("2 instances × 60 min; at least 3 more go down later, which adds to that"));
        let pending = says(0, 3);
        assert!(pending.starts_with("at least 3 instances that the new version takes down"), "{pending}");
        assert!(pending.contains("none of that harm is counted"), "{pending}");
    }
}
