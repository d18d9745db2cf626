//! Error summary of the form: takes the focus and links to each invalid field.

use components::form::typed::Typed;
use components::reactive::part;
use leptos::prelude::*;
use protocol::Problem;
use wasm_bindgen::JsCast;

/// Id of the summary.
const BOX: &str = "form-wrong";

/// The summary; absent without errors.
#[component]
pub fn Wrong(typed: Typed, trouble: RwSignal<Option<Problem>>) -> impl IntoView {
    part(move || {
        let errors = typed.errors.get();
        // Field errors from the server are gone once all of these fields were changed.
        let problem = trouble.get().filter(|problem| problem.fields.is_empty() || !errors.is_empty());
        if errors.is_empty() && problem.is_none() {
            return None;
        }
        let title = match (&problem, errors.len()) {
            (Some(problem), 0) => problem.title.clone(),
            (_, 1) => "Fix 1 field".to_owned(),
            (_, n) => format!("Fix {n} fields"),
        };
        let detail = problem.filter(|problem| problem.fields.is_empty()).map(|problem| problem.detail);
        let mistakes = errors.into_iter().map(|error| {
            if !typed.has(&error.field) {
                return view! { <li>{error.message}</li> }.into_any();
            }
            let id = Typed::id_of(&error.field);
            let href = format!("#{id}");
            let go = move |event: web_sys::MouseEvent| {
                event.prevent_default();
                focus(&id);
            };
            let title = typed.title_of(&error.field);
            view! {
                <li>
                    <a href=href on:click=go>{title}</a> ": " {error.message}
                </li>
            }
            .into_any()
        });
        Some(
            view! {
                <div class="note bad wrong" id=BOX tabindex="-1" role="group" aria-labelledby="form-wrong-title">
                    <p>
                        <strong id="form-wrong-title">{title}</strong>
                    </p>
                    {detail.map(|detail| view! { <p>{detail}</p> })}
                    <ul>{mistakes.collect_view()}</ul>
                </div>
            }
            .into_any(),
        )
    })
}

/// Focuses the summary once it is rendered.
pub fn focus_wrong() {
    request_animation_frame(|| focus(BOX));
}

fn focus(id: &str) {
    let element = document().get_element_by_id(id);
    if let Some(element) = element.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        // Fails only for elements that can't take the focus.
        let _ = element.focus();
    }
}
