//! Preview beside the form, for kinds that support it: what a start with the current parameters would do.

use super::field_errors::point_out;
use components::form::typed::Typed;
use components::permission::needs;
use components::reactive::{part, text, yes};
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use protocol::access::Permission;
use protocol::preview::PREVIEW_KEY;
use protocol::{KindName, KindSpec, Preview, Problem};
use serde_json::Value;

/// Whether a kind supports previews.
pub fn has_preview(spec: &KindSpec) -> bool {
    spec.params.get(PREVIEW_KEY).and_then(Value::as_bool).unwrap_or(false)
}

/// A preview, and the field texts it was requested with.
type Shown = (Vec<String>, Result<Preview, Problem>);

/// Preview button and result. A changed parameter removes the result.
#[component]
pub fn PreviewPanel(kind: KindName, typed: Typed, announced: RwSignal<String>) -> impl IntoView {
    let shown = RwSignal::new(None::<Shown>);
    let pending = RwSignal::new(false);
    let now = Memo::new(move |_| typed.texts());
    let kind = StoredValue::new(kind);
    let ask = move |_| {
        let (params, of) = (typed.params(), now.get_untracked());
        let Some(params) = params.filter(|_| typed.errors.with_untracked(Vec::is_empty)) else {
            point_out(&[typed], None, announced);
            return;
        };
        pending.set(true);
        spawn_local(async move {
            let answer = api::preview(&kind.get_value(), &params).await;
            if let Err(problem) = &answer
                && !problem.fields.is_empty()
            {
                typed.errors.try_set(problem.fields.clone());
                point_out(&[typed], Some(problem), announced);
            }
            pending.try_set(false);
            shown.try_set(Some((of, answer)));
        });
    };
    let panel = part(move || {
        let (of, answer) = shown.get()?;
        if now.get() != of {
            return None;
        }
        Some(match answer {
            Ok(preview) => view! { <Found preview/> }.into_any(),
            Err(problem) => view! { <p class="note bad">{problem.detail}</p> }.into_any(),
        })
    });
    let words = move || if pending.get() { "Loading…".to_owned() } else { "Preview".to_owned() };
    view! {
        <section class="preview" aria-label="Preview">
            <button {..needs(Permission::Start)}
                type="button"
                class="button only-script"
                disabled=yes(move || pending.get())
                on:click=ask
            >
                {text(words)}
            </button>
            <div class="preview-found" role="status">{panel}</div>
        </section>
    }
    .into_any()
}

/// Facts, warnings and the first rows.
#[component]
fn Found(preview: Preview) -> impl IntoView {
    let Preview { facts, warnings, table, failure } = preview;
    let facts = facts.into_iter().map(|fact| {
        view! {
            <dt>{fact.label}</dt>
            <dd>{fact.value}</dd>
        }
        .into_any()
    });
    let failure = failure.map(|failure| {
        view! {
            <p class="note bad">
                <strong>{failure.message}</strong> " " {failure.hint}
            </p>
        }
        .into_any()
    });
    let warnings = (!warnings.is_empty()).then(|| {
        let items = warnings.into_iter().map(|warning| view! { <li>{warning}</li> }.into_any());
        view! { <ul class="preview-warnings">{items.collect_view()}</ul> }.into_any()
    });
    let table = table.map(|table| {
        let heads = table.columns.into_iter().map(|name| view! { <th scope="col">{name}</th> }.into_any());
        let rows = table.rows.into_iter().map(|row| {
            let cells = row.into_iter().map(|cell| view! { <td>{cell}</td> }.into_any());
            view! { <tr>{cells.collect_view()}</tr> }.into_any()
        });
        view! {
            <div class="preview-scroll" tabindex="0" role="region" aria-label=table.title.clone()>
                <table class="preview-table">
                    <caption>{table.title.clone()}</caption>
                    <thead>
                        <tr>{heads.collect_view()}</tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any()
    });
    view! {
        {failure}
        <dl class="preview-facts">{facts.collect_view()}</dl>
        {warnings}
        {table}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_kind_that_declares_it_has_a_preview() {
        let spec = |params: Value| -> KindSpec {
            serde_json::from_value(json!({
                "name": "data.load", "title": "", "description": "", "summary": "", "params": params
            }))
            .unwrap()
        };
        assert!(has_preview(&spec(json!({"x-preview": true}))));
        assert!(!has_preview(&spec(json!({}))));
    }
}
