//! The timeline: Chrome's trace JSON, which Perfetto opens. One track an instance, batches, breaker and people on their
//! own.
//!
//! Format: "Trace Event Format" (Google), complete events (`X`), instants (`i`), counters (`C`) and metadata (`M`);
//! times in microseconds.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::events::chronicle::Chronicle;
use dryroll_engine::RolloutId;
use dryroll_engine::fleet::{DigestId, InstanceId};
use dryroll_sim::scenario::Scenario;
use dryroll_sim::sim::{Doing, FaultEffect, Release, Segment, Simulator};

const ROLLOUT: u32 = 1;
const INSTANCES: u32 = 2;
const BATCHES: u32 = 1;
const BREAKER: u32 = 2;
const PEOPLE: u32 = 3;
const FAULTS: u32 = 4;
const BAKES: u32 = 5;
/// Batches that overlap have tracks of their own, from here on.
const FURTHER_BATCHES: u32 = 6;

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

    /// A moment on a track.
    fn instant(&mut self, pid: u32, tid: u32, name: &str, at: u64, args: Value) -> io::Result<()> {
        let ts = at * 1000;
        self.event(&json!({"ph": "i", "s": "t", "name": name, "pid": pid, "tid": tid, "ts": ts, "args": args}))
    }

    /// A track of the rollout that only some runs have.
    fn track(&mut self, tid: u32, name: &str) -> io::Result<()> {
        self.name("thread_name", ROLLOUT, tid, name)?;
        self.event(
            &json!({"ph": "M", "name": "thread_sort_index", "pid": ROLLOUT, "tid": tid, "args": {"sort_index": tid}}),
        )
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
    batches(&mut writer, chronicle, end)?;
    let list = |ids: &[InstanceId]| ids.iter().map(|&id| names.name(id).to_string()).collect::<Vec<_>>();
    for trip in &chronicle.trips {
        let asks_nobody = trip.then.map(|_| trip.at);
        let to = trip.decided.map(|(_, at)| at).or(asks_nobody).map_or(end, |at| at.0);
        let mut args =
            json!({"failed": list(&trip.failed), "decision": trip.decided.map(|(decision, _)| decision.name())});
        if let Some(reason) = trip.rule_reason() {
            args["reason"] = reason.into();
        }
        if let Some(then) = trip.then_name() {
            args["then"] = then.into();
        }
        writer.slice(ROLLOUT, BREAKER, "tripped", trip.at.0, to.max(trip.at.0 + 1), args)?;
    }
    for note in &chronicle.notes {
        let args = json!({"failed": list(&note.failed), "reason": note.reason.to_string()});
        writer.instant(ROLLOUT, BREAKER, "noted", note.at.0, args)?;
    }
    for record in &chronicle.requests {
        let (to, how) = record.resolved.map_or((end, "no answer"), |(at, how)| (at.0, how));
        let args = record.promotes.map_or_else(|| json!({}), |batch| json!({"promotes": batch}));
        writer.slice(ROLLOUT, PEOPLE, &format!("{}: {how}", record.request), record.opened_at.0, to, args)?;
    }
    for (fault, effect) in effects.iter().enumerate() {
        if let Some(window) = effect.window {
            let args = json!({"fault": fault, "touched_instances": effect.touched_instances});
            writer.slice(ROLLOUT, FAULTS, effect.kind, window.start.0, window.end.0.min(end), args)?;
        }
    }
    let mut marks = marks(chronicle);
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
        for (at, name, args) in marks.remove(&id).unwrap_or_default() {
            writer.instant(INSTANCES, tid, name, at, args)?;
        }
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

/// The batches. One that begins before another is over, of the same rollout, has a track below it.
fn batches<W: Write>(writer: &mut Writer<W>, chronicle: &Chronicle, end: u64) -> io::Result<()> {
    let mut over: [Vec<u64>; 2] = Default::default();
    let mut tracks = 1;
    for batch in &chronicle.batches {
        let is_first = batch.rollout == RolloutId::FIRST;
        let kind = if is_first { "batch" } else { "rollback batch" };
        let to = batch.completed_at.map_or(end, |at| at.0);
        let mut args = json!({"healthy": batch.healthy_count, "failed": batch.failed_count});
        for (name, count) in [("relapsed", batch.relapses), ("retries", batch.retries)] {
            if count > 0 {
                args[name] = count.into();
            }
        }
        let over = &mut over[usize::from(!is_first)];
        let track = over.iter().position(|&end| end <= batch.started_at.0).unwrap_or(over.len());
        match over.get_mut(track) {
            Some(over) => *over = to,
            None => over.push(to),
        }
        let track = track as u32;
        let tid = if track == 0 { BATCHES } else { FURTHER_BATCHES + track - 1 };
        if track >= tracks {
            tracks = track + 1;
            writer.track(tid, "batches that overlap")?;
        }
        writer.slice(ROLLOUT, tid, &format!("{kind} {}", batch.index), batch.started_at.0, to, args)?;
    }
    if !chronicle.bakes.is_empty() {
        writer.track(BAKES, "bakes")?;
    }
    for bake in &chronicle.bakes {
        let name = format!("bake of batch {}", bake.batch_index);
        writer.slice(ROLLOUT, BAKES, &name, bake.from.0, bake.until.0.min(end), json!({}))?;
    }
    Ok(())
}

/// A mark on the track of an instance: when, its name, and more.
type Mark = (u64, &'static str, Value);

/// Retries and relapses, by instance.
fn marks(chronicle: &Chronicle) -> HashMap<InstanceId, Vec<Mark>> {
    let mut marks: HashMap<InstanceId, Vec<Mark>> = HashMap::new();
    for retry in &chronicle.retries {
        let args = json!({"attempt": retry.attempt, "reason": retry.reason.name()});
        marks.entry(retry.instance).or_default().push((retry.at.0, "retried", args));
    }
    for failure in &chronicle.failures {
        if let Some(relapse) = failure.relapse {
            let args = json!({"reason": relapse.name()});
            marks.entry(failure.instance).or_default().push((failure.at.0, "relapsed", args));
        }
    }
    marks
}

fn describe<'a>(segment: &Segment, label: &impl Fn(Release) -> &'a str, runs: &impl Fn(DigestId) -> &'a str) -> String {
    match segment.doing {
        Doing::Serving if segment.report.is_some() => format!("{} (upgrade failed)", runs(segment.running)),
        Doing::Serving => runs(segment.running).to_owned(),
        Doing::Upgrading => format!("upgrading to {}", label(segment.commanded)),
        doing => doing.name().to_owned(),
    }
}
