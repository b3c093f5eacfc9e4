//! The transcript of a run: a line an event, as it happens; the verdicts of a batch share one line. Batches may
//! overlap: each that is open is kept until it is complete.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::events::bakes::{Bake, BakeWatch};
use crate::events::log::event_names;
use crate::judge::harm::HarmGoesOn;
use crate::model::run::FaultReport;
use crate::terminal::advice::advice_table;
use crate::words::drawn::drawn;
use crate::words::events::narrate;
use crate::words::{plural, spoken, wrapped};
use dryroll_engine::fleet::{At, InstanceId, Span};
use dryroll_engine::{Engine, Event, EventBody, EventNames, Outcome, Recording, RolloutId};
use dryroll_sim::scenario::{Advice, Scenario};
use dryroll_sim::sim::{CompiledScenario, Metrics, Observer};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const BAD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const LOUD: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const ASKS: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));

/// Failures that are listed of one batch; of the others the number is said.
const LISTED_FAILURES: usize = 6;
/// Verdicts of a batch that are drawn one by one; of a larger one the shares are drawn.
const DRAWN_VERDICTS: u32 = 40;
const BAR: u64 = 20;
/// Letters of a line of prose.
const WIDTH: usize = 100;

/// Writes the transcript of a run.
#[derive(Debug)]
pub struct Transcript<'a, W> {
    out: W,
    names: EventNames<'a>,
    /// The batches that are not complete, in the order in which they began.
    open: Vec<Batch>,
    bakes: BakeWatch,
    /// For how long after its end the run is counted.
    observed: Span,
    error: Option<io::Error>,
}

/// A batch that runs, so far.
#[derive(Debug)]
struct Batch {
    rollout: RolloutId,
    index: u32,
    started_at: At,
    instances: u32,
    judged: u32,
    /// One letter a verdict, in the order in which they came.
    verdicts: String,
    failures: Vec<(At, InstanceId, &'static str)>,
    unlisted: usize,
    /// How often an instance of it was commanded again.
    retried: u32,
}

impl<'a, W: Write> Transcript<'a, W> {
    /// Opens with what is about to be run.
    pub fn new(mut out: W, scenario: &'a Scenario, compiled: &CompiledScenario, replicate: u64) -> Self {
        let names = event_names(scenario);
        let error = opening(&mut out, scenario, compiled, replicate).err();
        Self {
            out,
            names,
            open: Vec::new(),
            bakes: BakeWatch::default(),
            observed: scenario.rollout.observe_after,
            error,
        }
    }

    fn line(&mut self, at: At, style: Style, label: &str, text: &str) -> io::Result<()> {
        writeln!(self.out, "{DIM}{at:>11}{DIM:#}  {style}{label:<11}{style:#} {text}")
    }

