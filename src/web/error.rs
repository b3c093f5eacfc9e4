//! Why a drill cannot be shown in a browser.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

/// Why there is no console in a browser.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WebError {
    /// More instances than a browser is shown.
    #[error("{0} instances are more than a browser is shown; --web takes up to {most}", most = super::MOST_INSTANCES)]
    TooMany(u32),
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {why}; another port can be named with --bind, port 0 takes any that is free")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        why: io::Error,
    },
    /// The server could not be started.
    #[error("cannot start the server: {0}")]
    Start(io::Error),
    /// No token could be drawn.
    #[error("the system gives no random bytes for the token: {0}")]
    Token(getrandom::Error),
}
