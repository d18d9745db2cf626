//! Errors of the form: said at the fields; beside the button, which fields to fix, and what the server refused.

use super::options::RULE;
use components::form::typed::Typed;
use components::reactive::{part, text};
use leptos::prelude::*;
use protocol::{FieldError, Problem};
use wasm_bindgen::JsCast;

/// Links to invalid fields, and a problem without fields. `announced` is read out once for each refused start.
#[component]
pub fn Wrong(
    /// The parts of the form, in the order of the page.
    forms: Vec<Typed>,
    trouble: RwSignal<Option<Problem>>,
    announced: RwSignal<String>,
) -> impl IntoView {
    let fields = part(move || {
        let all = forms.iter().flat_map(|typed| typed.errors.get().into_iter().map(|error| (*typed, error)));
        let (known, unknown): (Vec<_>, Vec<_>) =
            all.partition(|(typed, error)| has_place(*typed, &error.field));
        if known.is_empty() && unknown.is_empty() {
            return None;
        }
        let links = known.into_iter().map(|(typed, error)| {
            let id = Typed::id_of(&error.field);
            let href = format!("#{id}");
            let go = move |event: web_sys::MouseEvent| {
                event.prevent_default();
                focus(&id);
            };
            view! {
                <a href=href on:click=go>
                    {title_of(typed, &error.field)}
                </a>
            }
            .into_any()
        });
        let links = links.collect_view();
        let fix = (!links.is_empty()).then(|| view! { <p class="wrong-fields">"Fix " {links}</p> });
        let others = unknown.into_iter().map(|(_, error)| view! { <p>{error.message}</p> });
        Some(view! { {fix} {others.collect_view()} }.into_any())
    });
    let refused = part(move || {
        let problem = trouble.get().filter(|problem| problem.fields.is_empty())?;
        Some(
            view! {
                <p>
                    <strong>{problem.title}</strong> ". " {problem.detail}
                </p>
            }
            .into_any(),
        )
    });
    view! {
        <div class="wrong">{fields} {refused}</div>
        <p class="unseen" role="alert">
            {text(move || announced.get())}
        </p>
    }
    .into_any()
}

fn has_place(typed: Typed, field: &str) -> bool {
    field == RULE || typed.has(field)
}

fn title_of(typed: Typed, field: &str) -> String {
    if field == RULE && !typed.has(RULE) { "Auto-cancel rule".to_owned() } else { typed.title_of(field) }
}

/// Focuses the first invalid field once its error is rendered, and says what to fix.
pub fn point_out(forms: &[Typed], trouble: Option<&Problem>, announced: RwSignal<String>) {
    let errors =
        forms.iter().flat_map(|typed| typed.errors.get_untracked().into_iter().map(|error| (*typed, error)));
    let errors: Vec<(Typed, FieldError)> = errors.collect();
    let titles: Vec<String> = errors.iter().map(|(typed, error)| title_of(*typed, &error.field)).collect();
    announced.set(announcement(&titles, trouble));
    let first = errors.into_iter().find(|(typed, error)| has_place(*typed, &error.field));
    if let Some((_, first)) = first {
        // Two frames: folded fields unfold first.
        request_animation_frame(move || request_animation_frame(move || focus(&Typed::id_of(&first.field))));
    }
}

/// What a screen reader says.
fn announcement(titles: &[String], trouble: Option<&Problem>) -> String {
    let fields = match titles {
        [] => String::new(),
        [one] => format!("Not started. Fix 1 field: {one}."),
        many => format!("Not started. Fix {} fields: {}.", many.len(), many.join(", ")),
    };
    match trouble {
        Some(problem) if titles.is_empty() => format!("{}. {}", problem.title, problem.detail),
        _ => fields,
    }
}

fn focus(id: &str) {
    let element = document().get_element_by_id(id);
    if let Some(element) = element.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        // Fails only for elements that can't take the focus.
        let _ = element.focus();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::ProblemType;

    #[test]
    fn a_refused_start_names_its_fields_once_and_otherwise_its_problem() {
        assert_eq!(announcement(&["A".into()], None), "Not started. Fix 1 field: A.");
        assert_eq!(announcement(&["A".into(), "B".into()], None), "Not started. Fix 2 fields: A, B.");
        let problem = Problem::new(ProblemType::Internal, "The disk is full.");
        let said = announcement(&[], Some(&problem));
        assert!(said.ends_with(". The disk is full."), "{said}");
    }
}
