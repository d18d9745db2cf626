//! Signs in the first rows that tell vendors apart: what their times and volumes look like.

use super::super::columns::{Columns, TimeColumns};
use super::super::times::{Moment, clock, parse};
use super::numbers::Numbers;
use crate::options::DateOrder;
use csv::StringRecord;
use jiff::civil::{DateTime, Time as Clock, Weekday};

/// With bars in this many different hours of the day, a symbol trades around the clock.
const MANY_HOURS: u32 = 20;

/// What the times of a text need to become moments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum TimeKind {
    /// Numbers since 1970.
    SinceEpoch,
    /// Times in UTC, and say so.
    Utc,
    /// Each time has its zone.
    WithZone,
    /// Date and time of day without a zone.
    Wall,
    /// Plain dates.
    Day,
}

/// Signs in the first rows.
pub(super) struct Signs {
    pub(super) times: Option<TimeKind>,
    /// Dates look like `2024.03.01`.
    pub(super) dotted_dates: bool,
    /// Any row has a volume other than 0.
    pub(super) real_volumes: bool,
    /// Volumes have fractions, as those of crypto.
    pub(super) fractional_volumes: bool,
    pub(super) has_volume_column: bool,
    /// Bars at the weekend, or in nearly all hours of the day.
    pub(super) around_the_clock: bool,
    /// Bars between 20:00 and 04:00, when New York does not trade stocks.
    pub(super) at_night: bool,
    /// Earliest and latest time of day of times without a zone.
    pub(super) hours: Option<(Clock, Clock)>,
}

impl Signs {
    pub(super) fn of(columns: &Columns, rows: &[&StringRecord], order: DateOrder, numbers: Numbers) -> Self {
        let moments: Vec<(Moment, &str)> =
            rows.iter().filter_map(|row| moment(columns, row, order)).collect();
        let walls: Vec<DateTime> = moments
            .iter()
            .filter_map(|(moment, _)| match moment {
                Moment::Wall(shown) => Some(*shown),
                _ => None,
            })
            .collect();
        let volume = |row: &&StringRecord| numbers.parse_volume(row.get(columns.volume?)?);
        let volumes: Vec<f64> = rows.iter().filter_map(volume).collect();
        let hours = walls.iter().fold(0u32, |hours, shown| hours | 1 << shown.hour());
        let weekend = |shown: &DateTime| matches!(shown.weekday(), Weekday::Saturday | Weekday::Sunday);
        let clocks = walls.iter().map(|shown| shown.time());
        let first_date = moments.first().map_or("", |(_, text)| text);
        Self {
            times: walls.first().map(|_| TimeKind::Wall).or_else(|| moments.first().map(kind)),
            dotted_dates: first_date.trim().get(4..5) == Some("."),
            real_volumes: volumes.iter().any(|volume| *volume > 0.0),
            fractional_volumes: volumes.iter().any(|volume| volume.fract() != 0.0),
            has_volume_column: columns.volume.is_some(),
            around_the_clock: hours.count_ones() >= MANY_HOURS || walls.iter().any(weekend),
            at_night: walls.iter().any(|shown| !(4..20).contains(&shown.hour())),
            hours: clocks.clone().min().zip(clocks.max()),
        }
    }

    /// Whether the times alone say that this is no stock of New York.
    pub(super) fn trades_at_night(&self) -> bool {
        self.around_the_clock || self.at_night
    }

    /// Whether a file of Alpha Vantage has currencies or crypto, which it gives in UTC, and not stocks, which it gives
    /// with whole volumes.
    pub(super) fn no_stock_of_alpha_vantage(&self) -> bool {
        !self.has_volume_column || self.fractional_volumes || self.trades_at_night()
    }
}

fn kind((moment, text): &(Moment, &str)) -> TimeKind {
    match moment {
        Moment::Day(_) => TimeKind::Day,
        Moment::Wall(_) => TimeKind::Wall,
        Moment::At(..) if text.trim().bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            TimeKind::SinceEpoch
        }
        Moment::At(_, None) => TimeKind::Utc,
        Moment::At(_, Some(_)) => TimeKind::WithZone,
    }
}

/// Time of a row, with the text of its date.
fn moment<'a>(columns: &Columns, row: &'a StringRecord, order: DateOrder) -> Option<(Moment, &'a str)> {
    match columns.time {
        TimeColumns::One(at) => Some((parse(row.get(at)?, order)?, row.get(at)?)),
        TimeColumns::Two(day, time) => match parse(row.get(day)?, order)? {
            Moment::Day(date) => {
                Some((Moment::Wall(date.to_datetime(clock(row.get(time)?)?)), row.get(day)?))
            }
            _ => None,
        },
    }
}
