//! The training host and the workers of April 2026: operations, whose curves are read behind a cursor, and which
//! are cancelled by a DELETE.

pub(crate) mod read;

use crate::foreign::Foreign;
use crate::look::Look;
use crate::shape::Node;
use crate::timing::{Timing, seconds};
use crate::wire::{CallError, Wire, escaped};
use async_trait::async_trait;
use serde_json::{Value, json};

/// What a worker is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    Training,
    Backtests,
}

/// The service, for one area.
#[derive(Debug)]
pub(crate) struct Operations {
    wire: Wire,
    area: Area,
    timing: Timing,
}

impl Operations {
    pub fn new(wire: Wire, area: Area, timing: Timing) -> Self {
        Self { wire, area, timing }
    }

    async fn begin(&self, path: &str, body: &Value) -> Result<String, CallError> {
        let answer = self.wire.post(path, body, seconds(self.timing.start)).await?;
        let call = format!("POST {path}");
        Ok(Node::answer(&call, &answer).need("operation_id")?.text()?.to_owned())
    }
}

#[async_trait]
impl Foreign for Operations {
    fn protocol(&self) -> &'static str {
        crate::Protocol::Worker.as_str()
    }

    fn base(&self) -> &str {
        self.wire.base()
    }

    fn unit(&self) -> &'static str {
        match self.area {
            Area::Training => "epochs",
            Area::Backtests => "bars",
        }
    }

    async fn start(&self, id: &str, order: &Value) -> Result<String, CallError> {
        let mut body = order.clone();
        if let Some(body) = body.as_object_mut() {
            body.insert("task_id".to_owned(), json!(id));
        }
        let path = match self.area {
            Area::Training => "/training/start",
            Area::Backtests => "/backtests/start",
        };
        self.begin(path, &body).await
    }

    async fn look(&self, id: &str, from: u64) -> Result<Look, CallError> {
        let id = escaped(id);
        let limit = seconds(self.timing.look);
        let operation = self.wire.get(&format!("/api/v1/operations/{id}"), limit).await?;
        let mut look = read::look(&operation, self.area)?;
        if self.area == Area::Training {
            // The operation repeats its whole history each time, a second old, and none of it at the end; behind the
            // cursor is only what is new. After the end that may be gone too, which is no fault of the run.
            match self.wire.get(&format!("/api/v1/operations/{id}/metrics?cursor={from}"), limit).await {
                Ok(metrics) => match read::metrics(&metrics) {
                    Ok(new) => look.epochs = look.epochs.map(|known| read::together(known, new)),
                    Err(unreadable) => look.epochs = Err(unreadable),
                },
                Err(gone) => tracing::debug!(%gone, "no metrics behind the cursor"),
            }
        }
        Ok(look)
    }

    async fn stop(&self, id: &str, reason: &str) -> Result<(), CallError> {
        let path = format!("/api/v1/operations/{}/cancel?reason={}", escaped(id), escaped(reason));
        let answer = self.wire.delete(&path, seconds(self.timing.stop)).await?;
        match answer.get("success") {
            Some(_) => {
                crate::shape::succeeded(&Node::answer("DELETE /api/v1/operations/{id}/cancel", &answer))
            }
            None => Ok(()),
        }
    }

    async fn go_on(&self, id: &str) -> Option<Result<String, CallError>> {
        let path = match self.area {
            Area::Training => "/training/resume",
            Area::Backtests => "/backtests/resume",
        };
        Some(self.begin(path, &json!({"operation_id": id})).await)
    }

    async fn result(&self, id: &str, seen: &Look) -> Result<Value, CallError> {
        match (&seen.summary, self.area) {
            (Some(summary), _) => Ok(summary.clone()),
            (None, Area::Training) => {
                let path = format!("/training/result/{}", escaped(id));
                self.wire.get(&path, seconds(self.timing.look)).await
            }
            (None, Area::Backtests) => Ok(json!({})),
        }
    }
}