    fn write_event(&mut self, engine: &Engine, event: &Event) -> io::Result<()> {
        let (at, rollout) = (event.at, event.rollout);
        let text = || narrate(self.names, engine, event);
        match &event.body {
            EventBody::Planned { .. } => self.line(at, BOLD, "plan", &text()),
            EventBody::ApprovalRequested { kind, .. } => {
                let text = format!("{} {}", text(), kind.option_names().join(" | "));
                self.line(at, ASKS, "approval", &text)
            }
            EventBody::ApprovalDecided { .. } => self.line(at, ASKS, "decided", &text()),
            EventBody::OperatorNotified => self.line(at, ASKS, "notified", &text()),
            &EventBody::BatchStarted { batch_index, instance_count } => {
                // Of a rollout that is taken back no further verdict comes.
                self.open.retain(|batch| batch.rollout == rollout);
                self.open.push(Batch {
                    rollout,
                    index: batch_index,
                    started_at: at,
                    instances: instance_count,
                    judged: 0,
                    verdicts: String::new(),
                    failures: Vec::new(),
                    unlisted: 0,
                    retried: 0,
                });
                Ok(())
            }
            EventBody::InstanceStarted { .. } => Ok(()),
            &EventBody::InstanceHealthCheck { batch_index, instance, failure } => {
                if let Some(batch) = self.batch(rollout, batch_index) {
                    batch.note_verdict(at, instance, failure.map(|reason| reason.name()));
                }
                Ok(())
            }
            &EventBody::InstanceRetried { batch_index, .. } => {
                if let Some(batch) = self.batch(rollout, batch_index) {
                    batch.retried += 1;
                }
                Ok(())
            }
            EventBody::InstanceRelapsed { .. } => self.line(at, BAD, "↓ relapse", &text()),
            EventBody::BreakerNoted { .. } => self.line(at, ASKS, "noted", &text()),
            &EventBody::CircuitBreakerTripped { batch_index, .. } => {
                let text = text();
                self.write_so_far(at, rollout, batch_index)?;
                self.line(at, LOUD, "⚡ TRIPPED", &text)
            }
            &EventBody::BatchCompleted { batch_index, healthy_count, failed_count } => {
                self.write_completed(at, rollout, batch_index, (healthy_count, failed_count))
            }
            EventBody::RollbackStarted { .. } => self.line(at, BOLD, "⟲ rollback", &text()),
            EventBody::RollbackFailed => self.line(at, LOUD, "✗ rollback", &text()),
            EventBody::Finished { outcome } => {
                let text = text();
                let open = std::mem::take(&mut self.open);
                let is_one_of_many = open.len() > 1;
                for batch in open {
                    self.write_unfinished(at, batch, is_one_of_many)?;
                }
                let style = if *outcome == Outcome::Completed { GOOD } else { BAD };
                self.line(at, style, "finished", &format!("{style}{BOLD}{text}{BOLD:#}{style:#}"))
            }
        }
    }

    fn batch(&mut self, rollout: RolloutId, index: u32) -> Option<&mut Batch> {
        self.open.iter_mut().find(|batch| batch.rollout == rollout && batch.index == index)
    }

    /// A bake has a line when it begins; of a batch that is complete it stands below the batch's own.
    fn write_bake(&mut self, engine: &Engine, event: &Event) -> io::Result<()> {
        if self.open.iter().any(|batch| batch.judged == batch.instances) {
            return Ok(());
        }
        let Some(Bake { batch_index, from, until }) = self.bakes.begun(engine) else { return Ok(()) };
        let text = format!("batch {batch_index} bakes for {}, until {until}", spoken(until - from));
        self.line(event.at, BOLD, "bake", &text)
    }

    fn write_failures(&mut self, batch: &mut Batch) -> io::Result<()> {
        let indent = "";
        for (at, instance, reason) in std::mem::take(&mut batch.failures) {
            let name = self.names.instances.name(instance);
            writeln!(self.out, "{indent:>13}{BAD}✗ {name}{BAD:#} {reason} {DIM}at {at}{DIM:#}")?;
        }
        let unlisted = std::mem::take(&mut batch.unlisted);
        if unlisted > 0 {
            writeln!(self.out, "{indent:>13}{BAD}✗ … and {unlisted} more{BAD:#}")?;
        }
        Ok(())
    }

    /// The line of a batch at a trip: what it has come to. A batch that is complete, or has no verdict yet, has none.
    fn write_so_far(&mut self, at: At, rollout: RolloutId, index: u32) -> io::Result<()> {
        let is_it = |batch: &Batch| batch.rollout == rollout && batch.index == index && batch.judged > 0;
        let Some(place) = self.open.iter().position(is_it) else { return Ok(()) };
        let mut batch = self.open.remove(place);
        let took = spoken(at - batch.started_at);
        let text = format!("{}  {DIM}so far, after {took}{DIM:#}{}", batch.drawing(None), batch.retries());
        self.line(at, BOLD, &batch.label(), &text)?;
        self.write_failures(&mut batch)?;
        self.open.insert(place, batch);
        Ok(())
    }

