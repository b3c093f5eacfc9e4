//! Advice: each trap that a scenario can set gets its code at its line, in every command; a correct scenario gets no
//! advice.

use std::path::Path;

use dryroll::scenario::{Advice, AdviceCode, Advisor, Format, ScenarioText, VersionIndex};
use serde_json::Value;

use crate::common::folder::{Folder, said};

const TRIP: &str = "on_trip = \"rollback_completed_batches\"";

/// Twenty hosts in batches of four, two versions, nothing unusual. A change replaces a line, or adds one at the end.
pub fn scenario(changes: &[(&str, &str)]) -> String {
    let mut text = r#"
horizon_sec = 86400
[fleet]
instances = 20
[[versions]]
id = "v1"
[[versions]]
id = "v2"
failure_rate = 0.1
upgrade_time_sec = 45
[rollout]
target_version_id = "v2"
batch_pct = 20
health_timeout_sec = 300
max_consecutive_failures = 2
[reconciler]
policy = "auto_approve"
[operator]
on_trip = "rollback_completed_batches"
"#
    .trim_start()
    .to_owned();
    for (line, other) in changes {
        assert_eq!(text.matches(&format!("{line}\n")).count(), 1, "{line}");
        text = text.replace(&format!("{line}\n"), &format!("{other}\n"));
    }
    text
}

/// A case: the changes, and each expected code with the beginning of its line.
type Case = (&'static str, Vec<(&'static str, &'static str)>, Vec<(AdviceCode, &'static str)>);

