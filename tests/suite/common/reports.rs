//! Invented reports of studies: always the same, with realistic figures.

use std::collections::BTreeMap;

use dryroll::drill::{Drill, Record, score};
use dryroll::report::build::timeline::BreakerCount;
use dryroll::report::events::chronicle::Chronicle;
use dryroll::report::judge::conditional::Conditional;
use dryroll::report::model::drill::DrillReport;
use dryroll::report::model::drill::{Lesson, Surprise};
use dryroll::report::model::timeline::Timeline;
use dryroll::report::model::{
    AnswerShare, Axis, BelievedRate, BelievedVersion, CalibrationRef, Candidate, Cell, CompareReport, Comparison,
    Contrast, DifferingReplicate, Estimate, Evidence, ExactValues, FrontPoint, Hint, Histogram, InformationValueReport,
    KeepsReport, LaterReport, LimitCheck, LimitText, Named, NotableReplicate, PointAnswer, PosteriorReport, RareEvent,
    Recommended, ReplayedReplicate, SavingParts, ScenarioRef, Sensitivity, Standing, SweepReport, TuneReport,
};
use dryroll::scenario::{Condition, Measure, Metric, Rate, Scenario};
use dryroll::sim::CompiledScenario;
use dryroll::stats::Interval;
use dryroll::study::{Figure, Policy, Share, Summaries, Summary};
use serde_json::{Value, json};

/// What must not become markup.
pub const HOSTILE: &str = "<script>alert('x')</script>\"&--><svg onload=x>";
pub const GOOD: &str = "v-1.26.0";
pub const BAD: &str = "v-1.26.0-broken";
const BATCHES: [u32; 10] = [1, 2, 4, 5, 10, 20, 25, 34, 50, 100];
const LIMITS: [u32; 3] = [1, 2, 3];
const N: u64 = 1000;

pub fn scenario_ref() -> ScenarioRef {
    ScenarioRef {
        name: format!("nginx 1.24 to 1.26 {HOSTILE}").into(),
        hash: "00d015a6e6af44c9df0f0823866ec17a".repeat(2).into(),
        module: "nginx".into(),
        fleet: "edge".into(),
        instances: 50,
        environment: "62e5b1bcb1e9cdc0".repeat(4).into(),
        rates: BTreeMap::from([
            ("v-1.24.0".into(), BTreeMap::new()),
            (GOOD.into(), BTreeMap::from([("failure_rate".into(), 0.01), ("hang_rate".into(), 0.005)])),
            (BAD.into(), BTreeMap::from([("failure_rate".into(), 0.6)])),
        ]),
    }
}

/// The same with a version whose name must not become markup.
fn hostile_scenario_ref() -> ScenarioRef {
    let mut scenario = scenario_ref();
    scenario.rates.insert(HOSTILE.into(), BTreeMap::new());
    scenario
}

pub fn policy(batch_pct: u32, limit: u32) -> Policy {
    let value = json!({
        "batch_pct": batch_pct, "max_consecutive_failures": limit, "health_timeout_sec": 300,
        "rollback_batch_pct": 50, "breaker_order": "observed", "breaker_scope": "rollout", "max_in_flight": null,
        "observe_after_sec": 0, "previous_version_id": "v-1.24.0",
    });
    serde_json::from_value(value).expect("a policy")
}

fn figure(mean: f64, spread: f64) -> Summary {
    let half = spread * 1.96 / (N as f64).sqrt();
    Summary::Figure(Figure {
        mean: Some(mean),
        ci: Some(Interval::new(mean - half, mean + half)),
        p50: Some((mean - spread * 0.1).max(0.0)),
        p95: Some(mean + spread * 1.7),
        p99: Some(mean + spread * 2.6),
        min: Some((mean - spread * 2.0).max(0.0)),
        max: Some(mean + spread * 3.5),
        n: N,
        ..Figure::default()
    })
}

/// Of a metric in percent: no replicate has more than 100.
fn percent(mean: f64, spread: f64) -> Summary {
    let Summary::Figure(mut figure) = figure(mean, spread) else { unreachable!("a metric") };
    for top in [&mut figure.p50, &mut figure.p95, &mut figure.p99, &mut figure.max] {
        *top = top.map(|value| value.min(100.0));
    }
    Summary::Figure(figure)
}

