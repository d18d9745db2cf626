//! Operations that an open page follows: their curves and logs are collected, and the page does not let go of them.

use super::Live;
use crate::live::follow::Curves;
use crate::live::lines::LogBuffer;
use leptos::prelude::*;
use protocol::{Event, EventBody, OperationId};
use std::collections::HashSet;
use std::sync::Arc;

/// Curves and log of an operation while its page is open.
pub struct Follow {
    pub id: OperationId,
    pub log: ArcRwSignal<LogBuffer>,
    pub curves: ArcRwSignal<Curves>,
    /// What hosts said of attempts that were over, oldest first: it changed nothing.
    pub late: ArcRwSignal<Vec<String>>,
}

impl Live {
    /// Starts to collect curves and log of an operation, until [`Live::unfollow`].
    pub fn follow(&self, id: OperationId) -> Arc<Follow> {
        let follow = Arc::new(Follow {
            id,
            log: ArcRwSignal::default(),
            curves: ArcRwSignal::default(),
            late: ArcRwSignal::default(),
        });
        self.0.follows.write().expect("no reader or writer of the follows panics").push(follow.clone());
        follow
    }

    /// Ends what [`Live::follow`] began.
    pub fn unfollow(&self, follow: &Arc<Follow>) {
        let mut follows = self.0.follows.write().expect("no reader or writer of the follows panics");
        follows.retain(|f| !Arc::ptr_eq(f, follow));
    }

    /// Those that an open page follows: it holds their signals, so they stay what they are.
    pub(super) fn followed(&self) -> HashSet<OperationId> {
        let follows = self.0.follows.read().expect("no reader or writer of the follows panics");
        follows.iter().map(|follow| follow.id).collect()
    }

    /// Adds what an event brings to those that follow its operation.
    pub(super) fn follow_event(&self, id: OperationId, event: &Event) {
        let follows = self.0.follows.read().expect("no reader or writer of the follows panics");
        for follow in follows.iter().filter(|f| f.id == id) {
            match &event.body {
                EventBody::Log { attempt, lines, .. } => {
                    follow.log.maybe_update(|log| log.add(*attempt, lines));
                }
                EventBody::Points { attempt, series, .. } => {
                    follow.curves.maybe_update(|curves| curves.add(*attempt, series));
                }
                EventBody::Late { what, .. } => {
                    // A feed that is taken up again may bring it twice.
                    follow.late.maybe_update(|late| {
                        let new = !late.contains(what);
                        if new {
                            late.push(what.clone());
                        }
                        new
                    });
                }
                _ => {}
            }
        }
    }
}
