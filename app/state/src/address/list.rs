//! Filter, sort order and grouping of the operations list, as in the URL, so that a link shows the same list. Pure.

pub mod suggest;
pub mod typed;

use super::columns::{self, Column};
use live::query;
use protocol::filter::Order;
use protocol::{Filter, OperationId, State};

/// Beginnings of a sort order by a column, in the URL.
const UP: &str = "up.";
const DOWN: &str = "down.";

/// Sort order.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub enum Sort {
    #[default]
    Newest,
    Oldest,
    /// Longest duration so far, or in total.
    Longest,
    Shortest,
    /// Earliest forecast end; ended operations by latest end.
    Soonest,
    /// Latest forecast end; ended operations by earliest end.
    Latest,
    Title,
    /// By title, from Z to A.
    TitleDown,
    /// Most CPU time; unknown ones last.
    MostCpu,
    LeastCpu,
    /// Largest peak memory; unknown ones last.
    MostMemory,
    LeastMemory,
    /// By the values of a chosen column, missing ones last.
    Up(Column),
    /// By the values of a chosen column in reverse order, missing ones last.
    Down(Column),
}

impl Sort {
    /// Orders that every list has.
    pub const ALL: [Sort; 12] = [
        Sort::Newest,
        Sort::Oldest,
        Sort::Longest,
        Sort::Shortest,
        Sort::Soonest,
        Sort::Latest,
        Sort::Title,
        Sort::TitleDown,
        Sort::MostCpu,
        Sort::LeastCpu,
        Sort::MostMemory,
        Sort::LeastMemory,
    ];

    /// Reads the value in the URL.
    pub fn read(text: &str) -> Option<Self> {
        let by = |prefix: &str| text.strip_prefix(prefix).and_then(Column::read).filter(Column::sorts);
        let fixed = Self::ALL.into_iter().find(|sort| sort.fixed_text() == text);
        fixed.or_else(|| by(UP).map(Sort::Up)).or_else(|| by(DOWN).map(Sort::Down))
    }

    /// Value in the URL.
    pub fn text(&self) -> String {
        match self {
            Sort::Up(column) | Sort::Down(column) => format!("{}{}", self.fixed_text(), column.word()),
            fixed => fixed.fixed_text().to_owned(),
        }
    }

    fn fixed_text(&self) -> &'static str {
        match self {
            Sort::Newest => "newest",
            Sort::Oldest => "oldest",
            Sort::Longest => "longest",
            Sort::Shortest => "shortest",
            Sort::Soonest => "soonest",
            Sort::Latest => "latest",
            Sort::Title => "title",
            Sort::TitleDown => "title-down",
            Sort::MostCpu => "most-cpu",
            Sort::LeastCpu => "least-cpu",
            Sort::MostMemory => "most-memory",
            Sort::LeastMemory => "least-memory",
            Sort::Up(_) => UP,
            Sort::Down(_) => DOWN,
        }
    }

    /// Label.
    pub fn wording(&self) -> String {
        let fixed = match self {
            Sort::Newest => "Newest first",
            Sort::Oldest => "Oldest first",
            Sort::Longest => "Longest first",
            Sort::Shortest => "Shortest first",
            Sort::Soonest => "Ending soonest",
            Sort::Latest => "Ending latest",
            Sort::Title => "By title",
            Sort::TitleDown => "By title, Z to A",
            Sort::MostCpu => "Most CPU time",
            Sort::LeastCpu => "Least CPU time",
            Sort::MostMemory => "Most memory",
            Sort::LeastMemory => "Least memory",
            Sort::Up(column) => return format!("By {}, ascending", column.title()),
            Sort::Down(column) => return format!("By {}, descending", column.title()),
        };
        fixed.to_owned()
    }

    /// The server's order for its pages.
    pub fn stored(&self) -> Order {
        if *self == Sort::Oldest { Order::Oldest } else { Order::Newest }
    }

    /// Whether the server's pages come in this order: then the loaded part is a prefix of all.
    pub fn whole(&self) -> bool {
        matches!(self, Sort::Newest | Sort::Oldest)
    }
}

/// Grouping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    Kind,
    Host,
}

impl Group {
    pub const ALL: [Group; 2] = [Group::Kind, Group::Host];

    /// Value in the URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Group::Kind => "kind",
            Group::Host => "host",
        }
    }
}

/// The list as described by the URL.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    pub filter: Filter,
    pub sort: Sort,
    pub group: Option<Group>,
    /// Names of collapsed groups.
    pub folded: Vec<String>,
    /// Chosen columns; empty for the standard ones.
    pub columns: Vec<Column>,
    /// Operation in the panel beside the list.
    pub peek: Option<OperationId>,
    /// Invalid query parameters; they are ignored.
    pub wrong: Vec<Wrong>,
}

