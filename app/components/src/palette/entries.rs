//! Entries of the palette: pages, kinds to start, operations, hosts, commands; and the search in them. Pure except for
//! [`gather`].

use super::rank::{Fit, fit, words};
use app_state::Data;
use app_state::Zones;
use app_state::actions::Actions;
use app_state::address;
use app_state::address::list::Asked;
use app_state::current::{CurrentOperation, OperationAction};
use app_state::notifications::Notifications;
use display::zone::Zone;
use leptos::prelude::*;
use live::query;
use live::{OpView, OperationStore};
use protocol::access::Permission;
use protocol::api::{HostStatus, KindOffer};
use protocol::{HostName, Operation, OperationId, State};

/// Maximum number of results per group.
const MAX_ENTRIES: usize = 6;
const MAX_OPERATIONS: usize = 8;
/// Number of recent entries shown before anything is typed.
pub const RECENT: usize = 5;

/// Groups, in their order before anything is typed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Group {
    Recent,
    Open,
    Running,
    Pages,
    Start,
    Operations,
    Hosts,
    Commands,
    Search,
}

impl Group {
    /// Heading of the group.
    pub fn title(self) -> &'static str {
        match self {
            Group::Recent => "Recent",
            Group::Open => "This operation",
            Group::Running => "Running",
            Group::Pages => "Pages",
            Group::Start => "Start",
            Group::Operations => "Operations",
            Group::Hosts => "Hosts",
            Group::Commands => "Commands",
            Group::Search => "List",
        }
    }
}