    /// The line of a batch at its end, with its counts.
    fn write_completed(&mut self, at: At, rollout: RolloutId, index: u32, counts: (u32, u32)) -> io::Result<()> {
        let is_it = |batch: &Batch| batch.rollout == rollout && batch.index == index;
        let Some(place) = self.open.iter().position(is_it) else { return Ok(()) };
        let mut batch = self.open.remove(place);
        let (took, (healthy, failed)) = (spoken(at - batch.started_at), counts);
        let failed = if failed == 0 { String::new() } else { format!(", {BAD}{failed} failed{BAD:#}") };
        let text = format!(
            "{}  {healthy} healthy{failed} {DIM}in {took}{DIM:#}{}",
            batch.drawing(Some(counts)),
            batch.retries()
        );
        self.line(at, BOLD, &batch.label(), &text)?;
        self.write_failures(&mut batch)
    }

    fn write_unfinished(&mut self, at: At, mut batch: Batch, is_one_of_many: bool) -> io::Result<()> {
        if batch.verdicts.is_empty() && batch.failures.is_empty() {
            return Ok(());
        }
        let label = if batch.rollout == RolloutId::FIRST { "unfinished" } else { "⟲ unfinished" };
        let which = if is_one_of_many { format!(" in {}", batch.label()) } else { String::new() };
        let text = format!("{}  of {}{which}{}", batch.drawing(None), batch.instances, batch.retries());
        self.line(at, BOLD, label, &text)?;
        self.write_failures(&mut batch)
    }

    /// Closes with the figures, what the faults did, and advice about the scenario. `pending` is the simulator's.
    ///
    /// # Errors
    /// The first error that writing met.
    pub fn close(
        mut self,
        metrics: &Metrics,
        pending: u32,
        faults: &[FaultReport],
        advice: &[Advice],
    ) -> io::Result<()> {
        if let Some(error) = self.error {
            return Err(error);
        }
        closing(&mut self.out, metrics, HarmGoesOn::of(metrics, pending, self.observed).as_ref())?;
        for fault in faults {
            let when = match (fault.started_at_ms, fault.ended_at_ms) {
                (Some(start), Some(end)) => format!("{} to {}", At(start), At(end)),
                _ => "never".to_owned(),
            };
            let touched = plural(fault.touched_instances, "instance", "instances");
            write!(self.out, "  fault {}: {} {DIM}{when}{DIM:#}", fault.fault, fault.kind)?;
            match &fault.warning {
                Some(warning) => writeln!(self.out, "  {ASKS}warning: it {warning}{ASKS:#}")?,
                None if fault.touched_instances > 0 => writeln!(self.out, ", touched {touched}")?,
                None => writeln!(self.out)?,
            }
        }
        advice_table(&mut self.out, advice)?;
        self.out.flush()
    }
}

impl Batch {
    fn label(&self) -> String {
        let index = self.index;
        if self.rollout == RolloutId::FIRST { format!("batch {index}") } else { format!("⟲ batch {index}") }
    }

    fn note_verdict(&mut self, at: At, instance: InstanceId, failure: Option<&'static str>) {
        self.judged += 1;
        if self.instances <= DRAWN_VERDICTS {
            self.verdicts.push(if failure.is_some() { '✗' } else { '●' });
        }
        if let Some(reason) = failure {
            if self.failures.len() < LISTED_FAILURES {
                self.failures.push((at, instance, reason));
            } else {
                self.unlisted += 1;
            }
        }
    }

    fn retries(&self) -> String {
        match self.retried {
            0 => String::new(),
            retried => format!(" {DIM}· {}{DIM:#}", plural(u64::from(retried), "retry", "retries")),
        }
    }

