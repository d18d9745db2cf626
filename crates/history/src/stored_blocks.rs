//! Blocks in the database, by source, tier and start.

use crate::block::Block;
use crate::error::HistoryError;
use crate::tier::Tier;
use rusqlite::{OptionalExtension, Transaction, params};

/// Block of a source; an empty one if there is none, or if it is damaged.
pub(crate) fn load(
    transaction: &Transaction<'_>,
    source: u32,
    tier: Tier,
    start: i64,
) -> Result<Block, HistoryError> {
    let data: Option<Vec<u8>> = transaction
        .prepare_cached("SELECT data FROM blocks WHERE source = ?1 AND tier = ?2 AND start = ?3")?
        .query_row(params![source, tier.number(), start], |row| row.get(0))
        .optional()?;
    let empty = || Block::new(tier.slots());
    Ok(data.map_or_else(empty, |data| {
        Block::decode(&data, |_| true).unwrap_or_else(|error| {
            tracing::warn!(source, ?tier, start, %error, "replacing a corrupt block of the metrics history");
            empty()
        })
    }))
}

/// Writes a block of a source.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    source: u32,
    tier: Tier,
    start: i64,
    block: &Block,
) -> Result<(), HistoryError> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO blocks (source, tier, start, data) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![source, tier.number(), start, block.encode()])?;
    Ok(())
}
