//! Faults without effect: a scenario with one does not rehearse what it describes.

use dryroll_sim::sim::{CompiledScenario, Simulator, Unobserved};

/// The faults, by index in the scenario, that have no effect in any of these replicates. The search ends at the
/// replicate in which the last fault has had an effect.
#[must_use]
pub fn idle_faults<'w>(faults: usize, compiled: impl Iterator<Item = (&'w CompiledScenario, u64)>) -> Vec<usize> {
    let mut touched = vec![false; faults];
    let mut simulator: Option<Simulator<'w>> = None;
    for (compiled, replicate) in compiled {
        if touched.iter().all(|&touched| touched) {
            break;
        }
        let simulator = simulator.get_or_insert_with(|| Simulator::new(compiled));
        simulator.turn_to(compiled);
        simulator.run(replicate, &mut Unobserved);
        for (touched, effect) in touched.iter_mut().zip(simulator.fault_effects()) {
            *touched |= effect.touched;
        }
    }
    (0..faults).filter(|&fault| !touched[fault]).collect()
}