    fn drawing(&self, counts: Option<(u32, u32)>) -> String {
        let mut drawn = String::new();
        if self.instances <= DRAWN_VERDICTS {
            for verdict in self.verdicts.chars() {
                let style = if verdict == '✗' { BAD } else { GOOD };
                drawn.push_str(&format!("{style}{verdict}{style:#}"));
            }
        } else if let Some((healthy, failed)) = counts {
            let bad = (u64::from(failed) * BAR).div_ceil(u64::from(healthy) + u64::from(failed));
            let good = "█".repeat((BAR - bad) as usize);
            let bad = "░".repeat(bad as usize);
            drawn = format!("{GOOD}{good}{GOOD:#}{BAD}{bad}{BAD:#}");
        }
        drawn
    }
}

impl<W: Write> Observer for Transcript<'_, W> {
    fn recording(&self) -> Recording {
        Recording::Everything
    }

    fn event(&mut self, engine: &Engine, event: &Event) {
        if self.error.is_none() {
            self.error = self.write_event(engine, event).and_then(|()| self.write_bake(engine, event)).err();
        }
    }
}

fn opening(out: &mut impl Write, scenario: &Scenario, compiled: &CompiledScenario, replicate: u64) -> io::Result<()> {
    let previous = scenario.previous().map_or_else(|| "an older version".to_owned(), |version| version.id.to_string());
    let target = scenario.target();
    let truth = if target.defective { " (defective, in truth)" } else { "" };
    writeln!(out, "{BOLD}{}{BOLD:#}", scenario.name)?;
    writeln!(
        out,
        "{DIM}{} {previous} → {}{truth} · fleet {} of {} · seed {} · replicate {replicate}{DIM:#}\n",
        scenario.module_id, target.id, scenario.fleet.template_id, scenario.fleet.instances, compiled.seed
    )?;
    let drawn = drawn(scenario, compiled, replicate);
    if !drawn.is_empty() {
        for line in wrapped(&format!("drawn for this replicate: {}", drawn.join(" · ")), WIDTH) {
            writeln!(out, "{DIM}{line}{DIM:#}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn closing(out: &mut impl Write, metrics: &Metrics, harm: Option<&HarmGoesOn>) -> io::Result<()> {
    let optional = |span: Option<Span>| span.map_or("–".to_owned(), spoken);
    let blast = metrics.blast_radius_pct().map_or(String::new(), |pct| format!(" · blast radius {:.1} %", pct.get()));
    let planned = metrics.planned;
    let harmed = format!(
        "{} of {planned} ({:.1} %, {} with a healthy verdict)",
        metrics.harmed,
        metrics.harmed_pct().get(),
        metrics.escaped
    );
    let mut rows = vec![
        ("duration", spoken(metrics.duration)),
        ("  waiting for a person", spoken(metrics.approval_wait)),
        ("  rollout", spoken(metrics.rollout())),
        ("trips", metrics.trips.to_string()),
        ("  time to detect", optional(metrics.time_to_detect)),
        ("  time to stop", optional(metrics.time_to_stop)),
        ("  time to mitigate", optional(metrics.time_to_mitigate)),
        ("exposed", format!("{} of {planned} ({:.1} %){blast}", metrics.exposed, metrics.exposed_pct().get())),
        ("harmed", harmed),
        ("exposure", format!("{:.1} instance-min", metrics.exposure_instance_min())),
        ("unhealthy", format!("{:.1} instance-min", metrics.unhealthy_instance_min())),
        ("capacity lost", format!("{:.1} instance-min", metrics.capacity_loss_instance_min())),
        ("fewest serving", format!("{:.1} %", metrics.min_serving_pct().get())),
        ("false failures", metrics.false_failures.to_string()),
        ("drift", if metrics.drift { "yes".to_owned() } else { "no".to_owned() }),
    ];
    rows.extend(metrics.bricked.map(|bricked| ("bricked", format!("{bricked} of {planned}"))));
    writeln!(out)?;
    for (name, value) in rows {
        writeln!(out, "  {DIM}{name:<24}{DIM:#} {value}")?;
    }
    if let Some(harm) = harm {
        for line in wrapped(&harm.says, WIDTH - 2) {
            writeln!(out, "  {BAD}{line}{BAD:#}")?;
        }
    }
    Ok(())
}
