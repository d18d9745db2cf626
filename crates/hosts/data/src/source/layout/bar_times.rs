//! Whether the times of a text are the starts or the ends of its bars. A time is a start, unless the source is known to
//! write ends.

use super::super::columns::TimeColumns;
use super::guess::is_compact;
use super::header::Titles;
use super::sample::Sample;
use super::signs::Signs;
use crate::options::BarTime;
use jiff::civil::Time as Clock;
use jiff::{SignedDuration, civil};
use market_data::Timeframe;

/// Opening and closing of New York's stock exchanges.
const NEW_YORK: (Clock, Clock) = (civil::time(9, 30, 0, 0), civil::time(16, 0, 0, 0));

/// Meaning of the times of a text, for the preview and the log.
#[derive(Clone, Debug)]
pub(in super::super) struct BarTimes {
    pub(in super::super) bar_time: BarTime,
    /// Origin of the meaning: a choice, the vendor, or an assumption.
    why: String,
    /// Doubt about it, in a sentence.
    pub(super) warning: Option<String>,
}

impl BarTimes {
    /// Meaning of the times of the first rows.
    pub(super) fn of(
        chosen: Option<BarTime>,
        timeframe: Timeframe,
        sample: &Sample,
        titles: &Titles,
        time: TimeColumns,
        signs: &Signs,
    ) -> Self {
        if let Some(bar_time) = chosen {
            return Self { bar_time, why: "selected".to_owned(), warning: None };
        }
        if let Some(why) = certain_end(titles, time) {
            return Self { bar_time: BarTime::End, why, warning: None };
        }
        let likely =
            (timeframe != Timeframe::D1).then(|| probable_end(timeframe, sample, titles, time, signs));
        let warning = likely.flatten().map(|why| {
            format!(
                "The times may be the ends of the bars: {why}. The load treats them as starts; if they are ends, set bar_time to end."
            )
        });
        Self { bar_time: BarTime::Start, why: "assumed".to_owned(), warning }
    }

    /// Meaning and its origin, in words.
    pub(in super::super) fn described(&self) -> String {
        match self.bar_time {
            BarTime::Start => format!("the start of each bar ({})", self.why),
            BarTime::End => format!("the end of each bar ({})", self.why),
        }
    }
}

/// Sign that the times are certainly ends.
fn certain_end(titles: &Titles, time: TimeColumns) -> Option<String> {
    let has = |name: &str| titles.has(name);
    let all = |names: &[&str]| names.iter().all(|name| has(name));
    if titles.names_the_end() {
        let (TimeColumns::One(at) | TimeColumns::Two(_, at)) = time;
        return Some(format!("column '{}'", titles.title(at)));
    }
    // TradeStation's help: "Closing time of the bar". Its API has the ticks of each bar.
    let tradestation = all(&["up", "down"]) && matches!(time, TimeColumns::Two(..));
    if tradestation || all(&["upticks", "downticks"]) {
        return Some("TradeStation".to_owned());
    }
    all(&["homenotional", "foreignnotional"]).then(|| "BitMEX".to_owned())
}

/// Sign that the times are probably ends.
fn probable_end(
    timeframe: Timeframe,
    sample: &Sample,
    titles: &Titles,
    time: TimeColumns,
    signs: &Signs,
) -> Option<&'static str> {
    if titles.has("oi") && matches!(time, TimeColumns::Two(..)) {
        return Some("the columns are those of TradeStation and MultiCharts, which write the ends of bars");
    }
    if titles.none() && is_compact(sample, signs) && signs.real_volumes {
        return Some("the file looks like NinjaTrader's, which writes the ends of bars");
    }
    let (earliest, latest) = signs.hours?;
    let (opens, closes) = NEW_YORK;
    let first_end = opens.checked_add(SignedDuration::from_mins(timeframe.minutes())).ok()?;
    (earliest == first_end && latest == closes)
        .then_some("the times of a day begin one bar after 09:30 and end at 16:00")
}

#[cfg(test)]
mod tests;
