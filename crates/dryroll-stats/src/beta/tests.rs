use proptest::prelude::*;

use super::*;
use crate::binomial::probabilities;

fn near(found: f64, wanted: f64, relative: f64) -> bool {
    (found - wanted).abs() <= relative * wanted.abs()
}

/// From the hypergeometric series in 60 digits: a, b, x, I, 1 - I.
const KNOWN: [(f64, f64, f64, f64, f64); 20] = [
    (0.5, 0.5, 0.1, 0.204_832_764_699_133_45, 0.795_167_235_300_866_5),
    (1.0, 1.0, 0.3, 0.3, 0.7),
    (2.0, 3.0, 0.4, 0.5248, 0.4752),
    (3.0, 2.0, 0.9, 0.9477, 0.0523),
    (0.001, 0.5, 0.2, 0.997_118_421_496_616, 0.002_881_578_503_383_957),
    (0.001, 0.001, 0.5, 0.5, 0.5),
    (0.5, 1e6, 1e-8, 0.112_462_902_333_178_54, 0.887_537_097_666_821_5),
    (10.0, 0.1, 0.999, 0.340_333_339_779_174_9, 0.659_666_660_220_825),
    (100.0, 200.0, 0.3, 0.108_843_065_644_909_76, 0.891_156_934_355_090_2),
    (100.0, 200.0, 0.5, 0.999_999_997_353_445_4, 2.646_554_602_579_636_8e-9),
    (1.0, 1e9, 1e-9, 0.632_120_559_012_497_4, 0.367_879_440_987_502_6),
    (1e3, 1e9, 9e-7, 5.499_585_448_029_431e-4, 0.999_450_041_455_197),
    (1e5, 1e5, 0.495, 3.870_184_835_468_702e-6, 0.999_996_129_815_164_5),
    (1e5, 2e5, 0.333_333_333_333_333_3, 0.500_171_677_510_540_7, 0.499_828_322_489_459_3),
    (1e6, 1e6, 0.5001, 0.611_351_282_137_678, 0.388_648_717_862_322),
    (5e5, 0.5, 0.99999, 0.001_565_364_006_598_189, 0.998_434_635_993_401_8),
    (50.0, 50.0, 1e-5, 5.042_144_427_083_949e-222, 1.0),
    (1e9, 3.0, 0.999_999_998, 0.676_676_400_360_084_5, 0.323_323_599_639_915_5),
    (3.0, 1e9, 1e-12, 1.665_417_171_525_307_4e-10, 0.999_999_999_833_458_3),
    (1e4, 1e4, 0.4, 7.263_910_622_537_557e-180, 1.0),
];

#[test]
fn cumulative_of_known_values() {
    for (a, b, x, lower, upper) in KNOWN {
        let found = both_tails(a, b, x, 1.0 - x);
        // Far out in the tail, the rounding of x alone changes more.
        let relative = if lower < 1e-100 { 1e-11 } else { 2e-13 };
        assert!(near(found.0, lower, relative), "I({a}, {b}, {x}) = {:e}, not {lower:e}", found.0);
        assert!(near(found.1, upper, relative), "1 - I({a}, {b}, {x}) = {:e}, not {upper:e}", found.1);
        assert_eq!(cumulative(a, b, x), found.0);
    }
}

#[test]
fn quantiles_of_known_values() {
    for (a, b, p, x) in [
        (0.5, 0.5, 0.1, 0.024_471_741_852_423_217),
        (2.0, 3.0, 1e-300, 4.082_482_904_638_63e-151),
        (0.01, 5.0, 0.3, 6.462_784_897_212_945e-54),
        (1.0, 1e9, 0.975, 3.688_879_447_310_019_6e-9),
        (4.0, 1e9, 0.025, 1.089_865_371_397_623_6e-9),
        (1e3, 1e9, 1e-12, 7.934_385_155_219_349e-7),
        (100.0, 200.0, 1e-20, 0.126_061_562_859_362_83),
        (5000.0, 5000.0, 0.025, 0.490_200_876_221_961_5),
        (1e5, 3e5, 1e-6, 0.246_754_589_872_406_03),
        (30.0, 0.2, 0.01, 0.928_307_201_413_279),
    ] {
        let found = quantile(a, b, p);
        assert!(near(found, x, 1e-13), "{a}, {b}, {p}: {found:e}, not {x:e}");
    }
}

