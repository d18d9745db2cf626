//! Presets of a kind: named values in the browser's storage. Pure except for the storage.

use leptos::prelude::window;
use live::base;
use protocol::KindName;

/// Values of a preset: field name and text.
pub type Values = Vec<(String, String)>;

/// Maximum length of a name, characters.
const MAX_NAME_CHARS: usize = 60;

/// Presets of one kind, sorted by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Presets(Vec<(String, Values)>);

impl Presets {
    /// Parses stored presets; empty when invalid.
    pub fn read(text: &str) -> Self {
        Self(json::from_str(text).unwrap_or_default())
    }

    /// Serializes the presets.
    pub fn text(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub fn get(&self, name: &str) -> Option<&Values> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, values)| values)
    }

    /// Stores values under a name, replacing an existing preset.
    pub fn put(&mut self, name: &str, values: Values) {
        self.remove(name);
        let place = self.0.partition_point(|(known, _)| known.to_lowercase() <= name.to_lowercase());
        self.0.insert(place, (name.to_owned(), values));
    }

    /// Removes a preset.
    pub fn remove(&mut self, name: &str) -> Option<Values> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(place).1)
    }

    /// Renames a preset, replacing one that has the new name.
    pub fn rename(&mut self, from: &str, to: &str) {
        if let Some(values) = self.remove(from) {
            self.put(to, values);
        }
    }
}

/// Normalized name; `None` when empty.
pub fn name_of(typed: &str) -> Option<String> {
    let name: String =
        typed.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_NAME_CHARS).collect();
    (!name.is_empty()).then_some(name)
}

fn key(kind: &KindName) -> String {
    base::scoped(&format!("signalbox.presets.{kind}"))
}

/// Stored presets of a kind; empty without storage.
pub fn load(kind: &KindName) -> Presets {
    let storage = window().local_storage().ok().flatten();
    let text = storage.and_then(|storage| storage.get_item(&key(kind)).ok().flatten());
    text.map(|text| Presets::read(&text)).unwrap_or_default()
}

/// Changes the presets of a kind as stored now: another tab may have changed them. `None` without storage.
pub fn change(kind: &KindName, change: impl FnOnce(&mut Presets)) -> Option<Presets> {
    let storage = window().local_storage().ok().flatten()?;
    let mut presets = load(kind);
    change(&mut presets);
    storage.set_item(&key(kind), &presets.text()).ok()?;
    Some(presets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(text: &str) -> Values {
        vec![("symbol".to_owned(), text.to_owned())]
    }

    fn names(presets: &Presets) -> Vec<&str> {
        presets.names().collect()
    }

    #[test]
    fn presets_are_kept_by_name_and_overwritten_by_it() {
        let mut presets = Presets::default();
        presets.put("nightly", values("A"));
        presets.put("Fast", values("B"));
        presets.put("nightly", values("C"));
        assert_eq!(names(&presets), ["Fast", "nightly"]);
        assert_eq!(presets.get("nightly"), Some(&values("C")));
        presets.rename("Fast", "slow");
        presets.rename("none", "x");
        assert_eq!(names(&presets), ["nightly", "slow"]);
        presets.rename("slow", "nightly");
        assert_eq!(names(&presets), ["nightly"]);
        assert_eq!(presets.remove("nightly"), Some(values("B")));
        assert_eq!(presets.remove("nightly"), None);
    }

    #[test]
    fn stored_data_of_another_format_is_ignored() {
        assert_eq!(Presets::read("{\"a\": 1}"), Presets::default());
        assert_eq!(Presets::read(""), Presets::default());
    }

    #[test]
    fn a_view_name_has_words_and_a_limited_length() {
        assert_eq!(name_of("  every \t night "), Some("every night".to_owned()));
        assert_eq!(name_of(" \n"), None);
        assert_eq!(name_of(&"é".repeat(100)).unwrap().chars().count(), MAX_NAME_CHARS);
    }

    proptest! {
        #[test]
        fn stored_presets_round_trip(names in proptest::collection::vec("\\PC{1,8}", 0..6)) {
            let mut presets = Presets::default();
            for name in &names {
                presets.put(name, values(name));
            }
            prop_assert_eq!(Presets::read(&presets.text()), presets);
        }
    }
}
