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

/// Result view.
pub fn exec_view(result: &ExecResult) -> AnyView {
    let arguments = result.command.iter().map(|a| view! { <code>{a.clone()}</code> });
    let untold = (result.cpu_seconds.is_none() || result.peak_memory.is_none())
        .then(|| view! { <p class="muted">"Some figures are not available on this system."</p> });
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
    fn an_end_is_told_by_its_code_or_its_signal() {
        assert_eq!(end(&result(Some(3), None)), "exit code 3");
        assert_eq!(end(&result(None, Some(9))), "signal 9 (SIGKILL)");
        assert_eq!(end(&result(None, Some(64))), "signal 64");
    }
}
