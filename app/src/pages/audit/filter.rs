//! Filter of the audit log, as in the URL and as a form. The form works without JavaScript.

use leptos::html::Form;
use leptos::prelude::*;
use live::{base, query};
use protocol::{Action, AuditQuery, Time};

/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// Which entries are shown. Dates are days in UTC, as a browser writes them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    pub action: Option<Action>,
    pub name: String,
    pub refused: bool,
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Only entries with a smaller number: the next page.
    pub before: Option<u64>,
}

impl Filter {
    /// From the query of a URL; what makes no sense is left out.
    pub fn parse(search: &str) -> Self {
        let mut filter = Self::default();
        for (name, value) in query::pairs(search) {
            let value = value.trim().to_owned();
            match name.as_str() {
                "action" => filter.action = Action::ALL.into_iter().find(|action| action.as_str() == value),
                "name" => filter.name = value,
                "refused" => filter.refused = !value.is_empty(),
                "from" if midnight(&value).is_some() => filter.from = value,
                "to" if midnight(&value).is_some() => filter.to = value,
                "before" => filter.before = value.parse().ok(),
                _ => {}
            }
        }
        filter
    }

    /// Without the position: from the newest entry on.
    pub fn of_all(&self) -> Self {
        Self { before: None, ..self.clone() }
    }

    /// URL of the page.
    pub fn address(&self) -> String {
        let action = self.action.map(Action::as_str).unwrap_or_default();
        let before = self.before.map(|n| n.to_string()).unwrap_or_default();
        let refused = if self.refused { "1" } else { "" };
        let pairs = [
            ("action", action),
            ("name", self.name.as_str()),
            ("refused", refused),
            ("from", self.from.as_str()),
            ("to", self.to.as_str()),
            ("before", before.as_str()),
        ];
        query::url("/audit", pairs)
    }

    /// Query of the API.
    pub fn query(&self, limit: Option<u32>) -> AuditQuery {
        AuditQuery {
            operation: None,
            action: self.action,
            name: Some(self.name.clone()).filter(|name| !name.is_empty()),
            refused: self.refused,
            since: midnight(&self.from),
            until: midnight(&self.to).map(|day| day.plus_micros(DAY_MICROS)),
            before: self.before,
            limit,
        }
    }
}

/// Begin of a day in UTC; `None` if the text is no date.
fn midnight(date: &str) -> Option<Time> {
    Time::parse(&format!("{date}T00:00:00Z")).ok()
}

/// The form. A changed choice applies at once, a name with Enter.
#[component]
pub fn FilterForm(shown: Memo<Filter>) -> impl IntoView {
    let form = NodeRef::<Form>::new();
    let apply = move || {
        if let Some(form) = form.get_untracked() {
            // Fails only if the form is not in the document.
            let _ = form.request_submit();
        }
    };
    let actions = Action::ALL.map(|action| {
        view! {
            <option
                value=action.as_str()
                selected=shown.with_untracked(|shown| shown.action == Some(action))
            >
                {display::audit::action(action)}
            </option>
        }
    });
    let day = move |name: &'static str, label: &'static str, of: fn(&Filter) -> &String| {
        view! {
            <label class="field">
                <span class="field-label">{label}</span>
                <input type="date" name=name value=shown.with_untracked(|shown| of(shown).clone()) prop:value=move || shown.with(|shown| of(shown).clone()) on:change=move |_| apply()/>
            </label>
        }
        .into_any()
    };
    view! {
        <form class="audit-filter" method="get" action=base::url("/audit") node_ref=form role="search" aria-label="Filter the audit log">
            <label class="field">
                <span class="field-label">"Action"</span>
                <select
                    name="action"
                    prop:value=move || shown.with(|shown| shown.action.map(Action::as_str).unwrap_or_default())
                    on:change=move |_| apply()
                >
                    <option value="">"All actions"</option>
                    {actions}
                </select>
            </label>
            <label class="field">
                <span class="field-label">"User or token"</span>
                <input type="text" name="name" autocomplete="off" spellcheck="false" maxlength="200" value=shown.with_untracked(|shown| shown.name.clone()) prop:value=move || shown.with(|shown| shown.name.clone())/>
            </label>
            {day("from", "From (UTC)", |shown| &shown.from)}
            {day("to", "To (UTC)", |shown| &shown.to)}
            <label class="check">
                <input type="checkbox" name="refused" value="1" prop:checked=move || shown.with(|shown| shown.refused) checked=shown.with_untracked(|shown| shown.refused) on:change=move |_| apply()/>
                "Only refused"
            </label>
            <button class="button">"Filter"</button>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_the_same_in_its_url() {
        let filter = Filter {
            action: Some(Action::SignIn),
            name: "ada lovelace".to_owned(),
            refused: true,
            from: "2026-11-01".to_owned(),
            to: "2026-11-30".to_owned(),
            before: Some(120),
        };
        let address = filter.address();
        assert_eq!(Filter::parse(address.split_once('?').unwrap().1), filter);
        assert_eq!(Filter::default().address(), "/audit");
    }

    #[test]
    fn the_last_day_is_included_and_nonsense_is_left_out() {
        let query = Filter::parse("?from=2026-11-01&to=2026-11-01").query(None);
        let [since, until] = [query.since, query.until].map(|at| at.unwrap().to_string());
        assert_eq!(
            (since.as_str(), until.as_str()),
            ("2026-11-01T00:00:00.000000Z", "2026-11-02T00:00:00.000000Z")
        );
        assert_eq!(Filter::parse("?from=yesterday&action=dance&before=x&refused="), Filter::default());
    }
}
