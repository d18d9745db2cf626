//! Command palette: one field to find pages, operations, hosts and commands by keyboard. Opened by Ctrl K and by the
//! search button.

mod entries;
mod rank;
mod recent;

use super::deferred::Deferred;
use super::dialog;
use super::icon::Icon;
use super::state_mark::StateMark;
use super::theme::fold_rail;
use crate::reactive::{maybe, part, text, word};
use app_state::ShortcutHelp;
use app_state::Zones;
use app_state::actions::Question;
use app_state::address;
use app_state::current::{ActionScope, CurrentOperation};
use app_state::permissions::refusal_now;
use app_state::theme::Theme;
use entries::{Does, Entry, Found, Group, Held, find, gather, held_at, matches, place_of, search};
use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::hooks::use_navigate;
use live::OperationStore;
use live::api;
use protocol::OperationId;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent, MouseEvent};

/// Debounce before the server is searched.
const PAUSE: Duration = Duration::from_millis(180);
/// Minimum number of characters for a search on the server.
const MIN_SEARCH_CHARS: usize = 2;
/// Step of Page Up and Page Down.
const PAGE: usize = 6;

/// Whether the palette is open, and what was typed before its field was there; from the context.
#[derive(Clone, Copy)]
pub struct Palette {
    open: RwSignal<bool>,
    typed_ahead: StoredValue<String>,
}

impl Palette {
    /// Called once, by the frame.
    pub fn new() -> Self {
        Self { open: RwSignal::new(false), typed_ahead: StoredValue::default() }
    }

    pub fn here() -> Self {
        expect_context::<Palette>()
    }

    /// Not tracked.
    pub fn is_open(&self) -> bool {
        self.open.get_untracked()
    }

    /// Toggles the palette.
    pub fn turn(&self) {
        self.typed_ahead.set_value(String::new());
        self.open.update(|open| *open = !*open);
    }

    /// Keeps a key that is pressed while the code of the palette is loading: its field gets the text, and no shortcut
    /// runs.
    pub fn type_ahead(&self, event: &KeyboardEvent) {
        let key = event.key();
        let mut letters = key.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) if types(event) => {
                self.typed_ahead.update_value(|typed| typed.push(letter));
            }
            _ if key == "Backspace" => self.typed_ahead.update_value(|typed| _ = typed.pop()),
            _ if key == "Escape" => self.open.set(false),
            // What has the focus does not get it.
            _ if key == "Enter" => {}
            _ => return,
        }
        event.prevent_default();
    }
}

/// Whether a key with a letter types it: not with a modifier, except AltGr.
fn types(event: &KeyboardEvent) -> bool {
    let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
    !modified || event.get_modifier_state("AltGraph")
}

/// Runs the entry at a position. Only called in the browser, on its one thread.
type Choose = StoredValue<Rc<dyn Fn(usize)>, LocalStorage>;

/// State of the server's search.
#[derive(Clone, PartialEq)]
enum Stored {
    /// Not searched.
    Idle,
    Asked,
    Found(Vec<Entry>),
    /// Error message.
    Trouble(String),
}

/// Search button in the top bar; an icon on phones.
#[component]
pub fn PaletteButton() -> impl IntoView {
    let palette = Palette::here();
    // Default until the platform is known.
    let keys = RwSignal::new("Ctrl K");
    Effect::new(move |_| {
        if window().navigator().user_agent().is_ok_and(|agent| agent.contains("Mac OS")) {
            keys.set("⌘ K");
        }
    });
    view! {
        <button
            type="button"
            class="palette-button only-script"
            aria-haspopup="dialog"
            on:click=move |_| palette.turn()
        >
            <Icon name="search"/>
            <span class="palette-words">"Search or command"</span>
            <kbd class="wide-only" aria-hidden="true">{word(move || keys.get())}</kbd>
        </button>
    }
    .into_any()
}

