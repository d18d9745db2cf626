//! Failure of an operation: its exception as the headline, why, its last output, and what to do next.

mod traceback;

use super::log::paint::visible;
use app_state::address;
use components::link::A;
use components::reactive::part;
use display::exception::exception;
use leptos::prelude::*;
use live::OpView;
use live::model::log_buffer::LogBuffer;
use protocol::{Failure, FailureReason};
use traceback::{Piece, pieces};

fn reason(reason: FailureReason) -> &'static str {
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

/// Message, and the last output of the program.
fn parts(failure: &Failure) -> (String, String) {
    let text = visible(&failure.message);
    match text.split_once('\n') {
        None => (text.to_string(), String::new()),
        Some((sentence, output)) => (sentence.to_owned(), output.to_owned()),
    }
}

/// Output in monospace, with places in files marked.
fn output_view(output: &str) -> AnyView {
    let lines = output.lines().map(|line| {
        let pieces = pieces(line).into_iter().map(|piece| match piece {
            Piece::Plain(text) => text.into_any(),
            Piece::Place(place) => view! { <mark class="place">{place}</mark> }.into_any(),
        });
        view! { {pieces.collect_view()} "\n" }.into_any()
    });
    view! {
        <pre class="failure-output" tabindex="0" aria-label="Last output">
            {lines.collect_view()}
        </pre>
    }
    .into_any()
}

/// Newest loaded line of the log that has this text.
fn line_with(log: &LogBuffer, text: &str) -> Option<u64> {
    let found = log.from(log.first()).filter(|line| visible(line.text).contains(text)).last();
    found.map(|line| line.n)
}

/// Links after a failure: the log at the exception, and the form with the same parameters.
fn links(op: OpView, log: RwSignal<LogBuffer>, headline: Option<String>) -> AnyView {
    let fixed = op.fixed();
    let edit = address::start_again(fixed.kind.as_str(), &fixed.params);
    let to_log = part(move || {
        let line = headline.as_ref().and_then(|text| log.with(|log| line_with(log, text)));
        let href = line.map_or_else(|| "?tab=log".to_owned(), |n| format!("?tab=log#L{n}"));
        let href = format!("{}{href}", address::operation(op.id));
        Some(view! { <A href=href attr:class="button">"Open in log"</A> }.into_any())
    });
    view! {
        <p class="note-do">
            <A href=edit attr:class="button">
                "Edit and run"
            </A>
            {to_log}
        </p>
    }
    .into_any()
}

/// Box with the failure; empty without one.
#[component]
pub fn FailureBox(op: OpView, log: RwSignal<LogBuffer>) -> impl IntoView {
    part(move || {
        let failure = op.facts.with(|f| f.failure.clone())?;
        let (sentence, output) = parts(&failure);
        let own = exception(&output).or_else(|| exception(&sentence)).map(str::to_owned);
        let sentence = sentence.trim_end_matches("Last output:").trim_end().to_owned();
        let said =
            own.as_ref().is_some_and(|own| *own != sentence).then(|| view! { <p>{sentence.clone()}</p> });
        let headline = own.clone().unwrap_or(sentence);
        Some(
            view! {
                <div class="note bad failure" role="alert">
                    <p class="failure-line">
                        <strong>{headline}</strong>
                    </p>
                    <p class="muted">{reason(failure.reason)}</p>
                    {said}
                    {(!output.is_empty()).then(|| output_view(&output))}
                    {(!failure.hint.is_empty()).then(|| view! { <p class="hint">{failure.hint.clone()}</p> })}
                    {links(op, log, own)}
                </div>
            }
            .into_any(),
        )
    })
}
