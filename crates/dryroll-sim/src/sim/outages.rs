//! Outages by chance: flaps, zones that fail, machines that die.
//!
//! An up time is exponential, a down time has any distribution. That is a Poisson process of *arrivals* of which
//! those that fall into an outage are ignored, since an exponential up time has no memory. So arrivals can be drawn
//! cell by cell of time, each cell from its own place in the key's sequence, and the question "what is at time t?"
//! looks at t's cell and at as many before it as an outage can last, not at all that happened since t = 0. Most cells
//! have no arrival, and finding that out is one word and one comparison. Nothing is ever scheduled.

use super::draws::{Key, scale, threshold};
use super::next_at::NextAt;
use super::sampler::Sampler;
use super::trail::{self, Mark};
use dryroll_engine::fleet::{At, Span};

/// Arrivals expected in a cell: small enough that most cells are empty.
const PER_CELL: f64 = 0.25;
/// Looking back pays only if an element is up most of the time, and outages do not extend over too many cells.
const MOST_LOOK_BACK: u64 = 4096;
/// Mean time down per mean time up beyond which history is walked from the start, from outage to outage.
const MOSTLY_UP: f64 = 4.0;
/// More arrivals in a cell have a chance below 10⁻²³.
const MOST_ARRIVALS: usize = 15;
/// Beyond this many cells from the start, the trail keeps marks of the history.
const DEEP: u64 = 64;
/// Words of a cell: one for the count, then a place and a duration for each arrival.
const WORDS: u64 = 32;
/// The word of the state at t = 0, and of what is left of an outage that is found there.
const START: u64 = u64::MAX - 1;

/// An outage: down in `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// First millisecond of being down.
    pub start: At,
    /// First millisecond of being up again.
    pub end: At,
}

/// The state at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covering {
    /// Up, with certainty until this moment.
    UpUntil(At),
    /// Down, up to this moment.
    DownUntil(At),
}

impl Covering {
    /// When the outage ends; `at` where there is none.
    #[must_use]
    pub fn end_or(self, at: At) -> At {
        match self {
            Self::UpUntil(_) => at,
            Self::DownUntil(end) => end,
        }
    }
}

/// The state at t = 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// As likely down as in the long run.
    Stationary,
    /// Up.
    Up,
}

/// The model of one kind of outage. A [`Key`] determines the history of one element.
#[derive(Clone, Debug)]
pub struct OutageLaw {
    /// The id that distinguishes it from other models.
    id: u64,
    cell: Span,
    /// Below the i-th, a cell has at most i arrivals.
    counts: [u64; MOST_ARRIVALS],
    duration: Sampler,
    /// Cells before a moment in which an outage that covers it can have begun.
    reach: u64,
    down_at_start: u64,
    /// The longest duration of a word with this many leading ones: it shows that most outages are over without drawing
    /// them.
    longest: Box<[Span; 65]>,
    looks_back: bool,
}

impl OutageLaw {
    /// A model; `None` if the rate is zero, or if no outage lasts.
    ///
    /// `rate` is per millisecond of being up.
    #[must_use]
    pub fn new(rate: f64, duration: Sampler, start: Start) -> Option<Self> {
        if rate <= 0.0 || duration.is_zero() {
            return None;
        }
        let cell = (PER_CELL / rate).clamp(1.0, 1e15) as u64;
        let expected = cell as f64 * rate;
        let mut probability = libm::exp(-expected);
        let mut cumulative = 0.0;
        let mut counts = [0; MOST_ARRIVALS];
        for (i, count) in counts.iter_mut().enumerate() {
            cumulative += probability;
            *count = threshold(cumulative);
            probability *= expected / (i + 1) as f64;
        }
        let down = duration.mean() * rate;
        let down_at_start = match start {
            Start::Stationary => threshold(down / (1.0 + down)),
            Start::Up => 0,
        };
        let longest = std::array::from_fn(|ones| {
            let zero = 1u64.checked_shl(63 - (ones as u32).min(63)).unwrap_or(0);
            duration.draw(if ones == 64 { u64::MAX } else { u64::MAX ^ zero })
        });
        let reach = duration.longest().0 / cell + 1;
        let looks_back = down < MOSTLY_UP && reach <= MOST_LOOK_BACK;
        Some(Self {
            id: trail::new_law(),
            cell: Span(cell),
            counts,
            reach,
            duration,
            down_at_start,
            longest: Box::new(longest),
            looks_back,
        })
    }