fn cases() -> Vec<Case> {
    use AdviceCode::*;
    let limit = "max_consecutive_failures = 2";
    let policy = "policy = \"auto_approve\"";
    let trip = "on_trip = \"rollback_completed_batches\"";
    let asks = "policy = \"require_approval\"";
    vec![
        ("as it is", vec![], vec![]),
        (
            "no heartbeat arrives",
            vec![("instances = 20", "instances = 20\nheartbeat_loss_rate = 1")],
            vec![(HealthWindowTooShort, "health_timeout_sec")],
        ),
        (
            "an override loses them all",
            vec![(
                trip,
                "on_trip = \"rollback_completed_batches\"\n[[overrides]]\nfraction = 1\nheartbeat_loss_rate = 1",
            )],
            vec![(HealthWindowTooShort, "health_timeout_sec")],
        ),
        (
            "an override delays them beyond the window",
            vec![(trip, "on_trip = \"abort\"\n[[overrides]]\nfraction = 1\nheartbeat_delay_sec = 400")],
            vec![(HealthWindowTooShort, "health_timeout_sec")],
        ),
        (
            "a network that is nearly always down",
            vec![(trip, "on_trip = \"abort\"\n[network]\nflap_rate_per_hour = 3600\nflap_down_sec = 20000.5")],
            vec![(HealthWindowTooShort, "health_timeout_sec")],
        ),
        (
            "a network that is down now and then",
            vec![(trip, "on_trip = \"abort\"\n[network]\nflap_rate_per_hour = 1\nflap_down_sec = 60")],
            vec![],
        ),
        (
            "a window that outlasts the horizon",
            vec![
                ("horizon_sec = 86400", "horizon_sec = 3600"),
                ("health_timeout_sec = 300", "health_timeout_sec = 7200"),
                ("failure_rate = 0.1", "defective = true\nhang_rate = 0.5"),
            ],
            vec![(HorizonTooShort, "horizon_sec")],
        ),
        ("a fleet of one", vec![("instances = 20", "instances = 1")], vec![(BreakerNeverTrips, limit)]),
        (
            "an edit to batches below the limit",
            vec![
                (policy, asks),
                (limit, "max_consecutive_failures = 4\nbreaker_scope = \"batch\""),
                (trip, "on_trip = \"abort\"\nedit = { batch_pct = 10 }"),
            ],
            vec![(BreakerNeverTrips, "edit = ")],
        ),
        (
            "an edit that changes no reason",
            vec![
                (policy, asks),
                (limit, "max_consecutive_failures = 21"),
                (trip, "on_trip = \"abort\"\nedit = { batch_pct = 10 }"),
            ],
            vec![(BreakerNeverTrips, "max_consecutive")],
        ),
        ("a bake in which nobody is watched", vec![(limit, "bake_sec = 60")], vec![(UnwatchedBake, "bake_sec")]),
        (
            "a question before a batch that is not there",
            vec![(limit, "approve_before = [5]")],
            vec![(PromotionBeyondPlan, "approve_before")],
        ),
        ("a limit of the whole fleet", vec![(limit, "max_consecutive_failures = 20")], vec![]),
        (
            "a limit beyond the fleet",
            vec![(limit, "max_consecutive_failures = 21")],
            vec![(BreakerNeverTrips, "max_consecutive")],
        ),
        ("a limit of a batch", vec![(limit, "max_consecutive_failures = 4\nbreaker_scope = \"batch\"")], vec![]),
        (
            "a limit beyond a batch",
            vec![(limit, "max_consecutive_failures = 5\nbreaker_scope = \"batch\"")],
            vec![(BreakerNeverTrips, "max_consecutive")],
        ),
        (
            "instances that are not planned",
            vec![("instances = 20", "instances = 20\nstatuses = { stopped = 19 }")],
            vec![(BreakerNeverTrips, limit)],
        ),
        (
            "an edit that disarms it",
            vec![(policy, asks), (trip, "on_trip = \"abort\"\nedit = { max_consecutive_failures = 50 }")],
            vec![(BreakerNeverTrips, "edit = ")],
        ),
        (
            "an edit that nobody is asked for",
            vec![(trip, "on_trip = \"abort\"\nedit = { max_consecutive_failures = 50 }")],
            vec![],
        ),
        // Five batches on four ticks of 6 hours: 24 hours, and the last upgrade.
        (
            "ticks of hours",
            vec![(policy, "policy = \"auto_approve\"\ninterval_sec = 21600")],
            vec![(HorizonTooShort, "horizon_sec")],
        ),
        ("ticks of less", vec![(policy, "policy = \"auto_approve\"\ninterval_sec = 21500")], vec![]),
        (
            "one at a time",
            vec![
                ("horizon_sec = 86400", "horizon_sec = 899"),
                ("batch_pct = 20", "batch_pct = 100\nmax_in_flight = 1"),
            ],
            vec![(HorizonTooShort, "horizon_sec")],
        ),
        (
            "one at a time, in time",
            vec![
                ("horizon_sec = 86400", "horizon_sec = 900"),
                ("batch_pct = 20", "batch_pct = 100\nmax_in_flight = 1"),
            ],
            vec![],
        ),
        (
            "newest first",
            vec![("target_version_id = \"v2\"", "target_version_id = \"v1\"")],
            vec![(NoWayBack, "[rollout]")],
        ),
        (
            "newest first, and said so",
            vec![("target_version_id = \"v2\"", "target_version_id = \"v1\"\nprevious_version_id = \"v2\"")],
            vec![],
        ),
        (
            "a newer version before the target",
            vec![
                ("id = \"v1\"", "id = \"v-1.10\""),
                ("id = \"v2\"\nfailure_rate = 0.1", "id = \"v-1.9.2\"\nfailure_rate = 0.1"),
                ("target_version_id = \"v2\"", "target_version_id = \"v-1.9.2\""),
            ],
            vec![(DoubtfulPreviousVersion, "[rollout]")],
        ),
        (
            "an older version before the target",
            vec![
                ("id = \"v1\"", "id = \"v-1.9.2\""),
                ("id = \"v2\"\nfailure_rate = 0.1", "id = \"v-1.10\"\nfailure_rate = 0.1"),
                ("target_version_id = \"v2\"", "target_version_id = \"v-1.10\""),
            ],
            vec![],
        ),
        (
            "a newer version, and said so",
            vec![
                ("id = \"v1\"", "id = \"v-1.10\""),
                ("id = \"v2\"\nfailure_rate = 0.1", "id = \"v-1.9\"\nfailure_rate = 0.1"),
                ("target_version_id = \"v2\"", "target_version_id = \"v-1.9\"\nprevious_version_id = \"v-1.10\""),
            ],
            vec![],
        ),
        (
            "a defective version before the target",
            vec![("id = \"v1\"", "id = \"v1\"\ndefective = true\nfailure_rate = 0.6")],
            vec![(DoubtfulPreviousVersion, "[rollout]")],
        ),
        (
            "archived",
            vec![("id = \"v1\"", "id = \"v1\"\nlifecycle_state = \"archived\"")],
            vec![(NoWayBack, "[rollout]")],
        ),
        (
            "below the upgrades",
            vec![("health_timeout_sec = 300", "health_timeout_sec = 44")],
            vec![(HealthWindowTooShort, "health_timeout_sec")],
        ),
        (
            "below the heartbeats",
            vec![
                ("health_timeout_sec = 300", "health_timeout_sec = 29"),
                ("upgrade_time_sec = 45", "upgrade_time_sec = 1"),
            ],
            vec![(HealthWindowTooShort, "health_timeout_sec")],
        ),
        (
            "no time for a heartbeat",
            vec![("health_timeout_sec = 300", "health_timeout_sec = 59")],
            vec![(HealthWindowTooShort, "health_timeout_sec")],
        ),
        ("time for half of the heartbeats", vec![("health_timeout_sec = 300", "health_timeout_sec = 60")], vec![]),
        (
            "lost heartbeats",
            vec![
                ("health_timeout_sec = 300", "health_timeout_sec = 80"),
                ("instances = 20", "instances = 20\nheartbeat_loss_rate = 0.6"),
            ],
            vec![(HealthWindowTooShort, "health_timeout_sec")],
        ),
        (
            "a phase that may fit",
            vec![
                ("health_timeout_sec = 300", "health_timeout_sec = 46"),
                ("instances = 20", "instances = 20\nheartbeat_phase_sec = 15"),
            ],
            vec![],
        ),
        (
            "a class of most",
            vec![(trip, "[[classes]]\nid = \"arm\"\nshare = 0.9\nupgrade_time_sec = 500")],
            vec![(HealthWindowTooShort, "health_timeout_sec")],
        ),
        ("a class of few", vec![(trip, "[[classes]]\nid = \"arm\"\nshare = 0.4\nupgrade_time_sec = 500")], vec![]),
        (
            "an override of all",
            vec![(trip, "[[overrides]]\nfraction = 1.0\nupgrade_time_sec = 500")],
            vec![(HealthWindowTooShort, "health_timeout_sec")],
        ),
        (
            "a class of most that an override makes quick",
            vec![(
                trip,
                "[[classes]]\nid = \"arm\"\nshare = 0.9\nupgrade_time_sec = 500\n[[overrides]]\nfraction = 0.8\nupgrade_time_sec = 9",
            )],
            vec![],
        ),
        (
            "slow by its defect",
            vec![("failure_rate = 0.1", "defective = true"), ("upgrade_time_sec = 45", "upgrade_time_sec = 400")],
            vec![],
        ),
        (
            "rates that do nothing",
            vec![("id = \"v1\"", "id = \"v1\"\nhang_rate = 0.1"), (trip, "on_trip = \"abort\"")],
            vec![(RatesOfRunningVersion, "hang_rate")],
        ),
        ("rates of a rollback", vec![("id = \"v1\"", "id = \"v1\"\nhang_rate = 0.1")], vec![]),
        (
            "a fleet that is meant to be broken",
            vec![("id = \"v1\"", "id = \"v1\"\nunhealthy_rate = 1")],
            vec![(RatesOfRunningVersion, "unhealthy_rate")],
        ),
        (
            "a class of the running version",
            vec![(
                trip,
                "on_trip = \"abort\"\n[[classes]]\nid = \"arm\"\nshare = 0.9\nhang_rate = 0.9\nversions = [\"v1\"]",
            )],
            vec![(RatesOfRunningVersion, "versions =")],
        ),
        (
            "an override of the running version",
            vec![(trip, "on_trip = \"abort\"\n[[overrides]]\nfraction = 0.5\noutcome = \"fail\"\nversions = [\"v1\"]")],
            vec![(RatesOfRunningVersion, "versions =")],
        ),
        (
            "an override of a rollback",
            vec![(
                trip,
                "on_trip = \"rollback_completed_batches\"\n[[overrides]]\nfraction = 0.5\noutcome = \"fail\"\nversions = [\"v1\"]",
            )],
            vec![],
        ),
        (
            "an override of both versions",
            vec![(
                trip,
                "on_trip = \"abort\"\n[[overrides]]\nfraction = 0.5\noutcome = \"fail\"\nversions = [\"v1\", \"v2\"]",
            )],
            vec![],
        ),
        (
            "heartbeats of the running version",
            vec![(
                trip,
                "on_trip = \"abort\"\n[[overrides]]\nfraction = 0.5\nheartbeat_loss_rate = 0.1\nversions = [\"v1\"]",
            )],
            vec![],
        ),
        (
            "limits of a search beyond the plan",
            vec![(trip, "on_trip = \"abort\"\n[tune]\nbatch_pct = [20]\nmax_consecutive_failures = [\n20,\n21,\n]")],
            vec![(BreakerNeverTrips, "21,")],
        ),
        (
            "limits of a search beyond a batch",
            vec![
                (limit, "max_consecutive_failures = 1\nbreaker_scope = \"batch\""),
                (trip, "on_trip = \"abort\"\n[tune]\nbatch_pct = [5, 20]\nmax_consecutive_failures = [\n1,\n2,\n]"),
            ],
            vec![(BreakerNeverTrips, "2,")],
        ),
        (
            "limits of a search within reach",
            vec![(trip, "on_trip = \"abort\"\n[tune]\nbatch_pct = [20]\nmax_consecutive_failures = [19, 20]")],
            vec![],
        ),
        (
            "an operator in milliseconds",
            vec![(trip, "on_trip = \"abort\"\ndecision_delay_sec = 300000")],
            vec![(UnitOfTime, "decision_delay_sec")],
        ),
        (
            "flaps in milliseconds",
            vec![(trip, "on_trip = \"abort\"\n[network]\nflap_down_sec = { exponential = { mean = 900000 } }")],
            vec![(UnitOfTime, "flap_down_sec")],
        ),
        (
            "an hour of milliseconds",
            vec![(limit, "max_consecutive_failures = 2\nobserve_after_sec = 3600000")],
            vec![(UnitOfTime, "observe_after_sec")],
        ),
        ("days", vec![(limit, "max_consecutive_failures = 2\nobserve_after_sec = 100000")], vec![]),
        (
            "an operator who is away for days",
            vec![
                ("horizon_sec = 86400", "horizon_sec = 1000000"),
                (trip, "on_trip = \"abort\"\ndecision_delay_sec = 172800"),
            ],
            vec![],
        ),
        (
            "milliseconds",
            vec![("health_timeout_sec = 300", "health_timeout_sec = 300000")],
            vec![(UnitOfTime, "health_timeout_sec")],
        ),
        ("hours", vec![("health_timeout_sec = 300", "health_timeout_sec = 36000")], vec![]),
        (
            "an operator who is late",
            vec![(policy, asks), (trip, "approval_delay_sec = 601\napproval_expires_sec = 600")],
            vec![(ApprovalExpires, "approval_expires_sec")],
        ),
        (
            "an edit that makes the answer late",
            vec![
                (policy, asks),
                (trip, "approval_delay_sec = 301\napproval_expires_sec = 600\nedit = { batch_pct = 50 }"),
            ],
            vec![(ApprovalExpires, "approval_expires_sec")],
        ),
        (
            "an answer in the same millisecond",
            vec![(policy, asks), (trip, "approval_delay_sec = 600\napproval_expires_sec = 600")],
            vec![],
        ),
        (
            "two classes that are too much together",
            vec![(
                trip,
                "[[classes]]\nid = \"a\"\nshare = 0.5\nfailure_rate = 0.7\n[[classes]]\nid = \"b\"\nshare = 0.5\nhang_rate = 0.8",
            )],
            vec![(OverlappingRates, "hang_rate = 0.8")],
        ),
        (
            "a class and an override",
            vec![(
                trip,
                "[[classes]]\nid = \"a\"\nshare = 0.5\ncrash_rate = 0.7\n[[overrides]]\nfraction = 0.1\nhang_rate = 0.8",
            )],
            vec![(OverlappingRates, "hang_rate = 0.8")],
        ),
        (
            "three classes, of which two are not too much",
            vec![(
                trip,
                "[[classes]]\nid = \"a\"\nshare = 0.5\nfailure_rate = 0.4\n[[classes]]\nid = \"b\"\nshare = 0.5\nhang_rate = \
                 0.4\n[[classes]]\nid = \"c\"\nshare = 0.5\ncrash_rate = 0.35",
            )],
            vec![(OverlappingRates, "crash_rate = 0.35")],
        ),
        (
            "lists that have no instance in common",
            vec![(
                trip,
                "[[overrides]]\nids = [\"i-00001\"]\nfailure_rate = 0.7\n[[overrides]]\nids = [\"i-00002\"]\n\
                 hang_rate = 0.8",
            )],
            vec![],
        ),
        (
            "what replaces the other's rate",
            vec![(
                trip,
                "[[classes]]\nid = \"a\"\nshare = 0.5\nfailure_rate = 0.7\n[[classes]]\nid = \"b\"\nshare = 0.5\nfailure_rate = \
                 0.8",
            )],
            vec![],
        ),
    ]
}