/// An invalid query parameter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    pub name: String,
    pub value: String,
    pub why: String,
}

/// An active filter that can be removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chip {
    /// As in the URL: `kind`, `param.symbol`.
    pub name: String,
    pub value: String,
}

impl Asked {
    /// Parses the query of a URL. Conditions within `q`, as submitted without a script, are applied, too.
    pub fn read(search: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in query::pairs(search) {
            match name.as_str() {
                "sort" => {
                    asked.sort = Sort::read(&value).unwrap_or_default();
                }
                "group" => asked.group = Group::ALL.into_iter().find(|g| g.as_str() == value),
                "folded" => asked.folded.extend(value.split(',').map(str::to_owned)),
                "columns" => asked.columns = columns::read(&value),
                "peek" => asked.peek = value.parse().ok(),
                "q" => {
                    let typed = typed::Typed::read(&value);
                    for (name, value) in typed.pairs() {
                        asked.take(name, value);
                    }
                    asked.take("q", &typed.words());
                }
                // The cursor is not part of a link.
                "after" | "limit" | "order" => {}
                _ => asked.take(&name, &value),
            }
        }
        asked
    }

    /// The list filtered by a text, as if it were typed into its field.
    pub fn typed(text: &str) -> Self {
        Self::read(&query::url("", [("q", text)]))
    }

    fn take(&mut self, name: &str, value: &str) {
        if let Err(why) = self.filter.word(name, value) {
            self.wrong.push(Wrong { name: name.to_owned(), value: value.to_owned(), why: why.to_string() });
        }
    }

    /// Whether nothing is filtered.
    pub fn is_open(&self) -> bool {
        self.filter.words().is_empty()
    }

    /// URL of the list; invalid parameters are dropped.
    pub fn address(&self) -> String {
        let mut words = self.filter.words();
        let group = self.group.map(Group::as_str).unwrap_or_default();
        let sort = if self.sort == Sort::default() { String::new() } else { self.sort.text() };
        words.push(("sort".to_owned(), sort));
        words.push(("group".to_owned(), group.to_owned()));
        if self.group.is_some() {
            words.push(("folded".to_owned(), self.folded.join(",")));
        }
        words.push(("columns".to_owned(), columns::text(&self.columns)));
        words.push(("peek".to_owned(), self.peek.map(|id| id.to_string()).unwrap_or_default()));
        query::url("/operations", words.iter().map(|(n, v)| (n.as_str(), v.as_str())))
    }

    /// URL of an API call with this filter and further parameters.
    pub fn call(&self, path: &str, more: &[(&str, &str)]) -> String {
        let words = self.filter.words();
        let words = words.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        query::url(path, words.chain(more.iter().copied()))
    }

    /// Only this state, or without it when it was selected; `None` selects all.
    pub fn with_state(&self, state: Option<State>) -> Self {
        let mut asked = self.clone();
        asked.filter.states = match state {
            Some(state) if self.filter.states.contains(&state) => {
                self.filter.states.iter().copied().filter(|s| *s != state).collect()
            }
            Some(state) => vec![state],
            None => Vec::new(),
        };
        asked
    }

    /// With other words.
    pub fn with_words(&self, words: &str) -> Self {
        let mut asked = self.clone();
        asked.filter.text = words.to_owned();
        asked
    }

    /// With another sort order.
    pub fn with_sort(&self, sort: Sort) -> Self {
        Self { sort, ..self.clone() }
    }

    /// With another grouping, all groups expanded.
    pub fn with_group(&self, group: Option<Group>) -> Self {
        Self { group, folded: Vec::new(), ..self.clone() }
    }

    /// With these columns.
    pub fn with_columns(&self, columns: Vec<Column>) -> Self {
        Self { columns, ..self.clone() }
    }

    /// With this operation in the panel beside the list, or without a panel.
    pub fn with_peek(&self, peek: Option<OperationId>) -> Self {
        Self { peek, ..self.clone() }
    }

    /// With a group collapsed or expanded.
    pub fn with_fold(&self, name: &str) -> Self {
        let mut asked = self.clone();
        if let Some(at) = asked.folded.iter().position(|folded| folded == name) {
            asked.folded.remove(at);
        } else {
            asked.folded.push(name.to_owned());
        }
        asked
    }

    /// Active filters except states and words, which are shown elsewhere.
    pub fn chips(&self) -> Vec<Chip> {
        let mut chips = Vec::new();
        for (name, value) in self.filter.words() {
            match name.as_str() {
                "state" | "q" => {}
                "kind" | "host" => {
                    let own = |value: &str| Chip { name: name.clone(), value: value.to_owned() };
                    chips.extend(value.split(',').map(own));
                }
                _ => chips.push(Chip { name, value }),
            }
        }
        chips
    }

