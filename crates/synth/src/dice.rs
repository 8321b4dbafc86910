//! Chance that can be repeated: one generator per patient, seeded by the run's seed and the patient's number.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// A seeded source of chance. Every draw is a plain function of the seed, the number and the draws before it, so
/// output is the same on every machine and in whatever order patients are made.
pub(crate) struct Dice(Pcg64);

/// The generator's stream constant: any odd-looking number will do, but it must never change.
const STREAM: u128 = 0x1e0d_5e7a_90c3_44b1_a02b_dbf7_bb3c_0a7d;

impl Dice {
    /// The dice of member `number` of the world `seed`.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let state = (u128::from(mix(seed ^ 0x5eed)) << 64) | u128::from(mix(number.wrapping_add(seed << 1)));
        Self(Pcg64::new(state, STREAM))
    }

    /// An integer in `0..bound`; `bound` must not be zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // The high half of a 64×64 product: no modulo bias that matters, and no division.
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// An integer in `low..=high`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        debug_assert!(low <= high);
        low + self.below((high - low + 1).unsigned_abs()) as i64
    }

    /// True in `permille` of 1,000 draws.
    pub(crate) fn permille(&mut self, permille: u32) -> bool {
        self.below(1_000) < u64::from(permille)
    }

    /// One of `items`, each as likely as the others.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// One of `items`, each as likely as its weight says.
    pub(crate) fn weighted<'a, T>(&mut self, items: &'a [T], weight: impl Fn(&T) -> u32) -> &'a T {
        let total: u64 = items.iter().map(|item| u64::from(weight(item))).sum();
        let mut left = self.below(total);
        for item in items {
            let own = u64::from(weight(item));
            if left < own {
                return item;
            }
            left -= own;
        }
        unreachable!("the draw lies below the sum of all weights")
    }

    /// A roughly normal number: the sum of four uniform draws, so never further than about 3.5 deviations away.
    pub(crate) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let bits = self.0.next_u64();
        let sum: f64 = (0..4).map(|part| f64::from((bits >> (16 * part)) as u16) / 65_536.0).sum();
        mean + deviation * (sum - 2.0) * 1.732
    }
}

/// The finaliser of SplitMix64: spreads neighbouring numbers over the whole range.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
