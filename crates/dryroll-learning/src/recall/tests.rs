use proptest::prelude::*;

use super::*;
use crate::recall::{Numbers, PlanNumbers, RunNumbers};
use dryroll_sim::scenario::RolloutOrder;

/// The tutorial's own.
fn tutorial() -> Learning {
    Learning {
        title: "nginx 1.24 → 1.26 rolling upgrade — batch_pct=20% works for edge fleet".into(),
        category: "best_practice".into(),
        content: "50-instance edge fleet: 20% batches × 5 batches × ~5min health window = 25 min total. Zero circuit \
         breaker trips. Recommend keeping batch_pct=20% for similar-sized fleets; reduce to 10% for Tier-1 services \
         with smaller blast radius tolerance."
            .into(),
        tags: ["rolling-upgrade", "nginx", "batch-sizing"].map(str::to_owned).to_vec(),
    }
}

fn with(title: &str, content: &str, tags: &[&str]) -> Learning {
    Learning {
        title: title.into(),
        category: "best_practice".into(),
        content: content.into(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    }
}

fn policy(batch_pct: u32) -> Policy {
    let value = serde_json::json!({
        "batch_pct": batch_pct, "max_consecutive_failures": 2, "health_timeout_sec": 300, "rollback_batch_pct": 50,
        "breaker_order": "observed", "breaker_scope": "rollout", "max_in_flight": null, "observe_after_sec": 0,
        "previous_version_id": "v-1.24.0",
    });
    serde_json::from_value(value).expect("a policy")
}

fn today(numbers: Numbers<'_>) -> Today<'_> {
    Today {
        module: "nginx",
        fleet: "edge",
        instances: 50,
        hash: "abc",
        replicate: "0123456789abcdef0123",
        rates: vec![("v-1".into(), "none".into()), ("v-1.26.0".into(), "hang_rate:0.02".into())],
        hides_truth: false,
        version: "v-1.26.0",
        policy: Some(policy(20)),
        numbers,
    }
}

const PLAN: PlanNumbers = PlanNumbers { total: 50, batches: 5, estimate_sec: 1500.0 };
const RUN: RunNumbers<'_> = RunNumbers {
    seed: 42,
    replicate: 0,
    defective: false,
    is_drill: false,
    outcome: "completed",
    trips: 1,
    duration_sec: 1000.0,
    blast_radius_pct: None,
};

fn contradictions(record: &Learning, today: &Today<'_>) -> Vec<String> {
    let recalled = recall(std::slice::from_ref(record), today);
    let said = recalled.iter().flat_map(|one| one.verdicts.clone());
    said.filter_map(|verdict| match verdict {
        Verdict::Contradicts(why) => Some(why),
        _ => None,
    })
    .collect()
}

#[test]
fn the_tutorial_s_record_is_read_as_people_read_it() {
    let claims = Claims::of(&tutorial());
    assert_eq!((claims.instances, claims.batch_pct, claims.limit), (Some(50), Some(20), None));
    assert_eq!((claims.batches, claims.estimate_sec, claims.trips), (Some(5), Some(1500.0), Some(0)));
    assert!(claims.recommends && claims.facts.is_none());
}

#[test]
fn other_modules_other_sizes_and_other_matters_do_not_apply() {
    let numbers = Numbers::Plan(PLAN);
    for (record, applies) in [
        (tutorial(), true),
        (with("nginx rolling upgrade", "no size", &[]), true),
        (with("postgres rolling upgrade", "50-instance", &["rolling-upgrade", "postgres"]), false),
        (with("nginx TLS settings", "ciphers", &["nginx"]), false),
        (with("nginx upgrade", "", &["nginx", "fleet-25"]), true),
        (with("nginx upgrade", "", &["nginx", "fleet-24"]), false),
        (with("nginx upgrade", "101-instance fleet", &["nginx"]), false),
        (with("nginx upgrade", "", &["nginx", "fleet-18446744073709551615"]), false),
    ] {
        assert_eq!(recall(std::slice::from_ref(&record), &today(numbers)).len(), usize::from(applies), "{record:?}");
    }
}

#[test]
fn the_most_relevant_comes_first_and_of_equals_the_later() {
    let records = [
        with("a", "nginx upgrade", &["nginx"]),
        with("b", "upgrade", &["nginx", "fleet-50", "batch_pct-20", "v-1.26.0"]),
        with("c", "upgrade", &["nginx", "fleet-50", "batch_pct-10"]),
        with("d", "nginx upgrade", &["nginx"]),
    ];
    let order: Vec<String> =
        recall(&records, &today(Numbers::Plan(PLAN))).iter().map(|one| one.record.title.clone()).collect();
    assert_eq!(order, ["b", "c", "d", "a"]);
}

#[test]
fn a_plan_contradicts_other_batches_and_estimates_of_the_same_policy() {
    assert_eq!(contradictions(&tutorial(), &today(Numbers::Plan(PLAN))), Vec::<String>::new());
    let other = PlanNumbers { batches: 4, estimate_sec: 480.0, ..PLAN };
    let said = contradictions(&tutorial(), &today(Numbers::Plan(other)));
    assert_eq!(said.len(), 2, "{said:?}");
    let smaller = Today { policy: Some(policy(10)), ..today(Numbers::Plan(other)) };
    assert_eq!(contradictions(&tutorial(), &smaller), Vec::<String>::new(), "another policy has other numbers");
}

#[test]
fn one_replicate_contradicts_never_and_not_another_replicate() {
    let trips = Numbers::Run(PLAN, RUN);
    assert_eq!(contradictions(&tutorial(), &today(trips)).len(), 1);
    let bad = RunNumbers { defective: true, blast_radius_pct: Some(20.0), ..RUN };
    assert!(contradictions(&tutorial(), &today(Numbers::Run(PLAN, bad))).is_empty(), "a bad version shall trip");
    let facts = |replicate: u64| {
        with(
            "nginx upgrade",
            &format!(
                "Facts: kind=run, scenario=abc, seed=42, replicate={replicate}, instances=50, planned=50, \
                 version=v-1.26.0, batch_pct=20, max_consecutive_failures=2, health_timeout_sec=300, \
                 outcome=completed, trips=0, duration_sec=853.131."
            ),
            &["nginx"],
        )
    };
    assert!(contradictions(&facts(1), &today(trips)).is_empty());
    let said = contradictions(&facts(0), &today(trips));
    assert!(said.len() == 1 && said[0].contains("trips were 0 and are 1"), "{said:?}");
    let same = RunNumbers { trips: 0, duration_sec: 853.131_4, ..RUN };
    assert!(contradictions(&facts(0), &today(Numbers::Run(PLAN, same))).is_empty());
}

#[test]
fn one_replicate_contradicts_what_hardly_any_of_many_did() {
    let sweep = |below: f64, p99: f64| {
        with(
            "nginx upgrade",
            &format!(
                "Facts: kind=sweep, replicates=1000, instances=50, world=0123456789abcdef, batch_pct=20, \
                 max_consecutive_failures=2, health_timeout_sec=300, good=v-1.26.0, false_trip_rate_below={below}, \
                 duration_sec_p99={p99}."
            ),
            &["nginx"],
        )
    };
    let trips = today(Numbers::Run(PLAN, RUN));
    assert!(contradictions(&sweep(0.05, 2000.0), &trips).is_empty());
    assert_eq!(contradictions(&sweep(0.003, 2000.0), &trips).len(), 1);
    assert_eq!(contradictions(&sweep(0.05, 900.0), &trips).len(), 1);
}

/// A record of a search in a case, whose limit holds there.
fn of_a_search(facts: &str) -> Learning {
    let content = format!(
        "edge fleet: false_trip_rate ≤ 0.02 surely holds. Recommend batch_pct=20%. Facts: kind=tune, scenario=other, \
         replicates=8192, {facts}, recommended=yes, good=v-1.26.0, max_consecutive_failures=2, health_timeout_sec=300, \
         duration_sec=900, duration_sec_ci=890..910, harmed_pct=4, false_trip_rate_below=0.005."
    );
    with("nginx upgrade", &content, &["nginx"])
}

#[test]
fn a_record_claims_nothing_of_another_case() {
    let judged = |record: &Learning, today: &Today<'_>| {
        let recalled = recall(std::slice::from_ref(record), today);
        let mut out = Vec::new();
        super::super::list(&mut out, "store", 1, &recalled).unwrap();
        (recalled[0].elsewhere.clone(), String::from_utf8(out).unwrap())
    };
    let here = "instances=50, world=0123456789abcdef, rates=v-1/none;v-1.26.0/hang_rate:0.02, batch_pct=20";
    let (elsewhere, said) = judged(&of_a_search(here), &today(Numbers::Plan(PLAN)));
    assert_eq!(elsewhere, None);
    assert!(said.contains("surely holds"), "{said}");
    for (from, to, differs) in [
        ("instances=50", "instances=100", "100 instances there, 50 today"),
        ("batch_pct=20", "batch_pct=10", "batch_pct 10 there, 20 today"),
        ("world=01", "world=ff", "its scenario is another in the fleet or its classes"),
        ("world=0123456789abcdef, ", "", "it does not say at which failure rates"),
    ] {
        let (elsewhere, said) = judged(&of_a_search(&here.replace(from, to)), &today(Numbers::Plan(PLAN)));
        let elsewhere = elsewhere.unwrap_or_else(|| panic!("{to} is another case"));
        assert!(elsewhere.differs.contains(differs), "{elsewhere:?}");
        assert!(said.contains("Nothing in it surely follows for today"), "{said}");
        assert!(said.contains("It found there: a search over 8192 replicates recommended batch_pct="), "{said}");
        assert!(said.contains("share harmed 4") && !said.contains("surely holds"), "{said}");
        assert!(!said.contains("Recommend batch_pct"), "{said}");
    }
    let rates = here.replace("world=01", "world=ff").replace("hang_rate:0.02", "hang_rate:0.01+crash_rate:0.1");
    let (elsewhere, _) = judged(&of_a_search(&rates), &today(Numbers::Plan(PLAN)));
    let differs = "v-1.26.0 has hang_rate 0.01, crash_rate 0.1 there, hang_rate 0.02 today";
    assert_eq!(elsewhere.unwrap().differs, differs);
    // Before a drill nothing is shown of today's rates.
    let drill = Today { hides_truth: true, ..today(Numbers::Plan(PLAN)) };
    let before = |facts: &str| judged(&of_a_search(facts), &drill);
    assert_eq!(before(here), before(&rates));
    assert!(!before(here).1.contains("hang_rate"));
    let window = Policy { health_timeout_sec: Span(120_000), ..policy(20) };
    let (elsewhere, _) = judged(&of_a_search(here), &Today { policy: Some(window), ..today(Numbers::Plan(PLAN)) });
    assert_eq!(elsewhere.unwrap().differs, "health_timeout_sec 300 there, 120 today");
    let other = Today { version: "v-2", ..today(Numbers::Plan(PLAN)) };
    assert_eq!(judged(&of_a_search(here), &other).0.unwrap().differs, "v-1.26.0 there, v-2 today");
}