/// The advice of a command's report, as code and line.
fn codes(report: &Value) -> Vec<(String, Option<u64>)> {
    let all = report["advice"].as_array().cloned().unwrap_or_default();
    all.iter().map(|one| (one["code"].as_str().expect("a code").to_owned(), one["line"].as_u64())).collect()
}

#[test]
fn each_trap_has_its_code_at_its_line() {
    let mut seen = Vec::new();
    for (name, changes, expected) in cases() {
        let text = scenario(&changes);
        let file = ScenarioText {
            file: "s.toml".into(),
            stem: "s".into(),
            format: dryroll::scenario::Format::Toml,
            text: text.clone(),
        };
        let read = file.scenario().unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut advisor = Advisor::new(&file);
        advisor.read(&read);
        let found: Vec<_> = advisor.finish().iter().map(|one| (one.code, one.line)).collect();
        let line = |start: &str| text.lines().position(|line| line.starts_with(start)).map(|place| place + 1);
        let expected: Vec<_> = expected.into_iter().map(|(code, start)| (code, line(start))).collect();
        assert_eq!(found, expected, "{name}\n{text}");
        seen.extend(found.into_iter().map(|(code, _)| code));
    }
    // What only a run, rules or a search can show have tests of their own.
    let unseen: Vec<_> = AdviceCode::ALL.into_iter().filter(|code| !seen.contains(code)).collect();
    assert_eq!(unseen, [AdviceCode::EndedAtHorizon, AdviceCode::NothingRolledOut, AdviceCode::TripsIgnored]);
}

