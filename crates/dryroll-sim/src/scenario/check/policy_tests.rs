//! Every key of policies, and what is refused of them.

use std::num::NonZeroU32;

use super::super::*;
use dryroll_engine::fleet::Span;
use dryroll_engine::{
    Armed, BatchOf, BatchSizes, BreakerScope, FailedBatches, FailureCount, Failures, Growth, GrowthStep, Limit,
    Moments, NoProgress, OnFailed, Pace, Promotions, Reason, Rounding, Rule, RuleKind, Share, Size, Then, Threshold,
    Unwell, Watch, Whole,
};

/// Two versions, and what stands in `[rollout]`.
fn file(rollout: &str) -> String {
    format!(
        "[fleet]\ninstances = 50\n[[versions]]\nid = 'v1'\n[[versions]]\nid = 'v2'\n[rollout]\n\
         target_version_id = 'v2'\n{rollout}\n"
    )
}

fn parsed(rollout: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse("x.toml", file(rollout).as_bytes(), Format::Toml)
}

fn good(rollout: &str) -> Scenario {
    parsed(rollout).unwrap_or_else(|error| panic!("{rollout}\n{error}"))
}

fn rules(breakers: &str) -> Vec<RuleKind> {
    let spec = good(&format!("silent_after_sec = 90\nbreakers = [{breakers}]")).rollout;
    spec.breakers.into_iter().map(|rule| rule.kind).collect()
}

