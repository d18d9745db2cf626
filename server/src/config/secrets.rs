//! `[secrets]`: the file with the keys that encrypt secret parameters.

use anyhow::Context;
use engine::SecretKeys;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;

/// `[secrets]` of the configuration file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileSecrets {
    key_file: Option<PathBuf>,
}

/// Keys of the file.
///
/// # Errors
/// A sentence that names the file and what is wrong, without quoting it.
pub(super) fn keys(file: FileSecrets) -> anyhow::Result<Option<Arc<SecretKeys>>> {
    let Some(path) = file.key_file else { return Ok(None) };
    let keys = SecretKeys::open(&path)
        .with_context(|| format!("can't use {} (secrets.key_file)", path.display()))?;
    Ok(Some(Arc::new(keys)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_invalid_key_file_is_named_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.key");
        let error = || format!("{:#}", keys(FileSecrets { key_file: Some(path.clone()) }).err().unwrap());
        let missing = error();
        assert!(missing.contains("secrets.key (secrets.key_file)"), "{missing}");
        std::fs::write(&path, "hunter2").unwrap();
        let invalid = error();
        assert!(invalid.contains("line 1") && !invalid.contains("hunter2"), "{invalid}");
        let key = engine::new_key().unwrap();
        std::fs::write(&path, &key).unwrap();
        assert!(keys(FileSecrets { key_file: Some(path) }).unwrap().is_some());
        assert!(keys(FileSecrets::default()).unwrap().is_none());
    }
}