#[test]
fn every_command_tells_it_and_reports_it() {
    let rule =
        "[[expect]]\nmetric = \"trips\"\nat_most = 5\n[tune]\nbatch_pct = [20]\nmax_consecutive_failures = [20, 21]\n";
    let folder = Folder::of(&format!(
        "{}{rule}",
        scenario(&[("max_consecutive_failures = 2", "max_consecutive_failures = 99")])
    ));
    folder.write("d.json", r#"{"schema": "dryroll.decisions/1", "decisions": []}"#);
    let printed = |arguments: &str| {
        let output = folder.command(arguments).output().expect("it runs");
        (output.status.code(), format!("{}{}", said(&output.stdout), said(&output.stderr)))
    };
    // The scenario's own limit stands in line 14, that of its search in line 24.
    let codes_at = |lines: &[Option<u64>]| -> Vec<(String, Option<u64>)> {
        lines.iter().map(|&line| ("breaker_never_trips".to_owned(), line)).collect()
    };
    for (command, lines) in [
        ("run s.toml", &[Some(14), Some(24)][..]),
        ("drill s.toml --decisions d.json", &[Some(14), Some(24)]),
        ("sweep s.toml --replicates 8", &[Some(14)]),
        ("sweep s.toml --replicates 8 --max-consecutive-failures 2,99", &[None]),
        ("compare s.toml --replicates 8 --policy batch_pct=20 --policy batch_pct=50", &[Some(14)]),
        ("tune s.toml --replicates 256", &[Some(24)]),
        ("check s.toml", &[Some(14), Some(24)]),
    ] {
        let (code, out) = printed(&format!("{command} --report r.json"));
        assert_eq!(code, Some(0), "{command}: {out}");
        assert!(out.contains("breaker") && out.contains("can never trip"), "{command}: {out}");
        assert_eq!(codes(&folder.report("r.json")), codes_at(lines), "{command}");
        let (code, out) = printed("report r.json --html page.html");
        assert_eq!(code, Some(0), "{command}: {out}");
        assert!(folder.read("page.html").contains("breaker_never_trips"), "{command}");
    }
    let output = folder.command("plan s.toml").output().expect("it runs");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("the answer alone");
    assert_eq!(codes(&answer), codes_at(&[Some(14), Some(24)]));
    assert!(said(&output.stderr).contains("advice: the breaker"), "{}", said(&output.stderr));
}

/// Without limits only the breaker's reach keeps a policy that never stops from being the fastest.
#[test]
fn a_search_leaves_out_what_can_never_trip() {
    let grid = "[tune]\nbatch_pct = [20]\nmax_consecutive_failures = [2, 20, 21]\n";
    let folder = Folder::of(&format!("{}{grid}", scenario(&[])));
    let output = folder.command("tune s.toml --replicates 256 --report r.json").output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    let report = folder.report("r.json");
    let never: Vec<&Value> = report["candidates"]
        .as_array()
        .expect("policies")
        .iter()
        .filter(|one| one["standing"] == "never_trips")
        .collect();
    assert_eq!(never.len(), 1);
    assert_eq!(never[0]["policy"]["max_consecutive_failures"], 21);
    assert_eq!(never[0]["on_front"], false);
    assert_eq!(report["recommended"]["policy"]["max_consecutive_failures"], 20);
    let folder = Folder::of(&format!("{}[tune]\nbatch_pct = [20]\nmax_consecutive_failures = [21]\n", scenario(&[])));
    let output = folder.command("tune s.toml --replicates 256").output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output.stdout).contains("no policy of the grid has a breaker that can trip"),
        "{}",
        said(&output.stdout)
    );
}

