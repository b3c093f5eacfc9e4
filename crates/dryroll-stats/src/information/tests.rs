use super::*;
use crate::beta::{self, Quantiles};

/// The value for two choices, of which one always costs the same and the other is proportional to a rate known as
/// Beta(a, b), in closed form.
struct Case {
    shapes: (f64, f64),
    same: f64,
    each: f64,
}

impl Case {
    fn usual(&self) -> f64 {
        let (a, b) = self.shapes;
        self.same.min(self.each * a / (a + b))
    }

    /// If the rate is known: E[min(s, eθ)] = e μ I(a + 1, b) + s (1 − I(a, b)), both at s / e.
    fn perfect(&self) -> f64 {
        let ((a, b), at) = (self.shapes, self.same / self.each);
        let below = self.each * a / (a + b) * beta::cumulative(a + 1.0, b, at);
        self.usual() - below - self.same * (1.0 - beta::cumulative(a, b, at))
    }

    /// If m more trials are known: the hits are beta-binomial, and the mean afterwards is (a + hits) / (a + b + m).
    fn sample(&self, m: u32) -> f64 {
        let (a, b) = self.shapes;
        let log_beta = |a: f64, b: f64| libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
        let choose = |m: f64, x: f64| libm::lgamma(m + 1.0) - libm::lgamma(x + 1.0) - libm::lgamma(m - x + 1.0);
        let m = f64::from(m);
        let mut expected = 0.0;
        for x in 0..=m as u32 {
            let x = f64::from(x);
            let chance = libm::exp(choose(m, x) + log_beta(a + x, b + m - x) - log_beta(a, b));
            expected += chance * self.same.min(self.each * (a + x) / (a + b + m));
        }
        self.usual() - expected
    }

    /// Rates drawn, what a sample of m would show, and costs with noise: a part that both choices share, and a part of
    /// their own.
    fn rows(&self, seed: u64, rows: usize, m: f64) -> (Vec<f64>, Vec<f64>, [Vec<f64>; 2]) {
        let table = Quantiles::new(self.shapes.0, self.shapes.1).unwrap();
        let mut words = Words(seed);
        let (mut rates, mut told, mut costs) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new()]);
        for _ in 0..rows {
            let rate = table.at(words.unit());
            rates.push(rate);
            told.push(sample::mean_after(self.shapes, m, rate, words.unit()));
            // Skewed, of mean 0.
            let shared = -self.same * (1.0 + libm::log(words.unit()));
            let hits = (0..20).filter(|_| words.unit() < rate).count() as f64;
            costs[0].push(self.same + shared + self.same * (words.unit() - 0.5));
            costs[1].push(self.each * hits / 20.0 + shared);
        }
        (rates, told, costs)
    }
}

/// SplitMix64.
struct Words(u64);

impl Words {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }
}

const CASES: [Case; 3] = [
    // One of 20 has failed, and the two choices cost about the same.
    Case { shapes: (1.5, 19.5), same: 60.0, each: 900.0 },
    // Nothing has failed in 50.
    Case { shapes: (0.5, 50.5), same: 60.0, each: 3000.0 },
    // Well known, and the second choice is hardly ever better.
    Case { shapes: (80.5, 920.5), same: 60.0, each: 900.0 },
];

#[test]
fn the_closed_forms_agree_with_each_other() {
    for case in CASES {
        let [few, more, many] = [1, 100, 20_000].map(|m| case.sample(m));
        let rises = [0.0, few, more, many, case.perfect()].windows(2).all(|two| two[0] <= two[1] + 1e-6);
        assert!(rises, "{few} {more} {many} {}", case.perfect());
        assert!((many - case.perfect()).abs() <= 0.15 * case.perfect() + 1e-3, "{many} {}", case.perfect());
    }
}

