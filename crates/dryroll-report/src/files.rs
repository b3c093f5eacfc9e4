//! Files that are written whole or not at all.

pub mod error;
pub mod output;
pub mod unfinished;
