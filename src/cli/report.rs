//! `dryroll report`: a page and plots from any report.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::output::{Failure, is_gone, publish, read_text, standard_output, write_whole};
use dryroll_report::files::error::ReportError;
use dryroll_report::files::output::Output;
use dryroll_report::html::{page, plots};
use dryroll_report::model::report::{ReadingError, Report};
use dryroll_report::words::replay;
use dryroll_sim::scenario::{Format, Scenario};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dryroll report sweep.json --html sweep.html\n  dryroll run scenarios/tutorial.toml --quiet --report - | dryroll report - >run.html\n  dryroll report sweep.json --svg plots"
)]
pub struct Arguments {
    /// A report (JSON) of run, drill, sweep, compare, tune, check or calibrate, or `-` for standard input
    report: PathBuf,
    /// Where the page goes (`-`: standard output); left out: beside the report on a terminal, else standard output
    #[arg(long, visible_alias = "output", short = 'o', value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write each plot as an SVG file into this folder
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,
    /// Say nothing to people
    #[arg(long, short)]
    quiet: bool,
}

impl Arguments {
    /// Where the page goes; `None` with --svg alone.
    fn page(&self) -> Result<Option<PathBuf>, Failure> {
        match (&self.html, &self.svg) {
            (Some(path), _) => Ok(Some(path.clone())),
            (None, Some(_)) => Ok(None),
            (None, None) if !io::stdout().is_terminal() => Ok(Some("-".into())),
            (None, None) if self.report == Path::new("-") => Err(Failure::Input(anyhow::anyhow!(
                "name the page with --html FILE: a report from standard input has no name"
            ))),
            (None, None) => Ok(Some(self.report.with_extension("html"))),
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let shown = dryroll_sim::text::path(&arguments.report);
    let target = arguments.page()?;
    if let Some(target) = &target
        && let Some(place) = Output::place(target)
        && Output::place(&arguments.report) == Some(place)
    {
        return Err(Failure::Input(anyhow::anyhow!(
            "{shown} is the report; the page would take its place. Name another file"
        )));
    }
    if let (Some(target), Some(folder)) = (&target, &arguments.svg)
        && target == folder
    {
        return Err(Failure::Input(anyhow::anyhow!(
            "{} names both the page and the folder of the plots; rename one of them",
            dryroll_sim::text::path(&target)
        )));
    }
    let report = read(&arguments.report)?;
    let mut written = Vec::new();
    let mut said = Vec::new();
    if let Some(target) = &target {
        let output = Output::create(target)?;
        let page = page(&report);
        written.push(write_whole(Some(output), |out| out.write_all(page.as_bytes()))?);
        said.push(target.clone());
    }
    if let Some(folder) = &arguments.svg {
        std::fs::create_dir_all(folder).map_err(|source| ReportError { path: folder.clone(), source })?;
        for plot in plots(&report) {
            let path = folder.join(format!("{}.svg", plot.name));
            written.push(write_whole(Some(Output::create(&path)?), |out| out.write_all(plot.standalone().as_bytes()))?);
            said.push(path);
        }
    }
    publish(written)?;
    tell(arguments, &said)
}

/// Lists the written files, one per line: on standard output, or on standard error if the page goes to standard output.
fn tell(arguments: &Arguments, said: &[PathBuf]) -> Result<(), Failure> {
    if arguments.quiet {
        return Ok(());
    }
    let page_there = said.iter().any(|path| path == Path::new("-"));
    let mut out: Box<dyn Write> =
        if page_there { Box::new(crate::cli::output::stderr()) } else { Box::new(crate::cli::output::stdout()) };
    let named = said.iter().filter(|path| *path != Path::new("-"));
    let mut printed = Ok(());
    for path in named {
        printed = printed.and_then(|()| writeln!(out, "{}", dryroll_sim::text::path(&path)));
    }
    match printed {
        Err(error) if is_gone(&error) || page_there => Ok(()),
        printed => standard_output(printed),
    }
}

/// Reads any report from a file or standard input.
pub fn read(path: &Path) -> Result<Report, Failure> {
    let bytes = read_text(path, "a JSON report that dryroll wrote")?.into_bytes();
    let shown = dryroll_sim::text::path(&path);
    Report::read(&bytes).map_err(|error| match error {
        wrong if is_scenario(path, &bytes) => {
            let file = replay::file(&path.to_string_lossy());
            let said = format!(
                "{shown} is a scenario, not a report: `dryroll run {file} --report run.json` makes a report of it \
                 (so do sweep, compare, tune, check and drill)"
            );
            drop(wrong);
            Failure::Input(anyhow::anyhow!(said))
        }
        nothing @ ReadingError::Nothing(_) => {
            Failure::Nothing(anyhow::Error::from(nothing).context(format!("{shown}")))
        }
        wrong => Failure::Input(anyhow::Error::from(wrong).context(format!("{shown}"))),
    })
}

/// Whether the file is a scenario and not a report.
fn is_scenario(path: &Path, bytes: &[u8]) -> bool {
    let file = path.to_string_lossy();
    let format = Format::of(path, bytes);
    let has_its_tables =
        || std::str::from_utf8(bytes).is_ok_and(|text| text.contains("fleet") && text.contains("rollout"));
    Scenario::parse(&file, bytes, format).is_ok() || (format == Format::Toml && has_its_tables())
}
