//! Many groups and faults of single instances: their index changes nothing, and the cost grows with their number alone.

use std::fmt::Write;
use std::time::Instant;

use crate::common::toml::scenario;
use dryroll::sim::{CompiledScenario, Simulator, Unobserved};

const HEAD: &str = "seed = 3\n[[versions]]\nid = \"v-1\"\n[[versions]]\nid = \"v-2\"\nfailure_rate = 0.1\n\
     [rollout]\ntarget_version_id = \"v-2\"\nmax_consecutive_failures = 40\n[reconciler]\npolicy = \"auto_approve\"\n";

#[test]
fn the_index_of_faults_changes_nothing() {
    let mut text = format!("{HEAD}[fleet]\ninstances = 40\nzones = 3\n");
    let kinds = [
        "kind = \"kill\"\n",
        "kind = \"slow\"\nfactor = 1.7\n",
        "kind = \"partition\"\n",
        "kind = \"registry_outage\"\n",
        "kind = \"delay_heartbeats\"\nby_sec = { exponential = { mean = 5 } }\n",
        "kind = \"duplicate_heartbeats\"\n",
        "kind = \"slow\"\nfactor = 1.3\n",
    ];
    for number in 0..60 {
        let target = match number % 4 {
            0 => "fraction = 0.3".to_owned(),
            1 => format!("zone = {}", number % 3),
            _ => format!("ids = [\"i-{:05}\", \"i-{:05}\"]", number % 40 + 1, number * 7 % 40 + 1),
        };
        let start = match number % 5 {
            0 => "after = { event = \"batch_completed\", batch_index = 0 }".to_owned(),
            _ => format!("at_sec = {}", number * 97 % 500),
        };
        let kind = kinds[number % kinds.len()];
        let _ =
            writeln!(text, "[[faults]]\n{kind}{start}\nduration_sec = {}\ntarget = {{ {target} }}", number * 13 % 90);
    }
    let indexed = CompiledScenario::new(&scenario(&text)).expect("a scenario");
    let mut plain = indexed.clone();
    assert!(plain.fault_places.take().is_some());
    for replicate in 0..50 {
        let run = |compiled: &CompiledScenario| {
            let mut simulator = Simulator::new(compiled);
            let metrics = simulator.run(replicate, &mut Unobserved);
            (format!("{metrics:?}"), simulator.fault_effects())
        };
        assert_eq!(run(&indexed), run(&plain), "replicate {replicate}");
    }
}

/// Eight times as many take eight times as long, and not 64 times: with a margin of four for a busy machine.
#[test]
fn the_cost_grows_with_the_number_of_groups() {
    type Table = fn(usize) -> String;
    let tables: [Table; 3] = [
        |n| format!("[[classes]]\nid = \"c{n}\"\nids = [\"i-{:05}\"]\nfailure_rate = 0.1\n", n + 1),
        |n| format!("[[overrides]]\nids = [\"i-{:05}\"]\nfailure_rate = 0.1\n", n + 1),
        |n| {
            format!(
                "[[faults]]\nkind = \"kill\"\nat_sec = 1\nduration_sec = 1\ntarget = {{ ids = [\"i-{:05}\"] }}\n",
                n + 1
            )
        },
    ];
    for table in tables {
        let took = |count: usize| {
            let mut text = format!("{HEAD}[fleet]\ninstances = {count}\n");
            (0..count).for_each(|n| text.push_str(&table(n)));
            let scenario = scenario(&text);
            let begin = Instant::now();
            assert_eq!(scenario.advice(), []);
            let compiled = CompiledScenario::new(&scenario).expect("a scenario");
            let mut simulator = Simulator::new(&compiled);
            simulator.run(0, &mut Unobserved);
            simulator.fault_effects();
            begin.elapsed()
        };
        let few = took(1_500).min(took(1_500));
        let many = took(12_000).min(took(12_000));
        assert!(many < few * 32, "{few:?}, {many:?}: {}", table(0));
    }
}
