//! Quotas: how many operations of one user or token may be queued or running at once, by role.

use super::{Caller, Limit, Limits};
use crate::access::Identity;
use http_wire::ApiError;
use parking_lot::Mutex;
use protocol::api::OperationDetail;
use protocol::{Action, OperationId};
use std::collections::HashMap;
use std::net::IpAddr;

/// Seconds after which a client may try again: operations run for longer than requests.
const QUOTA_RETRY_SECONDS: u32 = 10;

/// Operations that count for quotas.
#[derive(Default)]
pub(super) struct ActiveOperations(Mutex<Active>);

#[derive(Default)]
struct Active {
    /// Caller that started the current attempt of each operation.
    callers: HashMap<OperationId, u64>,
    /// Starts of each caller that have no operation yet.
    starting: HashMap<u64, u32>,
}

/// Allowed start, which counts until it is dropped; then its operation counts.
pub struct AllowedStart {
    limits: Limits,
    key: u64,
}

impl AllowedStart {
    /// The operation was started.
    pub fn started(self, id: OperationId) {
        self.limits.0.active.0.lock().callers.insert(id, self.key);
    }
}

impl Drop for AllowedStart {
    fn drop(&mut self) {
        let mut active = self.limits.0.active.0.lock();
        if let Some(starting) = active.starting.get_mut(&self.key) {
            *starting -= 1;
            if *starting == 0 {
                active.starting.remove(&self.key);
            }
        }
    }
}

impl Limits {
    /// Allows a start within the quota of the role; `None` without a quota. `is_active` tells whether an operation is
    /// queued or running.
    ///
    /// # Errors
    /// 429 if the sender has as many active operations as the role allows.
    pub fn quota(
        &self,
        identity: &Identity,
        from: Option<IpAddr>,
        is_active: impl Fn(OperationId) -> bool,
    ) -> Result<Option<AllowedStart>, ApiError> {
        let role = identity.role;
        let Some(most) = self.0.settings.active_operations.get(&role).copied() else { return Ok(None) };
        let Some(caller) = self.caller(Some(identity), from) else { return Ok(None) };
        let key = self.key(&caller);
        {
            let mut active = self.0.active.0.lock();
            active.callers.retain(|id, _| is_active(*id));
            let operations = active.callers.values().filter(|of| **of == key).count();
            let starting = active.starting.get(&key).copied().unwrap_or(0);
            if operations + (starting as usize) < most as usize {
                active.starting.insert(key, starting + 1);
                return Ok(Some(AllowedStart { limits: self.clone(), key }));
            }
        }
        let what = format!(
            "Quota reached: at most {most} operations of a user or token with the role {role} can be queued or running \
             at once. Wait until one ends, or cancel one"
        );
        Err(self.too_many(Limit::ActiveOperations, &caller, &what, QUOTA_RETRY_SECONDS))
    }

    /// Whether a role has a quota.
    pub fn has_quotas(&self) -> bool {
        !self.0.settings.active_operations.is_empty()
    }

    /// Counts an operation that was started before the server started, by its audit log.
    pub fn restore(&self, detail: &OperationDetail) {
        let starts = |action| matches!(action, Action::Start | Action::Retry | Action::Resume);
        let Some(last) = detail.audit.iter().rfind(|entry| starts(entry.action)) else { return };
        let caller = match (&last.by.token, &last.by.name) {
            (Some(token), _) => Caller::Token(token),
            (None, Some(user)) => Caller::User(user),
            (None, None) => return,
        };
        let key = self.key(&caller);
        self.0.active.0.lock().callers.entry(detail.operation.id).or_insert(key);
    }
}
