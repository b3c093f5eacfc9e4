//! Studies as rows, for programs that calculate with them.

pub mod cells;
#[cfg(feature = "parquet")]
pub mod runs;
