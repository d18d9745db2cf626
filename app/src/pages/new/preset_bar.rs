//! Presets of the form: choose, save, overwrite, rename, delete. Stored in this browser only.

use super::presets::{self, Presets, name_of};
use app_state::toasts::Toasts;
use components::form::typed::Typed;
use components::reactive::{part, text};
use leptos::html::{Button, Input};
use leptos::prelude::*;
use protocol::KindName;

/// Purpose of the name field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    New,
    /// Rename the chosen preset.
    Again,
}

/// Preset controls of one kind.
#[component]
pub fn PresetBar(kind: KindName, typed: Typed) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let kind = StoredValue::new(kind);
    let all = RwSignal::new(Presets::default());
    let chosen = RwSignal::new(String::new());
    let naming = RwSignal::new(None::<Naming>);
    let save = NodeRef::<Button>::new();
    // The storage exists in the browser only.
    Effect::new(move |_| all.set(kind.with_value(presets::load)));
    let any = Memo::new(move |_| all.read().names().next().is_some());
    let one = Memo::new(move |_| all.with(|all| chosen.with(|name| all.get(name).is_some())));

    let changed = move |new: Option<Presets>| match new {
        Some(new) => {
            all.set(new);
            true
        }
        None => {
            toasts.warn(
                "This browser blocks storage for this page, so presets can't be saved. Copy the URL instead: it contains the values.",
            );
            false
        }
    };
    let choose = move |event| {
        let name = event_target_value(&event);
        chosen.set(name.clone());
        naming.set(None);
        // Another tab may have changed it.
        let now = kind.with_value(presets::load);
        if let Some(values) = now.get(&name) {
            let given = |field: &str| values.iter().find(|(of, _)| of == field).map(|(_, text)| text.clone());
            typed.fill(format!("Filled in from \u{201c}{name}\u{201d}."), &given);
        }
        if all.with_untracked(|all| *all != now) {
            all.set(now);
        }
    };
    let delete = move |_| {
        let (kind, name) = (kind.get_value(), chosen.get_untracked());
        let mut gone = None;
        if !changed(presets::change(&kind, |all| gone = all.remove(&name))) {
            return;
        }
        chosen.set(String::new());
        naming.set(None);
        let Some(values) = gone else { return };
        // Undo may be pressed on another page.
        toasts.undoable(format!("Preset \u{201c}{name}\u{201d} deleted"), move || {
            if let Some(new) = presets::change(&kind, |all| all.put(&name, values.clone())) {
                all.try_set(new);
            }
        });
    };
    let list = part(move || {
        any.get().then(|| {
            let names: Vec<String> = all.read().names().map(str::to_owned).collect();
            let options = names.into_iter().map(|name| {
                let here = chosen.with_untracked(|chosen| *chosen == name);
                view! { <option value=name.clone() selected=here>{name.clone()}</option> }
            });
            view! {
                <select aria-label="Preset" on:change=choose>
                    <option value="">"Choose a preset"</option>
                    {options.collect_view()}
                </select>
            }
            .into_any()
        })
    });
    let of_one = part(move || {
        one.get().then(|| {
            view! {
                <button type="button" class="link" on:click=move |_| naming.set(Some(Naming::Again))>
                    "Rename…"
                </button>
                <button type="button" class="link" on:click=delete>
                    "Delete"
                </button>
            }
            .into_any()
        })
    });
    // The focus returns to the save button.
    let close = Callback::new(move |()| {
        naming.set(None);
        if let Some(save) = save.get_untracked() {
            // Fails only for elements that can't take the focus.
            let _ = save.focus();
        }
    });
    let keep = Callback::new(move |(what, name): (Naming, String)| {
        let kind = kind.get_value();
        let was = chosen.get_untracked();
        let done = match what {
            Naming::New => {
                let values: Vec<_> = typed
                    .fields()
                    .into_iter()
                    .enumerate()
                    .filter(|(place, (field, _))| !field.secret && untrack(|| typed.is_shown(*place)))
                    .map(|(_, (field, text))| (field.name, text.get_untracked()))
                    .collect();
                changed(presets::change(&kind, |all| all.put(&name, values)))
            }
            Naming::Again => changed(presets::change(&kind, |all| all.rename(&was, &name))),
        };
        if done {
            toasts.say(match what {
                Naming::New => format!("Preset \u{201c}{name}\u{201d} saved in this browser"),
                Naming::Again => format!("Preset renamed to \u{201c}{name}\u{201d}"),
            });
            chosen.set(name);
            close.run(());
        }
    });
    let name_field = part(move || {
        let what = naming.get()?;
        Some(view! { <NameField what all first=chosen.get_untracked() keep close/> }.into_any())
    });
    view! {
        <div class="presets only-script">
            {list}
            <button
                node_ref=save
                type="button"
                class="link"
                on:click=move |_| naming.set(Some(Naming::New))
            >
                "Save as preset…"
            </button>
            {of_one}
            {part(move || any.get().then(|| view! { <span class="muted presets-where">"Stored in this browser only"</span> }.into_any()))}
        </div>
        {name_field}
    }
    .into_any()
}

/// Asks for a name; the button states whether an existing preset is overwritten.
#[component]
fn NameField(
    what: Naming,
    all: RwSignal<Presets>,
    first: String,
    keep: Callback<(Naming, String)>,
    close: Callback<()>,
) -> impl IntoView {
    let typed = RwSignal::new(first.clone());
    let node = NodeRef::<Input>::new();
    node.on_load(|input| {
        // The field must be in the document first.
        request_animation_frame(move || {
            // Fails only for elements that can't take the focus.
            let _ = input.focus();
            input.select();
        });
    });
    let button = {
        let first = first.clone();
        move || {
            let name = name_of(&typed.read());
            let taken = name.as_deref().filter(|name| all.with(|all| all.get(name).is_some()));
            match (what, taken) {
                (Naming::New, None) => "Save preset".to_owned(),
                (Naming::Again, Some(name)) if name == first => "Keep name".to_owned(),
                (Naming::Again, None) => "Rename preset".to_owned(),
                (_, Some(name)) => format!("Overwrite \u{201c}{name}\u{201d}"),
            }
        }
    };
    let done = move || {
        if let Some(name) = name_of(&typed.get_untracked()) {
            keep.run((what, name));
        }
    };
    let keys = move |event: web_sys::KeyboardEvent| match event.key().as_str() {
        "Enter" => {
            event.prevent_default();
            done();
        }
        "Escape" => {
            event.stop_propagation();
            close.run(());
        }
        _ => {}
    };
    view! {
        <div class="preset-name">
            <input
                node_ref=node
                type="text"
                aria-label="Preset name"
                placeholder="Name"
                maxlength="60"
                autocomplete="off"
                value=first
                on:input=move |event| typed.set(event_target_value(&event))
                on:keydown=keys
            />
            <button type="button" class="button" on:click=move |_| done()>
                {text(button)}
            </button>
            <button type="button" class="link" on:click=move |_| close.run(())>
                "Back"
            </button>
        </div>
    }
    .into_any()
}
