//! Options of a text source, which replace detection: format, time zone, order of dates, meaning of times.

use crate::format::Format;
use crate::zone::Zone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the text of a source is read. Absent options are detected.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TextOptions {
    /// File format.
    pub format: Option<Format>,
    /// Time zone of times without one.
    pub time_zone: Option<Zone>,
    /// Order of day, month and year in dates like `03/04/2024` and `24/04/03`.
    pub date_order: Option<DateOrder>,
    /// Which moment of a bar its time is.
    pub bar_time: Option<BarTime>,
}

/// Whether `03/04/2024` is in April or in March, and whether `24/04/03` begins with a year.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// 03/04/2024 is 3 April
    #[default]
    #[schemars(title = "Day first")]
    DayFirst,
    /// 03/04/2024 is 4 March
    #[schemars(title = "Month first")]
    MonthFirst,
    /// 24/04/03 is 3 April 2024
    #[schemars(title = "Two-digit year first")]
    YearFirst,
}

impl DateOrder {
    /// Name in parameters.
    pub fn as_str(self) -> &'static str {
        match self {
            DateOrder::DayFirst => "day_first",
            DateOrder::MonthFirst => "month_first",
            DateOrder::YearFirst => "year_first",
        }
    }
}

/// Moment of a bar that its time names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BarTime {
    /// Times are the start of their bars
    #[default]
    #[schemars(title = "Start")]
    Start,
    /// Times are the end of their bars
    #[schemars(title = "End")]
    End,
}

impl BarTime {
    /// Name in parameters.
    pub fn as_str(self) -> &'static str {
        match self {
            BarTime::Start => "start",
            BarTime::End => "end",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_option_is_its_wire_name() {
        for order in [DateOrder::DayFirst, DateOrder::MonthFirst, DateOrder::YearFirst] {
            assert_eq!(serde_json::to_value(order).unwrap(), order.as_str());
        }
        for moment in [BarTime::Start, BarTime::End] {
            assert_eq!(serde_json::to_value(moment).unwrap(), moment.as_str());
        }
    }
}
