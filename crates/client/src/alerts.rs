//! Requests about alerts.

use crate::{Client, ClientError};
use protocol::alerts::{AlertList, NewSilence, RuleList, Silence};
use protocol::paths;

impl Client {
    /// Alerts, resolved ones, silences and notifications.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn alerts(&self) -> Result<AlertList, ClientError> {
        self.get(paths::ALERTS).await
    }

    /// Alert rules.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn alert_rules(&self) -> Result<RuleList, ClientError> {
        self.get(paths::ALERT_RULES).await
    }

    /// Silences alerts.
    ///
    /// # Errors
    /// [`ClientError`]; after [`ClientError::outcome_unknown`], they may have been silenced.
    pub async fn silence_alerts(&self, silence: &NewSilence) -> Result<Silence, ClientError> {
        self.post(paths::ALERT_SILENCES, silence, false).await
    }

    /// Ends a silence.
    ///
    /// # Errors
    /// [`ClientError`], also if it does not exist.
    pub async fn end_silence(&self, id: &str) -> Result<(), ClientError> {
        self.delete(&paths::alert_silence(id)).await
    }
}
