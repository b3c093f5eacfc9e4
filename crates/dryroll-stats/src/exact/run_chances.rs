//! The chance of a run from any trial onwards: the value function of the chain.

/// h(i, c) = P(a run of k among the trials from the i-th on | the count before it is c), for trials that are counted in
/// order: h(i, c) = p_i·h(i+1, c+1) + (1 − p_i)·h(i+1, 0), h(i, k) = 1, h(n, c) = 0.
///
/// It is also the change of measure that makes the run certain (Doob's h-transform): with p_i·h(i+1, c+1) / h(i, c) in
/// place of p_i, every path ends in a trip, and each has the same weight h(0, 0).
#[derive(Clone, Debug)]
pub struct RunChances {
    limit: usize,
    /// By trial, `limit` values each; there is one row more than there are trials.
    values: Vec<f64>,
}

impl RunChances {
    /// For trials that fail with these chances. A `reset` sets the count to zero before a trial.
    #[must_use]
    pub fn new(limit: usize, chances: &[f64], reset: impl Fn(usize) -> bool) -> Self {
        Self::ahead_of(limit, chances, reset, |_| 0.0)
    }

    /// The same for trials that others follow: `after` returns the value of a count at the end.
    #[must_use]
    pub fn ahead_of(
        limit: usize,
        chances: &[f64],
        reset: impl Fn(usize) -> bool,
        after: impl Fn(usize) -> f64,
    ) -> Self {
        let limit = limit.max(1);
        let mut values = vec![0.0; limit * (chances.len() + 1)];
        let end = limit * chances.len();
        values[end..].iter_mut().enumerate().for_each(|(count, value)| *value = after(count));
        for (i, &p) in chances.iter().enumerate().rev() {
            let (here, after) = values[limit * i..].split_at_mut(limit);
            for count in 0..limit {
                let next = if count + 1 == limit { 1.0 } else { after[count + 1] };
                here[count] = p * next + (1.0 - p) * after[0];
            }
            if reset(i) {
                let zero = here[0];
                here.fill(zero);
            }
        }
        Self { limit, values }
    }

    /// h(i, c). It is 0 beyond the last trial, and 1 at the limit.
    #[must_use]
    pub fn value(&self, trial: usize, count: usize) -> f64 {
        if count >= self.limit {
            return 1.0;
        }
        self.values.get(self.limit * trial + count).copied().unwrap_or(0.0)
    }

    /// The chance of a failure at trial i with count c, given that a run is still to come; `p` if none can.
    #[must_use]
    pub fn tilted(&self, trial: usize, count: usize, p: f64) -> f64 {
        let fails = p * self.value(trial + 1, count + 1);
        let passes = (1.0 - p) * self.value(trial + 1, 0);
        if fails + passes > 0.0 { fails / (fails + passes) } else { p }
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts::{Counting, Counts, Trial};
    use super::*;

    #[test]
    fn the_value_at_the_start_is_the_chance_of_a_trip() {
        for reset_every in [3, 1000] {
            let chances: Vec<f64> = (0..20).map(|i| 0.05 + 0.02 * f64::from(i)).collect();
            let run_chances = RunChances::new(3, &chances, |i| i % reset_every == 0);
            let mut counts = Counts::zero(3);
            let mut tripped = 0.0;
            for (i, &p) in chances.iter().enumerate() {
                if i % reset_every == 0 {
                    counts.forget();
                }
                let trial = Trial { fails: p, passes: 1.0 - p, silent: 0.0 };
                tripped += counts.take(Counting::InOrder, std::iter::once(trial));
            }
            assert!((run_chances.value(0, 0) / tripped - 1.0).abs() < 1e-13);
        }
    }

    #[test]
    fn the_tilted_chance_makes_the_run_certain() {
        let run_chances = RunChances::new(2, &[0.1; 4], |_| false);
        // With two trials left and a count of zero, both must fail.
        assert!((run_chances.tilted(2, 0, 0.1) - 1.0).abs() < 1e-15);
        assert!((run_chances.tilted(3, 1, 0.1) - 1.0).abs() < 1e-15);
        // No run is possible any more.
        assert_eq!(run_chances.tilted(3, 0, 0.1), 0.1);
    }
}
