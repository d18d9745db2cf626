//! Print-only note: which part of a virtual list was printed, because only visible rows are in the document.

use crate::reactive::part;
use display::format::count;
use leptos::prelude::*;

/// A list as it would be printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Printed {
    /// Rows before those in the document.
    pub before: usize,
    pub here: usize,
    pub all: usize,
    /// The server has more rows.
    pub more: bool,
}

impl Printed {
    /// `Printed: lines 29 to 80 of 10,000.` `None` for a complete list.
    fn wording(self, what: &str) -> Option<String> {
        let Self { before, here, all, more } = self;
        if here == 0 || (here == all && !more) {
            return None;
        }
        let of = |n: usize| count(n as u64);
        let (from, to, all) = (of(before + 1), of(before + here), of(all));
        let rest = if more { format!(" loaded {what}; the server has more") } else { String::new() };
        Some(format!("Printed: {what} {from} to {to} of {all}{rest}."))
    }
}

/// Note below a list; `what` is a plural.
#[component]
pub fn OnPaper(what: &'static str, #[prop(into)] printed: Signal<Printed>) -> impl IntoView {
    part(move || {
        let wording = printed.get().wording(what)?;
        Some(view! { <p class="paper-only muted">{wording}</p> }.into_any())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partly_printed_list_names_the_printed_rows() {
        let log = Printed { before: 28, here: 52, all: 10_000, more: false };
        assert_eq!(log.wording("lines").unwrap(), "Printed: lines 29 to 80 of 10,000.");
        let list = Printed { here: 100, all: 100, more: true, ..Printed::default() };
        assert_eq!(
            list.wording("rows").unwrap(),
            "Printed: rows 1 to 100 of 100 loaded rows; the server has more."
        );
        assert_eq!(Printed { more: false, ..list }.wording("rows"), None);
        assert_eq!(Printed::default().wording("rows"), None);
    }
}
