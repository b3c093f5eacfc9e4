//! `dryroll man`: the manual pages, one for dryroll and one for each command.

use std::io::Write;
use std::path::PathBuf;

use clap::CommandFactory;
use clap_mangen::Man;

use super::Cli;
use super::output::{Failure, publish, standard_output, write_whole};
use dryroll_report::files::error::ReportError;
use dryroll_report::files::output::Output;
use dryroll_report::words::plural;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  dryroll man ~/.local/share/man/man1\n  dryroll man . && man ./dryroll-run.1")]
pub struct Arguments {
    /// The folder for the pages; it is made where it is missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Say nothing to people
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = &arguments.folder;
    std::fs::create_dir_all(folder).map_err(|source| ReportError { path: folder.clone(), source })?;
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let pages: Vec<clap::Command> = std::iter::once(&root).chain(root.get_subcommands()).cloned().collect();
    let mut written = Vec::new();
    for page in pages {
        let name = page.get_display_name().unwrap_or_else(|| page.get_name());
        let path = folder.join(format!("{name}.1"));
        written.push(write_whole(Some(Output::create(&path)?), |out| Man::new(page).render(out))?);
    }
    let count = written.len() as u64;
    publish(written)?;
    if arguments.quiet {
        return Ok(());
    }
    standard_output(writeln!(
        crate::cli::output::stdout(),
        "wrote {} into {}",
        plural(count, "page", "pages"),
        dryroll_sim::text::path(&folder)
    ))
}
