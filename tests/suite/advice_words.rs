//! Advice names its subject word for word; both estimates of a plan appear in all outputs with an estimate; a log in
//! another unit is noticed.

use dryroll::scenario::{Advice, Advisor, Format, ScenarioText};
use serde_json::Value;

use crate::advice::scenario;
use crate::common::folder::{Folder, said};

#[test]
fn advice_names_what_it_is_about() {
    let trip = "on_trip = \"rollback_completed_batches\"";
    let limit = "max_consecutive_failures = 2";
    let cases: Vec<(Vec<(&str, &str)>, &str)> = vec![
        (
            vec![
                ("id = \"v1\"", "id = \"v-1.10\"\n[[versions]]\nid = \"v-1.9\""),
                ("id = \"v2\"\nfailure_rate = 0.1", "id = \"v-1.8\"\nfailure_rate = 0.1"),
                ("target_version_id = \"v2\"", "target_version_id = \"v-1.9\""),
            ],
            "doubtful_previous_version: the fleet runs `v-1.10`, the version listed before `v-1.9`, which by its name is newer \
             than `v-1.9`, and a rollback goes to it; list versions oldest first, or write `previous_version_id = \"v-1.8\"` for \
             what the fleet runs",
        ),
        (
            vec![("id = \"v1\"", "id = \"v1\"\ndefective = true")],
            "doubtful_previous_version: the fleet runs `v1`, the version listed before `v2`, which is defective, and a rollback \
             goes to it; write `previous_version_id` for what the fleet runs",
        ),
        (
            vec![("health_timeout_sec = 300", "health_timeout_sec = 59")],
            "health_window_too_short: the health window of 59 s ends before half of the upgrades to `v2` are heard of: the \
             median upgrade takes 45 s, and the median wait for the heartbeat after it is 15 s; set `health_timeout_sec` well \
             above 60 s",
        ),
        (
            vec![(trip, "[[classes]]\nid = \"arm\"\nshare = 0.9\nupgrade_time_sec = 500")],
            "health_window_too_short: the health window of 300 s ends before half of the upgrades of class `arm` (90 % of the \
             fleet) are heard of: the median upgrade takes 500 s, and the median wait for the heartbeat after it is 15 s; set \
             `health_timeout_sec` well above 515 s",
        ),
        (
            vec![(trip, "on_trip = \"abort\"\n[[overrides]]\nzone = 0\noutcome = \"fail\"\nversions = [\"v1\"]")],
            "rates_of_running_version: `outcome` of override 1 in [[overrides]] does nothing: `versions` names `v1` alone, which \
             the fleet already runs, and `on_trip` never rolls back to it; leave `versions` out, or name a version that is rolled \
             out",
        ),
        (
            vec![(trip, "[tune]\nbatch_pct = [5, 20]\nmax_consecutive_failures = [2, 21, 30]")],
            "breaker_never_trips: 4 of the 6 policies of [tune] have a breaker that can never trip: the limits 21 and 30 are \
             more than the 20 instances of the plan; list limits of 20 or less; the search recommends none of them",
        ),
        (
            vec![
                (limit, "max_consecutive_failures = 1\nbreaker_scope = \"batch\""),
                (trip, "[tune]\nbatch_pct = [5, 20]\nmax_consecutive_failures = [1, 2]"),
            ],
            "breaker_never_trips: 1 of the 4 policies of [tune] has a breaker that can never trip: each batch begins its count at \
             zero, and with `batch_pct = 5` it has 1 instance, the limit is 2; list smaller limits or larger batches, or write \
             `breaker_scope = \"rollout\"`; the search recommends none of them",
        ),
        (
            vec![(trip, "decision_delay_sec = 300000")],
            "unit_of_time: `decision_delay_sec` is in seconds, and 300000 s are 3.5 days; if milliseconds are meant, write 300",
        ),
        (
            vec![
                ("horizon_sec = 86400", "horizon_sec = 800"),
                ("batch_pct = 20", "batch_pct = 100\nmax_in_flight = 1"),
            ],
            "horizon_too_short: no rollout can complete before the horizon of 800 s: 1 batch of 20, 1 at a time, on ticks of 60 s \
             takes 900 s or more; set `horizon_sec` well above 900 s, or allow a larger `max_in_flight`",
        ),
        (
            vec![("horizon_sec = 86400", "horizon_sec = 200")],
            "horizon_too_short: no rollout can complete before the horizon of 200 s: 5 batches on ticks of 60 s take 285 s or \
             more; set `horizon_sec` well above 285 s, or take larger batches",
        ),
    ];
    for (changes, says) in cases {
        let text = scenario(&changes);
        let file = ScenarioText { file: "s.toml".into(), stem: "s".into(), format: Format::Toml, text: text.clone() };
        let mut advisor = Advisor::new(&file);
        advisor.read(&file.scenario().unwrap_or_else(|error| panic!("{error}\n{text}")));
        let said: Vec<String> = advisor.finish().iter().map(Advice::in_a_sentence).collect();
        assert_eq!(said, [says], "{text}");
    }
}

