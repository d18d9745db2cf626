//! One field of a form: label, help, a control for its type, and its error.

use super::range::Range;
use super::typed::{Typed, bounds};
use crate::reactive::{mark, maybe, spoken, text as text_of, whole, word, yes};
use form::Choice;
use form::{Field, FieldKind};
use leptos::html::Input;
use leptos::prelude::*;
use leptos::tachys::reactive_graph::SharedReactiveFunction;

/// Visible lines of a multi-line text.
const LINES: &str = "10";
/// Up to this number of choices are shown side by side; more become a list.
const SIDE_BY_SIDE: usize = 4;

/// The field at a position of the form, with the signal of its text.
#[component]
pub fn FieldInput(form: Typed, place: usize, field: Field, text: RwSignal<String>) -> impl IntoView {
    let id = Typed::id_of(&field.name);
    let (help_id, error_id) = (format!("{id}-help"), format!("{id}-error"));
    let name = StoredValue::new(field.name.clone());
    let error = Memo::new(move |_| name.with_value(|name| form.error_of(name)));
    let typed = Callback::new(move |new: String| {
        text.set(new.clone());
        name.with_value(|name| form.forgive(name));
        form.suggest(place, &new);
    });
    // Ids for `aria-describedby`: the error, if any, and the help.
    let described = {
        let (help_id, error_id) = (help_id.clone(), error_id.clone());
        let helps = !field.help.is_empty();
        Signal::derive(move || {
            let mut ids = Vec::new();
            if error.read().is_some() {
                ids.push(error_id.clone());
            }
            if helps {
                ids.push(help_id.clone());
            }
            (!ids.is_empty()).then(|| ids.join(" "))
        })
    };
    let examples = Signal::derive(move || form.examples(place));
    let control =
        Control { id: id.clone(), name: field.name.clone(), text, typed, error, described, examples };
    let limits = bounds(&field.kind);
    let needed = match (field.required, limits.is_empty()) {
        (true, true) => "Required".to_owned(),
        (true, false) => format!("Required, {limits}"),
        (false, _) => limits,
    };
    let fieldset = matches!(&field.kind, FieldKind::Choice { options } if options.len() <= SIDE_BY_SIDE);
    let switch = matches!(field.kind, FieldKind::Switch);
    let label_id = format!("{id}-label");
    let label = view! {
        <span class="field-label" id=label_id.clone()>
            {field.title.clone()}
            {(!needed.is_empty()).then(|| view! { <span class="field-note">{needed}</span> })}
        </span>
    };
    let input = match &field.kind {
        FieldKind::Choice { options } if fieldset => {
            control.segments(options, !field.required && field.default.is_none(), label_id).into_any()
        }
        FieldKind::Choice { options } => {
            control.list(options, !field.required && field.default.is_none()).into_any()
        }
        FieldKind::Switch => control.switch().into_any(),
        FieldKind::Integer { .. } | FieldKind::Number { .. } => {
            let whole = matches!(field.kind, FieldKind::Integer { .. });
            let mode = if whole { "numeric" } else { "decimal" };
            match Range::of(&field.kind) {
                Some(range) => control.range(mode, &field, range, whole).into_any(),
                None => control.line(mode, &field).into_any(),
            }
        }
        FieldKind::Time => control.time(&field).into_any(),
        FieldKind::Text { multiline: true, .. } => control.lines(&field).into_any(),
        FieldKind::Text { .. } => control.line("text", &field).into_any(),
    };
    view! {
        <div
            class="field"
            hidden=yes(move || !form.is_shown(place))
            data-wrong=mark(move || error.read().is_some())
            data-switch=switch.then_some("")
        >
            {if fieldset {
                view! { <div class="field-head">{label}</div> }.into_any()
            } else {
                view! { <label class="field-head" for=id>{label}</label> }.into_any()
            }}
            {input}
            <p class="field-error" id=error_id>
                {text_of(move || error.get().unwrap_or_default())}
            </p>
            {(!field.help.is_empty()).then(|| view! { <p class="field-help" id=help_id>{field.help.clone()}</p> })}
        </div>
    }
    .into_any()
}

/// Common parts of all controls.
#[derive(Clone)]
struct Control {
    id: String,
    name: String,
    text: RwSignal<String>,
    typed: Callback<String>,
    error: Memo<Option<String>>,
    described: Signal<Option<String>>,
    /// Values to choose from; more may come while the form is open.
    examples: Signal<Vec<String>>,
}

