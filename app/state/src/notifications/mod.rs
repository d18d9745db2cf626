//! "Notify me": awaited operations, stored in the browser for all its tabs. Their end is reported by a browser
//! notification while no page is visible, otherwise by a toast.

mod list;
mod notice;

use crate::address;
use crate::toasts::{Act, Toasts};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::hooks::use_navigate;
use list::{Awaited, Ended, how, patience};
use live::api;
use live::base;
use live::{ConnectionStatus, OpView, OperationStore};
use notice::Leave;
use protocol::{OperationId, ProblemType, Time};
use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

/// Storage key.
const KEY: &str = "signalbox.tell";

/// The list; from the context.
#[derive(Clone, Copy)]
pub struct Notifications {
    list: RwSignal<Vec<Awaited>>,
    toasts: Toasts,
}

impl Notifications {
    /// Called once, by the frame.
    pub fn new(toasts: Toasts) -> Self {
        Self { list: RwSignal::default(), toasts }
    }

    /// The page's own, provided by the frame.
    pub fn here() -> Self {
        expect_context::<Notifications>()
    }

    /// Whether the end of an operation is awaited. Tracked.
    pub fn awaits(&self, id: OperationId) -> bool {
        self.list.with(|list| list.iter().any(|awaited| awaited.id == id))
    }

    /// Starts or stops awaiting an operation, and confirms it.
    pub fn toggle(&self, op: OpView) {
        let notifications = *self;
        let title = op.fixed().title.clone();
        if untrack(|| notifications.awaits(op.id)) {
            notifications.change(|list| list.retain(|awaited| awaited.id != op.id));
            notifications.toasts.say(format!("You will not be notified when {title} ends."));
            return;
        }
        notifications.change(|list| list.push(Awaited { id: op.id, title: title.clone() }));
        // Browsers ask for permission only during a click.
        spawn_local(async move {
            let leave = Leave::ask().await;
            notifications.toasts.say(format!("You will be notified when {title} ends: {}", leave.in_words()));
        });
    }

    /// Reads the list as another tab or an earlier visit stored it.
    fn read(&self) {
        let stored_list = stored();
        if self.list.with_untracked(|list| *list != stored_list) {
            self.list.set(stored_list);
        }
    }

    /// Changes the stored list.
    fn change(&self, how: impl FnOnce(&mut Vec<Awaited>)) {
        // Without storage the list is this page's only.
        let mut list = match storage() {
            Some(_) => stored(),
            None => self.list.get_untracked(),
        };
        how(&mut list);
        if let Some(storage) = storage() {
            let _ = storage.set_item(&base::scoped(KEY), &list::write(&list));
        }
        self.list.set(list);
    }

