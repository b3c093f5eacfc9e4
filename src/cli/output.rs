//! How commands fail, and how they speak to people.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use crate::engine::Refusal;
use crate::report::{Output, ReportError, Written};
use crate::scenario::{Scenario, ScenarioError};
use crate::sim::World;

/// Why a command did not do what it was asked; each kind has its exit code.
#[derive(Debug)]
pub enum Failure {
    /// The command line or an input file is wrong.
    Input(anyhow::Error),
    /// A scenario is wrong, with the places.
    Scenario(Box<ScenarioError>),
    /// An output could not be written.
    Output(anyhow::Error),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Input(_) | Self::Scenario(_) => 2,
            Self::Output(_) => 3,
        }
    }

    /// Says what is wrong on standard error, and gives the exit code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        const ERROR: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
        let mut stderr = anstream::stderr();
        let said = match self {
            Self::Scenario(error) => match error.diagnostics() {
                [] => writeln!(stderr, "{ERROR}error:{ERROR:#} {}", error.render(true)),
                _ => writeln!(stderr, "{}", error.render(true).trim_end()),
            },
            Self::Input(error) | Self::Output(error) => writeln!(stderr, "{ERROR}error:{ERROR:#} {error:#}"),
        };
        // Nobody to tell when standard error is gone.
        drop(said);
        ExitCode::from(self.code())
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        Self::Output(error.into())
    }
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Self {
        Self::Scenario(Box::new(error))
    }
}

/// A scenario that could be read, but whose request the platform refuses.
pub fn refused(path: &Path, refusal: Refusal) -> Failure {
    Failure::Input(anyhow::Error::from(refusal).context(format!("{}: the request is refused", path.display())))
}

/// Reads a scenario, with another seed where one is wanted, and makes its world.
pub fn load(path: &Path, seed: Option<u64>) -> Result<(Scenario, World), Failure> {
    let mut scenario = Scenario::load(path)?;
    scenario.seed = seed.unwrap_or(scenario.seed);
    let world = World::new(&scenario).map_err(|refusal| refused(path, refusal))?;
    Ok((scenario, world))
}

/// Opens an output if one is asked for.
pub fn open(path: Option<&PathBuf>) -> Result<Option<Output>, Failure> {
    path.map(|path| Output::create(path)).transpose().map_err(Failure::from)
}

/// Writes to an output if there is one; it still has to be published.
pub fn write_whole(
    output: Option<Output>,
    write: impl FnOnce(&mut Output) -> io::Result<()>,
) -> Result<Option<Written>, Failure> {
    let Some(mut output) = output else { return Ok(None) };
    match write(&mut output) {
        Ok(()) => Ok(Some(output.finish()?)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(output.error(error).into()),
    }
}

/// Whether standard output went away, as when a pager is left: no failure.
pub fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

/// A failure of standard output; none where its reader has left.
pub fn standard_output(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if !is_gone(&error) => Err(ReportError { path: "standard output".into(), source: error }.into()),
        _ => Ok(()),
    }
}
