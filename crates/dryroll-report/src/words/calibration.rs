//! A calibration in words: rates that differ among rollouts, durations and how they were come by.

use crate::model::calibration::{CalibrationReport, DurationReport, FactorReport, RateReport, SpreadReport};
use crate::words::{number, plural};
use dryroll_stats::Interval;

impl CalibrationReport {
    /// Its durations, each with a name for people.
    #[must_use]
    pub fn durations(&self) -> Vec<(String, &DurationReport)> {
        let versions = self.versions.iter().map(|one| (format!("upgrade to {}", one.version), &one.upgrade_time));
        let operator = [
            ("answer to a plan".to_owned(), &self.operator.approval_delay),
            ("decision on a trip".to_owned(), &self.operator.decision_delay),
        ];
        let promotions = self.operator.promotion_delay.iter().map(|delay| ("answer to a promotion".to_owned(), delay));
        versions.chain(operator).chain(promotions).collect()
    }
}

/// How rollouts differ in a rate, where they do.
#[must_use]
pub fn spread(rate: &RateReport) -> Option<String> {
    let spread = rate.spread.as_ref()?;
    let SpreadReport { rollouts, p_value, mean, mean_ci, concentration, concentration_ci } = spread;
    let deviation = (mean * (1.0 - mean) / (concentration + 1.0)).sqrt();
    let next = rate.next_interval().map_or_else(String::new, |Interval { low, high }| {
        format!(
            "; the next rollout's rate, with what is not known of these: {} to {} (95 %)",
            number(low),
            number(high)
        )
    });
    Some(format!(
        "{rollouts} rollouts differ (p = {}): a rollout's rate is beta, mean {} ({} to {}), concentration {} ({} to \
         {}), standard deviation {}{next}",
        number(*p_value),
        number(*mean),
        number(mean_ci.low),
        number(mean_ci.high),
        number(*concentration),
        number(concentration_ci.low),
        number(concentration_ci.high),
        number(deviation)
    ))
}

/// How rollouts differ in how long upgrades take.
#[must_use]
pub fn of_factor(factor: &FactorReport) -> String {
    let &FactorReport { rollouts, p_value, sigma, sigma_ci: Interval { low, high } } = factor;
    format!(
        "{rollouts} rollouts differ (p = {}): the factor of a rollout's times is lognormal, median 1, sigma {} ({} to {})",
        number(p_value),
        number(sigma),
        number(low),
        number(high)
    )
}

/// How a duration was come by.
pub fn about(duration: &DurationReport) -> String {
    let Some(fit) = &duration.fit else { return "nothing was seen".to_owned() };
    let seen = plural(duration.n, "time", "times");
    let open = if duration.censored > 0 { format!(" and {} without an end", duration.censored) } else { String::new() };
    let parameters: Vec<String> = fit
        .parameters
        .iter()
        .map(|one| format!("{} {} ({} to {})", one.name, number(one.estimate), number(one.ci.low), number(one.ci.high)))
        .collect();
    let parameters = if parameters.is_empty() { String::new() } else { format!(": {}", parameters.join(", ")) };
    let agreement = fit.goodness.map_or_else(String::new, |one| format!("; agreement p = {}", number(one.p_value)));
    format!("{} from {seen}{open}{parameters}{agreement}", fit.family.name())
}
