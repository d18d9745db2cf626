//! Location of a run on a service, saved as the checkpoint of an attempt.

use protocol::Checkpoint;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Run on a service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct RunLocation {
    /// Protocol, e.g. `ktrdr-worker`.
    pub protocol: String,
    /// URL of the service.
    pub service: String,
    /// ID of the run on the service.
    pub id: String,
    /// Whether the service confirmed the start. Before that, a start request may have been sent.
    pub started: bool,
    /// Whether the service resumed it from its own checkpoint, which restarts its counters.
    #[serde(default)]
    pub resumed: bool,
    /// First epoch since then.
    #[serde(default)]
    pub first_epoch: u64,
}

impl RunLocation {
    pub fn state(&self) -> Value {
        json!(self)
    }

    /// Checkpoint note.
    pub fn note(&self) -> String {
        let how = if self.started { "runs as" } else { "starts as" };
        format!("{how} {} at {}", self.id, self.service)
    }

    /// # Errors
    /// A message, if the checkpoint is not from an adapter of this service.
    pub fn read(checkpoint: &Checkpoint, protocol: &str, service: &str) -> Result<Self, String> {
        let place: Self = serde_json::from_value(checkpoint.state.clone())
            .map_err(|e| format!("The checkpoint is not from this kind of adapter ({e})."))?;
        if place.protocol != protocol || place.service != service {
            return Err(format!(
                "Run {} is at {}, but this adapter connects to {service}.",
                place.id, place.service
            ));
        }
        Ok(place)
    }
}