/// Of a metric that counts: each replicate has a whole number.
fn counted(mean: f64, spread: f64) -> Summary {
    let Summary::Figure(mut figure) = figure(mean, spread) else { unreachable!("a metric") };
    figure.min = figure.min.map(f64::floor);
    for top in [&mut figure.p50, &mut figure.p95, &mut figure.p99, &mut figure.max] {
        *top = top.map(f64::ceil);
    }
    Summary::Figure(figure)
}

fn share(rate: f64) -> Summary {
    let hits = (rate * N as f64).round();
    let (rate, half) = (hits / N as f64, 1.96 * (rate * (1.0 - rate) / N as f64).sqrt() + 0.001);
    let ci = Some(Interval::new((rate - half).max(0.0), (rate + half).min(1.0)));
    Summary::Share(Share { rate: Some(rate), ci, hits: hits as u64, n: N, claim: ci })
}

/// From the smallest value of [`figure`] to the largest, with all replicates.
fn histogram(metric: Metric, mean: f64, spread: f64) -> Histogram {
    let low = (mean - spread * 2.0).max(0.0);
    let high = mean + spread * 3.5;
    let width = (if metric.is_percent() { high.min(100.0) } else { high } - low) / 20.0;
    let counts = (0..20).map(|i| {
        let z = (low + width * (f64::from(i) + 0.5) - mean) / spread;
        (60.0 / (1.0 + z * z * z * z)) as u64
    });
    let mut counts: Vec<u64> = counts.collect();
    let others: u64 = counts.iter().sum::<u64>() - counts[8];
    counts[8] = N.saturating_sub(others);
    Histogram { metric, low, width, counts }
}

fn duration(batch: u32, limit: u32, bad: bool) -> f64 {
    let batches = f64::from(100_u32.div_ceil(batch)).min(50.0);
    if bad {
        520.0 + 40.0 * f64::from(limit) + 3.0 * batches
    } else {
        160.0 + batches * 130.0 / f64::from(limit).sqrt()
    }
}

fn blast(batch: u32, limit: u32) -> f64 {
    (f64::from(batch).max(2.0) + f64::from(limit) * 3.7).min(100.0)
}

fn false_trips(limit: u32) -> f64 {
    [0.31, 0.043, 0.0][limit as usize - 1]
}

fn metrics(batch: u32, limit: u32, bad: bool) -> Summaries {
    let trips = if bad { 0.995 } else { false_trips(limit) };
    let mut all = vec![
        ("trips", counted(trips * 1.1, 0.3)),
        ("duration_sec", figure(duration(batch, limit, bad), duration(batch, limit, bad) * 0.1)),
        ("exposed_pct", percent(if bad { blast(batch, limit) } else { 99.0 }, 4.0)),
    ];
    if bad {
        all.push(("blast_radius_pct", percent(blast(batch, limit), 5.0)));
        all.push(("harmed_pct", percent(blast(batch, limit) / 2.0, 3.0)));
        all.push(("escape_rate", share(0.005)));
    } else {
        all.push(("blast_radius_pct", Summary::Figure(Figure::default())));
        all.push(("false_trip_rate", share(trips)));
    }
    // A cell without any trip has nothing to detect.
    let detect = if trips > 0.0 { figure(70.0, 20.0) } else { Summary::Figure(Figure::default()) };
    all.extend([("time_to_detect_sec", detect), ("trip_rate", share(trips)), ("completed", share(1.0 - trips))]);
    let named = all.into_iter().map(|(name, summary)| (Measure::find(name).expect("a measure"), summary));
    Summaries(named.collect())
}

fn cell(batch: u32, limit: u32, bad: bool) -> Cell {
    let mean = duration(batch, limit, bad);
    let mut exact = ExactValues::default();
    if bad {
        exact.out_of_scope = Some("instances hang".into());
    } else {
        exact.values = BTreeMap::from([("trip_rate".into(), false_trips(limit)), ("duration_sec".into(), mean * 1.02)]);
        exact.why_not = BTreeMap::from([("exposed_pct".into(), "no formula for it".into())]);
    }
    let mut distributions = vec![histogram(Metric::DurationSec, mean, mean * 0.1)];
    if bad {
        distributions.push(histogram(Metric::BlastRadiusPct, blast(batch, limit), 5.0));
    }
    Cell {
        policy: policy(batch, limit),
        version: if bad { BAD } else { GOOD }.into(),
        defective: bad,
        replicates: N,
        metrics: metrics(batch, limit, bad),
        exact,
        rare: (limit == 3 && !bad && batch == 1).then(|| RareEvent {
            estimate: Some(2.3e-5),
            relative_error: Some(0.08),
            ci: Some(Interval::new(1.9e-5, 2.7e-5)),
            hits: 412,
            n: N,
            upper_bound: None,
            says: "about 1 in 43 000".into(),
        }),
        distributions,
        completed: None,
        worst: (0..3)
            .map(|i| NotableReplicate {
                replicate: 17 + i,
                metric: if bad { Metric::BlastRadiusPct } else { Metric::DurationSec },
                value: if bad { (blast(batch, limit) + 15.0).min(100.0) } else { mean * 1.3 } - i as f64,
                command: format!("dryroll run s.toml --set rollout.batch_pct={batch} --replicate {}", 17 + i).into(),
            })
            .collect(),
    }
}

