//! The first request: the probability of its approval, and the time of it.

use super::OutOfScope;
use dryroll_engine::InterventionPolicy;
use dryroll_engine::fleet::Span;
use dryroll_sim::sim::CompiledScenario;
use dryroll_sim::sim::sampler::Sampler;
use dryroll_stats::exact::sum_of_falling;

/// A probability below this counts as zero.
pub(super) const NEGLIGIBLE: f64 = 1e-12;
const BUDGET: usize = 200_000;

/// The result of the first request. Times in milliseconds.
#[derive(Clone, Debug)]
pub(in crate::study) struct Approval {
    pub approved: f64,
    pub rejected: f64,
    pub expired: f64,
    /// The mean wait for the answer or the expiry.
    pub wait: Result<f64, String>,
    /// The mean time of the first tick after an approval, or of the end without one.
    pub first: Result<f64, String>,
    /// The latest time of the answer or the expiry.
    pub latest: u64,
    /// The distribution of the time to the answer, within the expiry.
    answered: Option<Sampler>,
}

impl Approval {
    pub fn of(compiled: &CompiledScenario) -> Result<Self, OutOfScope> {
        if compiled.settings.policy != InterventionPolicy::RequireApproval {
            return Ok(Self {
                approved: 1.0,
                rejected: 0.0,
                expired: 0.0,
                wait: Ok(0.0),
                first: Ok(0.0),
                latest: 0,
                answered: None,
            });
        }
        let traits = &compiled.operator;
        let delay = &traits.approval_delay;
        let expires = compiled.settings.approval_expires.0;
        let answered = match (traits.edit.is_some(), delay) {
            (true, Sampler::Constant(span)) => Some(Sampler::Constant(Span(2 * span.0))),
            (true, _) => None,
            (false, delay) => Some(delay.clone()),
        };
        let Some(answer) = answered else {
            if 2.0 * (1.0 - delay.cumulative(expires / 2)) > NEGLIGIBLE {
                return Err(OutOfScope::new("two drawn delays, of the edit and of the answer, run against the expiry"));
            }
            let why = "the sum of two drawn delays, of the edit and of the answer, is not tabulated";
            return Ok(Self {
                approved: f64::from(u8::from(traits.approves)),
                rejected: f64::from(u8::from(!traits.approves)),
                expired: 0.0,
                wait: Ok(2.0 * mean(delay)),
                first: if traits.approves { Err(why.to_owned()) } else { Ok(2.0 * mean(delay)) },
                latest: expires.min(2 * delay.longest().0),
                answered: None,
            });
        };
        let in_time = answer.cumulative(expires);
        let too_long = || "the operator's delay is spread too widely to be summed".to_owned();
        let wait = mean_up_to(&answer, expires).ok_or_else(too_long);
        let tick = compiled.tick_interval.0;
        let ticks = sum_of_falling(expires.div_ceil(tick), 1e-6 / tick as f64, BUDGET, |k| {
            in_time - answer.cumulative(k * tick)
        });
        let first_tick = ticks.map(|ticks| ticks * tick as f64 + (1.0 - in_time) * expires as f64).ok_or_else(too_long);
        Ok(Self {
            approved: if traits.approves { in_time } else { 0.0 },
            rejected: if traits.approves { 0.0 } else { in_time },
            expired: 1.0 - in_time,
            first: if traits.approves { first_tick } else { wait.clone() },
            wait,
            latest: expires.min(answer.longest().0),
            answered: Some(answer),
        })
    }

    /// P(the answer takes longer than `limit`), or an upper bound of it.
    pub fn later_than(&self, limit: u64) -> f64 {
        match &self.answered {
            _ if self.latest <= limit => 0.0,
            Some(answer) => 1.0 - answer.cumulative(limit),
            None => 1.0,
        }
    }
}

/// E min(D, most) of a duration D, milliseconds; `None` where it is spread too wide to be summed.
pub(in crate::study) fn mean_up_to(delay: &Sampler, most: u64) -> Option<f64> {
    sum_of_falling(most, 1e-3, BUDGET, |t| 1.0 - delay.cumulative(t))
}

/// The mean of a duration on the grid of whole milliseconds; for a smooth distribution, the mean off the grid.
pub(super) fn mean(sampler: &Sampler) -> f64 {
    match sampler {
        Sampler::Empirical(values) => {
            values.iter().map(|&value| Span::from_millis_f64(value).0 as f64).sum::<f64>() / values.len() as f64
        }
        Sampler::Uniform { min, width } if *width == 0.0 => Span::from_millis_f64(*min).0 as f64,
        smooth => smooth.mean(),
    }
}
