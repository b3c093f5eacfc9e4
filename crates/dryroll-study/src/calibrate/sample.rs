//! Times that are known only to an interval, and times that are open.

/// The most distinct times that a sample keeps; more are merged, far more finely than the resolution.
const MOST_TIMES: usize = 800;

/// Observed times, milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Times {
    /// It was over by then, and not yet one resolution earlier.
    pub seen: Vec<u64>,
    /// It was not observed to be over by then.
    pub open: Vec<u64>,
}

/// Times with their weights, in ascending order.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// An observed time lies at most this much earlier, milliseconds; at least 1.
    pub resolution: u64,
    /// Times by which it was over, with weights.
    pub seen: Vec<(u64, f64)>,
    /// Times until which it was not over, with weights.
    pub open: Vec<(u64, f64)>,
}

impl Sample {
    /// A sample of observed times.
    #[must_use]
    pub fn new(times: &Times, resolution: u64) -> Self {
        Self { resolution: resolution.max(1), seen: grouped(&times.seen), open: grouped(&times.open) }
    }

    /// The sample with nearby times merged, relative to the resolution: for repeated evaluation.
    #[must_use]
    pub fn coarser(&self) -> Self {
        const PARTS: u64 = 12;
        let step = self.resolution / PARTS;
        if step < 2 {
            return self.clone();
        }
        let merged = |groups: &[(u64, f64)], step: u64| {
            let mut merged: Vec<(u64, f64)> = Vec::new();
            for &(time, weight) in groups {
                let time = time / step * step + step / 2;
                match merged.last_mut() {
                    Some((last, all)) if *last == time => *all += weight,
                    _ => merged.push((time, weight)),
                }
            }
            merged
        };
        let open = if self.open.len() > PARTS as usize { merged(&self.open, step) } else { self.open.clone() };
        Self { resolution: self.resolution, seen: merged(&self.seen, step), open }
    }

    /// The observed times in two parts, with about this share in the earlier one; `None` where a part is empty.
    #[must_use]
    pub fn split(&self, share: f64) -> Option<(Self, Self)> {
        let goal = share * self.n_seen();
        let mut count = 0.0;
        let place = self.seen.iter().position(|&(_, weight)| {
            count += weight;
            count >= goal
        })?;
        let (early, late) = self.seen.split_at((place + 1).min(self.seen.len()));
        let of = |seen: &[(u64, f64)]| Self { resolution: self.resolution, seen: seen.to_vec(), open: Vec::new() };
        (!early.is_empty() && !late.is_empty()).then(|| (of(early), of(late)))
    }

    /// The number of observed times.
    #[must_use]
    pub fn n_seen(&self) -> f64 {
        self.seen.iter().map(|&(_, weight)| weight).sum()
    }

    /// The number of open times.
    #[must_use]
    pub fn n_open(&self) -> f64 {
        self.open.iter().map(|&(_, weight)| weight).sum()
    }

    /// The earliest time before which none can have been over.
    #[must_use]
    pub fn shortest(&self) -> u64 {
        self.seen.first().map_or(0, |&(time, _)| time.saturating_sub(self.resolution))
    }

    /// The longest observed time.
    #[must_use]
    pub fn longest(&self) -> u64 {
        self.seen.last().map_or(0, |&(time, _)| time)
    }

    /// Mean and variance of the observed times, each taken at the middle of its interval.
    #[must_use]
    pub fn moments(&self) -> (f64, f64) {
        let width = self.resolution as f64;
        let middle = |time: u64| (time as f64 + (time as f64 - width).max(0.0)) / 2.0;
        let n = self.n_seen().max(1.0);
        let mean = self.seen.iter().map(|&(time, weight)| weight * middle(time)).sum::<f64>() / n;
        let squares = self.seen.iter().map(|&(time, weight)| weight * (middle(time) - mean) * (middle(time) - mean));
        (mean, squares.sum::<f64>() / n)
    }
}

fn grouped(times: &[u64]) -> Vec<(u64, f64)> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let distinct = 1 + sorted.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let step = match (sorted.first(), sorted.last()) {
        (Some(first), Some(last)) if distinct > MOST_TIMES => (last - first).div_ceil(MOST_TIMES as u64),
        _ => 1,
    };
    let mut groups: Vec<(u64, f64)> = Vec::new();
    for time in sorted {
        let time = if step == 1 { time } else { time / step * step + step / 2 };
        match groups.last_mut() {
            Some((last, weight)) if *last == time => *weight += 1.0,
            _ => groups.push((time, 1.0)),
        }
    }
    groups
}
