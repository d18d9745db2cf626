//! Groups: alerts that fire together cause one notification when they fire, and one when all are resolved.
//!
//! Each step compares the firing alerts with those of the groups, and takes no events. So a lost step or a restart
//! causes neither a missing nor a second notification.

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

/// Firing alert.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Active {
    pub key: AlertKey,
    /// A silence mutes its notifications.
    pub silenced: bool,
}

/// All groups that have not ended. Persisted.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct AlertGroups {
    newest: u64,
    open: Vec<AlertGroup>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct AlertGroup {
    number: u64,
    began_at: Time,
    /// Seconds since the first alert, until the notification.
    waited: f64,
    /// Whether the notification of its start was sent.
    published: bool,
    members: Vec<Member>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Member {
    key: AlertKey,
    is_over: bool,
}

/// Beginning or end of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Firing,
    Resolved,
}

/// Notification about a group.
#[derive(Clone, PartialEq, Debug)]
pub struct Notification {
    /// Number of the group, the same at its beginning and its end.
    pub group: u64,
    pub phase: Phase,
    pub began_at: Time,
    pub alerts: Vec<AlertKey>,
}

impl AlertGroups {
    /// Compares the groups with the firing alerts, and returns the notifications to send. A group is published `wait`
    /// seconds after its first alert; alerts of the same rule or host join it until then.
    pub fn step(&mut self, active: &[Active], wait: f64, elapsed: f64, now: Time) -> Vec<Notification> {
        for group in &mut self.open {
            if !group.published {
                group.waited += elapsed.max(0.0);
            }
            for member in &mut group.members {
                // An alert that fires again before the group has ended belongs to it.
                member.is_over = !active.iter().any(|active| active.key == member.key);
            }
        }
        // Nothing was published, and nothing is left to publish.
        self.open.retain(|group| group.published || !group.is_over());
        for active in active.iter().filter(|active| !active.silenced) {
            if !self.open.iter().any(|group| group.has(&active.key)) {
                self.add(&active.key, now);
            }
        }
        let mut notifications = Vec::new();
        for group in &mut self.open {
            if !group.published && group.waited >= wait {
                group.published = true;
                notifications.push(group.notification(Phase::Firing));
            } else if group.published && group.is_over() {
                notifications.push(group.notification(Phase::Resolved));
            }
        }
        self.open.retain(|group| !group.is_over());
        notifications
    }

    fn add(&mut self, key: &AlertKey, now: Time) {
        let member = Member { key: key.clone(), is_over: false };
        if let Some(group) = self.open.iter_mut().find(|group| !group.published && group.is_near(key)) {
            group.members.push(member);
            return;
        }
        self.newest += 1;
        self.open.push(AlertGroup {
            number: self.newest,
            began_at: now,
            waited: 0.0,
            published: false,
            members: vec![member],
        });
    }
}

impl AlertGroup {
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

    fn notification(&self, phase: Phase) -> Notification {
        let published = self.members.iter().filter(|member| phase == Phase::Resolved || !member.is_over);
        Notification {
            group: self.number,
            phase,
            began_at: self.began_at,
            alerts: published.map(|member| member.key.clone()).collect(),
        }
    }
}