pub fn timeline(name: &str) -> Timeline {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    let scenario = Scenario::load(&path).expect("a scenario");
    let compiled = CompiledScenario::new(&scenario).expect("the request is not refused");
    Timeline::replay(&scenario, &compiled, 0)
}

/// 10 batch sizes × 3 limits × 2 versions.
pub fn sweep() -> SweepReport {
    let grid = BATCHES.iter().flat_map(|&batch| LIMITS.iter().map(move |&limit| (batch, limit)));
    SweepReport {
        advice: Vec::new(),
        schema: "dryroll.sweep/1".into(),
        scenario: scenario_ref(),
        seed: u64::MAX,
        command: "dryroll sweep s.toml".into(),
        replicates: N,
        confidence: 0.95,
        precision: None,
        axes: vec![
            Axis { key: "batch_pct".into(), values: BATCHES.iter().map(|&batch| json!(batch)).collect() },
            Axis { key: "max_consecutive_failures".into(), values: LIMITS.iter().map(|&limit| json!(limit)).collect() },
        ],
        policies: Vec::new(),
        versions: vec![GOOD.into(), BAD.into()],
        cells: grid.flat_map(|(batch, limit)| [cell(batch, limit, false), cell(batch, limit, true)]).collect(),
        timelines: vec![
            ReplayedReplicate { cell: 0, replicate: 17, timeline: timeline("tutorial.toml") },
            ReplayedReplicate { cell: 59, replicate: 18, timeline: timeline("broken-rollback.toml") },
        ],
        warnings: vec![format!("1 % of 50 instances is 1 instance {HOSTILE}")],
    }
}

fn contrast(metric: &str, a: f64, b: f64, half: f64) -> Contrast {
    let difference = b - a;
    Contrast {
        metric: Measure::find(metric).expect("a metric or rate"),
        a: Some(a),
        b: Some(b),
        difference: Some(difference),
        ci: Some(Interval::new(difference - half, difference + half)),
        simultaneous_ci: Some(Interval::new(difference - half * 1.6, difference + half * 1.6)),
        exact: None,
        exact_a: None,
        exact_b: None,
        n: N,
        a_wins: if half > 0.0 { Some(400) } else { Some(0) },
        b_wins: if half > 0.0 { Some(380) } else { Some(0) },
        ties: if half > 0.0 { 220 } else { N },
        variance_saved: Some(0.83),
        conditional: None,
        stopping: None,
    }
}

pub fn compare() -> CompareReport {
    let nothing = Contrast {
        a: None,
        b: None,
        difference: None,
        ci: None,
        simultaneous_ci: None,
        n: 0,
        ties: 0,
        ..contrast("time_to_mitigate_sec", 0.0, 0.0, 0.0)
    };
    let of = |version: &str, defective: bool| Comparison {
        version: version.into(),
        defective,
        metrics: vec![
            contrast("trips", 0.31, 0.05, 0.03),
            contrast("duration_sec", 1650.0, 913.0, 22.0),
            contrast("blast_radius_pct", 8.0, 23.7, 0.8),
            contrast("min_serving_pct", 92.0, 79.5, 0.4),
            contrast("false_failures", 0.0, 0.0, 0.0),
            contrast("harmed_instances", 1.2, 1.3, 0.4),
            Contrast {
                n: 620,
                a_wins: Some(200),
                b_wins: Some(200),
                conditional: Some(Conditional::of_pairs(Condition::Tripped, [0.71, 0.84], None, 620, N)),
                ..contrast("time_to_detect_sec", 70.0, 30.0, 4.0)
            },
            contrast("escaped_instances", 0.01, 0.05, 0.09),
            contrast("trip_rate", 0.31, 0.05, 0.03),
            contrast("drift", 0.02, 0.018, 0.01),
            nothing.clone(),
        ],
        replicates: vec![DifferingReplicate {
            metric: Metric::DurationSec,
            replicate: 71,
            a: 3000.0,
            b: 700.0,
            commands: ["dryroll run s.toml --replicate 71".into(), format!("dryroll run {HOSTILE}")],
        }],
        distributions: vec![
            Histogram { low: -1500.0, ..histogram(Metric::DurationSec, 700.0, 300.0) },
            histogram(Metric::BlastRadiusPct, 15.0, 4.0),
        ],
        completed: None,
    };
    CompareReport {
        advice: Vec::new(),
        schema: "dryroll.compare/1".into(),
        scenario: hostile_scenario_ref(),
        seed: 42,
        command: "dryroll … s.toml".into(),
        replicates: N,
        confidence: 0.95,
        policies: [policy(5, 1), policy(20, 2)],
        comparisons: vec![of(GOOD, false), of(HOSTILE, true)],
        warnings: vec![format!("A stops early {HOSTILE}")],
    }
}

