//! The transcript of a run: a line an event, as it happens; the verdicts of a batch share one line.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::events::log::event_names;
use crate::judge::harm::HarmGoesOn;
use crate::model::run::FaultReport;
use crate::terminal::advice::advice_table;
use crate::words::drawn::drawn;
use crate::words::events::narrate;
use crate::words::{plural, spoken, wrapped};
use dryroll_engine::fleet::{At, InstanceId, Span};
use dryroll_engine::{Direction, Engine, Event, EventBody, EventNames, Outcome, Recording, RolloutId};
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
    batch: Batch,
    /// For how long after its end the run is counted.
    observed: Span,
    error: Option<io::Error>,
}

/// The batch that runs, so far.
#[derive(Debug, Default)]
struct Batch {
    started_at: At,
    /// One letter a verdict, in the order in which they came.
    verdicts: String,
    instances: u32,
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
        Self { out, names, batch: Batch::default(), observed: scenario.rollout.observe_after, error }
    }

    fn line(&mut self, at: At, style: Style, label: &str, text: &str) -> io::Result<()> {
        writeln!(self.out, "{DIM}{at:>11}{DIM:#}  {style}{label:<11}{style:#} {text}")
    }

    fn write_event(&mut self, engine: &Engine, event: &Event) -> io::Result<()> {
        let at = event.at;
        let text = || narrate(self.names, engine, event);
        match &event.body {
            EventBody::Planned { .. } => self.line(at, BOLD, "plan", &text()),
            EventBody::ApprovalRequested { kind, .. } => {
                let text = format!("{} {}", text(), kind.option_names().join(" | "));
                self.line(at, ASKS, "approval", &text)
            }
            EventBody::ApprovalDecided { .. } => self.line(at, ASKS, "decided", &text()),
            EventBody::OperatorNotified => self.line(at, ASKS, "notified", &text()),
            &EventBody::BatchStarted { instance_count, .. } => {
                self.batch = Batch { started_at: at, instances: instance_count, ..Batch::default() };
                Ok(())
            }
            EventBody::InstanceStarted { .. } => Ok(()),
            EventBody::InstanceHealthCheck { instance, failure, .. } => {
                self.note_verdict(at, *instance, failure.map(|reason| reason.name()));
                Ok(())
            }
            EventBody::InstanceRetried { .. } => {
                self.batch.retried += 1;
                Ok(())
            }
            EventBody::InstanceRelapsed { .. } => self.line(at, BAD, "↓ relapse", &text()),
            EventBody::BreakerNoted { .. } => self.line(at, ASKS, "noted", &text()),
            EventBody::CircuitBreakerTripped { batch_index, .. } => {
                let text = text();
                self.write_batch(at, event.rollout, *batch_index, None)?;
                self.line(at, LOUD, "⚡ TRIPPED", &text)
            }
            &EventBody::BatchCompleted { batch_index, healthy_count, failed_count } => {
                self.write_batch(at, event.rollout, batch_index, Some((healthy_count, failed_count)))
            }
            EventBody::RollbackStarted { .. } => self.line(at, BOLD, "⟲ rollback", &text()),
            EventBody::RollbackFailed => self.line(at, LOUD, "✗ rollback", &text()),
            EventBody::Finished { outcome } => {
                let text = text();
                if !self.batch.verdicts.is_empty() || !self.batch.failures.is_empty() {
                    let direction = engine.direction();
                    self.write_unfinished(at, direction)?;
                }
                let style = if *outcome == Outcome::Completed { GOOD } else { BAD };
                self.line(at, style, "finished", &format!("{style}{BOLD}{text}{BOLD:#}{style:#}"))
            }
        }
    }

    fn note_verdict(&mut self, at: At, instance: InstanceId, failure: Option<&'static str>) {
        let batch = &mut self.batch;
        if batch.instances <= DRAWN_VERDICTS {
            batch.verdicts.push(if failure.is_some() { '✗' } else { '●' });
        }
        if let Some(reason) = failure {
            if batch.failures.len() < LISTED_FAILURES {
                batch.failures.push((at, instance, reason));
            } else {
                batch.unlisted += 1;
            }
        }
    }

    fn write_failures(&mut self) -> io::Result<()> {
        let failures = std::mem::take(&mut self.batch.failures);
        let indent = "";
        for (at, instance, reason) in failures {
            let name = self.names.instances.name(instance);
            writeln!(self.out, "{indent:>13}{BAD}✗ {name}{BAD:#} {reason} {DIM}at {at}{DIM:#}")?;
        }
        let unlisted = std::mem::take(&mut self.batch.unlisted);
        if unlisted > 0 {
            writeln!(self.out, "{indent:>13}{BAD}✗ … and {unlisted} more{BAD:#}")?;
        }
        Ok(())
    }

    /// A batch's line: at its end with its counts, at a trip with what it has come to.
    fn write_batch(&mut self, at: At, rollout: RolloutId, index: u32, counts: Option<(u32, u32)>) -> io::Result<()> {
        let took = at - self.batch.started_at;
        let label = if rollout == RolloutId::FIRST { format!("batch {index}") } else { format!("⟲ batch {index}") };
        let drawing = self.drawing(counts);
        let text = match counts {
            Some((healthy, 0)) => format!("{drawing}  {healthy} healthy {DIM}in {}{DIM:#}", spoken(took)),
            Some((healthy, failed)) => {
                format!("{drawing}  {healthy} healthy, {BAD}{failed} failed{BAD:#} {DIM}in {}{DIM:#}", spoken(took))
            }
            None => format!("{drawing}  {DIM}so far, after {}{DIM:#}", spoken(took)),
        };
        self.line(at, BOLD, &label, &text)?;
        self.write_failures()?;
        if counts.is_some() {
            self.batch.verdicts.clear();
        }
        Ok(())
    }

    fn write_unfinished(&mut self, at: At, direction: Direction) -> io::Result<()> {
        let drawing = self.drawing(None);
        let of = if direction == Direction::Back { "⟲ unfinished" } else { "unfinished" };
        self.line(at, BOLD, of, &format!("{drawing}  of {}", self.batch.instances))?;
        self.write_failures()?;
        self.batch.verdicts.clear();
        Ok(())
    }

    fn drawing(&self, counts: Option<(u32, u32)>) -> String {
        let mut drawn = String::new();
        if self.batch.instances <= DRAWN_VERDICTS {
            for verdict in self.batch.verdicts.chars() {
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

impl<W: Write> Observer for Transcript<'_, W> {
    fn recording(&self) -> Recording {
        Recording::Everything
    }

    fn event(&mut self, engine: &Engine, event: &Event) {
        if self.error.is_none() {
            self.error = self.write_event(engine, event).err();
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
    let rows = [
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
