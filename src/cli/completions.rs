//! `dryroll completions`: the script with which a shell completes commands and options.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use super::output::{Failure, standard_output};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dryroll completions bash > ~/.local/share/bash-completion/completions/dryroll\n  dryroll completions zsh > ~/.zfunc/_dryroll   # a folder of $fpath\n  dryroll completions fish > ~/.config/fish/completions/dryroll.fish"
)]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    // The generator panics if its writer fails, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "dryroll", &mut script);
    standard_output(io::stdout().lock().write_all(&script))
}