    /// Without one filter.
    pub fn without(&self, chip: &Chip) -> Self {
        let mut asked = self.clone();
        let filter = &mut asked.filter;
        match chip.name.as_str() {
            "kind" => filter.kinds.retain(|kind| kind.as_str() != chip.value),
            "host" => filter.hosts.retain(|host| host.as_str() != chip.value),
            "parent" => filter.parent = None,
            "since" => filter.since = None,
            "until" => filter.until = None,
            "ended_since" => filter.ended_since = None,
            "ended_until" => filter.ended_until = None,
            name => {
                let name = name.strip_prefix("param.").unwrap_or(name);
                filter.params.retain(|param| param.name != name || param.value != chip.value);
            }
        }
        asked
    }

    /// Filter in words, after "No operations match": `state: failed, kind: data.load`.
    pub fn wording(&self) -> String {
        let mut wording: Vec<String> = Vec::new();
        let states: Vec<_> = self.filter.states.iter().map(|s| s.as_str()).collect();
        if !states.is_empty() {
            wording.push(format!("state: {}", states.join(" or ")));
        }
        for Chip { name, value } in self.chips() {
            wording.push(format!("{name}: {value}"));
        }
        if !self.filter.text.trim().is_empty() {
            wording.push(format!("\u{201c}{}\u{201d}", self.filter.text.trim()));
        }
        wording.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_round_trips_through_its_address() {
        let address = "/operations?state=failed&kind=data.load,training.run&host=gpu-1&param.symbol=MSFT&since=24h\
                       &until=2026-11-01&q=a%20b&sort=longest&group=kind&folded=data.load\
                       &columns=result,param.symbol&peek=0199c2d4-7f3a-7c11-9e1b-000000000001";
        let asked = Asked::read(address.split_once('?').unwrap().1);
        assert_eq!(asked.address(), address);
        assert_eq!(asked.wrong, []);
        assert_eq!(asked.call("/api", &[("limit", "9")]).split_once("&q=").unwrap().1, "a%20b&limit=9");
        assert_eq!(Asked::read("").address(), "/operations");
        assert!(Asked::read("sort=oldest").is_open());
        for sort in ["up.param.symbol", "down.figure.Test%20accuracy", "up.host"] {
            assert_eq!(Asked::read(&format!("sort={sort}")).address(), format!("/operations?sort={sort}"));
        }
        for none in ["up.duration", "down.colour", "up.param.", "sideways"] {
            assert_eq!(Asked::read(&format!("sort={none}")).sort, Sort::Newest, "{none}");
        }
    }

    #[test]
    fn unreadable_parts_are_reported_and_ignored() {
        let asked = Asked::read("state=runing&since=tomorrow&colour=red&kind=data.load");
        let wrong: Vec<_> = asked.wrong.iter().map(|w| w.name.as_str()).collect();
        assert_eq!(wrong, ["state", "since", "colour"]);
        assert!(asked.wrong[1].why.contains("24h or 7d"));
        assert_eq!(asked.address(), "/operations?kind=data.load");
    }

    #[test]
    fn text_submitted_without_scripts_is_parsed() {
        let asked = Asked::read("q=kind%3Adata.load+msft+since%3A24h");
        assert_eq!(asked.address(), "/operations?kind=data.load&since=24h&q=msft");
    }

    #[test]
    fn each_condition_can_be_removed_separately() {
        let asked = Asked::read("kind=data.load,training.run&param.x=1&param.x=2&since=1h&state=failed&q=w");
        let chips = asked.chips();
        let names: Vec<_> = chips.iter().map(|c| (c.name.as_str(), c.value.as_str())).collect();
        assert_eq!(
            names,
            [
                ("kind", "data.load"),
                ("kind", "training.run"),
                ("param.x", "1"),
                ("param.x", "2"),
                ("since", "1h")
            ]
        );
        let left = chips.iter().fold(asked, |asked, chip| asked.without(chip));
        assert_eq!(left.address(), "/operations?state=failed&q=w");
    }

    #[test]
    fn pressing_a_state_again_removes_its_filter() {
        let asked = Asked::read("state=failed,queued&q=w");
        assert_eq!(asked.with_state(Some(State::Failed)).address(), "/operations?state=queued&q=w");
        assert_eq!(asked.with_state(Some(State::Running)).address(), "/operations?state=running&q=w");
        assert_eq!(asked.with_state(None).address(), "/operations?q=w");
    }
}
