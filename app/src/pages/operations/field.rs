//! The filter field: words filter while typing, conditions like `kind:data.load` are suggested and applied.

use crate::app::Data;
use crate::base;
use crate::filter::Asked;
use crate::filter::suggest::{Suggestion, Vocabulary, chosen, suggest};
use crate::filter::typed::Typed;
use crate::live::Live;
use crate::reactive::{maybe, part, spoken, text, word, yes};
use form::{FieldKind, Form};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use protocol::State;
use protocol::filter::plain;
use serde_json::Value;
use web_sys::KeyboardEvent;

/// Id prefix of the suggestion list and its options.
const LIST: &str = "filter-options";

/// Vocabulary for suggestions, from what the page knows now. Not tracked.
fn vocabulary() -> Vocabulary {
    let (live, data) = (Live::here(), Data::here());
    let mut known = Vocabulary {
        states: State::ALL.iter().map(State::to_string).collect(),
        hosts: live.hosts().with_untracked(|hosts| hosts.iter().map(|h| h.name.to_string()).collect()),
        ..Vocabulary::default()
    };
    let said = |value: &Value| value.as_str().map(str::to_owned).or_else(|| plain(value));
    data.kinds.with_untracked(|kinds| {
        let kinds = kinds.as_ref().and_then(|k| k.as_ref().ok());
        for spec in kinds.into_iter().flat_map(|k| &k.kinds).map(|offer| &offer.spec) {
            known.kinds.push(spec.name.to_string());
            for field in Form::from_schema(&spec.params).into_iter().flat_map(|form| form.fields) {
                known.learn(&field.name, field.default.as_ref().and_then(said));
                for example in &field.examples {
                    known.learn(&field.name, Some(example.clone()));
                }
                match field.kind {
                    FieldKind::Choice { options } => {
                        for option in options {
                            known.learn(&field.name, Some(option.value));
                        }
                    }
                    FieldKind::Switch => {
                        for value in ["true", "false"] {
                            known.learn(&field.name, Some(value.to_owned()));
                        }
                    }
                    _ => {}
                }
            }
        }
    });
    // Kinds that no host offers any more may still have operations.
    live.each(&mut |fixed| {
        if !known.kinds.iter().any(|kind| kind == fixed.kind.as_str()) {
            known.kinds.push(fixed.kind.to_string());
        }
        for (name, value) in fixed.params.as_object().into_iter().flatten() {
            known.learn(name, said(value));
        }
    });
    known
}

/// State of the field and its suggestions.
#[derive(Clone, Copy)]
struct Field {
    asked: Memo<Asked>,
    typed: RwSignal<String>,
    /// Error of a rejected condition.
    trouble: RwSignal<String>,
    open: RwSignal<bool>,
    /// The suggestion that Enter applies.
    active: RwSignal<Option<usize>>,
    offered: Memo<Vec<Suggestion>>,
    go: Callback<(Asked, bool)>,
}

impl Field {
    /// Applies the typed text: words at once, conditions when complete, or all of them with `all`.
    fn take(self, all: bool) {
        let was = self.typed.get_untracked();
        let mut typed = Typed::read(&was);
        let mut asked = self.asked.get_untracked();
        let before = asked.clone();
        let taken = typed.take(all);
        let mut why = String::new();
        for (name, value) in &taken {
            if let Err(error) = asked.filter.word(name, value) {
                typed.put(name, value);
                why = format!("{error}.");
            }
        }
        asked = asked.with_words(&typed.words());
        if !taken.is_empty() {
            let space = if typed.open || typed.text().is_empty() { "" } else { " " };
            self.typed.set(format!("{}{space}", typed.text()));
        }
        self.trouble.set(why);
        if asked != before {
            // Typed words create no history entry; a condition does.
            self.go.run((asked, taken.is_empty()));
        }
    }

    fn choose(self, suggestion: &Suggestion) {
        self.typed.update(|typed| *typed = chosen(typed, suggestion));
        self.active.set(None);
        self.open.set(!suggestion.whole);
        self.take(false);
    }