    /// The cell that a moment lies in.
    #[inline]
    fn cell_of(&self, at: At) -> u64 {
        at.0 / self.cell.0
    }

    /// The first millisecond of a cell.
    #[inline]
    fn begin_of(&self, cell: u64) -> At {
        At(cell * self.cell.0)
    }

    /// When the arrival at a place of a cell's words comes.
    #[inline]
    fn start_at(&self, key: Key, cell: u64, place: u64) -> At {
        self.begin_of(cell) + Span(scale(key.word(place), self.cell.0))
    }

    /// Whether the cell has no arrival.
    fn is_quiet(&self, key: Key, cell: u64) -> bool {
        key.word(cell * WORDS) < self.counts[0]
    }

    /// The arrivals of a cell in ascending order, each with the end of its outage if it is not ignored.
    fn arrivals(&self, key: Key, cell: u64, found: &mut [Outage; MOST_ARRIVALS]) -> usize {
        #[cfg(test)]
        tests::WALKED.set(tests::WALKED.get() + 1);
        let count = self.count(key, cell);
        for (i, outage) in found.iter_mut().enumerate().take(count) {
            let place = cell * WORDS + 1 + 2 * i as u64;
            let start = self.start_at(key, cell, place);
            *outage = Outage { start, end: start + self.duration.draw(key.word(place + 1)) };
        }
        found[..count].sort_unstable_by_key(|outage| (outage.start, outage.end));
        count
    }

    /// When an outage in progress at t = 0 ends; t = 0 if there is none.
    fn first_end(&self, key: Key) -> At {
        let word = key.word(START);
        if word >= self.down_at_start { At::ZERO } else { At::ZERO + self.duration.draw_rest(key.word(START - 1)) }
    }

    /// The state at a moment. Draws no duration if none can matter.
    #[inline]
    #[must_use]
    pub fn covering(&self, key: Key, at: At) -> Covering {
        let cell = self.cell_of(at);
        if !self.looks_back && cell > 0 {
            return self.covering_by_history(key, at);
        }
        let first = cell.saturating_sub(self.reach);
        let mut up_until = self.begin_of(cell + 1);
        if first == 0 && key.word(START) < self.down_at_start {
            return self.covering_by_history(key, at);
        }
        for cell in first..cell + 1 {
            if !self.is_quiet(key, cell) {
                match self.next_start(key, cell, at) {
                    Some(start) => up_until = start.or_by(up_until),
                    None => return self.covering_by_history(key, at),
                }
            }
        }
        Covering::UpUntil(up_until)
    }

    fn covering_by_history(&self, key: Key, at: At) -> Covering {
        match self.next(key, at, at + Span(1)) {
            Some(outage) => Covering::DownUntil(outage.end),
            None => Covering::UpUntil(at + Span(1)),
        }
    }

    /// The first arrival of the cell after `at`, if any; `None` where one before it may last up to `at`, by the bounds
    /// alone.
    fn next_start(&self, key: Key, cell: u64, at: At) -> Option<NextAt> {
        let mut next = NextAt::NEVER;
        for i in 0..self.count(key, cell) as u64 {
            let place = cell * WORDS + 1 + 2 * i;
            let start = self.start_at(key, cell, place);
            if start > at {
                next = next.min(start.into());
            } else if start + self.longest[key.word(place + 1).leading_ones() as usize] > at {
                return None;
            }
        }
        Some(next)
    }

