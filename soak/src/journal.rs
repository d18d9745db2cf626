//! What a host really ran, in its own hand: a line when a run begins and one when it is over.
//!
//! Written before anybody is told, in one `write` of a file opened to append, so that a kill at any moment
//! leaves whole lines. The checker holds it against what the server said.

use protocol::{InstanceId, OperationId, Time};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// One line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Line {
    pub id: OperationId,
    pub attempt: u32,
    pub pid: u32,
    /// The life of the host.
    pub instance: InstanceId,
    pub what: What,
    /// Microseconds since 1970, by the driver's clock: see [`Moments`].
    pub at: i64,
    /// Steps done at that moment: where it began from, or how far it came.
    pub step: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    Begin,
    End,
}

/// Moments by the driver's clock, told from any process whatever its own wall clock shows: all processes of a machine
/// have the same steady clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moments {
    /// What the driver's clock showed when the steady one was at zero, microseconds since 1970.
    zero: i64,
}

impl Moments {
    /// By this process' wall clock as it stands.
    pub fn by_this_clock() -> Self {
        Self { zero: Time::now().micros() - steady() }
    }

    /// As another process had it.
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

/// For how long the machine has been up, microseconds.
fn steady() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}

/// A journal that is being written.
pub struct Journal {
    file: File,
}

impl Journal {
    /// Opens the file to append to it; makes it when it is not there.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: OpenOptions::new().create(true).append(true).open(path)? })
    }

    /// Writes a line.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, line: &Line) -> std::io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        (&self.file).write_all(text.as_bytes())
    }
}

/// One run of an attempt, as its journal has it.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Whose journal.
    pub host: String,
    pub id: OperationId,
    pub attempt: u32,
    pub instance: InstanceId,
    pub begin: Time,
    /// When it was over: by its own line, or because its process was killed. `None` while it goes on.
    pub end: Option<Time>,
    /// How far it came, by its last line.
    pub step: u64,
}

/// The end of a process by the driver's hand. Up to `at` it certainly lived.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Death {
    pub pid: u32,
    pub at: Time,
}

/// The lines of a journal; a last one that is not whole yet is left out.
///
/// # Errors
/// When the file can't be read, or holds something else.
pub fn read(path: &Path) -> anyhow::Result<Vec<Line>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Lines put together to runs. A run whose process died without a word of its end ended with the process.
pub fn runs(host: &str, lines: &[Line], deaths: &[Death]) -> Vec<Run> {
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

    fn line(what: What, attempt: u32, pid: u32, at: i64, instance: InstanceId, id: OperationId) -> Line {
        Line { id, attempt, pid, instance, what, at, step: 0 }
    }

    #[test]
    fn a_run_ends_by_its_line_or_with_its_process_or_not_yet() {
        let (life, id) = (InstanceId::new(), OperationId::new());
        let lines = [
            line(What::Begin, 1, 7, 10, life, id),
            line(What::End, 1, 7, 20, life, id),
            line(What::Begin, 2, 7, 30, life, id),
            line(What::Begin, 3, 8, 60, life, id),
        ];
        // The second death of that number belongs to another process of the same number.
        let deaths =
            [Death { pid: 7, at: Time::from_micros(50) }, Death { pid: 7, at: Time::from_micros(90) }];
        let ends: Vec<_> = runs("a", &lines, &deaths).iter().map(|r| r.end.map(Time::micros)).collect();
        assert_eq!(ends, [Some(20), Some(50), None]);
    }

    #[test]
    fn a_line_cut_by_a_kill_is_left_out() {
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
