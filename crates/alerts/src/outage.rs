//! Outages: alerts that fire together. One message for an outage, one for its end.
//!
//! It compares the alerts that fire with those of its outages, and takes no events. So a lost step or a restart causes
//! neither a missing nor a second message.

use protocol::Time;
use protocol::alerts::AlertSubject;
use serde::{Deserialize, Serialize};

/// Rule and subject of an alert.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct AlertKey {
    pub rule: String,
    #[serde(flatten)]
    pub subject: AlertSubject,
}

/// Alert that fires.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Active {
    pub key: AlertKey,
    /// Its messages are held back.
    pub silenced: bool,
}

/// All outages that have not ended. Persisted.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Outages {
    newest: u64,
    open: Vec<Outage>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Outage {
    number: u64,
    began_at: Time,
    /// Seconds since its first alert, until its message.
    waited: f64,
    /// Whether the message that it began was sent.
    published: bool,
    members: Vec<Member>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Member {
    key: AlertKey,
    is_over: bool,
}

/// Beginning or end of an outage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Firing,
    Resolved,
}

/// Message about an outage.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    /// Number of the outage, the same at its beginning and its end.
    pub outage: u64,
    pub phase: Phase,
    pub began_at: Time,
    pub alerts: Vec<AlertKey>,
}

impl Outages {
    /// Compares the outages with the alerts that fire, and returns the messages to send. An outage is published `wait` seconds
    /// after its first alert; alerts of the same rule or host join it until then.
    pub fn step(&mut self, active: &[Active], wait: f64, elapsed: f64, now: Time) -> Vec<Message> {
        for outage in &mut self.open {
            if !outage.published {
                outage.waited += elapsed.max(0.0);
            }
            for member in &mut outage.members {
                // An alert that fires again before the outage has ended belongs to it.
                member.is_over = !active.iter().any(|active| active.key == member.key);
            }
        }
        // Nothing was published, and nothing is left to publish.
        self.open.retain(|outage| outage.published || !outage.is_over());
        for active in active.iter().filter(|active| !active.silenced) {
            if !self.open.iter().any(|outage| outage.has(&active.key)) {
                self.add(&active.key, now);
            }
        }
        let mut messages = Vec::new();
        for outage in &mut self.open {
            if !outage.published && outage.waited >= wait {
                outage.published = true;
                messages.push(outage.message(Phase::Firing));
            } else if outage.published && outage.is_over() {
                messages.push(outage.message(Phase::Resolved));
            }
        }
        self.open.retain(|outage| !outage.is_over());
        messages
    }

    fn add(&mut self, key: &AlertKey, now: Time) {
        let member = Member { key: key.clone(), is_over: false };
        if let Some(outage) = self.open.iter_mut().find(|outage| !outage.published && outage.is_near(key)) {
            outage.members.push(member);
            return;
        }
        self.newest += 1;
        self.open.push(Outage {
            number: self.newest,
            began_at: now,
            waited: 0.0,
            published: false,
            members: vec![member],
        });
    }
}

impl Outage {
    fn has(&self, key: &AlertKey) -> bool {
        self.members.iter().any(|member| member.key == *key)
    }

    fn is_over(&self) -> bool {
        self.members.iter().all(|member| member.is_over)
    }

    /// Same rule, or same host.
    fn is_near(&self, key: &AlertKey) -> bool {
        self.members.iter().any(|member| {
            member.key.rule == key.rule
                || (key.subject.host.is_some() && member.key.subject.host == key.subject.host)
        })
    }

    fn message(&self, phase: Phase) -> Message {
        let published = self.members.iter().filter(|member| phase == Phase::Resolved || !member.is_over);
        Message {
            outage: self.number,
            phase,
            began_at: self.began_at,
            alerts: published.map(|member| member.key.clone()).collect(),
        }
    }
}
