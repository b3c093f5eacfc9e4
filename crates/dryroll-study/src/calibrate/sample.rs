//! Times that are known to an interval only, and times up to which nothing was seen.

/// How many different times a sample tells apart at most; more are put together, finer than the resolution by far.
const MOST_TIMES: usize = 800;

/// Times as they were observed, milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Times {
    /// It was over by then, and not yet a resolution earlier.
    pub seen: Vec<u64>,
    /// It was not seen to be over until then.
    pub open: Vec<u64>,
}

/// Times with their weights, in ascending order.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// A time that is seen lies at most so much earlier, milliseconds; at least 1.
    pub resolution: u64,
    /// Times by which it was over, and how many of each.
    pub seen: Vec<(u64, f64)>,
    /// Times until which it was not over, and how many of each.
    pub open: Vec<(u64, f64)>,
}

impl Sample {
    /// A sample of observed times.
    #[must_use]
    pub fn new(times: &Times, resolution: u64) -> Self {
        Self { resolution: resolution.max(1), seen: grouped(&times.seen), open: grouped(&times.open) }
    }

    /// The same with times put together that are close beside the resolution: for what is asked again and again.
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

    /// The earlier and the later times seen, about this share of them being earlier; `None` where one of both is empty.
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

    /// How many times were seen.
    #[must_use]
    pub fn n_seen(&self) -> f64 {
        self.seen.iter().map(|&(_, weight)| weight).sum()
    }

    /// How many were not.
    #[must_use]
    pub fn n_open(&self) -> f64 {
        self.open.iter().map(|&(_, weight)| weight).sum()
    }

    /// The earliest time before which it cannot have been over.
    #[must_use]
    pub fn shortest(&self) -> u64 {
        self.seen.first().map_or(0, |&(time, _)| time.saturating_sub(self.resolution))
    }

    /// The largest time seen.
    #[must_use]
    pub fn longest(&self) -> u64 {
        self.seen.last().map_or(0, |&(time, _)| time)
    }

    /// Mean and variance of the times, each taken from the middle of its interval.
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
