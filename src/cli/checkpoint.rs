//! Where a sweep keeps finished replicates: in a result log beside its first output file, `NAME.partial`, which is
//! removed once the outputs are in place. A sweep that writes no file keeps a temporary log; after an interrupt that
//! log gets a name that the next run finds.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempPath;

use super::interrupt::{self, LastWords};
use super::output::{Failure, nameless, scratch_failure};
use dryroll_report::files::output::Output;
use dryroll_report::files::unfinished;
use dryroll_report::words::plural;
use dryroll_sim::digest::hex;
use dryroll_study::study::result_log::{self, Identity, ResultLog, ResultLogError};

/// The result log of a sweep that runs here.
#[derive(Debug)]
pub struct Checkpoint {
    /// The result log.
    pub log: ResultLog,
    /// Whether the log started empty.
    pub is_new: bool,
    place: Arc<Place>,
    /// The command that continues the sweep.
    again: &'static str,
}

#[derive(Debug)]
struct Place {
    path: PathBuf,
    /// The temporary file of the log, until the log moves to `path`.
    elsewhere: Mutex<Option<TempPath>>,
}

impl Place {
    /// Whether the log holds more than its header.
    fn holds_any(&self) -> io::Result<bool> {
        let elsewhere = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        let path = elsewhere.as_deref().unwrap_or(&self.path);
        Ok(std::fs::metadata(path)?.len() > result_log::HEADER)
    }

    /// Removes the log. A temporary file goes with all other unfinished files.
    fn empty(&self) -> io::Result<()> {
        match &*self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(_) => Ok(()),
            None => std::fs::remove_file(&self.path),
        }
    }

    /// Moves the log to `path`. Replaces a link that lies there; does not follow it.
    fn keep(&self) -> io::Result<()> {
        let Some(temporary) = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        let before = temporary.to_path_buf();
        temporary.persist(&self.path).map_err(|failed| failed.error)?;
        unfinished::forget(&before);
        Ok(())
    }
}

const NOTHING_DONE: &str = "nothing is kept: no rollout was done";
const THE_SAME: &str = "the same command";
const WITH_RESUME: &str = "the same command with --resume";

/// The checkpoint file of an output, `NAME.partial`.
pub fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// The checkpoint is removed at the end, so an output at the same path would be lost.
pub fn spare_log(outputs: &[&PathBuf]) -> Result<(), Failure> {
    let Some(first) = outputs.iter().find(|path| Output::place(path).is_some()) else { return Ok(()) };
    let log = Output::place(&partial(first));
    match outputs.iter().find(|path| log.is_some() && Output::place(path) == log) {
        Some(path) => Err(Failure::Input(anyhow::anyhow!(
            "{} is where the sweep keeps what it has finished, beside {}; name another file",
            dryroll_sim::text::path(&path),
            dryroll_sim::text::path(&first)
        ))),
        None => Ok(()),
    }
}

/// Where the log of a sweep that writes no file is kept.
fn temporary_place(identity: &Identity) -> PathBuf {
    std::env::temp_dir().join(format!("dryroll-{}.partial", hex(&identity[..8])))
}

impl Checkpoint {
    /// Starts a log, or continues the one that an interrupted sweep left.
    pub fn open(outputs: &[&PathBuf], identity: &Identity, resume: bool) -> Result<Self, Failure> {
        match outputs.iter().find(|path| Output::place(path).is_some()) {
            Some(file) => Self::beside(partial(file), identity, resume),
            None => {
                let path = temporary_place(identity);
                let Some(file) = left_for_all_to_see(&path)? else { return Self::temporary(path, identity) };
                lock(&file, &path)?;
                match ResultLog::open(file, identity) {
                    found if resume => Self::go_on(found, path),
                    Ok(log) if log.rows() > 0 => Err(in_the_way(Ok(log), &path)),
                    _ => Self::temporary(path, identity),
                }
            }
        }
    }

