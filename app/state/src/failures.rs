//! Failures that the user has not seen: since the last mark, or in the last 24 hours, except opened ones. The marks are
//! stored in the browser, so that all of its tabs agree.

use leptos::prelude::*;
use live::{OperationStore, base};
use protocol::{OperationId, State, Time};

/// Storage key; the value is written by [`Marks::text`].
const KEY: &str = "signalbox.looked";
const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Maximum number of opened failures that are remembered.
const MAX_OPENED: usize = 500;

/// What the user has seen.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Marks {
    /// Failures up to this time are seen. Without it, those of the last 24 hours count.
    pub at: Option<Time>,
    /// End of each opened failure: a retry that fails later is not seen. By id; a map would be much more code.
    opened: Vec<(OperationId, Time)>,
}

impl Marks {
    /// Everything up to a time.
    pub fn up_to(at: Time) -> Self {
        Self { at: Some(at), opened: Vec::new() }
    }

    /// The time, then the opened failures as `id=time`, separated by spaces.
    fn text(&self) -> String {
        let opened = self.opened.iter().map(|(id, at)| format!("{id}={at}"));
        self.at.map(|at| at.to_string()).into_iter().chain(opened).collect::<Vec<_>>().join(" ")
    }

    fn read(text: &str) -> Self {
        let mut marks = Self::default();
        for word in text.split_whitespace() {
            match word.split_once('=') {
                None => marks.at = Time::parse(word).ok(),
                Some((id, at)) => {
                    if let (Ok(id), Ok(at)) = (id.parse(), Time::parse(at)) {
                        marks.insert(id, at);
                    }
                }
            }
        }
        marks
    }

    /// Marks a failure that ended at a time as seen; returns whether it was not.
    fn open(&mut self, id: OperationId, at: Time) -> bool {
        if self.has_seen(id, at) {
            return false;
        }
        self.insert(id, at);
        // Ids are ordered by time.
        let too_many = self.opened.len().saturating_sub(MAX_OPENED);
        self.opened.drain(..too_many);
        true
    }

    fn insert(&mut self, id: OperationId, at: Time) {
        match self.place_of(id) {
            Ok(place) => self.opened[place].1 = at,
            Err(place) => self.opened.insert(place, (id, at)),
        }
    }

    /// Place of a failure, or where it would be.
    fn place_of(&self, id: OperationId) -> Result<usize, usize> {
        self.opened.binary_search_by(|(known, _)| known.cmp(&id))
    }

    fn has_seen(&self, id: OperationId, at: Time) -> bool {
        self.at.is_some_and(|seen| at <= seen)
            || self.place_of(id).is_ok_and(|place| at <= self.opened[place].1)
    }

    /// Start of the range: the last mark, or 24 hours before `now`, rounded to the minute.
    fn since(&self, now: impl FnOnce() -> Time) -> Time {
        let day = |now: Time| Time::from_micros(now.micros().div_euclid(MINUTE) * MINUTE).plus_micros(-DAY);
        self.at.unwrap_or_else(|| day(now()))
    }
}

fn stored() -> Marks {
    let storage = window().local_storage().ok().flatten();
    let text = storage.and_then(|storage| storage.get_item(&base::scoped(KEY)).ok().flatten());
    text.map(|text| Marks::read(&text)).unwrap_or_default()
}

/// Unseen failures known to the page.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Unseen {
    /// End time and id, newest first.
    pub failed: Vec<(Time, OperationId)>,
    /// All stored failures are known to the page.
    pub whole: bool,
}

impl Unseen {
    /// Whether the failure of an operation is not seen.
    pub fn has(&self, id: OperationId) -> bool {
        self.failed.iter().any(|(_, failed)| *failed == id)
    }

    /// Tracks what [`OperationStore::list`] tracks, and the counts.
    fn of(live: &OperationStore, since: Time, marks: &Marks) -> Self {
        let held = live.list(|state| state == State::Failed).1;
        let whole = live.count(State::Failed) <= held.len() as u64;
        let at = |id: OperationId| live.operation(id).and_then(|cell| cell.ended_at()).map(|at| (at, id));
        let mut failed: Vec<_> = held.into_iter().filter_map(at).collect();
        failed.retain(|(at, id)| *at > since && !marks.has_seen(*id, *at));
        failed.sort_unstable_by(|a, b| b.cmp(a));
        Self { failed, whole }
    }
}

/// Unseen failures and their marks; from the context.
#[derive(Clone, Copy)]
pub struct Failures {
    marks: RwSignal<Marks>,
    /// The browser's marks are read.
    ready: RwSignal<bool>,
    /// The tab is in sight.
    visible: RwSignal<bool>,
    unseen: Memo<Unseen>,
}

