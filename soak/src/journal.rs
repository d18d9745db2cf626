//! Journal of what a host really ran: one line when a run begins and one when it is over.
//!
//! A line is written before anything is reported, in one `write` to a file opened for appending, so that a kill leaves
//! only whole lines. The checker compares it with what the server reported.

use protocol::{InstanceId, OperationId, Time};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// Line of a journal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JournalEntry {
    pub id: OperationId,
    pub attempt: u32,
    pub pid: u32,
    /// Process of the host.
    pub instance: InstanceId,
    pub what: What,
    /// Microseconds since 1970, in the driver's time; see [`DriverClock`].
    pub at: i64,
    /// Steps done at that time: its first step, or how far it came.
    pub step: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    Begin,
    End,
}

/// Clock in the driver's time, usable in any process whatever its wall clock shows: all processes of a machine share
/// its monotonic clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DriverClock {
    /// Driver's time when the monotonic clock was zero, in microseconds since 1970.
    zero: i64,
}

impl DriverClock {
    /// Clock based on this process's current wall clock.
    pub fn of_this_process() -> Self {
        Self { zero: Time::now().micros() - steady() }
    }

    /// Clock with the zero of another process.
    pub fn of(zero: i64) -> Self {
        Self { zero }
    }

    pub fn zero(self) -> i64 {
        self.zero
    }

    pub fn now(self) -> Time {
        Time::from_micros(self.zero + steady())
    }
}

/// Monotonic time of the machine in microseconds.
fn steady() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}

/// Journal being written.
pub struct Journal {
    file: File,
}

impl Journal {
    /// Opens the file for appending; creates it if needed.
    ///
    /// # Errors
    /// If it can't be opened.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: OpenOptions::new().create(true).append(true).open(path)? })
    }

    /// Writes a line.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write(&self, line: &JournalEntry) -> std::io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        (&self.file).write_all(text.as_bytes())
    }
}

/// Run of an attempt, according to its journal.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Host that the journal belongs to.
    pub host: String,
    pub id: OperationId,
    pub attempt: u32,
    pub instance: InstanceId,
    pub begin: Time,
    /// When it was over: by its second line, or by the end of its process. `None` while it runs.
    pub end: Option<Time>,
    /// Last step, according to its last line.
    pub step: u64,
}

/// End of a process by the driver. It certainly ran until `at`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Death {
    pub pid: u32,
    pub at: Time,
}

/// Reads the lines of a journal, except for an incomplete last one.
///
/// # Errors
/// If the file can't be read or has other content.
pub fn read(path: &Path) -> anyhow::Result<Vec<JournalEntry>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Combines lines to runs. A run without a second line ended with its process.
pub fn runs(host: &str, lines: &[JournalEntry], deaths: &[Death]) -> Vec<Run> {
    let mut runs: Vec<(u32, Run)> = Vec::new();
    for line in lines {
        let at = Time::from_micros(line.at);
        if line.what == What::Begin {
            let run = Run {
                host: host.to_owned(),
                id: line.id,
                attempt: line.attempt,
                instance: line.instance,
                begin: at,
                end: None,
                step: line.step,
            };
            runs.push((line.pid, run));
            continue;
        }
        let same = |run: &Run| {
            (run.id, run.attempt, run.instance) == (line.id, line.attempt, line.instance) && run.end.is_none()
        };
        if let Some((_, run)) = runs.iter_mut().find(|(_, run)| same(run)) {
            (run.end, run.step) = (Some(at), line.step);
        }
    }
    for (pid, run) in runs.iter_mut().filter(|(_, run)| run.end.is_none()) {
        run.end = deaths.iter().filter(|d| d.pid == *pid && d.at >= run.begin).map(|d| d.at).min();
    }
    runs.into_iter().map(|(_, run)| run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(
        what: What,
        attempt: u32,
        pid: u32,
        at: i64,
        instance: InstanceId,
        id: OperationId,
    ) -> JournalEntry {
        JournalEntry { id, attempt, pid, instance, what, at, step: 0 }
    }

    #[test]
    fn a_run_ends_with_its_second_line_or_its_process() {
        let (life, id) = (InstanceId::new(), OperationId::new());
        let lines = [
            line(What::Begin, 1, 7, 10, life, id),
            line(What::End, 1, 7, 20, life, id),
            line(What::Begin, 2, 7, 30, life, id),
            line(What::Begin, 3, 8, 60, life, id),
        ];
        // The second death belongs to another process with the same PID.
        let deaths =
            [Death { pid: 7, at: Time::from_micros(50) }, Death { pid: 7, at: Time::from_micros(90) }];
        let ends: Vec<_> = runs("a", &lines, &deaths).iter().map(|r| r.end.map(Time::micros)).collect();
        assert_eq!(ends, [Some(20), Some(50), None]);
    }

    #[test]
    fn an_incomplete_last_line_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(&path).unwrap();
        let whole = line(What::Begin, 1, 7, 10, InstanceId::new(), OperationId::new());
        journal.write(&whole).unwrap();
        (&journal.file).write_all(b"{\"id\":").unwrap();
        assert_eq!(read(&path).unwrap(), [whole]);
        assert_eq!(read(&folder.path().join("none")).unwrap(), []);
    }
}
