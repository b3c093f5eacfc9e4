//! The facts for a decision: what the engine knows, never the truth.

use super::tally::Tally;
use dryroll_engine::{BatchPhase, Direction, Engine, Reason, RequestKind};
use dryroll_report::judge::forecast::Forecast;
use dryroll_report::judge::forecast::share;
use dryroll_report::words::events::{because, in_a_row};
use dryroll_report::words::heartbeat_summary;
use dryroll_report::words::plural;
use dryroll_study::drill::{Asked, Briefing, Cell, HeartbeatSummary};

/// How many failures in a row are listed with their reasons.
const LISTED: usize = 4;
/// How many failures the status lists.
const FAILURES: usize = 24;

/// What is known of a plan that waits for approval, a line each.
#[must_use]
pub fn of_plan(engine: &Engine) -> Vec<String> {
    let forecast = Forecast::of(engine);
    let mut lines = vec![forecast.breaker(), forecast.if_it_goes_wrong()];
    lines.extend(engine.expires_at().map(|at| format!("without an answer the request expires at {at}")));
    lines
}

/// What is known of a trip, one line each, with the heartbeat summary.
#[must_use]
pub fn of_trip(
    asked: Asked,
    engine: &Engine,
    tally: &Tally,
    briefing: &Briefing,
    roll: Option<&HeartbeatSummary>,
) -> Vec<String> {
    let run = engine.breaker_run();
    let names = briefing.event_names().instances;
    let mut failures: Vec<String> = Vec::new();
    for &position in run.iter().take(LISTED) {
        let at = tally.failed_at(position).map_or(String::new(), |at| format!(" at {at}"));
        let why = Cell::of(engine, position).word();
        failures.push(format!("{}: {why}{at}", names.name(engine.instance(position))));
    }
    if run.len() > LISTED {
        failures.push(format!("and {} more", run.len() - LISTED));
    }
    let of = if asked.kind == RequestKind::RollbackContinuation { " in the rollback" } else { "" };
    let row = in_a_row(run.len() as u32);
    let limit = engine.breaker().map(|(_, limit)| format!(" (limit {limit})")).unwrap_or_default();
    let mut lines = vec![format!("{row}{of}{limit}: {}", failures.join("; "))];
    let (dispatched, total) = (engine.dispatched(), engine.plan().total_instances());
    lines.push(format!("commanded so far: {dispatched} of {total} ({})", share(dispatched, total)));
    let all = tally.all();
    let well = if engine.direction() == Direction::Back { Cell::Restored } else { Cell::Healthy };
    lines.push(format!(
        "of them {} {}, {} failed, {} in flight without a verdict yet",
        all.of(well),
        well.word(),
        all.failed(),
        all.in_flight()
    ));
    lines.push(way_back(engine, briefing));
    lines
        .extend(roll.into_iter().flat_map(|roll| heartbeat_summary::lines(roll, &briefing.previous, &briefing.target)));
    lines
}

fn way_back(engine: &Engine, briefing: &Briefing) -> String {
    match (engine.direction(), engine.version(Direction::Back)) {
        (Direction::Back, _) => "rollback: this is the rollback, there is no further one".to_owned(),
        (Direction::Forward, Some(_)) => format!("rollback: to {}", briefing.previous),
        (Direction::Forward, None) => "rollback: impossible, the previous version is archived or gone".to_owned(),
    }
}

/// What is known of the instance at a position, in words.
#[must_use]
pub fn of_instance(position: u32, engine: &Engine, tally: &Tally) -> String {
    let cell = Cell::of(engine, position);
    let at = |said: String| match tally.failed_at(position) {
        Some(at) => format!("{said} (at {at})"),
        None => said,
    };
    match cell {
        Cell::UpgradeFailed => at(because(Reason::UpgradeFailed, engine)),
        Cell::TimedOut => at(because(Reason::HealthTimeout, engine)),
        Cell::BackFailed => at(format!("going back: {}", because(Reason::UpgradeFailed, engine))),
        Cell::BackTimedOut => at(format!("going back: {}", because(Reason::HealthTimeout, engine))),
        Cell::Upgrading | Cell::GoingBack => match engine.dispatched_at(position) {
            Some(since) => format!("{} since {since}", cell.word()),
            None => cell.word().to_owned(),
        },
        _ => cell.word().to_owned(),
    }
}

fn failure(position: u32, engine: &Engine, tally: &Tally, briefing: &Briefing) -> String {
    let name = briefing.event_names().instances.name(engine.instance(position));
    format!("{name}: {}", of_instance(position, engine, tally))
}

/// Where a batch stands, in words.
#[must_use]
pub fn of_batch(index: u32, engine: &Engine, tally: &Tally) -> &'static str {
    let counts = tally.batch(index);
    if counts.of(Cell::ToGoBack) + counts.of(Cell::GoingBack) > 0 {
        return "going back";
    }
    match engine.batch_phase(index) {
        BatchPhase::Tripped if engine.direction() == Direction::Back => "rolled back",
        BatchPhase::Pending => "pending",
        BatchPhase::Running => "running",
        BatchPhase::Completed => "completed",
        BatchPhase::Tripped => "tripped",
        BatchPhase::RolledBack => "rolled back",
    }
}

/// Where the rollout stands, a line each: the whole, every batch that has begun, who failed, who is heard of.
#[must_use]
pub fn status(engine: &Engine, tally: &Tally, briefing: &Briefing, roll: &HeartbeatSummary) -> Vec<String> {
    let plan = engine.plan();
    let direction = if engine.direction() == Direction::Back { "rollback" } else { "rollout" };
    let mut lines = vec![
        format!("{direction}: {}", tally.all().words()),
        match engine.breaker() {
            Some((count, limit)) => format!("breaker: {} in a row of {limit}", count.min(limit)),
            None => format!("breaker: {} rules", engine.rules().count()),
        },
    ];
    let begun = (0..plan.batch_count()).filter(|&index| plan.batch(index).start < engine.dispatched());
    lines.extend(begun.map(|index| format!("batch {index}: {}", tally.batch(index).words())));
    let waiting = plan.batch_count() - lines.len().saturating_sub(2) as u32;
    if waiting > 0 {
        lines.push(format!("{} not begun", plural(u64::from(waiting), "batch has", "batches have")));
    }
    let failed = tally.failed();
    lines.extend(failed.take(FAILURES).map(|position| failure(position, engine, tally, briefing)));
    let unlisted = tally.failed().count().saturating_sub(FAILURES);
    if unlisted > 0 {
        lines.push(format!("and {unlisted} more failed"));
    }
    lines.extend(heartbeat_summary::lines(roll, &briefing.previous, &briefing.target));
    lines
}
