//! Time of a bar, from one or two columns, in the source's time zone if a row has none.

mod text;

pub(super) use text::{Moment, clock, parse};

use crate::options::{BarTime, DateOrder};
use crate::validate::{Reason, Reject};
use crate::zone::{LocalMoments, Zone};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use market_data::wording::excerpt;
use market_data::{Timeframe, start_of, trading_day};
use protocol::Time;

/// UTC seconds of the day at which New York opens, in summer and winter. Some vendors stamp daily bars with it. Other
/// times of day are taken as the midnight of an exchange.
const NEW_YORK_OPENS: [i64; 2] = [48_600, 52_200];

/// Reads the times of a source, row by row.
#[derive(Clone, Debug)]
pub(super) struct TimeReader {
    pub(super) timeframe: Timeframe,
    pub(super) order: DateOrder,
    /// Time zone of times without one.
    pub(super) zone: Option<Zone>,
    /// Which moment of a bar its time is.
    pub(super) bar_time: BarTime,
    /// Whether the newest bar comes first.
    pub(super) newest_first: bool,
    /// Advice on the time zone of times without one.
    pub(super) zone_advice: &'static str,
    /// Time of the previous row, to resolve local times that occur twice.
    pub(super) last: Option<Timestamp>,
}

impl TimeReader {
    /// Time in one column.
    ///
    /// # Errors
    /// `no_zone` if only the zone is missing, otherwise `bad_time`.
    pub(super) fn read(&mut self, text: &str) -> Result<Time, Reject> {
        let moment = parse(text, self.order).ok_or_else(|| bad(text, not_a_time(text)))?;
        self.place(moment, text)
    }

    /// Time in two columns: a date and a time of day.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn read_pair(&mut self, day: &str, time: &str) -> Result<Time, Reject> {
        let both = || format!("{} {}", day.trim(), time.trim());
        let Some(Moment::Day(day)) = parse(day, self.order) else {
            return Err(bad(&both(), "is not a date and time"));
        };
        let Some(clock) = clock(time) else { return Err(bad(&both(), "is not a date and time")) };
        self.place(Moment::Wall(day.to_datetime(clock)), &both())
    }

    fn place(&mut self, moment: Moment, text: &str) -> Result<Time, Reject> {
        if self.timeframe == Timeframe::D1 {
            return Ok(self.trading_day(moment));
        }
        let timestamp = match moment {
            Moment::At(timestamp, _) => timestamp,
            Moment::Wall(shown) => {
                let Some(zone) = &self.zone else {
                    let advice = self.zone_advice;
                    return Err(Reject::new(
                        Reason::NoZone,
                        format!("'{}' has no time zone; {advice}", excerpt(text, 40)),
                    ));
                };
                match zone.meant(shown) {
                    LocalMoments::One(timestamp) => timestamp,
                    LocalMoments::Twice(first, second) => self.of_two(first, second),
                    LocalMoments::Never => {
                        let text = excerpt(text, 40);
                        return Err(Reject::new(
                            Reason::SkippedHour,
                            format!("'{text}' does not exist in {zone}: clocks skip this hour"),
                        ));
                    }
                }
            }
            Moment::Day(_) => {
                return Err(bad(text, &format!("is a date; {} bars need a time of day", self.timeframe)));
            }
        };
        let before = self.last.replace(timestamp);
        let start = match self.bar_time {
            BarTime::Start => timestamp,
            BarTime::End => self.start_of_bar(timestamp, before),
        };
        Ok(Time::from_micros(start.as_microsecond()))
    }

    /// Trading day of a daily bar: the written date, whatever its zone. A UTC or Unix time belongs to the day in the
    /// source's zone, unless it is midnight UTC, which is a date too.
    fn trading_day(&self, moment: Moment) -> Time {
        let ends = self.bar_time == BarTime::End;
        let moment = match moment {
            Moment::Day(day) => return start_of(day),
            Moment::Wall(shown) | Moment::At(_, Some(shown)) => {
                return start_of(if ends { just_before(shown).date() } else { shown.date() });
            }
            Moment::At(moment, None) => moment,
        };
        let second = moment.as_second().rem_euclid(86_400);
        let (last, first) = match ends {
            true => (moment - SignedDuration::from_nanos(1), moment - SignedDuration::from_hours(24)),
            false => (moment, moment),
        };
        match &self.zone {
            _ if second == 0 || NEW_YORK_OPENS.contains(&second) => start_of(Zone::utc().day(last)),
            Some(zone) => start_of(zone.day(last)),
            None => trading_day(Time::from_micros(first.as_microsecond())),
        }
    }

    /// Start of a bar from its end. The last bar of a session may be shorter than the others, so it does not begin
    /// before the end of the previous one.
    fn start_of_bar(&self, end: Timestamp, before: Option<Timestamp>) -> Timestamp {
        let start = end - SignedDuration::from_mins(self.timeframe.minutes());
        match before {
            Some(before) if !self.newest_first && (start..end).contains(&before) => before,
            _ => start,
        }
    }

    /// Resolves an ambiguous local time: the one that continues from the previous row.
    fn of_two(&self, first: Timestamp, second: Timestamp) -> Timestamp {
        match self.last {
            Some(last) if self.newest_first => {
                if last > second {
                    second
                } else {
                    first
                }
            }
            None if self.newest_first => second,
            Some(last) if last >= first => second,
            _ => first,
        }
    }
}

