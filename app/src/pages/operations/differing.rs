//! Parameters that tell rows of the same title apart, or the runs of one parent. Pure.

use crate::features::params::compared;
use live::Fixed;
use protocol::OperationId;
use serde_json::Value;
use std::collections::HashMap;

/// Maximum number of parameters per row.
const MAX_PARAMS: usize = 2;
/// Maximum length of a value, characters.
const MAX_CHARS: usize = 24;

fn wording(name: &str, value: Option<&Value>) -> Option<String> {
    let value = value.filter(|value| !value.is_null() && !value.is_object() && !value.is_array())?;
    let text = display::format::param(value);
    (!text.is_empty() && text.chars().count() <= MAX_CHARS).then(|| format!("{name} {text}"))
}

/// For each row whose kind and title, or kind and parent, occur several times: the parameters in which it differs from
/// the others.
pub fn differing<'a>(rows: impl Iterator<Item = &'a Fixed>) -> HashMap<OperationId, String> {
    let mut alike: HashMap<(&str, Option<OperationId>, &str), Vec<&Fixed>> = HashMap::new();
    for row in rows {
        let title = if row.parent.is_some() { "" } else { row.title.as_str() };
        alike.entry((row.kind.as_str(), row.parent, title)).or_default().push(row);
    }
    let mut texts = HashMap::new();
    for group in alike.into_values().filter(|group| group.len() > 1) {
        let all: Vec<(&str, &Value)> = group.iter().map(|row| (row.kind.as_str(), &row.params)).collect();
        let mut names: Vec<&str> =
            compared(&all).into_iter().filter(|param| param.differs).map(|param| param.name).collect();
        names.sort_unstable();
        for row in &group {
            let said = names.iter().filter_map(|name| wording(name, row.params.get(*name)));
            let text = said.take(MAX_PARAMS).collect::<Vec<_>>().join(" · ");
            if !text.is_empty() {
                texts.insert(row.id, text);
            }
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{KindName, Time};
    use serde_json::json;

    fn run(n: u32, title: &str, params: Value) -> Fixed {
        Fixed {
            id: format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap(),
            kind: KindName::new("exec.train").unwrap(),
            title: title.to_owned(),
            parent: None,
            params,
            created_at: Time::from_micros(0),
        }
    }

    #[test]
    fn rows_with_equal_titles_show_the_differing_parameter() {
        let rows = [
            run(1, "Train", json!({"epochs": 10, "seed": 1, "note": null})),
            run(2, "Train", json!({"epochs": 10, "seed": 2, "note": "x".repeat(99)})),
            run(3, "Other", json!({"epochs": 99})),
        ];
        let texts = differing(rows.iter());
        assert_eq!((texts[&rows[0].id].as_str(), texts[&rows[1].id].as_str()), ("seed 1", "seed 2"));
        assert_eq!(texts.len(), 2, "a title that occurs once says enough");
    }

    #[test]
    fn runs_of_a_sweep_say_what_varies_whatever_their_titles() {
        let parent = Some("0199c2d4-7f3a-7c11-9e1b-000000000009".parse().unwrap());
        let run =
            |n: u32, fast: u32| Fixed { parent, ..run(n, &format!("cross {fast}"), json!({"fast": fast})) };
        let rows = [run(1, 5), run(2, 10)];
        let texts = differing(rows.iter());
        assert_eq!((texts[&rows[0].id].as_str(), texts[&rows[1].id].as_str()), ("fast 5", "fast 10"));
    }

    #[test]
    fn equal_runs_have_no_notes() {
        let rows = [run(1, "Train", json!({"seed": 1, "note": null})), run(2, "Train", json!({"seed": 1.0}))];
        assert!(differing(rows.iter()).is_empty());
    }
}
