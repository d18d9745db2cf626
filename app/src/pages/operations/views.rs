//! Views as tabs above the list: built-in ones and those saved in this browser. The current saved one can be renamed
//! and deleted; a list that is no view can be saved as one.

use app_state::address::list::Asked;
use app_state::toasts::Toasts;
use app_state::views::{self, BUILT_IN, SavedViews, name_of};
use components::focus::{find, hand_over};
use components::menu::{Menu, Unfolds};
use components::reactive::{part, spoken};
use leptos::html::{Details, Div, Input};
use leptos::prelude::*;
use live::base;
use web_sys::{KeyboardEvent, MouseEvent, SubmitEvent};

/// Says that a view is lost when the page is left.
const NOT_KEPT: &str =
    "This browser blocks storage for this page, so the view is lost when you leave the page.";

fn query_of(asked: &Asked) -> String {
    let address = asked.with_peek(None).address();
    address.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default()
}

/// The tabs.
#[component]
pub fn ViewTabs(asked: Memo<Asked>) -> impl IntoView {
    let saved = SavedViews::here();
    let query = Memo::new(move |_| asked.with(query_of));
    // Name of the saved view that is shown.
    let own = Memo::new(move |_| saved.name_at(&query.read()));
    let is_view =
        Memo::new(move |_| own.read().is_some() || BUILT_IN.iter().any(|(_, of)| *of == *query.read()));
    // The saved view is being renamed.
    let renaming = RwSignal::new(false);
    Effect::new(move |_| {
        query.track();
        renaming.set(false);
    });
    let tabs = NodeRef::<Div>::new();
    // What had the focus goes with a change of the tabs.
    let keep_focus = move || {
        if let Some(tabs) = tabs.get_untracked() {
            let within = tabs.clone();
            hand_over(Some(&tabs), move || find(&within, "a[aria-current]").or_else(|| find(&within, "a")));
        }
    };
    let tab = move |name: String, of: String| {
        let href = base::url(&views::address(&of));
        let current = Memo::new(move |_| *query.read() == of);
        view! {
            // Not the router's link: by path alone each would be the current page.
            <a href=href data-noscroll="" class="view-tab" aria-current=spoken(move || current.get())>
                {name}
            </a>
        }
        .into_any()
    };
    let built_in: Vec<_> = BUILT_IN
        .into_iter()
        .map(|(name, of)| view! { <li>{tab(name.to_owned(), of.to_owned())}</li> }.into_any())
        .collect();
    let all = part(move || {
        let renamed = own.get().filter(|_| renaming.get());
        let all = saved.all().into_iter().map(|view| {
            let body = match renamed.as_ref() == Some(&view.name) {
                true => view! { <Rename name=view.name saved renaming keep_focus=Callback::new(move |()| keep_focus())/> }.into_any(),
                false => tab(view.name, view.query),
            };
            view! { <li>{body}</li> }.into_any()
        });
        Some(all.collect::<Vec<_>>().into_any())
    });
    let menu = part(move || {
        let name = own.get()?;
        Some(
            view! { <OwnMenu name saved renaming keep_focus=Callback::new(move |()| keep_focus())/> }
                .into_any(),
        )
    });
    let save = part(move || {
        (!is_view.get()).then(|| {
            view! { <Save query saved keep_focus=Callback::new(move |()| keep_focus())/> }.into_any()
        })
    });
    view! {
        <div class="view-tabs" node_ref=tabs>
            <nav aria-label="Views of the list">
                <ul>{built_in} {all}</ul>
            </nav>
            {menu}
            {save}
        </div>
    }
    .into_any()
}

