//! Requests of users and programs: start, cancel, retry, resume, drain.

use super::{CancelledOperations, Engine, Started, Which, bands};
use crate::command::{Command, NewOperation};
use crate::error::EngineError;
use crate::kind_registry::Checked;
use crate::lifecycle::Message;
use protocol::alerts::AlertSummary;
use protocol::api::{HostStatus, StartOperation, StartWithRule};
use protocol::operation::AttemptOrigin;
use protocol::{FieldError, HostName, KindName, Operation, OperationId, SetRule, State, Time};
use serde_json::Value;
use std::sync::Arc;
use store::Filter;
use tokio::sync::oneshot;

impl Engine {
    /// Starts an operation: checks it, stores it, and places it if a host has a free slot.
    ///
    /// # Errors
    /// `UnknownKind`, `InvalidParams` with a message for each parameter, `KeyReused`, or `Unwritable` while nothing can
    /// be stored. Nothing was started then.
    pub async fn start(&self, request: StartOperation, key: Option<String>) -> Result<Started, EngineError> {
        self.start_under(None, request, None, key).await
    }

    /// Like [`Engine::start`], with an auto-cancel rule from the first point on.
    ///
    /// # Errors
    /// Also `InvalidParams` for an invalid rule.
    pub async fn start_with_rule(
        &self,
        request: StartWithRule,
        key: Option<String>,
    ) -> Result<Started, EngineError> {
        let StartWithRule { start, rule } = request;
        if let Some(rule) = &rule {
            bands::check(rule)?;
        }
        self.start_under(None, start, rule, key).await
    }

    /// Like [`Engine::start`], for a child operation, which ends when its parent is cancelled or finally fails.
    ///
    /// # Errors
    /// Also `ParentEnding` if the parent has ended or is being cancelled.
    pub async fn start_child(
        &self,
        parent: OperationId,
        request: StartOperation,
        key: String,
    ) -> Result<Started, EngineError> {
        self.start_under(Some(parent), request, None, Some(key)).await
    }

    /// Parameters as a host would get them, with markers for secret values.
    ///
    /// # Errors
    /// `UnknownKind`, or `InvalidParams` with a message for each parameter.
    pub fn check(&self, kind: &KindName, params: &Value) -> Result<Value, EngineError> {
        self.shared.kind_registry.check(kind, params).map(|checked| checked.params)
    }

    /// Operation as last published, if in memory; operations that have not ended always are.
    pub fn recent_operation(&self, id: OperationId) -> Option<Operation> {
        self.shared.view.read().operation(id).cloned()
    }

    /// The operation that an earlier request with this idempotency key started.
    ///
    /// # Errors
    /// `KeyReused` if that was another request, or `KeyOfDeleted`.
    pub async fn earlier_start(
        &self,
        request: &StartWithRule,
        key: String,
    ) -> Result<Option<Started>, EngineError> {
        self.started_before(request, key).await
    }

    async fn started_before(
        &self,
        request: &StartWithRule,
        key: String,
    ) -> Result<Option<Started>, EngineError> {
        let wanted = key.clone();
        let Some((id, before)) = self.stored(move |store| store.key(&wanted)).await? else { return Ok(None) };
        if !self.shared.secret_params.is_same_request(&before, request, &key) {
            return Err(EngineError::KeyReused);
        }
        match self.operation(id).await {
            Ok(detail) => Ok(Some(Started { operation: detail.operation, new: false })),
            Err(EngineError::OperationNotFound(_)) => Err(EngineError::KeyOfDeleted),
            Err(error) => Err(error),
        }
    }

    async fn start_under(
        &self,
        parent: Option<OperationId>,
        start: StartOperation,
        rule: Option<SetRule>,
        key: Option<String>,
    ) -> Result<Started, EngineError> {
        self.storable()?;
        let request = StartWithRule { start, rule };
        if let Some(key) = key.clone()
            && let Some(before) = self.started_before(&request, key).await?
        {
            return Ok(before);
        }
        let checked = self.shared.kind_registry.check(&request.start.kind, &request.start.params)?;
        let Checked { params, secrets, secret_names, title } = checked;
        let id = OperationId::new();
        let secrets = self.shared.secret_params.seal(id, secrets)?;
        // From here on, no secret value is left.
        let of_key = key.as_deref().unwrap_or_default();
        let wanted = self.shared.secret_params.stored_form(&request, &secret_names, of_key);
        let StartWithRule { start: request, rule } = request;
        let priority = request.priority;
        if !(-100..=100).contains(&priority) {
            let error = FieldError::new("priority", "Priority must be a whole number from -100 to 100.");
            return Err(EngineError::InvalidParams(vec![error]));
        }
        let kind = request.kind;
        let rule = match rule {
            None => None,
            Some(rule) => {
                let of = Operation::queued(id, kind.clone(), title.clone(), Value::Null, Time::now());
                let baseline = self.read_envelope(&of, rule.series.clone(), true).await?;
                Some((rule, baseline))
            }
        };
        let new = Box::new(NewOperation {
            id,
            kind,
            title,
            params,
            secrets,
            priority,
            parent,
            key,
            request: wanted,
            rule,
        });
        let (reply, answer) = oneshot::channel();
        self.send_command(Command::Start { new, by: self.by.clone(), reply }).await?;
        let (operation, new) = answer.await.map_err(|_| EngineError::Closing)??;
        Ok(Started { operation, new })
    }

