//! One field of a form: label, help, a control for its type, and its error.

use super::control::Control;
use super::range::Range;
use super::typed::{Typed, bounds};
use super::vary::{Varied, VaryOf, VaryViews};
use crate::reactive::{mark, text as text_of, whole, yes};
use form::{Choice, Field, FieldKind};
use leptos::prelude::*;

/// Up to this number of choices, of at most so many letters together, are shown side by side; more become a list.
const SIDE_BY_SIDE: usize = 3;
const SIDE_BY_SIDE_LETTERS: usize = 24;

/// Help of secret fields.
const SECRET: &str = "Stored encrypted and never shown or copied: enter it for each start.";

/// Whether these choices fit beside each other.
fn fit_side_by_side(options: &[Choice]) -> bool {
    let letters: usize = options.iter().map(|option| option.title.chars().count()).sum();
    options.len() <= SIDE_BY_SIDE && letters <= SIDE_BY_SIDE_LETTERS
}

/// The field at a position of the form, with the signal of its text.
#[component]
pub fn FieldInput(
    form: Typed,
    place: usize,
    field: Field,
    text: RwSignal<String>,
    /// Values of a sweep, if the field can vary.
    varied: Option<(Varied, VaryViews)>,
) -> impl IntoView {
    let id = Typed::id_of(&field.name);
    let (help_id, error_id) = (format!("{id}-help"), format!("{id}-error"));
    let name = StoredValue::new(field.name.clone());
    let error = Memo::new(move |_| name.with_value(|name| form.error_of(name)));
    let typed = Callback::new(move |new: String| {
        text.set(new.clone());
        name.with_value(|name| form.forgive(name));
        form.suggest(place, &new);
    });
    // What the chosen value means, or else what the field is for.
    let choices = match &field.kind {
        FieldKind::Choice { options } => options.clone(),
        _ => Vec::new(),
    };
    let helps =
        field.secret || !field.help.is_empty() || choices.iter().any(|choice| !choice.help.is_empty());
    let field_help = match (field.secret, field.help.is_empty()) {
        (false, _) => field.help.clone(),
        (true, true) => SECRET.to_owned(),
        (true, false) => format!("{} {SECRET}", field.help.trim_end_matches('.').to_owned() + "."),
    };
    let help = Memo::new(move |_| {
        let of_choice = choices.iter().find(|choice| !choice.help.is_empty() && choice.value == *text.read());
        of_choice.map_or_else(|| field_help.clone(), |choice| choice.help.clone())
    });
    // Ids for `aria-describedby`: the error, if any, and the help.
    let described = {
        let (help_id, error_id) = (help_id.clone(), error_id.clone());
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
    let offers = Memo::new(move |_| form.offers(place));
    let control = Control { id: id.clone(), name: field.name.clone(), text, typed, error, described, offers };
    let limits = bounds(&field.kind);
    let needed = match (field.required, limits.is_empty()) {
        (true, true) => "Required".to_owned(),
        (true, false) => format!("Required, {limits}"),
        (false, _) => limits,
    };
    let fieldset = matches!(&field.kind, FieldKind::Choice { options } if fit_side_by_side(options));
    let switch = matches!(field.kind, FieldKind::Switch);
    let label_id = format!("{id}-label");
    let label = view! {
        <span class="field-label" id=label_id.clone()>
            {field.title.clone()}
            {(!needed.is_empty()).then(|| view! { <span class="field-note">{needed}</span> })}
        </span>
    };
    // A sweep stores its values in clear.
    let varied = varied.filter(|_| !field.secret);
    let toggle = varied.map(|(varied, views)| (views.toggle)(form, &field, text, varied));
    let input = match varied {
        None => control_of(control, &field, fieldset, label_id),
        Some((varied, views)) => {
            let (field, id, error_id) = (StoredValue::new(field.clone()), id.clone(), error_id.clone());
            let (control, varies) = (StoredValue::new(control), Memo::new(move |_| varied.read().is_some()));
            let input = whole(move || {
                if varies.get() {
                    let (id, label_id, error_id) = (id.clone(), label_id.clone(), error_id.clone());
                    (views.input)(VaryOf { id, field: field.get_value(), varied, label_id, error_id, error })
                } else {
                    field.with_value(|field| {
                        control_of(control.get_value(), field, fieldset, label_id.clone())
                    })
                }
            });
            view! { {input} }.into_any()
        }
    };
    view! {
        <div
            class="field"
            hidden=yes(move || !form.is_shown(place))
            data-wrong=mark(move || error.read().is_some())
            data-switch=switch.then_some("")
        >
            <div class="field-top">
                {if fieldset {
                    view! { <div class="field-head">{label}</div> }.into_any()
                } else {
                    view! { <label class="field-head" for=id>{label}</label> }.into_any()
                }}
                {toggle}
            </div>
            {input}
            <p class="field-error" id=error_id>
                {text_of(move || error.get().unwrap_or_default())}
            </p>
            {helps.then(|| view! { <p class="field-help" id=help_id>{text_of(move || help.get())}</p> })}
        </div>
    }
    .into_any()
}

/// The control for the type of a field.
fn control_of(control: Control, field: &Field, side_by_side: bool, label_id: String) -> AnyView {
    let may_be_empty = !field.required && field.default.is_none();
    match &field.kind {
        FieldKind::Choice { options } if side_by_side => {
            control.segments(options, may_be_empty, label_id).into_any()
        }
        FieldKind::Choice { options } => control.list(options, may_be_empty).into_any(),
        FieldKind::Switch => control.switch().into_any(),
        FieldKind::Integer { .. } | FieldKind::Number { .. } => {
            let whole = matches!(field.kind, FieldKind::Integer { .. });
            let mode = if whole { "numeric" } else { "decimal" };
            match Range::of(&field.kind) {
                Some(range) => control.range(mode, field, range, whole).into_any(),
                None => control.line(mode, field).into_any(),
            }
        }
        FieldKind::Time => control.time(field).into_any(),
        FieldKind::Text { .. } if field.secret => control.secret(field).into_any(),
        FieldKind::Text { multiline: true, .. } => control.lines(field).into_any(),
        FieldKind::Text { .. } => control.combobox().into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(titles: &[&str]) -> Vec<Choice> {
        let choice = |title: &&str| Choice {
            value: (*title).to_owned(),
            title: (*title).to_owned(),
            help: String::new(),
        };
        titles.iter().map(choice).collect()
    }

    #[test]
    fn few_short_choices_are_buttons_and_others_a_list() {
        assert!(fit_side_by_side(&choices(&["Full", "Tail", "Backfill"])));
        assert!(!fit_side_by_side(&choices(&["1m", "5m", "1h", "1d"])));
        assert!(!fit_side_by_side(&choices(&["Long only", "Long and short, hedged"])));
    }
}
