//! Chart of the operations that ended in each of the last 24 hours.

use app_state::Zones;
use components::reactive::text;
use display::format;
use display::zone::Zone;
use leptos::prelude::*;
use live::{base, query};
use protocol::Time;
use protocol::activity::{Activity, Ends};

const HOUR: i64 = 3_600_000_000;
/// Height of the chart, width and distance of its bars, in SVG units.
const HIGH: f64 = 48.0;
const WIDE: f64 = 8.0;
const STEP: f64 = 10.0;
/// Hours between two labels of the axis.
const LABEL_EVERY: usize = 6;

/// Operations ended in the busiest hour.
fn most(hours: &[Ends]) -> u64 {
    hours.iter().map(|hour| hour.all()).max().unwrap_or_default()
}

/// `10:00 UTC`
fn to_the_minute(at: Time, zone: Zone) -> String {
    format!("{} {}", &zone.bare_clock(at)[..5], zone.name(at))
}

/// List of the operations that ended in an hour.
fn list_of(begins: Time) -> String {
    let (since, until) = (begins.to_string(), begins.plus_micros(HOUR).to_string());
    query::url("/operations", [("ended_since", since.as_str()), ("ended_until", until.as_str())])
}

/// List of the operations that ended since a time; of a state and a kind, unless these are empty.
pub fn ended_since(since: Time, state: &str, kind: &str) -> String {
    let since = since.to_string();
    query::url("/operations", [("state", state), ("kind", kind), ("ended_since", since.as_str())])
}

/// One bar per hour, stacked: succeeded, failed (hatched), cancelled.
#[component]
pub fn Hours(activity: Activity, total: Ends) -> impl IntoView {
    let zone = Zones::here();
    let most = most(&activity.hours);
    // Avoids a division by zero.
    let scale = HIGH / most.max(1) as f64;
    let begins = |i: usize| activity.since.plus_micros(i as i64 * HOUR);
    let bars = activity.hours.iter().enumerate().map(|(i, hour)| {
        let mut at = HIGH;
        let parts = [(hour.succeeded, "succeeded"), (hour.failed, "failed"), (hour.cancelled, "cancelled")];
        let parts = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, how)| {
            // A single operation stays visible beside very many.
            let high = (n as f64 * scale).max(1.5);
            at -= high;
            view! { <rect x=i as f64 * STEP y=at width=WIDE height=high data-state=how></rect> }
        });
        view! { <g>{parts.collect_view()}</g> }
    });
    let links = activity.hours.iter().enumerate().map(|(i, hour)| {
        let (begins, ends) = (begins(i), display::activity::ends(*hour));
        let hint = text(move || {
            let hour = to_the_minute(begins, zone.get());
            format!("{hour}: {ends}. Click to show these operations")
        });
        // With keys, the list is filtered in the list: 24 more stops would be in the way.
        view! { <a href=base::url(&list_of(begins)) tabindex="-1" aria-hidden="true" title=hint></a> }
    });
    let labels = (0..activity.hours.len()).step_by(LABEL_EVERY).map(|i| {
        let begins = begins(i);
        view! { <span>{text(move || zone.get().bare_clock(begins)[..5].to_owned())}</span> }
    });
    let wording = format!(
        "Operations ended per hour in the last 24 hours: {} in total",
        display::activity::ends(total)
    );
    view! {
        <figure class="hours">
            <div class="hours-drawn">
                <svg viewBox="0 0 240 48" preserveAspectRatio="none" role="img" aria-label=wording>
                    {bars.collect_view()}
                    <line x1="0" y1="48" x2="240" y2="48"></line>
                </svg>
                <div class="hour-links">{links.collect_view()}</div>
            </div>
            <figcaption class="muted num">
                {labels.collect_view()}
                <span>{format!("Peak: {}/h", format::count(most))}</span>
            </figcaption>
        </figure>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tallest_bar_is_the_hour_with_most_ended_operations() {
        let failed = |failed| Ends { failed, succeeded: 1, ..Ends::default() };
        assert_eq!(most(&[failed(2), failed(7), failed(0)]), 8);
        assert_eq!(most(&[Ends::default(); 24]), 0);
    }

    #[test]
    fn an_hour_leads_to_what_ended_in_it() {
        let asked = app_state::address::list::Asked::read(
            list_of(Time::parse("2026-11-23T10:00:00Z").unwrap()).split_once('?').unwrap().1,
        );
        let filters: Vec<_> =
            asked.filter.words().into_iter().map(|(name, at)| format!("{name}={at}")).collect();
        assert_eq!(filters, ["ended_since=2026-11-23T10:00:00Z", "ended_until=2026-11-23T11:00:00Z"]);
    }

    #[test]
    fn a_figure_leads_to_what_it_counts() {
        let since = Time::parse("2026-11-23T10:00:00Z").unwrap();
        let asked = app_state::address::list::Asked::read(
            ended_since(since, "failed", "data.load").split_once('?').unwrap().1,
        );
        let filters: Vec<_> =
            asked.filter.words().into_iter().map(|(name, at)| format!("{name}={at}")).collect();
        assert_eq!(filters, ["state=failed", "kind=data.load", "ended_since=2026-11-23T10:00:00Z"]);
    }
}
