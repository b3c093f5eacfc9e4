//! A drill in a browser: two pages, a stream of what happens, and a few requests, on loopback.
//!
//! - [`Console`]: owns the drill and its wall clock, in one thread. It takes orders, and publishes what a browser is to
//!   see.
//! - [`Log`]: what was published, append-only. Every browser reads it at its own pace; nobody waits for one.
//! - [`Server`]: pages, stream and requests, in another thread, behind a token and checks of `Host` and `Origin`.
//!
//! Data flows one way: requests → orders → drill → log → streams. `docs/web.md` has the protocol.

mod board;
mod cells;
mod connections;
mod console;
mod debrief;
mod error;
mod guard;
mod hosts;
mod log;
mod order;
mod pages;
mod preview;
mod problem;
mod seen;
mod server;
mod stream;
mod token;

pub use console::Console;
pub use error::WebError;
pub use log::Log;
pub use order::Order;
pub use server::Server;

/// The largest fleet that a browser is shown: its events are kept in memory while the drill is open.
pub const MOST_INSTANCES: u32 = 100_000;
