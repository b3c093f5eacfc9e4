//! No replicate of any scenario exceeds the bounds that intervals of means rest on, and none without a trip the
//! narrower ones.

use dryroll::scenario::{Measure, Metric};
use dryroll::sim::{CompiledScenario, Simulator, Unobserved};
use dryroll::study::bounds::Bounds;

use crate::naive::scenario_generator;

#[test]
fn no_replicate_exceeds_the_bounds() {
    let (mut tripped, mut close) = (0, 0);
    let mut beyond = Vec::new();
    for number in 0..6_000 {
        let scenario = scenario_generator::scenario(number);
        let Ok(compiled) = CompiledScenario::new(&scenario) else { continue };
        let bounds = Bounds::of(&compiled);
        for replicate in 0..3 {
            let metrics = Simulator::new(&compiled).run(replicate, &mut Unobserved);
            for metric in Metric::ALL {
                let Some(value) = metrics.figure(metric) else { continue };
                let reach = bounds.reach(metric);
                // Both include rounding to milliseconds.
                let within = if metrics.trips == 0 { reach.usually } else { reach.always };
                if !(within.low <= value && value <= within.high) {
                    let (name, trips) = (Measure::Metric(metric), metrics.trips);
                    beyond
                        .push(format!("{number}/{replicate}: {name} {value}, trips {trips}, {within:?} of {bounds:?}"));
                }
                close += u64::from(metric == Metric::RolloutSec && value > 0.5 * within.high);
            }
            tripped += u64::from(metrics.trips > 0);
        }
    }
    assert!(
        beyond.is_empty(),
        "{} beyond:\n{}",
        beyond.len(),
        beyond.iter().take(12).cloned().collect::<Vec<_>>().join("\n")
    );
    assert!(tripped > 1000 && close > 300, "{tripped} replicates tripped, {close} came near the bound of their length");
}
