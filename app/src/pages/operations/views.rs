//! Saved views: a filter with its sort order and grouping under a name. Stored in this browser only; shared by URL.

use app_state::address::list::Asked;
use app_state::toasts::Toasts;
use components::icon::Icon;
use components::menu::Unfolds;
use components::reactive::{mark, part, text, word, yes};
use leptos::html::{Details, Input};
use leptos::prelude::*;
use live::base;
use serde::{Deserialize, Serialize};
use web_sys::SubmitEvent;

/// Storage key.
const KEY: &str = "signalbox.views";
/// Maximum number of views.
const MAX_VIEWS: usize = 50;
/// Maximum length of a name, characters.
const MAX_NAME_CHARS: usize = 60;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct View {
    name: String,
    /// Query string of its URL.
    query: String,
}

fn stored_views() -> Vec<View> {
    let storage = window().local_storage().ok().flatten();
    let text = storage.and_then(|storage| storage.get_item(&base::scoped(KEY)).ok().flatten());
    text.and_then(|text| json::from_str(&text).ok()).unwrap_or_default()
}

/// Stores the views; returns whether the browser did.
fn keep(views: &[View]) -> bool {
    let Some(storage) = window().local_storage().ok().flatten() else { return false };
    serde_json::to_string(views).is_ok_and(|text| storage.set_item(&base::scoped(KEY), &text).is_ok())
}

/// Adds a view, or replaces the one with the same name.
fn put(views: &mut Vec<View>, name: &str, query: String) {
    match views.iter_mut().find(|view| view.name == name) {
        Some(view) => view.query = query,
        None => views.push(View { name: name.to_owned(), query }),
    }
    views.truncate(MAX_VIEWS);
}

/// Renames a view; does nothing when the name is taken.
fn rename(views: &mut [View], from: &str, to: &str) {
    if !views.iter().any(|view| view.name == to)
        && let Some(view) = views.iter_mut().find(|view| view.name == from)
    {
        view.name = to.to_owned();
    }
}

fn query_of(asked: &Asked) -> String {
    asked.with_peek(None).address().split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default()
}

/// Normalized name; `None` when empty.
fn name_of(typed: &str) -> Option<String> {
    let name: String = typed.trim().chars().take(MAX_NAME_CHARS).collect();
    Some(name).filter(|name| !name.is_empty())
}