    /// Removes an entry; false when another tab was first.
    fn claim(&self, id: OperationId) -> bool {
        let there = match storage() {
            Some(_) => stored().iter().any(|awaited| awaited.id == id),
            None => untrack(|| self.awaits(id)),
        };
        if there {
            self.change(|list| list.retain(|awaited| awaited.id != id));
        } else {
            self.read();
        }
        there
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

fn stored() -> Vec<Awaited> {
    let text = storage().and_then(|storage| storage.get_item(&base::scoped(KEY)).ok().flatten());
    text.map(|text| list::read(&text)).unwrap_or_default()
}

/// Watches awaited operations as long as the app lives. Called once, by the frame. Its code is loaded with the dialogs.
///
/// # Errors
/// The code can't be loaded.
#[wasm_split(later, wasm_split_path = leptos::wasm_split, preload(load_watch), fallible)]
pub fn watch() -> Result<(), SplitLoaderError> {
    let (live, status, notifications) =
        (OperationStore::here(), ConnectionStatus::here(), Notifications::here());
    let navigate = use_navigate();
    Effect::new(move |started: Option<()>| {
        if started.is_none() {
            notifications.read();
            // Fired by other tabs only. Lives as long as the app, so the handle is not needed.
            let _ = window_event_listener_untyped("storage", move |_| notifications.read());
        }
    });
    let go: Rc<dyn Fn(OperationId)> =
        Rc::new(move |id| navigate(&address::operation(id), Default::default()));
    // An end before this time was missed by this page.
    let opened = StoredValue::new(None::<Time>);
    let under_way = StoredValue::new(HashSet::new());
    // Incremented when an operation ended while an older answer was in flight.
    let overtaken = RwSignal::new(0u32);
    Effect::new(move |_| {
        overtaken.track();
        let list = notifications.list.get();
        status.keep_awake(!list.is_empty());
        if list.is_empty() || !live.seeded().get() {
            return;
        }
        live.track_list();
        if opened.get_value().is_none() {
            opened.set_value(Some(live.seeded_at().get_untracked()));
        }
        for awaited in list {
            let ended = match live.operation(awaited.id) {
                Some(cell) => match cell.end() {
                    Some((state, from, to)) => Some((to, ended_as(state, from, to))),
                    None => continue,
                },
                None => None,
            };
            if under_way.try_update_value(|ids| ids.insert(awaited.id)) != Some(true) {
                continue;
            }
            let (live, status, go) = (live.clone(), status.clone(), go.clone());
            let done = move || {
                under_way.update_value(|ids| {
                    ids.remove(&awaited.id);
                });
            };
            let since = opened.get_value();
            spawn_local(async move {
                // Operations that are not loaded are requested; on failure again at the next change.
                let found = match ended {
                    Some(_) => Some(ended),
                    None => ask(&awaited).await,
                };
                if let Some(found) = found
                    && let Some(wait) = patience(status.role(), document().hidden())
                {
                    let away = found
                        .is_some_and(|(at, _)| at.is_some_and(|at| since.is_some_and(|since| at < since)));
                    let notify = move || {
                        if notifications.claim(awaited.id) {
                            say(notifications.toasts, &awaited, found.map(|(_, ended)| ended), away, go);
                        }
                        done();
                    };
                    set_timeout(notify, Duration::from_millis(wait.into()));
                } else {
                    done();
                    if found.is_none() && live.operation(awaited.id).is_some_and(|cell| cell.end().is_some())
                    {
                        overtaken.update(|n| *n += 1);
                    }
                }
            });
        }
    });
    Ok(())
}

fn ended_as(state: protocol::State, started: Option<Time>, ended: Option<Time>) -> Ended {
    Ended { state, took: started.zip(ended).map(|(from, to)| to.seconds_since(from)) }
}

/// Outcome of an operation that is not loaded: `None` while active or unknown, `Some(None)` when deleted.
type Outcome = Option<Option<(Option<Time>, Ended)>>;

async fn ask(awaited: &Awaited) -> Outcome {
    match outcome(awaited.id).await {
        Ok(outcome) => outcome.await,
        Err(_) => None,
    }
}

/// Rarely needed: loaded with the dialogs.
#[wasm_split(later, wasm_split_path = leptos::wasm_split, fallible)]
fn outcome(id: OperationId) -> Result<Pin<Box<dyn Future<Output = Outcome>>>, SplitLoaderError> {
    Ok(Box::pin(async move {
        match api::operation(id).await {
            Ok(detail) => {
                let op = detail.operation;
                op.state.ended().then(|| Some((op.ended_at, ended_as(op.state, op.started_at, op.ended_at))))
            }
            Err(problem) if problem.kind == ProblemType::NotFound => Some(None),
            Err(_) => None,
        }
    }))
}

/// Notifies: by a browser notification while the page is hidden and permitted, otherwise by a toast that stays.
fn say(toasts: Toasts, awaited: &Awaited, ended: Option<Ended>, away: bool, go: Rc<dyn Fn(OperationId)>) {
    let (id, title) = (awaited.id, &awaited.title);
    let Some(ended) = ended else {
        toasts.warn(format!("{title} was deleted, so its outcome is unknown."));
        return;
    };
    let how = how(ended);
    if document().hidden() && notice::show(title, &how, &id.to_string(), move || go(id)) {
        return;
    }
    let while_away = if away { ", while you were away" } else { "" };
    toasts.offer(format!("{title} {how}{while_away}."), Act::Open(address::operation(id)));
}
