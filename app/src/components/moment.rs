//! A moment: how long ago, and when exactly for those who point at it; in the zone that was chosen.

use crate::format;
use crate::live::Live;
use crate::reactive::text;
use crate::zone::{Zone, Zones};
use leptos::prelude::*;
use protocol::Time;

/// `2 m ago`, ticking with the page's clock.
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

/// `10:41:07 UTC`, with the day for those who point at it.
#[component]
pub fn Clock(at: Time) -> impl IntoView {
    let zone = Zones::here();
    view! {
        <time datetime=at.to_string() title=text(move || zone.get().moment(at))>
            {text(move || zone.get().clock(at))}
        </time>
    }
    .into_any()
}

/// The zone in which times are told, and the button that changes it.
#[component]
pub fn ZoneSwitch() -> impl IntoView {
    let (zone, seeded_at) = (Zones::here(), Live::here().seeded_at());
    let name = move || zone.get().name(seeded_at.get());
    let other = move || match zone.get() {
        Zone::Utc => "Show them in the zone of this browser",
        _ => "Show them in UTC",
    };
    view! {
        <button
            type="button"
            class="quiet zone only-script"
            aria-label=text(move || format!("Times are in {}. {}", name(), other()))
            title=text(move || format!("Times are in {}. {}", name(), other()))
            on:click=move |_| zone.turn()
        >
            {text(name)}
        </button>
    }
    .into_any()
}