#[test]
fn both_estimates_are_told() {
    let folder = Folder::of(&scenario(&[("batch_pct = 20", "batch_pct = 25\nmax_in_flight = 2")]));
    let output = folder.command("plan s.toml").output().expect("it runs");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("the answer");
    // Four batches of five; two at once take three windows a batch.
    assert_eq!(answer["estimated_total_seconds"], 1200);
    assert_eq!(answer["estimated_total_seconds_in_flight"], 3600);
    let output = folder.command("run s.toml").output().expect("it runs");
    let out = said(&output.stdout);
    assert!(out.contains("estimate 20 min, 1 h 00 min with max_in_flight"), "{out}");
    let output = folder.command("run s.toml --report r.json").output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    let output = folder.command("learn r.json").output().expect("it runs");
    let record = said(&output.stdout);
    assert!(record.contains("= 20 min estimated, 1 h 00 min with max_in_flight."), "{record}");
    assert!(record.contains("estimate_sec=1200, estimate_in_flight_sec=3600,"), "{record}");
    let output = folder.command("report r.json --html page.html").output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    let page = folder.read("page.html").replace('\u{202f}', " ");
    assert!(page.contains("The plan’s estimate was 20 min, 1 h 00 min with max_in_flight; it took"), "{page}");
    let folder = Folder::of(&scenario(&[("batch_pct = 20", "batch_pct = 25\nmax_in_flight = 5")]));
    let output = folder.command("plan s.toml").output().expect("it runs");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("the answer");
    assert!(answer.get("estimated_total_seconds_in_flight").is_none());
}

/// Twelve verdicts 45 units after their commands.
#[test]
fn an_event_log_in_seconds_is_noticed() {
    let log = |unit: u64| {
        let mut lines = vec![format!(
            r#"{{"at_ms":0,"kind":"module.upgrade.planned","rollout_id":"r-1","total_instances":12,"batch_size":12,"batch_count":1}}"#
        )];
        lines.push(
            r#"{"at_ms":0,"kind":"module.upgrade.batch_started","rollout_id":"r-1","batch_index":0,"instance_count":12}"#.into(),
        );
        for n in 1..=12 {
            lines.push(format!(
                r#"{{"at_ms":0,"kind":"module.upgrade.instance_started","rollout_id":"r-1","batch_index":0,"instance_id":"i-{n:05}","target_version":"v2"}}"#
            ));
        }
        for n in 1..=12 {
            lines.push(format!(
                r#"{{"at_ms":{},"kind":"module.upgrade.instance_health_check","rollout_id":"r-1","batch_index":0,"instance_id":"i-{n:05}","healthy":true}}"#,
                (45 + n) * unit
            ));
        }
        lines.join("\n") + "\n"
    };
    for (unit, says) in [(1, Some("probably seconds")), (1000, None), (1_000_000, Some("probably microseconds"))] {
        let folder = Folder::with(&[("log.ndjson", &log(unit))]);
        let output = folder.command("calibrate log.ndjson --report r.json").output().expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
        let report = folder.report("r.json");
        let warnings = report["warnings"].as_array().expect("warnings").iter();
        let units: Vec<&Value> = warnings.filter(|warning| warning["kind"] == "unit").collect();
        assert_eq!(units.len(), usize::from(says.is_some()), "{unit}: {report}");
        assert!(
            units.iter().all(|one| one["text"].as_str().is_some_and(|text| text.contains(says.unwrap_or_default())))
        );
    }
}