    /// Requests a cancel; returns when the request is durable, not when the operation has ended. While nothing can be
    /// stored, the request is sent to the host at once, and the returned receipt says that it is not stored yet.
    ///
    /// # Errors
    /// `OperationNotFound`, or `Denied` if it has ended.
    pub async fn cancel(&self, id: OperationId, reason: String) -> Result<Operation, EngineError> {
        self.request(id, Message::Cancel { reason }).await
    }

    /// Abandons an attempt whose host is unreachable: it fails, and later reports about it are ignored.
    ///
    /// # Errors
    /// `OperationNotFound`, or `Denied` if it has ended or its host is connected.
    pub async fn abandon(&self, id: OperationId, reason: String) -> Result<Operation, EngineError> {
        self.request(id, Message::Abandon { reason }).await
    }

    /// Makes another attempt of a failed or cancelled operation.
    ///
    /// # Errors
    /// `OperationNotFound`, `Denied` if its state does not allow it or there is no checkpoint to resume from, or
    /// `SecretsUnreadable` if its secret parameters can't be decrypted.
    pub async fn again(&self, id: OperationId, origin: AttemptOrigin) -> Result<Operation, EngineError> {
        self.shared.secret_params.check(id).await?;
        self.request(id, Message::Again { origin }).await
    }

    async fn request(&self, id: OperationId, request: Message) -> Result<Operation, EngineError> {
        // A cancel is sent to the host even if it can't be stored.
        if !matches!(request, Message::Cancel { .. }) {
            self.storable()?;
        }
        let ended = self.stored_unless_live(id).await?;
        let ruled = ended.as_ref().is_some_and(|stored| stored.operation.rule.is_some());
        let band = if ruled { self.stored(move |store| store.rule_band(id)).await? } else { None };
        let band = band.map(|kept| Arc::new(kept.baseline));
        let (reply, answer) = oneshot::channel();
        self.send_command(Command::Request { id, request, by: self.by.clone(), ended, band, reply }).await?;
        answer.await.map_err(|_| EngineError::Closing)?
    }

    /// Cancels many operations: those listed, or all that a filter matches and that have not ended. Returns when each
    /// request is durable, or was sent to its host while nothing can be stored.
    ///
    /// # Errors
    /// `Unreadable` if the store can't be read.
    pub async fn cancel_many(
        &self,
        which: Which,
        reason: String,
    ) -> Result<CancelledOperations, EngineError> {
        let ids = match which {
            Which::These(ids) => ids,
            Which::Found(filter) => self.found(*filter, |state| !state.ended(), |o| Some(o.id)).await?,
        };
        // All requests are sent before the first response is awaited, so that they share a commit.
        let mut answers = Vec::with_capacity(ids.len());
        let mut outcome = CancelledOperations::default();
        for id in ids {
            let ended = self.stored_unless_live(id).await?;
            let (reply, answer) = oneshot::channel();
            let request = Message::Cancel { reason: reason.clone() };
            self.send_command(Command::Request {
                id,
                request,
                by: self.by.clone(),
                ended,
                band: None,
                reply,
            })
            .await?;
            answers.push((id, answer));
        }
        for (id, answer) in answers {
            match answer.await.map_err(|_| EngineError::Closing)? {
                Ok(operation) => {
                    outcome.requested.push(id);
                    outcome.not_stored |= operation.receipt.is_some_and(|receipt| receipt.not_stored);
                }
                Err(error) => outcome.refused.push((id, error)),
            }
        }
        Ok(outcome)
    }

    /// Reads all operations in the given states that a filter matches, page by page, and maps each.
    pub(super) async fn found<T>(
        &self,
        mut filter: Filter,
        wanted: impl Fn(&State) -> bool,
        of: impl Fn(&Operation) -> Option<T>,
    ) -> Result<Vec<T>, EngineError> {
        if filter.states.is_empty() {
            filter.states = State::ALL.to_vec();
        }
        filter.states.retain(wanted);
        if filter.states.is_empty() {
            return Ok(Vec::new());
        }
        filter.limit = 500;
        let mut found = Vec::new();
        loop {
            let page = {
                let filter = filter.clone();
                self.stored(move |store| store.page(&filter)).await?
            };
            found.extend(page.operations.iter().filter_map(&of));
            match page.next {
                Some(next) => filter.after = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// Publishes the summary of the server's alerts in the feed and in snapshots.
    ///
    /// # Errors
    /// `Closing` while the engine stops.
    pub async fn publish_alerts(&self, alerts: AlertSummary) -> Result<(), EngineError> {
        self.send_command(Command::Alerts(alerts)).await
    }

    /// Drains or undrains a host. Its operations continue. Persists across restarts.
    ///
    /// # Errors
    /// `HostNotFound` if no host with that name is configured.
    pub async fn drain(&self, host: HostName, on: bool) -> Result<HostStatus, EngineError> {
        self.storable()?;
        let (reply, answer) = oneshot::channel();
        self.send_command(Command::Drain { host, on, by: self.by.clone(), reply }).await?;
        answer.await.map_err(|_| EngineError::Closing)?
    }
}
