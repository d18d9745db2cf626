//! The displayed lists: sorted, and frozen while the user points at them.

use super::freeze::{Lists, Placed, Waiting, hold};
use super::order::place;
use super::stored::Stored;
use app_state::actions::Actions;
use app_state::address::list::{Asked, Group, Sort};
use components::reactive::part;
use leptos::html::Div;
use leptos::prelude::*;
use live::OperationStore;
use protocol::{Filter, OperationId};
use wasm_bindgen::JsCast;
use web_sys::{FocusEvent, Node};

/// The displayed lists and the changes that wait.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Shown {
    pub lists: Lists,
    pub waiting: Waiting,
    /// Filter, sort order and grouping: a change of them unfreezes the lists.
    key: (Filter, Sort, Option<Group>, u32, u32),
}

/// The lists and their freeze state.
#[derive(Clone, Copy)]
pub struct Still {
    /// All loaded operations that match the filter, newest first: active, ended.
    pub found: Memo<(Vec<OperationId>, Vec<OperationId>)>,
    pub shown: Memo<Shown>,
    /// Element around both lists.
    pub region: NodeRef<Div>,
    pub points: RwSignal<bool>,
    pub focused: RwSignal<bool>,
    /// The first rows of the active and of the ended list are scrolled out of view.
    pub scrolled: (RwSignal<bool>, RwSignal<bool>),
    /// Incremented when the user asks for the waiting changes.
    let_go: RwSignal<u32>,
}

impl Still {
    pub fn new(asked: Memo<Asked>, stored: Stored) -> Self {
        let live = OperationStore::here();
        let clock = live.clock();
        let actions = Actions::here();
        let found = Memo::new({
            let live = live.clone();
            move |_| asked.with(|a| live.find(&a.filter))
        });
        let (points, focused) = (RwSignal::new(false), RwSignal::new(false));
        let scrolled = (RwSignal::new(false), RwSignal::new(false));
        let let_go = RwSignal::new(0);
        let key = Memo::new(move |_| {
            asked.with(|a| (a.filter.clone(), a.sort.clone(), a.group, stored.came.get(), let_go.get()))
        });
        let now = Memo::new({
            let live = live.clone();
            move |_| {
                let (sort, group) = asked.with(|a| (a.sort.clone(), a.group));
                // These orders depend on the time and on every forecast.
                let moves = matches!(sort, Sort::Longest | Sort::Shortest | Sort::Soonest | Sort::Latest);
                let time = if moves { clock.get() } else { clock.get_untracked() };
                found.with(|(active, ended)| {
                    let ended = stored.ended(&live, ended);
                    Lists {
                        active: place(&live, active.iter().copied(), &sort, group, time),
                        ended: place(&live, ended.into_iter(), &sort, group, time),
                    }
                })
            }
        });
        let held = Memo::new(move |_| points.get() || focused.get() || scrolled.0.get() || scrolled.1.get());
        let shown = Memo::new(move |before: Option<&Shown>| {
            let key = key.get();
            match before.filter(|before| held.get() && before.key == key) {
                Some(before) => {
                    let mut remaining = before.lists.clone();
                    if actions.deletes() {
                        let there = |row: &Placed| !live.is_deleted(row.id);
                        remaining.active.retain(there);
                        remaining.ended.retain(there);
                    }
                    let (lists, waiting) = now.with(|now| hold(&remaining, now));
                    Shown { lists, waiting, key }
                }
                None => Shown { lists: now.get(), waiting: Waiting::default(), key },
            }
        });
        let region = NodeRef::new();
        let still = Self { found, shown, region, points, focused, scrolled, let_go };
        // Focus and hover can end without an event, so they are checked on each clock tick.
        Effect::new(move |_| {
            clock.track();
            still.look_again();
        });
        still
    }

    /// Handles a moved pointer. A pointer that merely rests where the list appears, after a click that led here,
    /// freezes nothing.
    pub fn pointed(self) {
        if !self.points.get_untracked() {
            self.points.set(true);
        }
    }

    /// Handles `focusout`; the focus may stay within the lists.
    pub fn left(self, event: &FocusEvent) {
        let to = event.related_target().and_then(|t| t.dyn_into::<Node>().ok());
        let within = self.region.get_untracked().is_some_and(|region| region.contains(to.as_ref()));
        self.focused.set(within);
    }

    fn look_again(self) {
        let Some(region) = self.region.get_untracked() else {
            self.points.set(false);
            self.focused.set(false);
            return;
        };
        if self.points.get_untracked() && !region.matches(":hover").unwrap_or_default() {
            self.points.set(false);
        }
        if self.focused.get_untracked() && !region.matches(":focus-within").unwrap_or_default() {
            self.focused.set(false);
        }
    }

    /// Shows the waiting changes.
    fn show(self) {
        self.let_go.update(|n| *n += 1);
    }
}

/// Button with the number of waiting changes; shows them.
#[component]
pub fn News(still: Still) -> impl IntoView {
    let wording = Memo::new(move |_| still.shown.with(|shown| shown.waiting.wording()));
    let button = part(move || {
        wording.get().map(|wording| {
            let show = move |_| {
                still.show();
                // New rows are at the top.
                if let Some(region) = still.region.get_untracked()
                    && region.get_bounding_client_rect().top() < 0.0
                {
                    region.scroll_into_view();
                }
            };
            view! {
                <button type="button" class="button news-button" title="The list is paused while you use it. Click to update it." on:click=show>
                    {wording}
                </button>
            }
            .into_any()
        })
    });
    view! { <div class="news" role="status">{button}</div> }.into_any()
}
