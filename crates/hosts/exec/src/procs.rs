//! Process table from `/proc`: the processes of a command, and their resource usage.
//!
//! Without `/proc` (not Linux), a command is its process group, and usage is not measured.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Process or process group ID.
pub(crate) type Id = u32;

/// Snapshot of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Proc {
    pub id: Id,
    pub parent: Id,
    pub group: Id,
    /// Zombie: ended, but not reaped.
    pub dead: bool,
    /// Stopped by a signal (state T) until SIGCONT.
    pub stopped: bool,
    /// Start time in ticks since boot: distinguishes processes with the same ID.
    pub began: u64,
    /// CPU time of the process and its reaped children, in ticks.
    pub cpu_ticks: u64,
    /// Resident memory in pages.
    pub pages: u64,
}

/// All processes.
///
/// # Errors
/// If there is no `/proc`.
pub(crate) fn all() -> io::Result<Vec<Proc>> {
    let mut found = Vec::with_capacity(256);
    for entry in std::fs::read_dir("/proc")? {
        let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // It can have ended in the meantime.
        found.extend(one(id));
    }
    Ok(found)
}

/// Snapshot of one process; `None` if it has ended.
pub(crate) fn one(id: Id) -> Option<Proc> {
    parse(id, &std::fs::read_to_string(file(id, "stat")).ok()?)
}

/// Parses `/proc/<id>/stat`. The program name is in parentheses and can contain anything.
fn parse(id: Id, stat: &str) -> Option<Proc> {
    let fields: Vec<&str> = stat[stat.rfind(')')? + 1..].split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<i64>().ok();
    let ticks: i64 = (11..=14).map(number).sum::<Option<i64>>()?;
    Some(Proc {
        id,
        parent: Id::try_from(number(1)?).ok()?,
        group: Id::try_from(number(2)?).ok()?,
        dead: matches!(*fields.first()?, "Z" | "X" | "x"),
        stopped: *fields.first()? == "T",
        began: number(19)?.unsigned_abs(),
        cpu_ticks: ticks.unsigned_abs(),
        pages: number(21)?.unsigned_abs(),
    })
}

/// Processes of these groups, the given others, and all their descendants.
pub(crate) fn members(all: &[Proc], groups: &BTreeSet<Id>, extra: &BTreeSet<Id>) -> Vec<Proc> {
    let mut ids: BTreeSet<Id> =
        all.iter().filter(|p| groups.contains(&p.group) || extra.contains(&p.id)).map(|p| p.id).collect();
    loop {
        let before = ids.len();
        ids.extend(all.iter().filter(|p| ids.contains(&p.parent)).map(|p| p.id).collect::<Vec<_>>());
        if ids.len() == before {
            break;
        }
    }
    all.iter().filter(|p| ids.contains(&p.id)).copied().collect()
}

/// Processes with a matching `NAME=value` in their environment. Those of other users are not readable, and are skipped.
pub(crate) fn marked(all: &[Proc], mark: impl Fn(&[u8]) -> bool) -> BTreeSet<Id> {
    let own = std::process::id();
    all.iter().filter(|p| p.id != own && !p.dead && is_marked(p, &mark)).map(|p| p.id).collect()
}

/// This process and its ancestors.
pub(crate) fn own_line(all: &[Proc]) -> BTreeSet<Id> {
    let mut line = BTreeSet::new();
    let mut next = Some(std::process::id());
    while let Some(id) = next.filter(|id| line.insert(*id)) {
        next = all.iter().find(|p| p.id == id).map(|p| p.parent);
    }
    line
}

fn is_marked(p: &Proc, mark: impl Fn(&[u8]) -> bool) -> bool {
    // Parent of kernel threads, which have no environment.
    const KTHREADD: Id = 2;
    let environ = || std::fs::read(file(p.id, "environ")).unwrap_or_default();
    let mut read = environ();
    if read.is_empty() && p.parent != KTHREADD && p.id != KTHREADD {
        // During exec the environment is briefly empty.
        #[expect(clippy::disallowed_methods, reason = "called on blocking threads")]
        std::thread::sleep(Duration::from_millis(1));
        read = environ();
    }
    read.split(|b| *b == 0).any(mark)
}

/// Proportional memory of a process (PSS), in bytes.
pub(crate) fn fair_memory(id: Id) -> Option<u64> {
    kilobytes(&std::fs::read_to_string(file(id, "smaps_rollup")).ok()?, "Pss:")
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb * 1024)
}

fn file(id: Id, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{id}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_program_name_with_parentheses_is_parsed() {
        let stat = "42 (a) R 1 7 (x) S 10 42 40 0 -1 4194304 1 2 3 4 100 20 3 4 20 0 1 0 5000 9000 250 18446744073709551615";
        let p = parse(42, stat).unwrap();
        assert_eq!(
            (p.parent, p.group, p.dead, p.began, p.cpu_ticks, p.pages),
            (10, 42, false, 5000, 127, 250)
        );
        assert_eq!(parse(1, "1 (init"), None);
        assert!(parse(42, &stat.replace(") S", ") Z")).unwrap().dead);
        assert!(parse(42, &stat.replace(") S", ") T")).unwrap().stopped && !p.stopped);
    }

    #[test]
    fn descendants_are_found_in_any_session_or_group() {
        let p = |id, parent, group| Proc {
            id,
            parent,
            group,
            dead: false,
            stopped: false,
            began: 0,
            cpu_ticks: 0,
            pages: 0,
        };
        let all = [p(9, 8, 9), p(8, 5, 8), p(5, 1, 5), p(6, 1, 5), p(7, 1, 7), p(3, 1, 3), p(4, 3, 3)];
        let ids = |extra: &[Id]| -> Vec<Id> {
            members(&all, &BTreeSet::from([5]), &extra.iter().copied().collect())
                .iter()
                .map(|p| p.id)
                .collect()
        };
        assert_eq!(ids(&[]), [9, 8, 5, 6]);
        assert_eq!(ids(&[3]), [9, 8, 5, 6, 3, 4]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_in_the_process_table() {
        let own = std::process::id();
        let here = all().unwrap().into_iter().find(|p| p.id == own).unwrap();
        assert!(!here.dead && here.pages > 0);
        assert!(fair_memory(own).is_none_or(|bytes| bytes > 100_000));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9 ()SZ-]{0,80}") {
            let _ = parse(1, &text);
        }
    }
}