/// Counts the misses among 3 × 3 × 40 intervals at 95 % (not all independent: each three share their rows). If each
/// misses with a chance of at most 5 %, more than 33 of 360 occur with a chance of about 0.0003 if they are
/// independent, and with less than 1.5 % if the three always miss together (more than 11 of 120). The seeds are fixed,
/// so the result is always the same.
#[test]
fn the_intervals_hold_the_closed_forms() {
    let (mut misses, mut all) = (0, 0);
    for case in CASES {
        let truths = [case.perfect(), case.sample(50), case.sample(500)];
        let mut sides = [0, 0];
        let mut found = [const { Vec::new() }; 3];
        for seed in 0..40 {
            let (rates, few, costs) = case.rows(seed, 2000, 50.0);
            let (_, many, _) = case.rows(seed, 2000, 500.0);
            for (place, known) in [rates, few, many].into_iter().enumerate() {
                let information_value = information_value(&[known], &costs, 0.95).unwrap();
                misses += u32::from(!information_value.interval.contains(truths[place]));
                sides[usize::from(information_value.interval.low > truths[place])] +=
                    u32::from(!information_value.interval.contains(truths[place]));
                all += 1;
                found[place].push(information_value);
            }
        }
        println!("too low, too high: {sides:?} of 120");
        for (truth, found) in truths.iter().zip(&found) {
            let over = |f: fn(&InformationValue) -> f64| found.iter().map(f).sum::<f64>() / found.len() as f64;
            let (achieved, optimistic) = (over(|one| one.achieved), over(|one| one.optimistic));
            println!(
                "{truth:8.4}: achieved {achieved:8.4} estimate {:8.4} optimistic {optimistic:8.4} high {:8.4}",
                over(|one| one.estimate),
                over(|one| one.interval.high)
            );
            // The two sides, each with four standard errors of a mean of 40: 0.003 % on each side.
            let error = |f: fn(&InformationValue) -> f64| {
                moments(found.iter().map(f)).variance().unwrap().sqrt() / 40_f64.sqrt()
            };
            assert!(achieved <= truth + 4.0 * error(|one| one.achieved), "{achieved} {truth}");
            assert!(optimistic >= truth - 4.0 * error(|one| one.optimistic), "{optimistic} {truth}");
        }
    }
    println!("{misses} of {all} missed");
    assert!(misses <= 33, "{misses} of {all}");
}

#[test]
fn nothing_unknown_is_worth_nothing() {
    let costs = [vec![1.0, 5.0, 1.0, 5.0], vec![4.0, 2.0, 4.0, 2.0]];
    let information_value = information_value(&[vec![0.25; 4]], &costs, 0.95).unwrap();
    assert_eq!(
        (information_value.estimate, information_value.interval, information_value.n),
        (0.0, Interval::new(0.0, 0.0), 4)
    );
}

#[test]
fn one_way_or_none_leaves_no_choice() {
    let known: Vec<f64> = (0..100).map(f64::from).collect();
    assert_eq!(information_value(std::slice::from_ref(&known), &[], 0.95), None);
    let alone = information_value(std::slice::from_ref(&known), std::slice::from_ref(&known), 0.95).unwrap();
    assert_eq!((alone.estimate, alone.interval.high), (0.0, 0.0));
}

#[test]
fn what_decides_for_sure_is_worth_all_of_it() {
    // Odd rows cost 0 and 2, even ones 2 and 0, less a little.
    let known: Vec<f64> = (0..1000).map(|i| f64::from(i % 2)).collect();
    let other: Vec<f64> = known.iter().map(|is| 2.0 - 2.0 * is - 0.001).collect();
    let costs = [known.iter().map(|is| 2.0 * is).collect(), other];
    let information_value = information_value(&[known], &costs, 0.95).unwrap();
    assert!(
        (information_value.estimate - 0.9995).abs() < 1e-9
            && (information_value.achieved - information_value.optimistic).abs() < 1e-9,
        "{information_value:?}"
    );
}
