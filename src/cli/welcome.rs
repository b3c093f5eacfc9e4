//! `dryroll` alone: what to do next.

use std::io::{self, Write};

use super::output::{Failure, standard_output};

const WELCOME: &str = "\
dryroll rehearses a rolling upgrade before production sees it.

Try these, in this order:

  dryroll new rollout.toml      write a first scenario: a fleet, two versions, a policy
  dryroll run rollout.toml      roll it out, on a simulated clock
  dryroll drill rollout.toml    do it again, with you as the operator

No time for a file? `dryroll drill --surprise` draws a rollout that may go wrong.
`dryroll --help` lists all commands, and `dryroll COMMAND --help` has examples.
";

pub fn run() -> Result<(), Failure> {
    standard_output(io::stdout().lock().write_all(WELCOME.as_bytes()))
}
