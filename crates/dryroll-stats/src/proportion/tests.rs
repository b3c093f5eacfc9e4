use proptest::prelude::*;

use super::*;
use crate::binomial::probabilities;

fn near(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() <= 2e-13 * wanted.abs()
}

/// R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table
/// I.
#[test]
fn published_intervals() {
    for (hits, n, score, exact) in [
        (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
        (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
        (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
        (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
    ] {
        for (found, (low, high)) in [(wilson(hits, n, 0.95), score), (clopper_pearson(hits, n, 0.95), exact)] {
            let found = found.unwrap();
            assert!((found.low - low).abs() <= 0.5e-4 && (found.high - high).abs() <= 0.5e-4, "{hits}/{n}: {found:?}");
        }
    }
}

/// Inverted from the hypergeometric series in 50 digits.
#[test]
fn clopper_pearson_to_all_digits() {
    for (hits, n, low, high) in [
        (3, 10, 0.066_739_511_177_734_5, 0.652_452_850_059_997_2),
        (0, 10, 0.0, 0.308_497_107_818_760_8),
        (0, 1000, 0.0, 0.003_682_083_896_865_671),
        (1, 1, 0.025, 1.0),
        (1, 2, 0.012_579_117_093_425_06, 0.987_420_882_906_575),
        (7, 100, 0.028_605_288_907_438_697, 0.138_919_728_455_857_33),
        (50, 100, 0.398_321_129_503_301, 0.601_678_870_496_699),
        (999, 1000, 0.994_441_075_720_173_3, 0.999_974_682_512_508_7),
        (5, 100_000, 1.623_505_681_705_786_3e-5, 1.166_794_304_202_770_4e-4),
        (12_345, 1_000_000, 0.012_129_493_825_606_122, 0.012_563_337_660_712_773),
    ] {
        let found = clopper_pearson(hits, n, 0.95).unwrap();
        assert!(near(found.low, low) && near(found.high, high), "{hits}/{n}: {found:?}");
    }
}

/// With this many trials both are mean ± z standard errors, except for terms of order 1 / n.
#[test]
fn a_thousand_million_trials() {
    let (hits, n) = (250_000_000, 1_000_000_000);
    let half = 1.959_963_984_540_054 * (0.25 * 0.75 / 1e9_f64).sqrt();
    for found in [wilson(hits, n, 0.95), clopper_pearson(hits, n, 0.95)] {
        let found = found.unwrap();
        assert!((found.low - (0.25 - half)).abs() < 3e-9 && (found.high - (0.25 + half)).abs() < 3e-9, "{found:?}");
    }
}

#[test]
fn none_and_all() {
    for n in [1, 2, 10, 1000, u64::MAX] {
        for interval in [wilson, clopper_pearson] {
            let (none, all) = (interval(0, n, 0.95).unwrap(), interval(n, n, 0.95).unwrap());
            assert_eq!((none.low, all.high), (0.0, 1.0));
            assert!((none.high - (1.0 - all.low)).abs() < 1e-15);
        }
        // 1 - (1 - c)^(1/n).
        let closed = -libm::expm1(libm::log(0.05) / n as f64);
        assert!((upper_bound(0, n, 0.95).unwrap() - closed).abs() <= 1e-13 * closed, "{n}");
        assert_eq!(upper_bound(n, n, 0.95), Some(1.0));
    }
}

#[test]
fn upper_bound_is_the_end_of_a_wider_interval() {
    for (hits, n) in [(0, 5), (3, 10), (17, 1000)] {
        let (one_sided, two_sided) =
            (upper_bound(hits, n, 0.975).unwrap(), clopper_pearson(hits, n, 0.95).unwrap().high);
        assert!((one_sided - two_sided).abs() < 1e-14);
    }
}

#[test]
fn what_has_no_interval() {
    for interval in [wilson, clopper_pearson] {
        assert_eq!(interval(0, 0, 0.95), None);
        assert_eq!(interval(3, 2, 0.95), None);
        assert_eq!(interval(1, 2, 1.1), None);
        assert_eq!(interval(1, 2, f64::NAN), None);
        assert_eq!(interval(1, 2, 1.0), Some(Interval::new(0.0, 1.0)));
    }
    assert_eq!((upper_bound(0, 0, 0.95), upper_bound(1, 2, -1.0)), (None, None));
    assert_eq!(upper_bound(1, 2, 1.0), Some(1.0));
}

/// The chance that the interval covers p, exactly.
fn coverage(intervals: &[Interval], p: f64) -> f64 {
    let probabilities = probabilities(intervals.len() - 1, p);
    intervals.iter().zip(probabilities).filter(|(interval, _)| interval.contains(p)).map(|(_, chance)| chance).sum()
}

fn intervals(n: u64, confidence: f64, of: fn(u64, u64, f64) -> Option<Interval>) -> Vec<Interval> {
    (0..=n).map(|hits| of(hits, n, confidence).unwrap()).collect()
}

/// On a grid of rates, and just beside the ends of the intervals, where coverage is lowest.
#[test]
fn clopper_pearson_covers_at_every_rate() {
    for n in [1, 2, 3, 5, 10, 30, 100] {
        for confidence in [0.5, 0.9, 0.95, 0.99] {
            let intervals = intervals(n, confidence, clopper_pearson);
            let grid = (1..500).map(|i| f64::from(i) / 500.0);
            let beside = intervals.iter().flat_map(|i| [i.low - 1e-12, i.high + 1e-12]);
            for p in grid.chain(beside).filter(|p| *p > 0.0 && *p < 1.0) {
                let covered = coverage(&intervals, p);
                assert!(covered >= confidence - 1e-9, "n = {n}, p = {p}: {covered}");
            }
        }
    }
}

/// One side misses at most half of the total, and an upper bound at most all of it.
#[test]
fn upper_bound_covers_at_every_rate() {
    for n in [1_u64, 7, 50] {
        let bounds: Vec<f64> = (0..=n).map(|hits| upper_bound(hits, n, 0.95).unwrap()).collect();
        for p in (1..500).map(|i| f64::from(i) / 500.0) {
            let chances = probabilities(n as usize, p);
            let covered: f64 = bounds.iter().zip(chances).filter(|(bound, _)| p <= **bound).map(|(_, c)| c).sum();
            assert!(covered >= 0.95 - 1e-12, "n = {n}, p = {p}: {covered}");
        }
    }
}

/// Brown, Cai and DasGupta's findings: on average over rates Wilson's 95 % interval covers 95 %, at some rates near 0
/// and 1 only 83.8 %; Clopper and Pearson's covers more than its confidence.
#[test]
fn wilson_covers_on_average() {
    for n in [10, 20, 50, 100] {
        let mean_and_least = |of: fn(u64, u64, f64) -> Option<Interval>| {
            let intervals = intervals(n, 0.95, of);
            let coverages: Vec<f64> = (0..2000).map(|i| coverage(&intervals, (f64::from(i) + 0.5) / 2000.0)).collect();
            let least = coverages.iter().copied().fold(1.0, f64::min);
            (coverages.iter().sum::<f64>() / coverages.len() as f64, least)
        };
        let (mean, least) = mean_and_least(wilson);
        assert!((mean - 0.95).abs() < 0.006, "n = {n}: {mean}");
        assert!(least > 0.83 && least < 0.90, "n = {n}: {least}");
        let (exact, _) = mean_and_least(clopper_pearson);
        assert!(exact > mean + 0.008, "n = {n}: {exact}");
    }
}

proptest! {
    #[test]
    fn intervals_hold_the_rate_and_widen_with_confidence(
        (n, share, confidence, more) in (1..2_000_000_u64, 0.0..=1.0, 0.01..0.999, 0.0..1.0),
    ) {
        let hits = ((n as f64 * share) as u64).min(n);
        let rate = hits as f64 / n as f64;
        let wider: f64 = confidence + more * (1.0 - confidence);
        for of in [wilson, clopper_pearson] {
            let (narrow, wide) = (of(hits, n, confidence).unwrap(), of(hits, n, wider).unwrap());
            prop_assert!(narrow.contains(rate));
            prop_assert!(0.0 <= narrow.low && narrow.high <= 1.0);
            prop_assert!(wide.low <= narrow.low + 1e-15 && narrow.high <= wide.high + 1e-15);
        }
        let (near, far) = (upper_bound(hits, n, confidence).unwrap(), upper_bound(hits, n, wider).unwrap());
        prop_assert!(near <= far + 1e-15);
    }
}
