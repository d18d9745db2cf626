//! "Tell me when it ends": which operations a person awaits, kept in the browser for all its tabs, and the telling:
//! by a notification of the browser when no page is in sight, else by a note on the page.

mod list;
mod notice;

use crate::api;
use crate::base;
use crate::components::toasts::{Act, Toasts};
use crate::live::{Live, OpView};
use crate::query;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;
use list::{Awaited, Ended, how, patience};
use notice::Leave;
use protocol::{OperationId, ProblemType, Time};
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

/// Where the browser keeps the list.
const KEY: &str = "signalbox.tell";

/// The list; from the context.
#[derive(Clone, Copy)]
pub struct Tell {
    list: RwSignal<Vec<Awaited>>,
    toasts: Toasts,
}

impl Tell {
    /// Called once, by the frame.
    pub fn new(toasts: Toasts) -> Self {
        Self { list: RwSignal::default(), toasts }
    }

    /// The page's own, provided by the frame.
    pub fn here() -> Self {
        expect_context::<Tell>()
    }

    /// Whether somebody is told of its end. Tracked.
    pub fn awaits(&self, id: OperationId) -> bool {
        self.list.with(|list| list.iter().any(|awaited| awaited.id == id))
    }

    /// Awaits the end of an operation, or does not any more; says what is to be expected.
    pub fn toggle(&self, op: OpView) {
        let tell = *self;
        let title = op.fixed().title.clone();
        if untrack(|| tell.awaits(op.id)) {
            tell.change(|list| list.retain(|awaited| awaited.id != op.id));
            tell.toasts.say(format!("You will not be notified when {title} ends."));
            return;
        }
        tell.change(|list| list.push(Awaited { id: op.id, title: title.clone() }));
        // The browser asks only while it is answering a person's click.
        spawn_local(async move {
            let leave = Leave::ask().await;
            tell.toasts.say(format!("You will be notified when {title} ends: {}", leave.in_words()));
        });
    }

    /// Takes up what another tab, or an earlier visit, has left.
    fn read(&self) {
        let kept = stored();
        if self.list.with_untracked(|list| *list != kept) {
            self.list.set(kept);
        }
    }

    /// Changes the list as all tabs see it.
    fn change(&self, how: impl FnOnce(&mut Vec<Awaited>)) {
        // A browser that keeps nothing has but this page's.
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

    /// Takes an end off the list; false when another tab was first.
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

/// Watches over what is awaited, as long as the page lives. Shows nothing itself.
#[component]
pub fn Teller() -> impl IntoView {
    let (live, tell) = (Live::here(), Tell::here());
    let navigate = use_navigate();
    Effect::new(move |started: Option<()>| {
        if started.is_none() {
            tell.read();
            // Told by the other tabs only. For as long as the page lives: its handle is not needed.
            let _ = window_event_listener_untyped("storage", move |_| tell.read());
        }
    });
    let go: Rc<dyn Fn(OperationId)> = Rc::new(move |id| navigate(&query::operation(id), Default::default()));
    // What ended before was not seen from here.
    let opened = StoredValue::new(None::<Time>);
    let under_way = StoredValue::new(HashSet::new());
    // Rises when one ended while the server's answer, which did not know that, was on its way.
    let overtaken = RwSignal::new(0u32);
    Effect::new(move |_| {
        overtaken.track();
        let list = tell.list.get();
        live.keep_awake(!list.is_empty());
        if list.is_empty() || !live.seeded().get() {
            return;
        }
        live.track_roster();
        if opened.get_value().is_none() {
            opened.set_value(Some(live.seeded_at().get_untracked()));
        }
        for awaited in list {
            let ended = match live.operation(awaited.id) {
                Some(cell) => match cell.end() {
                    Some((state, from, to)) => Some((to, told(state, from, to))),
                    None => continue,
                },
                None => None,
            };
            if under_way.try_update_value(|ids| ids.insert(awaited.id)) != Some(true) {
                continue;
            }
            let (live, go) = (live.clone(), go.clone());
            let done = move || {
                under_way.update_value(|ids| {
                    ids.remove(&awaited.id);
                });
            };
            let since = opened.get_value();
            spawn_local(async move {
                // What the page does not hold is asked for; when there is no answer, at the next change.
                let found = match ended {
                    Some(_) => Some(ended),
                    None => ask(&awaited).await,
                };
                if let Some(found) = found
                    && let Some(wait) = patience(live.role(), document().hidden())
                {
                    let away = found
                        .is_some_and(|(at, _)| at.is_some_and(|at| since.is_some_and(|since| at < since)));
                    let tell_now = move || {
                        if tell.claim(awaited.id) {
                            say(tell.toasts, &awaited, found.map(|(_, ended)| ended), away, go);
                        }
                        done();
                    };
                    set_timeout(tell_now, Duration::from_millis(wait.into()));
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
}

fn told(state: protocol::State, started: Option<Time>, ended: Option<Time>) -> Ended {
    Ended { state, took: started.zip(ended).map(|(from, to)| to.seconds_since(from)) }
}

/// How an operation ended that the page does not hold: nothing while it has not, or while nobody can say; inside,
/// nothing when it is no longer stored.
async fn ask(awaited: &Awaited) -> Option<Option<(Option<Time>, Ended)>> {
    match api::operation(awaited.id).await {
        Ok(detail) => {
            let op = detail.operation;
            op.state.ended().then(|| Some((op.ended_at, told(op.state, op.started_at, op.ended_at))))
        }
        Err(problem) if problem.kind == ProblemType::NotFound => Some(None),
        Err(_) => None,
    }
}

/// Tells: by a notification when the page is out of sight and may show one, else by a note that stays.
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
    toasts.offer(format!("{title} {how}{while_away}."), Act::Open(query::operation(id)));
}
