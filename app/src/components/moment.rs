//! Times: relative or as clock time, with the exact time as tooltip, in the chosen zone.

use crate::live::Live;
use crate::reactive::text;
use crate::zone::Zones;
use display::format;
use display::zone::Zone;
use leptos::prelude::*;
use protocol::Time;

/// `2 m ago`, updated by the page's clock.
#[component]
pub fn Ago(at: Time) -> impl IntoView {
    let (clock, zone) = (Live::here().clock(), Zones::here());
    view! {
        <time datetime=at.to_string() title=text(move || zone.get().moment(at))>
            {text(move || format::ago(clock.get().seconds_since(at)))}
        </time>
    }
    .into_any()
}

/// `10:41:07 UTC`, with the date unless it is today. The tooltip always has the date.
#[component]
pub fn Clock(at: Time) -> impl IntoView {
    let (clock, zone) = (Live::here().clock(), Zones::here());
    // Evaluated every second, changes once a day.
    let today = Memo::new(move |_| zone.get().day(clock.get()));
    view! {
        <time datetime=at.to_string() title=text(move || zone.get().moment(at))>
            {text(move || zone.get().clock_or_moment(at, &today.read()))}
        </time>
    }
    .into_any()
}

/// Displayed time zone, and the button that changes it.
#[component]
pub fn ZoneSwitch() -> impl IntoView {
    let (zone, seeded_at) = (Zones::here(), Live::here().seeded_at());
    let name = move || zone.get().name(seeded_at.get());
    let other = move || match zone.get() {
        Zone::Utc => "Switch to local time",
        _ => "Switch to UTC",
    };
    view! {
        <button
            type="button"
            class="quiet zone only-script"
            aria-label=text(move || format!("Times in {}. {}", name(), other()))
            title=text(move || format!("Times in {}. {}", name(), other()))
            on:click=move |_| zone.turn()
        >
            {text(name)}
        </button>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_clock_names_its_day_from_the_next_midnight_on() {
        let owner = Owner::new();
        owner.set();
        let live = Live::default();
        provide_context(live.clone());
        provide_context(Zones::new());
        let time = |text: &str| Time::parse(text).unwrap();
        let at = time("2026-11-23T23:10:07Z");
        let told = |now: &str| {
            live.tick(Some(time(now)), None, None);
            view! { <Clock at/> }.into_any().to_html()
        };
        assert!(told("2026-11-23T23:59:59Z").contains(">23:10:07 UTC<"));
        assert!(told("2026-11-24T00:00:00Z").contains(">2026-11-23 23:10:07 UTC<"));
    }
}
