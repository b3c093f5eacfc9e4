//! The fleet and its network.

use super::super::file::{Fleet, Network};
use super::super::tree::Cursor;
use super::super::{FleetSpec, NetworkSpec};
use super::context::Reports;
use super::values::{distribution, span};
use dryroll_engine::fleet::{InstanceStatus, Span};

pub(super) fn fleet(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Fleet) -> FleetSpec {
    let heartbeat_interval = span(file.heartbeat_interval_sec);
    let heartbeat_phase = file.heartbeat_phase_sec.map(span);
    phase_below_interval(reports, &at.key("heartbeat_phase_sec"), heartbeat_phase, heartbeat_interval);

    let counts = InstanceStatus::ALL.map(|status| (status, count(file, status)));
    let listed: u64 = counts.iter().map(|&(_, count)| u64::from(count)).sum();
    let mut statuses: Vec<(InstanceStatus, u32)> = counts.into_iter().filter(|&(_, count)| count > 0).collect();
    if listed > u64::from(file.instances) {
        reports.add(at.key("statuses").value(), |mark| {
            mark.say("`statuses` counts more instances than the fleet has")
                .label(format!("adds up to {listed}"))
                .allowed(format!("at most {}, the `instances` of the fleet", file.instances))
        });
        statuses.clear();
    }
    FleetSpec {
        template_id: file.template_id.clone().into(),
        instances: file.instances,
        zones: file.zones,
        heartbeat_interval,
        heartbeat_phase,
        heartbeat_loss_rate: file.heartbeat_loss_rate,
        heartbeat_delay: distribution(reports, &at.key("heartbeat_delay_sec"), &file.heartbeat_delay_sec),
        statuses,
        crash_rate_per_1000_days: file.crash_rate_per_1000_days,
        repair: distribution(reports, &at.key("repair_sec"), &file.repair_sec),
    }
}

fn count(file: &Fleet, status: InstanceStatus) -> u32 {
    let statuses = &file.statuses;
    match status {
        InstanceStatus::Running => statuses.running,
        InstanceStatus::Starting => statuses.starting,
        InstanceStatus::Stopped => statuses.stopped,
        InstanceStatus::Error => statuses.error,
        InstanceStatus::Terminated => statuses.terminated,
    }
}

/// A timer that begins at its phase must do so within its first interval.
pub(super) fn phase_below_interval(reports: &mut Reports<'_>, at: &Cursor<'_>, phase: Option<Span>, interval: Span) {
    let Some(phase) = phase.filter(|&phase| phase >= interval) else { return };
    reports.add(at.value(), |mark| {
        mark.say("`heartbeat_phase_sec` is not below the interval")
            .label(format!("found {}", phase.as_secs_f64()))
            .allowed(format!("0 or more, below {}, the fleet's `heartbeat_interval_sec`", interval.as_secs_f64()))
            .help("left out, a phase is drawn for each instance")
    });
}

pub(super) fn network(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Network) -> NetworkSpec {
    NetworkSpec {
        flap_rate_per_hour: file.flap_rate_per_hour,
        flap_down: distribution(reports, &at.key("flap_down_sec"), &file.flap_down_sec),
        zone_outage_rate_per_day: file.zone_outage_rate_per_day,
        zone_outage: distribution(reports, &at.key("zone_outage_sec"), &file.zone_outage_sec),
    }
}
