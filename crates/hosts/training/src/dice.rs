//! Random numbers: initial weights, the order of samples, and dropout masks.
//!
//! Each purpose has its own generator, seeded only by the seed and the purpose. So a resumed training draws the same
//! numbers as an uninterrupted one.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

/// Generator for one purpose. `place` distinguishes draws of the same purpose: epoch, batch.
fn generator(seed: u32, purpose: &str, place: u64) -> ChaCha8Rng {
    let key: [u8; 32] = Sha256::digest(format!("{purpose}\n{seed}")).into();
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(place);
    generator
}

/// Uniform in [0, 1), with the 24 bits that a float can represent.
fn unit(generator: &mut ChaCha8Rng) -> f32 {
    (generator.next_u32() >> 8) as f32 / 16_777_216.0
}

/// `count` numbers, uniform from `-limit` to `limit`, for the initial weights of a layer.
pub(crate) fn weights(seed: u32, layer: usize, count: usize, limit: f32) -> Vec<f32> {
    let mut generator = generator(seed, "weights", layer as u64);
    (0..count).map(|_| (unit(&mut generator) * 2.0 - 1.0) * limit).collect()
}

/// Sample order of an epoch: a permutation of `0..count`.
pub(crate) fn order(seed: u32, epoch: u32, count: usize) -> Vec<usize> {
    let mut generator = generator(seed, "order", u64::from(epoch));
    let mut order: Vec<usize> = (0..count).collect();
    for i in (1..count).rev() {
        // High half of a product with 64 random bits: fast, with a bias below 2^-32.
        let to = ((u128::from(generator.next_u64()) * (i as u128 + 1)) >> 64) as usize;
        order.swap(i, to);
    }
    order
}

/// Dropout mask of `count` values: 0 for dropped ones, and a scale for the others that keeps their expected sum.
pub(crate) fn mask(
    seed: u32,
    (epoch, batch, layer): (u32, u32, usize),
    count: usize,
    dropout: f32,
) -> Vec<f32> {
    let mut generator =
        generator(seed, &format!("dropout {layer}"), u64::from(epoch) << 32 | u64::from(batch));
    let kept = 1.0 / (1.0 - dropout);
    (0..count).map(|_| if unit(&mut generator) < dropout { 0.0 } else { kept }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_permutation_has_every_index_once(seed: u32, epoch: u32, count in 0usize..300) {
            let mut order = order(seed, epoch, count);
            order.sort_unstable();
            prop_assert_eq!(order, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn random_numbers_depend_only_on_seed_and_position() {
        assert_eq!(order(7, 3, 50), order(7, 3, 50));
        assert_ne!(order(7, 3, 50), order(7, 4, 50));
        assert_ne!(order(7, 3, 50), order(8, 3, 50));
        assert_ne!(mask(7, (1, 0, 0), 50, 0.5), mask(7, (1, 1, 0), 50, 0.5));
        assert_ne!(mask(7, (1, 0, 0), 50, 0.5), mask(7, (1, 0, 1), 50, 0.5));
    }

    #[test]
    fn dropout_drops_its_share_and_keeps_the_sum() {
        let mask = mask(1, (1, 0, 0), 20_000, 0.25);
        let out = mask.iter().filter(|v| **v == 0.0).count() as f32 / mask.len() as f32;
        assert!((out - 0.25).abs() < 0.02, "{out}");
        let mean = mask.iter().sum::<f32>() / mask.len() as f32;
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
        assert!(weights(1, 0, 1_000, 0.5).iter().all(|w| (-0.5..0.5).contains(w)));
    }
}