#[test]
fn quantile_inverts_cumulative_at_every_size_of_shape() {
    for a in [0.1, 1.0, 7.0, 1e3, 1e6, 1e9] {
        for b in [0.1, 1.0, 7.0, 1e3, 1e6, 1e9] {
            for p in [1e-250, 1e-12, 0.025, 0.4, 0.5, 0.6, 0.975] {
                let (x, y) = solve(a, b, p, 1.0 - p);
                if x == 0.0 || y == 0.0 {
                    continue;
                }
                let (lower, upper) = both_tails(a, b, x, y);
                // The change in I for half a unit in the last place of x or y.
                let noise = 1e-12 + 2e-16 * (a + b).sqrt() * (-libm::log(p)).sqrt();
                assert!(near(lower, p, 20.0 * noise), "{a}, {b}, {p}: {lower}");
                assert!(near(upper, 1.0 - p, 20.0 * noise), "{a}, {b}, {p}: {upper}");
            }
        }
    }
}

#[test]
fn it_is_the_binomials_tail() {
    for (n, p) in [(1, 0.5), (10, 0.1), (365, 0.01), (1000, 0.7)] {
        let probabilities = probabilities(n, p);
        let mut at_least = 1.0;
        for k in 1..=n {
            at_least -= probabilities[k - 1];
            let found = cumulative(k as f64, (n - k + 1) as f64, p);
            assert!((found - at_least).abs() < 1e-12, "{n}, {p}, {k}: {found} {at_least}");
        }
    }
}

#[test]
fn ends_and_what_is_no_distribution() {
    assert_eq!((cumulative(2.0, 3.0, 0.0), cumulative(2.0, 3.0, 1.0)), (0.0, 1.0));
    assert_eq!((cumulative(2.0, 3.0, -1.0), cumulative(2.0, 3.0, 2.0)), (0.0, 1.0));
    assert_eq!((quantile(2.0, 3.0, 0.0), quantile(2.0, 3.0, 1.0)), (0.0, 1.0));
    assert_eq!(quantile(1e-5, 1.0, 1e-10), 0.0, "10^-1000000 underflows");
    for (a, b, third) in [(0.0, 1.0, 0.5), (1.0, -1.0, 0.5), (f64::NAN, 1.0, 0.5), (1.0, f64::INFINITY, 0.5)] {
        assert!(cumulative(a, b, third).is_nan() && quantile(a, b, third).is_nan());
    }
    assert!(cumulative(1.0, 1.0, f64::NAN).is_nan());
    assert!(quantile(1.0, 1.0, 1.5).is_nan() && quantile(1.0, 1.0, f64::NAN).is_nan());
}

proptest! {
    #[test]
    fn any_shapes_and_any_chance_give_ordered_numbers(
        (a, b) in (-3.0..9.0, -3.0..9.0), (p, q) in (0.0..=1.0, 0.0..=1.0),
    ) {
        let (a, b): (f64, f64) = (libm::pow(10.0, a), libm::pow(10.0, b));
        let (p, q): (f64, f64) = if p <= q { (p, q) } else { (q, p) };
        let (low, high) = (quantile(a, b, p), quantile(a, b, q));
        prop_assert!((0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high));
        prop_assert!(low <= high + 1e-14 * high);
    }

    #[test]
    fn the_two_quantiles_agree((a, b, p) in (0.5..1e4, 0.5..1e4, 0.001..0.999)) {
        let (low, high): (f64, f64) = (quantile(a, b, p), upper_quantile(a, b, 1.0 - p));
        prop_assert!((low - high).abs() <= 1e-13 * high);
    }
}
