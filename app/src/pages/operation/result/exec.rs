//! What came out of a command: how it ended, what it took, what it reported.

use super::{fact, json};
use crate::format;
use leptos::prelude::*;
use protocol::results::ExecResult;

/// How it ended, in words.
fn end(result: &ExecResult) -> String {
    match (result.exit_code, result.signal) {
        (_, Some(signal)) => format!("signal {signal}{}", name_of(signal)),
        (Some(code), None) => format!("exit code {code}"),
        (None, None) => "not known".to_owned(),
    }
}

/// The names of those signals that end programs most often.
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

/// Processor time, and how many cores that kept busy on average.
fn processor(cpu_seconds: f64, seconds: f64) -> String {
    let busy = cpu_seconds / seconds;
    match seconds {
        s if s > 0.0 && busy.is_finite() => format!("{}, {busy:.2} cores", format::span(cpu_seconds)),
        _ => format::span(cpu_seconds),
    }
}

/// All of it.
pub fn exec_view(result: &ExecResult) -> AnyView {
    let unknown = || "not told by the system".to_owned();
    let arguments = result.command.iter().map(|a| view! { <code>{a.clone()}</code> });
    let lines = match result.lines_left_out {
        0 => format::count(result.lines),
        more => format!("{} kept, {} left out", format::count(result.lines), format::count(more)),
    };
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
                {fact("Ended with", end(result))}
                {fact("Took", format::span(result.seconds))}
                {fact("Processor", result.cpu_seconds.map_or_else(unknown, |cpu| processor(cpu, result.seconds)))}
                {fact("Most memory", result.peak_memory.map_or_else(unknown, format::bytes))}
                {fact("Lines of output", lines)}
            </dl>
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
        assert_eq!(processor(3.0, 2.0), "3.0 s, 1.50 cores");
        assert_eq!(processor(3.0, 0.0), "3.0 s");
    }
}
