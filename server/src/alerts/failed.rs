//! Failed tries to deliver a message.

/// Why a try failed. The texts contain no secret part of an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Failed {
    /// A later try may work. With the status, if there was a response.
    Transient(Option<u16>, String),
    /// A later try fails, too.
    Refused(u16, String),
}

impl Failed {
    /// No complete response in time.
    pub fn timeout(after: std::time::Duration) -> Self {
        Self::Transient(None, format!("no response within {}", display::format::span(after.as_secs_f64())))
    }
}
