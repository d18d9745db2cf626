//! Outcome of a command: its result, or a failure with advice.

use crate::command::Declared;
use crate::output_parser::OutputSummary;
use crate::usage::Overrun;
use host_kit::WorkError;
use protocol::KindName;
use protocol::host::ResultDoc;
use protocol::results::ExecResult;
use resources::usage::ReachedLimits;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

const MB: f64 = 1024.0 * 1024.0;
/// A shell adds this to the signal number that killed its child.
const BY_SIGNAL: i32 = 128;
/// Number of last output lines in a failure message.
const LAST_LINES: usize = 5;

/// Reason for the end of a command.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum EndReason {
    /// It ended by itself.
    Exited,
    /// It was cancelled.
    Cancelled,
    /// It exceeded the time limit.
    Wall,
    Overrun(Overrun),
}

/// Ended command.
pub(crate) struct Ended {
    pub vector: Vec<String>,
    pub why: EndReason,
    pub status: ExitStatus,
    pub summary: OutputSummary,
    pub seconds: f64,
    pub cpu_seconds: Option<f64>,
    pub peak_memory: Option<u64>,
    /// Limits of its cgroup.
    pub reached: ReachedLimits,
}

/// Outcome of the operation.
///
/// # Errors
/// If it was cancelled, exceeded a limit, or failed.
pub(crate) fn ending(declared: &Declared, ended: Ended) -> Result<ResultDoc, WorkError> {
    let limits = declared.limits;
    let kind = &declared.spec.name;
    match ended.why {
        EndReason::Exited => {}
        EndReason::Cancelled => return Err(WorkError::Cancelled),
        EndReason::Wall => {
            let most = limits.wall.unwrap_or_default().as_secs_f64();
            return Err(WorkError::failed(
                format!("Stopped: exceeded the time limit of {most} s.{}", last_words(&ended.summary)),
                format!("Reduce the work, or raise wall_seconds of {kind} in the configuration."),
            ));
        }
        EndReason::Overrun(Overrun::Memory(used)) => {
            return Err(WorkError::failed(
                format!(
                    "Stopped: used {:.0} MiB of memory, over the limit of {:.0} MiB.{}",
                    used as f64 / MB,
                    limits.memory.unwrap_or_default() as f64 / MB,
                    last_words(&ended.summary)
                ),
                format!(
                    "Reduce the memory use of the command, or raise memory_mb of {kind} in the configuration."
                ),
            ));
        }
        EndReason::Overrun(Overrun::Cpu(used)) => {
            return Err(WorkError::failed(
                format!(
                    "Stopped: used {used:.1} s of CPU time, over the limit of {} s.{}",
                    limits.cpu_seconds.unwrap_or_default(),
                    last_words(&ended.summary)
                ),
                format!("Reduce the work, or raise cpu_seconds of {kind} in the configuration."),
            ));
        }
    }
    if !ended.status.success() {
        return Err(failed(declared, &ended));
    }
    let result = ExecResult {
        command: ended.vector,
        exit_code: ended.status.code(),
        signal: ended.status.signal(),
        seconds: ended.seconds,
        cpu_seconds: ended.cpu_seconds,
        peak_memory: ended.peak_memory,
        lines: ended.summary.kept,
        lines_left_out: ended.summary.left_out,
        reported: ended.summary.reported,
    };
    let figures = result.key_figures();
    let document = serde_json::to_value(result).map_err(|e| {
        let hint = "This is a bug in Signalbox. Please report it.";
        WorkError::failed(format!("Cannot serialize the result as JSON: {e}."), hint)
    })?;
    Ok(ResultDoc { document, figures, ..ResultDoc::default() })
}

