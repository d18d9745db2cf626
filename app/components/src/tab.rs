//! Browser tab: the title counts running operations, the icon shows unseen failures and the overall state.

use app_state::Failures;
use display::format;
use leptos::prelude::*;
use leptos_meta::Title;
use live::base;
use live::connection::state::Connectivity;
use live::{ConnectionStatus, OperationStore};
use protocol::State;

/// Freshness of the page, for its tab.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fresh {
    Yes,
    /// Disconnected because the tab is hidden; not an error.
    Rests,
    No,
}

/// `3 running · Operations · Signalbox`. The page of an operation has its progress in the title instead.
fn title(page: &str, running: u64, of_operation: bool, fresh: Fresh) -> String {
    let mark = if fresh == Fresh::No { "⚠ " } else { "" };
    if running == 0 || of_operation || fresh == Fresh::Rests {
        return format!("{mark}{page}");
    }
    format!("{mark}{} running · {page}", format::count(running))
}

/// File of the icon.
fn picture(running: u64, failed: bool, fresh: Fresh) -> &'static str {
    match (fresh, failed, running) {
        (Fresh::No | Fresh::Rests, ..) => "/favicon-stale.svg",
        (_, true, _) => "/favicon-failed.svg",
        (_, false, 0) => "/favicon.svg",
        _ => "/favicon-running.svg",
    }
}

/// Formats the page's own title. The server may call it when the signals are disposed of: then the first values are
/// used.
fn formatter(path: Memo<String>, running: Memo<u64>, fresh: Memo<Fresh>) -> impl Fn(String) -> String {
    let now = move || {
        let of_operation = path.try_with(|path| path.starts_with("/operations/"))?;
        Some((running.try_get()?, of_operation, fresh.try_get()?))
    };
    let first = untrack(now);
    move |page| match now().or(first) {
        Some((running, of_operation, fresh)) => title(&page, running, of_operation, fresh),
        None => page,
    }
}

/// Updates title and icon. Renders nothing.
#[component]
pub fn Tab() -> impl IntoView {
    let live = OperationStore::here();
    let path = app_state::address::use_path();
    let status = ConnectionStatus::here();
    let (clock, connectivity, fresh) = (live.clock(), status.connectivity(), status.fresh());
    let fresh = Memo::new(move |_| match fresh.get() {
        true => Fresh::Yes,
        false if connectivity.get() == Connectivity::Idle => Fresh::Rests,
        false => Fresh::No,
    });
    let running = Memo::new({
        let live = live.clone();
        move |_| {
            // Once a second, however many events arrive.
            clock.track();
            untrack(|| {
                [State::Starting, State::Running, State::Cancelling]
                    .map(|state| live.count(state))
                    .iter()
                    .sum::<u64>()
            })
        }
    });
    let formatter = formatter(path, running, fresh);
    // Until the user has seen it, in whichever tab.
    let failures = Failures::here();
    let failed = Memo::new(move |_| failures.count() > 0);
    let picture = Memo::new(move |_| picture(running.get(), failed.get(), fresh.get()));
    Effect::new(move |_| {
        let picture = picture.get();
        if let Some(link) = document().get_element_by_id("icon") {
            // Fails only for an invalid attribute name.
            let _ = link.set_attribute("href", &base::url(picture));
        }
    });
    view! { <Title formatter=formatter/> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_counts_running_operations_and_marks_old_data() {
        let page = "Operations · Signalbox";
        assert_eq!(title(page, 0, false, Fresh::Yes), page);
        assert_eq!(title(page, 3, false, Fresh::Yes), "3 running · Operations · Signalbox");
        assert_eq!(title(page, 3, false, Fresh::No), "⚠ 3 running · Operations · Signalbox");
        assert_eq!(title(page, 3, false, Fresh::Rests), page);
        let op = "56 % · MSFT 1h · Signalbox";
        assert_eq!(title(op, 3, true, Fresh::Yes), op);
        assert_eq!(title(op, 3, true, Fresh::No), "⚠ 56 % · MSFT 1h · Signalbox");
    }

    #[test]
    fn the_title_outlives_its_page() {
        let owner = Owner::new();
        let formatter = owner.with(|| {
            let path = Memo::new(|_| "/operations".to_owned());
            formatter(path, Memo::new(|_| 3), Memo::new(|_| Fresh::Yes))
        });
        assert_eq!(formatter("Operations".into()), "3 running · Operations");
        owner.cleanup();
        assert_eq!(formatter("Operations".into()), "3 running · Operations");
    }

    #[test]
    fn the_icon_shows_no_unknown_state() {
        assert_eq!(picture(3, true, Fresh::No), "/favicon-stale.svg");
        assert_eq!(picture(3, true, Fresh::Yes), "/favicon-failed.svg");
        assert_eq!(picture(3, false, Fresh::Yes), "/favicon-running.svg");
        assert_eq!(picture(0, false, Fresh::Yes), "/favicon.svg");
    }
}
