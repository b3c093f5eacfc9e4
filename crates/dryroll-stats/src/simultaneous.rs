//! Many statements at once.
//!
//! Sources: Bonferroni's inequality, after O. J. Dunn, "Multiple comparisons among means", JASA 56 (1961); S. Holm, "A
//! simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).

/// The confidence that each of `comparisons` intervals needs so that all hold together at `confidence`, however they
/// depend on each other: 1 - (1 - confidence) / comparisons. One comparison, or none, needs the confidence itself.
#[must_use]
pub fn each(confidence: f64, comparisons: u64) -> f64 {
    if comparisons <= 1 { confidence } else { 1.0 - (1.0 - confidence) / comparisons as f64 }
}

/// Holm's step-down test: which hypotheses are rejected, in the order given; the chance that a true one is rejected is
/// at most alpha. The smallest of m values is rejected if it is at most alpha / m, the next if it is at most alpha / (m
/// - 1), and so on up to the first that is not. NaN is not rejected, but counts towards m.
#[must_use]
pub fn holm(p_values: &[f64], alpha: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    // NaN of either sign goes last.
    let rank = |i: usize| if p_values[i].is_nan() { f64::INFINITY } else { p_values[i] };
    order.sort_by(|&i, &j| rank(i).total_cmp(&rank(j)));
    let mut falls = vec![false; p_values.len()];
    for (position, &i) in order.iter().enumerate() {
        let left = (p_values.len() - position) as f64;
        if p_values[i] > alpha / left || p_values[i].is_nan() {
            break;
        }
        falls[i] = true;
    }
    falls
}

#[cfg(test)]
mod tests;
