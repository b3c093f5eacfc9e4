//! The sampled upgrade of one instance to one version, if nothing interferes.

use super::draws::{InstanceBlock, unit};
use super::sampler::Sampler;
use crate::scenario::{OutcomeRates, UpgradeOutcome};
use dryroll_engine::fleet::Span;

/// How one upgrade ends, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampledUpgrade {
    /// How it ends.
    pub outcome: UpgradeOutcome,
    /// How long it takes.
    pub upgrade: Span,
    /// How long after its end a crashing one dies and a degrading one becomes unhealthy; the others never do.
    pub fails_after: Option<Span>,
}

impl SampledUpgrade {
    /// One draw decides between the bad outcomes and `ok`; a fixed outcome needs none. `factor` multiplies the upgrade
    /// time.
    #[inline(always)]
    pub fn draw(
        fixed: Option<UpgradeOutcome>,
        rates: &OutcomeRates,
        upgrade: &Sampler,
        crash_after: &Sampler,
        degrade_after: &Sampler,
        factor: f64,
        block: &InstanceBlock,
    ) -> Self {
        let outcome = fixed.unwrap_or_else(|| outcome(rates, unit(block.outcome)));
        let fails_after = match outcome {
            UpgradeOutcome::Crash => Some(crash_after.draw(block.crash_after)),
            UpgradeOutcome::Degrade => Some(degrade_after.draw(block.crash_after)),
            UpgradeOutcome::Ok
            | UpgradeOutcome::Fail
            | UpgradeOutcome::Hang
            | UpgradeOutcome::Unhealthy
            | UpgradeOutcome::Brick => None,
        };
        let upgrade =
            if factor == 1.0 { upgrade.draw(block.upgrade) } else { upgrade.draw_times(block.upgrade, factor) };
        Self { outcome, upgrade, fails_after }
    }
}

/// Failure, hang, unhealthy, crash, brick, degrade, ok, in this order from 0 to 1: a version with a higher failure rate and no other
/// change fails on the same instances and more.
fn outcome(rates: &OutcomeRates, u: f64) -> UpgradeOutcome {
    // Most upgrades succeed, and need no further comparison.
    if u >= rates.sum() {
        return UpgradeOutcome::Ok;
    }
    let mut limit = rates.failure;
    if u < limit {
        return UpgradeOutcome::Fail;
    }
    limit += rates.hang;
    if u < limit {
        return UpgradeOutcome::Hang;
    }
    limit += rates.unhealthy;
    if u < limit {
        return UpgradeOutcome::Unhealthy;
    }
    limit += rates.crash;
    if u < limit {
        return UpgradeOutcome::Crash;
    }
    limit += rates.brick;
    if u < limit { UpgradeOutcome::Brick } else { UpgradeOutcome::Degrade }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_draw_decides() {
        let rates = OutcomeRates { failure: 0.1, hang: 0.2, unhealthy: 0.3, crash: 0.1, brick: 0.1, degrade: 0.1 };
        for (u, wanted) in [
            (0.05, UpgradeOutcome::Fail),
            (0.15, UpgradeOutcome::Hang),
            (0.35, UpgradeOutcome::Unhealthy),
            (0.65, UpgradeOutcome::Crash),
            (0.75, UpgradeOutcome::Brick),
            (0.85, UpgradeOutcome::Degrade),
            (0.95, UpgradeOutcome::Ok),
        ] {
            assert_eq!(outcome(&rates, u), wanted);
        }
        assert_eq!(outcome(&OutcomeRates::default(), 1e-300), UpgradeOutcome::Ok);
    }
}