    fn key(self, event: &KeyboardEvent) {
        let count = self.offered.with_untracked(Vec::len);
        let active = self.active.get_untracked();
        match event.key().as_str() {
            "ArrowDown" | "ArrowUp" => {
                event.prevent_default();
                if !self.open.get_untracked() {
                    self.open.set(true);
                } else if count > 0 {
                    let next = match (event.key() == "ArrowDown", active) {
                        (true, Some(at)) => (at + 1) % count,
                        (true, None) => 0,
                        (false, Some(at)) => (at + count - 1) % count,
                        (false, None) => count - 1,
                    };
                    self.active.set(Some(next));
                }
            }
            "Enter" => {
                event.prevent_default();
                let chosen = active.and_then(|at| self.offered.with_untracked(|all| all.get(at).cloned()));
                match chosen {
                    Some(chosen) => self.choose(&chosen),
                    None => {
                        self.take(true);
                        self.open.set(false);
                    }
                }
            }
            "Escape" if self.open.get_untracked() && count > 0 => {
                event.prevent_default();
                self.open.set(false);
                self.active.set(None);
            }
            // In an empty field, Backspace removes the last condition.
            "Backspace" if self.typed.with_untracked(String::is_empty) => {
                let asked = self.asked.get_untracked();
                if let Some(last) = asked.chips().last() {
                    self.go.run((asked.without(last), false));
                }
            }
            _ => {}
        }
    }
}

/// The field with its suggestions.
#[component]
pub fn FilterField(asked: Memo<Asked>) -> impl IntoView {
    let typed = RwSignal::new(asked.with_untracked(|a| a.filter.text.clone()));
    let (trouble, open, active) = (RwSignal::new(String::new()), RwSignal::new(false), RwSignal::new(None));
    let known = StoredValue::new(Vocabulary::default());
    let offered = Memo::new(move |_| match open.get() {
        true => known.with_value(|known| typed.with(|typed| suggest(typed, known))),
        false => Vec::new(),
    });
    let navigate = use_navigate();
    let go = Callback::new(move |(asked, replace): (Asked, bool)| {
        navigate(&asked.address(), NavigateOptions { replace, scroll: false, ..Default::default() });
    });
    let field = Field { asked, typed, trouble, open, active, offered, go };
    // The URL also changes by Back and by links.
    Effect::new(move |_| {
        let words = asked.with(|a| a.filter.text.clone());
        let same = typed.with_untracked(|typed| {
            Typed::read(typed).words().split_whitespace().eq(words.split_whitespace())
        });
        if !same {
            typed.set(words);
            trouble.set(String::new());
        }
    });
    let there = Memo::new(move |_| !offered.read().is_empty());
    let option = move |at: usize, suggestion: Suggestion| {
        let Suggestion { puts, note, .. } = suggestion.clone();
        let mine = move || active.get() == Some(at);
        view! {
            <li
                id=format!("{LIST}-{at}")
                role="option"
                aria-selected=word(move || if mine() { "true" } else { "false" })
                on:mousedown=|event| event.prevent_default()
                on:click=move |_| field.choose(&suggestion)
            >
                <span class="option-puts">{puts}</span>
                <span class="muted">{note}</span>
            </li>
        }
        .into_any()
    };
    // Other query parameters, for a form submitted without a script.
    let kept = part(move || {
        let address = asked.with(|a| a.with_words("").address());
        let pairs = crate::query::pairs(address.split_once('?')?.1);
        let inputs = pairs
            .into_iter()
            .map(|(name, value)| view! { <input type="hidden" name=name value=value/> }.into_any());
        Some(inputs.collect_view().into_any())
    });
    view! {
        <form
            class="search"
            role="search"
            action=base::url("/operations")
            method="get"
            on:submit=|event| event.prevent_default()
        >
            {kept}
            <input
                type="text"
                inputmode="search"
                enterkeyhint="search"
                name="q"
                data-filter=""
                role="combobox"
                aria-label="Filter"
                aria-autocomplete="list"
                aria-expanded=word(move || if there.get() { "true" } else { "false" })
                aria-controls=LIST
                aria-activedescendant=maybe(move || active.get().filter(|_| there.get()).map(|at| format!("{LIST}-{at}")))
                aria-describedby="filter-trouble"
                aria-invalid=spoken(move || !trouble.read().is_empty())
                placeholder="Search or filter, e.g. state:failed since:7d"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                value=typed.get_untracked()
                prop:value=text(move || typed.get())
                on:focus=move |_| known.set_value(vocabulary())
                on:click=move |_| open.set(true)
                on:input=move |event| {
                    typed.set(event_target_value(&event));
                    open.set(true);
                    active.set(None);
                    field.take(false);
                }
                on:keydown=move |event| field.key(&event)
                on:blur=move |_| {
                    open.set(false);
                    active.set(None);
                    field.take(true);
                }
            />
            <kbd aria-hidden="true">"/"</kbd>
            <ul id=LIST class="options" role="listbox" aria-label="Suggestions" hidden=yes(move || !there.get())>
                {part(move || {
                    let all = offered.get().into_iter().enumerate();
                    Some(all.map(|(at, suggestion)| option(at, suggestion)).collect_view().into_any())
                })}
            </ul>
            <p id="filter-trouble" class="field-trouble" role="status">{text(move || trouble.get())}</p>
        </form>
    }
    .into_any()
}
