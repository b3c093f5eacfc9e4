//! The result log: the results of a study, written to a file as they are computed. So memory does not grow with the
//! number of replicates, an interrupted study can continue where it stopped, and the result of a shard is a file like
//! any other.
//!
//! A result log begins with a line that identifies the format, and with the identity of its study. Blocks follow in the
//! order in which they were finished. Each holds the rows of one cell for consecutive replicates, column by column; a
//! column of equal values is stored as one number. Each block ends with a checksum, and a torn tail is ignored. Reading
//! the file once builds the index of blocks.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::row::{COLUMNS, Row};

const MAGIC: &[u8; 16] = b"dryroll tape 1\n\n";
/// The length of the header; a shorter file was abandoned before it had any result.
pub const HEADER: u64 = 16 + 32;
/// Payload length, cell, first replicate, rows.
const BLOCK_HEADER: usize = 4 + 4 + 8 + 4;
const CHECKSUM: usize = 8;
/// The largest number of rows of a block.
pub const MAX_ROWS: u32 = 4096;

/// Identifies the study of a result log.
pub type Identity = [u8; 32];

/// Why a file is not a result log of this study.
#[derive(Debug, thiserror::Error)]
pub enum ResultLogError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file has another format.
    #[error("it is not a result of dryroll")]
    NoTape,
    /// The file is empty, or has only part of a header: it was abandoned before it had any result.
    #[error("it holds nothing")]
    NotBegun,
    /// The file belongs to another study.
    #[error("it belongs to another sweep: another scenario, seed, grid, number of replicates, or semantics of dryroll")]
    Foreign,
}

/// Rows of one cell, for consecutive replicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The cell.
    pub cell: u32,
    /// The first replicate.
    pub first: u64,
    /// The number of rows.
    pub rows: u32,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    length: u32,
    rows: u32,
}

/// A result log that is written and read.
#[derive(Debug)]
pub struct ResultLog {
    medium: Medium,
    index: Mutex<Index>,
}

#[derive(Debug)]
enum Medium {
    /// Held open for writing and reading.
    Open(Mutex<File>),
    /// Opened for each block that is read: a study may have more result logs than a process may have open files.
    Named(PathBuf),
}

#[derive(Debug, Default)]
struct Index {
    places: BTreeMap<(u32, u64), Place>,
    /// The end of the last complete block.
    end: u64,
    /// The length of the file when it was read.
    length: u64,
}

impl ResultLog {
    /// An empty log in a temporary file that has no name.
    ///
    /// # Errors
    /// When the temporary folder cannot be written to.
    pub fn scratch(identity: &Identity) -> io::Result<Self> {
        Self::begin(tempfile::tempfile()?, identity).map_err(io::Error::other)
    }

