//! Scenarios written in the tests, and runs of them.

use dryroll::report::events::log::EventLog;
use dryroll::scenario::{Format, Scenario};
use dryroll::sim::{CompiledScenario, Metrics, Simulator, Unobserved};

/// A scenario from its text.
pub fn scenario(text: &str) -> Scenario {
    Scenario::parse("test.toml", text.as_bytes(), Format::Toml).unwrap_or_else(|error| panic!("{error}"))
}

/// The metrics of replicates `0 .. replicates`.
#[allow(dead_code, reason = "not every test that includes this module needs it")]
pub fn replicates(text: &str, replicates: u64) -> Vec<Metrics> {
    let scenario = scenario(text);
    let compiled = CompiledScenario::new(&scenario).expect("the request is not refused");
    let mut simulator = Simulator::new(&compiled);
    (0..replicates).map(|replicate| simulator.run(replicate, &mut Unobserved)).collect()
}

/// The event log of one replicate.
#[allow(dead_code, reason = "not every test that includes this module needs it")]
pub fn event_log(scenario: &Scenario, replicate: u64) -> String {
    let compiled = CompiledScenario::new(scenario).expect("the request is not refused");
    let mut log = EventLog::new(scenario, Vec::new());
    Simulator::new(&compiled).run(replicate, &mut log);
    String::from_utf8(log.into_inner().expect("memory takes everything")).expect("JSON is UTF-8")
}