    fn count(&self, key: Key, cell: u64) -> usize {
        let word = key.word(cell * WORDS);
        self.counts.iter().take_while(|&&limit| word >= limit).count()
    }

    /// The outage that covers `from`, or else the first one after it, if it starts before `until`.
    #[must_use]
    pub fn next(&self, key: Key, from: At, until: At) -> Option<Outage> {
        let mut found = [Outage { start: At::ZERO, end: At::ZERO }; MOST_ARRIVALS];
        let is_deep = self.cell_of(from) > DEEP;
        let mark = if is_deep { trail::before(self.id, key.0, from) } else { None };
        // Looking back is shorter than a long walk.
        let mark = mark.filter(|mark| !self.looks_back || self.cell_of(from) < mark.cell + self.reach + trail::SPACING);
        let Mark { mut cell, mut up_from } = match mark {
            Some(mark) => mark,
            None => {
                let cell = if self.looks_back { self.regeneration(key, from, &mut found) } else { 0 };
                let mark = Mark { cell, up_from: if cell == 0 { self.first_end(key) } else { self.begin_of(cell) } };
                if is_deep && self.looks_back {
                    trail::leave(self.id, key.0, mark);
                }
                mark
            }
        };
        if up_from > from {
            return (until > At::ZERO).then_some(Outage { start: At::ZERO, end: up_from });
        }
        for step in 1.. {
            if self.begin_of(cell) >= until {
                break;
            }
            if is_deep && step % trail::SPACING == 0 {
                trail::leave(self.id, key.0, Mark { cell, up_from });
            }
            if !self.is_quiet(key, cell) {
                let count = self.arrivals(key, cell, &mut found);
                for outage in &found[..count] {
                    if outage.start < up_from {
                        continue;
                    }
                    if outage.start >= until {
                        return None;
                    }
                    up_from = outage.end;
                    if outage.end > from && outage.end > outage.start {
                        return Some(*outage);
                    }
                }
            }
            // What arrives during an outage is ignored.
            cell = (cell + 1).max(self.cell_of(up_from));
        }
        None
    }