/// Action of an entry.
#[derive(Clone, PartialEq, Debug)]
pub enum Does {
    /// Opens a page.
    Go(String),
    /// Acts on the open operation.
    OperationAction(OperationAction),
    Drain(HostName, bool),
    Theme(&'static str),
    Zone,
    Fold,
    Keys,
}

impl Does {
    /// Permission that it needs; none for what changes nothing.
    pub fn needs(&self) -> Option<Permission> {
        match self {
            Does::OperationAction(deed) => deed.needs(),
            Does::Drain(..) => Some(Permission::ManageHosts),
            _ => None,
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    pub group: Group,
    pub name: String,
    /// Secondary text beside the name.
    pub aside: String,
    /// Further search text in lower case.
    pub also: String,
    /// For operations: the state at lookup, and the id for live updates.
    pub state: Option<State>,
    pub id: Option<OperationId>,
    pub does: Does,
}

impl Entry {
    fn new(group: Group, name: impl Into<String>, aside: impl Into<String>, does: Does) -> Self {
        let (name, aside) = (name.into(), aside.into());
        Self { group, also: aside.to_lowercase(), name, aside, state: None, id: None, does }
    }

    /// Entry that opens an operation.
    fn operation(group: Group, id: OperationId, kind: &str, title: &str, state: State, also: String) -> Self {
        let state = Some(state);
        Self { also, state, id: Some(id), ..Self::new(group, title, kind, Does::Go(address::operation(id))) }
    }

    /// Entry for an operation found by the server.
    pub fn stored(op: &Operation) -> Self {
        let also = format!("{} {}", op.kind, op.id);
        Self::operation(Group::Operations, op.id, op.kind.as_str(), &op.title, op.state, also)
    }

    /// Key in the recent list; `None` for actions on the open operation and on hosts.
    pub fn key(&self) -> Option<String> {
        match &self.does {
            Does::Go(address) => Some(address.clone()),
            Does::OperationAction(_) | Does::Drain(..) => None,
            _ => Some(self.name.clone()),
        }
    }
}

/// A matching entry, with the matched letters of its name.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    pub entry: Entry,
    pub marks: Vec<usize>,
}

/// Matching entries in groups, best first, without duplicates. With no text: recent entries (keys and names, newest
/// first), running operations, pages, kinds and commands.
pub fn find(typed: &str, all: &[Entry], recent: &[(String, String)]) -> Vec<(Group, Vec<Found>)> {
    let words = words(typed);
    if words.is_empty() {
        return at_first(all, recent);
    }
    let mut fits: Vec<(Fit, &Entry)> =
        all.iter().filter_map(|entry| Some((fit(&words, &entry.name, &entry.also)?, entry))).collect();
    // Stable sort: equal matches keep their order.
    fits.sort_by_key(|(found, _)| -found.score);
    let mut groups: Vec<(Group, Vec<Found>)> = Vec::new();
    for (found, entry) in fits {
        let group = if entry.group == Group::Running { Group::Operations } else { entry.group };
        let at = groups.iter().position(|(known, _)| *known == group).unwrap_or_else(|| {
            groups.push((group, Vec::new()));
            groups.len() - 1
        });
        let list = &mut groups[at].1;
        let most = if group == Group::Operations { MAX_OPERATIONS } else { MAX_ENTRIES };
        if list.len() < most && !list.iter().any(|other| other.entry.does == entry.does) {
            list.push(Found { entry: entry.clone(), marks: found.marks });
        }
    }
    groups
}

fn at_first(all: &[Entry], recent: &[(String, String)]) -> Vec<(Group, Vec<Found>)> {
    let plain = |entry: Entry| Found { entry, marks: Vec::new() };
    let mut groups: Vec<(Group, Vec<Found>)> = Vec::new();
    let lately: Vec<Found> = recent
        .iter()
        .take(RECENT)
        .filter_map(|(key, name)| {
            let known = all.iter().find(|entry| entry.key().as_ref() == Some(key)).cloned();
            // An operation that the page does not hold can still be opened.
            let deleted =
                || key.starts_with('/').then(|| Entry::new(Group::Recent, name, "", Does::Go(key.clone())));
            known.or_else(deleted).map(plain)
        })
        .collect();
    if !lately.is_empty() {
        groups.push((Group::Recent, lately));
    }
    for entry in all.iter().filter(|entry| !matches!(entry.group, Group::Operations | Group::Hosts)) {
        match groups.iter_mut().find(|(group, _)| *group == entry.group) {
            Some((Group::Running, list)) if list.len() >= RECENT => {}
            Some((_, list)) => list.push(plain(entry.clone())),
            None => groups.push((entry.group, vec![plain(entry.clone())])),
        }
    }
    groups.sort_by_key(|(group, _)| *group);
    groups
}

/// Entry that filters the list by the typed text, as if it were typed there.
pub fn search(typed: &str) -> Option<(Group, Vec<Found>)> {
    let typed = typed.trim();
    let asked = Asked::typed(typed);
    (!asked.is_open()).then(|| {
        let name = format!("Search operations for \u{201c}{typed}\u{201d}");
        let entry = Entry::new(Group::Search, name, "", Does::Go(asked.address()));
        (Group::Search, vec![Found { entry, marks: Vec::new() }])
    })
}

/// Identifies a selected entry when results change: a recent entry may also be in its own group.
pub type Held = (Group, Does);

/// Number of entries that match; the search in the list is always offered.
pub fn matches(groups: &[(Group, Vec<Found>)]) -> usize {
    groups.iter().filter(|(group, _)| *group != Group::Search).map(|(_, list)| list.len()).sum()
}

/// Entry at a position, counted over all groups.
pub fn held_at(groups: &[(Group, Vec<Found>)], place: usize) -> Option<Held> {
    all_of(groups).nth(place).map(|(group, found)| (group, found.entry.does.clone()))
}

/// Current position of an entry: in its group, else in any.
pub fn place_of(groups: &[(Group, Vec<Found>)], held: &Held) -> Option<usize> {
    let (of, does) = held;
    let same = |found: &Found| found.entry.does == *does;
    let in_group = all_of(groups).position(|(group, found)| group == *of && same(found));
    in_group.or_else(|| all_of(groups).position(|(_, found)| same(found)))
}

fn all_of(groups: &[(Group, Vec<Found>)]) -> impl Iterator<Item = (Group, &Found)> {
    groups.iter().flat_map(|(group, list)| list.iter().map(|found| (*group, found)))
}

/// All entries known to the page now.
pub fn gather() -> Vec<Entry> {
    let live = OperationStore::here();
    let mut all = Vec::new();
    if let Some(op) = CurrentOperation::here().operation() {
        all.extend(deeds(op));
    }
    all.extend(pages());
    Data::here().kinds.with_untracked(|kinds| {
        if let Some(Ok(list)) = kinds {
            all.extend(list.kinds.iter().map(start));
        }
    });
    for cell in live.all().into_iter().filter_map(|id| live.operation(id)) {
        let (fixed, state) = (cell.fixed(), cell.standing().0);
        let group = if state == State::Running { Group::Running } else { Group::Operations };
        let also = format!("{} {}", fixed.kind, fixed.id);
        all.push(Entry::operation(group, fixed.id, fixed.kind.as_str(), &fixed.title, state, also));
    }
    live.hosts().with_untracked(|hosts| hosts.iter().for_each(|host| all.extend(of_host(host))));
    all.extend(commands(untrack(|| Zones::here().get())));
    all
}

fn deeds(op: OpView) -> impl Iterator<Item = Entry> {
    let awaited = untrack(|| Notifications::here().awaits(op.id));
    let asks = untrack(|| Actions::here().cancel_asks(op));
    let title = op.fixed().title.clone();
    OperationAction::fitting(op).map(move |deed| {
        Entry::new(Group::Open, deed.words(awaited, asks), title.clone(), Does::OperationAction(deed))
    })
}

fn pages() -> Vec<Entry> {
    let plain = [
        ("/", "Overview"),
        ("/operations", "Operations"),
        ("/new", "New operation"),
        ("/compare", "Compare"),
        ("/hosts", "Hosts"),
        ("/alerts", "Alerts"),
        ("/audit", "Audit log"),
    ];
    let page = |address: String, name: String| Entry::new(Group::Pages, name, "", Does::Go(address));
    let states = State::ALL.into_iter().filter(|state| !matches!(state, State::Starting | State::Cancelling));
    let by_state = states.map(|state| {
        page(query::url("/operations", [("state", state.as_str())]), format!("Operations: {state}"))
    });
    plain
        .into_iter()
        .map(|(address, name)| page(address.to_owned(), name.to_owned()))
        .chain(by_state)
        .collect()
}

fn start(offer: &KindOffer) -> Entry {
    let kind = offer.spec.name.as_str();
    let address = query::url("/new", [("kind", kind)]);
    let aside = if offer.available { kind.to_owned() } else { format!("{kind} · no host connected") };
    Entry::new(Group::Start, format!("Start: {}", offer.spec.title), aside, Does::Go(address))
}

fn of_host(host: &HostStatus) -> [Entry; 2] {
    let name = &host.name;
    let how = if host.draining { "Drained" } else { display::hosts::standing(host).1 };
    let drain = if host.draining { format!("Undrain {name}") } else { format!("Drain {name}…") };
    [
        Entry::new(Group::Hosts, name.to_string(), how, Does::Go(format!("/hosts/{name}"))),
        Entry::new(Group::Hosts, drain, "", Does::Drain(name.clone(), !host.draining)),
    ]
}

fn commands(zone: Zone) -> Vec<Entry> {
    let command = |name: &str, aside: &str, does| Entry::new(Group::Commands, name, aside, does);
    let turn = if zone == Zone::Utc { "Times: local time zone" } else { "Times: UTC" };
    vec![
        command("Theme: light", "", Does::Theme("light")),
        command("Theme: dark", "", Does::Theme("dark")),
        command("Theme: system", "auto", Does::Theme("auto")),
        command(turn, "time zone, local", Does::Zone),
        command("Toggle sidebar", "", Does::Fold),
        command("Keyboard shortcuts", "keys", Does::Keys),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> OperationId {
        format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap()
    }

    fn op(n: u32, title: &str, state: State) -> Entry {
        let group = if state == State::Running { Group::Running } else { Group::Operations };
        Entry::operation(group, id(n), "data.load", title, state, format!("data.load {} gpu-1", id(n)))
    }

    fn some() -> Vec<Entry> {
        let mut all = pages();
        all.push(Entry::new(
            Group::Start,
            "Start: Load market data",
            "data.load",
            Does::Go("/new?kind=data.load".into()),
        ));
        all.push(op(1, "MSFT 1h", State::Running));
        all.push(op(2, "AAPL 1h", State::Succeeded));
        all.extend(commands(Zone::Utc));
        all
    }

    fn names(groups: &[(Group, Vec<Found>)]) -> Vec<(Group, Vec<&str>)> {
        groups.iter().map(|(g, list)| (*g, list.iter().map(|f| f.entry.name.as_str()).collect())).collect()
    }

    #[test]
    fn the_group_with_the_best_match_is_first() {
        let found = find("load", &some(), &[]);
        let names = names(&found);
        assert_eq!(names[0], (Group::Start, vec!["Start: Load market data"]));
        assert_eq!(names[1], (Group::Operations, vec!["MSFT 1h", "AAPL 1h"]));
    }

    #[test]
    fn an_operation_is_found_by_its_full_or_short_id() {
        for typed in [id(2).to_string(), id(2).short()] {
            let found = find(&typed, &some(), &[]);
            assert!(names(&found)[0].1.contains(&"AAPL 1h"), "{typed}");
        }
    }

    #[test]
    fn what_the_server_finds_too_stands_there_once() {
        let mut all = some();
        all.push(op(2, "AAPL 1h", State::Succeeded));
        assert_eq!(names(&find("aapl", &all, &[])), [(Group::Operations, vec!["AAPL 1h"])]);
    }

    #[test]
    fn an_empty_search_lists_recent_choices_and_running_operations() {
        let deleted = address::operation(id(9));
        let recent = [
            ("/hosts".to_owned(), "Hosts".to_owned()),
            (deleted, "GONE 1d".to_owned()),
            ("Theme: dark".to_owned(), "Theme: dark".to_owned()),
            ("Drain everything".to_owned(), "no longer there".to_owned()),
        ];
        let found = find(" ", &some(), &recent);
        let names = names(&found);
        assert_eq!(names[0], (Group::Recent, vec!["Hosts", "GONE 1d", "Theme: dark"]));
        assert_eq!(names[1], (Group::Running, vec!["MSFT 1h"]));
        assert!(!names.iter().any(|(group, _)| *group == Group::Operations));
    }

    #[test]
    fn the_chosen_entry_stays_chosen_when_new_entries_precede_it() {
        let mut all = some();
        let found = find("1h", &all, &[]);
        let second = held_at(&found, 1).unwrap();
        assert_eq!(second.1, Does::Go(address::operation(id(2))));
        // The server finds a better match.
        all.push(op(3, "1h", State::Failed));
        let more = find("1h", &all, &[]);
        assert_eq!(held_at(&more, 0).unwrap().1, Does::Go(address::operation(id(3))));
        assert_eq!(place_of(&more, &second), Some(2));
        assert_eq!(place_of(&find("hosts", &all, &[]), &second), None);
    }

    #[test]
    fn an_entry_in_two_groups_is_chosen_in_the_selected_group() {
        let found = find("", &some(), &[("/hosts".to_owned(), "Hosts".to_owned())]);
        let places = names(&found).into_iter().flat_map(|(_, names)| names);
        let twice: Vec<_> =
            places.enumerate().filter(|(_, name)| *name == "Hosts").map(|(at, _)| at).collect();
        assert_eq!(twice.len(), 2);
        for at in twice {
            assert_eq!(place_of(&found, &held_at(&found, at).unwrap()), Some(at));
        }
    }

    #[test]
    fn any_text_can_be_searched_in_the_list_with_its_conditions() {
        let address = |typed: &str| match &search(typed)?.1[0].entry.does {
            Does::Go(address) => Some(address.clone()),
            _ => None,
        };
        assert_eq!(address(" failed load ").as_deref(), Some("/operations?q=failed%20load"));
        assert_eq!(address("state:failed load").as_deref(), Some("/operations?state=failed&q=load"));
        assert_eq!(address("  "), None);
        assert_eq!(search("msft").unwrap().1[0].entry.name, "Search operations for \u{201c}msft\u{201d}");
    }

    #[test]
    fn nothing_fits_nonsense() {
        assert!(find("qqqq", &some(), &[]).is_empty());
    }
}