/// Menu of saved views, with a form to save the current one.
#[component]
pub fn Views(asked: Memo<Asked>) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let views = RwSignal::new(Vec::<View>::new());
    // Name of the view being renamed.
    let renamed = RwSignal::new(None::<String>);
    let renaming = NodeRef::<Input>::new();
    Effect::new(move |_| views.set(stored_views()));
    Effect::new(move |_| {
        if let Some(field) = renaming.get() {
            // Fails only for elements that can't take the focus.
            let _ = field.focus();
            field.select();
        }
    });
    let change = move |act: &dyn Fn(&mut Vec<View>)| {
        // Another tab may have changed them.
        let mut now = stored_views();
        act(&mut now);
        if !keep(&now) {
            toasts.warn("This browser blocks storage for this page, so the view is lost when you leave it.");
        }
        views.set(now);
    };
    let query = Memo::new(move |_| asked.with(query_of));
    let here = Memo::new(move |_| {
        let query = query.get();
        views.with(|views| views.iter().find(|view| view.query == query).map(|view| view.name.clone()))
    });
    let menu = NodeRef::<Details>::new();
    let field = NodeRef::<Input>::new();
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(field) = field.get_untracked() else { return };
        let Some(name) = name_of(&field.value()) else { return };
        change(&|views| put(views, &name, query.get_untracked()));
        field.set_value("");
        toasts.say(format!("View saved in this browser: {name}"));
    };
    let delete = move |view: View| {
        let at = views.with_untracked(|views| views.iter().position(|v| *v == view)).unwrap_or_default();
        change(&|views| views.retain(|v| v.name != view.name));
        let name = view.name.clone();
        toasts.undoable(format!("View deleted: {name}"), move || {
            let mut now = stored_views();
            if !now.iter().any(|v| v.name == view.name) {
                now.insert(at.min(now.len()), view.clone());
            }
            keep(&now);
            // The page may be gone by now.
            views.try_set(now);
        });
    };
    let entry = move |view: View| {
        let View { name, query } = view.clone();
        let mine = {
            let name = name.clone();
            move || renamed.with(|renamed| renamed.as_ref() == Some(&name))
        };
        let (from, labels) =
            (name.clone(), [format!("Rename the view {name}"), format!("Delete the view {name}")]);
        let [rename_label, delete_label] = labels;
        let done = move |event: &web_sys::Event| {
            let to = name_of(&event_target_value(event));
            // Removing the focused field fires `blur`, too.
            if renamed.get_untracked().as_ref() == Some(&from) {
                if let Some(to) = to {
                    change(&|views| rename(views, &from, &to));
                }
                renamed.set(None);
            }
        };
        let shown = here.get_untracked();
        let current = (shown.as_ref() == Some(&name)).then_some("page");
        part(move || {
            let (name, done, view) = (name.clone(), done.clone(), view.clone());
            Some(if mine() {
                let key = {
                    let done = done.clone();
                    move |event: web_sys::KeyboardEvent| match event.key().as_str() {
                        "Enter" => {
                            event.prevent_default();
                            done(event.as_ref());
                        }
                        "Escape" => {
                            event.prevent_default();
                            renamed.set(None);
                        }
                        _ => {}
                    }
                };
                view! {
                    <input
                        type="text"
                        aria-label=rename_label.clone()
                        maxlength="60"
                        node_ref=renaming
                        value=name
                        on:keydown=key
                        on:blur=move |event| done(event.as_ref())
                    />
                }
                .into_any()
            } else {
                let start = {
                    let name = name.clone();
                    move |_| renamed.set(Some(name.clone()))
                };
                view! {
                    <a
                        href=base::url(&format!("/operations?{query}"))
                        aria-current=current
                        on:click=move |_| {
                            if let Some(menu) = menu.get_untracked() {
                                menu.set_open(false);
                            }
                        }
                    >
                        {name}
                    </a>
                    <button type="button" class="link" aria-label=rename_label.clone() on:click=start>
                        "Rename"
                    </button>
                    <button
                        type="button"
                        class="quiet"
                        title="Delete"
                        aria-label=delete_label.clone()
                        on:click=move |_| delete(view.clone())
                    >
                        <Icon name="cross"/>
                    </button>
                }
                .into_any()
            })
        })
    };
    let unfolds = Unfolds::new(menu);
    let (pressed, left) = (move |event| unfolds.pressed(&event), move |event| unfolds.left(&event));
    let savable = Memo::new(move |_| !query.read().is_empty());
    view! {
        <details class="views only-script" node_ref=menu on:keydown=pressed on:focusout=left>
            <summary class="button" data-chosen=mark(move || here.read().is_some())>
                {text(move || here.get().unwrap_or_else(|| "Views".to_owned()))}
            </summary>
            <div class="views-menu">
                <ul aria-label="Saved views">
                    {part(move || {
                        let all = views.get().into_iter().map(|view| view! { <li>{entry(view)}</li> }.into_any());
                        Some(all.collect_view().into_any())
                    })}
                </ul>
                <form on:submit=save>
                    <label>
                        <span class="muted">
                            {word(move || match savable.get() {
                                true => "Save current filters, sort order and grouping as",
                                false => "Filter, sort or group the list to save a view.",
                            })}
                        </span>
                        <input
                            node_ref=field
                            type="text"
                            maxlength="60"
                            autocomplete="off"
                            placeholder="Name"
                            disabled=yes(move || !savable.get())
                        />
                    </label>
                    <button class="button" disabled=yes(move || !savable.get())>
                        "Save view"
                    </button>
                </form>
                <p class="muted">"Views are saved in this browser only. To share one, copy its URL."</p>
            </div>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn view_names_are_unique() {
        let mut views = Vec::new();
        put(&mut views, "a", "state=failed".to_owned());
        put(&mut views, "b", "kind=data.load".to_owned());
        put(&mut views, "a", "state=running".to_owned());
        assert_eq!((views.len(), views[0].query.as_str()), (2, "state=running"));
        rename(&mut views, "a", "b");
        assert_eq!(views[0].name, "a", "the name is taken");
        rename(&mut views, "a", "c");
        assert_eq!(views[0].name, "c");
        assert_eq!(name_of("   "), None);
    }
}
