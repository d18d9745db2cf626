//! Translates filters to SQL. IDs are searched in narrow indexes first; only operations of the page are read.

use super::search::Candidates;
use crate::Filter;
use protocol::access::{COMPOSITE_KINDS, KindScope};
use protocol::filter::{Order, ParamIs, states_meant};
use protocol::{OperationId, Time};
use rusqlite::types::Value as Sql;

/// Largest page.
const MAX_PAGE: u32 = 500;

/// Number of operations on a page.
pub(super) fn page_size(filter: &Filter) -> u32 {
    filter.limit.clamp(1, MAX_PAGE)
}

/// IDs of a page and one more, in the filter's order, at `now`: a statement and its values.
///
/// If the search index found a few candidates, only these are read. Otherwise, the first parameter with a single value,
/// if any, leads through `params`, where its operations are ordered by ID. Without one, a single state, kind, host or
/// parent leads through its index. For other queries, one index with all queried columns is scanned.
pub(super) fn ids(filter: &Filter, now: Time, among: Option<&Candidates>) -> (String, Vec<Sql>) {
    let FilterQuery { id, from, mut clauses } = found(filter, now, among);
    let (direction, beyond) = match filter.order {
        Order::Newest => ("DESC", "<"),
        Order::Oldest => ("ASC", ">"),
    };
    if let Some(after) = filter.after {
        clauses.id(&format!("{id} {beyond}"), after);
    }
    let wanted = clauses.wanted();
    clauses.values.push(Sql::Integer(i64::from(page_size(filter)) + 1));
    (format!("SELECT {id} FROM {from} {wanted} ORDER BY {id} {direction} LIMIT ?"), clauses.values)
}

/// Number of operations by state that a filter matches at `now`: a statement and its values.
pub(super) fn counts(filter: &Filter, now: Time, among: Option<&Candidates>) -> (String, Vec<Sql>) {
    let FilterQuery { from, clauses, .. } = found(filter, now, among);
    (format!("SELECT o.state, count(*) FROM {from} {} GROUP BY o.state", clauses.wanted()), clauses.values)
}

/// Source of a filter's query, and its conditions.
struct FilterQuery {
    /// Leading column of IDs.
    id: &'static str,
    from: String,
    clauses: Clauses,
}

fn found(filter: &Filter, now: Time, among: Option<&Candidates>) -> FilterQuery {
    let mut clauses = Clauses::default();
    clauses.values.extend(among.into_iter().flat_map(Candidates::values));
    let by_name = filter.params_by_name();
    let meant = |values: &[&ParamIs]| -> Vec<String> { values.iter().flat_map(|p| p.meant()).collect() };
    let mut params: Vec<(&str, Vec<String>)> =
        by_name.into_iter().map(|(name, values)| (name, meant(&values))).collect();
    // Parameters with a single value lead, because they keep the order of IDs.
    params.sort_by_key(|(_, values)| values.len());
    let leads = !params.is_empty() && among.is_none();
    for (n, (name, values)) in params.into_iter().enumerate() {
        clauses.values.push(Sql::Text(name.to_owned()));
        let place = clauses.any_of(&values);
        clauses.parts.push(match n {
            0 if leads => format!("p.name = ? AND p.value {place}"),
            _ => format!("EXISTS (SELECT 1 FROM params WHERE name = ? AND value {place} AND id = o.id)"),
        });
    }
    for (column, values) in [
        ("state", filter.states.iter().map(ToString::to_string).collect::<Vec<_>>()),
        ("kind", filter.kinds.iter().map(ToString::to_string).collect()),
        ("host", filter.hosts.iter().map(ToString::to_string).collect()),
    ] {
        if !values.is_empty() {
            let place = clauses.any_of(&values);
            clauses.parts.push(format!("o.{column} {place}"));
        }
    }
    if let Some(scope) = &filter.scope {
        clauses.scope(scope);
    }
    if let Some(parent) = filter.parent {
        clauses.id("o.parent =", parent);
    }
    for word in filter.text.split_whitespace() {
        let word = word.to_lowercase();
        let states: Vec<String> = states_meant(&word).map(|state| state.to_string()).collect();
        clauses.values.push(Sql::Text(word));
        if states.is_empty() {
            clauses.parts.push("instr(o.about, ?) > 0".to_owned());
        } else {
            let place = clauses.any_of(&states);
            clauses.parts.push(format!("(instr(o.about, ?) > 0 OR o.state {place})"));
        }
    }
    let id = if leads { "p.id" } else { "o.id" };
    let (first, end) = filter.ids(now);
    if let Some(first) = first {
        clauses.id(&format!("{id} >="), first);
    }
    if let Some(end) = end {
        clauses.id(&format!("{id} <"), end);
    }
    let (earliest, latest) = filter.ends(now);
    for (bound, at) in [(">=", earliest), ("<", latest)] {
        if let Some(at) = at {
            // Active operations have no end, so neither comparison is true for them.
            clauses.parts.push(format!("o.ended_at {bound} ?"));
            clauses.values.push(Sql::Integer(at.micros()));
        }
    }
    let lists = [filter.states.len(), filter.kinds.len(), filter.hosts.len()];
    let single = lists.iter().sum::<usize>() == 1 || filter.parent.is_some();
    let from = if let Some(among) = among {
        // CROSS JOIN keeps the order: each candidate is read by its number.
        format!("({}) AS c CROSS JOIN operations AS o ON o.n = c.n", among.query())
    } else if leads {
        "params AS p CROSS JOIN operations AS o INDEXED BY operations_to_find ON o.id = p.id".to_owned()
    } else if single && filter.text.trim().is_empty() && !filter.asks_for_ends() {
        "operations AS o".to_owned()
    } else {
        "operations AS o INDEXED BY operations_to_find".to_owned()
    };
    FilterQuery { id, from, clauses }
}

#[derive(Default)]
struct Clauses {
    parts: Vec<String>,
    values: Vec<Sql>,
}

impl Clauses {
    fn wanted(&self) -> String {
        match self.parts.is_empty() {
            true => String::new(),
            false => format!("WHERE {}", self.parts.join(" AND ")),
        }
    }

    /// `= ?` or `IN (?, ?)`; a single value keeps the order of the index.
    fn any_of(&mut self, values: &[String]) -> String {
        self.values.extend(values.iter().cloned().map(Sql::Text));
        match values.len() {
            1 => "= ?".to_owned(),
            n => format!("IN ({})", vec!["?"; n].join(", ")),
        }
    }

    /// Kinds of a scope. Its patterns have no special character of GLOB but `*`, which means the same there.
    fn scope(&mut self, scope: &KindScope) {
        let patterns = scope.patterns();
        let any = vec!["o.kind GLOB ?"; patterns.len()].join(" OR ");
        let none = vec!["?"; COMPOSITE_KINDS.len()].join(", ");
        self.values.extend(patterns.iter().map(|pattern| Sql::Text(pattern.as_str().to_owned())));
        self.values.extend(COMPOSITE_KINDS.map(|kind| Sql::Text(kind.to_owned())));
        self.parts.push(format!("({any}) AND o.kind NOT IN ({none})"));
    }

    fn id(&mut self, what: &str, id: OperationId) {
        self.parts.push(format!("{what} ?"));
        self.values.push(Sql::Blob(id.0.as_bytes().to_vec()));
    }
}
