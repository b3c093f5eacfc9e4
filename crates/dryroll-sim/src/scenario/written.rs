//! A policy in the words of the file: what goes beyond the tutorial's keys, key by key.

use std::num::NonZeroU32;

use serde_json::{Map, Value as Json, json};

use super::RolloutSpec;
use dryroll_engine::fleet::Span;
use dryroll_engine::{
    Armed, BatchOf, BatchSizes, BreakerScope, FailureCount, Failures, Growth, GrowthStep, Limit, LogRatio, Moments,
    OnFailed, Pace, Promotions, Rounding, Rule, RuleKind, Size, Sprt, Then, Threshold, Whole,
};

impl RolloutSpec {
    /// The keys of `[rollout]` that go beyond the tutorial's, where they differ from their defaults, as the file has
    /// them.
    #[must_use]
    pub fn beyond_tutorial(&self) -> Map<String, Json> {
        let mut keys = Map::new();
        let mut put = |key: &str, value: Json| {
            keys.insert(key.to_owned(), value);
        };
        let sizes = &self.batches;
        if sizes.as_pct().is_none() {
            put("batches", written_sizes(&sizes.sizes));
        }
        if sizes.rounding != Rounding::Up {
            put("rounding", json!("down"));
        }
        if sizes.of != BatchOf::Planned {
            put("batch_of", json!("remaining"));
        }
        if let Some(growth) = sizes.growth {
            put("growth", written_growth(growth));
        }
        if let Some(most) = self.watch.and_then(|watch| watch.max_unavailable) {
            put("max_unavailable", written_size(most));
        }
        let pace = &self.pace;
        if pace.min_healthy > Span::ZERO {
            put("min_healthy_sec", seconds(pace.min_healthy));
        }
        if pace.retries > 0 {
            put("retries", json!(pace.retries));
        }
        if pace.advance_pct < 100 {
            put("advance_pct", json!(pace.advance_pct));
        }
        match pace.bakes.as_slice() {
            [] => {}
            [bake] => put("bake_sec", seconds(*bake)),
            bakes => put("bake_sec", bakes.iter().map(|&bake| seconds(bake)).collect()),
        }
        match &pace.promotions {
            Promotions::Never => {}
            Promotions::Every => put("approve_before", json!("every")),
            Promotions::Before(batches) => put("approve_before", json!(batches)),
        }
        if self.ok_pct != 100 {
            put("ok_pct", json!(self.ok_pct));
        }
        if !self.breakers.is_empty() || self.max_consecutive_failures.is_none() {
            put("breakers", self.breakers.iter().map(|rule| written_rule(rule, self.breaker_scope)).collect());
        }
        let plain = BatchSizes { rounding: Rounding::Up, of: BatchOf::Planned, ..self.rollback_batches.clone() };
        if plain.as_pct().is_none() {
            put("rollback_batches", written_sizes(&self.rollback_batches.sizes));
        }
        if let Some(limit) = self.rollback_max_consecutive_failures {
            put("rollback_max_consecutive_failures", json!(limit));
        }
        if let Some(timeout) = self.rollback_health_timeout {
            put("rollback_health_timeout_sec", seconds(timeout));
        }
        if let Some(watch) = self.watch {
            put("silent_after_sec", seconds(watch.silent_after));
        }
        keys
    }

    /// Sets the keys that go beyond the tutorial's to their defaults.
    pub fn reset_beyond_tutorial(&mut self) {
        self.batches = BatchSizes::pct(self.batches.as_pct().unwrap_or(20));
        self.rollback_batches = BatchSizes::pct(self.rollback_batches.as_pct().unwrap_or(50));
        self.max_consecutive_failures = self.max_consecutive_failures.or(NonZeroU32::new(2));
        self.rollback_max_consecutive_failures = None;
        self.rollback_health_timeout = None;
        self.breakers.clear();
        self.ok_pct = 100;
        self.pace = Pace::default();
        self.watch = None;
    }
}

/// Seconds as a whole number where they are whole.
fn seconds(span: Span) -> Json {
    if span.0.is_multiple_of(1000) { json!(span.0 / 1000) } else { json!(span.as_secs_f64()) }
}

fn written_size(size: Size) -> Json {
    match size {
        Size::Count(count) => json!(count),
        Size::Share(share) => json!(share.to_string()),
    }
}

fn written_sizes(sizes: &[Size]) -> Json {
    sizes.iter().map(|&size| written_size(size)).collect()
}

fn written_growth(growth: Growth) -> Json {
    let mut table = match growth.step {
        GrowthStep::Factor(factor) if factor.is_multiple_of(1000) => json!({"factor": factor / 1000}),
        GrowthStep::Factor(factor) => json!({"factor": f64::from(factor) / 1000.0}),
        GrowthStep::Add(more) => json!({"add": more}),
    };
    if growth.on_failed == OnFailed::Shrink {
        table["on_failed"] = json!("shrink");
    }
    table
}

