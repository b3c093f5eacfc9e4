use super::*;

/// Pseudo-random words from a counter (splitmix64), the same on every machine.
fn uniform(seed: u64, i: u64) -> f64 {
    let mut z = (seed << 32 | i).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 * f64::EPSILON / 2.0
}

/// How many of 400 intervals of `n` numbers miss their mean.
fn misses(n: u64, mean: f64, reach: Reach, draw: impl Fn(f64) -> f64) -> usize {
    let missed = |seed: &u64| {
        let values: Vec<f64> = (0..n).map(|i| draw(uniform(*seed, i))).collect();
        !reach.interval(&values, 0.95).unwrap().contains(mean)
    };
    (0..400).filter(missed).count()
}

/// The intervals miss at most 5 %. Even if they used all of it, 35 or more misses of 400 would have a chance of 2 in
/// 1000 for each case.
#[test]
fn it_covers_what_students_interval_does_not() {
    // One in 333 costs a day, all others 100 to 200 s; never more than 10 days.
    let rare = |u: f64| if u < 0.003 { 86_400.0 } else { 100.0 + 100.0 * u };
    let mean = 86_400.0 * 0.003 + 0.997 * (100.0 + 100.0 * (1.003 / 2.0));
    let reach = Reach { always: Interval::new(0.0, 864_000.0), usually: Interval::new(0.0, 300.0) };
    for n in [30, 256, 4096] {
        assert!(misses(n, mean, reach, rare) < 35, "{n}");
    }
    assert!(misses(256, 0.5, Reach::within(0.0, 1.0), |u| u) < 35);
    assert!(misses(256, 0.02, Reach::within(0.0, 1.0), |u| f64::from(u8::from(u < 0.02))) < 35);
    // A heavy tail, cut at 1: P(X > x) = (0.01 / x)^0.8.
    let tail = |u: f64| (0.01 / libm::pow(1.0 - u, 1.25)).min(1.0);
    let mean = 0.01 + 0.01 * (libm::pow(100.0, 0.2) - 1.0) / 0.2;
    assert!(misses(500, mean, Reach::within(0.0, 1.0), tail) < 35);
}

/// The interval is only a little wider than Student's where Student's is valid.
#[test]
fn it_is_not_much_wider_than_it_need_be() {
    let values: Vec<f64> = (0..10_000).map(|i| 0.3 + 0.1 * uniform(7, i)).collect();
    let found = interval(&values, Interval::new(0.0, 1.0), 0.95).unwrap();
    let t = 1.96 * 0.1 / 12f64.sqrt() / 100.0;
    assert!(found.contains(0.35) && found.half_width() < 2.0 * t, "{found:?} {t}");
}

#[test]
fn what_was_not_seen_yet_counts() {
    let reach = Reach { always: Interval::new(0.0, 1000.0), usually: Interval::new(0.0, 10.0) };
    let found = reach.interval(&[5.0; 100], 0.95).unwrap();
    // 990 beyond the usual range, with a chance of at most 1 - 0.025^(1/100).
    assert!(found.high > 5.0 + 990.0 * 0.0362 && found.low < 5.0, "{found:?}");
    let many = reach.interval(&vec![5.0; 100_000], 0.95).unwrap();
    assert!(many.high < 5.1 && many.low > 4.99 && many.high > many.low, "{many:?}");
}

#[test]
fn a_number_beyond_the_bounds_widens_them() {
    let reach = Reach::within(0.0, 1.0);
    let found = reach.interval(&[0.5, 2.0, 0.5], 0.95).unwrap();
    assert!(found.high > 1.0, "{found:?}");
}

#[test]
fn odd_samples_have_odd_intervals() {
    let one = Interval::new(0.0, 1.0);
    assert_eq!(interval(&[], one, 0.95), None);
    assert_eq!(interval(&[3.0], Interval::new(3.0, 3.0), 0.95), Some(Interval::new(3.0, 3.0)));
    assert_eq!(interval(&[0.5], one, 1.0), None);
    let few = interval(&[0.5, 0.5], one, 0.95).unwrap();
    assert!(few.low < 0.1 && few.high > 0.9, "{few:?}");
    let edge = interval(&[0.0; 50], one, 0.95).unwrap();
    assert!(edge.low == 0.0 && edge.high < 0.15, "{edge:?}");
}
