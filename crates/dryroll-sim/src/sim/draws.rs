//! Keyed draws: every random number has a fixed place, found by (seed, replicate, purpose, instance, attempt).
//!
//! # Layout
//!
//! A replicate is one ChaCha8 key: the seed, the replicate, and a constant. Within it, *stream a* belongs to
//! attempt a (0: the rollout, 1: its rollback, 2k and 2k + 1: retry k of each), and instance n owns words `8n .. 8n + 8` of it: one ChaCha block
//! of 64 bytes, whose words have fixed purposes ([`InstanceBlock`]). A rollout visits its instances in plan order, so
//! the stream is read in sequence, which costs a tenth of jumping to each place.
//!
//! Three of the words are not variates but [`Key`]s. What has no fixed number of draws (flaps, background deaths,
//! losses and delays of heartbeats) is drawn from a key by index: the SplitMix64 sequence that starts
//! at the key, entered anywhere in constant time. So a heartbeat at noon costs the same as one at the start, and
//! nothing that happens before it shifts its draw.
//!
//! Source of the mixing function: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014), with
//! Stafford's variant 13 constants.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A uniform variate in the open interval (0, 1): the middle of one of 2⁵² equal cells, so that neither end is met.
#[must_use]
pub fn unit(word: u64) -> f64 {
    const CELL: f64 = 1.0 / (1u64 << 52) as f64;
    ((word >> 12) as f64 + 0.5) * CELL
}

/// The threshold below which a word falls with the given probability.
#[must_use]
pub fn threshold(probability: f64) -> u64 {
    const WORDS: f64 = 18_446_744_073_709_551_616.0;
    (probability * WORDS) as u64
}

/// A word scaled to `0 .. below`.
#[must_use]
pub fn scale(word: u64, below: u64) -> u64 {
    ((u128::from(word) * u128::from(below)) >> 64) as u64
}

/// The start of a sequence of words that is entered by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(pub u64);

impl Key {
    /// The word at an index.
    #[must_use]
    pub fn word(self, index: u64) -> u64 {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.wrapping_add(index.wrapping_add(1).wrapping_mul(GOLDEN));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The key of a sequence of its own.
    #[must_use]
    pub fn child(self, index: u64) -> Key {
        Key(self.word(index))
    }
}

/// The words of one instance in one attempt, by purpose.
#[derive(Clone, Copy, Debug)]
pub struct InstanceBlock {
    /// Its heartbeats' phase.
    pub phase: u64,
    /// Which outcome its upgrade has.
    pub outcome: u64,
    /// How long its upgrade takes.
    pub upgrade: u64,
    /// How long after it a crashing one dies.
    pub crash_after: u64,
    /// Its flaps.
    pub flaps: Key,
    /// Its background deaths.
    pub deaths: Key,
    /// Losses and delays of its heartbeats.
    pub heartbeats: Key,
    /// Whether it belongs to a drawn share of the fleet.
    pub membership: Key,
}

/// Instances whose blocks are made at once: as many as the generator makes in one go.
const TOGETHER: u32 = 4;
/// Generator words (of 32 bits) in one instance's block.
const GENERATOR_WORDS: u128 = 16;

/// One stream of instance blocks, cheapest when read in ascending order of instances.
#[derive(Clone, Debug)]
struct Stream {
    generator: ChaCha8Rng,
    /// Which group of instances is at hand, and which one the generator would make next.
    group: Option<u32>,
    next_group: u32,
    words: [[u64; 8]; TOGETHER as usize],
}

impl Stream {
    fn new(key: [u8; 32], id: u64) -> Self {
        let mut generator = ChaCha8Rng::from_seed(key);
        if id != 0 {
            generator.set_stream(id);
        }
        Self { generator, group: None, next_group: 0, words: [[0; 8]; TOGETHER as usize] }
    }

    #[inline(always)]
    fn words(&mut self, instance: u32) -> &[u64; 8] {
        let group = instance / TOGETHER;
        if self.group != Some(group) {
            self.make(group);
        }
        &self.words[(instance % TOGETHER) as usize]
    }

    fn make(&mut self, group: u32) {
        if group != self.next_group {
            self.generator.set_word_pos(u128::from(group) * u128::from(TOGETHER) * GENERATOR_WORDS);
        }
        let mut bytes = [0; 64 * TOGETHER as usize];
        self.generator.fill_bytes(&mut bytes);
        for (word, bytes) in self.words.as_flattened_mut().iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        self.group = Some(group);
        self.next_group = group.wrapping_add(1);
    }