/// The dialog. Its content is rebuilt each time it opens.
#[component]
pub fn PaletteDialog() -> impl IntoView {
    let palette = Palette::here();
    let open = palette.open;
    let dialog = NodeRef::<Dialog>::new();
    // An action runs after the palette is closed, so it needs an owner that outlives it.
    let owner = Owner::current().unwrap_or_default();
    let code = Deferred::new(|| Box::pin(load_finder()), move || open.set(false));
    dialog::follow(dialog, move || open.get() && code.loaded());
    // A click on the backdrop closes it.
    let beside = move |event: MouseEvent| {
        let itself = dialog.get_untracked().map(|dialog| dialog.unchecked_into::<HtmlElement>());
        let target = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
        if target.is_some() && target == itself {
            open.set(false);
        }
    };
    view! {
        <dialog
            node_ref=dialog
            class="dialog palette"
            aria-label="Search or command"
            on:close=dialog::on_close(dialog, open)
            on:keydown=dialog::on_escape(open)
            on:click=beside
        >
            {part(move || open.get().then(|| code.view(|| finder(palette, owner.clone()))).flatten())}
        </dialog>
    }
    .into_any()
}

/// The content of the dialog.
#[wasm_split(later, wasm_split_path = leptos::wasm_split, preload(load_finder), fallible)]
fn finder(palette: Palette, owner: Owner) -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <Finder palette owner/> }.into_any())
}

