//! Connection badge: how fresh the page is.

use crate::reactive::{maybe, part, text, word};
use app_state::Zones;
use display::format;
use display::zone::Zone;
use leptos::prelude::*;
use live::connection::clock::DELAYED_AFTER;
use live::connection::state::Connectivity;
use live::{ConnectionStatus, Identity, OperationStore};
use protocol::Time;

/// Latency from which it is part of the text, milliseconds; below, it is in the tooltip.
const TELLING_LATENCY: f64 = 1_000.0;

/// Text of the badge, and the class of its mark.
fn in_words(
    connectivity: Connectivity,
    latency: Option<f64>,
    as_of: Time,
    zone: Zone,
) -> (&'static str, String) {
    let seconds = |ms: f64| format::duration((ms / 1_000.0).ceil());
    match connectivity {
        Connectivity::Idle => ("still", format!("As of {}", zone.clock(as_of))),
        Connectivity::Connecting => ("still", "Connecting…".to_owned()),
        Connectivity::Live => match latency {
            Some(ms) if ms > DELAYED_AFTER => {
                ("delayed", format!("Delayed {}", format::duration(ms / 1_000.0)))
            }
            // Less looks like a fault, and is none.
            Some(ms) if ms >= TELLING_LATENCY => ("live", format!("Live · {}", format::span(ms / 1_000.0))),
            _ => ("live", "Live".to_owned()),
        },
        Connectivity::Silent { age } => {
            ("broken", format!("No data for {}", format::duration(age / 1_000.0)))
        }
        Connectivity::Polling { .. } => match latency {
            Some(ms) if ms > DELAYED_AFTER => {
                ("polling", format!("Polling · delayed {}", format::duration(ms / 1_000.0)))
            }
            _ => ("polling", "Polling".to_owned()),
        },
        Connectivity::Reconnecting { next, age } => {
            let next = if next < 50.0 { "now".to_owned() } else { format!("in {}", seconds(next)) };
            ("broken", format!("Reconnecting {next} · data is {} old", format::duration(age / 1_000.0)))
        }
        Connectivity::Away { since, .. } => {
            ("broken", format!("Server offline since {}", zone.clock(Time::from_millis(since))))
        }
    }
}

/// The badge: live, delayed, silent, polling with the reason, reconnecting with the age of the data, or server offline
/// since a time.
#[component]
pub fn Badge() -> impl IntoView {
    let status = ConnectionStatus::here();
    let (connectivity, latency) = (status.connectivity(), status.latency());
    let as_of = OperationStore::here().seeded_at();
    let zone = Zones::here();
    let identity = Identity::here();
    let wording = Memo::new(move |_| match identity.is_signed_out() {
        true => ("broken", "Signed out".to_owned()),
        false => in_words(connectivity.get(), latency.get(), as_of.get(), zone.get()),
    });
    let tooltip = move || latency.get().map(|ms| format!("Latency of the newest event: {ms:.0} ms"));
    let why = part(move || match connectivity.get() {
        Connectivity::Polling { why } => Some(
            view! {
                <details class="why">
                    <summary>"Why?"</summary>
                    <p>{why.in_words()}</p>
                </details>
            }
            .into_any(),
        ),
        _ => None,
    });
    let again = part(move || {
        let status = status.clone();
        matches!(connectivity.get(), Connectivity::Reconnecting { next, .. } | Connectivity::Away { next, .. } if next > 1_500.0)
            .then(|| {
                view! {
                    <button type="button" class="link" on:click=move |_| status.retry_now()>
                        "Retry now"
                    </button>
                }
                .into_any()
            })
    });
    view! {
        <div class="badge" data-link=word(move || wording.get().0) title=maybe(tooltip)>
            <span class="badge-mark" aria-hidden="true"></span>
            <span class="badge-words">{text(move || wording.get().1)}</span>
            {why}
            {again}
        </div>
    }
    .into_any()
}

/// Strip across the page while its data is old: what is wrong, and since when. The data is dimmed meanwhile.
#[component]
pub fn StaleStrip() -> impl IntoView {
    let status = ConnectionStatus::here();
    let (connectivity, latency) = (status.connectivity(), status.latency());
    let as_of = OperationStore::here().seeded_at();
    let zone = Zones::here();
    let wording = Memo::new(move |_| {
        let (link, words) = in_words(connectivity.get(), latency.get(), as_of.get(), zone.get());
        (link == "broken").then_some(words)
    });
    part(move || {
        let wording = wording.get()?;
        // Not announced: the badge says the same.
        Some(view! { <div class="stale-strip num" aria-hidden="true">{wording}</div> }.into_any())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use live::connection::state::PollReason;

    #[test]
    fn the_badge_says_how_fresh_the_page_is() {
        let as_of = Time::parse("2026-11-23T10:41:07Z").unwrap();
        let words = |connectivity, latency| in_words(connectivity, latency, as_of, Zone::Utc).1;
        assert_eq!(words(Connectivity::Idle, None), "As of 10:41:07 UTC");
        assert_eq!(words(Connectivity::Live, Some(439.0)), "Live");
        assert_eq!(words(Connectivity::Live, Some(1_500.0)), "Live · 1.5 s");
        assert_eq!(words(Connectivity::Live, Some(7_080.0)), "Delayed 7 s");
        assert_eq!(words(Connectivity::Silent { age: 3_200.0 }, Some(2.0)), "No data for 3 s");
        assert_eq!(words(Connectivity::Polling { why: PollReason::Mute }, Some(40.0)), "Polling");
        assert_eq!(
            words(Connectivity::Polling { why: PollReason::Mute }, Some(7_080.0)),
            "Polling · delayed 7 s"
        );
        assert_eq!(
            words(Connectivity::Reconnecting { next: 2_600.0, age: 12_400.0 }, None),
            "Reconnecting in 3 s · data is 12 s old"
        );
        assert_eq!(
            words(Connectivity::Away { since: as_of.millis(), next: 0.0 }, None),
            "Server offline since 10:41:07 UTC"
        );
    }
}
