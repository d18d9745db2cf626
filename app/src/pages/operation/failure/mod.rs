//! Failure of an operation: its exception as the headline, why, its last output, and what to do next.

mod traceback;

use super::log::paint::visible;
use app_state::address;
use app_state::current::OperationAction;
use components::link::A;
use components::reactive::part;
use display::exception::exception;
use display::file_path::short_paths;
use leptos::prelude::*;
use live::OpView;
use live::model::log_buffer::LogBuffer;
use protocol::{Failure, FailureReason};
use traceback::{Piece, pieces};

fn reason(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::Work => "The work failed with an error",
        FailureReason::Panic => "The work crashed: a bug in the host's code",
        FailureReason::Refused => "The host rejected the operation",
        FailureReason::HostRestarted => "The host restarted and lost the operation",
        FailureReason::HostLost => "The host lost the operation",
        FailureReason::HostStopped => "The host was stopped",
        FailureReason::HostSilent => "The host was unreachable for too long",
        FailureReason::SecretsUnreadable => "The secret parameters could not be decrypted",
        FailureReason::CheckpointAway => "The checkpoint could not be transferred to the host",
        FailureReason::Abandoned => "Abandoned: the host was unreachable or could not stop the operation",
    }
}

/// What the box says of a failure. The error is said once, by its lead; the rest is context.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Told {
    /// The error: the line that names the exception, or else the message with short paths.
    lead: String,
    /// Why it ended, with the message if the lead does not have all of it.
    context: String,
    /// Last output of the program, without a last line that is the lead.
    output: String,
    /// The lead as the output has it; `None` if it is the message.
    exception: Option<String>,
}

impl Told {
    fn of(failure: &Failure) -> Self {
        let text = visible(&failure.message);
        let (sentence, output) = text.split_once('\n').unwrap_or((&text, ""));
        let own = exception(output).or_else(|| exception(sentence)).map(str::to_owned);
        let sentence = sentence.trim_end_matches("Last output:").trim_end();
        let why = reason(failure.reason);
        // An exception begins with its name; a message may begin with a long path.
        let lead = own.clone().unwrap_or_else(|| short_paths(sentence));
        let context = if lead.contains(sentence) { why.to_owned() } else { format!("{why}: {sentence}") };
        let end = output.trim_end();
        let rest = end.strip_suffix(lead.as_str()).filter(|rest| rest.is_empty() || rest.ends_with('\n'));
        let output = rest.unwrap_or(end).trim_end().trim_matches('\n').to_owned();
        Self { lead, context, output, exception: own }
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
            <A href=edit attr:class="button" attr:title=OperationAction::Again.means()>
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
        let Told { lead, context, output, exception } = Told::of(&failure);
        Some(
            view! {
                <div class="note bad failure" role="alert">
                    <p class="failure-line">
                        <strong>{lead}</strong>
                    </p>
                    <p class="muted">{context}</p>
                    {(!output.is_empty()).then(|| output_view(&output))}
                    {(!failure.hint.is_empty()).then(|| view! { <p class="hint">{failure.hint.clone()}</p> })}
                    {links(op, log, exception)}
                </div>
            }
            .into_any(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> Told {
        Told::of(&Failure { reason: FailureReason::Work, message: message.to_owned(), hint: String::new() })
    }

    #[test]
    fn an_error_is_said_once_and_the_rest_is_context() {
        let trace = "python exited with code 1. Last output:\nTraceback:\n  File \"t.py\", line 3\nValueError: no bars";
        let of_trace = told(trace);
        assert_eq!(of_trace.lead, "ValueError: no bars");
        assert_eq!(of_trace.context, "The work failed with an error: python exited with code 1.");
        assert_eq!(of_trace.output, "Traceback:\n  File \"t.py\", line 3");
        assert_eq!(of_trace.exception.as_deref(), Some("ValueError: no bars"));

        let alone = told("sh exited with code 1. Last output:\nerror: no bars");
        assert_eq!((alone.lead.as_str(), alone.output.as_str()), ("error: no bars", ""));

        let message = told("The file was not found.");
        assert_eq!((message.lead.as_str(), message.output.as_str()), ("The file was not found.", ""));
        assert_eq!(message.context, "The work failed with an error");
        assert_eq!(message.exception, None);
    }

    #[test]
    fn a_long_path_is_short_in_the_lead_and_whole_in_the_context() {
        let message = "/srv/market/bars/nasdaq/MSFT_1h.csv was not found.";
        let of = told(message);
        assert_eq!(of.lead, "…/MSFT_1h.csv was not found.");
        assert_eq!(of.context, format!("The work failed with an error: {message}"));
        let error = "OSError: no file /srv/market/bars/nasdaq/MSFT_1h.csv";
        let of = told(&format!("python exited with code 1. Last output:\n{error}"));
        assert_eq!((of.lead.as_str(), of.output.as_str()), (error, ""));
    }

    #[test]
    fn output_after_the_error_stays() {
        let of = told("python exited with code 1. Last output:\nValueError: no bars\n 40%|#### | 4/10");
        assert_eq!(
            (of.lead.as_str(), of.output.as_str()),
            ("ValueError: no bars", "ValueError: no bars\n 40%|#### | 4/10")
        );
        // A longer line with the same end is another line.
        let other = told("Last output:\n  caused by ValueError: x\nValueError: x\nnot ValueError: x");
        assert!(other.output.ends_with("not ValueError: x"));
    }
}