/// The field and its results.
#[component]
fn Finder(palette: Palette, owner: Owner) -> impl IntoView {
    let open = palette.open;
    let typed_ahead = palette.typed_ahead.get_value();
    let typed = RwSignal::new(typed_ahead.clone());
    // The selected entry. Stored by identity, not by position: results may be inserted before it.
    let held = RwSignal::new(None::<Held>);
    let stored = RwSignal::new(Stored::Idle);
    // Snapshot of the page at opening, so that nothing moves while the user chooses.
    let known = StoredValue::new(gather());
    let recent = StoredValue::new(recent::read());
    let found = Memo::new(move |_| {
        let typed = typed.get();
        let mut all = known.get_value();
        if let Stored::Found(more) = &*stored.read() {
            all.extend(more.iter().cloned());
        }
        if let Some(entry) = by_id(&typed, &all) {
            all.push(entry);
        }
        let mut groups = recent.with_value(|recent| find(&typed, &all, recent));
        groups.extend(search(&typed));
        groups
    });
    let count =
        Memo::new(move |_| found.with(|groups| groups.iter().map(|(_, list)| list.len()).sum::<usize>()));
    let at = Memo::new(move |_| {
        let place = |held: &Held| found.with(|groups| place_of(groups, held));
        held.with(|held| held.as_ref().and_then(place)).unwrap_or_default()
    });
    let hold = Callback::new(move |n: usize| held.set(found.with_untracked(|groups| held_at(groups, n))));
    let choose = chooser(open, owner);
    let choose_at: Rc<dyn Fn(usize)> = Rc::new(move |n| {
        let entry = found.with_untracked(|groups| groups.iter().flat_map(|(_, list)| list).nth(n).cloned());
        // The palette stays open: a disabled entry says why.
        if let Some(Found { entry, .. }) = entry
            && entry.does.needs().and_then(refusal_now).is_none()
        {
            choose(entry);
        }
    });
    let choose_at = StoredValue::new_local(choose_at);
    let search_for = move |text| {
        typed.set(text);
        hold.run(0);
        // A match that the server finds comes before the search in the list.
        held.maybe_update(|held| {
            let is_search = held.as_ref().is_some_and(|(group, _)| *group == Group::Search);
            if is_search {
                *held = None;
            }
            is_search
        });
        look_up(typed, stored);
    };
    if !typed_ahead.is_empty() {
        search_for(typed_ahead.clone());
    }
    let pressed = move |event: KeyboardEvent| {
        let (here, last) = (at.get_untracked(), count.get_untracked().saturating_sub(1));
        let to = match event.key().as_str() {
            // Wraps around.
            "ArrowDown" if here >= last => 0,
            "ArrowDown" => here + 1,
            "ArrowUp" if here == 0 => last,
            "ArrowUp" => here - 1,
            "PageDown" => (here + PAGE).min(last),
            "PageUp" => here.saturating_sub(PAGE),
            "Enter" if !event.is_composing() => {
                event.prevent_default();
                choose_at.get_value()(here);
                return;
            }
            _ => return,
        };
        event.prevent_default();
        hold.run(to);
    };
    let field = NodeRef::<Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            // Fails only for a hidden field; the dialog focuses it when shown.
            let _ = field.focus();
        }
    });
    // Scrolls the selection into view once the list is rendered.
    Effect::new(move |_| {
        let id = format!("found-{}", at.get());
        request_animation_frame(move || {
            if let Some(chosen) = document().get_element_by_id(&id) {
                let options = web_sys::ScrollIntoViewOptions::new();
                options.set_block(web_sys::ScrollLogicalPosition::Nearest);
                chosen.scroll_into_view_with_scroll_into_view_options(&options);
            }
        });
    });
    let groups = part(move || {
        let mut n = 0;
        let groups = found.get().into_iter().map(|(group, list)| {
            let options: Vec<AnyView> = list
                .into_iter()
                .map(|found| {
                    let here = n;
                    n += 1;
                    option(found, here, (at, hold), choose_at)
                })
                .collect();
            let id = format!("found-{group:?}");
            view! {
                <ul role="group" aria-labelledby=id.clone()>
                    <li role="presentation" class="palette-group" id=id.clone()>
                        {group.title()}
                    </li>
                    {options}
                </ul>
            }
            .into_any()
        });
        Some(groups.collect_view().into_any())
    });
    let wording = text(move || match (found.with(|groups| matches(groups)), &*stored.read()) {
        (_, Stored::Trouble(why)) => why.clone(),
        (0, Stored::Asked) => "Searching all stored operations…".to_owned(),
        (0, _) => format!(
            "No results for \u{201c}{}\u{201d}. Try part of a name, kind, host or ID.",
            typed.read().trim()
        ),
        (_, Stored::Asked) => "Also searching stored operations…".to_owned(),
        (1, _) => "1 result".to_owned(),
        (n, _) => format!("{n} results"),
    });
    view! {
        <div class="palette-field">
            <Icon name="search"/>
            <input
                node_ref=field
                type="text"
                role="combobox"
                aria-label="Search or command"
                aria-expanded="true"
                aria-controls="palette-list"
                aria-autocomplete="list"
                aria-activedescendant=maybe(move || (count.get() > 0).then(|| format!("found-{}", at.get())))
                placeholder="Search operations, hosts and pages, or type a command"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                maxlength="200"
                autofocus=true
                prop:value=typed_ahead
                on:input=move |event| search_for(event_target_value(&event))
                on:keydown=pressed
            />
            <button type="button" class="quiet" aria-label="Close" on:click=move |_| open.set(false)>
                <Icon name="cross"/>
            </button>
        </div>
        <div class="palette-list" id="palette-list" role="listbox" aria-label="Results">
            {groups}
        </div>
        <footer class="palette-foot muted">
            <span role="status">{wording}</span>
            <span class="wide-only" aria-hidden="true">
                <kbd>"↑"</kbd> " " <kbd>"↓"</kbd> " select  " <kbd>"Enter"</kbd> " open  " <kbd>"Esc"</kbd> " close"
            </span>
        </footer>
    }
    .into_any()
}

/// Result at position `n`; `at` is the selected position, `hold` selects another.
fn option(found: Found, n: usize, (at, hold): (Memo<usize>, Callback<usize>), choose: Choose) -> AnyView {
    let Found { entry, marks } = found;
    // Follows the state while the page holds the operation.
    let state = entry.state.map(|state| {
        let cell = entry.id.and_then(|id| OperationStore::here().operation(id));
        let state = cell.map_or_else(|| Signal::stored(state), |cell| cell.view().state.into());
        view! { <StateMark state/> }.into_any()
    });
    let refusal = entry.does.needs().and_then(refusal_now);
    let refused = refusal.is_some().then_some("true");
    let aside = refusal.unwrap_or(entry.aside);
    let aside = (!aside.is_empty()).then(|| view! { <span class="palette-aside">{aside}</span> });
    view! {
        <li
            id=format!("found-{n}")
            role="option"
            class="palette-entry"
            aria-selected=word(move || if at.get() == n { "true" } else { "false" })
            aria-disabled=refused
            on:pointermove=move |_| {
                if at.get_untracked() != n {
                    hold.run(n);
                }
            }
            on:click=move |_| choose.get_value()(n)
        >
            <span class="palette-name">{marked(&entry.name, &marks)}</span>
            {aside}
            {state}
        </li>
    }
    .into_any()
}

