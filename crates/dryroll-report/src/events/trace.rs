//! The timeline: Chrome's trace JSON, which Perfetto opens. One track an instance, batches, breaker and people on their
//! own.
//!
//! Format: "Trace Event Format" (Google), complete events (`X`), instants (`i`), counters (`C`) and metadata (`M`);
//! times in microseconds.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::events::chronicle::Chronicle;
use dryroll_engine::RolloutId;
use dryroll_engine::fleet::DigestId;
use dryroll_sim::scenario::Scenario;
use dryroll_sim::sim::{Doing, FaultEffect, Release, Segment, Simulator};

const ROLLOUT: u32 = 1;
const INSTANCES: u32 = 2;
const BATCHES: u32 = 1;
const BREAKER: u32 = 2;
const PEOPLE: u32 = 3;
const FAULTS: u32 = 4;

struct Writer<W> {
    out: W,
    first: bool,
}

impl<W: Write> Writer<W> {
    fn event(&mut self, event: &Value) -> io::Result<()> {
        self.out.write_all(if self.first { b"[\n" } else { b",\n" })?;
        self.first = false;
        dryroll_sim::json::write(&mut self.out, event)
    }

    fn name(&mut self, what: &str, pid: u32, tid: u32, name: &str) -> io::Result<()> {
        self.event(&json!({"ph": "M", "name": what, "pid": pid, "tid": tid, "args": {"name": name}}))
    }

    fn slice(&mut self, pid: u32, tid: u32, name: &str, from: u64, to: u64, args: Value) -> io::Result<()> {
        let (ts, dur) = (from * 1000, to.saturating_sub(from) * 1000);
        self.event(&json!({"ph": "X", "name": name, "pid": pid, "tid": tid, "ts": ts, "dur": dur, "args": args}))
    }

    fn counter(&mut self, name: &str, at: u64, value: i64) -> io::Result<()> {
        self.event(&json!({"ph": "C", "name": name, "pid": ROLLOUT, "ts": at * 1000, "args": {"instances": value}}))
    }
}

/// Writes the timeline of a run that is over.
///
/// # Errors
/// When writing fails.
pub fn write(
    out: impl Write,
    scenario: &Scenario,
    simulator: &mut Simulator<'_>,
    chronicle: &Chronicle,
    effects: &[FaultEffect],
) -> io::Result<()> {
    let clock = simulator.clock();
    let end = clock.0;
    let names = scenario.fleet.names();
    let mut writer = Writer { out, first: true };
    writer.name("process_name", ROLLOUT, 0, &format!("rollout: {}", scenario.name))?;
    writer.name("process_name", INSTANCES, 0, "instances")?;
    for (tid, name) in [(BATCHES, "batches"), (BREAKER, "breaker"), (PEOPLE, "approvals"), (FAULTS, "faults")] {
        writer.name("thread_name", ROLLOUT, tid, name)?;
        writer.event(
            &json!({"ph": "M", "name": "thread_sort_index", "pid": ROLLOUT, "tid": tid, "args": {"sort_index": tid}}),
        )?;
    }
    for batch in &chronicle.batches {
        let kind = if batch.rollout == RolloutId::FIRST { "batch" } else { "rollback batch" };
        let to = batch.completed_at.map_or(end, |at| at.0);
        let args = json!({"healthy": batch.healthy_count, "failed": batch.failed_count});
        writer.slice(ROLLOUT, BATCHES, &format!("{kind} {}", batch.index), batch.started_at.0, to, args)?;
    }
    for trip in &chronicle.trips {
        let failed: Vec<String> = trip.failed.iter().map(|&id| names.name(id).to_string()).collect();
        let to = trip.decided.map_or(end, |(_, at)| at.0);
        let args = json!({"failed": failed, "decision": trip.decided.map(|(decision, _)| decision.name())});
        writer.slice(ROLLOUT, BREAKER, "tripped", trip.at.0, to.max(trip.at.0 + 1), args)?;
    }
    for record in &chronicle.requests {
        let (to, how) = record.resolved.map_or((end, "no answer"), |(at, how)| (at.0, how));
        writer.slice(ROLLOUT, PEOPLE, &format!("{}: {how}", record.request), record.opened_at.0, to, json!({}))?;
    }
    for (fault, effect) in effects.iter().enumerate() {
        if let Some(window) = effect.window {
            let args = json!({"fault": fault, "touched_instances": effect.touched_instances});
            writer.slice(ROLLOUT, FAULTS, effect.kind, window.start.0, window.end.0.min(end), args)?;
        }
    }
    let mut steps: Vec<(u64, i64)> = Vec::new();
    let previous = scenario.previous().map_or("an older version", |version| version.id.raw());
    let target = simulator.compiled().digest(Release::Target);
    let own = simulator.compiled().digest(Release::Previous);
    let label = |release: Release| if release == Release::Target { scenario.target().id.raw() } else { previous };
    let runs = |digest: DigestId| match digest {
        digest if digest == target => label(Release::Target),
        digest if digest == own => label(Release::Previous),
        _ => "another version",
    };
    for position in 0..simulator.compiled().total() {
        let id = simulator.engine().instance(position);
        let (tid, name) = (position + 1, names.name(id).to_string());
        writer.name("thread_name", INSTANCES, tid, &name)?;
        for segment in simulator.history(position, clock) {
            let args = json!({"runs": runs(segment.running), "reports": segment.report.map(label)});
            writer.slice(INSTANCES, tid, &describe(&segment, &label, &runs), segment.from.0, segment.to.0, args)?;
            if !segment.doing.serves() {
                steps.extend([(segment.from.0, -1), (segment.to.0, 1)]);
            }
        }
    }
    steps.sort_unstable();
    let mut serving = i64::from(simulator.compiled().total());
    writer.counter("serving", 0, serving)?;
    for (i, &(at, change)) in steps.iter().enumerate() {
        serving += change;
        if steps.get(i + 1).is_none_or(|&(next, _)| next > at) {
            writer.counter("serving", at, serving)?;
        }
    }
    writer.out.write_all(b"\n]\n")
}

fn describe<'a>(segment: &Segment, label: &impl Fn(Release) -> &'a str, runs: &impl Fn(DigestId) -> &'a str) -> String {
    match segment.doing {
        Doing::Serving if segment.report.is_some() => format!("{} (upgrade failed)", runs(segment.running)),
        Doing::Serving => runs(segment.running).to_owned(),
        Doing::Upgrading => format!("upgrading to {}", label(segment.commanded)),
        doing => doing.name().to_owned(),
    }
}