#[test]
fn what_another_case_came_to_is_not_contradicted() {
    let run = today(Numbers::Run(PLAN, RUN));
    let here = "instances=50, world=0123456789abcdef, batch_pct=20";
    assert_eq!(contradictions(&of_a_search(here), &run).len(), 1, "a good version trips");
    for other in [here.replace("50", "60"), here.replace("world=0", "world=f")] {
        assert!(contradictions(&of_a_search(&other), &run).is_empty(), "{other}");
        let records = [of_a_search(&other)];
        let verdicts = &recall(&records, &run)[0].verdicts;
        assert!(verdicts.iter().any(|verdict| matches!(verdict, Verdict::Differs(_))), "{verdicts:?}");
    }
}

proptest! {
    #[test]
    fn any_record_is_recalled_or_not(title in ".{0,40}", content in any_content(), tag in "(fleet-|batch_pct-)?[0-9a-z]{0,22}") {
        let record = with(&format!("nginx upgrade {title}"), &content, &["nginx", &tag]);
        for numbers in [Numbers::Plan(PLAN), Numbers::Run(PLAN, RUN)] {
            let records = [record.clone()];
            let recalled = recall(&records, &today(numbers));
            let mut out = Vec::new();
            super::super::list(&mut out, "store", 1, &recalled).unwrap();
        }
    }
}

