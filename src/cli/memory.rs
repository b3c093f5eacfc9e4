//! How much memory a command will need: said before it starts, where that is much.

use std::io::Write;

use dryroll_sim::scenario::{RolloutOrder, Scenario};

/// Beyond this it is said.
const MUCH: u64 = 2_000_000_000;
/// Bytes of one instance in a run: its place in plan, engine, queue and ledger.
const INSTANCE: u64 = 92;
/// More of them where deaths, faults or delays may interfere.
const DISTURBED: u64 = 64;
/// Bytes of its place in a plan that has another order than the fleet.
const PLACE: u64 = 4;
/// Bytes of a block's place on a result log.
const BLOCK: u64 = 64;

/// What a command needs.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    instances: u64,
    each: u64,
    threads: u64,
    /// For plans and result logs.
    more: u64,
}

impl Need {
    /// Of one run.
    pub fn of_run(scenario: &Scenario) -> Self {
        let is_disturbed = scenario.fleet.crash_rate_per_1000_days > 0.0 || !scenario.faults.is_empty();
        let each = INSTANCE + if is_disturbed { DISTURBED } else { 0 };
        Self { instances: scenario.fleet.instances.into(), each, threads: 1, more: 0 }
    }

    /// Of a study of so many cells and blocks.
    pub fn of_study(scenario: &Scenario, threads: usize, cells: usize, blocks: u64) -> Self {
        let run = Self::of_run(scenario);
        let place = if matches!(scenario.rollout.order, RolloutOrder::Listed) { 0 } else { PLACE };
        let plans = run.instances.saturating_mul(place).saturating_mul(cells as u64);
        Self { threads: threads as u64, more: plans.saturating_add(blocks.saturating_mul(BLOCK)), ..run }
    }

    /// Bytes in all.
    fn bytes(self) -> u64 {
        self.instances.saturating_mul(self.each).saturating_mul(self.threads).saturating_add(self.more)
    }

    /// What to say of it, if it is much.
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

    /// Says it before the work begins.
    pub fn say(self, quiet: bool) {
        if let Some(words) = self.words().filter(|_| !quiet) {
            // A note that nobody can see is no failure.
            let _ = writeln!(anstream::stderr(), "note: {words}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_much_is_said() {
        let need = Need { instances: 1_000_000, each: 92, threads: 2, more: 0 };
        assert_eq!(need.words(), None);
        let large = Need { instances: 100_000_000, ..need };
        let says = "this needs about 18.4 GB of memory: 100000000 instances × 92 bytes × 2 at once";
        assert_eq!(large.words().as_deref(), Some(says));
        let long = Need { more: 5_000_000_000, ..need };
        assert!(long.words().is_some_and(|words| words.ends_with("+ 5.0 GB for plans and results")));
        assert!(Need { instances: u64::MAX, ..need }.words().is_some());
    }
}