fn estimate(value: f64, half: f64) -> Estimate {
    Estimate { value: Some(value), ci: Some(Interval::new(value - half, value + half)), n: N, exact: None }
}

fn evidence(batch: u32, limit: u32) -> Evidence {
    let check = |version: &str, value: f64, holds| LimitCheck {
        limit: if version == GOOD { "false_trip_rate ≤ 0.02" } else { "blast_radius_pct ≤ 20" }.into(),
        metric: if version == GOOD { Measure::Rate(Rate::FalseTrip) } else { Measure::Metric(Metric::BlastRadiusPct) },
        bound: Some(if version == GOOD { 0.02 } else { 20.0 }),
        version: version.into(),
        observed: estimate(value, value * 0.1),
        holds,
        by_tolerance: false,
    };
    Evidence {
        replicates: N,
        objective: estimate(duration(batch, limit, false), 25.0),
        blast_radius_pct: estimate(blast(batch, limit), 0.8),
        harmed_pct: estimate(blast(batch, limit) / 2.0, 0.4),
        limits: vec![check(GOOD, false_trips(limit), Some(limit > 1)), check(BAD, blast(batch, limit), None)],
    }
}

/// With or without an answer; two points of the front are undecided.
pub fn tune(answered: bool) -> TuneReport {
    let grid: Vec<(u32, u32)> =
        BATCHES.iter().flat_map(|&batch| LIMITS.iter().map(move |&limit| (batch, limit))).collect();
    let front = [(100, 3), (50, 3), (25, 3), (20, 3), (10, 3), (5, 3), (4, 2), (2, 2), (1, 1)];
    let point = |(i, (batch, limit)): (usize, (u32, u32))| {
        let Evidence { objective, blast_radius_pct, .. } = evidence(batch, limit);
        FrontPoint { policy: policy(batch, limit), objective, blast_radius_pct, decided: !(2..4).contains(&i) }
    };
    let best = (10, 3);
    TuneReport {
        advice: Vec::new(),
        schema: "dryroll.tune/1".into(),
        scenario: scenario_ref(),
        seed: 42,
        command: "dryroll … s.toml".into(),
        replicates: N,
        rollouts: 93_000,
        confidence: 0.95,
        good: GOOD.into(),
        defective: vec![BAD.into()],
        worst: Some(BAD.into()),
        minimise: Metric::DurationSec,
        tolerance: 0.02,
        limits: vec![LimitText {
            says: "false_trip_rate ≤ 0.02".into(),
            metric: Measure::Rate(Rate::FalseTrip),
            versions: vec![GOOD.into()],
            key: None,
            bound_of_mean: None,
        }],
        min_completed: Some(0.9),
        limit_tolerance: Some(0.005),
        decided: answered,
        says: if answered {
            "Batches of 10 % with a limit of 3 are the fastest within the limits."
        } else {
            "No policy meets the limits."
        }
        .into(),
        recommended: answered
            .then(|| Recommended { policy: policy(best.0, best.1), evidence: evidence(best.0, best.1) }),
        as_good: Vec::new(),
        undecided: vec![Named {
            policy: policy(20, 3),
            why: format!("its blast radius is undecided {HOSTILE}"),
            would_save: None,
            evidence: evidence(20, 3),
        }],
        front: front.into_iter().enumerate().map(point).collect(),
        binding: (!answered).then(|| "The limit that binds is blast_radius_pct ≤ 1.".into()),
        candidates: grid
            .iter()
            .map(|&(batch, limit)| Candidate {
                policy: policy(batch, limit),
                standing: match limit {
                    1 => Standing::BreaksLimit,
                    2 => Standing::Slower,
                    _ if answered && (batch, limit) == best => Standing::Recommended,
                    _ => Standing::Undecided,
                },
                why: "by the interval".into(),
                evidence: evidence(batch, limit),
                slower_by: if answered {
                    estimate(duration(batch, limit, false) - duration(best.0, best.1, false), 20.0)
                } else {
                    Estimate::default()
                },
                on_front: if front.contains(&(batch, limit)) { Some(true) } else { Some(false) },
                gives_up: None,
            })
            .collect(),
        sensitivity: vec![
            Sensitivity {
                factor: 0.5,
                recommended: Some(policy(20, 3)),
                decided: true,
                meets: Some(true),
                limits: Vec::new(),
                says: "larger batches pay".into(),
            },
            Sensitivity {
                factor: 2.0,
                recommended: None,
                decided: false,
                meets: None,
                limits: Vec::new(),
                says: "undecided".into(),
            },
        ],
        keeps: Some(KeepsReport {
            from: 0.25,
            not_sure_below: None,
            to: 1.5,
            not_sure_above: Some(1.6),
            says: "it meets every limit".into(),
        }),
        hints: vec![Hint {
            rule: "CUSUM".into(),
            parameters: "p0 = 0.004, p1 = 0.5".into(),
            false_trip_rate: 0.001,
            versions: vec![(BAD.into(), 0.999, 6.2)],
            meets: Some(true),
            not_judged: vec![format!("duration_sec ≤ 600 {HOSTILE}")],
            says: "It would trip on fewer good rollouts.".into(),
        }],
        hints_with: Some(policy(20, 3)),
        hints_say: Some(format!("CUSUM would meet the limits {HOSTILE}")),
        warnings: vec![format!("only 27 % of the good rollouts complete {HOSTILE}")],
        spread: None,
        spread_notes: Vec::new(),
        posterior: None,
    }
}

