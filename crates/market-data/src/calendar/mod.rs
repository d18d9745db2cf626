//! Gap detection against the symbol's own trading calendar, inferred from its bars.
//!
//! No external source says when a symbol trades, so the calendar is learned from the bars, in slots of one minute.
//!
//! **Clocks.** A market follows its local time. The bars are evaluated in UTC and in UTC with the DST of North America,
//! Europe, Australia and New Zealand. The clock with the most regular bars wins: fewest isolated missing bars and
//! fewest bars at unusual times. UTC wins ties. See [`clock`].
//!
//! **Usual slots.** With five or more weeks of data, a slot is a minute of the week ("Tuesday 14:30"). It is expected
//! in a week if at least 60 % of the nearest traded weeks have it (the week itself, the four before and the four
//! after), and if it was seen on both sides. So a session that moves, or is extended for good, causes no false gaps. At
//! an end of the data another day of the same week must have it. Weeks without bars don't vote, so a lost month is
//! found. See [`slots`]. With less data days vote on days; see [`days`].
//!
//! **Random minutes.** A thin symbol has bars at random minutes. A part of the day is random if a bar there has less
//! than a 90 % chance of a bar at the same minute of another week; no bar is expected in it. If most bars are in such
//! parts, neither gaps nor completeness are reported.
//!
//! **Too little data.** If a pause within a day can't be compared with another day, or missing bars are scattered over
//! a few days, neither gaps nor completeness are reported.
//!
//! **Sessions and closed days.** A session starts with an expected slot after a pause of more than four hours (or two
//! bars); for daily bars each day is a session. One or two consecutive sessions without bars count as a holiday and are
//! reported separately; three or more are a gap. If bars are also missing right before or after the empty sessions, the
//! whole period is a gap, unless the same happened within four days of that date in another year, e.g. an early close
//! before Christmas. A missing part of a session is always a gap, even if the market closed early. A symbol that trades
//! on all seven weekdays has no holidays. See [`sessions`].
//!
//! **Completeness** is bars / (bars + missing bars).

mod clock;
mod days;
mod sessions;
mod slots;

use crate::bars::Timeframe;
use clock::Clock;
use days::Days;
use protocol::Time;
use protocol::results::Gap;
use sessions::Sessions;
use slots::{MINUTE, Weeks};

/// With a few days of data, gaps in more than one of this many bars mean an illiquid symbol.
const SCATTERED: u64 = 20;

/// Minute with an expected or present bar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seen {
    /// Minutes since 1970, in the clock of the reporter.
    minute: i64,
    present: bool,
    /// Whether a bar is expected.
    usual: bool,
    /// Bars come at random around it, so none is expected.
    random: bool,
    /// Whether its week or day has bars.
    traded: bool,
    /// Multiplier: 1, or more in a long run of empty weeks.
    bars: u64,
}

/// Missing bars of a data set.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Findings {
    /// Sorted by time.
    pub gaps: Vec<Gap>,
    /// Number of missing bars in all gaps.
    pub missing: u64,
    /// First slot of each session without bars that counts as a holiday.
    pub closed: Vec<Time>,
    /// Too little data to detect gaps, or bars at random; the lists are empty.
    pub too_little: bool,
}

/// Learns when a symbol trades. Needs 1.3 kB per week with bars, regardless of their number.
#[derive(Default)]
pub struct Calendar {
    weeks: Weeks,
    bars: u64,
}

impl Calendar {
    /// Records a bar. Times can come in any order.
    pub fn note(&mut self, time: Time) {
        self.weeks.note(time.micros().div_euclid(MINUTE));
        self.bars += 1;
    }

    /// Missing bars between the first and last bar. Calls `check` often, to allow cancellation.
    ///
    /// # Errors
    /// The error of `check`.
    pub fn findings<E>(
        &self,
        timeframe: Timeframe,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<Findings, E> {
        let Some(span) = self.weeks.span() else { return Ok(Findings::default()) };
        // A daily bar belongs to a day in any clock.
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

    /// Missing bars in a clock, and its misfit: bars at unusual times plus isolated missing bars. Fully missing
    /// sessions say nothing about a clock.
    fn findings_by<E>(
        &self,
        clock: &Clock,
        timeframe: Timeframe,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<(u64, Findings), E> {
        let moved = (!clock.is_utc()).then(|| self.weeks.by(clock));
        let weeks = moved.as_ref().unwrap_or(&self.weeks);
        let mut sessions = Sessions::new(timeframe, self.weeks.trades_every_day());
        let (mut misfits, mut random) = (0, 0);
        let mut visit = |seen: Seen| {
            misfits += u64::from(seen.traded && seen.present != seen.usual);
            random += u64::from(seen.random && seen.present);
            // Local times that the clock skips are never missing.
            if let Some(minute) = clock.utc(seen.minute) {
                sessions.slot(Seen { minute, ..seen });
            }
        };
        if weeks.are_enough() {
            weeks.each_by_week(timeframe.minutes(), &mut check, &mut visit)?;
            if random * 2 > self.bars {
                return Ok((misfits, Findings { too_little: true, ..Findings::default() }));
            }
            return Ok((misfits, sessions.findings()));
        }
        let Some(days) = Days::of(weeks) else { return Ok((0, Findings::default())) };
        days.each(&mut check, &mut visit)?;
        let found = sessions.findings();
        let scattered = found.gaps.len() as u64 * SCATTERED > self.bars && found.gaps.len() > 2;
        let is_irregular = timeframe != Timeframe::D1 && days.has_unreported_pause(timeframe.minutes());
        if scattered || is_irregular {
            return Ok((misfits, Findings { too_little: true, ..Findings::default() }));
        }
        Ok((misfits, found))
    }

    /// Present bars as a share of expected bars, 0 to 1; `None` with too little data.
    pub fn completeness(&self, findings: &Findings) -> Option<f64> {
        match self.bars + findings.missing {
            _ if findings.too_little => None,
            0 => Some(1.0),
            expected => Some(self.bars as f64 / expected as f64),
        }
    }
}

#[cfg(test)]
mod tests;
