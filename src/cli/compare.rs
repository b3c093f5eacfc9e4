//! `dryroll compare`: two policies on the same replicates.

use std::io::Write;
use std::path::PathBuf;

use super::interrupt;
use super::memory::Need;
use super::output::{
    Failure, each_its_own_place, no_grid, open, scratch_failure, scratch_log, standard_output, teller, write_json,
};
use super::policies::PoliciesFile;
use super::progress::Progress;
use super::sweep::{HowArguments, total};
use dryroll_report::model::CompareReport;
use dryroll_report::terminal::compare::compare_table;
use dryroll_sim::scenario::{Scenario, ScenarioText};
use dryroll_sim::text::Foreign;
use dryroll_study::study::compare::{Compare, PolicyText};
use dryroll_study::study::grid::{candidates, versions};
use dryroll_study::study::round::WorkPlan;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  dryroll compare scenarios/tune.toml --policy batch_pct=10 --policy batch_pct=20,max_consecutive_failures=3 --versions all"
)]
pub struct Arguments {
    /// The scenario file (TOML or JSON), or `-` for standard input
    scenario: PathBuf,
    /// A policy: the keys of [rollout] that it changes, as in batch_pct=10,max_consecutive_failures=2, or the name of
    /// one of [[policies]], or a name with further keys behind it; give two. An empty one is the scenario's. [default:
    /// the scenario's own and the one that is named, or the two that are]
    #[arg(long = "policy", id = "policy", value_name = "KEY=VALUE,…")]
    policies: Vec<String>,
    #[command(flatten)]
    named: PoliciesFile,
    /// Versions to roll out: `all`, or a list of ids [default: the target and the defective versions]
    #[arg(long, visible_alias = "version", value_name = "LIST")]
    versions: Option<String>,
    /// Replicates
    #[arg(long, value_name = "N", default_value_t = 1000)]
    replicates: u64,
    /// Another seed than the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// Write the compare report, JSON (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    how: HowArguments,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs: Vec<&PathBuf> = arguments.report.iter().collect();
    each_its_own_place(arguments.named.with(&arguments.scenario), &outputs)?;
    let text = ScenarioText::load(&arguments.scenario)?;
    let mut scenario = text.scenario()?;
    scenario.seed = arguments.seed.unwrap_or(scenario.seed);
    arguments.named.take(&mut scenario)?;
    let policies = match arguments.policies.as_slice() {
        [] => named(&scenario)?,
        some => some.iter().map(|text| PolicyText::parse(text)).collect::<Result<Vec<_>, _>>()?,
    };
    let policies: [PolicyText; 2] = policies.try_into().map_err(|given: Vec<_>| {
        Failure::Input(anyhow::anyhow!(
            "{} given; a comparison is of two: --policy A --policy B",
            match given.len() {
                1 => "one policy".to_owned(),
                n => format!("{n} policies"),
            }
        ))
    })?;
    if arguments.replicates == 0 {
        return Err(Failure::Nothing(anyhow::anyhow!(
            "no replicate: --replicates is 0, so nothing would be evaluated"
        )));
    }
    let versions = match &arguments.versions {
        Some(list) => versions(&scenario, list)?,
        None => candidates(&scenario),
    };
    let compare = Compare::new(&scenario, &policies, &versions, arguments.replicates);
    let compare = compare.map_err(|error| no_grid(&text, error))?;
    let output = open(arguments.report.as_ref())?;
    let log = scratch_log(&Compare::IDENTITY)?;
    let pool = arguments.how.pool()?;
    let rollouts = total(arguments.replicates, compare.cells.compiled.len())?;
    let cells = compare.cells.compiled.len();
    let largest = compare.cells.largest_fleet().unwrap_or(&scenario);
    Need::of_study(largest, pool.current_num_threads(), cells, 0).say(arguments.how.quiet);
    let progress = Progress::new(rollouts, "compare", arguments.how.quiet);
    let advance = |rollouts| progress.advance(rollouts);
    let workers = WorkPlan { pool: &pool, stop: interrupt::stops_by_itself(), progress: &advance };
    let finished = compare.run(&log, &workers);
    progress.clear();
    if !finished.map_err(scratch_failure)? {
        return Err(Failure::Interrupted("nothing was written".into()));
    }
    interrupt::ends_the_program();
    let results = (0..versions.len()).map(|version| compare.result(&log, version)).collect::<Result<Vec<_>, _>>();
    let report = CompareReport::new(
        &scenario,
        &text,
        &policies,
        arguments.named.path().as_deref(),
        &compare,
        &results.map_err(scratch_failure)?,
    );
    if let Some(written) = write_json(output, &report)? {
        written.publish()?;
    }
    match teller(arguments.how.quiet, &outputs) {
        Some(mut out) => standard_output(compare_table(&mut out, &report).and_then(|()| out.flush())),
        None => Ok(()),
    }
}

/// The policies that a scenario names, where there are as many as a comparison takes.
fn named(scenario: &Scenario) -> Result<Vec<PolicyText>, Failure> {
    match scenario.policies.as_slice() {
        [one] => Ok(vec![PolicyText::default(), PolicyText::named(&one.name)]),
        [a, b] => Ok(vec![PolicyText::named(&a.name), PolicyText::named(&b.name)]),
        [] => Err(Failure::Input(anyhow::anyhow!(
            "no policy given; a comparison is of two: --policy A --policy B, each with the keys of [rollout] that it \
             changes"
        ))),
        many => {
            let names: Vec<Foreign> = many.iter().map(|policy| policy.name.clone()).collect();
            Err(Failure::Input(anyhow::anyhow!(
                "no policy given; a comparison is of two: --policy A --policy B; named are {}",
                dryroll_sim::text::listed(&names)
            )))
        }
    }
}
