//! Failure of an operation: what happened, why, and what to do.

use super::log::paint::visible;
use components::reactive::part;
use leptos::prelude::*;
use live::OpView;
use protocol::FailureReason;

fn headline(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::Work => "The work failed with an error",
        FailureReason::Panic => "The work crashed: a bug in the host's code",
        FailureReason::Refused => "The host rejected the parameters",
        FailureReason::HostRestarted => "The host restarted and lost the operation",
        FailureReason::HostLost => "The host lost the operation",
        FailureReason::HostStopped => "The host was stopped",
        FailureReason::HostSilent => "The host timed out",
        FailureReason::CheckpointAway => "The checkpoint could not be transferred to the host",
        FailureReason::Abandoned => "Abandoned while its host was unreachable or could not stop it",
    }
}

/// Failure message: a sentence, then the last output of the program in a monospace block.
fn message(text: &str) -> AnyView {
    let text = visible(text);
    match text.split_once('\n') {
        None => view! { <p>{text.to_owned()}</p> }.into_any(),
        Some((sentence, wording)) => view! {
            <p>{sentence.to_owned()}</p>
            <pre class="failure-said" tabindex="0">{wording.to_owned()}</pre>
        }
        .into_any(),
    }
}

/// Box with the failure; empty without one.
#[component]
pub fn FailureBox(op: OpView) -> impl IntoView {
    part(move || {
        let failure = op.facts.with(|f| f.failure.clone())?;
        Some(
            view! {
                <div class="note bad" role="alert">
                    <p>
                        <strong>{headline(failure.reason)}</strong>
                    </p>
                    {message(&failure.message)}
                    {(!failure.hint.is_empty()).then(|| view! { <p class="hint">{failure.hint.clone()}</p> })}
                </div>
            }
            .into_any(),
        )
    })
}
