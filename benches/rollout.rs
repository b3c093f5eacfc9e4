//! How long a rollout takes, beside the bare cost of drawing its random numbers.
//!
//! `cargo bench --bench rollout`. Quote ratios of one run: every figure is per instance of the plan, as criterion's
//! `elem/s` says, so the groups can be read against `draws/64 bytes an instance`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dryroll::scenario::{Format, Scenario};
use dryroll::sim::{CompiledScenario, Simulator, Unobserved};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The tutorial's rollout with everything random: log-normal upgrades, 1 % failures, flaps.
fn tutorial(instances: u32) -> Scenario {
    let text = format!(
        r#"
        seed = 42
        [fleet]
        template_id = "edge"
        instances = {instances}
        zones = 3
        heartbeat_interval_sec = 30
        [module]
        id = "nginx"
        [[versions]]
        id = "v-1.24.0"
        [[versions]]
        id = "v-1.26.0"
        upgrade_time_sec = {{lognormal = {{median = 45, sigma = 0.5}}}}
        failure_rate = 0.01
        [network]
        flap_rate_per_hour = 0.5
        flap_down_sec = {{exponential = {{mean = 40}}}}
        [rollout]
        target_version_id = "v-1.26.0"
        [operator]
        approval_delay_sec = 120
        on_trip = "continue_anyway"
        decision_delay_sec = 300
        "#
    );
    Scenario::parse("bench.toml", text.as_bytes(), Format::Toml).unwrap_or_else(|error| panic!("{error}"))
}

/// Replicates of a scenario, one after the other, with no observer.
fn replicates(c: &mut Criterion, group: &str, name: &str, scenario: &Scenario) {
    let compiled = CompiledScenario::new(scenario).expect("the request is not refused");
    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Elements(u64::from(compiled.total())));
    if compiled.total() >= 1_000_000 {
        group.sample_size(10);
    }
    let mut simulator = Simulator::new(&compiled);
    let mut replicate = 0;
    group.bench_function(BenchmarkId::from_parameter(name), |b| {
        b.iter(|| {
            replicate += 1;
            black_box(simulator.run(replicate, &mut Unobserved))
        });
    });
    group.finish();
}

fn bare_draws(c: &mut Criterion) {
    let mut group = c.benchmark_group("draws");
    group.throughput(Throughput::Elements(50));
    let mut generator = ChaCha8Rng::from_seed([1; 32]);
    group.bench_function("64 bytes an instance", |b| {
        b.iter(|| (0..50 * 8).fold(0, |sum, _| sum ^ generator.next_u64()));
    });
    group.finish();
}

fn rollouts(c: &mut Criterion) {
    let base = tutorial(50);
    replicates(c, "tutorial", "50 instances", &base);

    let mut often = base.clone();
    often.fleet.heartbeat_interval = dryroll::fleet::Span(3_000);
    replicates(c, "tutorial", "ten times the heartbeats", &often);

    let mut asleep = base.clone();
    asleep.operator.approval_delay = dryroll::scenario::Distribution::Constant(43_200.0);
    replicates(c, "tutorial", "twelve hours before the approval", &asleep);

    for (name, instances) in [("10,000", 10_000), ("1,000,000", 1_000_000)] {
        replicates(c, "fleet", name, &tutorial(instances));
    }
}

criterion_group!(benches, bare_draws, rollouts);
criterion_main!(benches);
