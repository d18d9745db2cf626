//! What a host author writes: one [`Work`] for each kind of operation.
//!
//! Beside the trait stands its erased form, through which the registry holds works of different params.

use crate::Context;
use async_trait::async_trait;
use axum::Router;
use protocol::host::{Check, ResultDoc};
use protocol::{Failure, FailureReason, FieldError, Form, KindSpec, Preview};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// One kind of operation: what it takes, and how it is done.
///
/// # Cancelling
/// [`Work::run`] is expected to look at [`Context::check`] (in loops) or [`Context::token`] (in `select!`) and
/// to return `Err(WorkError::Cancelled)` soon after a cancel. Past the deadline of the cancel its task is
/// aborted at its next `.await`. A thread that it spawned (`spawn_blocking`, `std::thread`) can't be aborted
/// by anybody: give it a clone of the context and let it call [`Context::check`] often. As long as one clone
/// of the context is alive the host does not say that the work stopped, and keeps its place taken.
#[async_trait]
pub trait Work: Send + Sync + 'static {
    /// The params, as a flat struct of text, numbers, switches and choices.
    type Params: DeserializeOwned + JsonSchema + Send + 'static;

    /// The kind as it is declared. `params` comes from [`params_schema`] and may be narrowed at run time, for
    /// instance by an enum of the sources that are configured. Asked at each `about` and each start; its name
    /// must stay the same for the life of the host.
    fn kind(&self) -> KindSpec;

    /// What the schema can't say. Asked before an attempt is accepted, off the async threads: it may look at a
    /// file, and should answer within a second.
    ///
    /// # Errors
    /// A message for each param that is wrong; the start is refused with them.
    fn check(&self, params: &Self::Params) -> Result<(), Vec<FieldError>> {
        let _ = params;
        Ok(())
    }

    /// Does the work and gives what it leaves behind, at most 256 KiB as JSON.
    ///
    /// # Errors
    /// [`WorkError::Cancelled`] when it stopped because it was asked to, [`WorkError::Failed`] with what
    /// happened, why, and what to do next.
    async fn run(&self, ctx: Context, params: Self::Params) -> Result<ResultDoc, WorkError>;

    /// Whether an abort of its task ends the work; so it is for what the host itself computes. `false` for a work that
    /// runs on another service: past the deadline of a cancel its task is not aborted, the attempt keeps its slot, and
    /// it ends as [`Work::run`] says. It is aborted all the same when the server abandons the attempt, starts a newer
    /// one, or the host shuts down.
    fn abortable(&self) -> bool {
        true
    }

    /// What it would do with these params, for a person who is about to start it: nothing is made or changed. `None`
    /// for a kind without previews. One that has them says so in its schema, by [`protocol::preview::PREVIEW_KEY`].
    async fn preview(&self, params: Self::Params) -> Option<Preview> {
        let _ = params;
        None
    }

    /// What this work depends on, for the host's health. An answer that takes longer than two seconds counts as
    /// not well.
    async fn health(&self) -> Vec<Check> {
        Vec::new()
    }

    /// Whether it can run, going by what [`Work::health`] found. While it can't, the server places none of its operations
    /// here; they wait in the queue. By default every check has to be OK.
    fn ready(&self, checks: &[Check]) -> bool {
        checks.iter().all(|check| check.ok)
    }

    /// How many operations of this kind run at once on this host; `None` for as many as the host has slots. More of them
    /// wait in the server's queue and take no slot. Must stay the same for the life of the host.
    fn max_parallel(&self) -> Option<u32> {
        None
    }

    /// More routes, mounted below `/host/v1/artifacts`, like `/bars/{source}/{symbol}/{timeframe}`. They are
    /// behind the same access checks as the rest of the host. Errors are best answered as [`crate::Refusal`].
    fn artifacts(self: Arc<Self>) -> Router {
        Router::new()
    }
}

/// The params of a work as plain JSON Schema, for [`KindSpec::params`].
pub fn params_schema<P: JsonSchema>() -> Value {
    schemars::schema_for!(P).to_value()
}

