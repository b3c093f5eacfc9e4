//! Axes: from where to where, and which places have a name. Their places are chosen here, in the unit's own steps:
//! minutes and hours are not decimal.

use crate::words::Unit;

/// The most steps between places with a name, where nobody wants fewer.
pub const STEPS: usize = 6;

/// The most decimals of the name of a place.
const MOST_DECIMALS: usize = 9;

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Where it begins.
    pub low: f64,
    /// Where it ends, above `low`.
    pub high: f64,
    /// The places with a name.
    pub ticks: Vec<f64>,
    /// The unit of what it measures.
    pub unit: Unit,
}

impl Axis {
    /// An axis from zero that has room for all of the values.
    #[must_use]
    pub fn from_zero(values: impl IntoIterator<Item = f64>, unit: Unit, steps: usize) -> Self {
        let high = values.into_iter().filter(|value| value.is_finite()).fold(0.0, f64::max);
        // An interval that reaches a little beyond the whole needs no room of its own.
        let high = match unit {
            Unit::Percent if high > 100.0 && high < 110.0 => 100.0,
            Unit::Share if high > 1.0 && high < 1.1 => 1.0,
            _ => high,
        };
        Self::between(0.0, if high > 0.0 { high } else { 1.0 }, unit, steps)
    }

    /// An axis around the values.
    #[must_use]
    pub fn around(values: impl IntoIterator<Item = f64>, unit: Unit, steps: usize) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return Self::between(0.0, 1.0, unit, steps);
        }
        // A single value has room on both sides.
        let least = (low.abs().max(high.abs()) * 1e-6).max(1e-6);
        let room = if high - low < least { least } else { 0.0 };
        Self::between(low - room, high + room, unit, steps)
    }

    fn between(low: f64, high: f64, unit: Unit, steps: usize) -> Self {
        let step = step((high - low) / steps as f64, unit);
        let first = (low / step).floor();
        let last = (high / step).ceil().max(first + 1.0);
        let count = ((last - first) as usize).min(steps + 2);
        let ticks: Vec<f64> = (0..=count).map(|i| (first + i as f64) * step).collect();
        Self { low: first * step, high: (first + count as f64) * step, ticks, unit }
    }

    /// The name of a place.
    #[must_use]
    pub fn label(&self, at: f64) -> String {
        let differ = |say: &dyn Fn(f64) -> String| self.ticks.windows(2).all(|pair| say(pair[0]) != say(pair[1]));
        if !differ(&|at| self.unit.say(at)) {
            // Places that lie close beside each other have all the digits in which they differ.
            let enough = (0..=MOST_DECIMALS).find(|&decimals| differ(&|at| self.unit.say_fixed(at, decimals)));
            return self.unit.say_fixed(at, enough.unwrap_or(MOST_DECIMALS));
        }
        // A full hour needs no minutes.
        self.unit.say(at).replace("\u{202f}00\u{202f}min", "")
    }
}

/// A length between places that is at least so long and easy to count in.
fn step(least: f64, unit: Unit) -> f64 {
    const CLOCK: [f64; 19] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 21_600.0,
        43_200.0, 86_400.0, 172_800.0,
    ];
    if unit == Unit::Seconds
        && least > 0.5
        && let Some(&step) = CLOCK.iter().find(|&&step| step >= least)
    {
        return step;
    }
    let mut decade = 1.0;
    while decade > least {
        decade /= 10.0;
    }
    while decade * 10.0 < least {
        decade *= 10.0;
    }
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * decade).find(|&step| step >= least).unwrap_or(decade * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_easy_to_count() {
        let axis = Axis::from_zero([93.0], Unit::Percent, STEPS);
        assert_eq!(axis.ticks, [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        let axis = Axis::from_zero([3400.0], Unit::Seconds, STEPS);
        assert_eq!(
            axis.ticks.iter().map(|&at| axis.label(at).replace('\u{202f}', " ")).collect::<Vec<_>>(),
            ["0 s", "10 min", "20 min", "30 min", "40 min", "50 min", "1 h"]
        );
    }

    #[test]
    fn no_two_places_have_one_name() {
        for (values, unit) in [
            ([548.0, 548.3], Unit::Seconds),
            ([548.0, 550.0], Unit::Seconds),
            ([9000.0, 9010.0], Unit::Seconds),
            ([0.1, 0.101], Unit::Seconds),
            ([400_000.0, 400_500.0], Unit::Seconds),
            ([50.0, 50.04], Unit::Percent),
            ([0.5, 0.500_04], Unit::Share),
            ([123_456.1, 123_456.4], Unit::Count),
        ] {
            let axis = Axis::around(values, unit, STEPS);
            let mut names: Vec<String> = axis.ticks.iter().map(|&at| axis.label(at)).collect();
            let all = names.len();
            names.dedup();
            assert_eq!(names.len(), all, "{values:?}: {names:?}");
        }
        let axis = Axis::around([548.0, 548.3], Unit::Seconds, STEPS);
        assert_eq!(axis.label(548.1).replace('\u{202f}', " "), "9 min 08.10 s");
    }

    #[test]
    fn any_values_have_an_axis() {
        for values in
            [vec![], vec![0.0], vec![5.0, 5.0], vec![1e15, -1e15], vec![1e-12], vec![f64::NAN, 1.0], vec![1e15]]
        {
            for axis in [
                Axis::from_zero(values.clone(), Unit::Seconds, STEPS),
                Axis::around(values.clone(), Unit::Count, STEPS),
            ] {
                assert!(axis.low < axis.high, "{values:?}: {axis:?}");
                assert!((2..=STEPS + 3).contains(&axis.ticks.len()), "{values:?}: {axis:?}");
                let finite = values.iter().copied().filter(|value| value.is_finite());
                assert!(finite.clone().all(|value| value <= axis.high), "{values:?}: {axis:?}");
            }
        }
    }
}
