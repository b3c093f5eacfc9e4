//! The numbers at given ranks among more numbers than fit in memory, exactly.

use std::collections::VecDeque;

/// The most keys that are collected and sorted; more are first counted in bins.
const COLLECTED: u64 = 1 << 16;
/// Bins of a range, as a power of two.
const BIN_BITS: u32 = 14;
/// Ranges refined in one pass, which bounds the memory whatever the number of ranks.
const RANGES: usize = 16;

/// Passes every key to its argument, each time it is called.
pub type Source<'a> = dyn FnMut(&mut dyn FnMut(u64)) + 'a;

/// The keys at the given 1-based ranks, in the order in which these are given, among the n keys that `source` streams.
///
/// Each call of `source` passes every key to its argument, the same keys each time, in any order. Up to 65536 keys need
/// one pass. More need one for their range, at most five that count them in ever narrower bins, and one that collects;
/// usually three or four in all. Memory is at most 10 MB for every n. More than 16 ranks far apart need passes of their
/// own.
///
/// A rank of 0 counts as 1, and a rank beyond the number of keys as that number. Without keys the result is empty.
#[must_use]
pub fn order_statistics(n: u64, ranks: &[u64], source: &mut Source<'_>) -> Vec<u64> {
    select(n, ranks, source, COLLECTED, BIN_BITS)
}

/// A closed range of keys that holds ranks that were asked for.
struct Range {
    low: u64,
    high: u64,
    /// Number of keys below it.
    below: u64,
    /// Number of keys in it.
    count: u64,
    /// The indices in the result of the ranks that lie in it.
    wanted: Vec<usize>,
}

/// The work of a pass on a range.
enum Work {
    Collect(Vec<u64>),
    Count { shift: u32, bins: Vec<u64> },
}

fn select(n: u64, ranks: &[u64], source: &mut Source<'_>, collected: u64, bin_bits: u32) -> Vec<u64> {
    let all = (0..ranks.len()).collect();
    let whole = if n <= collected {
        Range { low: 0, high: u64::MAX, below: 0, count: n, wanted: all }
    } else {
        survey(source, all)
    };
    if ranks.is_empty() || whole.count == 0 {
        return Vec::new();
    }
    let ranks: Vec<u64> = ranks.iter().map(|rank| (*rank).clamp(1, whole.count)).collect();
    let mut answer = vec![0; ranks.len()];
    let mut waiting = VecDeque::from([whole]);
    while !waiting.is_empty() {
        // Ranges are disjoint; they are sorted here so that they can be searched by key.
        let mut ranges: Vec<Range> = waiting.drain(..waiting.len().min(RANGES)).collect();
        ranges.sort_by_key(|range| range.low);
        let works = pass(&ranges, source, collected, bin_bits);
        for (range, work) in ranges.iter().zip(works) {
            match work {
                Work::Collect(mut keys) => {
                    keys.sort_unstable();
                    for &i in &range.wanted {
                        // The key exists if the source passes the same keys each time.
                        let place = usize::try_from(ranks[i].saturating_sub(range.below + 1)).unwrap_or(usize::MAX);
                        answer[i] = keys.get(place).copied().unwrap_or(range.high);
                    }
                }
                Work::Count { shift, bins } => {
                    for narrower in narrow(range, shift, &bins, &ranks) {
                        if narrower.low == narrower.high {
                            narrower.wanted.iter().for_each(|&i| answer[i] = narrower.low);
                        } else {
                            waiting.push_back(narrower);
                        }
                    }
                }
            }
        }
    }
    answer
}

/// The range of all keys, and how many there are.
fn survey(source: &mut Source<'_>, wanted: Vec<usize>) -> Range {
    let mut range = Range { low: u64::MAX, high: 0, below: 0, count: 0, wanted };
    source(&mut |key| {
        range.low = range.low.min(key);
        range.high = range.high.max(key);
        range.count += 1;
    });
    range
}

/// One pass over all keys: the small ranges are collected, the others counted in bins.
fn pass(ranges: &[Range], source: &mut Source<'_>, collected: u64, bin_bits: u32) -> Vec<Work> {
    let mut works: Vec<Work> = ranges
        .iter()
        .map(|range| {
            if range.count <= collected {
                return Work::Collect(Vec::new());
            }
            let span = range.high - range.low;
            let shift = (u64::BITS - span.leading_zeros()).saturating_sub(bin_bits);
            Work::Count { shift, bins: vec![0; (span >> shift) as usize + 1] }
        })
        .collect();
    source(&mut |key| {
        let index = ranges.partition_point(|range| range.high < key);
        let Some(range) = ranges.get(index) else { return };
        if key < range.low {
            return;
        }
        match &mut works[index] {
            Work::Collect(keys) => keys.push(key),
            Work::Count { shift, bins } => bins[((key - range.low) >> *shift) as usize] += 1,
        }
    });
    works
}

/// The bins of a range that hold ranks that were asked for.
fn narrow(range: &Range, shift: u32, bins: &[u64], ranks: &[u64]) -> Vec<Range> {
    let mut wanted = range.wanted.clone();
    wanted.sort_by_key(|&i| ranks[i]);
    let mut found: Vec<Range> = Vec::new();
    let mut wanted = wanted.into_iter().peekable();
    let mut below = range.below;
    for (bin, &count) in bins.iter().enumerate() {
        let mut here = Vec::new();
        while let Some(i) = wanted.next_if(|&i| ranks[i] <= below + count) {
            here.push(i);
        }
        if !here.is_empty() {
            let low = range.low + ((bin as u64) << shift);
            let high = range.high.min(low.saturating_add((1 << shift) - 1));
            found.push(Range { low, high, below, count, wanted: here });
        }
        below += count;
    }
    found
}

#[cfg(test)]
mod tests;
