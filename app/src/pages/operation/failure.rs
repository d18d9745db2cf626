//! Why an operation failed: what happened, and what to do next.

use crate::live::OpView;
use crate::reactive::part;
use leptos::prelude::*;
use protocol::FailureReason;

fn headline(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::Work => "The work ended in an error",
        FailureReason::Panic => "The work broke: a fault in the host's code",
        FailureReason::Refused => "The host refused the params",
        FailureReason::HostRestarted => "The host was started anew and no longer knows it",
        FailureReason::HostLost => "The host lost it",
        FailureReason::HostStopped => "The host was stopped",
        FailureReason::HostSilent => "The host was silent for too long",
        FailureReason::CheckpointAway => "Its checkpoint could not be brought to the host",
        FailureReason::Abandoned => "It was given up while its host could not be heard or could not stop it",
    }
}

/// What happened: a sentence, and below it what a program said, line by line as it said it.
fn message(text: &str) -> AnyView {
    match text.split_once('\n') {
        None => view! { <p>{text.to_owned()}</p> }.into_any(),
        Some((sentence, said)) => view! {
            <p>{sentence.to_owned()}</p>
            <pre class="failure-said" tabindex="0">{said.to_owned()}</pre>
        }
        .into_any(),
    }
}

/// The box; nothing while nothing failed.
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
