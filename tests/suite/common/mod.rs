//! Helpers that several tests share.

#![allow(dead_code)]

pub mod checks;
pub mod engine;
pub mod engine_runs;
pub mod events;
pub mod folder;
pub mod html;
pub mod markdown;
pub mod reports;
pub mod theory;
pub mod toml;
pub mod tuning;
