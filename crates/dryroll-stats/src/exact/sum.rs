//! Sums of a decreasing function over many whole numbers.

/// Pieces of a range at the start: a power of two, so that halves stay whole.
const PIECES: u64 = 64;

/// Σ f(t) for t = 0 … n − 1, for a function that never rises, to an absolute error of about `tolerance`.
///
/// A piece is summed as the parabola through its ends and its middle (the discrete Simpson rule), and halved until both
/// halves agree with it; pieces of two numbers are summed as they are. A function that never rises and is equal at both
/// ends of a piece is constant in it, so a step is never overlooked. `None` where that takes more than `budget` values
/// of f.
pub fn sum_of_falling(n: u64, tolerance: f64, budget: usize, mut f: impl FnMut(u64) -> f64) -> Option<f64> {
    if n == 0 {
        return Some(0.0);
    }
    let size = n.div_ceil(PIECES).next_power_of_two();
    let mut left = budget;
    let mut ask = |t: u64| {
        left = left.checked_sub(1)?;
        // Beyond the range the function keeps its last value; the excess is subtracted below.
        Some(f(t.min(n - 1)))
    };
    let pieces = n.div_ceil(size);
    let last = ask(n - 1)?;
    let mut total = -last * (pieces * size - n) as f64;
    let mut start = ask(0)?;
    for piece in 0..pieces {
        let end = ask((piece + 1) * size)?;
        let whole = Piece { from: piece * size, size, ends: [start, end] };
        total += whole.sum(tolerance / pieces as f64, &mut ask)?;
        start = end;
    }
    Some(total)
}

/// The numbers `from .. from + size`, and the function at the first and at the one after the last.
struct Piece {
    from: u64,
    size: u64,
    ends: [f64; 2],
}

impl Piece {
    fn sum(&self, tolerance: f64, ask: &mut impl FnMut(u64) -> Option<f64>) -> Option<f64> {
        let [first, end] = self.ends;
        if self.size == 1 || first == end {
            return Some(first * self.size as f64);
        }
        let half = self.size / 2;
        let middle = ask(self.from + half)?;
        if self.size == 2 {
            return Some(first + middle);
        }
        // An upper bound of the sum for every decreasing function.
        if (first - end) * (self.size as f64) < tolerance {
            return Some(parabola(self.size, [first, middle, end]));
        }
        let whole = parabola(self.size, [first, middle, end]);
        let left = Piece { from: self.from, size: half, ends: [first, middle] };
        let right = Piece { from: self.from + half, size: half, ends: [middle, end] };
        if self.size >= 8 {
            let quarters = [ask(self.from + half / 2)?, ask(self.from + half + half / 2)?];
            let halves = parabola(half, [first, quarters[0], middle]) + parabola(half, [middle, quarters[1], end]);
            if (halves - whole).abs() < tolerance {
                return Some(halves + (halves - whole) / 15.0);
            }
        }
        Some(left.sum(tolerance / 2.0, ask)? + right.sum(tolerance / 2.0, ask)?)
    }
}

/// Σ of the parabola through three values, at 0, `size / 2` and `size`, over 0 … size − 1.
fn parabola(size: u64, [first, middle, end]: [f64; 3]) -> f64 {
    let n = size as f64;
    let step = n / 2.0;
    let once = middle - first;
    let twice = end - 2.0 * middle + first;
    let linear = n * (n - 1.0) / 2.0 / step;
    let square = (n - 1.0) * n * (2.0 * n - 1.0) / 6.0 / (step * step);
    first * n + once * linear + twice / 2.0 * (square - linear)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_adding_up_one_by_one() {
        type Falling = fn(u64) -> f64;
        let functions: [(&str, Falling); 5] = [
            ("exponential", |t| libm::exp(-(t as f64) / 4000.0)),
            ("step", |t| f64::from(u8::from(t < 12_345))),
            ("stairs", |t| 1.0 / (1 + t / 700) as f64),
            ("kinked", |t| (1.0 - t as f64 / 30_000.0).max(0.2)),
            ("flat", |_| 0.25),
        ];
        for (name, f) in functions {
            for n in [1, 2, 63, 64, 65, 1000, 99_999] {
                let wanted: f64 = (0..n).map(f).sum();
                let has = sum_of_falling(n, 1e-6, 1_000_000, f).expect("the budget is ample");
                assert!((has - wanted).abs() < 1e-5, "{name} {n}: {has} {wanted}");
            }
        }
    }

    #[test]
    fn it_says_when_it_is_too_much_work() {
        assert_eq!(sum_of_falling(1 << 20, 1e-9, 100, |t| -(t as f64).sqrt()), None);
    }

    #[test]
    fn it_asks_seldom_where_the_function_is_smooth() {
        let mut asked = 0;
        let sum = sum_of_falling(300_000, 1e-4, 100_000, |t| {
            asked += 1;
            libm::exp(-(t as f64) / 30_000.0)
        });
        assert!(sum.is_some());
        assert!(asked < 2000, "{asked}");
    }
}