    /// Begins a result log in an empty file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(mut file: File, identity: &Identity) -> Result<Self, ResultLogError> {
        file.write_all(MAGIC)?;
        file.write_all(identity)?;
        let index = Index { places: BTreeMap::new(), end: HEADER, length: HEADER };
        Ok(Self { medium: Medium::Open(Mutex::new(file)), index: Mutex::new(index) })
    }

    /// Reads the index of a file; blocks can be appended if it was opened for that.
    ///
    /// # Errors
    /// When it cannot be read, is not a result log, is empty, or belongs to another study.
    pub fn open(mut file: File, identity: &Identity) -> Result<Self, ResultLogError> {
        let index = Self::index(&mut file, identity)?;
        Ok(Self { medium: Medium::Open(Mutex::new(file)), index: Mutex::new(index) })
    }

    fn index(file: &mut File, identity: &Identity) -> Result<Index, ResultLogError> {
        let length = file.metadata()?.len();
        let mut header = Vec::with_capacity(HEADER as usize);
        file.take(HEADER).read_to_end(&mut header)?;
        let (magic, of) = header.split_at(header.len().min(MAGIC.len()));
        if !MAGIC.starts_with(magic) {
            return Err(ResultLogError::NoTape);
        }
        if of != identity {
            return Err(if length <= HEADER { ResultLogError::NotBegun } else { ResultLogError::Foreign });
        }
        let mut index = Index { places: BTreeMap::new(), end: HEADER, length };
        let mut bytes = Vec::new();
        while let Some((block, payload)) = read_block(file, length - index.end, &mut bytes)? {
            let offset = index.end + BLOCK_HEADER as u64;
            index.places.insert((block.cell, block.first), Place { offset, length: payload, rows: block.rows });
            index.end = offset + u64::from(payload) + CHECKSUM as u64;
        }
        Ok(index)
    }

    /// Opens a path for reading only; the file is not held open.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read(path: &Path, identity: &Identity) -> Result<Self, ResultLogError> {
        let index = Self::index(&mut File::open(path)?, identity)?;
        Ok(Self { medium: Medium::Named(path.to_owned()), index: Mutex::new(index) })
    }

    /// Whether the blocks are followed by a torn tail: a block that was cut off, or foreign bytes.
    #[must_use]
    pub fn has_torn_tail(&self) -> bool {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        index.length > index.end
    }

    /// Removes the torn tail, so that none of it remains behind later blocks.
    ///
    /// # Errors
    /// When the file cannot be truncated.
    pub fn cut_torn_tail(&self) -> io::Result<()> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Medium::Open(file), true) = (&self.medium, index.length > index.end) {
            file.lock().unwrap_or_else(PoisonError::into_inner).set_len(index.end)?;
            index.length = index.end;
        }
        Ok(())
    }

    /// Appends a block.
    ///
    /// # Errors
    /// When it cannot be written, or is open for reading only; earlier blocks remain valid.
    pub fn push(&self, block: Block, rows: &[Row]) -> io::Result<()> {
        let Medium::Open(file) = &self.medium else { return Err(io::ErrorKind::Unsupported.into()) };
        let bytes = encode(block, rows);
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(index.end))?;
        file.write_all(&bytes)?;
        let length = (bytes.len() - BLOCK_HEADER - CHECKSUM) as u32;
        let place = Place { offset: index.end + BLOCK_HEADER as u64, length, rows: block.rows };
        index.places.insert((block.cell, block.first), place);
        index.end += bytes.len() as u64;
        index.length = index.length.max(index.end);
        Ok(())
    }

    /// Whether it contains exactly this block.
    #[must_use]
    pub fn has(&self, block: Block) -> bool {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        index.places.get(&(block.cell, block.first)).is_some_and(|place| place.rows == block.rows)
    }

    /// The total number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        index.places.values().map(|place| u64::from(place.rows)).sum()
    }

    /// Reads the payload of the block of a cell that begins with this replicate; returns its number of rows.
    pub(super) fn payload(&self, cell: u32, first: u64, bytes: &mut Vec<u8>) -> io::Result<Option<u32>> {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(&place) = index.places.get(&(cell, first)) else { return Ok(None) };
        drop(index);
        bytes.clear();
        bytes.resize(place.length as usize, 0);
        let read = |file: &mut File, bytes: &mut Vec<u8>| {
            file.seek(SeekFrom::Start(place.offset))?;
            file.read_exact(bytes)
        };
        match &self.medium {
            Medium::Open(file) => read(&mut file.lock().unwrap_or_else(PoisonError::into_inner), bytes)?,
            Medium::Named(path) => read(&mut File::open(path)?, bytes)?,
        }
        Ok(Some(place.rows))
    }

    /// Flushes the file to the disk.
    ///
    /// # Errors
    /// When that fails.
    pub fn sync(&self) -> io::Result<()> {
        match &self.medium {
            Medium::Open(file) => file.lock().unwrap_or_else(PoisonError::into_inner).sync_all(),
            Medium::Named(_) => Ok(()),
        }
    }
}

/// Reads the next block; `None` if it is incomplete.
fn read_block(file: &mut File, left: u64, bytes: &mut Vec<u8>) -> io::Result<Option<(Block, u32)>> {
    if left < (BLOCK_HEADER + CHECKSUM) as u64 {
        return Ok(None);
    }
    let mut header = [0; BLOCK_HEADER];
    file.read_exact(&mut header)?;
    let payload = word(&header, 0);
    let block = Block { cell: word(&header, 4), first: long(&header, 8), rows: word(&header, 16) };
    if u64::from(payload) + (BLOCK_HEADER + CHECKSUM) as u64 > left || block.rows > MAX_ROWS || block.rows == 0 {
        return Ok(None);
    }
    bytes.clear();
    bytes.resize(payload as usize + CHECKSUM, 0);
    file.read_exact(bytes)?;
    let (payload_bytes, sum) = bytes.split_at(payload as usize);
    let whole = sum == checksum(&header, payload_bytes) && columns(payload_bytes, block.rows).is_some();
    Ok(whole.then_some((block, payload)))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

fn checksum(header: &[u8], payload: &[u8]) -> [u8; CHECKSUM] {
    let mut hash = Sha256::new();
    hash.update(header);
    hash.update(payload);
    let mut sum = [0; CHECKSUM];
    sum.copy_from_slice(&hash.finalize()[..CHECKSUM]);
    sum
}

const CONSTANT: u8 = 0;
const EACH: u8 = 1;

fn encode(block: Block, rows: &[Row]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BLOCK_HEADER + rows.len() * 8 * 8);
    bytes.extend([0; 4]);
    bytes.extend(block.cell.to_le_bytes());
    bytes.extend(block.first.to_le_bytes());
    bytes.extend(block.rows.to_le_bytes());
    for column in 0..COLUMNS {
        let first = rows.first().map_or(0, |row| row[column].to_bits());
        if rows.iter().all(|row| row[column].to_bits() == first) {
            bytes.push(CONSTANT);
            bytes.extend(first.to_le_bytes());
        } else {
            bytes.push(EACH);
            bytes.extend(rows.iter().flat_map(|row| row[column].to_bits().to_le_bytes()));
        }
    }
    let payload = (bytes.len() - BLOCK_HEADER) as u32;
    bytes[..4].copy_from_slice(&payload.to_le_bytes());
    let (header, rest) = bytes.split_at(BLOCK_HEADER);
    let sum = checksum(header, rest);
    bytes.extend(sum);
    bytes
}

