use super::*;

fn near(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() <= 2e-13 * wanted.abs()
}

/// Inverted from the hypergeometric series in 50 digits; 12.706, 4.303, 3.182 and so on in every table.
#[test]
fn known_percentage_points() {
    for (p, degrees, t) in [
        (0.025, 1.0, -12.706_204_736_174_704),
        (0.005, 1.0, -63.656_741_162_871_58),
        (1e-10, 1.0, -3_183_098_861.837_907),
        (0.45, 1.0, -0.158_384_440_324_536_26),
        (0.025, 1.5, -6.016_663_104_427_932),
        (0.025, 2.0, -4.302_652_729_749_464),
        (1e-10, 2.0, -70_710.678_108_048_15),
        (0.025, 3.0, -3.182_446_305_283_709_5),
        (0.005, 5.0, -4.032_142_983_555_228),
        (0.025, 10.0, -2.228_138_851_986_275),
        (0.45, 10.0, -0.128_890_189_293_273_76),
        (0.025, 30.0, -2.042_272_456_301_238),
        (1e-10, 30.0, -9.377_489_780_407_143),
        (0.025, 100.0, -1.983_971_518_523_552_3),
        (0.005, 1000.0, -2.580_754_698_065_951),
        (0.45, 1000.0, -0.125_693_262_518_716_35),
    ] {
        assert!(near(quantile(p, degrees), t), "{p}, {degrees}: {}", quantile(p, degrees));
        assert!(near(cumulative(t, degrees), p), "{t}, {degrees}: {}", cumulative(t, degrees));
        let upper = 1.0 - p;
        assert!((quantile(upper, degrees) + t).abs() <= 1e-6 * t.abs() || p < 1e-6);
        assert!((cumulative(-t, degrees) - upper).abs() <= 1e-15);
    }
}

/// Closed forms with one and two degrees of freedom.
#[test]
fn closed_forms() {
    for i in -50_i32..=50 {
        let t = f64::from(i) * f64::from(i.abs()) / 20.0;
        let cauchy = 0.5 + libm::atan(t) / std::f64::consts::PI;
        assert!((cumulative(t, 1.0) - cauchy).abs() < 1e-15, "{t}");
        let two = 0.5 + t / (2.0 * (2.0 + t * t).sqrt());
        assert!((cumulative(t, 2.0) - two).abs() < 1e-15, "{t}");
    }
}

/// t ≈ z + (z³ + z) / 4ν + (5z⁵ + 16z³ + 3z) / 96ν² (Abramowitz and Stegun, 26.7.5), and z alone in the limit.
#[test]
fn it_becomes_the_normal_distribution() {
    for degrees in [1e6, 1e7, 1e9, 1e12, 1e18, f64::INFINITY] {
        for p in [1e-8, 0.025, 0.3, 0.975] {
            let z = normal::quantile(p);
            let cube = z * z * z;
            let second = (5.0 * cube * z * z + 16.0 * cube + 3.0 * z) / (96.0 * degrees * degrees);
            let t = z + (cube + z) / (4.0 * degrees) + second;
            assert!((quantile(p, degrees) - t).abs() < 1e-12 * t.abs(), "{p}, {degrees}: {}", quantile(p, degrees));
            assert!((cumulative(t, degrees) - p).abs() < 1e-11 * p);
        }
    }
}

#[test]
fn centre_ends_and_what_is_no_distribution() {
    for degrees in [0.5, 1.0, 7.0, 1e6] {
        assert_eq!(quantile(0.5, degrees), 0.0);
        assert_eq!(cumulative(0.0, degrees), 0.5);
        assert_eq!((quantile(0.0, degrees), quantile(1.0, degrees)), (f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!((cumulative(f64::NEG_INFINITY, degrees), cumulative(f64::INFINITY, degrees)), (0.0, 1.0));
        assert!(cumulative(-1e300, degrees) <= 1e-100);
    }
    assert!(quantile(0.5, 0.0).is_nan() && quantile(0.5, f64::NAN).is_nan() && quantile(-0.1, 1.0).is_nan());
    assert!(cumulative(1.0, -1.0).is_nan() && cumulative(f64::NAN, 1.0).is_nan());
}
