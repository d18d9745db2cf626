//! Values of a field that varies in a sweep: a list, a range, or some of its choices.

mod numbers;
mod toggle;

use super::typed::{Typed, text_of};
use crate::reactive::{mark, text as text_in, yes};
use display::format;
use form::{Choice, Field, FieldKind};
use leptos::prelude::*;
use sweep_plan::values;

/// Values of one field, as a sweep takes them (`5, 10` or `5..50:5`); `None` while it does not vary.
pub type Varied = RwSignal<Option<String>>;

/// Controls of a field that can vary. The form of a sweep passes them, so that other forms do not contain their code.
#[derive(Clone, Copy)]
pub struct VaryViews {
    /// Button that makes the field vary, with the text of the field.
    pub(super) toggle: fn(Typed, &Field, RwSignal<String>, Varied) -> AnyView,
    /// Control of the values.
    pub(super) input: fn(VaryOf) -> AnyView,
}

/// The controls.
pub const VARY: VaryViews = VaryViews { toggle: toggle::vary_toggle, input: vary_input };

/// What the control of the values depends on.
pub struct VaryOf {
    pub(super) id: String,
    pub(super) field: Field,
    pub(super) varied: Varied,
    /// Id of the field's label.
    pub(super) label_id: String,
    /// Id of the field's error.
    pub(super) error_id: String,
    pub(super) error: Memo<Option<String>>,
}

/// Whether a field can vary: numbers, choices and switches.
pub fn can_vary(kind: &FieldKind) -> bool {
    matches!(
        kind,
        FieldKind::Integer { .. } | FieldKind::Number { .. } | FieldKind::Choice { .. } | FieldKind::Switch
    )
}

/// Values to begin with: all choices, or numbers around the current one.
pub fn first_values(field: &Field, now: &str) -> String {
    match &field.kind {
        FieldKind::Choice { options } => join(options.iter().map(|option| option.value.clone())),
        FieldKind::Switch => "true, false".to_owned(),
        _ => {
            let of_default = || field.default.as_ref().map(text_of).unwrap_or_default();
            let number = |text: &str| json::float(&form::ungrouped(text.trim()).ok()?);
            let middle = number(now).or_else(|| number(&of_default())).unwrap_or(1.0);
            let around = [middle / 2.0, middle, middle * 2.0].map(|n| {
                let n = if matches!(field.kind, FieldKind::Integer { .. }) { n.round() } else { n };
                ((n * 1e9).round() / 1e9).to_string()
            });
            let mut fitting: Vec<String> = Vec::new();
            for text in around {
                if field.read(&text).is_ok() && !fitting.contains(&text) {
                    fitting.push(text);
                }
            }
            join(fitting.into_iter())
        }
    }
}

fn join(values: impl Iterator<Item = String>) -> String {
    values.collect::<Vec<_>>().join(", ")
}

/// All values, each valid for the field.
///
/// # Errors
/// A message for the first invalid part.
pub fn values_of(field: &Field, list: &str) -> Result<Vec<String>, String> {
    let all = values(list)?;
    for value in &all {
        field.read(value)?;
    }
    Ok(all)
}

/// Control of the values, in place of the field's own.
fn vary_input(of: VaryOf) -> AnyView {
    let VaryOf { id, field, varied, label_id, error_id, error } = of;
    let said = {
        let field = field.clone();
        Memo::new(move |_| {
            let list = varied.get()?;
            // Checkboxes have their titles.
            let listed = matches!(field.kind, FieldKind::Integer { .. } | FieldKind::Number { .. });
            Some(values_of(&field, &list).map(|values| shown(&values, listed)))
        })
    };
    let values_id = format!("{id}-values");
    let parts = Parts {
        described: format!("{error_id} {values_id}"),
        id,
        title: field.title.clone(),
        label_id,
        wrong: Signal::derive(move || {
            error.read().is_some() || said.with(|said| matches!(said, Some(Err(_))))
        }),
        varied,
    };
    let choice = |value: &str, title: &str| Choice {
        value: value.to_owned(),
        title: title.to_owned(),
        help: String::new(),
    };
    // What the range says of itself goes before what the list says.
    let trouble = RwSignal::new(None::<String>);
    let control = match &field.kind {
        FieldKind::Choice { options } => choices(&parts, options.clone()),
        FieldKind::Switch => choices(&parts, vec![choice("true", "On"), choice("false", "Off")]),
        kind => numbers::numbers(parts, matches!(kind, FieldKind::Integer { .. }), trouble),
    };
    let wrong = move || trouble.read().is_some() || said.with(|said| matches!(said, Some(Err(_))));
    let words = move || match (trouble.get(), said.get()) {
        (Some(why), _) => why,
        (None, Some(Ok(text) | Err(text))) => text,
        (None, None) => String::new(),
    };
    view! {
        <div class="vary">
            {control}
            <p class="vary-said num" id=values_id data-wrong=mark(wrong)>
                {text_in(words)}
            </p>
        </div>
    }
    .into_any()
}

