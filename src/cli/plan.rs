//! `dryroll plan`: the plan, exactly as the skill answers.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use super::learnings::Learnings;
use super::output::{Failure, standard_output};
use super::rollout::{Loaded, Rollout};
use dryroll_learning::{Numbers, PlanNumbers, Today};
use dryroll_report::build::plan::explain::Explained;
use dryroll_report::judge::forecast::estimated_total;
use dryroll_report::model::plan::PlanReport;
use dryroll_report::terminal::advice::advice_table;
use dryroll_report::terminal::plan::explain_table;
use dryroll_study::study::Policy;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  dryroll plan scenarios/tutorial.toml | jq '.batches[0].instance_ids'")]
pub struct Arguments {
    /// The scenario file (TOML or JSON), or `-` for standard input
    scenario: PathBuf,
    #[command(flatten)]
    rollout: Rollout,
    /// In place of the plan: every key of [rollout] with its value, and where that comes from
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    learnings: Learnings,
    /// Say nothing to people
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let remembered = arguments.learnings.read(&[], arguments.quiet)?;
    let Loaded { text, scenario, compiled } = arguments.rollout.load(&arguments.scenario, None)?;
    if arguments.explain {
        let keys = Explained::all(&scenario, &text, &arguments.rollout.given(&text)?);
        let mut out = crate::cli::output::stdout();
        return standard_output(explain_table(&mut out, &keys).and_then(|()| out.flush()));
    }
    let advice = arguments.rollout.advisor(&text, &scenario).finish();
    if compiled.total() == 0 && !arguments.quiet {
        let mut stderr = crate::cli::output::stderr();
        // A note that cannot be written is not a failure.
        let _ = writeln!(
            stderr,
            "note: nothing to do: no eligible instance of `{}` runs another digest",
            scenario.fleet.template_id
        );
    }
    let answer = PlanReport::asked(&scenario, &compiled).with_advice(advice.clone());
    let mut out = BufWriter::new(io::stdout().lock());
    standard_output(
        dryroll_sim::json::write_pretty(&mut out, &answer).and_then(|()| writeln!(out)).and_then(|()| out.flush()),
    )?;
    if !arguments.quiet {
        // Standard output holds the skill's answer and nothing else. A note that cannot be written is not a failure.
        let _ = advice_table(&mut crate::cli::output::stderr(), &advice);
    }
    if let Some(remembered) = remembered.filter(|_| !arguments.quiet) {
        let numbers = PlanNumbers::of(&compiled.plan, estimated_total(&compiled.plan, &compiled.settings));
        let today = Today::of(&scenario, Some(Policy::of(&scenario)), Numbers::Plan(numbers));
        let _ = remembered.tell(&mut crate::cli::output::stderr(), &today);
    }
    Ok(())
}
