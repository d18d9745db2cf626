//! Quotas: how many operations of one user or token may be queued or running at once, by role.

use super::{Caller, Limit, Limits};
use crate::access::Identity;
use http_wire::ApiError;
use parking_lot::Mutex;
use protocol::api::OperationDetail;
use protocol::{Action, OperationId};
use std::collections::HashMap;
use std::net::IpAddr;
use tracing::Instrument;

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
    /// Set when it is started.
    operation: Option<OperationId>,
}

impl AllowedStart {
    /// The operation was started.
    pub fn started(mut self, id: OperationId) {
        self.operation = Some(id);
    }
}

impl Drop for AllowedStart {
    /// The operation replaces its start at once, so that neither both count nor none.
    fn drop(&mut self) {
        let mut active = self.limits.0.active.0.lock();
        if let Some(starting) = active.starting.get_mut(&self.key) {
            *starting -= 1;
            if *starting == 0 {
                active.starting.remove(&self.key);
            }
        }
        if let Some(id) = self.operation {
            active.callers.insert(id, self.key);
        }
    }
}

/// Counts what `start` starts, even if its client disconnects meanwhile: the operation runs all the same. `operation`
/// gives the started operation, if any.
///
/// # Errors
/// Those of `start`.
pub async fn counted<T, E>(
    quota: Option<AllowedStart>,
    start: impl Future<Output = Result<T, E>> + Send + 'static,
    operation: impl Fn(&T) -> Option<OperationId> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let Some(quota) = quota else { return start.await };
    let counting = async move {
        let started = start.await?;
        if let Some(id) = operation(&started) {
            quota.started(id);
        }
        Ok(started)
    };
    match tokio::spawn(counting.in_current_span()).await {
        Ok(started) => started,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
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
                return Ok(Some(AllowedStart { limits: self.clone(), key, operation: None }));
            }
        }
        let what = format!(
            "Quota reached: at most {most} operations of a user, a token, or an address with the role {role} can be \
             queued or running at once. Wait until an operation ends, or cancel an operation"
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LimitSettings;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn a_start_counts_even_if_its_client_disconnects_meanwhile() {
        let limits = Limits::new(LimitSettings::default());
        let key = 7;
        limits.0.active.0.lock().starting.insert(key, 1);
        let quota = AllowedStart { limits: limits.clone(), key, operation: None };
        let (commit, committed) = oneshot::channel::<OperationId>();
        let (ended, end) = oneshot::channel::<()>();
        let start = async move { Ok::<_, ()>((committed.await.unwrap(), ended)) };
        let request = tokio::spawn(counted(Some(quota), start, |(id, _)| Some(*id)));
        tokio::task::yield_now().await;
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        let id = OperationId::new();
        commit.send(id).unwrap();
        // The result is dropped after the operation was counted.
        end.await.unwrap_err();
        let active = limits.0.active.0.lock();
        assert_eq!(active.callers.get(&id), Some(&key));
        assert!(active.starting.is_empty());
    }
}
