//! The integration tests: one promise a file, all in one binary, which links the library once.

#![allow(missing_docs)]

mod common;
mod naive;

mod advice;
mod advice_words;
mod baseline;
mod bounds;
mod calibrate;
mod calibrate_contract;
mod calibrate_late;
mod calibrate_parts;
mod calibrate_rollouts;
mod check;
mod ci_docs;
mod claims;
mod completed;
mod conditional;
mod console;
mod cost;
mod determinism;
mod docs_links;
mod drill;
mod drill_kept;
mod drill_plain;
mod drill_terminal;
mod drill_web;
mod drills;
mod engine_breaker;
mod engine_events;
mod engine_journal;
mod engine_machine;
mod engine_request;
mod engine_trips;
mod engine_walk;
mod exact;
mod first_minute;
mod heartbeat_summary;
mod kept;
mod learn;
mod learn_drill;
mod limits_at_equality;
mod naive_agrees;
mod oracles;
mod orders;
mod other_breakers;
mod page;
mod rare;
mod readme;
mod reference;
mod replay;
mod reports_checked;
mod scenario_errors;
mod semantics_version;
mod shards;
mod shipped_scenarios;
mod study_words;
mod sweep;
#[cfg(unix)]
mod terminal_text;
mod together;
mod tune;
mod tune_posterior;
mod tutorial;
mod wrong_inputs;
