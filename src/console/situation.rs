//! The facts for a decision: what the engine knows, never the truth.

use super::tally::Tally;
use dryroll_engine::fleet::At;
use dryroll_engine::{BatchPhase, Direction, Engine, Reason, RequestKind, TripReason};
use dryroll_report::judge::forecast::Forecast;
use dryroll_report::judge::forecast::share;
use dryroll_report::words::events::{because, in_a_row};
use dryroll_report::words::{heartbeat_summary, plural, rules, spoken};
use dryroll_study::drill::{Asked, Briefing, Cell, HeartbeatSummary};

/// How many of the failures that tripped are listed with their reasons.
const LISTED: usize = 4;
/// How many failures the status lists.
const FAILURES: usize = 24;

/// What is known of a plan that waits for approval, a line each.
#[must_use]
pub fn of_plan(engine: &Engine) -> Vec<String> {
    let forecast = Forecast::of(engine);
    let mut lines = Vec::new();
    // Where only rules trip, what is said of failures in a row says nothing.
    if forecast.limit.is_some() || engine.rules().next().is_none() {
        lines.extend([forecast.breaker(), forecast.if_it_goes_wrong()]);
    }
    lines.extend(rules::lines(engine));
    lines.extend(engine.expires_at().map(|at| format!("without an answer the request expires at {at}")));
    lines
}

/// What is known of what is asked, one line each, with the heartbeat summary; of a plan [`of_plan`].
#[must_use]
pub fn of_request(
    asked: Asked,
    engine: &Engine,
    tally: &Tally,
    briefing: &Briefing,
    roll: Option<&HeartbeatSummary>,
) -> Vec<String> {
    let mut lines = match asked.kind {
        RequestKind::RollingUpgrade => return of_plan(engine),
        RequestKind::RollingUpgradeContinuation | RequestKind::RollbackContinuation => {
            vec![of_trip(asked.kind, engine, tally, briefing)]
        }
        RequestKind::Promotion => of_promotion(engine, tally, asked.at),
    };
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
    lines.extend(unwell(engine));
    if engine.direction() == Direction::Forward {
        lines.extend(rules::lines(engine));
    }
    lines.push(way_back(engine, briefing));
    lines
        .extend(roll.into_iter().flat_map(|roll| heartbeat_summary::lines(roll, &briefing.previous, &briefing.target)));
    lines
}

/// What tripped, and the instances that the rule counted.
fn of_trip(kind: RequestKind, engine: &Engine, tally: &Tally, briefing: &Briefing) -> String {
    let names = briefing.event_names().instances;
    let rule = tally.trip().filter(|trip| matches!(trip.reason, TripReason::Rule { .. }));
    let counted = rule.map_or(engine.breaker_run(), |trip| &trip.failed);
    let mut failures: Vec<String> = Vec::new();
    for &position in counted.iter().take(LISTED) {
        let at = tally.failed_at(position).map_or(String::new(), |at| format!(" at {at}"));
        let why = Cell::of(engine, position).word();
        failures.push(format!("{}: {why}{at}", names.name(engine.instance(position))));
    }
    if counted.len() > LISTED {
        failures.push(format!("and {} more", counted.len() - LISTED));
    }
    let failures = if failures.is_empty() { String::new() } else { format!(": {}", failures.join("; ")) };
    if let Some(trip) = rule {
        return format!("{}, in batch {}{failures}", trip.reason, trip.batch_index);
    }
    let of = if kind == RequestKind::RollbackContinuation { " in the rollback" } else { "" };
    let row = in_a_row(counted.len() as u32);
    let limit = engine.breaker().map(|(_, limit)| format!(" (limit {limit})")).unwrap_or_default();
    format!("{row}{of}{limit}{failures}")
}

/// The bake that is over and the health of the batches that are not all healthy, and of the last.
fn of_promotion(engine: &Engine, tally: &Tally, asked_at: At) -> Vec<String> {
    let next = engine.batches_begun();
    let Some(last) = next.checked_sub(1) else { return Vec::new() };
    let baked = match tally.bake() {
        Some(bake) if bake.batch_index == last && bake.until <= asked_at => {
            format!("; it baked for {}", spoken(bake.until - bake.from))
        }
        Some(_) | None => String::new(),
    };
    let mut lines = vec![format!("batch {last}: {}{baked}", tally.batch(last).words())];
    let is_open = |index: &u32| engine.batch_phase(*index) == BatchPhase::Running;
    let open: Vec<String> = (0..last).filter(is_open).map(|index| index.to_string()).collect();
    if !open.is_empty() {
        lines.push(format!("not complete yet: batch {}", open.join(", ")));
    }
    lines
}

/// How many are unwell, where they are watched.
fn unwell(engine: &Engine) -> Option<String> {
    let unwell = u64::from(engine.unwell()?);
    Some(format!("unwell and not in flight: {}", plural(unwell, "instance", "instances")))
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
        Cell::Upgrading | Cell::GoingBack => {
            let since = engine.dispatched_at(position).map_or_else(String::new, |since| format!(" since {since}"));
            let retry = match engine.attempt(position) {
                0 => String::new(),
                attempt => format!(", retry {attempt}"),
            };
            format!("{}{since}{retry}", cell.word())
        }
        Cell::Relapsed => at(because(Reason::Relapsed, engine)),
        Cell::Waiting | Cell::Healthy | Cell::ToGoBack | Cell::Restored if engine.is_unwell(position) => {
            format!("{}, unwell", cell.word())
        }
        Cell::Waiting | Cell::Healthy | Cell::ToGoBack | Cell::Restored => cell.word().to_owned(),
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
    let layout = tally.layout();
    let direction = if engine.direction() == Direction::Back { "rollback" } else { "rollout" };
    let mut lines = vec![format!("{direction}: {}", tally.all().words())];
    lines.extend(engine.breaker().map(|(count, limit)| format!("breaker: {} in a row of {limit}", count.min(limit))));
    if engine.direction() == Direction::Forward {
        lines.extend(rules::lines(engine));
    }
    lines.extend(engine.bake_ends().map(|until| format!("bakes until {until}")));
    lines.extend(unwell(engine));
    let is_begun = |index: &u32| layout.batch(*index).start < engine.dispatched();
    let begun = (0..layout.len()).take_while(is_begun).count() as u32;
    lines.extend((0..begun).map(|index| format!("batch {index}: {}", tally.batch(index).words())));
    let waiting = layout.len() - begun;
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
