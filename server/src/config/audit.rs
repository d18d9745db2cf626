//! `[audit]`: where the audit log is sent.

use crate::alerts::SecretUrl;
use crate::audit_sink::AuditSinkConfig;
use anyhow::{Context, bail, ensure};
use https_client::{Tls, TlsFiles};
use reqwest::header::HeaderValue;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// `[audit]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileAudit {
    webhook_url: Option<String>,
    /// File that contains the URL.
    webhook_url_file: Option<PathBuf>,
    /// File with a token that is sent as `Authorization: Bearer`.
    token_file: Option<PathBuf>,
    /// Certificates of the only CAs to trust for the webhook.
    ca: Option<PathBuf>,
}

/// Settings by the file; `None` without a webhook.
///
/// # Errors
/// A sentence that names the key, and the correct form.
pub(super) fn settings(file: FileAudit) -> anyhow::Result<Option<AuditSinkConfig>> {
    let text = match (file.webhook_url, file.webhook_url_file) {
        (Some(url), None) => url,
        (None, Some(path)) => read("webhook_url_file", "URL", &path)?,
        (None, None) => {
            ensure!(
                file.token_file.is_none() && file.ca.is_none(),
                "[audit] has 'token_file' or 'ca', but no webhook. Set 'webhook_url' or 'webhook_url_file', or remove 'token_file' and 'ca'"
            );
            return Ok(None);
        }
        (Some(_), Some(_)) => {
            bail!("[audit] has both 'webhook_url' and 'webhook_url_file'; remove one of the two keys")
        }
    };
    let url = SecretUrl::parse(&text).context("the URL of the webhook in [audit] is invalid")?;
    let authorization = match file.token_file {
        None => None,
        Some(path) => {
            let token = read("token_file", "token", &path)?;
            let mut value =
                HeaderValue::from_str(&format!("Bearer {}", token.trim())).with_context(|| {
                    format!(
                        "the token in {} (audit.token_file) is invalid. It may contain only printable ASCII \
                         characters",
                        path.display()
                    )
                })?;
            value.set_sensitive(true);
            Some(value)
        }
    };
    let tls = Tls::open(TlsFiles { ca: file.ca, ..TlsFiles::default() }).context("audit.ca can't be used")?;
    Ok(Some(AuditSinkConfig { url, authorization, tls }))
}

fn read(key: &str, content: &str, path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("can't read {} (audit.{key})", path.display()))?;
    ensure!(
        !text.trim().is_empty(),
        "{} (audit.{key}) is empty. Write the {content} to the file, or remove '{key}' from [audit]",
        path.display()
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> anyhow::Result<Option<AuditSinkConfig>> {
        settings(toml::from_str(text)?)
    }

    #[test]
    fn a_webhook_has_a_url_and_its_secrets_are_unreadable() {
        assert!(of("").unwrap().is_none());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "t0p-s3cret\n").unwrap();
        let text = format!(
            "webhook_url = 'https://logs.example.org/in?key=s3cret'\ntoken_file = '{}'",
            path.display()
        );
        let config = of(&text).unwrap().unwrap();
        assert_eq!(config.authorization.as_ref().unwrap(), "Bearer t0p-s3cret");
        assert!(!format!("{config:?}").contains("s3cret"), "{config:?}");
    }

    #[test]
    fn an_invalid_setting_is_named_with_a_correction() {
        for (text, named) in [
            ("token_file = '/t'", "Set 'webhook_url'"),
            ("webhook_url = 'https://a.example'\nwebhook_url_file = '/u'", "remove one of the two keys"),
            ("webhook_url = 'logs.example.org'", "it is not a URL"),
            ("webhook_url_file = '/nowhere/url'", "can't read /nowhere/url (audit.webhook_url_file)"),
        ] {
            let error = format!("{:#}", of(text).unwrap_err());
            assert!(error.contains(named), "{error}");
        }
    }
}
