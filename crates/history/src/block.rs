//! Integers of a minute, an hour or a day as bytes: differences, as varints, compressed with zstd.

use std::collections::BTreeMap;
use thiserror::Error;

/// First byte of the format.
const VERSION: u8 = 1;
/// Largest size of a block before compression, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// Largest number of slots of a block.
const MAX_SLOTS: usize = 3_600;
/// Level of zstd: higher ones save little of such small blocks.
const ZSTD_LEVEL: i32 = 3;

/// Values of a block by column. All columns have the same number of slots; `None` is unknown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Block {
    /// Number of slots.
    pub slots: usize,
    /// Values by the number of the column.
    pub columns: BTreeMap<u32, Vec<Option<i64>>>,
}

/// Bytes that are no block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the block is damaged, or a later version wrote it")]
pub struct DamagedBlock;

impl Block {
    /// Empty block.
    pub fn new(slots: usize) -> Self {
        Self { slots: slots.min(MAX_SLOTS), columns: BTreeMap::new() }
    }

    /// Sets a value. Returns whether the slot exists.
    pub fn set(&mut self, column: u32, slot: usize, value: i64) -> bool {
        let slots = self.slots;
        let column = self.columns.entry(column).or_insert_with(|| vec![None; slots]);
        column.get_mut(slot).map(|place| *place = Some(value)).is_some()
    }

    /// Value of a slot.
    pub fn get(&self, column: u32, slot: usize) -> Option<i64> {
        self.columns.get(&column)?.get(slot).copied().flatten()
    }

    /// Bytes of the block: version, length before compression, then compressed: slots, and for each column its number,
    /// its length in bytes, which slots are known, and the differences of their values. Columns without values are left
    /// out.
    pub fn encode(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        put(&mut plain, self.slots as u64);
        let (mut last, mut bytes) = (0, Vec::new());
        for (number, values) in &self.columns {
            if values.iter().all(Option::is_none) {
                continue;
            }
            bytes.clear();
            if values.iter().all(Option::is_some) {
                bytes.push(0);
            } else {
                bytes.push(1);
                for eight in values.chunks(8) {
                    let known = eight.iter().enumerate().map(|(n, value)| u8::from(value.is_some()) << n);
                    bytes.push(known.fold(0, |all, bit| all | bit));
                }
            }
            let mut before = 0_i64;
            for value in values.iter().flatten() {
                put(&mut bytes, zigzag(value.wrapping_sub(before)));
                before = *value;
            }
            put(&mut plain, u64::from(number - last));
            put(&mut plain, bytes.len() as u64);
            plain.extend_from_slice(&bytes);
            last = *number;
        }
        let mut out = vec![VERSION];
        put(&mut out, plain.len() as u64);
        let compressed =
            zstd::bulk::compress(&plain, ZSTD_LEVEL).expect("compressing into memory can't fail");
        out.extend(compressed);
        out
    }

    /// Reads [`encode`](Self::encode)d bytes, only the columns for which `wanted` is true.
    ///
    /// # Errors
    /// [`DamagedBlock`] if they are of another version, or damaged.
    pub fn decode(bytes: &[u8], wanted: impl Fn(u32) -> bool) -> Result<Self, DamagedBlock> {
        let (version, mut compressed) = bytes.split_first().ok_or(DamagedBlock)?;
        let length = usize::try_from(take(&mut compressed)?).unwrap_or(usize::MAX);
        if *version != VERSION || length > MAX_BYTES {
            return Err(DamagedBlock);
        }
        let plain = zstd::bulk::decompress(compressed, length).map_err(|_| DamagedBlock)?;
        let mut input = plain.as_slice();
        let slots = usize::try_from(take(&mut input)?).map_err(|_| DamagedBlock)?;
        if slots > MAX_SLOTS {
            return Err(DamagedBlock);
        }
        let mut block = Self::new(slots);
        let mut number = 0_u32;
        while !input.is_empty() {
            let step = u32::try_from(take(&mut input)?).map_err(|_| DamagedBlock)?;
            number = number.checked_add(step).ok_or(DamagedBlock)?;
            let length = usize::try_from(take(&mut input)?).map_err(|_| DamagedBlock)?;
            let (column, rest) = input.split_at_checked(length).ok_or(DamagedBlock)?;
            input = rest;
            if wanted(number) && block.columns.insert(number, values(column, slots)?).is_some() {
                return Err(DamagedBlock);
            }
        }
        Ok(block)
    }
}

