//! How commands fail, and how they write to people.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use anyhow::Context;

use super::interrupt::undisturbed;
use dryroll_engine::Refusal;
use dryroll_report::files::error::ReportError;
use dryroll_report::files::output::{Output, Written};
use dryroll_sim::scenario::{ScenarioError, ScenarioText};
use dryroll_sim::text::{Foreign, Screen, shown};
use dryroll_study::study::grid::GridError;
use dryroll_study::study::result_log::{Identity, ResultLog};
use dryroll_study::study::sweep::SweepError;

/// Why a command failed; each kind has its exit code.
#[derive(Debug)]
pub enum Failure {
    /// The command line or an input file is wrong.
    Input(anyhow::Error),
    /// A scenario is wrong; the error has the places.
    Scenario(Box<ScenarioError>),
    /// An output could not be written.
    Output(anyhow::Error),
    /// A requested limit was not met, or something is missing.
    Unmet(anyhow::Error),
    /// Nothing was evaluated.
    Nothing(anyhow::Error),
    /// The user interrupted; what is kept, and how to continue.
    Interrupted(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Input(_) | Self::Scenario(_) => 2,
            Self::Output(_) => 3,
            Self::Unmet(_) => 1,
            Self::Nothing(_) => 4,
            Self::Interrupted(_) => super::interrupt::INTERRUPTED,
        }
    }

    /// Writes the error on standard error, and returns the exit code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        const ERROR: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
        let mut stderr = stderr();
        let said = match self {
            Self::Scenario(error) => match error.diagnostics() {
                [] => writeln!(stderr, "{ERROR}error:{ERROR:#} {}", shown(&error.render(false))),
                _ => writeln!(stderr, "{}", error.render(true).trim_end()),
            },
            Self::Interrupted(kept) => writeln!(stderr, "interrupted: {}", shown(kept)),
            Self::Input(error) | Self::Output(error) | Self::Unmet(error) | Self::Nothing(error) => {
                // An error stays on one line, whatever text it quotes.
                let said = writeln!(stderr, "{ERROR}error:{ERROR:#} {}", shown(&format!("{error:#}")));
                let more = error.downcast_ref::<Several>().map_or(&[][..], |several| &several.more);
                more.iter().fold(said, |said, line| said.and_then(|()| writeln!(stderr, "{}", shown(line))))
            }
        };
        // Without standard error there is nowhere to write.
        drop(said);
        ExitCode::from(self.code())
    }
}

/// An error with several lines.
#[derive(Debug, thiserror::Error)]
#[error("{first}")]
pub struct Several {
    /// The first line: what is wrong.
    pub first: String,
    /// The lines after it.
    pub more: Vec<String>,
}

/// Standard output for people: colours on a terminal, and no other control sequences.
pub fn stdout() -> Screen<anstream::AutoStream<io::Stdout>> {
    Screen::new(anstream::stdout())
}

/// Standard error for people, likewise.
pub fn stderr() -> Screen<anstream::AutoStream<io::Stderr>> {
    Screen::new(anstream::stderr())
}

impl Failure {
    /// A wrong command line or input.
    pub fn input(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Input(error.into())
    }

    /// The same error with the file that it is about. A wrong scenario already names its file.
    pub fn of(self, file: &Foreign) -> Self {
        match self {
            Self::Input(error) => Self::Input(error.context(file.to_string())),
            other => other,
        }
    }

    /// Adds advice to a failed output; other failures stay as they are.
    pub fn and(self, advice: &str) -> Self {
        match self {
            Self::Output(error) => Self::Output(anyhow::anyhow!("{error:#}; {advice}")),
            other => other,
        }
    }

    /// The error in one line.
    pub fn says(&self) -> String {
        match self {
            Self::Scenario(error) => error.to_string(),
            Self::Interrupted(kept) => kept.clone(),
            Self::Input(error) | Self::Output(error) | Self::Unmet(error) | Self::Nothing(error) => {
                format!("{error:#}")
            }
        }
    }

    /// Whether an output failed for lack of space.
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let Self::Output(error) = self else { return false };
        error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|cause| matches!(cause.kind(), StorageFull | QuotaExceeded | FileTooLarge))
    }

    /// A failure to write to a path.
    pub fn write(path: &Path, source: io::Error) -> Self {
        ReportError { path: path.to_owned(), source }.into()
    }
}

impl From<GridError> for Failure {
    fn from(error: GridError) -> Self {
        match error {
            GridError::Value(error) => Self::Scenario(error),
            other => Self::input(other),
        }
    }
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Scenario(error) => Self::Scenario(error),
            SweepError::Grid(error) => error.into(),
            other => Self::input(other),
        }
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

/// The failure for a valid scenario whose request the platform refuses.
pub fn refused(text: &ScenarioText, refusal: Refusal) -> Failure {
    match refusal {
        Refusal::PermissionMissing => {
            let says = format!("the request is refused: {refusal}");
            let help = "set `permission = true`, or remove it, to rehearse a caller who may upgrade the fleet";
            text.wrong(&["reconciler", "permission"], &says, help).into()
        }
        other => Failure::Input(anyhow::Error::from(other).context(format!("{}: the request is refused", text.file))),
    }
}

/// The failure for a grid that cannot be built. If the platform refuses its requests, the scenario file is wrong.
pub fn no_grid(text: &ScenarioText, error: GridError) -> Failure {
    match error {
        GridError::Refused(refusal) => refused(text, refusal),
        other => other.into(),
    }
}

/// Reads all bytes of a file or of standard input; `what` names the expected content in errors.
pub fn read_bytes(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    let shown = dryroll_sim::text::path(path);
    if path.is_dir() {
        return Err(Failure::Input(anyhow::anyhow!("{shown} is a folder; give {what}")));
    }
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    result.with_context(|| format!("cannot read {shown}")).map_err(Failure::Input)?;
    Ok(bytes)
}

