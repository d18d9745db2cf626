//! Texts about the expected end of an operation. Pure.

use crate::format;
use crate::zone::Zone;
use protocol::{Forecast, ForecastBasis, Time};

/// Time to the end below which seconds are shown, in seconds.
const NEAR: f64 = 600.0;

/// Time of day in the future: seconds only if `precise`, the date only if it differs from today's.
fn moment(at: Time, now: Time, precise: bool, zone: Zone) -> String {
    let clock = zone.bare_clock(at);
    let clock = if precise { clock.as_str() } else { &clock[..5] };
    if zone.day(at) == zone.day(now) { clock.to_owned() } else { format!("{} {clock}", zone.day(at)) }
}

/// Time at which a forecast is judged: as long as the newest data is not from after its end, it is not overdue.
pub fn judged_at(forecast: Option<&Forecast>, now: Time, newest: Time) -> Time {
    match forecast {
        Some(forecast) if newest <= forecast.latest => now.min(forecast.latest.plus_micros(-1)),
        _ => now,
    }
}

/// Remaining time in a row: `about 40 s`. The host's own estimate stands in for a missing forecast.
pub fn left(forecast: Option<&Forecast>, eta_seconds: Option<f64>, now: Time) -> Option<String> {
    let Some(forecast) = forecast else {
        return eta_seconds.map(format::about).filter(|wording| !wording.is_empty());
    };
    let seconds = forecast.ends_at.seconds_since(now);
    Some(if seconds > 0.0 {
        format::about(seconds)
    } else if forecast.latest > now {
        "any moment".to_owned()
    } else {
        "overdue".to_owned()
    })
}

/// Remaining time in the head of a page: `about 40 s left (30 s to 55 s)`.
pub fn left_with_band(forecast: Option<&Forecast>, eta_seconds: Option<f64>, now: Time) -> Option<String> {
    let wording = left(forecast, eta_seconds, now)?;
    let Some(forecast) = forecast.filter(|f| f.ends_at > now) else {
        return Some(if wording.starts_with("about") { format!("{wording} left") } else { wording });
    };
    let band = between(forecast, now);
    Some(if band.is_empty() { format!("{wording} left") } else { format!("{wording} left ({band})") })
}

/// Range of the remaining time in a column: `30–55 s`, `1–4 m`. Both ends share a unit and are rounded outwards.
/// `None` without a forecast or with too narrow a range.
pub fn band(forecast: Option<&Forecast>, _eta_seconds: Option<f64>, now: Time) -> Option<String> {
    let forecast = forecast.filter(|f| f.ends_at > now && !between(f, now).is_empty())?;
    let [least, most] = [forecast.earliest, forecast.latest].map(|at| at.seconds_since(now).max(0.0));
    let (size, unit) = match most {
        s if s < 100.0 => (1.0, "s"),
        s if s < 100.0 * 60.0 => (60.0, "m"),
        s if s < 48.0 * 3_600.0 => (3_600.0, "h"),
        _ => (86_400.0, "d"),
    };
    Some(format!("{:.0}–{:.0} {unit}", (least / size).floor(), (most / size).ceil()))
}

fn between(forecast: &Forecast, now: Time) -> String {
    let [least, most] = [forecast.earliest, forecast.latest].map(|at| rounded(at.seconds_since(now)));
    if least == most { String::new() } else { format!("{least} to {most}") }
}

/// Duration rounded to the precision of a forecast.
fn rounded(seconds: f64) -> String {
    let wording = format::about(seconds.max(0.0));
    wording.strip_prefix("about ").unwrap_or(&wording).to_owned()
}

