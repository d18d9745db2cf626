//! `[oidc]`: sign-in through an OpenID Connect provider.

use anyhow::{Context, bail, ensure};
use https_client::{Tls, TlsFiles};
use oidc::{ClientSecret, GroupRole, RoleMapping, Settings, is_protected};
use protocol::access::{KindScope, Role};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use url::Url;

/// `[oidc]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileOidc {
    issuer: String,
    client_id: String,
    /// File that contains the client's secret; without it, the client is a public one.
    client_secret_file: Option<PathBuf>,
    /// URL of the dashboard, to which the provider sends browsers back.
    external_url: Option<String>,
    /// Name of the provider on the page; default: the host name of the issuer.
    name: Option<String>,
    scopes: Option<Vec<String>>,
    name_claim: Option<String>,
    groups_claim: Option<String>,
    /// Certificates of the only CAs to trust for the provider.
    ca: Option<PathBuf>,
    #[serde(rename = "role", default)]
    roles: Vec<FileOidcRole>,
}

/// `[[oidc.role]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOidcRole {
    group: String,
    role: Role,
    kinds: Option<KindScope>,
}

/// Sign-in through a provider.
#[derive(Debug)]
pub struct OidcConfig {
    pub settings: Settings,
    pub tls: Tls,
    /// URL of the dashboard without a slash at its end; `None` for the address that the browser uses.
    pub external_url: Option<String>,
}

/// Settings by the file.
///
/// # Errors
/// A sentence that names the key, and the correct form.
pub(super) fn settings(file: FileOidc) -> anyhow::Result<OidcConfig> {
    let issuer = Url::parse(&file.issuer).ok().filter(is_protected);
    let Some(issuer) = issuer.filter(|url| url.query().is_none() && url.fragment().is_none()) else {
        bail!(
            "oidc.issuer is '{}'; use the https:// URL that the provider calls its issuer, without a query or fragment",
            file.issuer
        );
    };
    ensure!(
        !file.issuer.contains("/.well-known/"),
        "oidc.issuer is '{}'; remove /.well-known/openid-configuration from it",
        file.issuer
    );
    ensure!(!file.client_id.trim().is_empty(), "oidc.client_id is empty; use the ID that the provider shows");
    let external_url = file.external_url.as_deref().map(external_url).transpose()?;
    let scopes = file.scopes.unwrap_or_else(|| ["profile", "email"].map(str::to_owned).to_vec());
    for scope in &scopes {
        let is_one = !scope.is_empty() && scope.chars().all(|c| c.is_ascii_graphic());
        ensure!(
            is_one,
            "oidc.scopes has '{scope}'; use a list of single scopes, such as [\"profile\", \"groups\"]"
        );
    }
    let groups =
        file.roles.into_iter().map(|FileOidcRole { group, role, kinds }| GroupRole { group, role, kinds });
    let roles = RoleMapping::new(groups.collect()).map_err(anyhow::Error::msg).context(
        "the [[oidc.role]] tables of the configuration are invalid. Each needs 'group' and 'role' (viewer, operator or admin)",
    )?;
    let tls = Tls::open(TlsFiles { ca: file.ca, ..TlsFiles::default() }).context("oidc.ca can't be used")?;
    let settings = Settings {
        name: file.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| host_of(&issuer)),
        issuer: file.issuer,
        client_id: file.client_id,
        client_secret: file.client_secret_file.as_deref().map(client_secret).transpose()?,
        scopes,
        name_claim: file.name_claim.unwrap_or_else(|| "preferred_username".to_owned()),
        groups_claim: file.groups_claim.unwrap_or_else(|| "groups".to_owned()),
        roles,
    };
    Ok(OidcConfig { settings, tls, external_url })
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

fn client_secret(path: &Path) -> anyhow::Result<ClientSecret> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("can't read {} (oidc.client_secret_file)", path.display()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    ensure!(
        !secret.is_empty(),
        "{} (oidc.client_secret_file) is empty. Write the secret to the file, or remove 'client_secret_file' if the \
         client has no secret",
        path.display()
    );
    Ok(ClientSecret::new(secret.to_owned()))
}

fn external_url(text: &str) -> anyhow::Result<String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url.filter(|url| url.query().is_none() && url.fragment().is_none()) else {
        bail!(
            "oidc.external_url is '{text}'; use the URL of the dashboard, such as https://signalbox.example.org"
        )
    };
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "[[role]]\ngroup = 'ops'\nrole = 'operator'\nkinds = ['data.*']";

    fn read(text: &str) -> anyhow::Result<OidcConfig> {
        settings(toml::from_str(text)?)
    }

    fn with(more: &str) -> String {
        format!("issuer = 'https://id.example.org/realm'\nclient_id = 'signalbox'\n{more}\n{ROLE}")
    }

    #[test]
    fn the_example_of_the_docs_is_valid() {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/security.md");
        let docs = std::fs::read_to_string(docs).unwrap();
        let mut blocks = docs.split("```toml\n").skip(1);
        let example = blocks.find(|block| block.contains("[oidc]")).unwrap();
        let example = example.split("```").next().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "s3cret\n").unwrap();
        let example = example.replace("/etc/signalbox/oidc-secret", path.to_str().unwrap());
        let table: toml::Table = toml::from_str(&example).unwrap();
        let config = read(&toml::to_string(&table["oidc"]).unwrap()).unwrap();
        assert!(config.settings.client_secret == Some(ClientSecret::new("s3cret".into())));
        assert!(config.settings.roles.has_admins() && config.external_url.is_some());
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn most_keys_have_a_default() {
        let config = read(&with("")).unwrap();
        let settings = config.settings;
        assert_eq!(settings.name, "id.example.org");
        assert_eq!(
            (settings.name_claim.as_str(), settings.groups_claim.as_str()),
            ("preferred_username", "groups")
        );
        assert_eq!(settings.scopes, ["profile", "email"]);
        assert!(settings.client_secret.is_none() && config.external_url.is_none());
        let config = read(&with("external_url = 'https://box.example.org/box/'")).unwrap();
        assert_eq!(config.external_url.as_deref(), Some("https://box.example.org/box"));
    }

    #[test]
    fn an_invalid_setting_is_named_with_a_correction() {
        let error = |text: &str| format!("{:#}", read(text).unwrap_err());
        let issuer = |issuer: &str| error(&with("").replace("https://id.example.org/realm", issuer));
        for wrong in ["id.example.org", "http://id.example.org", "https://id.example.org?x"] {
            assert!(issuer(wrong).contains("oidc.issuer"), "{wrong}");
        }
        assert!(
            issuer("https://id.example.org/.well-known/openid-configuration").contains("remove /.well-known")
        );
        assert!(error(&with("client_secret_file = '/no/such/file'")).contains("client_secret_file"));
        assert!(error(&with("external_url = 'box'")).contains("oidc.external_url"));
        assert!(error(&with("scopes = ['profile email']")).contains("oidc.scopes"));
        assert!(error(&with("secret = 'x'")).contains("secret"));
        assert!(error(&with("").replace(ROLE, "")).contains("[[oidc.role]]"));
        assert!(error(&with("").replace("operator", "root")).contains("admin"));
        assert!(error(&with("").replace("operator", "admin")).contains("manages access"));
    }

    #[test]
    fn a_provider_on_this_machine_needs_no_https() {
        for issuer in ["http://127.0.0.1:9000", "http://localhost:9000/realm", "http://[::1]:9000"] {
            assert!(read(&with("").replace("https://id.example.org/realm", issuer)).is_ok(), "{issuer}");
        }
    }
}