fn failed(declared: &Declared, ended: &Ended) -> WorkError {
    let program = ended.vector.first().map_or("", String::as_str);
    let (how, hint) = match (ended.status.code(), ended.status.signal()) {
        (Some(code), _) => (format!("exited with code {code}"), hint_of(code, &ended.summary.last)),
        (None, Some(signal)) => {
            (format!("was killed by signal {}", name_of(signal)), hint_of_signal(signal).to_owned())
        }
        (None, None) => ("ended without an exit code or signal".to_owned(), String::new()),
    };
    let memory = declared.limits.address_space.filter(|_| lacked_memory(ended.status, &ended.summary.last));
    let hint = match memory {
        Some(limit) => hint_of_address_space(limit, &declared.spec.name),
        None => hint,
    };
    let hint = hint_of_sandbox(declared, ended).unwrap_or(hint);
    WorkError::failed(format!("{program} {how}.{}", last_words(&ended.summary)), hint)
}

/// Advice if the sandbox may be the cause.
fn hint_of_sandbox(declared: &Declared, ended: &Ended) -> Option<String> {
    let (sandbox, kind) = (declared.sandbox.as_ref()?, &declared.spec.name);
    if ended.reached.memory {
        return Some(format!(
            "The system killed processes at the memory limit of {:.0} MiB. Reduce the memory use of the command, or \
             raise sandbox.memory_max_mb of {kind} in the configuration.",
            sandbox.limits.memory_bytes.unwrap_or_default() as f64 / MB
        ));
    }
    if ended.reached.processes {
        return Some(format!(
            "The command could not start more processes or threads than {}. Reduce their number, or raise \
             sandbox.pids_max of {kind} in the configuration.",
            sandbox.limits.processes.unwrap_or_default()
        ));
    }
    was_denied(ended.status, &ended.summary.last).then(|| sandbox.advice(kind))
}

/// Whether output or exit suggest that something was denied.
fn was_denied(status: ExitStatus, last: &[String]) -> bool {
    const BAD_SYSTEM_CALL: i32 = 31;
    const WORDS: [&str; 11] = [
        "permission denied",
        "permissionerror",
        "operation not permitted",
        "access denied",
        "eacces",
        "eperm",
        "network is unreachable",
        "cannot assign requested address",
        "could not resolve",
        "name resolution",
        "name or service not known",
    ];
    status.signal() == Some(BAD_SYSTEM_CALL)
        || last
            .iter()
            .map(|line| line.to_ascii_lowercase())
            .any(|line| WORDS.iter().any(|word| line.contains(word)))
}

/// Whether output or exit suggest that an allocation failed, as it does at a limit of the address space.
fn lacked_memory(status: ExitStatus, last: &[String]) -> bool {
    const WORDS: [&str; 8] = [
        "memoryerror",
        "bad_alloc",
        "cannot allocate memory",
        "out of memory",
        "outofmemoryerror",
        "memory exhausted",
        "memory allocation of",
        "unable to allocate",
    ];
    let says = last.iter().map(|line| line.to_ascii_lowercase());
    let crashed = status.signal().or(status.code().map(|code| code - BY_SIGNAL));
    matches!(crashed, Some(6 | 7 | 11))
        || says.into_iter().any(|line| WORDS.iter().any(|word| line.contains(word)))
}

fn hint_of_address_space(limit: u64, kind: &KindName) -> String {
    format!(
        "Each process is limited to {:.0} MiB of address space, which may be the cause. Reduce the memory use of the \
         command, or raise address_space_mb of {kind} in the configuration.",
        limit as f64 / MB
    )
}

/// Advice for a signal that Signalbox did not send.
fn hint_of_signal(signal: i32) -> &'static str {
    match signal {
        4 | 6 | 7 | 8 | 11 => "The program crashed. See the log for the cause, then retry.",
        9 => {
            "Signalbox did not send this signal: the program itself, another process, or the system sent it. The system \
             sends it when memory runs out: check the kernel log (dmesg) for 'Out of memory'."
        }
        _ => {
            "Signalbox did not send this signal: the program itself or another process sent it. See the log, then retry."
        }
    }
}