/// A decision takes two days: replicates that trip are not over after one day, and no bound knows that in advance.
#[test]
fn replicates_that_stalled_are_said_and_a_rule_does_not_pass_on_them_in_silence() {
    let stalls = scenario(&[
        ("failure_rate = 0.1", "failure_rate = 1\ndefective = true"),
        ("on_trip = \"rollback_completed_batches\"", "on_trip = \"abort\"\ndecision_delay_sec = 172800"),
    ]);
    let rule = "[[expect]]\nmetric = \"trips\"\nat_most = 5\n";
    let folder = Folder::of(&format!("{stalls}{rule}"));
    let printed = folder.check("s.toml --report r.json");
    assert_eq!(printed.code, Some(0), "{}", printed.out);
    assert!(printed.out.contains("the rule `mean trips ≤ 5` passes, but 256 of the 256 replicates"), "{}", printed.out);
    assert_eq!(codes(&folder.report("r.json")), [("ended_at_horizon".to_owned(), Some(21))]);
    for command in ["run s.toml", "sweep s.toml --replicates 8"] {
        let output = folder.command(&format!("{command} --report r.json")).output().expect("it runs");
        assert!(said(&output.stdout).contains("not over at the horizon of 86400 s"), "{}", said(&output.stdout));
        assert_eq!(codes(&folder.report("r.json")), [("ended_at_horizon".to_owned(), Some(1))]);
    }
    let folder = Folder::of(&format!("{stalls}{rule}[[expect]]\nmetric = \"stalled\"\nat_least = 0.9\n"));
    let printed = folder.check("s.toml --report r.json");
    assert!(!printed.out.contains("advice"), "{}", printed.out);
}

