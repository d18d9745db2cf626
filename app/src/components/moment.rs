//! A moment: how long ago, and when exactly for those who point at it.

use crate::format;
use crate::live::Live;
use crate::reactive::text;
use leptos::prelude::*;
use protocol::Time;

/// `2 m ago`, ticking with the page's clock.
#[component]
pub fn Ago(at: Time) -> impl IntoView {
    let clock = Live::here().clock();
    view! {
        <time datetime=at.to_string() title=format::moment(at)>
            {text(move || format::ago(clock.get().seconds_since(at)))}
        </time>
    }
}

/// `10:41:07 UTC`, with the day for those who point at it.
#[component]
pub fn Clock(at: Time) -> impl IntoView {
    view! { <time datetime=at.to_string() title=format::moment(at)>{format::clock_utc(at)}</time> }
}
