//! Where a sweep keeps what it has finished: a tape beside its first output file, `NAME.partial`, which is removed once
//! the outputs are in their places. A sweep that writes no file keeps an unnamed one, which gets a name if it is interrupted.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::output::Failure;
use crate::study::tape::{Identity, Tape, TapeError};

/// The tape of a sweep that runs here.
#[derive(Debug)]
pub struct Checkpoint {
    /// The tape.
    pub tape: Tape,
    path: PathBuf,
    /// The file, as long as it has no name.
    unnamed: Option<File>,
}

/// Where the tape of a sweep with these outputs is.
fn place(outputs: &[&PathBuf], identity: &Identity) -> (PathBuf, bool) {
    let file = outputs.iter().find(|path| path.as_os_str() != "-" && (path.is_file() || !path.exists()));
    match file {
        Some(file) => (partial(file), true),
        None => {
            let id: String = identity.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            (std::env::temp_dir().join(format!("dryroll-{id}.partial")), false)
        }
    }
}

/// `NAME.partial`.
pub fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

impl Checkpoint {
    /// Begins a tape, or goes on with the one that an interrupted sweep left.
    pub fn open(outputs: &[&PathBuf], identity: &Identity, resume: bool) -> Result<Self, Failure> {
        let (path, named) = place(outputs, identity);
        if resume {
            return Self::resume(path, identity);
        }
        if !named {
            let folder = std::env::temp_dir();
            let file = tempfile::tempfile().map_err(|error| Failure::write(&folder, error))?;
            let unnamed = Some(file.try_clone().map_err(|error| Failure::write(&folder, error))?);
            let tape = Tape::begin(file, identity).map_err(|error| Failure::write(&folder, as_io(error)))?;
            return Ok(Self { tape, path, unnamed });
        }
        match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => {
                lock(&file, &path)?;
                let tape = Tape::begin(file, identity).map_err(|error| Failure::write(&path, as_io(error)))?;
                Ok(Self { tape, path, unnamed: None })
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(in_the_way(&path, identity)),
            Err(error) => Err(Failure::write(&path, error)),
        }
    }

    /// The tape of a shard: goes on with what is there if that is of this sweep, and begins anew otherwise.
    pub fn at(path: PathBuf, identity: &Identity) -> Result<Self, Failure> {
        let failed = |error| Failure::write(&path, error);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        lock(&file, &path)?;
        match Tape::open(file.try_clone().map_err(failed)?, identity) {
            Ok(tape) => Ok(Self { tape, path, unnamed: None }),
            Err(TapeError::Io(error)) => Err(failed(error)),
            Err(_) => {
                let mut file = file;
                file.set_len(0).map_err(failed)?;
                file.seek(SeekFrom::Start(0)).map_err(failed)?;
                let tape = Tape::begin(file, identity).map_err(|error| failed(as_io(error)))?;
                Ok(Self { tape, path, unnamed: None })
            }
        }
    }

    /// It is whole: it gets its name.
    pub fn publish(self, path: &Path) -> Result<(), Failure> {
        self.tape.sync().map_err(|error| Failure::write(&self.path, error))?;
        std::fs::rename(&self.path, path).map_err(|error| Failure::write(path, error))
    }

    fn resume(path: PathBuf, identity: &Identity) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Failure::Input(anyhow::anyhow!("there is nothing to resume: no {shown}. Leave --resume out to begin"))
            }
            _ => Failure::write(&path, error),
        })?;
        lock(&file, &path)?;
        match Tape::open(file, identity) {
            Ok(tape) => Ok(Self { tape, path, unnamed: None }),
            Err(TapeError::Io(error)) => Err(Failure::write(&path, error)),
            Err(error) => Err(Failure::Input(anyhow::anyhow!("cannot resume from {shown}: {error}"))),
        }
    }

    /// Where it can be found by `--resume`; names it if it has no name.
    pub fn keep(&mut self) -> Result<&Path, Failure> {
        if let Some(mut unnamed) = self.unnamed.take() {
            let failed = |error| Failure::write(&self.path, error);
            unnamed.seek(SeekFrom::Start(0)).map_err(failed)?;
            let mut file = File::create(&self.path).map_err(failed)?;
            io::copy(&mut unnamed, &mut file).map_err(failed)?;
        } else {
            self.tape.sync().map_err(|error| Failure::write(&self.path, error))?;
        }
        Ok(&self.path)
    }

    /// A failure to write the tape or to read it back.
    pub fn failure(&self, error: io::Error) -> Failure {
        Failure::write(&self.path, error)
    }

    /// The outputs are there: it is needed no longer.
    pub fn discard(self) {
        if self.unnamed.is_none() {
            // Left behind it does no harm but that the next sweep asks about it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Two processes that write one tape would spoil it.
fn lock(file: &File, path: &Path) -> Result<(), Failure> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(Failure::Input(anyhow::anyhow!("another process is writing {}; let it end first", path.display())))
        }
        // Not every file system knows locks.
        Err(std::fs::TryLockError::Error(_)) => Ok(()),
    }
}

fn as_io(error: TapeError) -> io::Error {
    match error {
        TapeError::Io(error) => error,
        other => io::Error::other(other),
    }
}

fn in_the_way(path: &Path, identity: &Identity) -> Failure {
    let shown = path.display();
    let said = match Tape::read(path, identity) {
        Ok(tape) => format!(
            "{shown} holds {} replicates of this very sweep, which did not end: add --resume to go on with it, or remove it \
             to begin anew",
            tape.rows()
        ),
        Err(_) => format!("{shown} is there already, and not of this sweep: move or remove it, or name another output"),
    };
    Failure::Input(anyhow::anyhow!(said))
}
