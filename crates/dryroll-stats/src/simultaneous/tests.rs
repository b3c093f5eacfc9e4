use proptest::prelude::*;

use super::*;

#[test]
fn bonferroni() {
    assert!((each(0.95, 5) - 0.99).abs() < 1e-15);
    assert_eq!((each(0.95, 0), each(0.95, 1)), (0.95, 0.95));
    assert_eq!(each(1.0, 7), 1.0);
}

#[test]
fn holm_step_by_step() {
    // 0.005 ≤ 0.05/4, 0.01 ≤ 0.05/3, 0.03 > 0.05/2; so 0.04 is not rejected although it is below 0.05.
    assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005], 0.05), [true, false, false, true]);
    assert_eq!(holm(&[0.01, 0.02, 0.05], 0.05), [true; 3], "equal falls");
    assert_eq!(holm(&[0.02, f64::NAN, -f64::NAN], 0.05), [false; 3], "what is no number counts");
    assert_eq!(holm(&[0.01, f64::NAN], 0.05), [true, false]);
    assert!(holm(&[], 0.05).is_empty());
}

proptest! {
    /// Holm rejects all that Bonferroni does, and nothing that a separate test at alpha would not.
    #[test]
    fn between_bonferroni_and_none(p_values in prop::collection::vec(0.0..0.2, 0..20)) {
        let alpha = 0.05;
        for (p, falls) in p_values.iter().zip(holm(&p_values, alpha)) {
            prop_assert!(falls || *p > alpha / p_values.len() as f64);
            prop_assert!(!falls || *p <= alpha);
        }
    }
}
