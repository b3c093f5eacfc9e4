//! Reports: what a run and a study say to people and to machines. Everything here reads; nothing here decides.
//!
//! The crate is cut once, by what a room makes:
//!
//! - [`model`]: one type a schema, written and read back by the same `serde` implementation. [`checked`] holds what no
//!   report can say.
//! - [`build`]: from the results of rollouts and studies to a model.
//! - [`judge`]: what follows from figures before anything is drawn.
//! - [`words`]: numbers, units, verdicts and events as people say them.
//! - One room a medium, over the models: [`terminal`], [`html`], [`svg`], [`rows`], [`ci`], [`scenario_toml`]. A room
//!   has one file a kind of report; where it shows any report, it matches over [`model::report::Report`] exhaustively.
//! - [`events`]: what is kept of a run's events as they happen. [`files`]: files that are whole or not there.

pub mod build;
pub mod checked;
pub mod ci;
pub mod events;
pub mod files;
pub mod html;
pub mod judge;
pub mod model;
pub mod rows;
pub mod scenario_toml;
pub mod svg;
pub mod terminal;
pub mod words;