fn count(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn share(thousandths: u32) -> Share {
    Share::from_thousandths(thousandths).unwrap()
}

#[test]
fn batches_are_as_written() {
    let sizes = |text: &str| good(text).rollout.batches;
    let listed = vec![Size::Count(count(1)), Size::Share(share(5_000)), Size::Share(share(33_333))];
    assert_eq!(
        sizes("batches = [1, '5%', '33.333%']\nrounding = 'down'\nbatch_of = 'remaining'"),
        BatchSizes { sizes: listed, rounding: Rounding::Down, of: BatchOf::Remaining, growth: None }
    );
    assert_eq!(sizes("batches = ['20%']"), BatchSizes::pct(20));
    let growth = |step, on_failed| Some(Growth { step, on_failed });
    assert_eq!(
        sizes("batches = [1]\ngrowth = {factor = 1.001}").growth,
        growth(GrowthStep::Factor(1001), OnFailed::Keep)
    );
    for text in ["growth = {add = 3}\non_failed = 'shrink'", "growth = {add = 3, on_failed = 'shrink'}"] {
        assert_eq!(
            sizes(&format!("batches = [1]\n{text}")).growth,
            growth(GrowthStep::Add(count(3)), OnFailed::Shrink)
        );
    }
    assert!(sizes("batch_pct = 10\ngrowth = {factor = 2}").growth.is_some());
    let spec = good("rollback_batches = [2, '50%']\nrounding = 'down'\nbatch_of = 'remaining'").rollout;
    assert_eq!(spec.rollback_batches.sizes, [Size::Count(count(2)), Size::Share(share(50_000))]);
    assert_eq!((spec.rollback_batches.rounding, spec.rollback_batches.of), (Rounding::Down, BatchOf::Remaining));
}

#[test]
fn the_pace_is_as_written() {
    let pace = |text: &str| good(text).rollout.pace;
    assert_eq!(
        pace("min_healthy_sec = 30\nretries = 2\nadvance_pct = 80\nbake_sec = 60\napprove_before = 'every'"),
        Pace {
            min_healthy: Span(30_000),
            retries: 2,
            advance_pct: 80,
            bakes: vec![Span(60_000)],
            promotions: Promotions::Every
        }
    );
    assert_eq!(pace("bake_sec = [0, 1.5]").bakes, [Span::ZERO, Span(1500)]);
    assert_eq!(pace("bake_sec = 0"), Pace::default());
    assert_eq!(pace("approve_before = [1, 3]").promotions, Promotions::Before(vec![1, 3]));
    assert_eq!(pace("retries = 100").retries, 100);
    assert_eq!(pace("advance_pct = 0").advance_pct, 0);
}

#[test]
fn bounds_and_the_watch_are_as_written() {
    let spec = good(
        "max_in_flight = '25%'\nmax_unavailable = 5\nsilent_after_sec = 30\nok_pct = 90\n\
         rollback_max_consecutive_failures = 4\nrollback_health_timeout_sec = 100",
    )
    .rollout;
    assert_eq!(spec.max_in_flight, Some(Size::Share(share(25_000))));
    let max_unavailable = Some(Size::Count(count(5)));
    assert_eq!(spec.watch, Some(Watch { silent_after: Span(30_000), max_unavailable }));
    assert_eq!((spec.ok_pct, spec.rollback_max_consecutive_failures), (90, Some(count(4))));
    assert_eq!(spec.rollback_health_timeout, Some(Span(100_000)));
}

#[test]
fn the_first_rule_is_there_unless_others_are_given() {
    let limit = |text: &str| good(text).rollout.max_consecutive_failures;
    assert_eq!((limit(""), limit("breakers = []")), (Some(count(2)), None));
    assert_eq!(limit("breakers = [{limit = 3}]"), None);
    assert_eq!(limit("breakers = [{limit = 3}]\nmax_consecutive_failures = 2"), Some(count(2)));
}

#[test]
fn rules_of_failures_are_as_written() {
    let plain = Failures {
        how: FailureCount::Total,
        threshold: Threshold { limit: Limit::Count(3), of: Whole::Planned, exceeds: false },
        armed: Armed::default(),
        check: Moments::Verdict,
        reasons: None,
        scope: BreakerScope::Rollout,
    };
    assert_eq!(rules("{limit = 3}"), [RuleKind::Failures(plain.clone())]);
    assert_eq!(
        rules(
            "{count = 'failed', how = 'window', window_sec = 600, limit = '10%', of = 'batch', exceeds = true, \
             after_judged = 10, until_pct = 50, check = 'batch_end', reasons = ['upgrade_failed', 'relapsed'], \
             scope = 'batch'}"
        ),
        [RuleKind::Failures(Failures {
            how: FailureCount::Window(Span(600_000)),
            threshold: Threshold { limit: Limit::Share(share(10_000)), of: Whole::Batch, exceeds: true },
            armed: Armed { after_judged: 10, until_pct: Some(50) },
            check: Moments::BatchEnd,
            reasons: Some(vec![Reason::UpgradeFailed, Reason::Relapsed]),
            scope: BreakerScope::Batch,
        })]
    );
    let clamped = Limit::Clamped { share: share(5_000), least: 3, most: 200 };
    assert_eq!(
        rules("{how = 'in_a_row', limit = '5%', clamp = [3, 200]}"),
        [RuleKind::Failures(Failures {
            how: FailureCount::InARow,
            threshold: Threshold { limit: clamped, ..plain.threshold },
            ..plain.clone()
        })]
    );
    assert_eq!(
        rules("{limit = 0, exceeds = true}"),
        [RuleKind::Failures(Failures {
            threshold: Threshold { limit: Limit::Count(0), exceeds: true, of: Whole::Planned },
            ..plain
        })]
    );
    let scoped = good("breaker_scope = 'batch'\nbreakers = [{limit = 3}]").rollout.breakers;
    let [Rule { kind: RuleKind::Failures(rule), .. }] = scoped.as_slice() else { panic!("{scoped:?}") };
    assert_eq!(rule.scope, BreakerScope::Batch);
}

#[test]
fn other_rules_are_as_written() {
    assert_eq!(
        rules("{count = 'failed_batches', how = 'in_a_row', limit = 2, check = 'batch_end', after_judged = 5}"),
        [RuleKind::FailedBatches(FailedBatches {
            limit: 2,
            exceeds: false,
            armed: Armed { after_judged: 5, until_pct: None }
        })]
    );
    assert_eq!(
        rules("{count = 'unwell', check = 'batch_start', limit = '10%', of = 'judged'}"),
        [RuleKind::Unwell(Unwell {
            threshold: Threshold { limit: Limit::Share(share(10_000)), of: Whole::Judged, exceeds: false },
            armed: Armed::default()
        })]
    );
    assert_eq!(rules("{no_progress_sec = 600}"), [RuleKind::NoProgress(NoProgress { after: Span(600_000) })]);
    let test = rules("{how = 'sprt', good = 0.01, bad = 0.1, alpha = 0.05, beta = 0.1, check = 'batch_end'}");
    let [RuleKind::Sprt(test)] = test.as_slice() else { panic!("{test:?}") };
    let logs = [test.failed.0, test.healthy.0, test.upper.0, test.lower.0];
    for (log, ratio) in logs.into_iter().zip([10.0, 0.9 / 0.99, 0.9 / 0.05, 0.1 / 0.95]) {
        assert!((log - libm::log(ratio)).abs() < 1e-12, "{log} {ratio}");
    }
    assert_eq!((test.check, test.scope), (Moments::BatchEnd, BreakerScope::Rollout));
    let then = good("[[rollout.breakers]]\nlimit = 1\n[[rollout.breakers]]\nlimit = 1\nthen = 'roll_back'").rollout;
    assert_eq!(then.breakers.iter().map(|rule| rule.then).collect::<Vec<_>>(), [Then::Ask, Then::RollBack]);
}

#[test]
fn people_versions_and_instances_are_as_written() {
    let text =
        file("") // the tables after it are others
            .replacen("id = 'v2'", "id = 'v2'\nbrick_rate = 0.1\ndegrade_rate = 0.2\ndegrade_after_sec = 60", 1)
            + "[operator]\npromotion_delay_sec = 30\non_promotion = ['promote', 'abort']\n\
           [[classes]]\nid = 'old'\nzone = 0\nbrick_rate = 0.3\ndegrade_rate = 0.4\ndegrade_after_sec = 5\n\
           [[overrides]]\nids = ['i-00001']\nruns = 'v2'\nstate = 'silent'\npinned = true\n\
           [[overrides]]\nfraction = 0.5\nstate = 'unhealthy'\nbrick_rate = 0.5\ndegrade_rate = 0.25\n\
           degrade_after_sec = 7\n[[overrides]]\nzone = 0\noutcome = 'brick'\n[[overrides]]\nzone = 0\n\
           outcome = 'degrade'\n";
    let scenario = Scenario::parse("x.toml", text.as_bytes(), Format::Toml).unwrap_or_else(|error| panic!("{error}"));
    let constant = Distribution::Constant;
    let version = &scenario.versions[1];
    assert_eq!((version.rates.brick, version.rates.degrade, &version.degrade_after), (0.1, 0.2, &constant(60.0)));
    assert_eq!(scenario.versions[0].degrade_after, constant(3600.0));
    assert_eq!(scenario.operator.promotion_delay, constant(30.0));
    assert_eq!(scenario.operator.on_promotion, [PromotionDecision::Promote, PromotionDecision::Abort]);
    let class = &scenario.classes[0];
    assert_eq!((class.rates.brick, class.rates.degrade), (Some(0.3), Some(0.4)));
    assert_eq!(class.degrade_after, Some(constant(5.0)));
    let [first, second, brick, degrade] = scenario.overrides.as_slice() else { panic!("four") };
    assert_eq!((first.runs, first.state, first.pinned), (Some(VersionIndex(1)), Some(StartState::Silent), true));
    assert_eq!(
        (second.state, second.rates.brick, second.rates.degrade),
        (Some(StartState::Unhealthy), Some(0.5), Some(0.25))
    );
    assert_eq!(second.degrade_after, Some(constant(7.0)));
    assert_eq!((brick.outcome, degrade.outcome), (Some(UpgradeOutcome::Brick), Some(UpgradeOutcome::Degrade)));
}

#[test]
fn what_cannot_be_meant_is_refused_at_its_place() {
    const WATCHED: &str = "silent_after_sec = 90\n";
    const SPRT: &str = "how = 'sprt', good = 0.01, bad = 0.1, alpha = 0.05, beta = 0.1";
    let one = |rule: &str| format!("breakers = [{{{rule}}}]");
    let cases: Vec<(String, &str, &str)> = vec![
        // What is next.
        ("batches = ['5%']\nbatch_pct = 5".into(), "batch_pct", "cannot stand together"),
        ("rollback_batches = [1]\nrollback_batch_pct = 5".into(), "rollback_batch_pct", "cannot stand together"),
        ("batches = []".into(), "[]", "empty list"),
        ("batches = '5%'".into(), "'5%'", "a list"),
        ("batches = [0]".into(), "0]", "out of range"),
        ("batches = [1.5]".into(), "1.5", "a share such as"),
        ("batches = [4294967296]".into(), "4294967296", "out of range"),
        ("batches = ['0%']".into(), "'0%'", "a share of nothing"),
        ("batches = ['100.1%']".into(), "'100.1%'", "more than the whole"),
        ("batches = ['1.2345%']".into(), "'1.2345%'", "more than three decimals"),
        ("batches = ['5']".into(), "'5'", "the `%` is missing"),
        ("batches = ['five']".into(), "'five'", "is no share"),
        ("rounding = 'near'".into(), "'near'", "up, down"),
        ("batches = [1, 2]\ngrowth = {factor = 2}".into(), "growth", "needs `batches` with one entry"),
        ("growth = {factor = 2, add = 1}".into(), "growth", "cannot stand together"),
        ("growth = {}".into(), "growth", "does not say by how much"),
        ("growth = {factor = 0.5}".into(), "0.5", "out of range"),
        ("growth = {factor = 2e6}".into(), "2e6", "out of range"),
        ("growth = {factor = 1.0001}".into(), "1.0001", "more than three decimals"),
        ("growth = {add = 0}".into(), "0}", "out of range"),
        ("growth = 2".into(), "growth", "a table"),
        ("on_failed = 'keep'".into(), "on_failed", "without `growth`"),
        ("growth = {add = 1, on_failed = 'keep'}\non_failed = 'keep'".into(), "on_failed = 'keep'\n", "given twice"),
        ("max_in_flight = 0".into(), "0", "out of range"),
        ("max_in_flight = 0.25".into(), "0.25", "write \"25%\""),
        ("max_in_flight = true".into(), "true", "a whole number"),
        ("max_unavailable = 5".into(), "max_unavailable", "needs `silent_after_sec`"),
        // When it is next.
        ("min_healthy_sec = 300".into(), "300", "not below `health_timeout_sec`"),
        ("min_healthy_sec = 50\nrollback_health_timeout_sec = 50".into(), "50", "not below `rollback_health"),
        ("retries = 101".into(), "101", "0 to 100"),
        ("retries = -1".into(), "-1", "0 to 100"),
        ("advance_pct = 101".into(), "101", "0 to 100"),
        ("bake_sec = []".into(), "[]", "empty list"),
        ("bake_sec = -1".into(), "-1", "out of range"),
        ("bake_sec = [1e10]".into(), "1e10", "out of range"),
        ("approve_before = []".into(), "[]", "empty list"),
        ("approve_before = [0]".into(), "0", "out of range"),
        ("approve_before = [2, 2]".into(), "2]", "twice"),
        ("approve_before = 'all'".into(), "'all'", "every"),
        // Health after the verdict, and what goes with an order of verdicts.
        ("silent_after_sec = 29".into(), "29", "below the heartbeat interval"),
        ("breaker_order = 'listed'\nbreakers = []".into(), "'listed'", "cannot stand together"),
        ("breaker_order = 'listed'\nsilent_after_sec = 90".into(), "'listed'", "cannot stand together"),
        ("breaker_order = 'listed'\nadvance_pct = 99".into(), "'listed'", "cannot stand together"),
        ("ok_pct = 0".into(), "0", "1 to 100"),
        // Rules of failures.
        (one("then = 'ask'"), "{then", "needs `limit`"),
        (one("limit = 0"), "0}", "a limit of 0"),
        (one("limit = '0%', exceeds = true"), "'0%'", "a share of nothing"),
        (one("limit = 1.5"), "1.5", "a share such as"),
        (one("limit = 4294967296"), "4294967296", "out of range"),
        (one("limit = 5, clamp = [1, 2]"), "clamp", "without a share of the planned"),
        (one("limit = '5%', of = 'batch', clamp = [1, 2]"), "clamp", "without a share of the planned"),
        (one("limit = '5%', clamp = [3, 2]"), "[3, 2]", "the wrong way round"),
        (one("limit = '5%', clamp = [3]"), "[3]", "just 2 items"),
        (one("limit = '5%', clamp = [1, 2, 3]"), "[1, 2, 3]", "just 2 items"),
        (one("limit = 5, window_sec = 60"), "window_sec", "without `how = \"window\"`"),
        (one("limit = 5, how = 'window'"), "'window'", "needs `window_sec`"),
        (one("limit = 5, how = 'in_a_row', reasons = ['upgrade_failed']"), "reasons", "does not go with"),
        (one("limit = 5, reasons = []"), "[]", "empty list"),
        (one("limit = 5, reasons = ['relapsed', 'relapsed']"), "'relapsed']", "twice"),
        (one("limit = 5, reasons = ['health_timeout', 'relapsed']"), "'relapsed'", "needs `silent_after_sec`"),
        (one("limit = 5, check = 'batch_start'"), "'batch_start'", "verdict, batch_end"),
        (one("limit = 5, good = 0.1"), "good", "has no `good`"),
        (one("limit = 5, until_pct = 0"), "0}", "1 to 100"),
        (one("limit = 5, colour = 1"), "colour", "unknown key"),
        ("breakers = {limit = 5}".into(), "{limit", "[[rollout.breakers]]"),
        ("breakers = [5]".into(), "5", "a table"),
        // Failed batches.
        (one("count = 'failed_batches', limit = 2"), "'failed_batches'", "in_a_row"),
        (one("count = 'failed_batches', how = 'total', limit = 2"), "'total'", "in_a_row"),
        (one("count = 'failed_batches', how = 'in_a_row', limit = '2%'"), "'2%'", "a number, not a share"),
        (one("count = 'failed_batches', how = 'in_a_row', limit = 0"), "0}", "a limit of 0"),
        (one("count = 'failed_batches', how = 'in_a_row', limit = 2, of = 'planned'"), "of =", "has no `of`"),
        (one("count = 'failed_batches', how = 'in_a_row', limit = 2, clamp = [1, 2]"), "clamp", "has no `clamp`"),
        (one("count = 'failed_batches', how = 'in_a_row', limit = 2, scope = 'batch'"), "scope", "has no `scope`"),
        (one("count = 'failed_batches', how = 'in_a_row', limit = 2, check = 'verdict'"), "'verdict'", "batch_end"),
        (one("count = 'failed_batches', how = 'sprt', limit = 2"), "'sprt'", "in_a_row"),
        // Unwell ones.
        (one("count = 'unwell', check = 'batch_start', limit = 2"), "'unwell'", "needs `silent_after_sec`"),
        (WATCHED.to_owned() + &one("count = 'unwell', limit = 2"), "'unwell'", "batch_start"),
        (WATCHED.to_owned() + &one("count = 'unwell', limit = 2, check = 'batch_end'"), "'batch_end'", "batch_start"),
        (
            WATCHED.to_owned() + &one("count = 'unwell', check = 'batch_start', limit = '2%', of = 'batch'"),
            "'batch'}",
            "does not go with",
        ),
        (
            WATCHED.to_owned() + &one("count = 'unwell', check = 'batch_start', limit = 2, scope = 'batch'"),
            "scope",
            "has no `scope`",
        ),
        (
            WATCHED.to_owned() + &one("count = 'unwell', check = 'batch_start', limit = 2, how = 'in_a_row'"),
            "'in_a_row'",
            "does not go with",
        ),
        // A sequential test.
        (one(&format!("{SPRT}, limit = 2")), "limit", "has no `limit`"),
        (one(&format!("{SPRT}, after_judged = 2")), "after_judged", "has no `after_judged`"),
        (one(&format!("{SPRT}, until_pct = 2")), "until_pct", "has no `until_pct`"),
        (one("how = 'sprt', good = 0.01, bad = 0.1, alpha = 0.05"), "{how", "needs `beta`"),
        (one("how = 'sprt', good = 0, bad = 0.1, alpha = 0.05, beta = 0.1"), "0,", "not between 0 and 1"),
        (one("how = 'sprt', good = 0.2, bad = 0.1, alpha = 0.05, beta = 0.1"), "0.1, alpha", "not above `good`"),
        (one("how = 'sprt', good = 0.01, bad = 1, alpha = 0.05, beta = 0.1"), "1, alpha", "not between 0 and 1"),
        (one("how = 'sprt', good = 0.01, bad = 0.1, alpha = 0.5, beta = 0.5"), "0.5}", "add up to 1 or more"),
        (one("how = 'sprt', good = 1e-320, bad = 1e-319, alpha = 1e-320, beta = 0.1"), "{how", "too near"),
        // No progress.
        (one("no_progress_sec = 60, limit = 2"), "limit", "has no `limit`"),
        (one("no_progress_sec = 60, count = 'failed'"), "count", "has no `count`"),
        (one("no_progress_sec = 0"), "0}", "out of range"),
    ];
    let wrong: Vec<String> = cases.iter().filter_map(|(rollout, place, says)| missed(rollout, place, says)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with what is said of a file: where the first `place` of these keys stands, `says` must be said.
fn missed(rollout: &str, place: &str, says: &str) -> Option<String> {
    let text = file(rollout);
    let Err(error) = parsed(rollout) else { return Some(format!("{rollout}\nis taken")) };
    let begins = text.find(rollout)?;
    let Some(at) = text[begins..].find(place).map(|at| at + begins) else {
        return Some(format!("no {place}: {rollout}"));
    };
    let (line, column) = (text[..at].matches('\n').count() + 1, at - text[..at].rfind('\n')?);
    let mut here = error.diagnostics().iter().filter(|one| (one.line(), one.column()) == (line, column));
    let is_said = here.any(|one| one.to_string().contains(says));
    (!is_said).then(|| format!("{rollout}\nnot said at {line}:{column}: {says}\n{error}"))
}

#[test]
fn instances_that_are_drawn_have_no_place_in_the_plan() {
    let error = |text: &str| parsed(text).expect_err(text).to_string();
    for key in ["runs = 'v2'", "pinned = true"] {
        assert!(error(&format!("[[overrides]]\nfraction = 0.5\n{key}")).contains("cannot stand together"), "{key}");
        good(&format!("[[overrides]]\nzone = 0\n{key}"));
    }
    assert!(error("[[overrides]]\nzone = 0\nruns = 'v9'").contains("no version is called `v9`"));
    assert!(error("[[overrides]]\nzone = 0\nstate = 'ill'").contains("well, unhealthy, silent"));
    assert!(error("[[overrides]]\nzone = 0\npinned = false").contains("changes nothing"));
    assert!(error("[[overrides]]\nzone = 0\nbrick_rate = 0.6\ndegrade_rate = 0.6").contains("add up to more than 1"));
    assert!(error("[[classes]]\nid = 'a'\nzone = 0\nbrick_rate = 2").contains("0 to 1"));
    assert!(
        error("[[versions]]\nid = 'v3'\nbrick_rate = 0.6\ndegrade_rate = 0.6").contains("+ brick_rate + degrade_rate")
    );
    let drawn = error("[[versions]]\nid = 'v3'\nbrick_rate = {beta = {mean = 0.1, concentration = 5}}");
    assert!(drawn.contains("the same in every replicate"), "{drawn}");
    assert!(error("[operator]\non_promotion = []").contains("empty list"));
    assert!(error("[operator]\non_promotion = 'continue_anyway'").contains("promote"));
}

#[test]
fn policies_by_name_are_the_rollout_with_other_values() {
    let scenario = good(
        "max_in_flight = 3\n[[policies]]\nname = 'slow'\nbatches = [1, '5%']\nbake_sec = 60\n[[policies]]\n\
         name = 'as it is'\n[[policies]]\nname = 'strict'\nbreakers = [{limit = 1}]",
    );
    let [slow, same, strict] = scenario.policies.as_slice() else { panic!("{:?}", scenario.policies) };
    assert_eq!((slow.name.raw(), slow.rollout.batches.sizes.len()), ("slow", 2));
    assert_eq!(slow.rollout.max_in_flight, Some(Size::Count(count(3))));
    assert_eq!(same.rollout, scenario.rollout);
    assert_eq!((strict.rollout.max_consecutive_failures, strict.rollout.breakers.len()), (None, 1));
    let error = |text: &str| parsed(text).expect_err(text).to_string();
    assert!(error("[[policies]]\nname = 'a'\n[[policies]]\nname = 'a'").contains("two policies are called `a`"));
    assert!(error("[[policies]]\nbatch_pct = 5").contains("the key `name` is missing"));
    assert!(error("[[policies]]\nname = ''").contains("is empty"));
    assert!(error("[[policies]]\nname = 'a'\ntarget_version_id = 'v1'").contains("unknown key"));
    assert!(error("[[policies]]\nname = 'a'\nbatch_pct = 0").contains("1 to 100"));
    assert!(error("[[policies]]\nname = 'a'\nmin_healthy_sec = 300").contains("x.toml:11:19"));
    assert!(error("min_healthy_sec = 100\n[[policies]]\nname = 'a'\nhealth_timeout_sec = 50").contains("not below"));
}

#[test]
fn a_file_of_policies_is_read_over_a_scenario() {
    let of = |text: &str| {
        let text =
            ScenarioText { file: "p.toml".into(), stem: "p".into(), format: Format::Toml, text: text.to_owned() };
        good("batch_pct = 7").policies_of(&text)
    };
    let read = of("[[policies]]\nname = 'a'\nretries = 1\n").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((read[0].rollout.pace.retries, &read[0].rollout.batches), (1, &BatchSizes::pct(7)));
    for (text, says) in [
        ("", "is empty"),
        ("policies = []\nfleet = 1", "unknown key `fleet`"),
        ("a = 1", "unknown key `a`"),
        ("policies = 1", "a list"),
        ("[[policies]]\nname = 'a'\nmax_unavailable = 1", "p.toml:3:1"),
    ] {
        let error = of(text).expect_err(text).to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn no_value_of_any_type_makes_it_panic() {
    const VALUES: [&str; 18] = [
        "0",
        "-1",
        "1",
        "3",
        "1e300",
        "-0.0",
        "nan",
        "inf",
        "0.5",
        "99999999999999999999",
        "true",
        "''",
        "'5%'",
        "'every'",
        "[]",
        "[1, '2%', [3], {}]",
        "{}",
        "1979-05-27",
    ];
    let schema = schema();
    for (table, form) in [("Rollout", "K = V"), ("Breaker", "breakers = [{K = V}]"), ("Growth", "growth = {K = V}")] {
        for key in schema["$defs"][table]["properties"].as_object().into_iter().flat_map(|all| all.keys()) {
            for value in VALUES {
                let line = form.replace('K', key).replace('V', value);
                if let Err(error) = parsed(&line) {
                    assert!(!error.render(true).is_empty());
                }
                let _ = good("").set_rollout(key, value);
            }
        }
    }
}
