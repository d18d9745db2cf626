//! The processes of the machine, as `/proc` shows them: who belongs to a command, and what they use.
//!
//! Elsewhere than on Linux there is no such table: then a command is its process group and nothing is measured.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// The id of a process or of a group.
pub(crate) type Id = u32;

/// One process at the moment of the look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Proc {
    pub id: Id,
    pub parent: Id,
    pub group: Id,
    /// It has ended and only its parent has not taken note.
    pub dead: bool,
    /// A signal stopped it (state T): it goes on at SIGCONT, or never.
    pub stopped: bool,
    /// When it began, in ticks since the machine did: tells it from a later one with the same id.
    pub began: u64,
    /// CPU time of it and of the children that it has waited for, in ticks.
    pub cpu_ticks: u64,
    /// Resident memory, in pages.
    pub pages: u64,
}

/// All processes.
///
/// # Errors
/// When there is no `/proc`.
pub(crate) fn all() -> io::Result<Vec<Proc>> {
    let mut found = Vec::with_capacity(256);
    for entry in std::fs::read_dir("/proc")? {
        let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended since.
        found.extend(one(id));
    }
    Ok(found)
}

/// One process; `None` when it is gone.
pub(crate) fn one(id: Id) -> Option<Proc> {
    parse(id, &std::fs::read_to_string(file(id, "stat")).ok()?)
}

/// Reads `/proc/<id>/stat`. The name of the program is in brackets and may have anything in it.
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

/// Those of a command: its group, whoever is named beside it, and all their descendants.
pub(crate) fn members(all: &[Proc], group: Id, beside: &BTreeSet<Id>) -> Vec<Proc> {
    let mut ids: BTreeSet<Id> =
        all.iter().filter(|p| p.group == group || beside.contains(&p.id)).map(|p| p.id).collect();
    loop {
        let before = ids.len();
        ids.extend(all.iter().filter(|p| ids.contains(&p.parent)).map(|p| p.id).collect::<Vec<_>>());
        if ids.len() == before {
            break;
        }
    }
    all.iter().filter(|p| ids.contains(&p.id)).copied().collect()
}

/// The processes that were begun with this in their environment, `NAME=value`. Those of other users can't be
/// looked into and are not among them.
pub(crate) fn marked(all: &[Proc], mark: &str) -> BTreeSet<Id> {
    let own = std::process::id();
    all.iter().filter(|p| p.id != own && !p.dead && is_marked(p, mark)).map(|p| p.id).collect()
}

fn is_marked(p: &Proc, mark: &str) -> bool {
    // The parent of the system's own threads, which have no environment.
    const KTHREADD: Id = 2;
    let environ = || std::fs::read(file(p.id, "environ")).unwrap_or_default();
    let mut read = environ();
    if read.is_empty() && p.parent != KTHREADD && p.id != KTHREADD {
        // It may be changing from one program to the next: for that moment it shows none.
        std::thread::sleep(Duration::from_millis(1));
        read = environ();
    }
    read.split(|b| *b == 0).any(|variable| variable == mark.as_bytes())
}

/// The most resident memory that a process ever had, in bytes.
pub(crate) fn peak_memory(id: Id) -> Option<u64> {
    kilobytes(&std::fs::read_to_string(file(id, "status")).ok()?, "VmHWM:")
}

/// The memory of a process, in bytes, with a fair part of what it shares with others.
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
    fn the_name_of_a_program_can_not_mislead() {
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
    fn descendants_belong_to_it_wherever_they_went() {
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
        let ids = |beside: &[Id]| -> Vec<Id> {
            members(&all, 5, &beside.iter().copied().collect()).iter().map(|p| p.id).collect()
        };
        assert_eq!(ids(&[]), [9, 8, 5, 6]);
        assert_eq!(ids(&[3]), [9, 8, 5, 6, 3, 4]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_in_the_table() {
        let own = std::process::id();
        let here = all().unwrap().into_iter().find(|p| p.id == own).unwrap();
        assert!(!here.dead && here.pages > 0);
        assert!(
            peak_memory(own).unwrap() > 1_000_000 && fair_memory(own).is_none_or(|bytes| bytes > 100_000)
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9 ()SZ-]{0,80}") {
            let _ = parse(1, &text);
        }
    }
}