    fn beside(path: PathBuf, identity: &Identity, resume: bool) -> Result<Self, Failure> {
        let failed = |error| Failure::write(&path, error);
        match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => {
                lock(&file, &path)?;
                Self::begin(file, path, identity, WITH_RESUME)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let file = existing(&path)?;
                lock(&file, &path)?;
                match ResultLog::open(file.try_clone().map_err(failed)?, identity) {
                    Err(ResultLogError::NotBegun) => Self::begin_anew(file, path, identity, WITH_RESUME),
                    Ok(log) if log.rows() == 0 => Self::begin_anew(file, path, identity, WITH_RESUME),
                    found if resume => Self::go_on(found, path),
                    found => Err(in_the_way(found, &path)),
                }
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn temporary(path: PathBuf, identity: &Identity) -> Result<Self, Failure> {
        let prefix = unfinished::prefix(&hex(&identity[..8]));
        let file = unfinished::create(&std::env::temp_dir(), &prefix, None);
        let failed = |error| advised(scratch_failure(nameless(error)));
        let (file, temporary) = file.map_err(failed)?.into_parts();
        let log = ResultLog::begin(file, identity).map_err(|error| failed(as_io(error)))?;
        let place = Place { path, elsewhere: Mutex::new(Some(temporary)) };
        Ok(Self { log, is_new: true, place: place.into(), again: WITH_RESUME })
    }

    /// The log of a shard: continues a log of this sweep, leaves a log of another sweep untouched, and otherwise starts
    /// anew.
    pub fn at(path: PathBuf, identity: &Identity) -> Result<Self, Failure> {
        let failed = |error| Failure::write(&path, error);
        // Opening a pipe blocks.
        if std::fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(no_file(&path));
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        lock(&file, &path)?;
        match ResultLog::open(file.try_clone().map_err(failed)?, identity) {
            Ok(log) => Self::tidied(log, path, THE_SAME),
            Err(ResultLogError::NotBegun) => Self::begin_anew(file, path, identity, THE_SAME),
            Err(ResultLogError::Io(error)) => Err(failed(error)),
            Err(ResultLogError::Foreign) => Err(foreign(&path)),
            Err(ResultLogError::NoTape) => Err(no_result(&path)),
        }
    }

    fn begin_anew(mut file: File, path: PathBuf, identity: &Identity, again: &'static str) -> Result<Self, Failure> {
        let emptied = file.set_len(0).and_then(|()| file.rewind());
        emptied.map_err(|error| Failure::write(&path, error))?;
        Self::begin(file, path, identity, again)
    }

    /// Starts a log in an empty file; removes the file if that fails.
    fn begin(file: File, path: PathBuf, identity: &Identity, again: &'static str) -> Result<Self, Failure> {
        match ResultLog::begin(file, identity) {
            Ok(log) => {
                let place = Place { path, elsewhere: Mutex::default() };
                Ok(Self { log, is_new: true, place: place.into(), again })
            }
            Err(error) => {
                let _ = std::fs::remove_file(&path);
                Err(advised(Failure::write(&path, as_io(error))))
            }
        }
    }

    fn go_on(found: Result<ResultLog, ResultLogError>, path: PathBuf) -> Result<Self, Failure> {
        let shown = dryroll_sim::text::path(&path).to_string();
        match found {
            Ok(log) => Self::tidied(log, path, WITH_RESUME),
            Err(ResultLogError::Io(error)) => Err(Failure::write(&path, error)),
            Err(error) => Err(Failure::Input(anyhow::anyhow!("cannot resume from {shown}: {error}"))),
        }
    }

    fn tidied(log: ResultLog, path: PathBuf, again: &'static str) -> Result<Self, Failure> {
        log.cut_torn_tail().map_err(|error| Failure::write(&path, error))?;
        let place = Place { path, elsewhere: Mutex::default() };
        Ok(Self { log, is_new: false, place: place.into(), again })
    }

    /// Gives the complete log its final name.
    pub fn publish(self, path: &Path) -> Result<(), Failure> {
        if let Err(error) = self.log.sync() {
            return Err(self.failure(error));
        }
        std::fs::rename(&self.place.path, path).map_err(|error| Failure::write(path, error))
    }

    /// The failure of an interrupted sweep: keeps the finished replicates of this many rollouts, and says where.
    pub fn interrupted(self, rollouts: u64, of: &str) -> Failure {
        interrupt::heard();
        let done = self.log.rows();
        if done == 0 {
            self.discard();
            return Failure::Interrupted(NOTHING_DONE.into());
        }
        let place = dryroll_sim::text::path(&self.place.path);
        let of = plural(rollouts, "rollout", "rollouts") + if of.is_empty() { "" } else { " " } + of.trim_end();
        let kept = if done == 1 { "is kept" } else { "are kept" };
        let again = self.again;
        match self.log.sync().and_then(|()| self.place.keep()) {
            Ok(()) if done >= rollouts => Failure::Interrupted(format!(
                "all of {of} {kept} in {place}, and nothing was reported yet; {again} reports them"
            )),
            Ok(()) => Failure::Interrupted(format!("{done} of {of} {kept} in {place}; {again} goes on from there")),
            Err(error) => Failure::write(&self.place.path, error),
        }
    }

    /// The same for an interrupt that ends the program at once.
    pub fn last_words(&self, what: String) -> LastWords {
        let (place, again) = (Arc::clone(&self.place), self.again);
        Box::new(move || {
            match place.holds_any().and_then(|any| if any { place.keep() } else { place.empty() }.map(|()| any)) {
                Ok(true) => {
                    format!("{what} kept in {}; {again} goes on from there", dryroll_sim::text::path(&place.path))
                }
                Ok(false) => NOTHING_DONE.to_owned(),
                Err(error) => {
                    format!("nothing is kept: cannot write {}: {error}", dryroll_sim::text::path(&place.path))
                }
            }
        })
    }

    /// A failure to write the log or to read it back.
    pub fn failure(&self, error: io::Error) -> Failure {
        let is_elsewhere = self.place.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        self.after(if is_elsewhere { scratch_failure(error) } else { Failure::write(&self.place.path, error) })
    }

    /// Adds to a failure of the sweep what is kept and how to continue.
    pub fn after(&self, failure: Failure) -> Failure {
        let is_full = failure.is_full();
        if !matches!(failure, Failure::Output(_)) {
            return failure;
        }
        if self.log.rows() == 0 {
            self.remove();
            return advised(failure);
        }
        if self.place.keep().is_err() {
            return failure;
        }
        let mend = if is_full { MAKE_ROOM } else { "mend that" };
        failure.and(&format!(
            "the finished replicates are kept in {}: {mend}, and {} goes on from there",
            dryroll_sim::text::path(&self.place.path),
            self.again
        ))
    }

    /// Removes a log that is no longer needed.
    pub fn discard(self) {
        self.remove();
    }

    fn remove(&self) {
        match self.place.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(temporary) => {
                unfinished::forget(&temporary);
                drop(temporary);
            }
            // A file that stays behind does no harm: the next sweep asks about it.
            None => drop(std::fs::remove_file(&self.place.path)),
        }
    }
}

const MAKE_ROOM: &str = "free some space (or allow larger files)";

/// Advice on lack of space, where nothing is kept.
fn advised(failure: Failure) -> Failure {
    if failure.is_full() { failure.and(&format!("{MAKE_ROOM}, then run the same command again")) } else { failure }
}

/// Opens an existing regular file.
fn existing(path: &Path) -> Result<File, Failure> {
    let failed = |error| Failure::write(path, error);
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(no_file(path));
    }
    OpenOptions::new().read(true).write(true).open(path).map_err(failed)
}