fn values(mut input: &[u8], slots: usize) -> Result<Vec<Option<i64>>, DamagedBlock> {
    let (kind, rest) = input.split_first().ok_or(DamagedBlock)?;
    input = rest;
    let known: Option<&[u8]> = match kind {
        0 => None,
        1 => {
            let (known, rest) = input.split_at_checked(slots.div_ceil(8)).ok_or(DamagedBlock)?;
            input = rest;
            Some(known)
        }
        _ => return Err(DamagedBlock),
    };
    let mut before = 0_i64;
    let mut values = Vec::with_capacity(slots);
    for slot in 0..slots {
        if known.is_some_and(|known| known[slot / 8] >> (slot % 8) & 1 == 0) {
            values.push(None);
            continue;
        }
        before = before.wrapping_add(unzigzag(take(&mut input)?));
        values.push(Some(before));
    }
    if input.is_empty() { Ok(values) } else { Err(DamagedBlock) }
}

/// Appends an integer as LEB128.
fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes an integer off the front.
fn take(input: &mut &[u8]) -> Result<u64, DamagedBlock> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = input.split_first().ok_or(DamagedBlock)?;
        *input = rest;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return Err(DamagedBlock);
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(DamagedBlock)
}

/// Small integers of either sign as small integers.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blocks() -> impl Strategy<Value = Block> {
        let value = proptest::option::weighted(0.9, prop_oneof![-50i64..2_000, any::<i64>()]);
        (1usize..70).prop_flat_map(move |slots| {
            let column = proptest::collection::vec(value.clone(), slots);
            proptest::collection::btree_map(any::<u32>(), column, 0..8)
                .prop_map(move |columns| Block { slots, columns })
        })
    }

    proptest! {
        #[test]
        fn a_block_is_read_back_as_it_was_written(block in blocks()) {
            let mut expected = block.clone();
            expected.columns.retain(|_, values| values.iter().any(Option::is_some));
            let bytes = block.encode();
            prop_assert_eq!(Block::decode(&bytes, |_| true).unwrap(), expected.clone());
            if let Some(one) = expected.columns.keys().next() {
                let only = Block::decode(&bytes, |column| column == *one).unwrap();
                prop_assert_eq!(only.columns.len(), 1);
                prop_assert_eq!(&only.columns[one], &expected.columns[one]);
            }
        }

        #[test]
        fn damaged_bytes_are_no_block_or_some_block_but_no_panic(
            block in blocks(), place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()
        ) {
            let mut bytes = block.encode();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            let _ = Block::decode(&bytes, |_| true);
            let _ = Block::decode(&bytes[..cut.index(bytes.len())], |_| true);
        }
    }

    #[test]
    fn typical_samples_take_at_most_a_byte_each() {
        // 50 metrics of a minute: a third constant, a third slow, a third noisy by 5 % of their range.
        let mut random = 1_u64;
        let mut noise = |range: i64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as i64 % range
        };
        let mut block = Block::new(60);
        for metric in 0..50 {
            let mut slow = 10_000;
            for slot in 0..60 {
                slow += noise(5) - 2;
                let value = match metric % 3 {
                    0 => 777,
                    1 => slow,
                    _ => 300 + noise(50),
                };
                block.set(metric, slot, value);
            }
        }
        let bytes = block.encode().len();
        assert!(bytes <= 50 * 60, "{bytes} bytes for {} samples", 50 * 60);
    }
}
