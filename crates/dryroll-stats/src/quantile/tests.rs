use proptest::prelude::*;

use super::*;
use crate::binomial::probabilities;

#[test]
fn nearest_ranks() {
    for (n, q, wanted) in [
        (100, 0.95, 95),
        (100, 0.99, 99),
        (100, 0.07, 7),
        (100, 0.29, 29),
        (1000, 0.999, 999),
        (10, 0.5, 5),
        (11, 0.5, 6),
        (1, 0.99, 1),
        (5, 0.0, 1),
        (5, 1.0, 5),
        (5, 2.0, 5),
        (0, 0.5, 1),
        (101, 0.95, 96),
        (1_000_000_000, 0.95, 950_000_000),
    ] {
        assert_eq!(rank(n, q), wanted, "{n} {q}");
    }
    // Every percentage of every round size, compared with integer arithmetic.
    for percent in 1..=100 {
        for n in (1..=2000).chain([12_345, 1_000_000]) {
            assert_eq!(rank(n, percent as f64 / 100.0), (n * percent).div_ceil(100), "{n} {percent} %");
        }
    }
}

/// The ranks for the median at 95 % in the usual tables: n, l, u.
#[test]
fn published_ranks_of_the_median() {
    for (n, low, high) in [(6, 1, 6), (8, 1, 8), (9, 2, 8), (10, 2, 9), (20, 6, 15), (50, 18, 33), (100, 40, 61)] {
        assert_eq!(interval_ranks(n, 0.5, 0.95), Some((low, high)), "{n}");
    }
    assert_eq!(interval_ranks(5, 0.5, 0.95), None);
    assert_eq!((interval_ranks(367, 0.99, 0.95), interval_ranks(368, 0.99, 0.95).is_some()), (None, true));
}

#[test]
fn ranks_cover_exactly_as_they_should_and_no_closer_ranks_do() {
    let sizes = (1..=60).chain([99, 100, 367, 368, 499, 500, 1000, 5000]);
    for n in sizes {
        for q in [0.05, 0.5, 0.95, 0.99] {
            for confidence in [0.9, 0.95, 0.99] {
                let tail = (1.0 - confidence) / 2.0;
                let chances = probabilities(n, q);
                let below = |k: usize| chances[..k].iter().sum::<f64>();
                let at_least = |k: usize| chances[k.min(n + 1)..].iter().sum::<f64>();
                let what = format!("n = {n}, q = {q}, {confidence}");
                let Some((low, high)) = interval_ranks(n as u64, q, confidence) else {
                    assert!(chances[0] > tail || chances[n] > tail, "{what}");
                    continue;
                };
                let (low, high) = (low as usize, high as usize);
                assert!(1 <= low && low <= high && high <= n, "{what}");
                let covered: f64 = chances[low..high].iter().sum();
                assert!(covered >= confidence - 1e-12, "{what}: {covered}");
                assert!(below(low) <= tail + 1e-12 && at_least(high) <= tail + 1e-12, "{what}");
                assert!(below(low + 1) > tail - 1e-12 && at_least(high - 1) > tail - 1e-12, "{what}: not the closest");
                let point = rank(n as u64, q) as usize;
                assert!(low <= point && point <= high, "{what}: {low} {point} {high}");
            }
        }
    }
}

#[test]
fn ranks_of_many_and_of_nothing() {
    let (low, high) = interval_ranks(1_000_000_000, 0.5, 0.95).unwrap();
    // 5·10⁸ ± 1.96 · √(10⁹ / 4).
    assert!((499_969_000..499_969_020).contains(&low), "{low}");
    assert!((500_030_980..500_031_001).contains(&high), "{high}");
    assert_eq!(interval_ranks(0, 0.5, 0.95), None);
    for q in [0.0, 1.0, -1.0, f64::NAN] {
        assert_eq!(interval_ranks(100, q, 0.95), None);
    }
    assert_eq!((interval_ranks(100, 0.5, 1.0), interval_ranks(100, 0.5, f64::NAN)), (None, None));
}

#[test]
fn keys_sort_as_numbers() {
    let numbers = [f64::NEG_INFINITY, f64::MIN, -1.0, -f64::MIN_POSITIVE, -5e-324, -0.0, 0.0, 5e-324, 1.0, f64::MAX];
    assert!(numbers.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
}

proptest! {
    #[test]
    fn keys_are_a_bijection(bits: u64, others: u64) {
        let (x, y) = (f64::from_bits(bits), f64::from_bits(others));
        prop_assert_eq!(value(key(x)).to_bits(), bits);
        prop_assert_eq!(key(value(bits)), bits);
        prop_assert_eq!(key(x).cmp(&key(y)), x.total_cmp(&y));
    }

    #[test]
    fn ranks_widen_with_confidence((n, q, confidence, more) in (10..20_000_u64, 0.01..0.99, 0.1..0.99, 0.0..1.0)) {
        let wider = confidence + more * (1.0 - confidence);
        if let Some((low, high)) = interval_ranks(n, q, wider) {
            let (inner_low, inner_high) = interval_ranks(n, q, confidence).unwrap();
            prop_assert!(low <= inner_low && inner_low <= rank(n, q) && rank(n, q) <= inner_high && inner_high <= high);
        }
    }
}
