//! Views of the operations list: filter, sort order, grouping and columns under a name. Some are built in; saved ones
//! are stored in the browser, so that all of its tabs agree. A view is shared by its address.

use leptos::prelude::*;
use live::base;
use serde::{Deserialize, Serialize};

/// Storage key.
const KEY: &str = "signalbox.views";
/// Maximum number of saved views.
const MAX_VIEWS: usize = 50;
/// Maximum length of a name, characters.
pub const MAX_NAME_CHARS: usize = 60;

/// Query of the view of failed operations.
pub const FAILED: &str = "state=failed";

/// Built-in views: name and query. The first one shows everything.
pub const BUILT_IN: [(&str, &str); 5] = [
    ("All", ""),
    ("Running", "state=starting,running,cancelling"),
    ("Failed", FAILED),
    ("Today", "since=today"),
    ("Last 24 h", "since=24h"),
];

/// A saved view.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct View {
    pub name: String,
    /// Query string of its address.
    pub query: String,
}

/// Address of a view, from its query.
pub fn address(query: &str) -> String {
    if query.is_empty() { "/operations".to_owned() } else { format!("/operations?{query}") }
}

/// Query of the view at an address: without the panel beside the list.
pub fn query_at(search: &str) -> String {
    let search = search.trim_start_matches('?');
    search.split('&').filter(|pair| !pair.starts_with("peek=")).collect::<Vec<_>>().join("&")
}

/// Normalized name; `None` when empty.
pub fn name_of(typed: &str) -> Option<String> {
    let name: String = typed.trim().chars().take(MAX_NAME_CHARS).collect();
    Some(name).filter(|name| !name.is_empty())
}

fn stored() -> Vec<View> {
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
fn put(views: &mut Vec<View>, name: &str, query: &str) {
    match views.iter_mut().find(|view| view.name == name) {
        Some(view) => view.query = query.to_owned(),
        None => views.push(View { name: name.to_owned(), query: query.to_owned() }),
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

/// Puts a deleted view back, unless its name was given to another one.
fn put_back(views: &mut Vec<View>, at: usize, view: View) {
    if !views.iter().any(|v| v.name == view.name) {
        views.insert(at.min(views.len()), view);
    }
}

/// The saved views; from the context.
#[derive(Clone, Copy)]
pub struct SavedViews(RwSignal<Vec<View>>);

impl SavedViews {
    /// Called once, by the frame. The views are read after hydration: the server does not know them.
    pub fn new() -> Self {
        let views = RwSignal::new(Vec::new());
        Effect::new(move |started: Option<()>| {
            if started.is_none() {
                let read = move || {
                    let now = stored();
                    views.maybe_update(|views| {
                        let differ = *views != now;
                        *views = now;
                        differ
                    });
                };
                read();
                // Another tab has changed them. The handle lives as long as the app.
                let _ = window_event_listener_untyped("storage", move |_| read());
            }
        });
        Self(views)
    }

    /// The page's own, provided by the frame.
    pub fn here() -> Self {
        expect_context::<SavedViews>()
    }

    /// All saved views, in the order in which they were saved. Tracked.
    pub fn all(self) -> Vec<View> {
        self.0.get()
    }

    /// Name of the saved view with this query. Tracked.
    pub fn name_at(self, query: &str) -> Option<String> {
        self.0.with(|views| views.iter().find(|view| view.query == query).map(|view| view.name.clone()))
    }

    fn change(self, act: impl FnOnce(&mut Vec<View>)) -> bool {
        let mut now = self.0.get_untracked();
        act(&mut now);
        let kept = keep(&now);
        self.0.set(now);
        kept
    }

    /// Saves a view; returns whether the browser stored it.
    pub fn save(self, name: &str, query: &str) -> bool {
        self.change(|views| put(views, name, query))
    }

    /// Renames a view; returns whether the browser stored it.
    pub fn rename(self, from: &str, to: &str) -> bool {
        self.change(|views| rename(views, from, to))
    }

    /// Deletes a view; returns its position and the view, for Undo.
    pub fn delete(self, name: &str) -> Option<(usize, View)> {
        let found = self.0.with_untracked(|views| {
            let at = views.iter().position(|view| view.name == name)?;
            Some((at, views[at].clone()))
        });
        self.change(|views| views.retain(|view| view.name != name));
        found
    }

    /// Puts a deleted view back where it was.
    pub fn restore(self, at: usize, view: View) {
        self.change(|views| put_back(views, at, view));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::list::Asked;

    #[test]
    fn view_names_are_unique() {
        let mut views = Vec::new();
        put(&mut views, "a", "state=failed");
        put(&mut views, "b", "kind=data.load");
        put(&mut views, "a", "state=running");
        assert_eq!((views.len(), views[0].query.as_str()), (2, "state=running"));
        rename(&mut views, "a", "b");
        assert_eq!(views[0].name, "a", "the name is taken");
        rename(&mut views, "a", "c");
        assert_eq!(views[0].name, "c");
        assert_eq!(name_of("   "), None);
    }

    #[test]
    fn a_deleted_view_returns_to_its_place_unless_its_name_is_taken() {
        let mut views = Vec::new();
        ["a", "b", "c"].iter().for_each(|name| put(&mut views, name, "q"));
        let gone = views.remove(1);
        put_back(&mut views, 1, gone.clone());
        put_back(&mut views, 0, gone);
        let names: Vec<_> = views.iter().map(|view| view.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn built_in_views_have_the_address_that_the_list_writes() {
        for (_, query) in BUILT_IN {
            assert_eq!(Asked::read(query).address(), address(query));
        }
        assert_eq!(query_at("?state=failed&peek=x&sort=oldest"), "state=failed&sort=oldest");
        assert_eq!(query_at(""), "");
    }
}
