//! Waits that find nothing, and questions that are never asked.

use super::breaker::batch_count;
use super::{AdviceCode, Found, rollout, seconds};
use crate::scenario::Scenario;
use dryroll_engine::Promotions;
use dryroll_engine::fleet::Span;

/// Where all of a batch is judged before its bake, and nobody is watched, no event can come in the bake.
pub(super) fn unwatched_bake(scenario: &Scenario) -> Option<Found> {
    let spec = &scenario.rollout;
    let longest = spec.pace.bakes.iter().copied().max().filter(|bake| *bake > Span::ZERO)?;
    if spec.watch.is_some() || spec.pace.advance_pct < 100 {
        return None;
    }
    Some(Found::new(
        AdviceCode::UnwatchedBake,
        rollout("bake_sec"),
        format!(
            "nothing is watched in a bake of {}: all of the batch has its verdict by then, and without \
             `silent_after_sec` no verdict changes",
            seconds(longest.as_secs_f64())
        ),
        "add `silent_after_sec`, so that an instance that becomes unwell counts as a failure, or leave `bake_sec` out"
            .to_owned(),
    ))
}

/// A batch that the plan does not have.
pub(super) fn asks_before_no_batch(scenario: &Scenario) -> Option<Found> {
    let Promotions::Before(listed) = &scenario.rollout.pace.promotions else { return None };
    let batches = batch_count(&scenario.walked_with().sizes, scenario.planned_instances())?;
    let beyond = listed.iter().copied().find(|index| *index >= batches)?;
    let has = if batches == 1 {
        "1 batch".to_owned()
    } else {
        format!("{batches} batches, the last of them {}", batches - 1)
    };
    Some(Found::new(
        AdviceCode::PromotionBeyondPlan,
        rollout("approve_before"),
        format!("nobody is asked before batch {beyond}: the plan has {has}"),
        "list the batches of the plan, counted from 0, or write \"every\"".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Format;

    fn codes(rollout: &str) -> Vec<(&'static str, String)> {
        let text = format!(
            "[fleet]\ninstances = 50\n[[versions]]\nid = 'v1'\n[[versions]]\nid = 'v2'\n[rollout]\n\
             target_version_id = 'v2'\n{rollout}\n"
        );
        let scenario = Scenario::parse("x.toml", text.as_bytes(), Format::Toml);
        let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
        scenario.advice().into_iter().map(|found| (found.code.name(), found.message)).collect()
    }

    #[test]
    fn advice_is_given_where_nothing_can_happen() {
        for (rollout, code, says) in [
            ("bake_sec = 60", "unwatched_bake", "60 s"),
            ("bake_sec = [0, 60]", "unwatched_bake", "60 s"),
            ("approve_before = [5]", "promotion_beyond_plan", "5 batches"),
            ("batches = [1, 2]\napprove_before = [26]", "promotion_beyond_plan", "26 batches"),
            ("batches = ['50%']\nbatch_of = 'remaining'\napprove_before = [6]", "promotion_beyond_plan", "6 batches"),
            ("min_healthy_sec = 250", "health_window_too_short", "soak"),
            ("max_consecutive_failures = 51", "breaker_never_trips", "the breaker"),
            ("max_consecutive_failures = 51\nbreakers = []", "breaker_never_trips", "the breaker"),
            ("breakers = [{limit = 51}]", "breaker_never_trips", "rule 1"),
            ("breakers = [{limit = 1}, {limit = 50, exceeds = true}]", "breaker_never_trips", "rule 2"),
            ("breakers = [{limit = 11, scope = 'batch'}]", "breaker_never_trips", "10 at most"),
            ("breakers = [{limit = '100%', exceeds = true}]", "breaker_never_trips", "takes 51"),
            ("breakers = [{limit = '100%', of = 'judged', exceeds = true}]", "breaker_never_trips", "more than all"),
            ("breakers = [{limit = '1%', clamp = [60, 70]}]", "breaker_never_trips", "takes 60"),
            ("breakers = [{limit = 1, after_judged = 51}]", "breaker_never_trips", "51 judged"),
            ("breakers = [{limit = 1, after_judged = 25, until_pct = 50}]", "breaker_never_trips", "until_pct = 50"),
            ("breakers = [{limit = 25, until_pct = 50}]", "breaker_never_trips", "24 at most"),
            ("breakers = [{count = 'failed_batches', how = 'in_a_row', limit = 6}]", "breaker_never_trips", "has 5"),
            (
                "breakers = [{how = 'sprt', good = 0.1, bad = 0.11, alpha = 0.001, beta = 0.001}]",
                "breaker_never_trips",
                "failures or more",
            ),
        ] {
            let found = codes(rollout);
            assert!(found.iter().any(|(one, message)| *one == code && message.contains(says)), "{rollout}: {found:?}");
        }
    }

    #[test]
    fn what_can_happen_gets_no_advice() {
        for rollout in [
            "bake_sec = 60\nsilent_after_sec = 90",
            "bake_sec = 60\nadvance_pct = 90",
            "bake_sec = 0",
            "approve_before = [4]",
            "approve_before = 'every'",
            "batches = [1]\ngrowth = {factor = 2}\napprove_before = [40]",
            "min_healthy_sec = 200",
            "breakers = []",
            "breakers = [{limit = 50}, {limit = '100%'}, {limit = '100%', of = 'batch', exceeds = true}]",
            "breakers = [{limit = 24, until_pct = 50}, {limit = 1, after_judged = 24, until_pct = 50}]",
            "breakers = [{count = 'failed_batches', how = 'in_a_row', limit = 5}, {no_progress_sec = 600}]",
            "breakers = [{how = 'sprt', good = 0.01, bad = 0.1, alpha = 0.05, beta = 0.1}]",
        ] {
            assert_eq!(codes(rollout), [], "{rollout}");
        }
    }

    #[test]
    fn what_only_notes_trips_nothing() {
        let can_trip = |rollout: &str| {
            let text = format!(
                "[fleet]\ninstances = 5\n[[versions]]\nid = 'v1'\n[[versions]]\nid = 'v2'\n[rollout]\n\
                 target_version_id = 'v2'\n{rollout}\n"
            );
            let scenario = Scenario::parse("x.toml", text.as_bytes(), Format::Toml);
            scenario.unwrap_or_else(|error| panic!("{error}")).can_trip()
        };
        assert!(can_trip("breakers = [{limit = 1}]") && can_trip("breakers = [{no_progress_sec = 9}]"));
        assert!(!can_trip("breakers = [{limit = 1, then = 'note'}]") && !can_trip("breakers = []"));
        assert!(!can_trip("breakers = [{limit = 6}]"));
        let pinned = "[[overrides]]\nids = ['i-00001', 'i-00002']\npinned = true\n";
        assert!(!can_trip(&format!("max_consecutive_failures = 4\n{pinned}")));
        assert!(can_trip(&format!("max_consecutive_failures = 3\n{pinned}")));
        assert!(!can_trip("max_consecutive_failures = 5\n[[overrides]]\nids = ['i-00001']\nruns = 'v2'\n"));
    }
}
