//! What is missing: gaps against the symbol's own trading calendar, as the data itself shows it.
//!
//! Nothing outside says when a symbol trades, so the calendar is learnt from its bars, in slots of a minute.
//!
//! **Usual slots.** With five weeks of data or more, a slot is a minute of the week ("Tuesday 14:30 UTC"). In
//! each week it is expected when at least 60 % of the nearest traded weeks have it, this one, the four before and
//! the four after, and when it was seen on both sides, so that neither a session that moves with daylight saving
//! nor one that is extended for good makes gaps that nobody lost. The price is that around such a change two
//! weeks expect a little less. Weeks without any bar don't vote: a lost month is found. With less data there is
//! no week to compare with: a slot is then a minute of the trading day, expected on each weekday that traded at
//! all. The trading day begins in the longest quiet stretch of the day, so that a session over midnight stays
//! whole. See [`slots`].
//!
//! **Sessions and closed days.** Expected slots with a pause of more than four hours (or two bars) before them
//! begin a session; for daily bars each day is one. One or two sessions in a row without any bar are taken for a
//! holiday, are no gap and are told apart; three and more in a row are a gap. A holiday begins and ends with a
//! session: where bars are missing right before or after the silent sessions as well, the whole stretch is a gap,
//! unless the same was seen within four days of that date in another year, as with a market that closes early
//! before Christmas. A part of a session is always a gap, also where a market closed early. A symbol that trades
//! on all seven days of the week has no holidays. See [`sessions`].
//!
//! **Completeness** is bars / (bars + missing bars).

mod sessions;
mod slots;

use super::bars::Timeframe;
use protocol::Time;
use protocol::results::Gap;
use slots::{MINUTE, Weeks};

/// What was found missing.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Findings {
    /// In rising time.
    pub(crate) gaps: Vec<Gap>,
    /// Bars missing in all gaps.
    pub(crate) missing: u64,
    /// Whole sessions without a bar that are taken for holidays: the first slot of each.
    pub(crate) closed: Vec<Time>,
}

/// Learns when a symbol trades. Holds 1.3 kB for each week that has bars, whatever their number.
#[derive(Default)]
pub(crate) struct Calendar {
    weeks: Weeks,
    bars: u64,
}

impl Calendar {
    /// A bar begins at this time. Times come in any order.
    pub(crate) fn note(&mut self, time: Time) {
        self.weeks.note(time.micros().div_euclid(MINUTE));
        self.bars += 1;
    }

    /// What is missing between the first bar and the last.
    pub(crate) fn findings(&self, timeframe: Timeframe) -> Findings {
        let mut sessions = sessions::Sessions::new(timeframe, self.weeks.trades_every_day());
        self.weeks.each_slot(|slot| sessions.slot(slot));
        sessions.findings()
    }

    /// Bars there as a share of bars expected, 0 to 1.
    pub(crate) fn completeness(&self, findings: &Findings) -> f64 {
        match self.bars + findings.missing {
            0 => 1.0,
            expected => self.bars as f64 / expected as f64,
        }
    }
}

#[cfg(test)]
mod tests;
