//! Queries of the audit log, and the check of its hash chain.

use crate::StoreError;
use protocol::{Action, AuditEntry, OperationId, Time};
use std::fmt;
use std::str::FromStr;

/// Storage of audit entries about what is not stored with them. Calls block: use a blocking thread.
pub trait AuditStore: Send + Sync + 'static {
    /// Adds an audit entry without any other change. It survives a loss of power.
    fn add_audit_entry(&self, entry: &AuditEntry) -> Result<(), StoreError>;
}

/// Which audit entries a page has. Empty: all, from the newest.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditFilter {
    pub operation: Option<OperationId>,
    pub action: Option<Action>,
    /// Name of the user or token, in full.
    pub name: Option<String>,
    /// Only refused attempts.
    pub refused: bool,
    /// Only entries from this time on.
    pub since: Option<Time>,
    /// Only entries before this time.
    pub until: Option<Time>,
    /// Only entries with a smaller number.
    pub before: Option<u64>,
}

/// Number and hash of an audit entry. The hash covers this entry and all earlier ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AuditHead {
    pub n: u64,
    pub hash: [u8; 32],
}

/// `NUMBER:HASH`, with the hash in hexadecimal.
impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.n, hex::encode(self.hash))
    }
}

impl FromStr for AuditHead {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORMAT: &str = "expected NUMBER:HASH, with the hash as 64 hexadecimal digits";
        let (n, hash) = text.split_once(':').ok_or(FORMAT)?;
        let mut head = Self { n: n.parse().map_err(|_| FORMAT)?, hash: [0; 32] };
        hex::decode_to_slice(hash, &mut head.hash).map_err(|_| FORMAT)?;
        Ok(head)
    }
}

/// Result of a check of the audit log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuditCheck {
    /// No entry was changed, removed or inserted, as far as the chain shows.
    Intact {
        /// Number of entries.
        entries: u64,
        /// Number of the first entry, if there is one.
        first: Option<u64>,
        /// The newest entry; `None` if there never was one.
        head: Option<AuditHead>,
    },
    /// The chain is broken.
    Broken {
        /// First entry that does not fit.
        n: u64,
        why: AuditBreak,
    },
}

/// How a chain is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuditBreak {
    /// The entry is missing.
    Missing,
    /// The entry, its number or an earlier entry was changed.
    Changed,
    /// The columns that filters search differ from the entry.
    Columns,
    /// The entry has another hash than the given head, or does not exist.
    OtherHead,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_parses_back_from_its_text() {
        let head = AuditHead { n: 12, hash: [0xab; 32] };
        assert_eq!(head.to_string().parse(), Ok(head));
        for wrong in ["", "12", "12:", "x:ab", "12:abcd", &format!("12:{}", "g".repeat(64))] {
            assert!(wrong.parse::<AuditHead>().is_err(), "{wrong}");
        }
    }
}
