//! All fields of a form: the first-class ones, and the others folded.

use super::FieldInput;
use super::typed::Typed;
use super::vary::{Varied, VaryViews};
use crate::reactive::{text, yes};
use form::Field;
use leptos::html::Details;
use leptos::prelude::*;

/// Fields that can vary in a sweep.
#[derive(Clone, Copy)]
pub struct VariedFields {
    /// By name.
    pub fields: StoredValue<Vec<(String, Varied)>>,
    pub views: VaryViews,
}

/// The fields. The folded ones show themselves when one of them has a value of its own, varies, or is wrong.
#[component]
pub fn Fields(typed: Typed, #[prop(optional, into)] varied: Option<VariedFields>) -> impl IntoView {
    let all = typed.fields().into_iter().enumerate();
    let (folded, first): (Vec<_>, Vec<_>) = all.partition(|(_, (field, _))| field.advanced);
    let places: Vec<(usize, String)> =
        folded.iter().map(|(place, (field, _))| (*place, field.name.clone())).collect();
    let more = (!folded.is_empty())
        .then(|| view! { <Advanced typed places varied>{inputs(typed, folded, varied)}</Advanced> });
    view! {
        <div class="fields">{inputs(typed, first, varied)}</div>
        {more}
    }
    .into_any()
}

/// Inputs of fields with their places.
fn inputs(
    typed: Typed,
    fields: Vec<(usize, (Field, RwSignal<String>))>,
    varied: Option<VariedFields>,
) -> AnyView {
    let input = |(place, (field, text)): (usize, (Field, RwSignal<String>))| {
        let list = list_of(varied, &field.name).zip(varied.map(|varied| varied.views));
        view! { <FieldInput form=typed place field text varied=list/> }.into_any()
    };
    fields.into_iter().map(input).collect_view().into_any()
}

/// Values of a field, if it can vary.
fn list_of(varied: Option<VariedFields>, name: &str) -> Option<Varied> {
    varied?.fields.with_value(|all| all.iter().find(|(known, _)| known == name).map(|(_, list)| *list))
}

/// The folded fields; `places` are their places and names.
#[component]
fn Advanced(
    typed: Typed,
    places: Vec<(usize, String)>,
    varied: Option<VariedFields>,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<Details>::new();
    let places = StoredValue::new(places);
    let count = Memo::new(move |_| {
        places.with_value(|places| places.iter().filter(|(place, _)| typed.is_shown(*place)).count())
    });
    let needed = Memo::new(move |_| {
        places.with_value(|places| {
            places.iter().any(|(place, name)| {
                let varies = || list_of(varied, name).is_some_and(|list| list.read().is_some());
                typed.is_shown(*place) && (typed.is_changed(*place) || varies())
            })
        })
    });
    let unfold = move || {
        if let Some(details) = node.get() {
            details.set_open(true);
        }
    };
    Effect::new(move |_| {
        if needed.get() {
            unfold();
        }
    });
    // At each refused start, also when it was folded meanwhile.
    Effect::new(move |_| {
        let errors = typed.errors.get();
        if places.with_value(|places| {
            errors.iter().any(|error| places.iter().any(|(_, name)| *name == error.field))
        }) {
            unfold();
        }
    });
    view! {
        <details
            class="form-more"
            node_ref=node
            open=needed.get_untracked()
            hidden=yes(move || count.get() == 0)
        >
            <summary>{text(move || format!("Advanced ({})", count.get()))}</summary>
            <div class="fields">{children()}</div>
        </details>
    }
    .into_any()
}
