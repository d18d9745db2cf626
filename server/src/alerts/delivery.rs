//! Delivery of the messages of one destination, in their order, until each is delivered or given up.

use super::Shared;
use super::email::Mailer;
use super::failed::Failed;
use super::message::Notice;
use super::settings::{Destination, MessageFormat, Transport};
use super::state::Queued;
use super::webhook::Webhook;
use backoff::Backoff;
use protocol::Time;
use protocol::alerts::DeliveryState;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Longest pause between two tries.
const MAX_PAUSE: Duration = Duration::from_secs(600);

/// Delivers for ever. A destination that hangs or fails delays only its own messages.
#[expect(clippy::infinite_loop, reason = "it runs until it is dropped")]
pub(super) async fn deliver(shared: Arc<Shared>, destination: Destination) {
    let backoff = Backoff::new(destination.pause, MAX_PAUSE.max(destination.pause));
    let (tries, name, page) =
        (destination.tries, destination.name.clone(), shared.config.external_url.clone());
    let client = tokio::task::spawn_blocking(move || Client::new(destination, page)).await;
    let client = match client.map_err(|error| error.to_string()).flatten() {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(
                destination = name,
                error,
                "can't set up this destination; it gets no alert notifications until the server restarts"
            );
            return;
        }
    };
    loop {
        let queued = shared.queued.notified();
        tokio::pin!(queued);
        // A message that is queued from now on is noticed.
        queued.as_mut().enable();
        let next = shared.state.lock().next_for(&name);
        let Some((mut message, notice)) = next.and_then(|next| Some((next.clone(), next.notice?))) else {
            queued.await;
            continue;
        };
        let sent = client.send(&message.receipt.id, &notice).await;
        let pause = backoff.ceiling_after(message.receipt.tries);
        let again = apply(&mut message, sent, tries, pause);
        if message.receipt.state == DeliveryState::GaveUp {
            let why = &message.receipt.error;
            tracing::warn!(destination = name, why, "gave up sending an alert notification");
        }
        if !again {
            let mut ended = shared.ended.lock();
            let ended = ended.entry(name.clone()).or_default();
            match message.receipt.state {
                DeliveryState::Delivered => ended.delivered += 1,
                _ => ended.given_up += 1,
            }
        }
        // A receipt is durable before it is shown.
        let newest = || shared.state.lock().stored().with(&message);
        shared.file.save(newest, || shared.state.lock().replace(&message)).await;
        shared.changed.notify_one();
        if again {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Client of a destination.
enum Client {
    Webhook(Webhook, MessageFormat),
    Email(Mailer),
}

impl Client {
    /// Client for a destination; blocks.
    fn new(destination: Destination, page: Option<Url>) -> Result<Self, String> {
        let timeout = destination.timeout;
        match destination.transport {
            Transport::Webhook { url, format } => Ok(Self::Webhook(Webhook::new(url, timeout)?, format)),
            Transport::Email(settings) => Ok(Self::Email(Mailer::new(settings, timeout, page)?)),
        }
    }

    /// Sends a message; returns the status of success.
    async fn send(&self, id: &str, notice: &Notice) -> Result<u16, Failed> {
        match self {
            Client::Webhook(webhook, format) => {
                webhook.send(id, notice.body(*format).to_string().into_bytes()).await
            }
            Client::Email(mailer) => mailer.send(id, notice).await,
        }
    }
}

/// Notes the outcome of a try in a message. Returns whether it is tried again.
fn apply(message: &mut Queued, sent: Result<u16, Failed>, tries: u32, pause: Duration) -> bool {
    let receipt = &mut message.receipt;
    receipt.tries = receipt.tries.saturating_add(1);
    receipt.next_try_at = None;
    match sent {
        Ok(status) => {
            receipt.state = DeliveryState::Delivered;
            receipt.status = Some(status);
            receipt.error.clear();
            message.notice = None;
        }
        Err(Failed::Refused(status, why)) => {
            receipt.status = Some(status);
            message.give_up(&why);
        }
        Err(Failed::Transient(status, why)) => {
            receipt.status = status;
            if receipt.tries < tries {
                let micros = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
                receipt.next_try_at = Some(Time::now().plus_micros(micros));
                receipt.error = why;
                return true;
            }
            message.give_up(&why);
        }
    }
    false
}