/// Reads a text that is not empty; `what` names the expected content in errors.
pub fn read_text(path: &Path, what: &str) -> Result<String, Failure> {
    let shown = dryroll_sim::text::path(path).to_string();
    let text = utf8(&shown, read_bytes(path, what)?, what)?;
    if text.trim().is_empty() {
        return Err(Failure::Input(anyhow::anyhow!("{shown} is empty; give {what}")));
    }
    Ok(text)
}

/// Decodes an input as UTF-8; `what` names the expected content in errors.
pub fn utf8(shown: &str, bytes: Vec<u8>, what: &str) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let byte = error.as_bytes().get(valid.len()).copied().unwrap_or_default();
        Failure::Input(anyhow::anyhow!(
            "{shown}: line {line}: the byte {byte:#04x} at offset {} is not UTF-8 text; give {what}, saved as UTF-8",
            valid.len()
        ))
    })
}

/// Refuses two outputs to one file, however the paths are written, and an output over an input: one of them would be
/// lost.
pub fn each_its_own_place<P: AsRef<Path>>(
    inputs: impl IntoIterator<Item = P>,
    outputs: &[&PathBuf],
) -> Result<(), Failure> {
    let inputs: BTreeSet<_> = inputs.into_iter().filter_map(|input| Output::place(input.as_ref())).collect();
    let mut places = Vec::new();
    for path in outputs {
        let Some(place) = Output::place(path) else { continue };
        let shown = dryroll_sim::text::path(&path);
        if inputs.contains(&place) {
            return Err(Failure::Input(anyhow::anyhow!(
                "{shown} is what is read; an output would take its place. Name another file"
            )));
        }
        if places.contains(&place) {
            return Err(Failure::Input(anyhow::anyhow!("two outputs name {shown}; give each its own file")));
        }
        places.push(place);
    }
    if outputs.iter().filter(|path| Output::is_standard(path)).count() > 1 {
        return Err(Failure::Input(anyhow::anyhow!("two outputs name standard output; give each its own file")));
    }
    Ok(())
}

/// Where text for people goes: standard output, or standard error if an output for a machine goes to standard output.
pub fn teller(quiet: bool, outputs: &[&PathBuf]) -> Option<Box<dyn Write>> {
    if quiet {
        return None;
    }
    if let Some(columns) = columns() {
        dryroll_report::terminal::table::fit_to(columns);
    }
    if outputs.iter().any(|path| Output::is_standard(path)) {
        return Some(Box::new(io::BufWriter::new(stderr())));
    }
    Some(Box::new(io::BufWriter::new(stdout())))
}

/// The width of lines: COLUMNS, else the width of the terminal; `None` without either.
fn columns() -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let is_terminal = || io::stdout().is_terminal().then(ratatui::crossterm::terminal::size);
    let there = || is_terminal().and_then(Result::ok).map(|(columns, _)| usize::from(columns));
    said.or_else(there).filter(|&columns| columns > 0)
}

/// Opens an output, if one is named.
pub fn open(path: Option<&PathBuf>) -> Result<Option<Output>, Failure> {
    path.map(|path| Output::create(path)).transpose().map_err(Failure::from)
}

/// Opens outputs before the work. Outputs that may block, such as pipes, come last: nothing fails after them.
pub fn open_all<const N: usize>(paths: [Option<&PathBuf>; N]) -> Result<[Option<Output>; N], Failure> {
    let mut outputs = [const { None }; N];
    for waiting in [false, true] {
        for (path, output) in paths.iter().zip(&mut outputs) {
            if let Some(path) = path.filter(|path| output.is_none() && (waiting || !Output::may_wait(path))) {
                *output = Some(Output::create(path)?);
            }
        }
    }
    Ok(outputs)
}

/// Moves all outputs into place, uninterrupted.
pub fn publish(written: impl IntoIterator<Item = Option<Written>>) -> Result<(), Failure> {
    undisturbed(|| written.into_iter().flatten().try_for_each(Written::publish)).map_err(Failure::from)
}

/// Writes to an output, if there is one; the caller publishes it.
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

/// Writes a report as JSON, if there is an output; the caller publishes it.
pub fn write_json(output: Option<Output>, report: &impl serde::Serialize) -> Result<Option<Written>, Failure> {
    write_whole(output, |out| {
        dryroll_sim::json::write_pretty(&mut *out, report)?;
        out.write_all(b"\n")
    })
}

/// A result log in the temporary folder that only this command reads.
pub fn scratch_log(identity: &Identity) -> Result<ResultLog, Failure> {
    scratch_log_file(identity).map_err(scratch_failure)
}

/// The same with the plain I/O error.
pub fn scratch_log_file(identity: &Identity) -> io::Result<ResultLog> {
    ResultLog::scratch(identity).map_err(nameless)
}

/// A failure to write or read such a result log.
pub fn scratch_failure(error: io::Error) -> Failure {
    let folder = std::env::temp_dir();
    let said =
        format!("cannot write to the temporary folder {} (TMPDIR names another)", dryroll_sim::text::path(&folder));
    Failure::Output(anyhow::Error::new(error).context(said))
}

/// An error of a temporary file, without its path: the user did not choose it.
pub fn nameless(error: io::Error) -> io::Error {
    if error.raw_os_error().is_some() { error } else { error.kind().into() }
}

/// Whether the reader of standard output left, as a pager does: that is not a failure.
pub fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

/// A failure of standard output; `Ok` if its reader left.
pub fn standard_output(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if !is_gone(&error) => Err(ReportError { path: "standard output".into(), source: error }.into()),
        _ => Ok(()),
    }
}
