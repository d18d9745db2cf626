//! Texts of the command line about operations. Pure; shared with the page where possible.

use display::zone::Zone;
use display::{cancel_steps, forecast, format};
use protocol::api::{KindList, OperationDetail};
use protocol::{Operation, State, Time, secret};

/// Kinds with their parameters.
pub fn kinds(kinds: &KindList) -> String {
    let mut output = String::new();
    for offer in &kinds.kinds {
        let spec = &offer.spec;
        let away = if offer.available { "" } else { "  (no host connected)" };
        output.push_str(&format!("{}  {}{away}\n", spec.name, spec.title));
        let form = form::Form::from_schema(&spec.params).ok();
        for field in form.iter().flat_map(|form| &form.fields) {
            let needed = if field.required && field.default.is_none() { ", required" } else { "" };
            let hidden = if field.secret { "secret " } else { "" };
            output.push_str(&format!("    {}: {hidden}{}{needed}\n", field.name, field.kind.takes()));
        }
    }
    if output.is_empty() {
        "Nothing can be started: no host with your kinds has connected since the server started.".to_owned()
    } else {
        output
    }
}

/// Text in one row, without control characters, so that it takes the columns that it is counted with.
pub fn one_row(text: &str) -> String {
    ansi::plain(&text.replace(['\n', '\r', '\t'], " ")).into_owned()
}

/// Duration of the attempt so far.
pub fn duration(op: &Operation, now: Time) -> String {
    match (op.started_at, op.ended_at) {
        (Some(from), Some(to)) => rounded(to.seconds_since(from)),
        (Some(from), None) => rounded(now.seconds_since(from)),
        _ => String::new(),
    }
}

/// Duration, rounded to the smallest unit that is shown: `2 m 10 s`, `1 h 6 m`.
pub fn rounded(seconds: f64) -> String {
    let unit = match seconds {
        s if s < 9.95 => return format::span(seconds),
        s if s < 3_599.5 => 1.0,
        s if s < 86_370.0 => 60.0,
        _ => 3_600.0,
    };
    format::duration((seconds / unit).round() * unit)
}

/// Status in one line: `running 56 % · 11,204 of 20,758 rows · 1.2k rows/s · about 40 s left`.
pub fn standing(op: &Operation, now: Time) -> String {
    let mut parts = Vec::new();
    if let Some(progress) = op.progress.as_ref().filter(|_| !op.state.ended()) {
        parts.extend([
            display::how_far(Some(progress)),
            display::done_of_total(progress),
            display::doing(progress),
            forecast::left(op.forecast.as_ref(), progress.eta_seconds, now)
                .map(|left| if left.starts_with("about") { format!("{left} left") } else { left })
                .unwrap_or_default(),
        ]);
    }
    if let Some(condition) = op.condition.as_ref().filter(|_| !op.state.ended()) {
        parts.push(condition.message.clone());
    }
    parts.retain(|part| !part.is_empty());
    parts.dedup();
    format!("{} {}", op.state, parts.join(" · ")).trim_end().to_owned()
}

/// Outcome without a reason: `succeeded after 2 m 10 s`.
pub fn outcome(op: &Operation) -> String {
    match (op.started_at, op.ended_at) {
        (Some(from), Some(to)) => format!("{} after {}", op.state, rounded(to.seconds_since(from))),
        _ => op.state.to_string(),
    }
}

/// Reason of a failure with its hint, in several lines; empty if it did not fail.
pub fn reason(op: &Operation) -> String {
    let Some(failure) = op.failure.as_ref().filter(|_| op.state == State::Failed) else {
        return String::new();
    };
    format!("{}\n{}", failure.message, failure.hint).trim_end().to_owned()
}

/// Outcome with the reason of a failure.
pub fn ended(op: &Operation) -> String {
    match reason(op) {
        reason if reason.is_empty() => outcome(op),
        reason => format!("{}: {reason}", outcome(op)),
    }
}

/// Result of a cancel request.
pub fn cancel(op: &Operation) -> String {
    match op.state {
        _ if op.receipt.as_ref().is_some_and(|receipt| receipt.not_stored) => format!(
            "Cancel sent to the host of {} {}, but not stored yet: the server can't write its database. Check the server's disk.",
            op.kind, op.title
        ),
        State::Cancelled => format!("Cancelled: {} {}", op.kind, op.title),
        _ => format!(
            "Cancel requested: {} {}. Run `signalbox follow {}` to wait until its host confirms the stop.",
            op.kind, op.title, op.id
        ),
    }
}