impl Control {
    fn invalid(&self) -> SharedReactiveFunction<Option<&'static str>> {
        let error = self.error;
        spoken(move || error.read().is_some())
    }

    fn line(self, mode: &'static str, field: &Field) -> impl IntoView + use<> {
        let invalid = self.invalid();
        let Self { id, name, text, typed, described, examples, .. } = self;
        let list_id = format!("{id}-examples");
        let list_of = list_id.clone();
        let placeholder = match &field.kind {
            FieldKind::Time => "2024-03-01".to_owned(),
            _ => String::new(),
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
                list=maybe(move || (!examples.read().is_empty()).then(|| list_of.clone()))
                value=text.get_untracked()
                prop:value=text_of(move || text.get())
                aria-invalid=invalid
                aria-describedby=maybe(move || described.get())
                on:input=move |event| typed.run(event_target_value(&event))
            />
            <datalist id=list_id>
                {whole(move || {
                    let options = examples.get().into_iter().map(|e| view! { <option value=e></option> });
                    options.collect_view().into_any()
                })}
            </datalist>
        }
    }

    /// Multi-line text, with a list of examples to insert.
    fn lines(self, field: &Field) -> impl IntoView + use<> {
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
    fn range(self, mode: &'static str, field: &Field, range: Range, whole: bool) -> impl IntoView + use<> {
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

    /// Date picker, with a text field for a time and zone.
    fn time(self, field: &Field) -> impl IntoView + use<> {
        let text = self.text;
        let typed = self.typed;
        let exact = RwSignal::new(false);
        let by_text = Memo::new(move |_| exact.get() || !is_day(&text.read()));
        let field = StoredValue::new(field.clone());
        let control = StoredValue::new(self);
        let input = whole(move || {
            let control = control.get_value();
            if by_text.get() {
                field.with_value(|field| control.line("text", field)).into_any()
            } else {
                control.day().into_any()
            }
        });
        let turn = move |_| {
            if by_text.get_untracked() {
                // Keeps the date of a time.
                let day: String = text.get_untracked().trim().chars().take(10).collect();
                if !is_day(&text.get_untracked()) {
                    typed.run(if is_day(&day) { day } else { String::new() });
                }
                exact.set(false);
            } else {
                exact.set(true);
            }
        };
        view! {
            <div class="timed">
                {input}
                <button type="button" class="link only-script" on:click=turn>
                    {word(move || if by_text.get() { "Date only" } else { "Add time" })}
                </button>
            </div>
        }
    }

    fn day(self) -> impl IntoView {
        let invalid = self.invalid();
        let Self { id, name, text, typed, described, .. } = self;
        let node = NodeRef::<Input>::new();
        // Only on a different value: setting it would clear a partly typed date.
        Effect::new(move |_| {
            let text = text.get();
            if let Some(input) = node.get()
                && input.value() != text
            {
                input.set_value(&text);
            }
        });
        view! {
            <input
                node_ref=node
                id=id
                name=name
                type="date"
                value=text.get_untracked()
                aria-invalid=invalid
                aria-describedby=maybe(move || described.get())
                on:input=move |event| typed.run(event_target_value(&event))
            />
        }
    }

    fn switch(self) -> impl IntoView {
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

    fn list(self, options: &[Choice], may_be_empty: bool) -> impl IntoView + use<> {
        let invalid = self.invalid();
        let Self { id, name, text, typed, described, .. } = self;
        let chosen = text.get_untracked();
        let none = may_be_empty.then(|| view! { <option value="">"Not set"</option> });
        let options = options.iter().map(|option| {
            let selected = option.value == chosen;
            view! { <option value=option.value.clone() selected=selected>{option.value.clone()}</option> }
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

    fn segments(self, options: &[Choice], may_be_empty: bool, label_id: String) -> impl IntoView + use<> {
        let Self { id, name, text, typed, described, .. } = self;
        let none = Choice { value: String::new(), help: "Use the host's default".to_owned() };
        let all: Vec<Choice> =
            may_be_empty.then_some(none).into_iter().chain(options.iter().cloned()).collect();
        let explained: Vec<Choice> = all.iter().filter(|c| !c.help.is_empty()).cloned().collect();
        let segments = all.into_iter().enumerate().map(move |(i, choice)| {
            let value = StoredValue::new(choice.value.clone());
            let mine = move || value.with_value(|value| *value == *text.read());
            let word = if choice.value.is_empty() { "Not set".to_owned() } else { choice.value.clone() };
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
                    <span>{word}</span>
                </label>
            }
        });
        let meaning = text_of(move || {
            let now = text.get();
            explained.iter().find(|c| c.value == now).map(|c| c.help.clone()).unwrap_or_default()
        });
        view! {
            <div class="segments" role="radiogroup" aria-labelledby=label_id aria-describedby=maybe(move || described.get())>
                {segments.collect_view()}
            </div>
            <p class="field-meaning">{meaning}</p>
        }
    }
}

/// Whether a date picker can show the text: a date, or empty.
fn is_day(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let text = text.trim();
    text.is_empty()
        || matches!(text.split('-').collect::<Vec<_>>()[..], [year, month, day]
            if year.len() == 4 && month.len() == 2 && day.len() == 2 && [year, month, day].iter().all(|p| digits(p)))
}

#[cfg(test)]
mod tests {
    use super::is_day;

    #[test]
    fn a_calendar_shows_days_and_nothing_else() {
        assert!(is_day("2024-03-01") && is_day(" ") && is_day(""));
        assert!(
            ["2024-03-01T09:30:00Z", "2024", "yesterday", "24-3-1", "2024-0x-01"].iter().all(|t| !is_day(t))
        );
    }
}
