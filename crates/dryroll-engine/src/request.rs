//! The request (§1): the skill's inputs are checked against the platform, and refused by name or turned into a plan.

use std::num::NonZeroU32;

use super::{BatchSizes, Plan, PlanOrder, Refusal};
use crate::fleet::{DigestId, InstanceId, InstanceStatus, LifecycleState, Span};

/// The skill's inputs, as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The template whose instances are upgraded.
    pub template_id: &'a str,
    /// The module to upgrade.
    pub module_id: &'a str,
    /// The version to upgrade to.
    pub target_version_id: &'a str,
    /// The share of the plan in a batch, in percent.
    pub batch_pct: i64,
    /// The number of failures in a row that trips the breaker.
    pub max_consecutive_failures: i64,
    /// How long an instance may take to become healthy.
    pub health_timeout: Span,
}

/// What a request needs to know of the platform.
pub trait Inventory {
    /// Whether the caller holds `system.fleet_rolling_upgrade`.
    fn may_upgrade(&self) -> bool;
    /// Whether the template exists.
    fn has_template(&self, template_id: &str) -> bool;
    /// Whether the module exists.
    fn has_module(&self, module_id: &str) -> bool;
    /// The state and the digest of a version of the module; `None` if there is no such version.
    fn version(&self, module_id: &str, version_id: &str) -> Option<(LifecycleState, DigestId)>;
    /// Whether an instance is never planned, whatever it runs.
    fn is_pinned(&self, _instance: InstanceId) -> bool {
        false
    }
    /// The template's instances that carry the module, in the fleet's order: id, status, and the digest that it runs.
    fn instances(
        &self,
        template_id: &str,
        module_id: &str,
    ) -> impl Iterator<Item = (InstanceId, InstanceStatus, DigestId)>;
}

impl Request<'_> {
    /// Checks the request and computes its plan and the breaker's limit. Changes nothing.
    ///
    /// # Errors
    /// A [`Refusal`] for the first thing that is wrong.
    pub fn plan(&self, inventory: &impl Inventory) -> Result<(Plan, NonZeroU32), Refusal> {
        if !inventory.may_upgrade() {
            return Err(Refusal::PermissionMissing);
        }
        if !inventory.has_template(self.template_id) {
            return Err(Refusal::UnknownTemplate(self.template_id.to_owned()));
        }
        if !inventory.has_module(self.module_id) {
            return Err(Refusal::UnknownModule(self.module_id.to_owned()));
        }
        let (state, target) = inventory
            .version(self.module_id, self.target_version_id)
            .ok_or_else(|| Refusal::UnknownVersion(self.target_version_id.into()))?;
        if !state.can_be_rolled_out() {
            return Err(Refusal::NotPromoted { version: self.target_version_id.into(), state });
        }
        let out_of_range = |name, found, allowed| Refusal::OutOfRange { name, found, allowed };
        let batch_pct = u32::try_from(self.batch_pct)
            .ok()
            .filter(|pct| (1..=100).contains(pct))
            .ok_or_else(|| out_of_range("batch_pct", self.batch_pct, "1 to 100"))?;
        let limit = u32::try_from(self.max_consecutive_failures)
            .ok()
            .and_then(NonZeroU32::new)
            .ok_or_else(|| out_of_range("max_consecutive_failures", self.max_consecutive_failures, "at least 1"))?;
        if self.health_timeout == Span::ZERO {
            return Err(out_of_range("health_timeout_sec", 0, "more than 0"));
        }
        let mut skipped = Vec::new();
        let order = PlanOrder::new(
            inventory
                .instances(self.template_id, self.module_id)
                .filter(|(_, status, _)| status.is_eligible())
                .filter_map(|(id, _, digest)| {
                    if digest == target || inventory.is_pinned(id) {
                        skipped.push(id);
                        return None;
                    }
                    Some(id)
                }),
        );
        Ok((Plan::new(order, skipped, &BatchSizes::pct(batch_pct)), limit))
    }
}