/// A search over what a calibration leaves open.
pub fn tune_with_posterior() -> TuneReport {
    let rate = |hits: u64| BelievedRate {
        hits,
        n: 50,
        mean: (hits as f64 + 0.5) / 51.0,
        ci: Interval::new(0.00001, 0.0483 + hits as f64 / 50.0),
        beta: [hits as f64 + 0.5, 50.5 - hits as f64],
        concentration: None,
        scenario: 0.02,
    };
    let information_value = InformationValueReport {
        estimate: 0.0,
        ci: Interval::new(0.0, 0.002),
        achieved: -0.001,
        optimistic: 0.001,
        n: N,
    };
    let later = |history: Option<f64>, share: f64| LaterReport {
        history,
        information_value: Some(information_value),
        answers: vec![
            AnswerShare { policy: policy(20, 3), share },
            AnswerShare { policy: policy(10, 3), share: 0.9 - share },
        ],
        none: Some(0.1),
        stays: Some(0.9 - share),
        saves: estimate(293.0, 22.0),
        parts: Some(SavingParts {
            choice: estimate(310.0, 20.0),
            forbidden: estimate(-40.0, 8.0),
            undecided: estimate(0.0, 0.0),
            allowed: estimate(23.0, 9.0),
        }),
    };
    let posterior = PosteriorReport {
        calibration: CalibrationRef {
            file: HOSTILE.into(),
            hash: "5b".repeat(32).into(),
            rollouts: 1,
            warnings: vec![],
        },
        versions: vec![BelievedVersion { version: HOSTILE.into(), failure_rate: rate(1), hang_rate: rate(0) }],
        held: vec![format!("the rates of {HOSTILE}")],
        point: PointAnswer {
            recommended: Some(policy(20, 3)),
            decided: true,
            same: false,
            says: format!("with the point alone tune would recommend larger batches {HOSTILE}"),
        },
        replicates: N,
        rollouts: 93_000,
        within: 5,
        undecided: 0,
        later: vec![later(Some(2.0), 0.6), later(Some(10.0), 0.7), later(None, 0.72)],
        says: format!("More history would pay {HOSTILE}."),
    };
    TuneReport { scenario: hostile_scenario_ref(), posterior: Some(posterior), ..tune(true) }
}