#[test]
fn strict_fails_on_advice_and_tells_machines() {
    let rule = "[[expect]]\nmetric = \"trips\"\nat_most = 5\n";
    let trap = scenario(&[("max_consecutive_failures = 2", "max_consecutive_failures = 99")]);
    let folder = Folder::of(&format!("{trap}{rule}"));
    assert_eq!(folder.check("s.toml --junit lax.xml").code, Some(0));
    assert!(!folder.read("lax.xml").contains("breaker_never_trips"));
    let printed = folder.check("s.toml --strict --junit strict.xml --markdown m.md --report r.json");
    assert_eq!(printed.code, Some(1), "{}", printed.out);
    assert!(printed.out.contains("failed: 1 rule of 1 scenario: 1 passed, 1 piece of advice"), "{}", printed.out);
    assert!(printed.error.contains("--strict"), "{}", printed.error);
    let junit = folder.read("strict.xml");
    assert!(junit.contains("failures=\"1\"") && junit.contains("s.toml is free of breaker_never_trips"), "{junit}");
    assert!(folder.read("m.md").contains("the breaker can never trip"));
    let report = folder.report("r.json");
    assert_eq!((&report["passed"], &report["strict"]), (&Value::from(false), &Value::from(true)));
    assert!(report["command"].as_str().is_some_and(|command| command.ends_with(" --strict")), "{report}");
    // A scenario without rules can be wrong all the same.
    folder.write("s.toml", &trap);
    assert_eq!(folder.check("s.toml --strict").code, Some(1));
    assert_eq!(folder.check("s.toml").code, Some(4));
    folder.write("s.toml", &format!("{}{rule}", scenario(&[])));
    assert_eq!(folder.check("s.toml --strict").code, Some(0));
}

