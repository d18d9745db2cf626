//! Points and bands as bytes: 64-bit little-endian floats.

use super::error::Result;
use crate::StoreError;
use protocol::{Band, OperationId, Point};

/// Bytes of a point: x and y.
pub(super) const POINT_BYTES: usize = 16;

/// Numbers of a band's row: x, P10, P50, P90, and the number of runs.
const BAND_NUMBERS: usize = 5;

pub(super) fn pack(points: &[Point]) -> Vec<u8> {
    points.iter().flat_map(|Point(x, y)| [x.to_le_bytes(), y.to_le_bytes()]).flatten().collect()
}

/// Points of an operation, which errors name.
pub(super) fn unpack(packed: &[u8], of: OperationId) -> Result<impl Iterator<Item = Point> + '_> {
    whole_rows(packed, POINT_BYTES, "points", of)?;
    Ok(packed.chunks_exact(POINT_BYTES).map(|pair| Point(number(pair, 0), number(pair, 1))))
}

/// Packs a band bit by bit, unlike JSON, because a rule must judge the same after a restart. Missing values are NaN.
pub(super) fn pack_band(band: &Band) -> Vec<u8> {
    let of = |column: &[Option<f64>], i: usize| column.get(i).copied().flatten().unwrap_or(f64::NAN);
    (0..band.x.len())
        .flat_map(|i| {
            let runs = f64::from(band.runs.get(i).copied().unwrap_or(0));
            [band.x[i], of(&band.p10, i), of(&band.p50, i), of(&band.p90, i), runs]
        })
        .flat_map(f64::to_le_bytes)
        .collect()
}

/// Band of an operation's rule, which errors name.
pub(super) fn unpack_band(packed: &[u8], of: OperationId) -> Result<Band> {
    whole_rows(packed, 8 * BAND_NUMBERS, "baseline", of)?;
    let mut band = Band::default();
    for row in packed.chunks_exact(8 * BAND_NUMBERS) {
        let there = |i: usize| Some(number(row, i)).filter(|n| !n.is_nan());
        band.x.push(number(row, 0));
        band.p10.push(there(1));
        band.p50.push(there(2));
        band.p90.push(there(3));
        band.runs.push(number(row, 4) as u32);
    }
    Ok(band)
}

fn whole_rows(packed: &[u8], row_bytes: usize, what: &str, of: OperationId) -> Result<()> {
    match packed.len() % row_bytes {
        0 => Ok(()),
        more => {
            let why = format!("{more} bytes are left over");
            Err(StoreError::record(format!("the {what} of operation {of}"), why).into())
        }
    }
}

fn number(row: &[u8], i: usize) -> f64 {
    f64::from_le_bytes(row[8 * i..8 * i + 8].try_into().expect("a row has eight bytes per number"))
}
