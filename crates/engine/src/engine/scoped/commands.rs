//! Requests within a scope: start, cancel, retry, resume, delete, rules.

use super::Scoped;
use crate::engine::{CancelledOperations, Started, Which};
use crate::error::{Denied, EngineError};
use protocol::api::{Deleted, StartWithRule};
use protocol::operation::AttemptOrigin;
use protocol::{KindName, Operation, OperationId, Preview, SetRule};
use serde_json::Value;

impl Scoped {
    /// Starts an operation, with an optional auto-cancel rule. Each scope has idempotency keys of its own: others' keys
    /// would tell of their operations.
    ///
    /// # Errors
    /// `KindOutOfScope`, or as [`crate::Engine::start_with_rule`].
    pub async fn start_with_rule(
        &self,
        request: StartWithRule,
        key: Option<String>,
    ) -> Result<Started, EngineError> {
        self.require_kind(&request.start.kind)?;
        let key = key.map(|key| self.own_key(key));
        let started = self.engine.start_with_rule(request, key).await;
        let Started { operation, new } = started.map_err(|error| self.of_visible_kinds(error))?;
        Ok(Started { operation: self.seen(operation), new })
    }

    /// The operation that an earlier request with this idempotency key started.
    ///
    /// # Errors
    /// As [`crate::Engine::earlier_start`].
    pub async fn earlier_start(
        &self,
        request: &StartWithRule,
        key: String,
    ) -> Result<Option<Started>, EngineError> {
        let started = self.engine.earlier_start(request, self.own_key(key)).await?;
        Ok(started.map(|Started { operation, new }| Started { operation: self.seen(operation), new }))
    }

    /// Idempotency key as it is stored: each scope has its own.
    fn own_key(&self, key: String) -> String {
        match self.scope() {
            None => key,
            Some(scope) => format!("{scope}\n{key}"),
        }
    }

    /// Preview of a kind with parameters.
    ///
    /// # Errors
    /// `KindOutOfScope`, or as [`crate::Engine::preview`].
    pub async fn preview(&self, kind: KindName, params: &Value) -> Result<Preview, EngineError> {
        self.require_kind(&kind)?;
        self.engine.preview(kind, params).await.map_err(|error| self.of_visible_kinds(error))
    }

    /// Requests a cancel.
    ///
    /// # Errors
    /// `OperationNotFound`, or `Denied` if it has ended.
    pub async fn cancel(&self, id: OperationId, reason: String) -> Result<Operation, EngineError> {
        self.require(id).await?;
        self.engine.cancel(id, reason).await.map(|operation| self.seen(operation))
    }

    /// Abandons an attempt whose host is unreachable.
    ///
    /// # Errors
    /// `OperationNotFound`, or `Denied`.
    pub async fn abandon(&self, id: OperationId, reason: String) -> Result<Operation, EngineError> {
        self.require(id).await?;
        self.engine.abandon(id, reason).await.map(|operation| self.seen(operation))
    }

    /// Makes another attempt.
    ///
    /// # Errors
    /// `OperationNotFound`, or `Denied`.
    pub async fn again(&self, id: OperationId, origin: AttemptOrigin) -> Result<Operation, EngineError> {
        self.require(id).await?;
        let again = self.engine.again(id, origin).await.map(|operation| self.seen(operation));
        again.map_err(|error| match error {
            // Parents are in no scope.
            EngineError::Denied(Denied::ParentBeingCancelled) if self.limited.is_some() => {
                Denied::BeingCancelled.into()
            }
            error => error,
        })
    }

    /// Sets the auto-cancel rule of an operation.
    ///
    /// # Errors
    /// As [`crate::Engine::set_rule`].
    pub async fn set_rule(&self, id: OperationId, wanted: SetRule) -> Result<Operation, EngineError> {
        self.require(id).await?;
        self.engine.set_rule(id, wanted).await.map(|operation| self.seen(operation))
    }

    /// Removes the rule of an operation.
    ///
    /// # Errors
    /// `OperationNotFound`, or `Denied` if it has ended.
    pub async fn drop_rule(&self, id: OperationId) -> Result<Operation, EngineError> {
        self.require(id).await?;
        self.engine.drop_rule(id).await.map(|operation| self.seen(operation))
    }

    /// Cancels many operations.
    ///
    /// # Errors
    /// `Unreadable` if the store can't be read.
    pub async fn cancel_many(
        &self,
        which: Which,
        reason: String,
    ) -> Result<CancelledOperations, EngineError> {
        let (which, unknown) = self.visible(which).await?;
        let mut outcome = self.engine.cancel_many(which, reason).await?;
        outcome.refused.extend(unknown.into_iter().map(|id| (id, EngineError::OperationNotFound(id))));
        Ok(outcome)
    }

    /// Deletes an ended operation.
    ///
    /// # Errors
    /// As [`crate::Engine::delete`].
    pub async fn delete(&self, id: OperationId) -> Result<Deleted, EngineError> {
        self.require(id).await?;
        self.engine.delete(id).await
    }

    /// Deletes many ended operations; `until` is a position in the feed of the scope.
    ///
    /// # Errors
    /// As [`crate::Engine::delete_many`].
    pub async fn delete_many(
        &self,
        which: Which,
        until: Option<u64>,
        dry_run: bool,
    ) -> Result<Deleted, EngineError> {
        let (which, unknown) = self.visible(which).await?;
        let until = match &self.limited {
            Some(limited) => until.map(|number| limited.source_of(number)),
            None => until,
        };
        let mut outcome = self.engine.delete_many(which, until, dry_run).await?;
        outcome.refused += unknown.len() as u64;
        outcome.until = outcome.until.map(|seq| self.number_at(seq));
        Ok(outcome)
    }

    /// Selection without what is not visible, and the listed IDs of that.
    async fn visible(&self, which: Which) -> Result<(Which, Vec<OperationId>), EngineError> {
        if self.limited.is_none() {
            return Ok((which, Vec::new()));
        }
        let ids = match which {
            Which::Found(filter) => {
                let none = Which::These(Vec::new());
                let within = self.within(*filter).map(Box::new);
                return Ok((within.map_or(none, Which::Found), Vec::new()));
            }
            Which::These(ids) => ids,
        };
        let (mut visible, mut unknown) = (Vec::new(), Vec::new());
        for id in ids {
            match self.require(id).await {
                Ok(()) => visible.push(id),
                Err(EngineError::OperationNotFound(_)) => unknown.push(id),
                Err(error) => return Err(error),
            }
        }
        Ok((Which::These(visible), unknown))
    }

    /// Error that names only visible kinds.
    fn of_visible_kinds(&self, mut error: EngineError) -> EngineError {
        if let Some(scope) = self.scope()
            && let EngineError::UnknownKind { known, .. } | EngineError::KindNotKnownYet { known, .. } =
                &mut error
        {
            known.retain(|kind| scope.covers(kind));
        }
        error
    }
}
