//! Tiers: how fine, how long, and how many values in a block.

/// Resolution at which values are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Tier {
    /// Samples as they came.
    Second,
    /// Count, minimum, maximum and mean of a minute.
    Minute,
    /// Same of an hour.
    Hour,
}

const DAY: i64 = 86_400;

impl Tier {
    pub const ALL: [Tier; 3] = [Tier::Second, Tier::Minute, Tier::Hour];

    /// Length of a slot in seconds.
    pub const fn slot_seconds(self) -> i64 {
        match self {
            Tier::Second => 1,
            Tier::Minute => 60,
            Tier::Hour => 3_600,
        }
    }

    /// Length of a block in seconds. Blocks begin at its multiples.
    pub const fn block_seconds(self) -> i64 {
        match self {
            Tier::Second => 60,
            Tier::Minute => 3_600,
            Tier::Hour => DAY,
        }
    }

    /// Number of slots of a block.
    pub const fn slots(self) -> usize {
        (self.block_seconds() / self.slot_seconds()) as usize
    }

    /// How long values are kept, in seconds.
    pub const fn kept_seconds(self) -> i64 {
        match self {
            Tier::Second => 2 * DAY,
            Tier::Minute => 90 * DAY,
            Tier::Hour => 731 * DAY,
        }
    }

    /// Start of the block that contains a second.
    pub(crate) fn block_of(self, second: i64) -> i64 {
        second.div_euclid(self.block_seconds()) * self.block_seconds()
    }

    /// Slot of a second in its block.
    pub(crate) fn slot_of(self, second: i64) -> usize {
        (second.rem_euclid(self.block_seconds()) / self.slot_seconds()) as usize
    }

    pub(crate) const fn number(self) -> u8 {
        match self {
            Tier::Second => 0,
            Tier::Minute => 1,
            Tier::Hour => 2,
        }
    }
}
