//! Training host of October 2025: sessions, started, polled, and stopped with POST.

mod curves;
pub(crate) mod read;

use crate::poll::{PollResult, Position};
use crate::remote_service::{RemoteService, ResumeResponse};
use crate::shape::Node;
use crate::timing::{Timing, seconds};
use crate::wire::{CallError, ServiceClient, escaped};
use async_trait::async_trait;
use serde_json::{Value, json};

/// Client of the service, for training.
#[derive(Debug)]
pub(crate) struct Sessions {
    wire: ServiceClient,
    timing: Timing,
}

impl Sessions {
    pub fn new(wire: ServiceClient, timing: Timing) -> Self {
        Self { wire, timing }
    }
}

#[async_trait]
impl RemoteService for Sessions {
    fn protocol(&self) -> &'static str {
        crate::service::Protocol::Training2025.as_str()
    }

    fn base(&self) -> &str {
        self.wire.base()
    }

    fn unit(&self) -> &'static str {
        "epochs"
    }

    async fn start(&self, id: &str, order: &Value) -> Result<String, CallError> {
        let mut body = order.clone();
        if let Some(body) = body.as_object_mut() {
            body.insert("session_id".to_owned(), json!(id));
        }
        let answer = self.wire.post("/training/start", &body, seconds(self.timing.start)).await?;
        let node = Node::answer("POST /training/start", &answer);
        Ok(node.need("session_id")?.text()?.to_owned())
    }

    async fn poll(&self, id: &str, from: Position) -> Result<PollResult, CallError> {
        let path = format!("/training/status/{}", escaped(id));
        read::poll(&self.wire.get(&path, seconds(self.timing.poll)).await?, from.next_epoch)
    }

    async fn stop(&self, id: &str, _reason: &str) -> Result<(), CallError> {
        let body = json!({"session_id": id, "save_checkpoint": false});
        self.wire.post("/training/stop", &body, seconds(self.timing.stop)).await.map(|_| ())
    }

    async fn resume_run(&self, _id: &str) -> Option<Result<ResumeResponse, CallError>> {
        None
    }

    async fn result(&self, id: &str, _seen: &PollResult) -> Result<Value, CallError> {
        let path = format!("/training/result/{}", escaped(id));
        self.wire.get(&path, seconds(self.timing.poll)).await
    }
}