    /// A cell at or before `time` at whose beginning it is surely up: no arrival of any earlier cell lasts into it. Or
    /// 0.
    fn regeneration(&self, key: Key, time: At, found: &mut [Outage; MOST_ARRIVALS]) -> u64 {
        let mut cell = self.cell_of(time);
        'earlier: while cell > 0 {
            for before in (cell.saturating_sub(self.reach)..cell).rev() {
                if self.is_quiet(key, before) {
                    continue;
                }
                let count = self.arrivals(key, before, found);
                if found[..count].iter().any(|outage| outage.end > self.begin_of(cell)) {
                    cell = before;
                    continue 'earlier;
                }
            }
            if cell <= self.reach && self.first_end(key) > self.begin_of(cell) {
                return 0;
            }
            return cell;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Distribution;

    const HOUR: f64 = 3_600_000.0;

    thread_local! {
        /// Cells whose arrivals were drawn.
        pub(super) static WALKED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
    }

    /// A search that goes from outage to outage, or returns to one far from the start, does not walk the history again.
    #[test]
    fn a_history_is_walked_once() {
        for (rate, down) in [
            (36_000.0, Distribution::Constant(3600.0)),
            (40.0, Distribution::Constant(3600.0)),
            (40.0, Distribution::Exponential { mean: 300.0 }),
            (60.0, Distribution::Lognormal { median: 5.0, sigma: 2.5 }),
        ] {
            let law = law(rate, &down, Start::Up);
            let (key, mut at, mut outages) = (Key(7), At::ZERO, 0);
            WALKED.set(0);
            let mut ends = Vec::new();
            while let Some(outage) = law.next(key, at, At::NEVER).filter(|_| outages < 20_000) {
                (at, outages) = (outage.end, outages + 1);
                ends.push(at);
            }
            for &end in ends.iter().rev().step_by(97) {
                assert!(law.next(key, At(end.0 - 1), end).is_some());
            }
            let walked = WALKED.get();
            // Exponential up times that end a look back are short: each look costs some hundred cells at most.
            assert!(walked < 400 * outages, "{walked} cells for {outages} outages, {down:?}");
        }
    }

    fn law(per_hour: f64, down: &Distribution, start: Start) -> OutageLaw {
        OutageLaw::new(per_hour / HOUR, Sampler::new(down), start).unwrap()
    }

    /// The same history without looking back: every arrival from t = 0 on.
    fn from_the_start(law: &OutageLaw, key: Key, until: At) -> Vec<Outage> {
        let mut history = Vec::new();
        let mut up_from = law.first_end(key);
        if up_from > At::ZERO {
            history.push(Outage { start: At::ZERO, end: up_from });
        }
        let mut found = [Outage { start: At::ZERO, end: At::ZERO }; MOST_ARRIVALS];
        for cell in 0..=law.cell_of(until) {
            let count = law.arrivals(key, cell, &mut found);
            for &outage in &found[..count] {
                if outage.start >= up_from && outage.start < until {
                    up_from = outage.end;
                    history.push(outage);
                }
            }
        }
        history.retain(|o| o.end > o.start);
        history
    }

    #[test]
    fn asked_anywhere_it_tells_the_same_history() {
        for (rate, down) in [
            (0.5, Distribution::Exponential { mean: 40.0 }),
            (20.0, Distribution::Exponential { mean: 300.0 }),
            (6.0, Distribution::Lognormal { median: 60.0, sigma: 1.0 }),
            (60.0, Distribution::Constant(20.0)),
            (3.0, Distribution::Weibull { scale: 100.0, shape: 0.7 }),
            (30.0, Distribution::Exponential { mean: 900.0 }),
            (60.0, Distribution::Lognormal { median: 5.0, sigma: 2.5 }),
        ] {
            let law = law(rate, &down, Start::Stationary);
            for k in 0..20 {
                let key = Key(k * 7919);
                let until = At(24 * 3_600_000);
                let history = from_the_start(&law, key, until);
                for t in (0..until.0).step_by(611_953).map(At) {
                    let wanted = history.iter().find(|o| o.end > t).copied();
                    assert_eq!(law.next(key, t, until), wanted, "{down:?} key {k} at {t}");
                    match law.covering(key, t) {
                        Covering::DownUntil(end) => assert!(wanted.is_some_and(|o| o.start <= t && o.end == end)),
                        Covering::UpUntil(up) => assert!(wanted.is_none_or(|o| o.start >= up), "{down:?} {k} at {t}"),
                    }
                }
            }
        }
    }

    /// False-alarm rate: a z of 5 on each of 4 figures, about 2 in a million; the keys are fixed, so the result is
    /// always the same.
    #[test]
    fn it_is_down_as_often_at_the_start_as_much_later() {
        let down = Distribution::Uniform { min: 100.0, max: 500.0 };
        let law = law(4.0, &down, Start::Stationary);
        let down_per_up = Sampler::new(&down).mean() * 4.0 / HOUR;
        let share = down_per_up / (1.0 + down_per_up);
        let n = 40_000;
        for t in [0, 1_000, 400_000, 36_000_000].map(At) {
            let hits = (0..n).filter(|&k| law.next(Key(k << 20), t, t + Span(1)).is_some_and(|o| o.start <= t)).count();
            let z = (hits as f64 - n as f64 * share) / (n as f64 * share * (1.0 - share)).sqrt();
            assert!(z.abs() < 5.0, "at {t}: {hits} of {n}, expected {share}");
        }
    }

    #[test]
    fn no_rate_no_law() {
        assert!(OutageLaw::new(0.0, Sampler::Constant(Span(1)), Start::Up).is_none());
        assert!(OutageLaw::new(1.0, Sampler::Constant(Span(0)), Start::Up).is_none());
    }
}
