//! What a host author implements: one [`Work`] per kind of operation.
//!
//! The type-erased form next to the trait lets the registry hold works with different parameters.

use crate::Context;
use crate::work_error::WorkError;
use async_trait::async_trait;
use axum::Router;
use form::Form;
use protocol::host::{Check, ResultDoc};
use protocol::{FieldError, KindSpec, Preview};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// Kind of operation: its parameters, and how it is done.
///
/// # Cancelling
/// [`Work::run`] must check [`Context::check`] (in loops) or [`Context::token`] (in `select!`) and return
/// `Err(WorkError::Cancelled)` soon after a cancel. At the deadline of the cancel, its task is aborted at its next
/// `.await`. A thread that it started (`spawn_blocking`, `std::thread`) can't be aborted: give it a clone of the
/// context and let it call [`Context::check`] often. While a clone of the context exists, the host does not report that
/// the work stopped, and keeps its slot.
#[async_trait]
pub trait Work: Send + Sync + 'static {
    /// Parameters: a flat struct of texts, numbers, switches and choices.
    type Params: DeserializeOwned + JsonSchema + Send + 'static;

    /// Declaration of the kind. `params` comes from [`params_schema`] and may be narrowed at run time, for example to
    /// the configured sources. Called for each `about` and each start; its name must not change while the host runs.
    fn kind(&self) -> KindSpec;

    /// Checks what the schema can't express, before an attempt is accepted. Runs on a blocking thread; it may look at a
    /// file, and should return within a second.
    ///
    /// # Errors
    /// A message for each invalid parameter; the start is refused with them.
    fn check(&self, params: &Self::Params) -> Result<(), Vec<FieldError>> {
        let _ = params;
        Ok(())
    }

    /// Does the work and returns its result, at most 256 KiB as JSON.
    ///
    /// # Errors
    /// [`WorkError::Cancelled`] if it stopped because of a cancel, [`WorkError::Failed`] with what happened, why, and
    /// what to do next.
    async fn run(&self, ctx: Context, params: Self::Params) -> Result<ResultDoc, WorkError>;

    /// Whether aborting its task ends the work, as for everything that the host itself computes. `false` for work that
    /// runs on another service: at the deadline of a cancel, its task is not aborted, the attempt keeps its slot, and
    /// it ends when [`Work::run`] returns. It is still aborted if the server abandons the attempt or starts a newer
    /// one, or the host shuts down.
    fn abortable(&self) -> bool {
        true
    }

    /// Preview of what it would do with these parameters; must not create or change anything. `None` for a kind without
    /// previews. A kind with previews says so in its schema, with [`protocol::preview::PREVIEW_KEY`].
    async fn preview(&self, params: Self::Params) -> Option<Preview> {
        let _ = params;
        None
    }

    /// Checks what this work depends on, for the host's health. Times out after two seconds, and then counts as failed.
    async fn health(&self) -> Vec<Check> {
        Vec::new()
    }

    /// Whether it can run, given the results of [`Work::health`]. While it can't, the server places none of its
    /// operations here; they wait in the queue. By default, all checks must be OK.
    fn ready(&self, checks: &[Check]) -> bool {
        checks.iter().all(|check| check.ok)
    }

    /// Largest number of parallel operations of this kind on this host; `None` for no limit besides the slots. Others
    /// wait in the server's queue without a slot. Must not change while the host runs.
    fn max_parallel(&self) -> Option<u32> {
        None
    }

    /// More routes, mounted below `/host/v1/artifacts`, such as `/bars/{source}/{symbol}/{timeframe}`. They are behind
    /// the same access control as the rest of the host. Return errors as [`crate::ApiError`].
    fn artifacts(self: Arc<Self>) -> Router {
        Router::new()
    }
}

/// Parameters of a work as plain JSON Schema, for [`KindSpec::params`].
pub fn params_schema<P: JsonSchema>() -> Value {
    schemars::schema_for!(P).to_value()
}

/// Work with parsed and checked parameters, ready to run once.
pub(crate) type Prepared =
    Box<dyn FnOnce(Context) -> futures::future::BoxFuture<'static, Result<ResultDoc, WorkError>> + Send>;

/// Preview that is ready to be made.
pub(crate) type PreparedPreview = futures::future::BoxFuture<'static, Option<Preview>>;

/// Reason why parameters were not accepted.
#[derive(Debug)]
pub(crate) enum NotPrepared {
    /// A message for each parameter.
    Fields(Vec<FieldError>),
    /// A bug in the work: its schema is not supported.
    Schema(String),
}

/// [`Work`] with parameters as JSON.
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

/// Adapts a [`Work`] to [`AnyWork`].
pub(crate) struct Typed<W>(pub Arc<W>);

impl<W: Work> Typed<W> {
    /// Parses and checks the parameters.
    fn checked(&self, params: &Value) -> Result<W::Params, NotPrepared> {
        let form = Form::from_schema(&self.0.kind().params).map_err(NotPrepared::Schema)?;
        let filled = form.check(params).map_err(NotPrepared::Fields)?;
        // Parameters that pass the form usually fit the type, but a type may be stricter than its schema.
        let has_secrets = form.fields.iter().any(|field| field.secret);
        let params: W::Params = serde_json::from_value(filled).map_err(|e| {
            // The error may quote a value.
            let why = if has_secrets { String::new() } else { format!(": {e}") };
            NotPrepared::Fields(vec![FieldError::new("", format!("Invalid parameters{why}."))])
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
