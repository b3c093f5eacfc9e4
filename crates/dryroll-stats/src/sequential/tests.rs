use super::*;
use crate::binomial::probabilities;
use crate::proportion::clopper_pearson;

fn sizes(first: u64, max: u64) -> Vec<u64> {
    (0..).map_while(|look| Looks { first, max }.at(look)).collect()
}

#[test]
fn doubling_up_to_the_last() {
    assert_eq!(sizes(100, 1000), [100, 200, 400, 800, 1000]);
    assert_eq!(sizes(250, 1000), [250, 500, 1000]);
    assert_eq!(sizes(1000, 1000), [1000]);
    assert_eq!(sizes(5000, 1000), [1000]);
    assert_eq!(sizes(0, 3), [1, 2, 3]);
    assert!(sizes(10, 0).is_empty());
    assert_eq!(sizes(1, u64::MAX).len(), 65);
    assert_eq!(sizes(u64::MAX, u64::MAX), [u64::MAX]);
    assert_eq!(Looks { first: 1, max: 8 }.at(u32::MAX), None);
}

#[test]
fn all_looks_together_miss_no_more_than_allowed() {
    let looks = Looks { first: 1, max: u64::MAX };
    assert_eq!(looks.confidence(0, 0.9), 0.95);
    let missed: f64 = (0..100_000).map(|look| 1.0 - looks.confidence(look, 0.95)).sum();
    assert!(missed <= 0.05 + 1e-10 && missed > 0.049_99, "{missed}");
}

/// The exact chance that the intervals of all looks cover a rate: the counts that no look has excluded yet, look by
/// look.
fn coverage(looks: Looks, p: f64, confidence: impl Fn(u32) -> f64) -> f64 {
    let mut chances = vec![1.0];
    for look in 0.. {
        let Some(n) = looks.at(look) else { break };
        let more = probabilities(n as usize + 1 - chances.len(), p);
        let mut next = vec![0.0; n as usize + 1];
        for (hits, chance) in chances.iter().enumerate().filter(|(_, chance)| **chance > 0.0) {
            more.iter().zip(&mut next[hits..]).for_each(|(more, next)| *next += chance * more);
        }
        for (hits, chance) in next.iter_mut().enumerate() {
            let interval = clopper_pearson(hits as u64, n, confidence(look)).unwrap();
            *chance = if interval.contains(p) { *chance } else { 0.0 };
        }
        chances = next;
    }
    chances.iter().sum()
}

#[test]
fn peeking_at_every_look_still_covers() {
    let looks = Looks { first: 16, max: 1000 };
    let mut careless = 1.0_f64;
    for p in [0.001, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 0.99] {
        let covered = coverage(looks, p, |look| looks.confidence(look, 0.95));
        assert!(covered >= 0.95 - 1e-12, "p = {p}: {covered}");
        careless = careless.min(coverage(looks, p, |_| 0.95));
    }
    assert!(careless < 0.9, "the same confidence at each look would not do: {careless}");
}
