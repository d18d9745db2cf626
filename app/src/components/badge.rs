//! Connection badge: how fresh the page is.

use crate::live::Live;
use crate::live::clock::DELAYED_AFTER;
use crate::live::link::Shown;
use crate::reactive::{part, text, word};
use crate::zone::Zones;
use display::format;
use display::zone::Zone;
use leptos::prelude::*;
use protocol::Time;

/// Text of the badge, and the class of its mark.
fn in_words(shown: Shown, latency: Option<f64>, as_of: Time, zone: Zone) -> (&'static str, String) {
    let seconds = |ms: f64| format::duration((ms / 1_000.0).ceil());
    match shown {
        Shown::Still => ("still", format!("As of {}", zone.clock(as_of))),
        Shown::Connecting => ("still", "Connecting…".to_owned()),
        Shown::Live => match latency {
            Some(ms) if ms > DELAYED_AFTER => {
                ("delayed", format!("Delayed {}", format::duration(ms / 1_000.0)))
            }
            Some(ms) => ("live", format!("Live · {ms:.0} ms")),
            None => ("live", "Live".to_owned()),
        },
        Shown::Silent { age } => ("broken", format!("No data for {}", format::duration(age / 1_000.0))),
        Shown::Polling { .. } => match latency {
            Some(ms) if ms > DELAYED_AFTER => {
                ("polling", format!("Polling · delayed {}", format::duration(ms / 1_000.0)))
            }
            _ => ("polling", "Polling".to_owned()),
        },
        Shown::Reconnecting { next, age } => {
            let next = if next < 50.0 { "now".to_owned() } else { format!("in {}", seconds(next)) };
            ("broken", format!("Reconnecting {next} · data is {} old", format::duration(age / 1_000.0)))
        }
        Shown::Away { since, .. } => {
            ("broken", format!("Server offline since {}", zone.clock(Time::from_millis(since))))
        }
    }
}

/// The badge: live, delayed, silent, polling with the reason, reconnecting with the age of the data, or server offline since a time.
#[component]
pub fn Badge() -> impl IntoView {
    let live = Live::here();
    let (shown, latency, as_of) = (live.shown(), live.latency(), live.seeded_at());
    let zone = Zones::here();
    let said = Memo::new(move |_| in_words(shown.get(), latency.get(), as_of.get(), zone.get()));
    let why = part(move || match shown.get() {
        Shown::Polling { why } => Some(
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
        let live = live.clone();
        matches!(shown.get(), Shown::Reconnecting { next, .. } | Shown::Away { next, .. } if next > 1_500.0)
            .then(|| {
                view! {
                    <button type="button" class="link" on:click=move |_| live.nudge()>
                        "Retry now"
                    </button>
                }
                .into_any()
            })
    });
    view! {
        <div class="badge" data-link=word(move || said.get().0)>
            <span class="badge-mark" aria-hidden="true"></span>
            <span class="badge-words">{text(move || said.get().1)}</span>
            {why}
            {again}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::link::Why;

    #[test]
    fn the_badge_says_how_fresh_the_page_is() {
        let as_of = Time::parse("2026-11-23T10:41:07Z").unwrap();
        let words = |shown, latency| in_words(shown, latency, as_of, Zone::Utc).1;
        assert_eq!(words(Shown::Still, None), "As of 10:41:07 UTC");
        assert_eq!(words(Shown::Live, Some(40.0)), "Live · 40 ms");
        assert_eq!(words(Shown::Live, Some(7_080.0)), "Delayed 7 s");
        assert_eq!(words(Shown::Silent { age: 3_200.0 }, Some(2.0)), "No data for 3 s");
        assert_eq!(words(Shown::Polling { why: Why::Mute }, Some(40.0)), "Polling");
        assert_eq!(words(Shown::Polling { why: Why::Mute }, Some(7_080.0)), "Polling · delayed 7 s");
        assert_eq!(
            words(Shown::Reconnecting { next: 2_600.0, age: 12_400.0 }, None),
            "Reconnecting in 3 s · data is 12 s old"
        );
        assert_eq!(
            words(Shown::Away { since: as_of.millis(), next: 0.0 }, None),
            "Server offline since 10:41:07 UTC"
        );
    }
}
