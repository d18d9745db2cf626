//! Declared command as a work of the host.

use crate::command::{Declared, declare};
use crate::config::{ConfigError, ExecConfig};
use crate::keeper::{Job, Shared, keep};
use crate::owner::Owner;
use crate::sandbox::{Launcher, Sandbox};
use async_trait::async_trait;
use host_kit::{CancellationToken, Context, Work, WorkError};
use protocol::host::{Check, ResultDoc};
use protocol::{FieldError, KindSpec};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

/// Work of a kind `exec.<name>`.
pub struct ExecWork {
    declared: Arc<Declared>,
    shared: Arc<Shared>,
}

/// Works of a configuration, one per command, in file order. Relative folders are below `base`, usually the folder of
/// the configuration file. `owner` identifies the host, so that its next process finds commands that it left running.
/// `launcher` starts sandboxed commands. Blocks for some milliseconds if there are any, for a check of the system.
///
/// # Errors
/// The first mistake in the configuration, with its kind and key, or a sandbox that this system can't provide.
pub fn works(
    config: &ExecConfig,
    base: &Path,
    owner: Owner,
    launcher: Launcher,
) -> Result<Vec<ExecWork>, ConfigError> {
    let declared = declare(config, base)?;
    for one in &declared {
        let possible =
            one.sandbox.as_ref().map_or(Ok(()), |sandbox: &Sandbox| sandbox.check_system(&launcher));
        possible.map_err(|(key, what)| ConfigError {
            kind: one.spec.name.to_string(),
            key: key.to_owned(),
            what,
        })?;
    }
    let shared = Arc::new(Shared { owner, launcher, ..Shared::default() });
    let work = |declared: Declared| ExecWork { declared: Arc::new(declared), shared: Arc::clone(&shared) };
    Ok(declared.into_iter().map(work).collect())
}

/// Parameters of a command. Their schema comes from the configuration; see [`Work::kind`].
#[derive(Deserialize, Debug)]
#[serde(transparent)]
pub struct ExecParams(Map<String, Value>);

impl JsonSchema for ExecParams {
    fn schema_name() -> Cow<'static, str> {
        "ExecParams".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object"})
    }
}

#[async_trait]
impl Work for ExecWork {
    type Params = ExecParams;

    fn kind(&self) -> KindSpec {
        self.declared.spec.clone()
    }

    fn check(&self, params: &ExecParams) -> Result<(), Vec<FieldError>> {
        self.declared.check(&params.0)
    }

    async fn run(&self, ctx: Context, params: ExecParams) -> Result<ResultDoc, WorkError> {
        let (vector, set_env) = self.declared.fill(&params.0);
        let (declared, shared) = (Arc::clone(&self.declared), Arc::clone(&self.shared));
        let job = Job { declared, shared, vector, set_env };
        // The supervisor outlives this future, and learns of its drop by this guard.
        let abandon = CancellationToken::new();
        let _dropped = abandon.clone().drop_guard();
        match tokio::spawn(keep(job, ctx, abandon)).await {
            Ok(ended) => ended,
            Err(gone) => match gone.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(WorkError::Cancelled),
            },
        }
    }

    fn max_parallel(&self) -> Option<u32> {
        self.declared.max_parallel
    }

    async fn health(&self) -> Vec<Check> {
        let declared = Arc::clone(&self.declared);
        let name = declared.spec.name.to_string();
        let found = tokio::task::spawn_blocking(move || declared.program()).await;
        let why = match found {
            Ok(Ok(_)) => None,
            Ok(Err(why)) => Some(why),
            Err(e) => Some(format!("Cannot check the program: {e}.")),
        };
        vec![Check { name, ok: why.is_none(), message: why.unwrap_or_default() }]
    }
}