#[test]
fn a_rule_about_a_rollout_that_does_not_happen_is_advised_against() {
    let rule = "[[expect]]\nmetric = \"false_trip_rate\"\nat_most = 0.3\n";
    for changes in [
        vec![("policy = \"auto_approve\"", "policy = \"require_approval\""), (TRIP, "approves = false")],
        vec![("policy = \"auto_approve\"", "policy = \"blocked\"")],
        vec![("instances = 20", "instances = 20\n[fleet.statuses]\nstopped = 20")],
        vec![
            ("id = \"v1\"", "id = \"v1\"\ndigest = \"d\""),
            ("failure_rate = 0.1", "failure_rate = 0.1\ndigest = \"d\""),
        ],
    ] {
        let folder = Folder::of(&format!("{}{rule}", scenario(&changes)));
        let told = folder.check("s.toml --strict --report r.json");
        assert_eq!(told.code, Some(1), "{changes:?}: {}{}", told.out, told.error);
        assert_eq!(folder.report("r.json")["advice"][0]["code"], "nothing_rolled_out");
    }
    // The outcome may be what is meant.
    let outcome = "[[expect]]\nmetric = \"outcome\"\nequals = \"blocked\"\n";
    let folder =
        Folder::of(&format!("{}{outcome}", scenario(&[("policy = \"auto_approve\"", "policy = \"blocked\"")])));
    assert_eq!(folder.check("s.toml --strict").code, Some(0));
}

