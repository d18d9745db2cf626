//! Feeds of the scopes in use.

use super::feed::ScopedFeed;
use crate::feed::{Cursor, Feed};
use crate::kind_registry::KindRegistry;
use crate::view::View;
use parking_lot::{Mutex, RwLock};
use protocol::access::KindScope;
use std::sync::{Arc, Weak};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Number of feeds that are kept without readers.
const MAX_UNUSED: usize = 8;

/// Feeds by scope, the last used one at the end.
#[derive(Default)]
pub(crate) struct ScopedFeeds(Mutex<Vec<Arc<ScopedFeed>>>);

/// What a new feed reads, and where it runs.
pub(crate) struct Sources<'a> {
    pub(crate) feed: &'a Arc<Feed>,
    pub(crate) view: &'a Arc<RwLock<View>>,
    pub(crate) kinds: &'a Arc<KindRegistry>,
    pub(crate) tasks: &'a TaskTracker,
    pub(crate) stop: &'a CancellationToken,
}

impl ScopedFeeds {
    /// Feed of a scope, which begins now if there is none.
    pub(crate) fn get(&self, scope: &KindScope, sources: &Sources<'_>) -> Arc<ScopedFeed> {
        let mut feeds = self.0.lock();
        feeds.retain(|feed| !feed.lost());
        let feed = match feeds.iter().position(|feed| feed.scope() == scope) {
            Some(at) => feeds.remove(at),
            None => begin(scope, sources),
        };
        feeds.push(feed.clone());
        let mut unused = feeds.iter().filter(|feed| Arc::strong_count(feed) == 1).count();
        feeds.retain(|feed| {
            let dropped = unused > MAX_UNUSED && Arc::strong_count(feed) == 1;
            unused -= usize::from(dropped);
            !dropped
        });
        feed
    }
}

fn begin(scope: &KindScope, sources: &Sources<'_>) -> Arc<ScopedFeed> {
    let feed = ScopedFeed::new(scope.clone(), sources.feed, sources.view.clone(), sources.kinds.clone());
    let feed = Arc::new(feed);
    let all = Cursor::new(sources.feed.clone(), sources.feed.head(), None);
    sources.tasks.spawn(follow(Arc::downgrade(&feed), all, sources.stop.clone()));
    feed
}

/// Publishes visible events until nobody uses the feed.
async fn follow(feed: Weak<ScopedFeed>, mut all: Cursor, stop: CancellationToken) {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = all.changed() => {}
        }
        let Some(feed) = feed.upgrade().filter(|feed| !feed.lost()) else { return };
        all.moved_to(feed.update());
    }
}
