//! Work of the test host: counts, with gates and faults as its parameters say.

use async_trait::async_trait;
use host_kit::{Context, Work, WorkError};
use parking_lot::Mutex;
use protocol::host::{Artifact, Check, ResultDoc};
use protocol::{ConditionKind, KindSpec, OperationId, SeriesInfo, Summary};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

#[derive(Deserialize, JsonSchema)]
pub struct Params {
    /// Number of steps to count.
    steps: u64,
    /// Wait before the last step until the gate is opened.
    #[serde(default)]
    gated: bool,
    /// Wait before this step until the gate is opened.
    #[serde(default)]
    hold_at: Option<u64>,
    /// Distance of its series above the step.
    #[serde(default)]
    lift: f64,
    /// Steps between checkpoints.
    #[serde(default)]
    checkpoint: Option<u64>,
    /// Keep position and sum in a file of the checkpoint.
    #[serde(default)]
    in_file: bool,
    /// A host that looks at these parameters fails.
    #[serde(default)]
    faulty: bool,
    /// Ignores its cancel, says that it can't be stopped, and succeeds when the gate is opened.
    #[serde(default)]
    deaf: bool,
    /// Path of an artifact in its result.
    #[serde(default)]
    artifact: Option<String>,
    /// Can't begin before the gate is opened.
    #[serde(default)]
    needs_gate: bool,
    /// Used by one operation at a time.
    #[serde(default)]
    #[expect(dead_code, reason = "the server reads it")]
    abacus: Option<String>,
    /// Secret that the host notes.
    #[serde(default)]
    #[schemars(extend("format" = "password"))]
    token: Option<String>,
}

/// What a test sees of the work, across restarts of the host.
#[derive(Default)]
pub struct WorkLog {
    pub starts: HashMap<OperationId, u32>,
    pub resumed_from: HashMap<OperationId, Value>,
    pub tokens: HashMap<OperationId, Vec<String>>,
}

pub struct Count {
    pub gate: watch::Receiver<bool>,
    pub ready: watch::Receiver<bool>,
    pub seen: Arc<Mutex<WorkLog>>,
}

#[async_trait]
impl Work for Count {
    type Params = Params;

    fn kind(&self) -> KindSpec {
        KindSpec {
            name: "test.count".parse().unwrap(),
            title: "Count".into(),
            description: "Counts, a step a millisecond.".into(),
            summary: Summary("to {steps}".into()),
            params: {
                let mut schema = host_kit::params_schema::<Params>();
                schema["x-exclusive"] = json!(["abacus"]);
                schema
            },
            phases: vec!["count".into()],
            series: vec![SeriesInfo {
                name: "steps".into(),
                title: "Steps".into(),
                unit: String::new(),
                x: "step".into(),
            }],
            resumable: true,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Vec<protocol::FieldError>> {
        assert!(!params.faulty, "faulty");
        Ok(())
    }

    async fn health(&self) -> Vec<Check> {
        vec![Check { name: "abacus".into(), ok: *self.ready.borrow(), message: String::new() }]
    }

    async fn run(&self, ctx: Context, params: Params) -> Result<ResultDoc, WorkError> {
        if params.needs_gate && !*self.gate.borrow() {
            return Err(WorkError::NotStarted("The gate is closed.".into()));
        }
        {
            let mut seen = self.seen.lock();
            *seen.starts.entry(ctx.id()).or_default() += 1;
            seen.tokens.entry(ctx.id()).or_default().extend(params.token);
            if let Some(from) = ctx.resume_from() {
                seen.resumed_from.insert(ctx.id(), from.state.clone());
            }
        }
        ctx.phase(1, "count");
        ctx.set_total("steps", Some(params.steps));
        ctx.log(protocol::LogLevel::Info, format!("counting to {}", params.steps));
        let mut gate = self.gate.clone();
        if params.deaf {
            let mut gate = self.gate.clone();
            let opened = async move { drop(gate.wait_for(|open| *open).await) };
            tokio::pin!(opened);
            tokio::select! {
                () = &mut opened => {}
                () = ctx.token().cancelled() => {
                    ctx.condition(ConditionKind::Unstoppable, "It can't be stopped.");
                    opened.await;
                }
            }
            return Ok(ResultDoc { document: json!({}), ..ResultDoc::default() });
        }
        let file = ctx.resume_file("count.json").map(|path| std::fs::read(path).unwrap());
        let (done, mut sum): (u64, u64) =
            file.map_or((0, 0), |bytes| serde_json::from_slice(&bytes).unwrap());
        for step in done + 1..=params.steps {
            sum += step;
            ctx.check()?;
            if (params.gated && step == params.steps) || params.hold_at == Some(step) {
                gate.wait_for(|open| *open).await.map_err(|_| WorkError::Cancelled)?;
            }
            ctx.set_done(step);
            if step <= 100 {
                ctx.point("steps", step as f64, step as f64 + params.lift);
            }
            if params.checkpoint == Some(step) && params.in_file {
                let file = host_kit::SavedFile::bytes("count.json", json!([step, sum]).to_string());
                ctx.checkpoint_with(format!("{step} steps"), json!(step), vec![file]).unwrap();
            } else if params.checkpoint == Some(step) {
                ctx.checkpoint(format!("{step} steps"), json!(step)).unwrap();
            }
            tokio::select! {
                () = ctx.token().cancelled() => return Err(WorkError::Cancelled),
                () = tokio::time::sleep(Duration::from_millis(1)) => {}
            }
        }
        let document = match params.in_file {
            true => json!({"steps": params.steps, "sum": sum, "from": done}),
            false => json!({"steps": params.steps}),
        };
        let artifact = |path| Artifact {
            name: "counted".into(),
            media_type: "text/plain".into(),
            path,
            description: String::new(),
        };
        let artifacts = params.artifact.map(artifact).into_iter().collect();
        Ok(ResultDoc { document, artifacts, ..ResultDoc::default() })
    }
}
