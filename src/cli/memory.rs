//! A note on the memory that a command needs, written before the work begins if that is much.

use std::io::Write;

use dryroll_sim::scenario::{RolloutOrder, Scenario};

/// The note is written from this many bytes on.
const MUCH: u64 = 2_000_000_000;
/// Bytes per instance of a run, by the peak of the process, where all are commanded at once (fleets of 5 and 21
/// millions): in plan, engine, queue and ledger, which double their room as they grow.
const INSTANCE: u64 = 144;
/// More bytes per instance where deaths, faults or delays are possible.
const DISTURBED: u64 = 64;
/// Bytes per instance of a plan whose order is not the fleet's.
const PLACE: u64 = 4;
/// Bytes per block of a result log.
const BLOCK: u64 = 64;

/// The memory that a command needs.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    instances: u64,
    each: u64,
    threads: u64,
    /// For plans and result logs.
    more: u64,
}

impl Need {
    /// The memory of one run.
    pub fn of_run(scenario: &Scenario) -> Self {
        let is_disturbed = scenario.fleet.crash_rate_per_1000_days > 0.0 || !scenario.faults.is_empty();
        let each = INSTANCE + if is_disturbed { DISTURBED } else { 0 };
        Self { instances: scenario.fleet.instances.into(), each, threads: 1, more: 0 }
    }

    /// The memory of a study of this many cells and blocks.
    pub fn of_study(scenario: &Scenario, threads: usize, cells: usize, blocks: u64) -> Self {
        let run = Self::of_run(scenario);
        let place = if matches!(scenario.rollout.order, RolloutOrder::Listed) { 0 } else { PLACE };
        let plans = run.instances.saturating_mul(place).saturating_mul(cells as u64);
        Self { threads: threads as u64, more: plans.saturating_add(blocks.saturating_mul(BLOCK)), ..run }
    }

    /// The total in bytes.
    fn bytes(self) -> u64 {
        self.instances.saturating_mul(self.each).saturating_mul(self.threads).saturating_add(self.more)
    }

    /// The note, if the command needs much.
    fn words(self) -> Option<String> {
        let gigabytes = |bytes: u64| bytes as f64 / 1e9;
        (self.bytes() > MUCH).then(|| {
            let Self { instances, each, threads, more } = self;
            let more = if more > MUCH / 100 {
                format!(" + {:.1} GB for plans and results", gigabytes(more))
            } else {
                String::new()
            };
            format!(
                "this needs about {:.1} GB of memory: {instances} instances × {each} bytes × {threads} at once{more}",
                gigabytes(self.bytes())
            )
        })
    }

    /// Writes the note before the work begins.
    pub fn say(self, quiet: bool) {
        if let Some(words) = self.words().filter(|_| !quiet) {
            // A note that cannot be written is not a failure.
            let _ = writeln!(anstream::stderr(), "note: {words}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_much_is_said() {
        let need = Need { instances: 1_000_000, each: INSTANCE, threads: 2, more: 0 };
        assert_eq!(need.words(), None);
        let large = Need { instances: 100_000_000, ..need };
        let says = "this needs about 28.8 GB of memory: 100000000 instances × 144 bytes × 2 at once";
        assert_eq!(large.words().as_deref(), Some(says));
        let long = Need { more: 5_000_000_000, ..need };
        assert!(long.words().is_some_and(|words| words.ends_with("+ 5.0 GB for plans and results")));
        assert!(Need { instances: u64::MAX, ..need }.words().is_some());
    }
}
