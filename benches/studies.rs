//! What a study costs beside its rollouts: rows, result log, and figures. `cargo bench --bench studies`; quote ratios
//! of one run.

use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use dryroll::scenario::ScenarioText;
use dryroll::sim::{Simulator, Unobserved};
use dryroll::study::exact::exact;
use dryroll::study::result_log::ResultLog;
use dryroll::study::round::{self, WorkPlan};
use dryroll::study::sweep::{Sweep, SweepOrder};

const REPLICATES: u64 = 2048;

fn sweep() -> Sweep {
    let scenario = ScenarioText::load(Path::new("scenarios/tutorial.toml")).expect("the scenario");
    let order = SweepOrder {
        policies: None,
        scenario,
        seed: 42,
        axes: vec![],
        versions: vec![],
        replicates: REPLICATES,
        precision: None,
        rare: None,
    };
    Sweep::new(order).expect("a sweep")
}

fn studies(criterion: &mut Criterion) {
    let sweep = sweep();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let stop = AtomicBool::new(false);
    let plan = WorkPlan { pool: &pool, stop: &stop, progress: &|_| {} };
    let log = || ResultLog::begin(tempfile::tempfile().expect("a file"), &sweep.identity()).expect("a result log");
    let round = sweep.round();
    let mut group = criterion.benchmark_group("study");
    group.throughput(Throughput::Elements(REPLICATES));
    group.bench_function("rollouts alone", |bencher| {
        let mut simulator = Simulator::new(&sweep.cells.compiled[0]);
        bencher.iter(|| {
            for replicate in 0..REPLICATES {
                black_box(simulator.run(replicate, &mut Unobserved));
            }
        });
    });
    group.bench_function("rollouts into a result log", |bencher| {
        let run =
            |log: ResultLog| round::run(&sweep.cells.compiled, &round, 0..round.blocks(), &log, &plan).expect("run");
        bencher.iter_batched(log, run, BatchSize::PerIteration);
    });
    group.bench_function("figures from a result log", |bencher| {
        let logs = [log()];
        let extent = sweep.run(&logs[0], &plan).expect("run").expect("finished");
        bencher.iter(|| black_box(sweep.results(&logs, &extent, &pool).expect("read")));
    });
    group.finish();
    criterion.bench_function("study/exact results of the tutorial", |bencher| {
        bencher.iter(|| black_box(exact(&sweep.cells.scenarios[0])));
    });
}

criterion_group!(benches, studies);
criterion_main!(benches);
