//! What is missing: gaps against the symbol's own trading calendar, as the data itself shows it.
//!
//! Nothing outside says when a symbol trades, so the calendar is learnt from its bars, in slots of a minute.
//!
//! **Clocks.** A market keeps its hours by the clock of its place. The bars are looked at by UTC and by UTC with the
//! summer time of North America, Europe, Australia and New Zealand, and the clock by which they are most regular is
//! taken: fewest bars missing where there are others, and fewest at unusual times; UTC where it does as well as another.
//! See [`clock`].
//!
//! **Usual slots.** With five weeks of data or more, a slot is a minute of the week ("Tuesday 14:30"). In each week it
//! is expected when at least 60 % of the nearest traded weeks have it, this one, the four before and the four after,
//! and when it was seen on both sides, so that a session that moves at a date of its own, or is extended for good,
//! makes no gaps that nobody lost. At an end of the data another day of the same week has to have it. Weeks without
//! any bar don't vote: a lost month is found. See [`slots`]. With less data days vote on days; see [`days`].
//!
//! **Too little data.** Where a pause within a day can't be held against another day, or what looks missing is
//! scattered over a few days, nothing is said: no gaps, and no completeness.
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

mod clock;
mod days;
mod sessions;
mod slots;

use super::bars::Timeframe;
use clock::Clock;
use days::Days;
use protocol::Time;
use protocol::results::Gap;
use sessions::Sessions;
use slots::{MINUTE, Weeks};

/// In data of a few days, gaps in more than one of so many bars are how a thin symbol looks.
const SCATTERED: u64 = 20;

/// A minute at which a bar is expected, or is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seen {
    /// Minutes since 1970, by the clock of who tells it.
    minute: i64,
    present: bool,
    /// A bar is expected there.
    usual: bool,
    /// Its week or day has bars.
    traded: bool,
    /// How many bars it stands for: 1, more in a stretch of empty weeks that is told in short.
    bars: u64,
}

/// What was found missing.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Findings {
    /// In rising time.
    pub(crate) gaps: Vec<Gap>,
    /// Bars missing in all gaps.
    pub(crate) missing: u64,
    /// Whole sessions without a bar that are taken for holidays: the first slot of each.
    pub(crate) closed: Vec<Time>,
    /// There is too little data to say what is missing: nothing is listed.
    pub(crate) too_little: bool,
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

    /// What is missing between the first bar and the last. `check` is asked often whether to go on.
    ///
    /// # Errors
    /// What `check` fails with.
    pub(crate) fn findings<E>(
        &self,
        timeframe: Timeframe,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<Findings, E> {
        let Some(span) = self.weeks.span() else { return Ok(Findings::default()) };
        // A daily bar belongs to a day, whatever the clock.
        let clocks =
            if timeframe == Timeframe::D1 { vec![Clock::default()] } else { Clock::candidates(span) };
        let mut best: Option<(u64, Findings)> = None;
        for clock in clocks {
            let (cost, found) = self.findings_by(&clock, timeframe, &mut check)?;
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, found));
            }
            if cost == 0 {
                break;
            }
        }
        Ok(best.map(|(_, found)| found).unwrap_or_default())
    }

    /// What is missing by a clock, and how badly the clock fits: bars at unusual times, and missing ones between others.
    /// What is missing as a whole says nothing of a clock.
    fn findings_by<E>(
        &self,
        clock: &Clock,
        timeframe: Timeframe,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<(u64, Findings), E> {
        let moved = (!clock.is_utc()).then(|| self.weeks.by(clock));
        let weeks = moved.as_ref().unwrap_or(&self.weeks);
        let mut sessions = Sessions::new(timeframe, self.weeks.trades_every_day());
        let mut misfits = 0;
        let mut tell = |seen: Seen| {
            misfits += u64::from(seen.traded && seen.present != seen.usual);
            // What the clock skips is never missing.
            if let Some(minute) = clock.utc(seen.minute) {
                sessions.slot(Seen { minute, ..seen });
            }
        };
        if weeks.are_enough() {
            weeks.each_by_week(&mut check, &mut tell)?;
            return Ok((misfits, sessions.findings()));
        }
        let Some(days) = Days::of(weeks) else { return Ok((0, Findings::default())) };
        days.each(&mut check, &mut tell)?;
        let found = sessions.findings();
        let scattered = found.gaps.len() as u64 * SCATTERED > self.bars && found.gaps.len() > 2;
        let untold = timeframe != Timeframe::D1 && days.has_untold_pause(timeframe.minutes());
        if scattered || untold {
            return Ok((misfits, Findings { too_little: true, ..Findings::default() }));
        }
        Ok((misfits, found))
    }

    /// Bars there as a share of bars expected, 0 to 1; `None` where there is too little data to tell.
    pub(crate) fn completeness(&self, findings: &Findings) -> Option<f64> {
        match self.bars + findings.missing {
            _ if findings.too_little => None,
            0 => Some(1.0),
            expected => Some(self.bars as f64 / expected as f64),
        }
    }
}

#[cfg(test)]
mod tests;