#[test]
fn an_edit_that_keeps_the_breaker_from_tripping_is_named() {
    let text = scenario(&[
        ("max_consecutive_failures = 2", "max_consecutive_failures = 2\nbreaker_scope = \"batch\""),
        ("policy = \"auto_approve\"", "policy = \"require_approval\""),
        (TRIP, "edit = { batch_pct = 5 }"),
    ]);
    let text = ScenarioText { file: "s.toml".into(), stem: "s".into(), format: Format::Toml, text };
    let mut advisor = Advisor::new(&text);
    advisor.read(&text.scenario().expect("a scenario"));
    let advice = advisor.finish();
    let [one] = advice.as_slice() else { panic!("{advice:?}") };
    let line = text.text.lines().nth(one.line.expect("a line") - 1).expect("that line");
    assert!(one.code == AdviceCode::BreakerNeverTrips && line.starts_with("edit = "), "{one:?}");
    assert!(one.message.contains("the operator's edit `batch_pct = 5`"), "{}", one.message);
}

/// All versions that can be rolled out, as in a sweep over all of them.
#[test]
fn what_ships_is_free_of_advice() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = ScenarioText::load(&path).expect("a file");
            let scenario = text.scenario().expect("a scenario");
            let mut advisor = Advisor::new(&text);
            for (version, spec) in scenario.versions.iter().enumerate() {
                let mut other = scenario.clone();
                let can =
                    spec.lifecycle_state.can_be_rolled_out() && other.rollout.previous != Some(VersionIndex(version));
                if can && other.retarget(VersionIndex(version)).is_ok() {
                    advisor.read(&other);
                }
            }
            let advice = advisor.finish();
            // It shows what comes of a heartbeat that is broken.
            let is_meant =
                |one: &Advice| one.code == AdviceCode::HealthWindowTooShort && path.ends_with("broken-heartbeat.toml");
            assert!(advice.iter().all(is_meant), "{}: {advice:?}", path.display());
            read += 1;
        }
    }
    assert!(read > 30, "{read}");
}

#[test]
fn the_page_has_each_code_with_cause_and_remedy() {
    let page = include_str!("../../docs/advice.md");
    let sections: Vec<&str> = page.split("\n## ").skip(1).collect();
    let titles: Vec<&str> = sections.iter().filter_map(|section| section.lines().next()).collect();
    assert_eq!(titles, AdviceCode::ALL.map(|code| format!("`{}`", code.name())));
    assert!(sections.iter().all(|section| section.contains("\n*Remedy:* ")));
    for code in AdviceCode::ALL {
        assert_eq!(serde_json::to_value(code).expect("a name"), code.name());
    }
}

#[test]
fn a_precision_that_every_interval_meets_is_refused() {
    let folder = Folder::of(&scenario(&[]));
    for (arguments, code) in [
        ("--precision 1", 2),
        ("--precision 5", 2),
        ("--precision 100%", 2),
        ("--precision 100 --metric exposed_pct", 2),
        ("--precision 0.2", 0),
        ("--precision 60 --metric duration_sec", 0),
    ] {
        let output = folder.command(&format!("sweep s.toml --replicates 512 {arguments}")).output().expect("it runs");
        assert_eq!(output.status.code(), Some(code), "{arguments}: {}", said(&output.stderr));
        assert!(code == 0 || said(&output.stderr).contains("is too wide for"), "{}", said(&output.stderr));
    }
}
