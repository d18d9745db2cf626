//! Permission of a control: without it, the control is disabled and says who may use it. It keeps the focus and its
//! place, so that the reason can be reached by pointer, key and screen reader.

use super::deferred::Deferred;
use super::lazy_section::once_live;
use crate::reactive::{maybe, part, spoken};
use app_state::permissions::refusal;
use leptos::attr::any_attribute::{AnyAttribute, IntoAnyAttribute};
use leptos::attr::custom::custom_attribute;
use leptos::attr::{aria_describedby, aria_disabled};
use leptos::html::Div;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use live::Identity;
use protocol::access::Permission;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, Event, HtmlElement, KeyboardEvent, Node};

/// Matches a disabled control.
const REFUSED: &str = "[data-needs][aria-disabled='true']";
/// Distance of the reason from its control, pixels.
const APART: f64 = 6.0;

/// Attributes of a control that needs a permission: `<button {..needs(Permission::Start)}>`.
pub fn needs(permission: Permission) -> Vec<AnyAttribute> {
    needs_and(permission, || false, None)
}

/// As [`needs`], for a control that is also disabled for other reasons, or described by another element.
pub fn needs_and(
    permission: Permission,
    off: impl Fn() -> bool + Send + 'static,
    described_by: Option<String>,
) -> Vec<AnyAttribute> {
    let identity = Identity::here();
    let refused = move || identity.lacks(permission).is_some();
    let description = move || {
        let why = refused().then(|| id_of(permission));
        let all: Vec<String> = described_by.clone().into_iter().chain(why).collect();
        (!all.is_empty()).then(|| all.join(" "))
    };
    vec![
        custom_attribute("data-needs", permission.as_str()).into_any_attr(),
        aria_disabled(spoken(move || off() || refused())).into_any_attr(),
        aria_describedby(maybe(description)).into_any_attr(),
    ]
}

/// Id of the element with the reason.
fn id_of(permission: Permission) -> String {
    format!("needs-{}", permission.as_str())
}

/// The reasons, which disabled controls refer to, and the one shown beside the control in use. Presses of disabled
/// controls have no effect.
#[component]
pub fn PermissionNotes() -> impl IntoView {
    once_live(Deferred::new(|| Box::pin(load_notes()), || ()), notes)
}

#[wasm_split(later, wasm_split_path = leptos::wasm_split, preload(load_notes), fallible)]
fn notes() -> Result<AnyView, SplitLoaderError> {
    let (node, identity) = (NodeRef::<Div>::new(), Identity::here());
    Effect::new(move |watches: Option<bool>| {
        let lacks = identity.me().is_some_and(|me| !me.lacks.is_empty());
        let watches = watches.unwrap_or_default();
        if lacks && !watches {
            watch(node);
        }
        watches || lacks
    });
    let notes = part(move || {
        let notes = Permission::ALL.into_iter().filter_map(|permission| {
            let why = refusal(identity, permission)?;
            Some(view! { <p id=id_of(permission)>{why}</p> })
        });
        Some(notes.collect_view().into_any())
    });
    Ok(view! {
        <div hidden>{notes}</div>
        <div class="needs-note" aria-hidden="true" node_ref=node></div>
    }
    .into_any())
}

/// Stops presses of disabled controls, and shows the reason of the one under the pointer or with the focus.
fn watch(node: NodeRef<Div>) {
    listen("click", stop_refused);
    listen("pointerover", move |event| show_beside(event, node));
    listen("focusin", move |event| show_beside(event, node));
    listen("scroll", move |_| hide(node));
    listen("keydown", move |event| {
        if event.dyn_ref::<KeyboardEvent>().is_some_and(|event| event.key() == "Escape") {
            hide(node);
        }
    });
}

/// Listens before any control does, as long as the page lives.
fn listen(name: &str, act: impl FnMut(&Event) + 'static) {
    let mut act = act;
    let closure = Closure::<dyn FnMut(Event)>::new(move |event: Event| act(&event));
    // Fails only for an invalid name.
    let _ = window().add_event_listener_with_callback_and_bool(name, closure.as_ref().unchecked_ref(), true);
    closure.forget();
}

/// Disabled control that an event is about.
fn refused_at(event: &Event) -> Option<Element> {
    let at = event.target()?.dyn_into::<Element>().ok()?;
    at.closest(REFUSED).ok().flatten()
}

fn stop_refused(event: &Event) {
    if refused_at(event).is_some_and(|control| reason_of(&control).is_some()) {
        event.prevent_default();
        event.stop_immediate_propagation();
    }
}

/// Reason why the reader may not use a control; it may be disabled for others as well.
fn reason_of(control: &Element) -> Option<String> {
    let id = format!("needs-{}", control.get_attribute("data-needs")?);
    document().get_element_by_id(&id)?.text_content()
}

fn show_beside(event: &Event, node: NodeRef<Div>) {
    let Some(note) = node.try_get_untracked().flatten() else { return };
    let control = refused_at(event);
    let Some((control, why)) = control.and_then(|control| reason_of(&control).map(|why| (control, why)))
    else {
        // It stays while the pointer is on it.
        let itself = event.target().and_then(|at| at.dyn_into::<Node>().ok());
        if !note.contains(itself.as_ref()) {
            hide(node);
        }
        return;
    };
    note.set_text_content(Some(&why));
    place(&note, &control);
}

/// Below the control, or above it where there is no room.
fn place(note: &HtmlElement, control: &Element) {
    let style = note.style();
    let set = |name, value: f64| drop(style.set_property(name, &format!("{}px", value.round())));
    // Fails only for an unknown name.
    drop(note.set_attribute("data-shown", ""));
    let (at, own) = (control.get_bounding_client_rect(), note.get_bounding_client_rect());
    let root = document().document_element();
    let (width, height) =
        root.map_or((0.0, 0.0), |root| (f64::from(root.client_width()), f64::from(root.client_height())));
    set("left", at.left().min(width - own.width() - APART).max(APART));
    let below = at.bottom() + APART;
    set("top", if below + own.height() > height { at.top() - APART - own.height() } else { below });
}

fn hide(node: NodeRef<Div>) {
    if let Some(note) = node.try_get_untracked().flatten() {
        // Fails only for an unknown name.
        drop(note.remove_attribute("data-shown"));
    }
}