/// What the controls of the values share.
#[derive(Clone)]
struct Parts {
    id: String,
    title: String,
    label_id: String,
    /// Ids of error and values.
    described: String,
    wrong: Signal<bool>,
    varied: Varied,
}

/// `3 values`, and the first of them if they are `listed`: `3 values: 5, 10, 20`.
fn shown(values: &[String], listed: bool) -> String {
    const SHOWN: usize = 6;
    let more = if values.len() > SHOWN { ", …" } else { "" };
    let first = values.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let count = format::counted(values.len() as u64, "value", "values");
    if listed { format!("{count}: {first}{more}") } else { count }
}

/// A checkbox for each choice.
fn choices(parts: &Parts, options: Vec<Choice>) -> AnyView {
    let varied = parts.varied;
    let all: Vec<String> = options.iter().map(|option| option.value.clone()).collect();
    let all = StoredValue::new(all);
    let chosen = Memo::new(move |_| {
        varied.with(|list| values(list.as_deref().unwrap_or_default()).unwrap_or_default())
    });
    let boxes = options.into_iter().map(|option| {
        let value = StoredValue::new(option.value);
        let here = Memo::new(move |_| chosen.with(|chosen| value.with_value(|value| chosen.contains(value))));
        let turned = move |event| {
            let on = event_target_checked(&event);
            let mut now = chosen.get_untracked();
            value.with_value(|value| {
                now.retain(|known| known != value);
                if on {
                    now.push(value.clone());
                }
            });
            // In the order of the choices.
            all.with_value(|all| now.sort_by_key(|value| all.iter().position(|known| known == value)));
            varied.set(Some(join(now.into_iter())));
        };
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    checked=here.get_untracked()
                    prop:checked=yes(move || here.get())
                    on:change=turned
                />
                {option.title}
            </label>
        }
        .into_any()
    });
    view! {
        <div
            class="vary-choices"
            id=parts.id.clone()
            tabindex="-1"
            role="group"
            aria-labelledby=parts.label_id.clone()
            aria-describedby=parts.described.clone()
        >
            {boxes.collect_view()}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn field(property: Value) -> Field {
        let schema = json!({"type": "object", "properties": {"a": property}});
        form::Form::from_schema(&schema).unwrap().fields.remove(0)
    }

    #[test]
    fn a_field_varies_around_its_value_within_its_bounds_and_a_choice_over_all() {
        let whole = field(json!({"type": "integer", "minimum": 2, "maximum": 30, "default": 10}));
        assert_eq!(first_values(&whole, "12"), "6, 12, 24");
        assert_eq!(first_values(&whole, "20"), "10, 20");
        assert_eq!(first_values(&whole, ""), "5, 10, 20");
        assert_eq!(first_values(&field(json!({"type": "number"})), "0.1"), "0.05, 0.1, 0.2");
        assert_eq!(first_values(&field(json!({"enum": ["a", "b"]})), "a"), "a, b");
        assert!(!can_vary(&field(json!({"type": "string"})).kind));
    }

    #[test]
    fn each_value_of_a_list_is_checked_by_its_field() {
        let whole = field(json!({"type": "integer", "maximum": 30}));
        assert_eq!(values_of(&whole, "10..30:10").unwrap(), ["10", "20", "30"]);
        assert!(values_of(&whole, "10, 40").unwrap_err().contains("'40'"));
        assert!(values_of(&whole, "").is_err());
    }

    #[test]
    fn the_number_of_values_is_followed_by_the_first_ones() {
        let all = values("1..9").unwrap();
        assert_eq!(shown(&all, true), "9 values: 1, 2, 3, 4, 5, 6, …");
        assert_eq!(shown(&all[..1], true), "1 value: 1");
        assert_eq!(shown(&all, false), "9 values");
    }
}
