//! Last log lines of the operation in the peek panel: requested when it opens, and again while the operation reports.

use components::reactive::part;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::{OpView, OperationStore, api};
use protocol::{LogLevel, LogLine, Time};

/// Number of lines.
const LINES: u64 = 8;
/// Pause between two requests, seconds.
const PAUSE: f64 = 3.0;
/// A line number after all lines.
const END: u64 = u32::MAX as u64;

/// The lines; nothing without any.
#[component]
pub fn LastLines(op: OpView) -> impl IntoView {
    let live = OperationStore::here();
    let clock = live.clock();
    let lines = RwSignal::new(Vec::<LogLine>::new());
    let busy = StoredValue::new(false);
    let state = op.state;
    // What the newest request has seen: the state, and the time of the last report.
    let asked = StoredValue::new(None::<(protocol::State, Option<Time>)>);
    let asked_at = StoredValue::new(None::<Time>);
    Effect::new(move |_| {
        let now = clock.get();
        let seen = (state.get(), op.heard_at.get_untracked());
        let soon = asked_at.get_value().is_some_and(|at| now.seconds_since(at) < PAUSE);
        let known = asked.get_value();
        let same_state = known.is_some_and(|(state, _)| state == seen.0);
        if busy.get_value() || known == Some(seen) || soon && same_state {
            return;
        }
        busy.set_value(true);
        asked.set_value(Some(seen));
        asked_at.set_value(Some(now));
        let attempt = op.facts.with_untracked(|f| f.attempt);
        spawn_local(async move {
            // Without an answer the known lines stay.
            if let Ok(page) = api::log_page(op.id, attempt, END, LINES).await {
                lines.try_set(page.lines);
            }
            busy.try_set_value(false);
        });
    });
    part(move || {
        let lines = lines.get();
        (!lines.is_empty()).then(|| {
            let shown: Vec<_> = lines.iter().map(one).collect();
            view! {
                <section class="peek-log" aria-label="Last log lines">
                    <h3>"Log"</h3>
                    <pre tabindex="0">{shown}</pre>
                </section>
            }
            .into_any()
        })
    })
}

fn one(line: &LogLine) -> AnyView {
    let level = matches!(line.level, LogLevel::Warn | LogLevel::Error).then(|| line.level.as_str());
    let text = ansi::plain(&line.text).into_owned();
    view! { <span data-level=level>{text}"\n"</span> }.into_any()
}
