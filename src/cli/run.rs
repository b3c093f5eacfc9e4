//! `dryroll run`: one rollout, start to end.

use std::path::PathBuf;

use super::learnings::Learnings;
use super::memory::Need;
use super::output::{
    Failure, each_its_own_place, is_gone, open_all, publish, standard_output, teller, write_json, write_whole,
};
use super::rollout::{Loaded, Rollout};
use dryroll_engine::{BatchSizes, Outcome};
use dryroll_learning::{Numbers, PlanNumbers, RunNumbers, Today};
use dryroll_report::build::timeline::BreakerCount;
use dryroll_report::events::chronicle::Chronicle;
use dryroll_report::events::log::EventLog;
use dryroll_report::events::trace;
use dryroll_report::files::output::{Output, Written};
use dryroll_report::judge::forecast::estimated_total;
use dryroll_report::model::run::{FaultReport, RunReport};
use dryroll_report::model::timeline::Timeline;
use dryroll_report::terminal::transcript::Transcript;
use dryroll_sim::scenario::{Scenario, ended_at_horizon};
use dryroll_sim::sim::{Metrics, Simulator};
use dryroll_study::study::Policy;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dryroll run scenarios/tutorial.toml\n  dryroll run scenarios/tutorial.toml --replicate 7 --events events.ndjson --report run.json\n  dryroll run scenarios/zone-outage.toml --trace trace.json   # open it at ui.perfetto.dev"
)]
pub struct Arguments {
    /// The scenario file (TOML or JSON), or `-` for standard input
    scenario: PathBuf,
    #[command(flatten)]
    rollout: Rollout,
    /// Another seed than the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// Another replicate of the same scenario
    #[arg(long, value_name = "K", default_value_t = 0)]
    replicate: u64,
    /// Write every event, one JSON object a line (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Write the run report, JSON (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write a timeline that opens in Perfetto (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    #[command(flatten)]
    learnings: Learnings,
    /// Say nothing to people
    #[arg(long, short)]
    quiet: bool,
}

impl Arguments {
    fn outputs(&self) -> [Option<&PathBuf>; 3] {
        [&self.events, &self.report, &self.trace].map(Option::as_ref)
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs: Vec<&PathBuf> = arguments.outputs().into_iter().flatten().collect();
    each_its_own_place(Some(&arguments.scenario), &outputs)?;
    let remembered = arguments.learnings.read(&outputs, arguments.quiet)?;
    let Loaded { text, scenario, compiled } = arguments.rollout.load(&arguments.scenario, arguments.seed)?;
    Need::of_run(&scenario).say(arguments.quiet);
    let [events, report, timeline] = open_all(arguments.outputs())?;

    let mut simulator = Simulator::new(&compiled);
    let mut chronicle = Chronicle::default();
    let mut log = events.map(|output| EventLog::new(&scenario, output));
    let mut transcript =
        teller(arguments.quiet, &outputs).map(|out| Transcript::new(out, &scenario, &compiled, arguments.replicate));
    let mut breaker = report.is_some().then(BreakerCount::default);
    let metrics =
        simulator.run(arguments.replicate, &mut (&mut chronicle, (&mut breaker, (&mut log, &mut transcript))));
    let effects = simulator.fault_effects();
    let drawn = breaker.map(|breaker| Timeline::of(&scenario, &mut simulator, &chronicle, &breaker, &effects));

    let advice = {
        let stalled = u64::from(metrics.outcome == Outcome::Stalled);
        let mut advisor = arguments.rollout.advisor(&text, &scenario);
        advisor.add(ended_at_horizon(&scenario, &scenario.target().id, stalled, 1));
        advisor.finish()
    };
    let written = [
        write_log(log)?,
        write_whole(timeline, |out| trace::write(out, &scenario, &mut simulator, &chronicle, &effects))?,
        write_json(report, &{
            let report = RunReport::new(&scenario, &simulator, &chronicle, &metrics, &effects);
            let command = arguments.rollout.command(&arguments.scenario, &scenario, arguments.replicate);
            report.with_command(command).with_advice(&advice).with_timeline(drawn.unwrap_or_default())
        })?,
    ];
    publish(written)?;
    let faults = FaultReport::all(&effects);
    match transcript {
        Some(transcript) => standard_output(transcript.close(&metrics, &faults, &advice))?,
        None => return Ok(()),
    }
    match (remembered, teller(arguments.quiet, &outputs)) {
        (Some(remembered), Some(mut out)) => {
            let edited = scenario.operator.edit.as_ref().and_then(|edit| edit.batch_pct);
            standard_output(
                remembered.tell(&mut out, &today(&scenario, &simulator, arguments.replicate, &metrics, edited, false)),
            )
        }
        _ => Ok(()),
    }
}

/// A run as records are compared with it. An edit may have changed its policy.
pub fn today<'a>(
    scenario: &'a Scenario,
    simulator: &Simulator<'_>,
    replicate: u64,
    metrics: &Metrics,
    edited: Option<u32>,
    is_drill: bool,
) -> Today<'a> {
    let engine = simulator.engine();
    let plan = engine.plan();
    let mut policy = Policy::of(scenario);
    policy.max_consecutive_failures = engine.breaker().map(|(_, limit)| limit);
    let makes_these = |pct: &u32| BatchSizes::pct(*pct).largest(plan.total_instances()) == plan.batch_size();
    policy.batch_pct = edited.filter(makes_these).or(policy.batch_pct);
    let numbers = PlanNumbers::of(plan, estimated_total(plan, engine.settings()));
    let run = RunNumbers {
        seed: simulator.compiled().seed,
        replicate,
        defective: metrics.defective,
        is_drill,
        outcome: metrics.outcome.name(),
        trips: u64::from(metrics.trips),
        duration_sec: metrics.duration_sec(),
        blast_radius_pct: metrics.blast_radius_pct().map(dryroll_sim::sim::Percent::get),
    };
    Today::of(scenario, Some(policy), Numbers::Run(numbers, run))
}

/// Finishes the event log, which was written during the run.
pub fn write_log(log: Option<EventLog<'_, Output>>) -> Result<Option<Written>, Failure> {
    match log.map(EventLog::into_inner) {
        None => Ok(None),
        Some(Ok(output)) => Ok(Some(output.finish()?)),
        Some(Err((_, error))) if is_gone(&error) => Ok(None),
        Some(Err((output, error))) => Err(output.error(error).into()),
    }
}