/// Advice for an exit code. Codes are ambiguous, so it is not stated as a fact, nor against the last output.
fn hint_of(code: i32, last: &[String]) -> String {
    let says = |words: &[&str]| {
        last.iter().any(|line| words.iter().any(|word| line.to_ascii_lowercase().contains(word)))
    };
    match code {
        2 if last.is_empty() || says(&["usage", "argument", "option"]) => {
            "Exit code 2 often means invalid arguments. See the log.".to_owned()
        }
        126 | 127
            if last.is_empty()
                || says(&["not found", "no such file", "permission denied", "cannot execute"]) =>
        {
            format!(
                "Exit code {code} usually means that a program could not be started. Check that it is installed, \
                 executable and in PATH."
            )
        }
        129..=159 => {
            let signal = name_of(code - BY_SIGNAL);
            let memory = match code {
                137 => " The system sends SIGKILL when memory runs out.",
                _ => "",
            };
            format!(
                "Exit code {code} can mean that signal {signal} killed a child process of a shell. The program itself \
                 can also return this code. The command itself was not killed.{memory} See the log."
            )
        }
        _ => "See the log. Fix the cause, then retry.".to_owned(),
    }
}

/// Last output lines, for the end of a message.
fn last_words(summary: &OutputSummary) -> String {
    let last = &summary.last[summary.last.len().saturating_sub(LAST_LINES)..];
    match &summary.last_report {
        _ if !last.is_empty() => format!(" Last output:\n{}", last.join("\n")),
        Some(report) => format!(" The command printed only reports. The last report:\n{report}"),
        None => " No output.".to_owned(),
    }
}

/// Signal number and name.
fn name_of(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        31 => "SIGSYS",
        _ => return signal.to_string(),
    };
    format!("{signal} ({name})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_allocation_names_the_memory_limit() {
        let lacked =
            |wait_status, last: &str| lacked_memory(ExitStatus::from_raw(wait_status), &[last.to_owned()]);
        assert!(lacked(1 << 8, "MemoryError") && lacked(1 << 8, "terminate: std::bad_alloc"));
        assert!(lacked(11, "") && lacked(134 << 8, ""), "a crash");
        assert!(!lacked(1 << 8, "ValueError: no") && !lacked(15, ""));
        let hint = hint_of_address_space(300 << 20, &KindName::new("exec.oom").unwrap());
        assert!(
            hint.contains("limited to 300 MiB") && hint.contains("address_space_mb of exec.oom"),
            "{hint}"
        );
    }

    #[test]
    fn a_denied_access_is_recognized() {
        let denied =
            |wait_status, last: &str| was_denied(ExitStatus::from_raw(wait_status), &[last.to_owned()]);
        assert!(denied(31, ""), "SIGSYS");
        for last in
            ["cat: /etc/shadow: Permission denied", "PermissionError: [Errno 1] Operation not permitted"]
        {
            assert!(denied(1 << 8, last), "{last}");
        }
        assert!(!denied(1 << 8, "ValueError: no") && !denied(9, ""));
    }

    #[test]
    fn advice_does_not_contradict_the_output() {
        let hint = |code, last: &str| hint_of(code, &last.lines().map(str::to_owned).collect::<Vec<_>>());
        let by_arguments = ["", "usage: fit.py [-h]", "error: unrecognized arguments: --x"];
        assert!(by_arguments.iter().all(|last| hint(2, last).contains("invalid arguments")));
        let missing = "python3: can't open file 'a.py': [Errno 2] No such file or directory";
        assert!(!hint(2, missing).contains("arguments"));
        assert!(hint(127, "sh: 1: tool: not found").contains("could not be started"));
        assert!(!hint(127, "Traceback\nValueError: no").contains("could not be started"));
        for signal in [9, 15] {
            assert!(hint_of_signal(signal).contains("the program itself"), "it may have killed itself");
        }
    }
}