    #[inline(always)]
    fn block(&mut self, instance: u32) -> InstanceBlock {
        let [phase, outcome, upgrade, crash_after, flaps, deaths, heartbeats, membership] = *self.words(instance);
        InstanceBlock {
            phase,
            outcome,
            upgrade,
            crash_after,
            flaps: Key(flaps),
            deaths: Key(deaths),
            heartbeats: Key(heartbeats),
            membership: Key(membership),
        }
    }
}

/// All draws of one replicate.
#[derive(Clone, Debug)]
pub struct Draws {
    key: [u8; 32],
    rollout: Stream,
    rollback: Option<Stream>,
    replicate: Option<[u64; 8]>,
}

const REPLICATE_STREAM: u64 = u64::MAX;

impl Draws {
    /// The draws of a replicate.
    #[must_use]
    pub fn new(seed: u64, replicate: u64) -> Self {
        let mut key = *b"................dryroll draws v1";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&replicate.to_le_bytes());
        Self { key, rollout: Stream::new(key, 0), rollback: None, replicate: None }
    }

    /// What belongs to an instance, and to the first command that it gets.
    #[inline(always)]
    pub fn instance(&mut self, instance: u32) -> InstanceBlock {
        self.rollout.block(instance)
    }

    /// What belongs to the command of a rollback.
    pub fn rollback(&mut self, instance: u32) -> InstanceBlock {
        let key = self.key;
        self.rollback.get_or_insert_with(|| Stream::new(key, 1)).block(instance)
    }

    /// What belongs to a command that is given again: `attempt` is 1 or more. `stream` is 0 for the rollout and 1 for
    /// its rollback.
    #[must_use]
    pub fn retry(&self, instance: u32, stream: u32, attempt: u32) -> InstanceBlock {
        Stream::new(self.key, (u64::from(attempt) << 1) + u64::from(stream)).block(instance)
    }

    /// The operator's delays.
    pub fn operator(&mut self) -> Key {
        Key(self.of_replicate()[0])
    }

    /// The zones' outages.
    pub fn zones(&mut self) -> Key {
        Key(self.of_replicate()[1])
    }

    /// What an importance sampler chooses.
    pub fn sampler(&mut self) -> Key {
        Key(self.of_replicate()[2])
    }

    /// What all instances share: rates that are not known or not the same in every replicate, factors of upgrade times,
    /// the places of blocks.
    pub fn shared(&mut self) -> Key {
        Key(self.of_replicate()[3])
    }

    fn of_replicate(&mut self) -> [u64; 8] {
        let key = self.key;
        *self.replicate.get_or_insert_with(|| *Stream::new(key, REPLICATE_STREAM).words(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_values() {
        let mut draws = Draws::new(42, 0);
        let first = draws.instance(0);
        let seventh = draws.instance(7);
        assert_eq!(first.phase, draws.instance(0).phase);
        assert_eq!(seventh.membership, draws.instance(7).membership);
        assert_eq!([first.phase, seventh.outcome, draws.rollback(0).phase, draws.operator().0], GOLDEN);
        assert_eq!(Key(1).word(0), 10_451_216_379_200_822_465, "SplitMix64 seeded with 1, first output");
    }

    const GOLDEN: [u64; 4] =
        [15_003_720_594_995_607_554, 526_967_121_973_085_252, 239_069_089_392_968_816, 6_045_877_528_490_578_534];

    #[test]
    fn places_do_not_depend_on_the_order_of_asking() {
        let mut forward = Draws::new(1, 2);
        let ascending: Vec<_> = (0..20).map(|n| forward.instance(n).outcome).collect();
        let mut backward = Draws::new(1, 2);
        let descending: Vec<_> = (0..20).rev().map(|n| backward.instance(n).outcome).collect();
        assert!(ascending.iter().eq(descending.iter().rev()));
    }

    #[test]
    fn a_unit_is_never_an_end() {
        assert!(unit(0) > 0.0);
        assert!(unit(u64::MAX) < 1.0);
        assert_eq!(unit(1 << 63), 0.5 + 0.5 / (1u64 << 52) as f64);
    }

    #[test]
    fn scaling_and_thresholds() {
        assert_eq!(scale(u64::MAX, 30), 29);
        assert_eq!(scale(0, 30), 0);
        assert_eq!(threshold(0.5), 1 << 63);
        assert_eq!(threshold(0.0), 0);
        assert_eq!(threshold(1.0), u64::MAX);
    }
}
