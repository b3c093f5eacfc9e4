use proptest::prelude::*;

use super::*;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

fn sorted_at(keys: &[u64], ranks: &[u64]) -> Vec<u64> {
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    ranks.iter().map(|rank| sorted[(*rank as usize).clamp(1, keys.len()) - 1]).collect()
}

/// Keys of all kinds: anywhere, close together, few different ones, at the ends.
fn keys() -> impl Strategy<Value = Vec<u64>> {
    let one = prop_oneof![any::<u64>(), 1_000_000..1_000_100_u64, 5..8_u64, Just(0), Just(u64::MAX)];
    prop_oneof![
        prop::collection::vec(one, 1..300),
        prop::collection::vec(any::<u64>(), 1..300),
        prop::collection::vec(7..9_u64, 1..300),
        prop::collection::vec(Just(u64::MAX), 1..50),
    ]
}

proptest! {
    #[test]
    fn equal_to_sorting(
        keys in keys(), ranks in prop::collection::vec(0..320_u64, 0..60), collected in 1..40_u64, bin_bits in 1..6_u32,
    ) {
        let mut source = |each: &mut dyn FnMut(u64)| keys.iter().for_each(|key| each(*key));
        let wanted = sorted_at(&keys, &ranks);
        prop_assert_eq!(&select(keys.len() as u64, &ranks, &mut source, collected, bin_bits), &wanted);
        prop_assert_eq!(&order_statistics(keys.len() as u64, &ranks, &mut source), &wanted);
    }
}

#[test]
fn more_than_is_collected() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let keys: Vec<u64> = (0..200_000).map(|i| random.next_u64() >> (i % 40)).collect();
    let ranks = [1, 100_000, 99_000, 101_000, 190_000, 200_000, 7, 100_000];
    let mut passes = 0;
    let found = order_statistics(200_000, &ranks, &mut |each| {
        passes += 1;
        keys.iter().for_each(|key| each(*key));
    });
    assert_eq!(found, sorted_at(&keys, &ranks));
    assert!(passes <= 5, "{passes}");
}

#[test]
fn few_passes_whatever_the_keys() {
    // Half of them at each end: this needs the narrowest bins.
    let mut passes = 0;
    let found = order_statistics(140_000, &[1, 70_000, 70_001, 140_000], &mut |each| {
        passes += 1;
        (0..140_000_u64).for_each(|i| each(if i % 2 == 0 { i % 3 } else { u64::MAX - i % 3 }));
    });
    assert_eq!(found, [0, 2, u64::MAX - 2, u64::MAX]);
    assert!(passes <= 7, "{passes}");
}

#[test]
fn no_keys_no_ranks() {
    assert!(order_statistics(0, &[1, 2], &mut |_| {}).is_empty());
    assert!(order_statistics(3, &[], &mut |each| (0..3).for_each(each)).is_empty());
    assert!(order_statistics(1 << 20, &[1], &mut |_| {}).is_empty(), "fewer than announced");
}

/// If a source does not pass the same keys each time, the result is arbitrary, but there is no panic.
#[test]
fn a_source_that_changes() {
    let mut call = 0;
    let found = select(
        100,
        &[1, 50, 100],
        &mut |each| {
            call += 1;
            (0..100 / call).for_each(|i| each(i * 3));
        },
        4,
        2,
    );
    assert_eq!(found.len(), 3);
}
