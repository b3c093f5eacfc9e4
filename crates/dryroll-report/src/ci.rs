//! A check for the machines that run it, one file a format.

pub mod github;
pub mod junit;
pub mod markdown;
