//! The `dryroll` command: see [`dryroll::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    dryroll::cli::main()
}