fn written_rule(rule: &Rule, scope: BreakerScope) -> Json {
    let mut keys = Map::new();
    match &rule.kind {
        RuleKind::Failures(failures) => write_failures(failures, scope, &mut keys),
        RuleKind::FailedBatches(batches) => {
            keys.insert("count".to_owned(), json!("failed_batches"));
            keys.insert("how".to_owned(), json!("in_a_row"));
            keys.insert("limit".to_owned(), json!(batches.limit));
            if batches.exceeds {
                keys.insert("exceeds".to_owned(), json!(true));
            }
            write_armed(batches.armed, &mut keys);
        }
        RuleKind::Unwell(unwell) => {
            keys.insert("count".to_owned(), json!("unwell"));
            keys.insert("check".to_owned(), json!("batch_start"));
            write_threshold(&unwell.threshold, &mut keys);
            write_armed(unwell.armed, &mut keys);
        }
        RuleKind::Sprt(sprt) => write_sprt(sprt, scope, &mut keys),
        RuleKind::NoProgress(no_progress) => {
            keys.insert("no_progress_sec".to_owned(), seconds(no_progress.after));
        }
    }
    let then = match rule.then {
        Then::Ask => None,
        Then::Note => Some("note"),
        Then::Abort => Some("abort"),
        Then::RollBack => Some("roll_back"),
    };
    if let Some(then) = then {
        keys.insert("then".to_owned(), json!(then));
    }
    Json::Object(keys)
}

fn write_failures(failures: &Failures, scope: BreakerScope, keys: &mut Map<String, Json>) {
    match failures.how {
        FailureCount::Total => {}
        FailureCount::InARow => {
            keys.insert("how".to_owned(), json!("in_a_row"));
        }
        FailureCount::Window(window) => {
            keys.insert("how".to_owned(), json!("window"));
            keys.insert("window_sec".to_owned(), seconds(window));
        }
    }
    write_threshold(&failures.threshold, keys);
    write_armed(failures.armed, keys);
    write_moments(failures.check, keys);
    if let Some(reasons) = &failures.reasons {
        keys.insert("reasons".to_owned(), reasons.iter().map(|reason| json!(reason.name())).collect());
    }
    write_scope(failures.scope, scope, keys);
}

fn write_threshold(threshold: &Threshold, keys: &mut Map<String, Json>) {
    let limit = match threshold.limit {
        Limit::Count(count) => json!(count),
        Limit::Share(share) => json!(share.to_string()),
        Limit::Clamped { share, least, most } => {
            keys.insert("clamp".to_owned(), json!([least, most]));
            json!(share.to_string())
        }
    };
    keys.insert("limit".to_owned(), limit);
    match threshold.of {
        Whole::Planned => {}
        Whole::Batch => drop(keys.insert("of".to_owned(), json!("batch"))),
        Whole::Judged => drop(keys.insert("of".to_owned(), json!("judged"))),
    }
    if threshold.exceeds {
        keys.insert("exceeds".to_owned(), json!(true));
    }
}

fn write_armed(armed: Armed, keys: &mut Map<String, Json>) {
    if armed.after_judged > 0 {
        keys.insert("after_judged".to_owned(), json!(armed.after_judged));
    }
    if let Some(until) = armed.until_pct {
        keys.insert("until_pct".to_owned(), json!(until));
    }
}

fn write_moments(check: Moments, keys: &mut Map<String, Json>) {
    if check == Moments::BatchEnd {
        keys.insert("check".to_owned(), json!("batch_end"));
    }
}

fn write_scope(own: BreakerScope, default: BreakerScope, keys: &mut Map<String, Json>) {
    if own != default {
        let name = match own {
            BreakerScope::Rollout => "rollout",
            BreakerScope::Batch => "batch",
        };
        keys.insert("scope".to_owned(), json!(name));
    }
}

/// The rates and the chances of error that the four numbers of a test come from.
fn write_sprt(sprt: &Sprt, scope: BreakerScope, keys: &mut Map<String, Json>) {
    // failed = ln(b / g) and healthy = ln((1 - b) / (1 - g)), so with u = e^failed and v = e^healthy,
    // b = u g and 1 - b = v (1 - g). The errors follow in the same way from the two bounds.
    let exp = |LogRatio(log): LogRatio| libm::exp(log);
    let (u, v) = (exp(sprt.failed), exp(sprt.healthy));
    let good = (1.0 - v) / (u - v);
    let (upper, lower) = (exp(sprt.upper), exp(sprt.lower));
    let alpha = (1.0 - lower) / (upper - lower);
    let beta = lower * (1.0 - alpha);
    let rounded = |value: f64| json!((value * 1e12).round() / 1e12);
    keys.insert("how".to_owned(), json!("sprt"));
    for (key, value) in [("good", good), ("bad", u * good), ("alpha", alpha), ("beta", beta)] {
        keys.insert(key.to_owned(), rounded(value));
    }
    write_moments(sprt.check, keys);
    write_scope(sprt.scope, scope, keys);
}