/// Moment before an end, which is in the bar.
fn just_before(end: DateTime) -> DateTime {
    end.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(end)
}

/// Why a text is not a time.
pub(super) fn not_a_time(text: &str) -> &'static str {
    // Days since 1900 in this century and the last; those of some spreadsheets count from 1904.
    match text.trim().parse::<f64>() {
        Ok(days) if (20_000.0..80_000.0).contains(&days) => {
            "is not a time but a spreadsheet's number of days: format the column as date and time"
        }
        Ok(number) if number > 1e8 && text.contains(['e', 'E']) => {
            "is not a time but a number that a spreadsheet has rounded: export the original data again, without the spreadsheet"
        }
        _ => "is not a time",
    }
}

fn bad(text: &str, how: &str) -> Reject {
    Reject::new(Reason::BadTime, format!("'{}' {how}", excerpt(text, 40)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at;

    fn reader(timeframe: Timeframe, zone: Option<&str>) -> TimeReader {
        let zone = zone.map(|zone| Zone::parse(zone).unwrap());
        TimeReader {
            timeframe,
            order: DateOrder::DayFirst,
            zone,
            bar_time: BarTime::Start,
            newest_first: false,
            zone_advice: "choose a time zone",
            last: None,
        }
    }

    fn hourly(text: &str) -> Result<Time, &'static str> {
        reader(Timeframe::H1, None).read(text).map_err(|r| r.reason.as_str())
    }

    #[test]
    fn a_time_without_a_zone_is_distinguished_from_an_invalid_time() {
        assert_eq!(hourly("2013-12-31 00:30:00"), Err("no_zone"));
        assert_eq!(hourly("2013-12-31T00:30"), Err("no_zone"));
        assert_eq!(hourly("2013-12-31"), Err("bad_time"), "an hour needs a time of day");
        assert_eq!(hourly("never"), Err("bad_time"));
        let error = reader(Timeframe::D1, None).read("45365").unwrap_err().text;
        assert!(error.contains("format the column as date"), "{error}");
        assert_eq!(hourly("2013-12-31T00:30Z"), Ok(at("2013-12-31T00:30:00Z")));
    }

    #[test]
    fn a_chosen_zone_applies_only_to_times_without_one() {
        let mut new_york = reader(Timeframe::M30, Some("America/New_York"));
        assert_eq!(new_york.read("2024-03-08 09:30:00").unwrap(), at("2024-03-08T14:30:00Z"));
        assert_eq!(new_york.read("2024-03-11 09:30:00").unwrap(), at("2024-03-11T13:30:00Z"));
        assert_eq!(new_york.read("2024-03-11 09:30:00Z").unwrap(), at("2024-03-11T09:30:00Z"));
        assert_eq!(new_york.read_pair("2024.03.11", "09:30").unwrap(), at("2024-03-11T13:30:00Z"));
        let skipped = new_york.read("2024-03-10 02:30:00").unwrap_err();
        assert!(
            skipped.reason == Reason::SkippedHour && skipped.text.contains("clocks skip"),
            "{}",
            skipped.text
        );
    }

    #[test]
    fn a_repeated_hour_is_two_different_hours() {
        let texts = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"];
        let utc = ["04:30", "05:00", "05:30", "06:00", "06:30", "07:00"];
        let mut new_york = reader(Timeframe::M30, Some("America/New_York"));
        for (text, utc) in texts.iter().zip(utc) {
            let read = new_york.read_pair("2024-11-03", text).unwrap();
            assert_eq!(read, at(&format!("2024-11-03T{utc}:00Z")));
        }
        let mut backwards = TimeReader { newest_first: true, last: None, ..new_york };
        for (text, utc) in texts.iter().zip(utc).rev() {
            let read = backwards.read_pair("2024-11-03", text).unwrap();
            assert_eq!(read, at(&format!("2024-11-03T{utc}:00Z")));
        }
    }

    #[test]
    fn a_daily_bar_belongs_to_the_written_day() {
        let day = at("2024-01-02T00:00:00Z");
        for text in [
            "2024-01-02",
            "2024-01-02 00:00:00",
            "2024-01-02 00:00:00+09:00",
            "2024-01-02 16:00:00-05:00",
            "2024-01-02T00:00:00-05:00",
        ] {
            assert_eq!(reader(Timeframe::D1, None).read(text).unwrap(), day, "{text}");
        }
        let mut tokyo = reader(Timeframe::D1, Some("Asia/Tokyo"));
        assert_eq!(tokyo.read("2024-01-01T15:00:00Z").unwrap(), day);
        assert_eq!(tokyo.read("1704121200").unwrap(), day);
        assert_eq!(tokyo.read("2024-01-02").unwrap(), day);
        let mut new_york = reader(Timeframe::D1, Some("America/New_York"));
        assert_eq!(new_york.read("2024-01-02T00:00:00Z").unwrap(), day, "a day written as a moment");
        assert_eq!(new_york.read("1704153600").unwrap(), day);
        assert_eq!(new_york.read("1704205800").unwrap(), day, "the first moment of the session");
    }
}
