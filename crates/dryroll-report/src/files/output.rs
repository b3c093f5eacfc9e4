//! Output files: written whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::files::error::ReportError;
use crate::files::unfinished;

/// An output that becomes visible when it is finished: a temporary file beside its place, or standard output for `-`.
pub struct Output {
    path: PathBuf,
    sink: Sink,
}

enum Sink {
    Standard(BufWriter<io::Stdout>),
    /// Devices and pipes have no place beside them, and nothing to lose.
    Special(BufWriter<std::fs::File>),
    File(BufWriter<Temporary>),
}

/// A temporary file, whose errors do not name it: nobody asked for that name.
#[derive(Debug)]
struct Temporary(NamedTempFile);

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_file_mut().flush()
    }
}

/// What a shell passes a program as a path: opened anew it has another position, so it must not be rewritten.
fn is_passed_by_shell(path: &Path) -> bool {
    path == Path::new("/dev/stdout")
        || path == Path::new("/dev/stderr")
        || path.starts_with("/dev/fd")
        || path.starts_with("/proc/self/fd")
}

impl Output {
    /// Opens an output. Fails at once where nothing can be written, before any work is done for it.
    ///
    /// # Errors
    /// When the place cannot be written to.
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        let sink = Self::open(path).map_err(|source| ReportError { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), sink })
    }

    /// Whether a path is standard output, under any of its names.
    #[must_use]
    pub fn is_standard(path: &Path) -> bool {
        ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
    }

    /// Whether opening it may wait for somebody else: a pipe without a reader.
    #[must_use]
    pub fn may_wait(path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
    }

    fn open(path: &Path) -> io::Result<Sink> {
        if Self::is_standard(path) {
            return Ok(Sink::Standard(BufWriter::new(io::stdout())));
        }
        if is_passed_by_shell(path) {
            return Ok(Sink::Special(BufWriter::new(std::fs::OpenOptions::new().append(true).open(path)?)));
        }
        // A link's target is replaced, not the link.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let permissions = match std::fs::metadata(&path) {
            Ok(found) if found.is_dir() => return Err(io::Error::other("it is a directory; name a file in it")),
            Ok(found) if !found.is_file() => {
                return Ok(Sink::Special(BufWriter::new(std::fs::OpenOptions::new().write(true).open(&path)?)));
            }
            Ok(found) => {
                drop(std::fs::OpenOptions::new().append(true).open(&path)?);
                Some(found.permissions())
            }
            Err(_) => None,
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(io::Error::other(format!("there is no folder {}", dryroll_sim::text::path(&folder))));
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let file = unfinished::create(folder, &unfinished::prefix(&name), Some(0o666));
        // Only the kind: the error names the temporary file.
        let file = Temporary(file.map_err(|error| io::Error::from(error.kind()))?);
        if let Some(permissions) = permissions {
            // Who could read what was there can read what takes its place, and nobody else.
            file.0.as_file().set_permissions(permissions)?;
        }
        Ok(Sink::File(BufWriter::with_capacity(1 << 16, file)))
    }

    /// The file that a path leads to, so that two ways of writing one place are known to be one. Standard output and
    /// what is no file are no place that could be lost.
    #[must_use]
    pub fn place(path: &Path) -> Option<PathBuf> {
        if Self::is_standard(path) || is_passed_by_shell(path) {
            return None;
        }
        if let Ok(found) = std::fs::canonicalize(path) {
            return found.is_file().then_some(found);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(std::fs::canonicalize(folder).ok()?.join(path.file_name()?))
    }

    /// Writes out what is left. Nothing is visible before [`Written::publish`], so several outputs come together or not
    /// at all.
    ///
    /// # Errors
    /// When the last of it cannot be written.
    pub fn finish(mut self) -> Result<Written, ReportError> {
        match self.flush() {
            // A reader that has left wants no more: no failure.
            Err(error) if matches!(self.sink, Sink::Standard(_)) && error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => return Err(self.error(error)),
            Ok(()) => {}
        }
        match self.sink {
            Sink::File(out) => match out.into_inner() {
                Ok(file) => Ok(Written { path: self.path, file: Some(file) }),
                Err(error) => Err(ReportError { path: self.path, source: error.into_error() }),
            },
            Sink::Standard(_) | Sink::Special(_) => Ok(Written { path: self.path, file: None }),
        }
    }

    /// An error of this output.
    #[must_use]
    pub fn error(&self, source: io::Error) -> ReportError {
        ReportError { path: self.path.clone(), source }
    }
}

/// An output that is written, and not yet under its name.
#[derive(Debug)]
#[must_use]
pub struct Written {
    path: PathBuf,
    file: Option<Temporary>,
}

impl Written {
    /// Puts it in its place, and has it on the disk before and after.
    ///
    /// # Errors
    /// When the disk does not take it, or the place cannot be taken; what was there is still there.
    pub fn publish_durably(self) -> Result<(), ReportError> {
        let folder = std::fs::canonicalize(&self.path).ok().or_else(|| Some(self.path.clone()));
        let folder = folder.and_then(|path| path.parent().map(Path::to_owned));
        if let Some(file) = &self.file {
            file.0.as_file().sync_all().map_err(|source| ReportError { path: self.path.clone(), source })?;
        }
        let is_file = self.file.is_some();
        self.publish()?;
        if let Some(folder) = folder.filter(|_| is_file) {
            let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
            // Not every system opens folders; the file itself is safe.
            drop(std::fs::File::open(folder).and_then(|folder| folder.sync_all()));
        }
        Ok(())
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// When the place cannot be taken; what was there is still there.
    pub fn publish(self) -> Result<(), ReportError> {
        let Some(file) = self.file else { return Ok(()) };
        let temporary = file.0.path().to_owned();
        let place = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        file.0.persist(place).map_err(|failed| ReportError { path: self.path, source: failed.error })?;
        unfinished::forget(&temporary);
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.sink {
            Sink::Standard(out) => out.write(bytes),
            Sink::Special(out) => out.write(bytes),
            Sink::File(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Standard(out) => out.flush(),
            Sink::Special(out) => out.flush(),
            Sink::File(out) => out.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_output_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        std::fs::write(&path, "before").unwrap();
        let mut output = Output::create(&path).unwrap();
        output.write_all(b"half").unwrap();
        drop(output);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let mut output = Output::create(&path).unwrap();
        output.write_all(b"after").unwrap();
        output.finish().unwrap().publish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "after");
    }

    #[cfg(unix)]
    #[test]
    fn what_takes_the_place_of_a_file_has_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        for mode in [0o600, 0o640, 0o666, 0o755] {
            std::fs::write(&path, "before").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            Output::create(&path).unwrap().finish().unwrap().publish().unwrap();
            let found = std::fs::metadata(&path).unwrap();
            assert_eq!((found.permissions().mode() & 0o7777, found.len()), (mode, 0));
        }
    }

    #[test]
    fn what_cannot_be_written_is_said_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Output::create(folder.path()).is_err());
        assert!(Output::create(&folder.path().join("no/such/folder.json")).is_err());
    }
}
