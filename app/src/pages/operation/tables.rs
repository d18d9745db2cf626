//! Table of the attempts of an operation.

use app_state::address;
use components::link::A;
use components::moment::Clock;
use components::reactive::part;
use components::state_mark::StateMark;
use display::format;
use leptos::prelude::*;
use live::OpView;
use live::base;
use protocol::operation::AttemptOrigin;
use protocol::{Attempt, OperationId, State, paths};

/// Attempts, newest first.
#[component]
pub fn AttemptsTable(op: OpView, attempts: RwSignal<Vec<Attempt>>) -> impl IntoView {
    let current = Memo::new(move |_| op.facts.with(|f| f.attempt));
    let rows = part(move || {
        let current = current.get();
        let row = |attempt: &Attempt| attempt_row(op.id, attempt, current);
        Some(attempts.with(|all| all.iter().rev().map(row).collect_view().into_any()))
    });
    view! {
        <section class="card" aria-labelledby="attempts-title">
            <h2 id="attempts-title">"Attempts"</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="All attempts">
                <table class="plain two-lines attempts">
                    <thead>
                        <tr>
                            <th scope="col" class="num">"#"</th>
                            <th scope="col">"Trigger"</th>
                            <th scope="col">"State"</th>
                            <th scope="col">"Host"</th>
                            <th scope="col" class="num">"Started"</th>
                            <th scope="col" class="num">"Duration"</th>
                            <th scope="col">"Log"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

/// Link to the log of an attempt: the current one is on the page, earlier ones are files.
fn log_of(id: OperationId, attempt: u32, current: u32) -> AnyView {
    if attempt == current {
        let href = format!("{}?tab=log", address::operation(id));
        return view! { <A href=href>"Log"</A> }.into_any();
    }
    let href = base::url(&paths::log_file(id, Some(attempt)));
    view! { <a href=href download="" rel="external" title="Download the log of this attempt">"Log ↓"</a> }
        .into_any()
}

fn attempt_row(id: OperationId, attempt: &Attempt, current: u32) -> impl IntoView + use<> {
    let origin = match attempt.origin {
        AttemptOrigin::Start => "start",
        AttemptOrigin::Retry => "retry",
        AttemptOrigin::Resume => "resume",
    };
    let state: State = attempt.state;
    let took = match (attempt.started_at, attempt.ended_at) {
        (Some(started), Some(ended)) => format::span(ended.seconds_since(started)),
        _ => String::new(),
    };
    let host = attempt.host.as_ref().map(|h| h.to_string()).unwrap_or_default();
    let why = attempt.failure.as_ref().map(|f| f.message.clone());
    view! {
        <tr title=why>
            <td class="num t-no">{attempt.number}</td>
            <td class="t-by">{origin}</td>
            <td class="t-state"><StateMark state=Signal::stored(state)/></td>
            <td class="t-host">{host}</td>
            <td class="num t-began">{attempt.started_at.map(|at| view! { <Clock at/> })}</td>
            <td class="num t-took">{took}</td>
            <td class="t-log">{log_of(id, attempt.number, current)}</td>
        </tr>
    }
}
