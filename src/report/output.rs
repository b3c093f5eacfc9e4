//! Output files: written whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::ReportError;

/// An output that becomes visible when it is finished: a temporary file beside its place, or standard output for `-`.
pub struct Output {
    path: PathBuf,
    sink: Sink,
}

enum Sink {
    Standard(BufWriter<io::Stdout>),
    /// Devices and pipes have no place beside them, and nothing to lose.
    Special(BufWriter<std::fs::File>),
    File(BufWriter<NamedTempFile>),
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

    fn open(path: &Path) -> io::Result<Sink> {
        if path == Path::new("-") {
            return Ok(Sink::Standard(BufWriter::new(io::stdout())));
        }
        // A link's target is replaced, not the link.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match std::fs::metadata(&path) {
            Ok(found) if found.is_dir() => return Err(io::Error::other("it is a directory; name a file in it")),
            Ok(found) if !found.is_file() => {
                return Ok(Sink::Special(BufWriter::new(std::fs::OpenOptions::new().write(true).open(&path)?)));
            }
            Ok(_) => drop(std::fs::OpenOptions::new().append(true).open(&path)?),
            Err(_) => {}
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".dryroll-");
        #[cfg(unix)]
        let builder = {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666))
        };
        Ok(Sink::File(BufWriter::with_capacity(1 << 16, builder.tempfile_in(folder)?)))
    }

    /// Makes what was written visible under its name.
    ///
    /// # Errors
    /// When the last of it cannot be written.
    pub fn finish(self) -> Result<(), ReportError> {
        let finished = match self.sink {
            // A reader that has left wants no more: no failure.
            Sink::Standard(mut out) => {
                out.flush().or_else(|e| if e.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(e) })
            }
            Sink::Special(mut out) => out.flush(),
            Sink::File(out) => out.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| {
                let place = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
                file.persist(place).map(drop).map_err(|e| e.error)
            }),
        };
        finished.map_err(|source| ReportError { path: self.path, source })
    }

    /// An error of this output.
    #[must_use]
    pub fn error(&self, source: io::Error) -> ReportError {
        ReportError { path: self.path.clone(), source }
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
        output.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "after");
    }

    #[test]
    fn what_cannot_be_written_is_said_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Output::create(folder.path()).is_err());
        assert!(Output::create(&folder.path().join("no/such/folder.json")).is_err());
    }
}
