//! A drill on a terminal: a screen, or a dialogue in plain lines. Everything here shows and asks; nothing here decides,
//! and nothing here reads a clock, a keyboard or a terminal: moments, keys and lines come in as parameters.
//!
//! - [`Feed`] observes a drill and keeps what the operator may know: lines, and counts by batch. Never the truth.
//! - [`Plain`] is the dialogue: one line an event, commands in words. A screen reader can follow it, and a script can
//!   lead it.
//! - [`Model`] is the screen's state, [`draw`] puts it on one, and [`Key`] is what a person presses.

mod choice;
mod command;
mod draw;
mod feed;
mod form;
mod key;
mod model;
mod narrator;
mod plain;
mod situation;
mod tally;
mod tree;

pub use draw::{Theme, draw};
pub use feed::{Feed, FeedLine, Tone};
pub use key::Key;
pub use model::Model;
pub use plain::{Plain, Stands};
pub use tally::{Counts, Tally};