/// Facts with odd values among words.
fn any_content() -> impl Strategy<Value = String> {
    let fact = prop_oneof![
        Just("Facts:".to_owned()),
        "(kind|seed|replicate|replicates|instances|planned|batches|trips|batch_pct|version|good)=(run|sweep|-?[0-9]{0,21}|nan|1e999),?",
        "(duration_sec_p99|false_trip_rate_below|estimate_sec|duration_sec_ci)=(-?[0-9.e]{0,9}(\\.\\.)?[0-9]{0,3}),?",
        "[0-9]{0,20} (batches|min total|instances|trips)",
        "\\PC{0,12}",
    ];
    proptest::collection::vec(fact, 0..12).prop_map(|words| words.join(" "))
}

/// A record of another case is shown with its order, where that is another than today's or not the fleet's.
#[test]
fn the_order_of_a_record_is_named_where_it_differs() {
    let record = |order: &str| {
        let facts = format!(
            "Facts: kind=compare, scenario=xyz, replicates=100, instances=40, recommended=no, batch_pct=20, \
             max_consecutive_failures=2, health_timeout_sec=300{order}."
        );
        with("one against another", &format!("40-instance fleet. {facts}"), &["rolling-upgrade", "nginx"])
    };
    let found = |order: &str, ours: RolloutOrder| {
        let today = Today { policy: Some(Policy { order: ours, ..policy(20) }), ..today(Numbers::Plan(PLAN)) };
        let record = record(order);
        let recalled = recall(std::slice::from_ref(&record), &today);
        let elsewhere = recalled[0].elsewhere.clone().expect("another fleet");
        (elsewhere.differs, elsewhere.found.expect("facts"))
    };
    for (order, ours, differs, named) in [
        ("", RolloutOrder::Listed, None, None),
        (", order=listed", RolloutOrder::Listed, None, Some("order=listed")),
        (", order=shuffled", RolloutOrder::Listed, Some("order shuffled there, listed today"), Some("order=shuffled")),
        (", order=shuffled", RolloutOrder::Shuffled, None, Some("order=shuffled")),
        ("", RolloutOrder::Shuffled, Some("order listed there, shuffled today"), Some("order=listed")),
    ] {
        let (says, said) = found(order, ours);
        assert_eq!(says.contains("order "), differs.is_some(), "{says}");
        assert!(says.contains(differs.unwrap_or_default()), "{says}");
        assert_eq!(said.contains("order="), named.is_some(), "{said}");
        assert!(said.contains(named.unwrap_or_default()), "{said}");
    }
}