/// Forecast as a sentence: `ETA 14:32 UTC (14:20 to 15:05).`, then its basis and the calibration of its range.
pub fn sentence(forecast: &Forecast, now: Time, zone: Zone) -> String {
    let precise = forecast.latest.seconds_since(now) < NEAR;
    let at = |time| moment(time, now, precise, zone);
    let name = zone.name(forecast.ends_at);
    let when = if forecast.latest <= now {
        format!("Overdue: expected by {} {name} at the latest.", at(forecast.latest))
    } else {
        let (ends, from, to) = (at(forecast.ends_at), at(forecast.earliest), at(forecast.latest));
        format!("ETA {ends} {name} ({from} to {to}).")
    };
    let basis = match forecast.basis {
        ForecastBasis::Rate => "Estimated from the current rate",
        ForecastBasis::History => "Estimated from past durations",
        ForecastBasis::Both => "Estimated from the current rate and past durations",
    };
    let worth = match forecast.judged {
        0 => "Not enough history to calibrate the range yet.".to_owned(),
        1 => "The range is calibrated with 1 past forecast.".to_owned(),
        n => format!(
            "The range is an 80 % interval, calibrated with {} past forecasts.",
            format::count(u64::from(n))
        ),
    };
    format!("{when} {basis}. {worth}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse(&format!("2026-11-{text}Z")).unwrap()
    }

    fn forecast(ends: &str, earliest: &str, latest: &str) -> Forecast {
        Forecast {
            made_at: at("23T14:00:00"),
            ends_at: at(ends),
            earliest: at(earliest),
            latest: at(latest),
            basis: ForecastBasis::Both,
            judged: 12,
        }
    }

    #[test]
    fn a_forecast_takes_precedence_over_the_hosts_estimate() {
        let f = forecast("23T14:00:40", "23T14:00:30", "23T14:00:55");
        let now = at("23T14:00:00");
        assert_eq!(left(Some(&f), Some(7.0), now).unwrap(), "about 40 s");
        assert_eq!(left(None, Some(7.0), now).unwrap(), "about 7 s");
        assert_eq!(left(None, None, now), None);
        assert_eq!(left_with_band(Some(&f), None, now).unwrap(), "about 40 s left (30 s to 55 s)");
        assert_eq!(left_with_band(None, Some(7.0), now).unwrap(), "about 7 s left");
        assert_eq!(band(Some(&f), None, now).unwrap(), "30–55 s");
        assert_eq!(band(None, Some(7.0), now), None);
    }

    #[test]
    fn a_range_in_a_column_has_one_unit_and_is_never_shown_too_narrow() {
        let now = at("23T14:00:00");
        let wording = |ends, earliest, latest| band(Some(&forecast(ends, earliest, latest)), None, now);
        assert_eq!(wording("23T14:02:00", "23T14:01:10", "23T14:04:20").unwrap(), "1–5 m");
        assert_eq!(wording("23T16:00:00", "23T14:50:00", "24T01:00:00").unwrap(), "0–11 h");
        assert_eq!(wording("25T14:00:00", "24T20:00:00", "27T14:00:00").unwrap(), "1–4 d");
        assert_eq!(wording("23T14:02:00", "23T14:02:00", "23T14:02:01"), None);
    }

    #[test]
    fn an_expired_forecast_is_no_longer_shown() {
        let f = forecast("23T14:00:40", "23T14:00:30", "23T14:00:55");
        assert_eq!(left_with_band(Some(&f), None, at("23T14:00:41")).unwrap(), "any moment");
        assert_eq!(left(Some(&f), None, at("23T14:01:41")).unwrap(), "overdue");
        assert!(
            sentence(&f, at("23T14:01:41"), Zone::Utc)
                .starts_with("Overdue: expected by 14:00:55 UTC at the latest")
        );
    }

    #[test]
    fn a_forecast_is_overdue_only_after_newer_data_arrived() {
        let f = forecast("23T14:00:40", "23T14:00:30", "23T14:00:55");
        let wording = |newest| {
            let now = judged_at(Some(&f), at("23T14:00:58"), at(newest));
            (left(Some(&f), None, now).unwrap(), sentence(&f, now, Zone::Utc).starts_with("Overdue"))
        };
        assert_eq!(wording("23T14:00:55"), ("any moment".to_owned(), false));
        assert_eq!(wording("23T14:00:57"), ("overdue".to_owned(), true));
        assert_eq!(judged_at(None, at("23T14:00:58"), at("23T14:00:50")), at("23T14:00:58"));
    }

    #[test]
    fn the_sentence_names_the_expected_time_its_range_and_its_reliability() {
        let f = forecast("23T14:32:10", "23T14:20:44", "23T15:05:01");
        assert_eq!(
            sentence(&f, at("23T14:00:00"), Zone::Utc),
            "ETA 14:32 UTC (14:20 to 15:05). Estimated from the current rate and past durations. The range is an \
             80 % interval, calibrated with 12 past forecasts."
        );
        let guess = Forecast { judged: 0, basis: ForecastBasis::Rate, ..f };
        assert!(
            sentence(&guess, at("23T14:00:00"), Zone::Utc)
                .ends_with("Not enough history to calibrate the range yet.")
        );
    }

    #[test]
    fn a_near_time_has_seconds_and_a_time_on_another_day_has_its_date() {
        let near = forecast("23T14:02:10", "23T14:01:44", "23T14:03:01");
        assert!(
            sentence(&near, at("23T14:00:00"), Zone::Utc)
                .starts_with("ETA 14:02:10 UTC (14:01:44 to 14:03:01).")
        );
        let far = forecast("24T02:32:10", "23T23:20:44", "24T05:05:01");
        assert!(
            sentence(&far, at("23T14:00:00"), Zone::Utc)
                .starts_with("ETA 2026-11-24 02:32 UTC (23:20 to 2026-11-24 05:05).")
        );
    }
}
