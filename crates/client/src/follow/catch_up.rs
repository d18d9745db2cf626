//! Reading the operation beside its events: lost or late events, and another attempt.

use super::{Change, Events, Follower, RETRY_PAUSE, Source, Update, sentence_of};
use crate::ClientError;
use protocol::Operation;
use protocol::api::OperationDetail;
use std::time::Duration;
use tokio::time::Instant;

/// Age of the last received progress, in seconds of the host's clock, from which on the stream lags.
const MAX_LAG_SECONDS: f64 = 5.0;

impl Follower {
    /// Compares with the operation itself, so that neither a lost event nor a late one is awaited for long.
    pub(super) async fn check(&mut self) -> Result<(), ClientError> {
        self.checked = Instant::now();
        let receives = std::mem::take(&mut self.receives);
        let detail = match self.client.find(self.id).await {
            Ok(Some(detail)) => detail,
            Ok(None) => return self.handle(Change::Deleted).await,
            // The stream or the next try tells.
            Err(_) => return Ok(()),
        };
        self.updates.push_back(Update::Idle);
        let only_state = matches!(self.source, Source::Operation { .. });
        // A stream that brings nothing at all is blocked, which its silence tells.
        let is_late = self.is_behind(&detail.operation) || receives && self.lags(&detail);
        if self.events == Events::Newest && !only_state && is_late {
            self.jump(detail);
            return Ok(());
        }
        if !self.is_behind(&detail.operation) {
            if only_state && !detail.operation.state.ended() {
                self.state(detail.operation);
            }
            return Ok(());
        }
        self.catch_up().await?;
        if self.is_behind(&detail.operation) {
            self.after = self.after.max(detail.seq);
            self.restart(detail.operation, "Some events could not be read.".to_owned());
        }
        Ok(())
    }

    /// Whether this state of the operation is newer, by its attempt or by an end.
    fn is_behind(&self, operation: &Operation) -> bool {
        let known = &self.operation;
        (operation.attempt, operation.state.ended()) > (known.attempt, known.state.ended())
    }

    /// Whether the events of this state are late.
    fn lags(&self, detail: &OperationDetail) -> bool {
        let at = |operation: &Operation| operation.progress.as_ref().map(|progress| progress.at);
        match (at(&detail.operation), at(&self.operation)) {
            (Some(now), Some(known)) => now.seconds_since(known) > MAX_LAG_SECONDS,
            _ => false,
        }
    }

    /// Continues from a current state, and leaves events that are still under way to the old stream.
    fn jump(&mut self, detail: OperationDetail) {
        self.stream = None;
        self.breaks = 0;
        self.after = self.after.max(detail.seq);
        self.state(detail.operation);
    }

    /// Reads the events that the server has now. Without an answer, nothing changes.
    pub(super) async fn catch_up(&mut self) -> Result<(), ClientError> {
        while let Ok(page) = self.client.poll(self.id, self.after, Duration::ZERO).await {
            let empty = page.events.is_empty();
            match self.take_page(page) {
                Change::More if !empty => {}
                Change::More | Change::Damaged => break,
                change => return Box::pin(self.handle(change)).await,
            }
        }
        Ok(())
    }

    /// Continues from the server's current state.
    pub(super) async fn reload(&mut self, why: &str) -> Result<(), ClientError> {
        self.stream = None;
        match self.client.find(self.id).await {
            Ok(Some(detail)) => {
                self.after = detail.seq;
                let why = why.trim_end_matches(" Fetch a new snapshot.");
                let why = format!("Some events were missed. {why} Continuing from the current state.");
                self.restart(detail.operation, why);
            }
            Ok(None) => return Err(ClientError::Deleted(self.id)),
            Err(error) => {
                self.report_error(format!("The operation can't be read: {} Retrying.", sentence_of(&error)));
                self.updates.push_back(Update::Idle);
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
        Ok(())
    }

    /// Whether another attempt follows an end; asks until the server answers.
    pub(super) async fn check_for_new_attempt(&mut self) {
        match self.client.find(self.id).await {
            Ok(Some(detail)) => {
                let operation = detail.operation;
                if operation.state.ended() && operation.attempt == self.operation.attempt {
                    self.over = true;
                } else {
                    // Its events follow. Until then, this end is not one.
                    self.operation.state = operation.state;
                    self.operation.attempt = operation.attempt;
                }
            }
            // It ended, and was deleted at once.
            Ok(None) => self.over = true,
            Err(error) => {
                self.report_error(format!("The operation can't be read: {} Retrying.", sentence_of(&error)));
                self.updates.push_back(Update::Idle);
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    }
}
