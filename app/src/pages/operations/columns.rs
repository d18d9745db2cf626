//! Columns of the list: from the address, else this browser's last choice, else the standard columns. The dialog for
//! choosing them is loaded when it is opened.

use super::column_list::column_list;
use app_state::address::columns::{self, Column};
use app_state::address::list::Asked;
use components::deferred::Deferred;
use components::dialog;
use components::reactive::{mark, part};
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use live::base;

/// Storage key; the value is that of the address.
const KEY: &str = "signalbox.columns";

fn stored() -> Vec<Column> {
    let storage = window().local_storage().ok().flatten();
    let text = storage.and_then(|storage| storage.get_item(&base::scoped(KEY)).ok().flatten());
    text.map(|text| columns::read(&text)).unwrap_or_default()
}

fn keep(columns: &[Column]) {
    // Without storage the address alone has them.
    let Some(storage) = window().local_storage().ok().flatten() else { return };
    let key = base::scoped(KEY);
    let _ = match columns.is_empty() {
        true => storage.remove_item(&key),
        false => storage.set_item(&key, &columns::text(columns)),
    };
}

/// The columns of a list, and the way to change them.
#[derive(Clone, Copy)]
pub struct Chooser {
    shown: Memo<Vec<Column>>,
    choose: Callback<Vec<Column>>,
    open: RwSignal<bool>,
}

impl Chooser {
    /// For the list at an address.
    pub fn new(asked: Memo<Asked>) -> Self {
        let own = RwSignal::new(Vec::new());
        Effect::new(move |_| own.set(stored()));
        // A choice is shown at once; the address follows.
        let pending = RwSignal::new(None::<Vec<Column>>);
        Effect::new(move |_| {
            let arrived = asked.with(|a| pending.with_untracked(|p| p.as_ref() == Some(&a.columns)));
            if arrived {
                pending.set(None);
            }
        });
        let shown = Memo::new(move |_| {
            pending.get().unwrap_or_else(|| {
                let chosen = asked.with(|a| a.columns.clone());
                if chosen.is_empty() { own.get() } else { chosen }
            })
        });
        let navigate = use_navigate();
        let choose = Callback::new(move |columns: Vec<Column>| {
            keep(&columns);
            own.set(columns.clone());
            pending.set(Some(columns.clone()));
            let asked = asked.with_untracked(|a| a.with_columns(columns));
            // One step back leaves the choice as a whole.
            navigate(
                &asked.address(),
                NavigateOptions { replace: true, scroll: false, ..Default::default() },
            );
        });
        Self { shown, choose, open: RwSignal::new(false) }
    }

    /// Chosen columns; empty for the standard ones.
    pub fn shown(self) -> Memo<Vec<Column>> {
        self.shown
    }

    /// Shown columns, standard or chosen. Tracked.
    pub fn current(self) -> Vec<Column> {
        let chosen = self.shown.get();
        if chosen.is_empty() { Column::STANDARD.to_vec() } else { chosen }
    }

    /// Shows these columns; the standard ones are no choice.
    pub fn choose(self, columns: Vec<Column>) {
        self.choose.run(if columns == Column::STANDARD { Vec::new() } else { columns });
    }
}

/// The dialog's content.
#[wasm_split(operations_columns, wasm_split_path = leptos::wasm_split, preload(load_content), fallible)]
fn content(chooser: Chooser) -> Result<AnyView, SplitLoaderError> {
    Ok(column_list(chooser))
}

/// Button that opens the dialog, and the dialog.
#[component]
pub fn ColumnsButton(chooser: Chooser) -> impl IntoView {
    let open = chooser.open;
    let code = Deferred::on_demand(|| Box::pin(load_content()), move || open.set(false));
    let dialog = NodeRef::<Dialog>::new();
    // A closed dialog keeps its content, so that nothing disappears during its animation.
    let wanted = Memo::new(move |before: Option<&bool>| before.copied().unwrap_or_default() || open.get());
    dialog::follow(dialog, move || open.get() && code.loaded());
    let shown = part(move || if wanted.get() { code.view(|| content(chooser)) } else { None });
    view! {
        <button
            type="button"
            class="button columns-button only-script wide-only"
            aria-haspopup="dialog"
            data-chosen=mark(move || !chooser.shown.read().is_empty())
            on:click=move |_| open.set(true)
        >
            "Columns"
        </button>
        <dialog
            node_ref=dialog
            class="dialog columns-dialog"
            aria-labelledby="columns-title"
            on:close=dialog::on_close(dialog, open)
        >
            {shown}
        </dialog>
    }
    .into_any()
}
