//! Columns by their names: which one has the time, which ones have the prices and the volume.

use super::super::SourceResult;
use super::super::columns::{Columns, TimeColumns};
use super::super::times::{Moment, clock, not_a_time, parse};
use super::header::{NameLine, Titles};
use super::names::{CLOSE, ColumnMeaning, Part, Side, unit};
use crate::options::DateOrder;
use csv::StringRecord;
use display::format::count as thousands;
use market_data::failures::failure;
use market_data::wording::excerpt;
use protocol::Failure;

const PRICES: [&str; 4] = ["open", "high", "low", "close"];
const TIME_WANTED: &str = "a time (timestamp, time, date or datetime)";
/// Maximum number of columns that a message lists.
const MAX_LISTED: usize = 12;

/// Columns with their meanings, and what is known about their text.
pub(super) struct NamedColumns<'a> {
    pub(super) titles: &'a Titles,
    pub(super) all: Vec<(usize, ColumnMeaning)>,
    /// First row, if there is one.
    pub(super) row: Option<&'a StringRecord>,
    pub(super) line: NameLine,
    pub(super) what: &'a str,
}

impl NamedColumns<'_> {
    /// Column of each value. Adds notes on choices between columns.
    ///
    /// # Errors
    /// If a value has no column, or several could have it.
    pub(super) fn columns(&self, notes: &mut Vec<String>) -> SourceResult<Columns> {
        let (prices, mut missing) = self.prices(notes)?;
        let time = self.time()?;
        let Some(time) = time.filter(|_| missing.is_empty()) else {
            if time.is_none() {
                missing.insert(0, TIME_WANTED);
            }
            return Err(self.lacking(&missing));
        };
        let (volume, second_volume) = self.volume(notes)?;
        let width = self.titles.plain.len();
        let volume_unit = volume.and_then(|at| self.titles.plain.get(at)).map_or(1.0, |name| unit(name));
        if volume_unit > 1.0 {
            notes.push(format!(
                "Volumes are multiplied by {}, the unit of their column",
                thousands(volume_unit as u64)
            ));
        }
        Ok(Columns { time, prices, nano_prices: false, volume, second_volume, volume_unit, width })
    }

    fn of(&self, wanted: ColumnMeaning) -> impl Iterator<Item = usize> {
        self.all.iter().filter(move |(_, holds)| *holds == wanted).map(|(i, _)| *i)
    }

    /// The only column with a meaning.
    fn only(&self, wanted: ColumnMeaning, name: &str) -> SourceResult<Option<usize>> {
        let mut found = self.of(wanted);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(self.twice(name)),
            (found, None) => Ok(found),
        }
    }

    /// Columns of the prices, and the names of the missing ones.
    fn prices(&self, notes: &mut Vec<String>) -> SourceResult<([usize; 4], Vec<&'static str>)> {
        let mut found = [None; 4];
        for (price, name) in PRICES.into_iter().enumerate() {
            found[price] = self.only(ColumnMeaning::Price(price), name)?;
        }
        if found[CLOSE].is_none() {
            found[CLOSE] = match self.only(ColumnMeaning::LastPrice, "price")? {
                None => self.only(ColumnMeaning::Settlement, "settle")?,
                Some(last) => {
                    if let Some(settle) = self.of(ColumnMeaning::Settlement).next() {
                        let (last, settle) = (self.titles.title(last), self.titles.title(settle));
                        notes.push(format!("The close is read from column '{last}', not from '{settle}'"));
                    }
                    Some(last)
                }
            };
        }
        if found[..CLOSE].contains(&None)
            && let Some(of_side) = self.side_prices(notes)?
        {
            return Ok((of_side, Vec::new()));
        }
        let missing = PRICES.iter().zip(found).filter(|(_, at)| at.is_none()).map(|(name, _)| *name);
        Ok((found.map(Option::unwrap_or_default), missing.collect()))
    }

    /// Bid or ask prices, if only one of these sides is complete.
    fn side_prices(&self, notes: &mut Vec<String>) -> SourceResult<Option<[usize; 4]>> {
        let of_side = |side: Side| {
            let found = [0, 1, 2, 3].map(|price| self.of(ColumnMeaning::SidePrice(side, price)).next());
            Some([found[0]?, found[1]?, found[2]?, found[3]?])
        };
        match (of_side(Side::Bid), of_side(Side::Ask)) {
            (Some(_), Some(_)) => Err(failure(
                format!(
                    "{} has bid and ask prices and no others, so its prices could be either. {}.",
                    self.what,
                    self.line.quoted()
                ),
                "Remove the bid columns or the ask columns, or export mid prices.",
            )),
            (Some(bid), None) => {
                notes.push("The prices are bid prices".to_owned());
                Ok(Some(bid))
            }
            (None, Some(ask)) => {
                notes.push("The prices are ask prices".to_owned());
                Ok(Some(ask))
            }
            (None, None) => Ok(None),
        }
    }

    /// Columns of the volume: one, or two whose sum it is.
    fn volume(&self, notes: &mut Vec<String>) -> SourceResult<(Option<usize>, Option<usize>)> {
        // `Volume BTC` counts only if no column is named `Volume`.
        let named: Vec<usize> = self.of(ColumnMeaning::Volume).collect();
        let volumes = if named.is_empty() { self.of(ColumnMeaning::OtherVolume).collect() } else { named };
        let others = self.all.iter().filter(|(_, holds)| *holds == ColumnMeaning::OtherVolume).count();
        let ticks = self.of(ColumnMeaning::TickVolume).next();
        let zero = |at: usize| {
            self.row
                .and_then(|row| row.get(at))
                .is_some_and(|text| text.trim().trim_matches(['0', '.']).is_empty())
        };
        let (up, down) = (
            self.of(ColumnMeaning::PartVolume(Part::Up)).next(),
            self.of(ColumnMeaning::PartVolume(Part::Down)).next(),
        );
        let (volume, second) = match (volumes.as_slice(), ticks, up.zip(down)) {
            ([], None, Some((up, down))) => (Some(up), Some(down)),
            // For currencies MetaTrader has tick volume only.
            ([at], Some(ticks), _) if zero(*at) => (Some(ticks), None),
            ([], ticks, _) => (ticks, None),
            ([at, ..], ..) => (Some(*at), None),
        };
        let plain = &self.titles.plain;
        if volumes.iter().skip(1).any(|at| plain[*at] == plain[volumes[0]]) {
            return Err(self.twice(&plain[volumes[0]]));
        }
        let title = |at: usize| self.titles.title(at);
        match (volume, second) {
            (None, _) => notes.push("No volume column: volume is unknown".to_owned()),
            (Some(up), Some(down)) => {
                notes.push(format!("Volume is the sum of columns '{}' and '{}'", title(up), title(down)));
            }
            (Some(at), None) if volumes.len() > 1 || others > 0 || ticks.is_some() => {
                notes.push(format!("Volume is read from column '{}'", title(at)));
            }
            (Some(_), None) => {}
        }
        Ok((volume, second))
    }

    /// Columns of the time.
    fn time(&self) -> SourceResult<Option<TimeColumns>> {
        let of = |wanted: &[ColumnMeaning]| -> Vec<usize> {
            self.all.iter().filter(|(_, holds)| wanted.contains(holds)).map(|(i, _)| *i).collect()
        };
        let text = |at: &usize| self.row.and_then(|row| row.get(*at));
        let value_at = |at: &usize| {
            let text = text(at)?;
            [DateOrder::DayFirst, DateOrder::MonthFirst, DateOrder::YearFirst]
                .into_iter()
                .find_map(|order| parse(text, order))
        };
        // A column that says to be the start comes before others, unless it is a time of day.
        if let [start] = of(&[ColumnMeaning::Start]).as_slice()
            && (self.row.is_none() || value_at(start).is_some())
        {
            return Ok(Some(TimeColumns::One(*start)));
        }
        let mut times =
            of(&[ColumnMeaning::Time, ColumnMeaning::Clock, ColumnMeaning::SinceEpoch, ColumnMeaning::Start]);
        for others in [ColumnMeaning::End, ColumnMeaning::Index] {
            if times.is_empty() {
                times = of(&[others]);
            }
        }
        match times.as_slice() {
            [] => {
                let first = self.titles.plain.first();
                let blank = first.is_some_and(|name| name.is_empty() || name.starts_with("unnamed:"));
                return Ok(blank.then_some(TimeColumns::One(0)));
            }
            [only] => return Ok(Some(TimeColumns::One(*only))),
            _ => {}
        }
        // A time with a zone needs no other column.
        if let Some(at) = times.iter().find(|at| matches!(value_at(at), Some(Moment::At(..)))) {
            return Ok(Some(TimeColumns::One(*at)));
        }
        let is_clock = |at: &usize| text(at).is_some_and(|text| clock(text).is_some() || text.trim() == "0");
        let plain = &self.titles.plain;
        let day =
            times.iter().find(|at| matches!(value_at(at), Some(Moment::Day(_))) && plain[**at] != "time");
        let clocks: Vec<usize> = times.iter().copied().filter(|at| Some(at) != day && is_clock(at)).collect();
        if let (Some(day), [clock]) = (day, clocks.as_slice()) {
            return Ok(Some(TimeColumns::Two(*day, *clock)));
        }
        // A complete date and time beside its own day, as Baostock writes it.
        let complete: Vec<_> = times
            .iter()
            .filter_map(|at| match value_at(at) {
                Some(Moment::Wall(wall)) => Some((*at, wall.date())),
                _ => None,
            })
            .collect();
        if let [(complete, date)] = complete.as_slice()
            && times.iter().all(|at| at == complete || value_at(at) == Some(Moment::Day(*date)))
        {
            return Ok(Some(TimeColumns::One(*complete)));
        }
        // Without a row the choice does not matter.
        if self.row.is_none() {
            return Ok(Some(TimeColumns::One(times[0])));
        }
        // A date such as `090124` looks like a time of day.
        let dates = of(&[ColumnMeaning::Time]);
        let is_read = |at: &usize| value_at(at).is_some() || (is_clock(at) && !dates.contains(at));
        if let Some(at) = times.iter().find(|at| !is_read(at)) {
            let (title, value) = (self.titles.title(*at), excerpt(text(at).unwrap_or_default().trim(), 40));
            return Err(failure(
                format!("{}: column '{title}' has '{value}', which {}.", self.what, not_a_time(&value)),
                "Export the data again with times like 2024-03-01T09:30:00Z, or remove this column if another column contains the time.",
            ));
        }
        let (one, other) = (self.titles.title(times[0]), self.titles.title(times[1]));
        Err(failure(
            format!("{} has two columns that could be the time, '{one}' and '{other}'.", self.what),
            "Keep only one time column, with date, time and zone: 2024-03-01T09:30:00Z.",
        ))
    }

    fn twice(&self, name: &str) -> Failure {
        failure(
            format!("{} has two columns named '{name}'. {}.", self.what, self.line.quoted()),
            "Remove or rename one of the two columns.",
        )
    }

    /// Failure of a text without a column for each of these.
    fn lacking(&self, missing: &[&str]) -> Failure {
        let listed = |recognized: bool| {
            // A separator at the end of the line is no column.
            let blank = |at: usize| self.titles.plain.iter().skip(at).all(String::is_empty);
            let of_kind = self
                .all
                .iter()
                .filter(|(at, holds)| (*holds != ColumnMeaning::Other) == recognized && !blank(*at));
            let titles: Vec<String> =
                of_kind.map(|(at, _)| format!("'{}'", self.titles.title(*at))).collect();
            match titles.len() {
                0 => "none".to_owned(),
                n if n > MAX_LISTED => {
                    format!("{} and {} more", titles[..MAX_LISTED].join(", "), n - MAX_LISTED)
                }
                _ => titles.join(", "),
            }
        };
        failure(
            format!(
                "{} has no column for {}. {}. Recognized: {}; not recognized: {}.",
                self.what,
                missing.join(", "),
                self.line.quoted(),
                listed(true),
                listed(false)
            ),
            "Name the columns timestamp, open, high, low, close and, if known, volume, in any order.",
        )
    }
}
