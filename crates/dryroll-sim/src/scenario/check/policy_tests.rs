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
