//! Result of a command: exit status, resource use and reported result.

use super::{fact, facts, json};
use crate::outcome::{all, exec};
use leptos::prelude::*;
use protocol::results::ExecResult;

/// Exit status as text.
fn end(result: &ExecResult) -> String {
    match (result.exit_code, result.signal) {
        (_, Some(signal)) => format!("signal {signal}{}", name_of(signal)),
        (Some(code), None) => format!("exit code {code}"),
        (None, None) => "unknown".to_owned(),
    }
}

/// Names of the most frequent signals.
fn name_of(signal: i32) -> &'static str {
    match signal {
        2 => " (SIGINT)",
        6 => " (SIGABRT)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        _ => "",
    }
}

/// Why some figures are missing, if any is.
fn unmeasured(result: &ExecResult) -> Option<&'static str> {
    /// Usage is sampled; a run of this many seconds may end before the first complete sample.
    const SHORT_SECONDS: f64 = 1.0;
    if result.cpu_seconds.is_some() && result.peak_memory.is_some() {
        None
    } else if result.seconds < SHORT_SECONDS {
        Some("The run was too short to measure all figures.")
    } else {
        Some("Some figures are not available on this system.")
    }
}

/// Result view.
pub fn exec_view(result: &ExecResult) -> AnyView {
    let arguments = result.command.iter().map(|a| view! { <code>{a.clone()}</code> });
    let untold = unmeasured(result).map(|why| view! { <p class="muted">{why}</p> });
    let reported = result.reported.as_ref().map(|value| {
        view! {
            <div>
                <h3>"Reported by the command"</h3>
                {json::json_view(value)}
            </div>
        }
    });
    view! {
        <section class="card result" aria-label="Result">
            <h2>"Result"</h2>
            <p class="command wrap">{arguments.collect_view()}</p>
            <dl class="facts">
                {fact("Exit status", end(result))}
                {facts(all(&exec::FACTS, result))}
            </dl>
            {untold}
            {reported}
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(exit_code: Option<i32>, signal: Option<i32>) -> ExecResult {
        ExecResult {
            command: vec!["sleep".into()],
            exit_code,
            signal,
            seconds: 2.0,
            cpu_seconds: None,
            peak_memory: None,
            lines: 0,
            lines_left_out: 0,
            reported: None,
        }
    }

    #[test]
    fn a_run_too_short_to_measure_is_called_short() {
        let long = result(Some(0), None);
        assert!(unmeasured(&long).is_some_and(|why| why.contains("not available")));
        let short = ExecResult { seconds: 0.066, cpu_seconds: Some(0.01), ..long };
        assert!(unmeasured(&short).is_some_and(|why| why.contains("too short")));
        assert_eq!(unmeasured(&ExecResult { peak_memory: Some(1), ..short }), None);
    }

    #[test]
    fn an_end_is_described_by_its_code_or_signal() {
        assert_eq!(end(&result(Some(3), None)), "exit code 3");
        assert_eq!(end(&result(None, Some(9))), "signal 9 (SIGKILL)");
        assert_eq!(end(&result(None, Some(64))), "signal 64");
    }
}