/// The log that an interrupted sweep left in the temporary folder. Anybody may write there, so it must be a regular
/// file and no link.
fn left_for_all_to_see(path: &Path) -> Result<Option<File>, Failure> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::write(path, error)),
    };
    if !found.is_file() {
        return Err(no_file(path));
    }
    let file = existing(path)?;
    let opened = file.metadata().map_err(|error| Failure::write(path, error))?;
    if is_another(&found, &opened) {
        return Err(no_file(path));
    }
    Ok((opened.len() > result_log::HEADER).then_some(file))
}

#[cfg(unix)]
fn is_another(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) != (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_another(_: &std::fs::Metadata, _: &std::fs::Metadata) -> bool {
    false
}

/// The error for a file that is no result log: it belongs to somebody.
pub fn no_result(path: &Path) -> Failure {
    Failure::Input(anyhow::anyhow!(
        "{} is where this shard's result belongs, and the file there is not a result of dryroll; move or remove it first",
        dryroll_sim::text::path(&path)
    ))
}

fn no_file(path: &Path) -> Failure {
    let shown = dryroll_sim::text::path(&path);
    Failure::Input(anyhow::anyhow!("{shown} is not a regular file, so no sweep left it there: move or remove it"))
}

/// Two processes that write one log would damage it.
fn lock(file: &File, path: &Path) -> Result<(), Failure> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(std::fs::TryLockError::WouldBlock) => Err(Failure::Input(anyhow::anyhow!(
            "another process is writing {}; let it end first",
            dryroll_sim::text::path(&path)
        ))),
        // Some file systems do not support locks.
        Err(std::fs::TryLockError::Error(_)) => Ok(()),
    }
}

fn as_io(error: ResultLogError) -> io::Error {
    match error {
        ResultLogError::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// The error for the log of another sweep: it is not overwritten.
pub fn foreign(path: &Path) -> Failure {
    Failure::Input(anyhow::anyhow!(
        "{} is in the way: {}; move or remove it, or write the manifest under another name",
        dryroll_sim::text::path(&path),
        ResultLogError::Foreign
    ))
}

fn in_the_way(found: Result<ResultLog, ResultLogError>, path: &Path) -> Failure {
    let shown = dryroll_sim::text::path(&path);
    let said = match found {
        Ok(log) => format!(
            "{shown} holds {} of this very sweep, which did not end: add --resume to go on with it, or remove it to begin anew",
            plural(log.rows(), "replicate", "replicates")
        ),
        Err(_) => format!("{shown} is there already, and not of this sweep: move or remove it, or name another output"),
    };
    Failure::Input(anyhow::anyhow!(said))
}