/// The calibration that ships, with names that must not become markup.
pub fn calibration() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/examples/tutorial.calibration.json");
    let mut report: Value = serde_json::from_slice(&std::fs::read(path).expect("the example")).expect("JSON");
    report["versions"][0]["version"] = HOSTILE.into();
    report["logs"][0] = HOSTILE.into();
    report["warnings"][0]["text"] = HOSTILE.into();
    report
}

/// A check with rules and a baseline, with names that must not become markup.
pub fn check() -> Value {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dryroll"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("CI").env_remove("GITHUB_ACTIONS");
    command.args(["check", "scenarios/tune.toml", "scenarios/asleep-operator.toml", "--max-replicates", "300"]);
    command.args(["--baseline", "reports/examples/accepted.ndjson", "--quiet", "--report", "-"]);
    let mut report: Value = serde_json::from_slice(&command.output().expect("it runs").stdout).expect("JSON");
    let rule = &mut report["scenarios"][0]["rules"][0];
    for key in ["says", "about", "limit", "version", "observed_says", "why", "replay"] {
        rule[key] = HOSTILE.into();
    }
    report["scenarios"][0]["file"] = HOSTILE.into();
    report["scenarios"][0]["scenario"]["rates"][HOSTILE] = json!({});
    report["scenarios"][0]["warnings"] = json!([HOSTILE]);
    report["baseline"]["file"] = HOSTILE.into();
    report["baseline"]["scenarios"][0]["notes"] = json!([HOSTILE]);
    report
}

/// A run report with its timeline.
pub fn run() -> Value {
    let timeline = timeline("broken-rollback.toml");
    let (end, waited) = (timeline.end_ms as f64 / 1000.0, 420.0);
    json!({
        "schema": "dryroll.run/1", "scenario": hostile_scenario_ref(), "command": "dryroll run s.toml --seed 42", "seed": 42, "replicate": 3, "policy": policy(20, 2),
        "version": HOSTILE, "plan": {"total_instances": 50, "batch_size": 10, "batch_count": 5},
        "metrics": {
            "outcome": "rolled_back", "trips": 1, "decisions": ["rollback_completed_batches"], "duration_sec": end,
            "approval_wait_sec": waited, "rollout_sec": end - waited, "exposed_pct": 20.0, "blast_radius_pct": null, "time_to_detect_sec": 51.198,
            "min_serving_pct": 80.0, "escaped_instances": 0, "drift": true,
        },
        "faults": [{"fault": 0, "kind": "partition", "started_at_ms": null, "ended_at_ms": null, "touched_instances": 0, "warning": "never began"}],
        "timeline": timeline,
    })
}

/// A drill report: two edits, a trip that is rolled back, a rollback that trips and is seen through.
pub fn drill() -> DrillReport {
    let path = format!("{}/scenarios/drills/09-payments.toml", env!("CARGO_MANIFEST_DIR"));
    let scenario = Scenario::load(path.as_ref()).expect("the scenario");
    let compiled = CompiledScenario::new(&scenario).expect("the platform accepts it");
    let decisions = json!({"schema": "dryroll.decisions/1", "decisions": [
        {"at_ms": 30_000, "decide": "edit", "batch_pct": 5, "max_consecutive_failures": 2},
        {"at_ms": 60_000, "decide": "approve"},
        {"at_ms": 600_000, "decide": "rollback_completed_batches"},
        {"at_ms": 1_500_000, "decide": "continue_anyway", "of_rollback": true},
    ]});
    let record = Record::parse(&decisions.to_string()).expect("a record");
    let mut monitor = (Chronicle::default(), BreakerCount::default());
    let mut drill = Drill::new(&compiled, 0, &mut monitor);
    drill.play(&record.decisions().expect("decisions"), &mut monitor).expect("they fit");
    let judgement = score::judge(&compiled, &mut drill);
    let mut report = DrillReport::new(&scenario, &mut drill, &monitor.0, &monitor.1, &judgement);
    report.scenario = ScenarioRef { instances: scenario.fleet.instances, ..hostile_scenario_ref() };
    report.scenario.rates.extend(ScenarioRef::of(&scenario).rates);
    report.version = HOSTILE.into();
    report.surprise = Some(Surprise { file: HOSTILE.into(), seed: Some(7) });
    report.truth.facts.push(HOSTILE.into());
    report.lesson = Some(Lesson { difficulty: 3, trains: HOSTILE.into(), good_operator: HOSTILE.into() });
    report.counterfactuals[0].says = HOSTILE.into();
    report
}