/// A column of a block.
#[derive(Clone, Copy, Debug)]
pub(super) enum Values<'a> {
    Constant(f64),
    Each(&'a [u8]),
}

impl Values<'_> {
    pub fn get(&self, row: usize) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Each(bytes) => f64::from_bits(long(bytes, row * 8)),
        }
    }
}

/// The columns of a payload; `None` where its length is wrong.
pub(super) fn columns(payload: &[u8], rows: u32) -> Option<[Values<'_>; COLUMNS]> {
    let mut columns = [Values::Constant(f64::NAN); COLUMNS];
    let mut rest = payload;
    for column in &mut columns {
        let (&tag, after) = rest.split_first()?;
        let length = match tag {
            CONSTANT => 8,
            EACH => 8 * rows as usize,
            _ => return None,
        };
        let (values, after) = after.split_at_checked(length)?;
        *column =
            if tag == CONSTANT { Values::Constant(f64::from_bits(long(values, 0))) } else { Values::Each(values) };
        rest = after;
    }
    rest.is_empty().then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: u32) -> Vec<Row> {
        (0..n).map(|i| std::array::from_fn(|c| if c % 2 == 0 { f64::from(i) + 0.25 } else { f64::NAN })).collect()
    }

    fn read_back(log: &ResultLog, block: Block) -> Vec<Row> {
        let mut bytes = Vec::new();
        let n = log.payload(block.cell, block.first, &mut bytes).unwrap().unwrap();
        let columns = columns(&bytes, n).unwrap();
        (0..n as usize).map(|row| columns.map(|column| column.get(row))).collect()
    }

    fn bits(rows: &[Row]) -> Vec<[u64; COLUMNS]> {
        rows.iter().map(|row| row.map(f64::to_bits)).collect()
    }

    #[test]
    fn what_is_written_is_read_and_a_cut_block_is_none() {
        let file = tempfile::tempfile().unwrap();
        let log = ResultLog::begin(file.try_clone().unwrap(), &[7; 32]).unwrap();
        let blocks = [Block { cell: 3, first: 0, rows: 5 }, Block { cell: 1, first: 256, rows: 1 }];
        for block in blocks {
            log.push(block, &rows(block.rows)).unwrap();
        }
        let length = file.metadata().unwrap().len();
        for cut in [0, 1, 9, 30] {
            file.set_len(length - cut).unwrap();
            let mut again = file.try_clone().unwrap();
            again.seek(SeekFrom::Start(0)).unwrap();
            let log = ResultLog::open(again, &[7; 32]).unwrap();
            assert!(log.has(blocks[0]));
            assert_eq!(log.has(blocks[1]), cut == 0);
            assert_eq!(bits(&read_back(&log, blocks[0])), bits(&rows(5)));
            assert_eq!(log.has_torn_tail(), cut != 0);
            log.cut_torn_tail().unwrap();
            assert!(!log.has_torn_tail());
            // The next block replaces the torn tail.
            log.push(blocks[1], &rows(1)).unwrap();
            assert_eq!(bits(&read_back(&log, blocks[1])), bits(&rows(1)));
            assert_eq!(log.rows(), 6);
        }
    }

    #[test]
    fn other_files_and_other_studies_are_told_apart() {
        let mut file = tempfile::tempfile().unwrap();
        let log = ResultLog::begin(file.try_clone().unwrap(), &[1; 32]).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        assert!(matches!(ResultLog::open(file.try_clone().unwrap(), &[2; 32]), Err(ResultLogError::NotBegun)));
        log.push(Block { cell: 0, first: 0, rows: 1 }, &rows(1)).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        assert!(matches!(ResultLog::open(file, &[2; 32]), Err(ResultLogError::Foreign)));
        let mut other = tempfile::tempfile().unwrap();
        other.write_all(&[9; 100]).unwrap();
        other.seek(SeekFrom::Start(0)).unwrap();
        assert!(matches!(ResultLog::open(other, &[2; 32]), Err(ResultLogError::NoTape)));
    }

    #[test]
    fn a_flipped_bit_is_noticed() {
        let mut file = tempfile::tempfile().unwrap();
        let log = ResultLog::begin(file.try_clone().unwrap(), &[0; 32]).unwrap();
        let block = Block { cell: 0, first: 0, rows: 9 };
        log.push(block, &rows(9)).unwrap();
        let length = file.metadata().unwrap().len();
        for at in HEADER..length {
            let mut byte = [0];
            file.seek(SeekFrom::Start(at)).unwrap();
            file.read_exact(&mut byte).unwrap();
            file.seek(SeekFrom::Start(at)).unwrap();
            file.write_all(&[byte[0] ^ 0x10]).unwrap();
            file.seek(SeekFrom::Start(0)).unwrap();
            assert!(!ResultLog::open(file.try_clone().unwrap(), &[0; 32]).unwrap().has(block), "byte {at}");
            file.seek(SeekFrom::Start(at)).unwrap();
            file.write_all(&byte).unwrap();
        }
    }
}
