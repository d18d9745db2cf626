//! Strategies: pasted as text, or named as files of a folder on this machine or, where the service can, on its own.

use std::path::{Path, PathBuf};

/// The most bytes that a strategy may have; a start has to fit into one request.
pub(crate) const STRATEGY_BYTES: u64 = 200 * 1024;
/// The most names that a form offers.
const OFFERED: usize = 50;

/// Where strategies are found by name.
#[derive(Debug, Clone)]
pub(crate) struct Strategies {
    folder: Option<PathBuf>,
}

/// A strategy as the service is given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Strategy {
    Yaml(String),
    /// A path on the service's machine.
    There(String),
}

impl Strategies {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The names of the files that there are now.
    pub fn names(&self) -> Vec<String> {
        let Some(files) = self.folder.as_deref().and_then(|folder| std::fs::read_dir(folder).ok()) else {
            return Vec::new();
        };
        let mut names: Vec<String> = files
            .filter_map(|file| file.ok()?.file_name().into_string().ok())
            .filter(|name| is_name(name))
            .collect();
        names.sort_unstable();
        names.truncate(OFFERED);
        names
    }

    /// What was filled in: text, the name of a file, or (with `paths`) a path on the service's machine.
    ///
    /// # Errors
    /// A sentence for the field.
    pub fn resolve(&self, given: &str, paths: bool) -> Result<Strategy, String> {
        let given = given.trim();
        if given.is_empty() {
            return Err("The strategy is empty.".to_owned());
        }
        if !is_name(given) {
            return match given.contains(':') {
                true => Ok(Strategy::Yaml(given.to_owned())),
                false => Err("This is neither YAML ('name: …') nor the name of a .yaml file.".to_owned()),
            };
        }
        let plain = !given.contains(['/', '\\']);
        if let Some(file) = self.folder.as_ref().filter(|_| plain).map(|folder| folder.join(given))
            && file.exists()
        {
            return read(&file).map(Strategy::Yaml);
        }
        match (&self.folder, paths) {
            (_, true) => Ok(Strategy::There(given.to_owned())),
            (Some(folder), false) => Err(format!(
                "There is no file '{given}' in {}. It has {}.",
                folder.display(),
                match self.names().as_slice() {
                    [] => "no .yaml file".to_owned(),
                    names => names.join(", "),
                }
            )),
            (None, false) => Err(format!(
                "'{given}' looks like a file, and this adapter has no folder of strategies. Paste the text, or set \
                 'strategies' in the configuration of the adapter."
            )),
        }
    }
}

/// One line that ends like a file of YAML.
fn is_name(text: &str) -> bool {
    !text.contains('\n') && !text.contains(": ") && (text.ends_with(".yaml") || text.ends_with(".yml"))
}

fn read(file: &Path) -> Result<String, String> {
    let wrong = |e: std::io::Error| format!("{} can't be read: {e}.", file.display());
    let bytes = std::fs::metadata(file).map_err(wrong)?.len();
    if bytes > STRATEGY_BYTES {
        return Err(format!(
            "{} has {bytes} bytes; a strategy has at most {STRATEGY_BYTES}.",
            file.display()
        ));
    }
    std::fs::read_to_string(file).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_is_text_a_file_here_or_a_path_over_there() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mean.yaml"), "name: mean\n").unwrap();
        let some = Strategies::new(Some(folder.path().to_owned()));
        assert_eq!(some.names(), ["mean.yaml"]);
        assert_eq!(some.resolve("mean.yaml", false), Ok(Strategy::Yaml("name: mean\n".into())));
        assert_eq!(
            some.resolve("name: x\nversion: 1", false),
            Ok(Strategy::Yaml("name: x\nversion: 1".into()))
        );
        assert_eq!(some.resolve("{name: x}", false), Ok(Strategy::Yaml("{name: x}".into())));
        assert!(some.resolve("other.yaml", false).unwrap_err().contains("It has mean.yaml"));
        assert!(some.resolve("../mean.yaml", false).is_err(), "no way out of the folder");
        assert_eq!(some.resolve("strategies/x.yaml", true), Ok(Strategy::There("strategies/x.yaml".into())));
        let none = Strategies::new(None);
        assert!(none.resolve("mean.yaml", false).unwrap_err().contains("'strategies'"));
        assert!(none.resolve("mean", false).unwrap_err().contains("neither"));
    }
}
