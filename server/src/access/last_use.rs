//! Last use of a token or session, until it is stored.

use parking_lot::Mutex;
use protocol::Time;
use std::net::IpAddr;
use store::CredentialUse;

/// Last use since the start of the server, if there was one.
#[derive(Default)]
pub(super) struct LastUse(Mutex<Option<Use>>);

#[derive(Clone, Copy)]
struct Use {
    at: Time,
    from: Option<IpAddr>,
    stored: bool,
}

impl LastUse {
    pub(super) fn note(&self, at: Time, from: Option<IpAddr>) {
        *self.0.lock() = Some(Use { at, from, stored: false });
    }

    /// When, and from which address.
    pub(super) fn latest(&self) -> Option<(Time, Option<IpAddr>)> {
        self.0.lock().map(|used| (used.at, used.from))
    }

    /// The use, unless it is stored; from now on it counts as stored.
    pub(super) fn take(&self, id: &str) -> Option<CredentialUse> {
        let mut used = self.0.lock();
        let used = used.as_mut().filter(|used| !used.stored)?;
        used.stored = true;
        Some(CredentialUse { id: id.to_owned(), at: used.at, from: used.from.map(|ip| ip.to_string()) })
    }
}
