//! Bars and missing bars by calendar month, UTC.

use market_data::{DAY, Findings};
use protocol::Time;
use protocol::results::{Gap, MonthBars};
use std::collections::BTreeMap;

/// `2024-03`
fn month_of(time: Time) -> String {
    time.to_string()[..7].to_owned()
}

/// Start of the month after that of `time`.
fn next_month(time: Time) -> Time {
    let text = time.to_string();
    let part = |at: std::ops::Range<usize>| text[at].parse::<u32>().unwrap_or_default();
    let (year, month) = (part(0..4), part(5..7));
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    // After the last year of the calendar there is no month.
    Time::parse(&format!("{year:04}-{month:02}-01T00:00:00Z")).unwrap_or(Time::from_micros(i64::MAX))
}

/// Number of bars by month.
#[derive(Default)]
pub(super) struct Months {
    bars: BTreeMap<String, u64>,
    /// Day and number of the newest bars: most of them need no calendar.
    today: Option<(i64, Time, u64)>,
}

impl Months {
    /// Counts a bar.
    pub(super) fn note(&mut self, time: Time) {
        let day = time.micros().div_euclid(DAY);
        match &mut self.today {
            Some((today, _, bars)) if *today == day => *bars += 1,
            _ => {
                self.flush();
                self.today = Some((day, time, 1));
            }
        }
    }

    fn flush(&mut self) {
        if let Some((_, time, bars)) = self.today.take() {
            *self.bars.entry(month_of(time)).or_default() += bars;
        }
    }

    /// Months with bars or missing bars, in order; none if gaps can't be detected. A gap over the end of a month is
    /// divided by time.
    pub(super) fn listed(mut self, findings: &Findings) -> Vec<MonthBars> {
        self.flush();
        if findings.too_little {
            return Vec::new();
        }
        let mut missing: BTreeMap<String, u64> = BTreeMap::new();
        for gap in &findings.gaps {
            for (month, bars) in divided(gap) {
                *missing.entry(month).or_default() += bars;
            }
        }
        let mut months: Vec<String> = self.bars.keys().chain(missing.keys()).cloned().collect();
        months.sort();
        months.dedup();
        let of = |month: String| MonthBars {
            bars: self.bars.get(&month).copied().unwrap_or_default(),
            missing: missing.get(&month).copied().unwrap_or_default(),
            month,
        };
        months.into_iter().map(of).collect()
    }
}

/// Missing bars of a gap by month; their sum is that of the gap.
fn divided(gap: &Gap) -> Vec<(String, u64)> {
    let all = gap.to.seconds_since(gap.from);
    let mut parts = Vec::new();
    let (mut from, mut missing) = (gap.from, 0);
    loop {
        let until = next_month(from);
        if until > gap.to {
            parts.push((month_of(from), gap.bars - missing));
            return parts;
        }
        let share = until.seconds_since(gap.from) / all;
        let so_far = ((gap.bars as f64 * share).round() as u64).clamp(missing, gap.bars);
        parts.push((month_of(from), so_far - missing));
        (from, missing) = (until, so_far);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    fn gap(from: &str, to: &str, bars: u64) -> Gap {
        Gap { from: at(from), to: at(to), bars }
    }

    #[test]
    fn bars_and_gaps_are_counted_in_their_months() {
        let mut months = Months::default();
        for time in ["2023-12-31T22:00:00Z", "2023-12-31T23:00:00Z", "2024-01-01T00:00:00Z"] {
            months.note(at(time));
        }
        let gaps = vec![gap("2024-01-01T01:00:00Z", "2024-01-01T03:00:00Z", 3)];
        let listed = months.listed(&Findings { gaps, ..Findings::default() });
        let months: Vec<_> = listed.iter().map(|m| (m.month.as_str(), m.bars, m.missing)).collect();
        assert_eq!(months, [("2023-12", 2, 0), ("2024-01", 1, 3)]);
    }

    #[test]
    fn a_gap_over_several_months_loses_no_bar() {
        let parts = divided(&gap("2023-11-16T00:00:00Z", "2024-01-15T23:00:00Z", 1_463));
        assert_eq!(
            parts.iter().map(|(month, _)| month.as_str()).collect::<Vec<_>>(),
            ["2023-11", "2023-12", "2024-01"]
        );
        assert_eq!(parts.iter().map(|(_, bars)| bars).sum::<u64>(), 1_463);
        assert!(parts[1].1 > parts[0].1 && parts[1].1 > parts[2].1);
        assert_eq!(
            divided(&gap("2024-02-01T00:00:00Z", "2024-02-01T00:00:00Z", 1)),
            [("2024-02".to_owned(), 1)]
        );
    }

    #[test]
    fn no_month_is_listed_where_gaps_can_not_be_detected() {
        let mut months = Months::default();
        months.note(at("2024-01-01T00:00:00Z"));
        assert!(months.listed(&Findings { too_little: true, ..Findings::default() }).is_empty());
    }
}
