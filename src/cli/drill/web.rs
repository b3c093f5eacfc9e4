//! The drill in a browser: prints the address, and runs until the drill is over and the user ends it.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::output::{Failure, is_gone};
use super::super::{interrupt, output};
use super::{Arguments, Files, Opening, Watch, conclude, debrief, keeper};
use crate::cli::learnings::Remembered;
use crate::web::{Console, Server, WebError};
use dryroll_report::files::error::ReportError;

/// The flags of a drill in a browser.
#[derive(Debug, clap::Args)]
pub struct Flags {
    /// Show the drill in a browser: prints the address to open
    #[arg(long, conflicts_with_all = ["decisions", "plain"])]
    web: bool,
    /// Listen here; port 0 takes any that is free
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0", requires = "web", value_parser = address)]
    bind: SocketAddr,
}

impl Flags {
    /// Whether the drill runs in a browser.
    pub fn is_wanted(&self) -> bool {
        self.web
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    // Resolving a name would query the network.
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let parsed = numeric.as_deref().unwrap_or(text).parse();
    parsed.map_err(|_| "an address in numbers and a port, as in 127.0.0.1:8080, [::1]:8080 or localhost:0".to_owned())
}

impl From<WebError> for Failure {
    fn from(error: WebError) -> Self {
        match error {
            WebError::TooMany(_) | WebError::Listen { .. } => Self::input(error),
            _ => Self::Output(error.into()),
        }
    }
}

/// How often to check for an interrupt once the drill is over.
const LOOK: Duration = Duration::from_millis(50);

pub fn run(
    arguments: &Arguments,
    opening: &Opening,
    files: Files,
    watch: Watch<'_>,
    remembered: Option<&Remembered>,
) -> Result<(), Failure> {
    let console = Console::open(&opening.compiled, opening.replicate, &opening.briefing, arguments.speed, watch)?;
    let console = console.keeping(keeper(arguments, opening));
    let (server, orders) = Server::start(arguments.web.bind, console.log(), console.briefing())?;
    let stop = interrupt::stops_by_itself();
    let outputs = arguments.outputs();
    // --quiet does not hide the address: without it there is no drill.
    let mut out = output::teller(false, &outputs);
    let mut say = |text: &str| match out.as_mut().map(|out| writeln!(out, "{text}").and_then(|()| out.flush())) {
        Some(Err(error)) if !is_gone(&error) => {
            Err(Failure::from(ReportError { path: "standard output".into(), source: error }))
        }
        _ => Ok(()),
    };
    if !server.address().ip().is_loopback() {
        say("warning: this is not a loopback address; anyone who reaches it with the token operates the drill,")?;
        say("and the token goes over the network unencrypted")?;
    }
    say(&format!("The drill is at {}", server.url()))?;
    if !arguments.quiet {
        say("Its clock starts when the page is open. Ctrl-C ends it and keeps the record.")?;
    }

    let (mut drill, watch) = console.run(&orders, stop);
    // Requests from now on get the answer that the drill is over.
    drop(orders);
    let is_over = drill.is_over();
    if is_over {
        server.show_debrief(&debrief(arguments, opening, &mut drill, &watch));
    }
    conclude(arguments, opening, files, drill, watch, remembered)?;
    if !arguments.quiet {
        say("The drill is over; its debrief is in the browser. Ctrl-C ends the program.")?;
    }
    while is_over && !stop.load(Ordering::SeqCst) {
        std::thread::sleep(LOOK);
    }
    interrupt::heard();
    Ok(())
}
