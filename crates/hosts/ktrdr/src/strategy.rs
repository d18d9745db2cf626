//! Strategies: pasted text, or files in a folder on this machine.

use std::path::{Path, PathBuf};

/// Maximum size of a strategy in bytes, because a start must fit into one request.
pub(crate) const STRATEGY_BYTES: u64 = 200 * 1024;
/// Maximum number of names in a form.
const MAX_OFFERED: usize = 50;

/// Folder of named strategies.
#[derive(Debug, Clone)]
pub(crate) struct Strategies {
    folder: Option<PathBuf>,
}

impl Strategies {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// Names of the current files.
    pub fn names(&self) -> Vec<String> {
        let Some(files) = self.folder.as_deref().and_then(|folder| std::fs::read_dir(folder).ok()) else {
            return Vec::new();
        };
        let mut names: Vec<String> = files
            .filter_map(|file| file.ok()?.file_name().into_string().ok())
            .filter(|name| is_name(name))
            .collect();
        names.sort_unstable();
        names.truncate(MAX_OFFERED);
        names
    }

    /// Text of a strategy: the input itself, or the file that it names. These services accept only text.
    ///
    /// # Errors
    /// A message for the field.
    pub fn resolve(&self, given: &str) -> Result<String, String> {
        let text = given;
        let given = given.trim();
        if given.is_empty() {
            return Err("Strategy is required.".to_owned());
        }
        if !is_name(given) {
            return match given.contains(':') {
                true => Ok(text.to_owned()),
                false => Err("Enter YAML ('name: …') or the name of a .yaml file.".to_owned()),
            };
        }
        let plain = !given.contains(['/', '\\']);
        if let Some(file) = self.folder.as_ref().filter(|_| plain).map(|folder| folder.join(given))
            && file.exists()
        {
            return read(&file);
        }
        match &self.folder {
            Some(folder) => Err(format!(
                "File '{given}' was not found in {}. This folder has {}.",
                folder.display(),
                match self.names().as_slice() {
                    [] => "no .yaml file".to_owned(),
                    names => names.join(", "),
                }
            )),
            None => Err(format!(
                "'{given}' looks like a file, but this adapter has no strategy folder. Paste the text, or set \
                 'strategies' in the adapter's configuration. The service does not accept a path instead of the text."
            )),
        }
    }
}

/// Whether the text is a single line with a YAML file extension.
fn is_name(text: &str) -> bool {
    !text.contains('\n') && !text.contains(": ") && (text.ends_with(".yaml") || text.ends_with(".yml"))
}

fn read(file: &Path) -> Result<String, String> {
    let wrong = |e: std::io::Error| format!("Cannot read {}: {e}.", file.display());
    let bytes = std::fs::metadata(file).map_err(wrong)?.len();
    if bytes > STRATEGY_BYTES {
        return Err(format!(
            "{} has {bytes} bytes. A strategy can have at most {STRATEGY_BYTES} bytes.",
            file.display()
        ));
    }
    std::fs::read_to_string(file).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_is_text_or_a_local_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mean.yaml"), "name: mean\n").unwrap();
        let some = Strategies::new(Some(folder.path().to_owned()));
        assert_eq!(some.names(), ["mean.yaml"]);
        assert_eq!(some.resolve("mean.yaml").unwrap(), "name: mean\n");
        assert_eq!(some.resolve("name: x\nversion: 1").unwrap(), "name: x\nversion: 1");
        assert_eq!(some.resolve("{name: x}").unwrap(), "{name: x}");
        assert!(some.resolve("other.yaml").unwrap_err().contains("This folder has mean.yaml"));
        assert!(some.resolve("../mean.yaml").is_err(), "no way out of the folder");
        let none = Strategies::new(None);
        assert!(none.resolve("mean.yaml").unwrap_err().contains("'strategies'"));
        let path = none.resolve("strategies/mean.yaml").unwrap_err();
        assert!(path.contains("does not accept a path"), "{path}");
        assert!(none.resolve("mean").unwrap_err().contains("Enter YAML"));
    }
}