impl Failures {
    /// Called once, by the frame.
    pub fn new() -> Self {
        let live = OperationStore::here();
        let (marks, ready, visible) =
            (RwSignal::new(Marks::default()), RwSignal::new(false), RwSignal::new(true));
        // Effects run only in the browser. The handles live as long as the app.
        Effect::new(move |started: Option<()>| {
            if started.is_some() {
                return;
            }
            marks.set(stored());
            ready.set(true);
            let _ = window_event_listener_untyped("storage", move |_| {
                let now = stored();
                marks.maybe_update(|marks| {
                    *marks != now && {
                        *marks = now;
                        true
                    }
                });
            });
            let look = move || visible.set(!document().hidden());
            look();
            let _ = window_event_listener_untyped("visibilitychange", move |_| look());
        });
        let clock = live.clock();
        let since = Memo::new(move |_| marks.with(|marks| marks.since(|| clock.get())));
        let unseen = Memo::new(move |_| marks.with(|marks| Unseen::of(&live, since.get(), marks)));
        Self { marks, ready, visible, unseen }
    }

    /// The page's own, provided by the frame.
    pub fn here() -> Self {
        expect_context::<Failures>()
    }

    /// Unseen failures. Without the browser's marks, those of the last 24 hours.
    pub fn unseen(self) -> Memo<Unseen> {
        self.unseen
    }

    /// Number of unseen failures; 0 until the browser's marks are read. Tracked.
    pub fn count(self) -> usize {
        if self.ready.get() { self.unseen.with(|unseen| unseen.failed.len()) } else { 0 }
    }

    /// What the user has seen. Tracked.
    pub fn marks(self) -> Marks {
        self.marks.get()
    }

    /// Replaces the marks in all tabs.
    pub fn mark(self, marks: Marks) {
        // Without storage the marks last until the page is left.
        if let Some(storage) = window().local_storage().ok().flatten() {
            let _ = storage.set_item(&base::scoped(KEY), &marks.text());
        }
        // An undo may run when the app is gone.
        self.marks.try_set(marks);
    }

    /// Marks failures as seen, once the tab is in sight. Tracks the visibility.
    pub fn open(self, some: impl Iterator<Item = (OperationId, Time)>) {
        if !self.visible.get() || !self.ready.get() {
            return;
        }
        let mut marks = self.marks.get_untracked();
        let mut news = false;
        for (id, at) in some {
            news |= marks.open(id, at);
        }
        if news {
            self.mark(marks);
        }
    }

    /// Marks all failures up to the newest known one as seen, once the tab is in sight. Tracks both.
    pub fn open_all(self) {
        let newest = self.unseen.with(|unseen| unseen.failed.first().map(|(at, _)| *at));
        if let Some(at) = newest.filter(|_| self.visible.get() && self.ready.get()) {
            self.mark(Marks::up_to(at));
        }
    }

    /// Marks the failure of an operation as seen while it is open.
    pub fn watch(self, id: OperationId) {
        let live = OperationStore::here();
        Effect::new(move |_| {
            live.track_list();
            self.open(failed(&live, [id].into_iter()));
        });
    }
}

/// The failed ones of some operations, with their end. Not tracked.
pub fn failed(
    live: &OperationStore,
    some: impl Iterator<Item = OperationId>,
) -> impl Iterator<Item = (OperationId, Time)> {
    some.filter_map(|id| {
        let cell = live.operation(id).filter(|cell| cell.standing().0 == State::Failed)?;
        Some((id, cell.ended_at()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> OperationId {
        format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap()
    }

    #[test]
    fn marks_read_back_from_their_text() {
        let mut marks = Marks::up_to(Time::from_micros(5_000_000));
        assert!(marks.open(id(1), Time::from_micros(9_000_000)));
        assert_eq!(Marks::read(&marks.text()), marks);
        assert_eq!(Marks::read("1970-01-01T00:00:05Z"), Marks::up_to(Time::from_micros(5_000_000)));
        assert_eq!(Marks::read("nonsense a=b"), Marks::default());
    }

    #[test]
    fn an_opened_failure_is_seen_and_that_of_its_retry_is_not() {
        let mut marks = Marks::up_to(Time::from_micros(5));
        assert!(marks.has_seen(id(1), Time::from_micros(5)) && !marks.has_seen(id(1), Time::from_micros(6)));
        assert!(marks.open(id(1), Time::from_micros(6)) && !marks.open(id(1), Time::from_micros(6)));
        assert!(marks.has_seen(id(1), Time::from_micros(6)) && !marks.has_seen(id(2), Time::from_micros(6)));
        assert!(!marks.has_seen(id(1), Time::from_micros(7)), "the retry failed later");
    }

    #[test]
    fn the_last_24_hours_move_with_the_clock() {
        let since = |marks: &Marks, now| marks.since(|| Time::from_micros(now));
        assert_eq!(since(&Marks::default(), 5 * DAY + 7), Time::from_micros(4 * DAY));
        assert_eq!(since(&Marks::default(), 8 * DAY + MINUTE), Time::from_micros(7 * DAY + MINUTE));
        assert_eq!(since(&Marks::up_to(Time::from_micros(9)), 8 * DAY), Time::from_micros(9));
    }

    #[test]
    fn few_opened_failures_are_remembered_and_those_are_the_newest() {
        let mut marks = Marks::default();
        for n in 0..MAX_OPENED as u32 + 2 {
            marks.open(id(n), Time::from_micros(1));
        }
        assert_eq!((marks.opened.len(), marks.opened[0].0), (MAX_OPENED, id(2)));
    }
}