/// Field for the new name, in place of the tab.
#[component]
fn Rename(
    name: String,
    saved: SavedViews,
    renaming: RwSignal<bool>,
    keep_focus: Callback<()>,
) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let field = NodeRef::<Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            // Fails only for elements that can't take the focus.
            let _ = field.focus();
            field.select();
        }
    });
    let label = format!("New name of the view {name}");
    let (from, size) = (name.clone(), name.chars().count().max(12).to_string());
    // Removing the focused field fires `blur`, too; then the signals may be gone.
    let done = move |event: &web_sys::Event| {
        if renaming.try_get_untracked() != Some(true) {
            return;
        }
        keep_focus.run(());
        if let Some(to) = name_of(&event_target_value(event)).filter(|to| *to != from)
            && !saved.rename(&from, &to)
        {
            toasts.warn(NOT_KEPT);
        }
        renaming.try_set(false);
    };
    let on_key = {
        let done = done.clone();
        move |event: KeyboardEvent| match event.key().as_str() {
            "Enter" => {
                event.prevent_default();
                done(event.as_ref());
            }
            "Escape" => {
                event.prevent_default();
                keep_focus.run(());
                renaming.set(false);
            }
            _ => {}
        }
    };
    view! {
        <input
            node_ref=field
            class="view-name"
            type="text"
            aria-label=label
            maxlength="60"
            size=size
            value=name
            on:keydown=on_key
            on:blur=move |event| done(event.as_ref())
        />
    }
    .into_any()
}

/// What can be done with the saved view that is shown.
#[component]
fn OwnMenu(
    name: String,
    saved: SavedViews,
    renaming: RwSignal<bool>,
    keep_focus: Callback<()>,
) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let delete = move |_| {
        keep_focus.run(());
        if let Some((at, view)) = saved.delete(&name) {
            let wording = format!("View deleted: {}", view.name);
            toasts.undoable(wording, move || saved.restore(at, view.clone()));
        }
    };
    view! {
        <Menu label="Rename or delete this view">
            <button type="button" on:click=move |_| renaming.set(true)>"Rename"</button>
            <button type="button" on:click=delete>"Delete"</button>
        </Menu>
    }
    .into_any()
}

/// Form that saves the list as a view.
#[component]
fn Save(query: Memo<String>, saved: SavedViews, keep_focus: Callback<()>) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let (details, field) = (NodeRef::<Details>::new(), NodeRef::<Input>::new());
    let unfolds = Unfolds::new(details);
    let (pressed, left) = (move |event| unfolds.pressed(&event), move |event| unfolds.left(&event));
    // Opened here and not by the browser, whose event comes later: the next letter is for the field.
    let open = move |event: MouseEvent| {
        let (Some(details), Some(field)) = (details.get_untracked(), field.get_untracked()) else { return };
        event.prevent_default();
        details.set_open(!details.open());
        if details.open() {
            // Fails only for elements that can't take the focus.
            let _ = field.focus();
        }
    };
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(name) = field.get_untracked().and_then(|field| name_of(&field.value())) else { return };
        keep_focus.run(());
        match saved.save(&name, &query.get_untracked()) {
            true => toasts.say(format!("View saved in this browser: {name}")),
            false => toasts.warn(NOT_KEPT),
        }
    };
    view! {
        <details class="views only-script" node_ref=details on:keydown=pressed on:focusout=left>
            <summary class="button" on:click=open>"Save as view"</summary>
            <form class="views-menu" on:submit=save>
                <label>
                    <span>"Name"</span>
                    <input node_ref=field type="text" maxlength="60" autocomplete="off"/>
                </label>
                <button class="button primary">"Save view"</button>
                <p class="muted">
                    "Saves filters, order, groups and columns in this browser. A view of the same name is replaced. To share a view, copy its URL."
                </p>
            </form>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_panel_beside_the_list_is_no_part_of_a_view() {
        let asked = Asked::read("state=failed&sort=oldest&peek=0199c2d4-7f3a-7c11-9e1b-000000000001");
        assert_eq!(query_of(&asked), "state=failed&sort=oldest");
        assert_eq!(query_of(&Asked::read("")), "");
    }
}
