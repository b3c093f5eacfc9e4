use proptest::prelude::*;

use super::*;
use crate::normal;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

fn of(numbers: &[f64]) -> Moments {
    let mut moments = Moments::default();
    numbers.iter().for_each(|x| moments.push(*x));
    moments
}

#[test]
fn manual() {
    let moments = of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
    assert_eq!((moments.n(), moments.mean()), (8, Some(5.0)));
    assert!((moments.variance().unwrap() - 32.0 / 7.0).abs() < 1e-14);
    // 5 ± t(0.975, 7) · √(32/7/8), with t = 2.364624251592785.
    let half = 2.364_624_251_592_785 * (32.0_f64 / 56.0).sqrt();
    let interval = moments.t_interval(0.95).unwrap();
    assert!((interval.low - (5.0 - half)).abs() < 1e-12 && (interval.high - (5.0 + half)).abs() < 1e-12);
}

#[test]
fn few_numbers_and_no_variance() {
    assert_eq!((of(&[]).mean(), of(&[]).variance(), of(&[]).t_interval(0.95)), (None, None, None));
    assert_eq!((of(&[3.0]).mean(), of(&[3.0]).variance(), of(&[3.0]).t_interval(0.95)), (Some(3.0), None, None));
    assert_eq!(of(&[0.1; 1000]).t_interval(0.95), Some(Interval::new(0.1, 0.1)));
    assert_eq!(of(&[1.0, 2.0]).t_interval(1.0), None, "nothing short of everything");
    assert_eq!(of(&[1.0, 2.0]).t_interval(f64::NAN), None);
}

/// A sum of squares would lose all digits here.
#[test]
fn a_far_mean_costs_no_digits() {
    let moments = of(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]);
    assert_eq!((moments.mean(), moments.variance()), (Some(1e9 + 10.0), Some(30.0)));
}

/// Normal draws, 20000 samples each of 2, 3 and 10: the count of intervals that cover is binomial, and stays within
/// five standard deviations except once in 1.7 million. False-alarm rate of the test: 2 in a million.
#[test]
fn t_interval_covers_at_its_confidence() {
    const SAMPLES: u32 = 20_000;
    // Strictly between 0 and 1, as `normal::quantile` requires.
    let unit = |word: u64| ((word >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
    let mut random = ChaCha8Rng::seed_from_u64(0x7157);
    for n in [2, 3, 10] {
        let mut covered = 0;
        for _ in 0..SAMPLES {
            let mut moments = Moments::default();
            (0..n).for_each(|_| moments.push(5.0 + 3.0 * normal::quantile(unit(random.next_u64()))));
            covered += u32::from(moments.t_interval(0.95).unwrap().contains(5.0));
        }
        let deviation = (f64::from(SAMPLES) * 0.95 * 0.05).sqrt();
        assert!((f64::from(covered) - f64::from(SAMPLES) * 0.95).abs() < 5.0 * deviation, "n = {n}: {covered}");
    }
}

proptest! {
    #[test]
    fn as_in_two_passes(numbers in prop::collection::vec(-1e6..1e6, 2..200)) {
        let moments = of(&numbers);
        let n = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / n;
        let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
        prop_assert!((moments.mean().unwrap() - mean).abs() <= 1e-8);
        prop_assert!((moments.variance().unwrap() - variance).abs() <= 1e-9 * variance);
    }

    #[test]
    fn t_interval_holds_the_mean_and_widens_with_confidence(
        (numbers, confidence, more) in (prop::collection::vec(-1e6..1e6, 2..50), 0.0..0.999, 0.0..1.0),
    ) {
        let moments = of(&numbers);
        let narrow = moments.t_interval(confidence).unwrap();
        let wide = moments.t_interval(confidence + more * (0.9999 - confidence)).unwrap();
        prop_assert!(narrow.contains(moments.mean().unwrap()));
        let rounding = 1e-12 * wide.half_width();
        prop_assert!(wide.low <= narrow.low + rounding && narrow.high <= wide.high + rounding);
    }
}
