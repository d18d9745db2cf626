//! Filters of a list of operations.

use protocol::paths;

/// Filters of a list of operations, as on the page. Absent ones don't filter; `state`, `kind` and `host` may be
/// comma-separated.
#[derive(Clone, Debug, Default)]
pub struct OperationQuery {
    pub state: Option<String>,
    pub kind: Option<String>,
    pub host: Option<String>,
    /// Parameters with their values.
    pub params: Vec<(String, String)>,
    /// Only operations that this one started.
    pub parent: Option<String>,
    /// Created at or after: `24h`, a day or a time.
    pub since: Option<String>,
    /// Created before; a day is included as a whole.
    pub until: Option<String>,
    /// Ended at or after: `24h`, a day or a time.
    pub ended_since: Option<String>,
    /// Ended before; a day is included as a whole.
    pub ended_until: Option<String>,
    /// Words that must all occur.
    pub words: Option<String>,
    /// Oldest first.
    pub oldest: bool,
    /// Cursor of the next page.
    pub after: Option<String>,
    /// Maximum number of operations, 1 to 500.
    pub limit: u16,
}

impl OperationQuery {
    /// Pairs of the filters, without order and position.
    fn filters(&self) -> Vec<(String, &str)> {
        let pairs = [
            ("state", self.state.as_deref()),
            ("kind", self.kind.as_deref()),
            ("host", self.host.as_deref()),
            ("parent", self.parent.as_deref()),
            ("since", self.since.as_deref()),
            ("until", self.until.as_deref()),
            ("ended_since", self.ended_since.as_deref()),
            ("ended_until", self.ended_until.as_deref()),
            ("q", self.words.as_deref()),
        ];
        let given = pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        given
            .chain(self.params.iter().map(|(name, value)| (format!("param.{name}"), value.as_str())))
            .collect()
    }

    /// Path of the list.
    pub(crate) fn path(&self) -> String {
        let limit = self.limit.to_string();
        let place = [
            ("order", self.oldest.then_some("oldest")),
            ("after", self.after.as_deref()),
            ("limit", Some(limit.as_str())),
        ];
        let place = place.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        format!("{}?{}", paths::OPERATIONS, encoded(self.filters().into_iter().chain(place)))
    }

    /// Query string of the filters, as requests for many operations take it.
    pub fn filter(&self) -> String {
        encoded(self.filters().into_iter())
    }

    /// Path of the numbers of matching operations by state.
    pub(crate) fn counts_path(&self) -> String {
        format!("{}?{}", paths::COUNTS, encoded(self.filters().into_iter()))
    }
}

/// Query string of pairs.
pub(crate) fn encoded<N: AsRef<str>, V: AsRef<str>>(pairs: impl Iterator<Item = (N, V)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_safe_in_a_query() {
        let query = OperationQuery { words: Some("a b&c".into()), limit: 5, ..OperationQuery::default() };
        assert_eq!(query.path(), "/api/v1/operations?q=a+b%26c&limit=5");
    }

    #[test]
    fn counts_take_the_filters_of_the_list() {
        let query = OperationQuery {
            state: Some("failed".into()),
            params: vec![("symbol".into(), "A&B".into())],
            oldest: true,
            limit: 5,
            ..OperationQuery::default()
        };
        assert_eq!(query.counts_path(), "/api/v1/operations/counts?state=failed&param.symbol=A%26B");
        assert!(query.path().ends_with("&param.symbol=A%26B&order=oldest&limit=5"), "{}", query.path());
    }
}