/// Why a work ended without a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    /// It was asked to stop and did.
    #[error("the work was cancelled")]
    Cancelled,
    /// It could not do what it was asked to do.
    #[error("{}", .0.message)]
    Failed(Failure),
    /// What it needs could not be reached, and nothing of the work was begun: the attempt goes back into the queue, and
    /// to another host if one is ready. Only for a work that is certain of that: one that may have begun has failed.
    #[error("{0}")]
    NotStarted(String),
}

impl WorkError {
    /// The work itself failed: what happened and why, and what the person can do next (may be empty).
    pub fn failed(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Failed(Failure { reason: FailureReason::Work, message: message.into(), hint: hint.into() })
    }
}

impl From<Failure> for WorkError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A work whose params were read and checked: ready to run once.
pub(crate) type Prepared =
    Box<dyn FnOnce(Context) -> futures::future::BoxFuture<'static, Result<ResultDoc, WorkError>> + Send>;

/// A preview that is ready to be made.
pub(crate) type PreparedPreview = futures::future::BoxFuture<'static, Option<Preview>>;

/// Why params were not taken.
#[derive(Debug)]
pub(crate) enum NotPrepared {
    /// A message for each param.
    Fields(Vec<FieldError>),
    /// A fault of the work: the schema that it declares can't be used.
    Schema(String),
}

/// A [`Work`] whose params are JSON.
#[async_trait]
pub(crate) trait AnyWork: Send + Sync + 'static {
    fn kind(&self) -> KindSpec;
    fn prepare(&self, params: &Value) -> Result<Prepared, NotPrepared>;
    fn abortable(&self) -> bool;
    fn prepare_preview(&self, params: &Value) -> Result<PreparedPreview, NotPrepared>;
    async fn health(&self) -> Vec<Check>;
    fn ready(&self, checks: &[Check]) -> bool;
    fn max_parallel(&self) -> Option<u32>;
    fn artifacts(&self) -> Router;
}

/// Gives a [`Work`] the shape of [`AnyWork`].
pub(crate) struct Typed<W>(pub Arc<W>);

impl<W: Work> Typed<W> {
    /// The params as the work takes them.
    fn checked(&self, params: &Value) -> Result<W::Params, NotPrepared> {
        let form = Form::from_schema(&self.0.kind().params).map_err(NotPrepared::Schema)?;
        let filled = form.check(params).map_err(NotPrepared::Fields)?;
        // What passes the form fits the type as a rule; a type may still be stricter than its schema says.
        let params: W::Params = serde_json::from_value(filled).map_err(|e| {
            NotPrepared::Fields(vec![FieldError::new("", format!("Invalid parameters: {e}."))])
        })?;
        self.0.check(&params).map_err(NotPrepared::Fields)?;
        Ok(params)
    }
}

#[async_trait]
impl<W: Work> AnyWork for Typed<W> {
    fn kind(&self) -> KindSpec {
        self.0.kind()
    }

    fn prepare(&self, params: &Value) -> Result<Prepared, NotPrepared> {
        let params = self.checked(params)?;
        let work = Arc::clone(&self.0);
        Ok(Box::new(move |ctx| Box::pin(async move { work.run(ctx, params).await })))
    }

    fn abortable(&self) -> bool {
        self.0.abortable()
    }

    fn prepare_preview(&self, params: &Value) -> Result<PreparedPreview, NotPrepared> {
        let params = self.checked(params)?;
        let work = Arc::clone(&self.0);
        Ok(Box::pin(async move { work.preview(params).await }))
    }

    async fn health(&self) -> Vec<Check> {
        self.0.health().await
    }

    fn ready(&self, checks: &[Check]) -> bool {
        self.0.ready(checks)
    }

    fn max_parallel(&self) -> Option<u32> {
        self.0.max_parallel()
    }

    fn artifacts(&self) -> Router {
        Arc::clone(&self.0).artifacts()
    }
}
