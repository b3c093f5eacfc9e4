//! Advice about a search: what its policies hide, and rollouts that ended at the horizon.

use std::io;

use dryroll_engine::Outcome;
use dryroll_sim::scenario::{Advice, Advisor, ScenarioText, ended_at_horizon};
use dryroll_study::study::result_log::ResultLog;
use dryroll_study::study::results::CellRows;
use dryroll_study::study::tune::{Tune, Tuned};

/// Advice about the grid of a search, and about those of its rollouts that stalled.
///
/// # Errors
///
/// The result log cannot be read.
pub fn tune_advice(text: &ScenarioText, tune: &Tune, log: &ResultLog, tuned: &Tuned) -> io::Result<Vec<Advice>> {
    let varied = ["batch_pct", "max_consecutive_failures", "order"];
    let mut advisor = Advisor::of_search(text, varied, &tune.scenario, &tune.cells.scenarios);
    for version in 0..tune.versions() {
        let (mut stalled, mut of) = (0, 0);
        for (policy, known) in tuned.policies.iter().enumerate() {
            let cell = tune.cell(policy, version) as u32;
            let rows = CellRows::open(std::slice::from_ref(log), cell, known.replicates)?;
            rows.endings(&mut |_, ending| stalled += u64::from(ending.outcome == Outcome::Stalled))?;
            of += known.replicates;
        }
        let id = &tune.cells.scenarios[tune.cell(0, version)].target().id;
        advisor.add(ended_at_horizon(&tune.scenario, id, stalled, of));
    }
    Ok(advisor.finish())
}
