//! The rows of a cell, read from one result log or from several, as often as needed.

use std::io;

use super::result_log::{ResultLog, Values, columns};
use super::row::{COLUMNS, DRIFT, Ending, OUTCOME, Row, TRIPS};
use dryroll_sim::scenario::Metric;

/// The largest size of a cell's data that is kept in memory, bytes; larger data is read again in each pass.
const HELD: usize = 4 << 20;

/// The rows of one cell in the order of the replicates.
#[derive(Debug)]
pub struct CellRows<'t> {
    logs: &'t [ResultLog],
    cell: u32,
    replicates: u64,
    held: Option<Vec<(Vec<u8>, u32)>>,
}

impl<'t> CellRows<'t> {
    /// The rows of replicates `0 .. replicates` of a cell.
    ///
    /// # Errors
    /// When the result logs cannot be read, or do not have all rows.
    pub fn open(logs: &'t [ResultLog], cell: u32, replicates: u64) -> io::Result<Self> {
        let mut rows = Self { logs, cell, replicates, held: None };
        let mut held = Vec::new();
        let mut size = 0;
        rows.blocks(&mut |bytes, n| {
            size += bytes.len();
            if size <= HELD {
                held.push((bytes.to_vec(), n));
            } else {
                held.clear();
            }
        })?;
        rows.held = (size <= HELD).then_some(held);
        Ok(rows)
    }

    /// The number of replicates.
    #[must_use]
    pub fn replicates(&self) -> u64 {
        self.replicates
    }

    /// Reads the block that begins with a replicate into `bytes`; returns its number of rows.
    fn fetch(&self, first: u64, bytes: &mut Vec<u8>) -> io::Result<u32> {
        for log in self.logs {
            if let Some(n) = log.payload(self.cell, first, bytes)? {
                return Ok(n);
            }
        }
        let missing = format!("replicate {first} of cell {} is not there", self.cell);
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, missing))
    }

    fn blocks(&self, with: &mut dyn FnMut(&[u8], u32)) -> io::Result<()> {
        if let Some(held) = &self.held {
            held.iter().for_each(|(bytes, n)| with(bytes, *n));
            return Ok(());
        }
        let mut bytes = Vec::new();
        let mut first = 0;
        while first < self.replicates {
            let n = self.fetch(first, &mut bytes)?;
            with(&bytes, n);
            first += u64::from(n);
        }
        Ok(())
    }

    /// Calls `with` for each replicate of both cells: its number, and both rows.
    ///
    /// # Errors
    /// When the result logs cannot be read, or their blocks do not begin at the same replicates.
    pub fn pairs(&self, other: &CellRows<'_>, with: &mut dyn FnMut(u64, &Row, &Row)) -> io::Result<()> {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut first = 0;
        while first < self.replicates.min(other.replicates) {
            let n = self.fetch(first, &mut ours)?;
            let unlike = || io::Error::new(io::ErrorKind::InvalidData, "two cells are cut in different places");
            if other.fetch(first, &mut theirs)? != n {
                return Err(unlike());
            }
            let (a, b) = columns(&ours, n).zip(columns(&theirs, n)).ok_or_else(unlike)?;
            for row in 0..n as usize {
                with(first + row as u64, &a.map(|column| column.get(row)), &b.map(|column| column.get(row)));
            }
            first += u64::from(n);
        }
        Ok(())
    }

    fn each_block(&self, with: &mut dyn FnMut(u64, usize, &[Values<'_>; COLUMNS])) -> io::Result<()> {
        let mut first = 0;
        self.blocks(&mut |bytes, n| {
            if let Some(columns) = columns(bytes, n) {
                with(first, n as usize, &columns);
            }
            first += u64::from(n);
        })
    }

    /// Calls `with` for each row, with its replicate.
    ///
    /// # Errors
    /// When the result logs cannot be read.
    pub fn rows(&self, with: &mut dyn FnMut(u64, &[f64; COLUMNS])) -> io::Result<()> {
        self.each_block(&mut |first, n, columns| {
            for row in 0..n {
                with(first + row as u64, &columns.map(|column| column.get(row)));
            }
        })
    }

    /// Calls `with` for each value of a metric, with its replicate; runs without a value are skipped.
    ///
    /// # Errors
    /// When the result logs cannot be read.
    pub fn values(&self, metric: Metric, with: &mut dyn FnMut(u64, f64)) -> io::Result<()> {
        self.each_block(&mut |first, n, columns| {
            let column = columns[metric as usize];
            for row in 0..n {
                let value = column.get(row);
                if !value.is_nan() {
                    with(first + row as u64, value);
                }
            }
        })
    }

    /// Calls `with` for the ending of each replicate.
    ///
    /// # Errors
    /// When the result logs cannot be read.
    pub fn endings(&self, with: &mut dyn FnMut(u64, Ending)) -> io::Result<()> {
        self.each_block(&mut |first, n, columns| {
            for row in 0..n {
                let ending = Ending::new(columns[TRIPS].get(row), columns[OUTCOME].get(row), columns[DRIFT].get(row));
                with(first + row as u64, ending);
            }
        })
    }
}
