//! A store of records: NDJSON, one record a line. Empty lines are nothing.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::facts::Facts;
use super::{Learning, LearningError};
use dryroll_sim::json::fault;

/// How long somebody else's writing is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a store holds.
#[derive(Debug, Default)]
pub struct Store {
    /// The records, in the order of the lines.
    pub records: Vec<Learning>,
    /// The line of each record, from 1.
    pub lines: Vec<usize>,
    /// Lines that are no record.
    pub damaged: Vec<LearningError>,
}

impl Store {
    /// Reads all lines; those that are no record are kept apart.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let mut store = Self::default();
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        for (i, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match record(line) {
                Ok(record) => {
                    store.records.push(record);
                    store.lines.push(i + 1);
                }
                Err(why) => store.damaged.push(LearningError::Line { line: i + 1, why: why.into() }),
            }
        }
        store
    }

    /// The line that has this record.
    #[must_use]
    pub fn find(&self, record: &Learning) -> Option<usize> {
        self.records.iter().zip(&self.lines).find(|(found, _)| *found == record).map(|(_, &line)| line)
    }
}

/// A record of one line. Keys beside the four are those of another program, and no harm.
fn record(line: &[u8]) -> Result<Learning, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let value: Value = serde_json::from_str(text)
        .map_err(|error| format!("it is not JSON: {} (column {})", fault(&error), error.column()))?;
    let Value::Object(mut keys) = value else { return Err(format!("it is {}, no object", kind(&value))) };
    // A duplicate key is ambiguous.
    serde_json::from_str::<Known>(text).map_err(|error| fault(&error))?;
    let mut text = |key: &str| match keys.remove(key) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(format!("`{key}` is {}, no text", kind(&other))),
        None => Err(format!("it has no `{key}`")),
    };
    let (title, category, content) = (text("title")?, text("category")?, text("content")?);
    if let Some(why) = Facts::read(&content).and_then(|facts| facts.impossible()) {
        return Err(why);
    }
    let tags = match keys.remove("tags") {
        Some(Value::Array(tags)) => tags,
        Some(other) => return Err(format!("`tags` is {}, no list", kind(&other))),
        None => return Err("it has no `tags`".to_owned()),
    };
    let tag = |tag: Value| match tag {
        Value::String(tag) => Ok(tag),
        other => Err(format!("a tag is {}, no text", kind(&other))),
    };
    Ok(Learning { title, category, content, tags: tags.into_iter().map(tag).collect::<Result<_, _>>()? })
}

/// The keys of a record, whatever they hold.
#[derive(Deserialize)]
#[allow(dead_code, reason = "that each stands there once is all that is checked")]
struct Known {
    title: Option<IgnoredAny>,
    category: Option<IgnoredAny>,
    content: Option<IgnoredAny>,
    tags: Option<IgnoredAny>,
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What adding a record came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is there now, the last of so many.
    Appended(usize),
    /// It was there, on this line.
    Already(usize),
}

/// Adds a record at the end of a store, unless it is there; a store that is not there is made. The line is written
/// whole or not at all, and nobody else who adds in this way writes meanwhile.
///
/// # Errors
/// When the store is no regular file, cannot be read or written, is held by somebody else, or has a line that is no
/// record.
pub fn add(path: &Path, record: &Learning) -> Result<Added, LearningError> {
    let failed = |source| LearningError::Store { path: path.to_owned(), source };
    let mut file = open(path).map_err(failed)?;
    lock(&file).map_err(failed)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    let mut store = Store::read(&bytes);
    if !store.damaged.is_empty() {
        let damage = Box::new(store.damaged.swap_remove(0));
        return Err(LearningError::Damaged { path: path.to_owned(), damage });
    }
    if let Some(line) = store.find(record) {
        return Ok(Added::Already(line));
    }
    let mut line = Vec::new();
    if bytes.last().is_some_and(|&last| last != b'\n') {
        line.push(b'\n');
    }
    dryroll_sim::json::write(&mut line, record).map_err(failed)?;
    line.push(b'\n');
    append(&mut file, bytes.len() as u64, &line).map_err(failed)?;
    Ok(Added::Appended(store.records.len() + 1))
}

fn open(path: &Path) -> io::Result<File> {
    if path == Path::new("-") {
        return Err(io::Error::other("a store is a file; without --store the record goes to standard output alone"));
    }
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(io::Error::other("it is a directory; name a file in it")),
        // A pipe or device cannot be looked through for the record.
        Ok(found) if !found.is_file() => return Err(io::Error::other("it is not a regular file; name one")),
        Ok(_) => {}
        Err(_) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            if !folder.is_dir() {
                return Err(io::Error::other(format!("there is no folder {}", dryroll_sim::text::path(&folder))));
            }
        }
    }
    OpenOptions::new().read(true).append(true).create(true).open(path)
}

fn lock(file: &File) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            // A file system without locks: then nobody is kept out.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if begun.elapsed() > PATIENCE => {
                return Err(io::Error::other("somebody else has locked it; try again"));
            }
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Writes at the end; what a full disk took of it is taken back.
fn append(file: &mut File, length: u64, line: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::End(0))?;
    let written = file.write_all(line).and_then(|()| file.sync_data());
    if let Err(error) = written {
        file.set_len(length)?;
        return Err(error);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
