//! Roll-up from tier to tier. Doing it twice changes nothing.

use crate::block::Block;
use crate::error::HistoryError;
use crate::scale::Scale;
use crate::stored_blocks::{load, save};
use crate::tier::Tier;
use rusqlite::Transaction;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Columns of a metric in the upper tiers.
const FIGURES: u32 = 4;
const COUNT: u32 = 0;
const MIN: u32 = 1;
const MAX: u32 = 2;
const MEAN: u32 = 3;

/// Figures of a slot of a metric. The sum is mean times count.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Figures {
    pub count: u64,
    pub min: f64,
    pub max: f64,
    pub mean: f64,
}

impl Figures {
    pub fn of_value(value: f64) -> Self {
        Self { count: 1, min: value, max: value, mean: value }
    }

    pub fn merge(self, other: Self) -> Self {
        let count = self.count + other.count;
        let sum = self.mean * self.count as f64 + other.mean * other.count as f64;
        Self {
            count,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            mean: sum / count.max(1) as f64,
        }
    }

    /// Figures of a slot in a block of a tier.
    pub fn of_slot(block: &Block, tier: Tier, metric: u32, slot: usize, scale: Scale) -> Option<Self> {
        if tier == Tier::Second {
            return block.get(metric, slot).map(|code| Self::of_value(scale.decode(code)));
        }
        let figure = |figure| block.get(metric * FIGURES + figure, slot);
        let value = |code| scale.decode(code);
        let count = u64::try_from(figure(COUNT)?).ok()?;
        Some(Self { count, min: value(figure(MIN)?), max: value(figure(MAX)?), mean: value(figure(MEAN)?) })
    }

    fn write(self, block: &mut Block, metric: u32, slot: usize, scale: Scale) {
        let values = [scale.encode(self.min), scale.encode(self.max), scale.encode(self.mean)];
        let [Some(min), Some(max), Some(mean)] = values else { return };
        for (figure, value) in [(COUNT, self.count as i64), (MIN, min), (MAX, max), (MEAN, mean)] {
            block.set(metric * FIGURES + figure, slot, value);
        }
    }
}

/// Number of the metric of a column in a block of a tier.
pub(crate) fn metric_of(column: u32, tier: Tier) -> u32 {
    if tier == Tier::Second { column } else { column / FIGURES }
}

/// Computes the slots of the upper tiers for these minutes again, from the tier below.
pub(crate) fn roll_up(
    transaction: &Transaction<'_>,
    source: u32,
    minutes: &BTreeSet<i64>,
    scales: &HashMap<u32, Scale>,
) -> Result<(), HistoryError> {
    let mut hours: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for minute in minutes {
        hours.entry(Tier::Minute.block_of(*minute)).or_default().push(*minute);
    }
    for (hour, minutes) in hours {
        let mut of_hour = load(transaction, source, Tier::Minute, hour)?;
        for minute in minutes {
            let samples = load(transaction, source, Tier::Second, minute)?;
            put_slot(&samples, Tier::Second, &mut of_hour, Tier::Minute.slot_of(minute), scales);
        }
        save(transaction, source, Tier::Minute, hour, &of_hour)?;
        let day = Tier::Hour.block_of(hour);
        let mut of_day = load(transaction, source, Tier::Hour, day)?;
        put_slot(&of_hour, Tier::Minute, &mut of_day, Tier::Hour.slot_of(hour), scales);
        save(transaction, source, Tier::Hour, day, &of_day)?;
    }
    Ok(())
}

/// Makes one slot of all slots of the tier below.
fn put_slot(from: &Block, tier: Tier, to: &mut Block, slot: usize, scales: &HashMap<u32, Scale>) {
    let metrics: BTreeSet<u32> = from.columns.keys().map(|column| metric_of(*column, tier)).collect();
    for metric in metrics {
        let Some(scale) = scales.get(&metric).copied() else { continue };
        let all = (0..from.slots).filter_map(|slot| Figures::of_slot(from, tier, metric, slot, scale));
        if let Some(figures) = all.reduce(Figures::merge) {
            figures.write(to, metric, slot, scale);
        }
    }
}
