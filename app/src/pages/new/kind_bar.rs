//! Kinds to choose from, in one line: those of the workflow first, commands in a menu. On phones, one list.

use app_state::kinds::{BACKTEST, DEMO, EXEC, LOAD, SWEEP, TRAINING};
use components::icon::Icon;
use components::kind_mark::icon_of;
use components::menu::Unfolds;
use components::reactive::{mark, part, spoken, text};
use leptos::html::Details;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use live::{base, query};
use protocol::api::KindOffer;

/// Order of the kinds of the workflow: data, then a model, then its test.
const WORKFLOW: [&str; 4] = [LOAD, TRAINING, BACKTEST, SWEEP];
/// More commands than this become a menu.
const MAX_COMMANDS_IN_LINE: usize = 2;

/// Name and title of a kind.
pub type Entry = (String, String);

/// Sorts kinds: the workflow, then those of other hosts, the demonstration, and commands last.
pub fn sort(offers: &mut [KindOffer]) {
    offers.sort_by_key(|offer| {
        let name = offer.spec.name.as_str();
        let group = match name {
            DEMO => WORKFLOW.len() + 1,
            _ if name.starts_with(EXEC) => WORKFLOW.len() + 2,
            _ => WORKFLOW.iter().position(|known| *known == name).unwrap_or(WORKFLOW.len()),
        };
        (group, offer.spec.name.clone())
    });
}

/// Commands that have a menu of their own, and all other kinds.
fn split(all: Vec<Entry>) -> (Vec<Entry>, Vec<Entry>) {
    let (commands, others): (Vec<_>, Vec<_>) =
        all.iter().cloned().partition(|(name, _)| name.starts_with(EXEC));
    if commands.len() > MAX_COMMANDS_IN_LINE { (commands, others) } else { (Vec::new(), all) }
}

fn address(kind: &str) -> String {
    query::url("/new", [("kind", kind)])
}

/// The line of kinds, and the list of them for phones.
#[component]
pub fn KindBar(names: Memo<Vec<Entry>>, chosen: Memo<Option<String>>) -> impl IntoView {
    let link = move |(name, title): Entry| {
        let href = base::url(&address(&name));
        let icon = icon_of(&name);
        let here = {
            let name = name.clone();
            Memo::new(move |_| chosen.with(|chosen| chosen.as_ref() == Some(&name)))
        };
        let tooltip = name.clone();
        // Not the router's link: by path alone each of them would be the current page.
        view! {
            <a
                href=href
                class="kind-tab"
                title=tooltip
                data-here=mark(move || here.get())
                aria-current=spoken(move || here.get())
            >
                <Icon name=icon/>
                <span>{title}</span>
                <span class="unseen">" " {name}</span>
            </a>
        }
        .into_any()
    };
    let parts = Memo::new(move |_| split(names.get()));
    let others = Memo::new(move |_| parts.with(|(_, others)| others.clone()));
    let commands = Memo::new(move |_| parts.with(|(commands, _)| commands.clone()));
    let menu = part(move || {
        let commands = commands.get();
        (!commands.is_empty())
            .then(|| view! { <Commands commands chosen link=Callback::new(link)/> }.into_any())
    });
    view! {
        <div class="kind-bar">
            <nav class="kind-tabs" aria-label="Kind">
                <For each=move || others.get() key=Clone::clone children=link/>
                {menu}
            </nav>
            <KindList names chosen/>
        </div>
    }
    .into_any()
}

/// Menu of the commands.
#[component]
fn Commands(
    commands: Vec<Entry>,
    chosen: Memo<Option<String>>,
    link: Callback<Entry, AnyView>,
) -> impl IntoView {
    let details = NodeRef::<Details>::new();
    let unfolds = Unfolds::new(details);
    let count = commands.len();
    let known = StoredValue::new(commands.clone());
    let here = Memo::new(move |_| {
        let chosen = chosen.get()?;
        known.with_value(|known| {
            known.iter().find(|(name, _)| *name == chosen).map(|(_, title)| title.clone())
        })
    });
    let words = move || here.get().unwrap_or_else(|| format!("Commands ({count})"));
    view! {
        <details
            class="menu kind-menu"
            node_ref=details
            on:keydown=move |event| unfolds.pressed(&event)
            on:focusout=move |event| unfolds.left(&event)
        >
            <summary class="kind-tab" data-here=mark(move || here.read().is_some())>
                <Icon name="terminal"/>
                <span>{text(words)}</span>
                <span class="kind-more" aria-hidden="true"></span>
            </summary>
            <div class="menu-list" on:click=move |_| unfolds.close()>
                {commands.into_iter().map(|entry| link.run(entry)).collect_view()}
            </div>
        </details>
    }
    .into_any()
}

/// The same kinds as a list, where a line has no room.
#[component]
fn KindList(names: Memo<Vec<Entry>>, chosen: Memo<Option<String>>) -> impl IntoView {
    let navigate = use_navigate();
    let options = part(move || {
        let here = chosen.get();
        let options = names.get().into_iter().map(|(name, title)| {
            let selected = here.as_ref() == Some(&name);
            view! { <option value=name selected=selected>{title}</option> }
        });
        Some(options.collect_view().into_any())
    });
    view! {
        <select
            class="kind-list only-script"
            aria-label="Kind"
            on:change=move |event| navigate(&address(&event_target_value(&event)), Default::default())
        >
            {options}
        </select>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn offer(name: &str) -> KindOffer {
        let spec = json!({ "name": name, "title": name, "description": "", "summary": "", "params": {} });
        serde_json::from_value(json!({ "spec": spec, "hosts": ["a"], "available": true })).unwrap()
    }

    #[test]
    fn kinds_are_in_order_of_the_workflow_with_commands_last() {
        let names = [
            "analysis.sweep",
            "backtest.run",
            "data.load",
            "demo.run",
            "exec.b",
            "exec.a",
            "my.kind",
            "training.run",
        ];
        let mut offers: Vec<KindOffer> = names.iter().map(|name| offer(name)).collect();
        sort(&mut offers);
        let sorted: Vec<_> = offers.iter().map(|offer| offer.spec.name.as_str()).collect();
        let expected = [
            "data.load",
            "training.run",
            "backtest.run",
            "analysis.sweep",
            "my.kind",
            "demo.run",
            "exec.a",
            "exec.b",
        ];
        assert_eq!(sorted, expected);
    }

    #[test]
    fn many_commands_are_in_a_menu_and_few_are_buttons() {
        let entries =
            |names: &[&str]| names.iter().map(|n| ((*n).to_owned(), (*n).to_owned())).collect::<Vec<_>>();
        let few = entries(&["data.load", "exec.a", "exec.b"]);
        assert_eq!(split(few.clone()), (Vec::new(), few));
        let many = entries(&["data.load", "exec.a", "exec.b", "exec.c"]);
        assert_eq!(split(many), (entries(&["exec.a", "exec.b", "exec.c"]), entries(&["data.load"])));
    }
}
