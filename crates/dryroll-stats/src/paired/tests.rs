use proptest::prelude::*;

use super::*;

fn of(pairs: &[(f64, f64)]) -> Paired {
    let mut paired = Paired::default();
    pairs.iter().for_each(|(a, b)| paired.push(*a, *b));
    paired
}

#[test]
fn manual() {
    let paired = of(&[(1.0, 2.0), (2.0, 2.0), (3.0, 5.0), (6.0, 3.0)]);
    assert_eq!((paired.n(), paired.wins()), (4, (2, 1, 1)));
    assert_eq!((paired.a().mean(), paired.b().mean(), paired.differences().mean()), (Some(3.0), Some(3.0), Some(0.0)));
    // Sums of squares: a 14, b 6, products 3, differences 14.
    assert!((paired.correlation().unwrap() - 3.0 / 84.0_f64.sqrt()).abs() < 1e-15);
    assert!((paired.variance_saved().unwrap() - (1.0 - 14.0 / 20.0)).abs() < 1e-15);
}

#[test]
fn what_always_differs_by_the_same_saves_all() {
    let paired = of(&[(1.0, 3.0), (5.0, 7.0), (2.0, 4.0)]);
    assert_eq!((paired.correlation(), paired.variance_saved()), (Some(1.0), Some(1.0)));
    assert_eq!(paired.wins(), (3, 0, 0));
    let opposed = of(&[(1.0, -1.0), (5.0, -5.0), (2.0, -2.0)]);
    assert_eq!(opposed.correlation(), Some(-1.0));
    assert!((opposed.variance_saved().unwrap() + 1.0).abs() < 1e-15);
}

#[test]
fn too_few_or_unvaried() {
    for pairs in [&[][..], &[(1.0, 2.0)], &[(1.0, 2.0), (1.0, 2.0)]] {
        assert_eq!((of(pairs).correlation(), of(pairs).variance_saved()), (None, None), "{pairs:?}");
    }
    let one_varies = of(&[(1.0, 2.0), (1.0, 4.0)]);
    assert_eq!((one_varies.correlation(), one_varies.variance_saved()), (None, Some(0.0)));
}

#[test]
fn what_rounding_leaves_saves_nothing() {
    // a and b are unrelated: 1 - Var(b - a) / (Var a + Var b) is 0 except for the last bits.
    let paired = of(&[(0.1, 0.1), (0.1, 0.7), (0.3, 0.1), (0.3, 0.7)]);
    assert_eq!(paired.variance_saved(), Some(0.0));
}

proptest! {
    #[test]
    fn the_difference_is_of_the_two(pairs in prop::collection::vec((-1e3..1e3, -1e3..1e3), 2..100)) {
        let paired = of(&pairs);
        let (a, b) = (paired.a().variance().unwrap(), paired.b().variance().unwrap());
        let correlation = paired.correlation().unwrap();
        // Var(b - a) = Var a + Var b - 2 Cov.
        let variance = a + b - 2.0 * correlation * (a * b).sqrt();
        prop_assert!((paired.differences().variance().unwrap() - variance).abs() <= 1e-9 * (a + b));
        let (first, second, ties) = paired.wins();
        prop_assert_eq!(first + second + ties, paired.n());
    }
}