/// All details of an operation.
pub fn detail(detail: &OperationDetail, now: Time) -> String {
    let op = &detail.operation;
    let mut lines = vec![format!("{}  {}", op.kind, one_row(&op.title))];
    let mut line = |name: &str, text: String| {
        if !text.is_empty() {
            lines.push(format!("{name:<11}{}", text.replace('\n', "\n           ")));
        }
    };
    let at = |time: Time| Zone::Utc.moment(time);
    line("id", op.id.to_string());
    line("state", if op.state.ended() { ended(op) } else { standing(op, now) });
    line(
        "attempt",
        match &op.host {
            Some(host) => format!("{} on {host}", op.attempt),
            None => op.attempt.to_string(),
        },
    );
    line("created", at(op.created_at));
    line("started", op.started_at.map(at).unwrap_or_default());
    line("ended", op.ended_at.map(at).unwrap_or_default());
    line("duration", duration(op, now));
    let params = op.params.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let params = params.map(|(name, value)| match value.as_str() {
        Some(text) => format!("{name}={text}"),
        None if secret::is_marker(value) => format!("{name}={}", secret::HIDDEN),
        None => format!("{name}={value}"),
    });
    line("parameters", params.collect::<Vec<_>>().join("\n"));
    line("tags", op.tags.join(", "));
    line("checkpoint", op.checkpoint.as_ref().map(|c| c.note.clone()).unwrap_or_default());
    if let Some(receipt) = &op.receipt {
        let steps = cancel_steps::steps(receipt, Zone::Utc)
            .into_iter()
            .map(|(step, text, _)| format!("{step} {text}"));
        line("cancel", steps.collect::<Vec<_>>().join(" · "));
        line("reason", receipt.reason.clone());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Failure, FailureReason, KindName, OperationId};
    use serde_json::json;

    fn op(state: State) -> Operation {
        let at = |text: &str| Some(Time::parse(text).unwrap());
        let mut op = Operation::queued(
            "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse::<OperationId>().unwrap(),
            KindName::new("data.load").unwrap(),
            "MSFT 1h".into(),
            json!({"symbol": "MSFT", "rows": 5, "end": null}),
            at("2026-11-23T10:41:00Z").unwrap(),
        );
        op.state = state;
        op.started_at = at("2026-11-23T10:41:07Z");
        op.ended_at = state.ended().then(|| at("2026-11-23T10:43:17Z")).flatten();
        op
    }

    #[test]
    fn an_ended_operation_shows_its_duration_and_failure_reason() {
        assert_eq!(ended(&op(State::Succeeded)), "succeeded after 2 m 10 s");
        let mut failed = op(State::Failed);
        let (message, hint) = ("There is no file.".to_owned(), "Put one there.".to_owned());
        failed.failure = Some(Failure { reason: FailureReason::Work, message, hint });
        assert_eq!(ended(&failed), "failed after 2 m 10 s: There is no file.\nPut one there.");
    }

    #[test]
    fn a_status_shows_the_remaining_time_with_rounded_durations() {
        let now = Time::parse("2026-11-23T10:41:17Z").unwrap();
        let mut running = op(State::Running);
        running.progress = Some(protocol::Progress {
            fraction: Some(0.5),
            eta_seconds: Some(41.0),
            ..protocol::Progress::start(now)
        });
        assert_eq!(standing(&running, now), "running 50 % · about 40 s left");
        let spoken = [12.7, 59.6, 130.4, 3_599.6, 3_956.0, 86_399.0].map(rounded);
        assert_eq!(spoken, ["13 s", "1 m", "2 m 10 s", "1 h", "1 h 6 m", "1 d"]);
    }

    #[test]
    fn the_details_of_an_operation_include_its_params_and_time_zone() {
        let (attempts, audit) = (vec![], vec![]);
        let operation_detail = OperationDetail {
            operation: op(State::Succeeded),
            attempts,
            result: None,
            series: vec![],
            audit,
            seq: 1,
        };
        let output = detail(&operation_detail, Time::now());
        assert!(output.contains("started    2026-11-23 10:41:07 UTC"), "{output}");
        assert!(output.contains("parameters symbol=MSFT\n           rows=5"), "{output}");
        assert!(!output.contains("end="), "{output}");
    }
}
