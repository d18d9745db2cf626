//! Compact bytes of a histogram, for storage: a few bytes for each bucket that has values.

use crate::{HIGHEST_SCHEMA, Histogram, LOWEST_SCHEMA, MAX_BUCKETS};
use thiserror::Error;

/// First byte of the format.
const VERSION: u8 = 1;

/// Bytes that are no histogram.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end too early.
    #[error("the histogram is cut off")]
    Truncated,
    /// A later version wrote them.
    #[error("the histogram has the unknown format {0}")]
    Version(u8),
    /// A figure is impossible, so the bytes are damaged.
    #[error("the histogram is damaged: its {0} is impossible")]
    Impossible(&'static str),
}

impl Histogram {
    /// Bytes of the histogram: version, schema, zeros, sum, minimum, maximum, first bucket, number of buckets, counts.
    /// Integers are in LEB128.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION, self.schema as u8];
        put(&mut out, self.zeros);
        for number in [self.sum, self.min, self.max] {
            out.extend(number.to_le_bytes());
        }
        put(&mut out, zigzag(self.first));
        put(&mut out, self.buckets.len() as u64);
        for count in &self.buckets {
            put(&mut out, *count);
        }
        out
    }

    /// Reads [`encode`](Self::encode)d bytes.
    ///
    /// # Errors
    /// [`DecodeError`] if they are incomplete, of another version, or damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Input(bytes);
        match input.byte()? {
            VERSION => {}
            other => return Err(DecodeError::Version(other)),
        }
        let schema = input.byte()? as i8;
        if !(LOWEST_SCHEMA..=HIGHEST_SCHEMA).contains(&schema) {
            return Err(DecodeError::Impossible("schema"));
        }
        let zeros = input.integer()?;
        let (sum, min, max) = (input.number()?, input.number()?, input.number()?);
        let first = unzigzag(input.integer()?).ok_or(DecodeError::Impossible("first bucket"))?;
        let length = usize::try_from(input.integer()?).unwrap_or(usize::MAX);
        if length > MAX_BUCKETS {
            return Err(DecodeError::Impossible("number of buckets"));
        }
        let buckets = (0..length).map(|_| input.integer()).collect::<Result<Vec<_>, _>>()?;
        if !input.0.is_empty() {
            return Err(DecodeError::Impossible("length"));
        }
        // Bounds of all buckets are numbers, and so are those of the next ones.
        let most = 1_100 << schema.max(0);
        if !(-most..=most).contains(&first) {
            return Err(DecodeError::Impossible("first bucket"));
        }
        let decoded = Self { schema, zeros, first, buckets, sum, min, max };
        let fits = match decoded.is_empty() {
            true => sum == 0.0 && min == f64::INFINITY && max == 0.0,
            false => sum >= 0.0 && 0.0 <= min && min <= max && max.is_finite(),
        };
        if fits { Ok(decoded) } else { Err(DecodeError::Impossible("range")) }
    }
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.0.split_first().ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<f64, DecodeError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(f64::from_le_bytes(*bytes))
    }

    fn integer(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit only.
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Impossible("integer"))
    }
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn zigzag(value: i32) -> u64 {
    u64::from(((value << 1) ^ (value >> 31)) as u32)
}

fn unzigzag(value: u64) -> Option<i32> {
    let value = u32::try_from(value).ok()?;
    Some((value >> 1) as i32 ^ -((value & 1) as i32))
}
