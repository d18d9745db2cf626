//! Where a run is over there: what is kept as the checkpoint of an attempt.

use protocol::Checkpoint;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A run on a service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    /// `ktrdr-worker`.
    pub protocol: String,
    /// The address of the service.
    pub service: String,
    /// The id under which the service knows it.
    pub id: String,
    /// The service said that it started it; before that it is only known that it may have been asked to.
    pub started: bool,
    /// The service resumed it from a checkpoint of its own: what it counts begins anew there.
    #[serde(default)]
    pub resumed: bool,
    /// The first epoch that it trained since then.
    #[serde(default)]
    pub first_epoch: u64,
}

impl Place {
    pub fn state(&self) -> Value {
        json!(self)
    }

    /// For a person.
    pub fn note(&self) -> String {
        let how = if self.started { "runs as" } else { "starts as" };
        format!("{how} {} at {}", self.id, self.service)
    }

    /// # Errors
    /// A sentence, when the checkpoint was not made by an adapter for this service.
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
