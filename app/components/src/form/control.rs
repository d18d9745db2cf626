//! Controls of fields, one for each type: line, lines, slider, switch, list, segments.

use super::range::Range;
use super::typed::Offer;
use crate::reactive::{mark, maybe, spoken, text as text_of, whole, yes};
use form::{Choice, Field, FieldKind};
use leptos::prelude::*;
use leptos::tachys::reactive_graph::SharedReactiveFunction;

/// Visible lines of a multi-line text.
const LINES: &str = "10";

/// Common parts of all controls.
#[derive(Clone)]
pub(super) struct Control {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) text: RwSignal<String>,
    /// Takes what the user typed or chose.
    pub(super) typed: Callback<String>,
    pub(super) error: Memo<Option<String>>,
    /// Ids of error and help.
    pub(super) described: Signal<Option<String>>,
    /// Values to choose from; more may come while the form is open.
    pub(super) offers: Memo<Vec<Offer>>,
}

impl Control {
    pub(super) fn invalid(&self) -> SharedReactiveFunction<Option<&'static str>> {
        let error = self.error;
        spoken(move || error.read().is_some())
    }

    pub(super) fn line(self, mode: &'static str, field: &Field) -> impl IntoView + use<> {
        let invalid = self.invalid();
        let Self { id, name, text, typed, described, offers, .. } = self;
        let list_id = format!("{id}-examples");
        let list_of = list_id.clone();
        let placeholder = match &field.kind {
            FieldKind::Time => "2024-03-01",
            _ => "",
        };
        view! {
            <input
                id=id
                name=name
                type="text"
                inputmode=mode
                autocomplete="off"
                spellcheck="false"
                placeholder=placeholder
                list=maybe(move || (!offers.read().is_empty()).then(|| list_of.clone()))
                value=text.get_untracked()
                prop:value=text_of(move || text.get())
                aria-invalid=invalid
                aria-describedby=maybe(move || described.get())
                on:input=move |event| typed.run(event_target_value(&event))
            />
            <datalist id=list_id>
                {whole(move || {
                    let options = offers.get().into_iter().map(|o| view! { <option value=o.value></option> });
                    options.collect_view().into_any()
                })}
            </datalist>
        }
    }

    /// Secret text of one line, as dots until it is shown. Without a name, so that a form that is sent before the
    /// page's script is loaded does not put it into the URL.
    pub(super) fn secret(self, field: &Field) -> impl IntoView + use<> {
        let invalid = self.invalid();
        let Self { id, text, typed, described, .. } = self;
        let visible = RwSignal::new(false);
        let title = field.title.clone();
        let does = move || if visible.get() { "Hide" } else { "Show" };
        view! {
            <div class="secret">
                <input
                    id=id
                    type=text_of(move || if visible.get() { "text" } else { "password" }.to_owned())
                    autocomplete="new-password"
                    autocapitalize="off"
                    spellcheck="false"
                    prop:value=text_of(move || text.get())
                    aria-invalid=invalid
                    aria-describedby=maybe(move || described.get())
                    on:input=move |event| typed.run(event_target_value(&event))
                />
                <button
                    type="button"
                    class="button only-script"
                    aria-label=text_of(move || format!("{} {title}", does()))
                    on:click=move |_| visible.update(|visible| *visible = !*visible)
                >
                    {text_of(move || does().to_owned())}
                </button>
            </div>
        }
    }

    /// Multi-line text, with a list of examples to insert.
    pub(super) fn lines(self, field: &Field) -> impl IntoView + use<> {
        let invalid = self.invalid();
        let Self { id, name, text, typed, described, .. } = self;
        let known = field.examples.iter().map(|e| view! { <option value=e.clone()>{e.clone()}</option> });
        let known = known.collect_view();
        let label = format!("{}, examples", field.title);
        view! {
            // No child: a textarea's content would be written into the page unescaped.
            <textarea
                id=id
                name=name
                rows=LINES
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                prop:value=text_of(move || text.get())
                aria-invalid=invalid
                aria-describedby=maybe(move || described.get())
                on:input=move |event| typed.run(event_target_value(&event))
            ></textarea>
            {(!field.examples.is_empty())
                .then(|| {
                    view! {
                        <select
                            class="only-script"
                            aria-label=label
                            on:change=move |event| {
                                let chosen = event_target_value(&event);
                                if !chosen.is_empty() {
                                    typed.run(chosen);
                                }
                            }
                        >
                            <option value="">"Use an example…"</option>
                            {known}
                        </select>
                    }
                })}
        }
    }

    /// Number field with a synchronized slider.
    pub(super) fn range(
        self,
        mode: &'static str,
        field: &Field,
        range: Range,
        whole: bool,
    ) -> impl IntoView + use<> {
        let (text, typed) = (self.text, self.typed);
        let label = format!("{}, slider", field.title);
        // A number between two steps must not snap to a step.
        let step = if whole { "1" } else { "any" };
        let place = move || range.place(&text.read());
        let at = move || place().unwrap_or(range.min).to_string();
        let slid = move |event| {
            if let Some(at) = json::float(&event_target_value(&event)) {
                typed.run(range.text(at));
            }
        };
        let wording = move || match text.read().trim() {
            "" => "Not set".to_owned(),
            wording => wording.to_owned(),
        };
        let line = self.line(mode, field).into_any();
        view! {
            <div class="ranged">
                {line}
                <div class="slider">
                    <input
                        type="range"
                        min=range.min.to_string()
                        max=range.max.to_string()
                        step=step
                        value=untrack(at)
                        prop:value=text_of(at)
                        aria-label=label
                        aria-valuetext=text_of(wording)
                        data-none=mark(move || place().is_none())
                        on:input=slid
                    />
                    <p class="slider-ends num" aria-hidden="true">
                        <span>{range.min.to_string()}</span>
                        <span>{range.max.to_string()}</span>
                    </p>
                </div>
            </div>
        }
    }

    pub(super) fn switch(self) -> impl IntoView {
        let invalid = self.invalid();
        let Self { id, name, text, typed, described, .. } = self;
        view! {
            <input
                id=id
                name=name
                type="checkbox"
                role="switch"
                class="switch"
                checked=text.get_untracked() == "true"
                prop:checked=yes(move || text.get() == "true")
                aria-invalid=invalid
                aria-describedby=maybe(move || described.get())
                on:change=move |event| typed.run(event_target_checked(&event).to_string())
            />
        }
    }

    pub(super) fn list(self, options: &[Choice], may_be_empty: bool) -> impl IntoView + use<> {
        let invalid = self.invalid();
        let Self { id, name, text, typed, described, .. } = self;
        let chosen = text.get_untracked();
        let none = may_be_empty.then(|| view! { <option value="">"Not set"</option> });
        let options = options.iter().map(|option| {
            let selected = option.value == chosen;
            view! { <option value=option.value.clone() selected=selected>{option.title.clone()}</option> }
        });
        view! {
            <select
                id=id
                name=name
                prop:value=text_of(move || text.get())
                aria-invalid=invalid
                aria-describedby=maybe(move || described.get())
                on:change=move |event| typed.run(event_target_value(&event))
            >
                {none}
                {options.collect_view()}
            </select>
        }
    }

    pub(super) fn segments(
        self,
        options: &[Choice],
        may_be_empty: bool,
        label_id: String,
    ) -> impl IntoView + use<> {
        let Self { id, name, text, typed, described, .. } = self;
        let none = Choice {
            value: String::new(),
            title: "Not set".to_owned(),
            help: "Use the host's default".to_owned(),
        };
        let all: Vec<Choice> =
            may_be_empty.then_some(none).into_iter().chain(options.iter().cloned()).collect();
        let segments = all.into_iter().enumerate().map(move |(i, choice)| {
            let value = StoredValue::new(choice.value.clone());
            let mine = move || value.with_value(|value| *value == *text.read());
            // The first choice carries the field's id, so that focus finds it.
            let own_id = (i == 0).then(|| id.clone());
            view! {
                <label class="segment" title=choice.help>
                    <input
                        id=own_id
                        type="radio"
                        name=name.clone()
                        value=choice.value
                        checked=value.with_value(|value| *value == text.get_untracked())
                        prop:checked=yes(mine)
                        on:change=move |_| typed.run(value.get_value())
                    />
                    <span>{choice.title}</span>
                </label>
            }
        });
        view! {
            <div class="segments" role="radiogroup" aria-labelledby=label_id aria-describedby=maybe(move || described.get())>
                {segments.collect_view()}
            </div>
        }
    }
}
