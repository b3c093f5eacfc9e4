//! The binomial distribution for the tests, computed without the incomplete beta function.

/// P(B = k) for k from 0 to n: the recurrence between neighbours from the likeliest count outwards, then divided by the
/// sum.
pub fn probabilities(n: usize, p: f64) -> Vec<f64> {
    let mut terms = vec![0.0; n + 1];
    let mode = (((n + 1) as f64 * p) as usize).min(n);
    terms[mode] = 1.0;
    for k in mode..n {
        terms[k + 1] = terms[k] * ((n - k) as f64 / (k + 1) as f64) * (p / (1.0 - p));
    }
    for k in (0..mode).rev() {
        terms[k] = terms[k + 1] * ((k + 1) as f64 / (n - k) as f64) * ((1.0 - p) / p);
    }
    let sum: f64 = terms.iter().sum();
    terms.iter().map(|term| term / sum).collect()
}