/// The name with the matched letters marked.
fn marked(name: &str, marks: &[usize]) -> AnyView {
    if marks.is_empty() {
        return name.to_owned().into_any();
    }
    let mut parts: Vec<(bool, String)> = Vec::new();
    for (i, letter) in name.chars().enumerate() {
        let here = marks.binary_search(&i).is_ok();
        match parts.last_mut() {
            Some((same, text)) if *same == here => text.push(letter),
            _ => parts.push((here, letter.to_string())),
        }
    }
    let part = |(here, text): (bool, String)| match here {
        true => view! { <mark>{text}</mark> }.into_any(),
        false => text.into_any(),
    };
    parts.into_iter().map(part).collect_view().into_any()
}

/// Entry for a pasted operation id that the page does not know.
fn by_id(typed: &str, known: &[Entry]) -> Option<Entry> {
    let id = typed.trim().parse::<OperationId>().ok()?;
    if known.iter().any(|entry| entry.id == Some(id)) {
        return None;
    }
    Some(Entry {
        group: Group::Operations,
        name: "Open the operation with this ID".to_owned(),
        aside: id.short(),
        also: typed.trim().to_lowercase(),
        state: None,
        id: Some(id),
        does: Does::Go(address::operation(id)),
    })
}

/// Searches on the server after a pause in typing.
fn look_up(typed: RwSignal<String>, stored: RwSignal<Stored>) {
    let wanted = typed.get_untracked();
    if wanted.trim().chars().count() < MIN_SEARCH_CHARS {
        stored.set(Stored::Idle);
        return;
    }
    // Earlier results stay until new ones arrive.
    if !matches!(*stored.read_untracked(), Stored::Found(_)) {
        stored.set(Stored::Asked);
    }
    // The palette may be closed by now.
    let still = move |wanted: &String| typed.try_with_untracked(|typed| typed == wanted).unwrap_or_default();
    set_timeout(
        move || {
            if !still(&wanted) {
                return;
            }
            spawn_local(async move {
                let answer = api::find(wanted.trim()).await;
                if still(&wanted) {
                    stored.try_set(match answer {
                        Ok(page) => Stored::Found(page.operations.iter().map(Entry::stored).collect()),
                        Err(problem) => Stored::Trouble(problem.detail),
                    });
                }
            });
        },
        PAUSE,
    );
}

/// Runs an entry once the palette is closed, so that the focus returns first.
fn chooser(open: RwSignal<bool>, owner: Owner) -> impl Fn(Entry) + 'static {
    let navigate = use_navigate();
    let (doer, here, sheet) = (ActionScope::here(), CurrentOperation::here(), ShortcutHelp::here());
    let (theme, zones) = (expect_context::<Theme>(), Zones::here());
    move |entry: Entry| {
        if let Some(key) = entry.key() {
            recent::note(&key, &entry.name);
        }
        open.set(false);
        let (navigate, owner) = (navigate.clone(), owner.clone());
        // After the dialog is gone: the action may open another one.
        request_animation_frame(move || {
            let go = |to: &str| navigate(to, Default::default());
            owner.with(|| match entry.does {
                Does::Go(address) => go(&address),
                Does::OperationAction(deed) => {
                    if let Some(op) = here.operation() {
                        deed.carry_out(op, doer, &go);
                    }
                }
                Does::Drain(host, true) => doer.actions.question.set(Some(Question::Drain(host))),
                Does::Drain(host, false) => doer.actions.drain_now(host, false),
                Does::Theme(name) => theme.choose(name),
                Does::Zone => zones.turn(),
                Does::Fold => fold_rail(),
                Does::Keys => sheet.open(),
            });
        });
    }
}
