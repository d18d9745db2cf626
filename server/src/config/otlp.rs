//! `[otlp]`: export of metrics, traces and logs to a collector.

use super::alerts::seconds;
use anyhow::{Context, bail};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use https_client::{Tls, TlsFiles};
use otlp::{Settings, Signal};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use url::Url;

/// `[otlp]` of the configuration file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileOtlp {
    /// URL of the collector; without it, nothing is exported.
    endpoint: Option<String>,
    /// Headers of each request.
    headers: BTreeMap<String, String>,
    /// File with the value of the header `authorization`.
    authorization_file: Option<PathBuf>,
    /// Attributes of the server, besides its name, version and instance.
    resource: BTreeMap<String, String>,
    /// What to export; everything by default.
    signals: Option<Vec<String>>,
    /// Seconds between two exports of the metrics; default 60.
    metrics_interval: Option<f64>,
    /// CAs that may have issued the certificate of the collector.
    ca: Option<PathBuf>,
}

/// Settings by argument and file; `None` if no collector is configured.
///
/// # Errors
/// A sentence that names the key, and the correct form.
pub(super) fn settings(argument: Option<String>, file: FileOtlp) -> anyhow::Result<Option<Settings>> {
    let is_unused = file.headers.is_empty()
        && file.authorization_file.is_none()
        && file.resource.is_empty()
        && file.signals.is_none()
        && file.metrics_interval.is_none()
        && file.ca.is_none();
    let Some(endpoint) = argument.or(file.endpoint).filter(|endpoint| !endpoint.is_empty()) else {
        if is_unused {
            return Ok(None);
        }
        bail!(
            "[otlp] has no endpoint. Set the URL of the collector, such as endpoint = 'http://127.0.0.1:4318'"
        )
    };
    let url = Url::parse(&endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    if url.as_ref().is_some_and(|url| !url.username().is_empty() || url.password().is_some()) {
        bail!(
            "the OTLP endpoint contains a user name or a password, which the log would show. Use authorization_file in \
             [otlp] instead"
        )
    }
    let Some(url) = url.filter(|url| url.has_host() && url.query().is_none() && url.fragment().is_none())
    else {
        bail!(
            "the OTLP endpoint '{endpoint}' is not an http:// or https:// URL without a query and fragment. Use the \
             collector's URL for OTLP over HTTP, such as http://127.0.0.1:4318"
        )
    };
    if ["/v1/metrics", "/v1/traces", "/v1/logs"].iter().any(|end| url.path().ends_with(end)) {
        bail!("the OTLP endpoint '{endpoint}' must not contain the path of one signal. Remove /v1/… from it")
    }
    let mut headers = HeaderMap::new();
    let authorization = file.authorization_file.map(|path| {
        let read = std::fs::read_to_string(&path);
        read.map(|text| text.trim().to_owned())
            .with_context(|| format!("can't read {} (authorization_file in [otlp])", path.display()))
    });
    let authorization = authorization.transpose()?.map(|value| ("authorization".to_owned(), value));
    for (name, value) in file.headers.into_iter().chain(authorization) {
        let header = HeaderName::try_from(&name).ok().zip(HeaderValue::try_from(&value).ok());
        let Some((known, mut value)) = header else {
            bail!(
                "the header '{name}' in [otlp] is invalid. Use letters, digits, '-' and '_' in its name, and no \
                 line breaks or other control characters in its value"
            )
        };
        value.set_sensitive(true);
        headers.insert(known, value);
    }
    let signal = |name: String| {
        let known = Signal::ALL.into_iter().find(|signal| signal.name() == name);
        known.with_context(|| {
            format!("'{name}' in 'signals' of [otlp] is unknown. Use 'metrics', 'traces' or 'logs'")
        })
    };
    let signals = match file.signals {
        Some(names) => names.into_iter().map(signal).collect::<anyhow::Result<Vec<Signal>>>()?,
        None => Signal::ALL.to_vec(),
    };
    let tls =
        Tls::open(TlsFiles { ca: file.ca, ..TlsFiles::default() }).context("'ca' in [otlp] can't be used")?;
    Ok(Some(Settings {
        endpoint,
        headers,
        resource: resource(file.resource),
        signals,
        metrics_interval: seconds("otlp.metrics_interval", file.metrics_interval, 60.0, 1.0, 3_600.0)?,
        tls,
    }))
}

/// Attributes of the server. Those of the file replace the others.
fn resource(given: BTreeMap<String, String>) -> Vec<(String, String)> {
    let mut attributes = BTreeMap::from([
        ("service.name".to_owned(), "signalbox".to_owned()),
        ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id".to_owned(), uuid::Uuid::now_v7().to_string()),
        ("process.pid".to_owned(), std::process::id().to_string()),
    ]);
    if let Ok(name) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
        attributes.insert("host.name".to_owned(), name.trim().to_owned());
    }
    attributes.extend(given);
    attributes.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> anyhow::Result<Option<Settings>> {
        settings(None, toml::from_str(file).unwrap())
    }

    #[test]
    fn nothing_is_exported_unless_a_collector_is_configured() {
        assert!(read("").unwrap().is_none());
        let read = settings(Some("http://127.0.0.1:4318".into()), FileOtlp::default()).unwrap().unwrap();
        assert_eq!(read.signals, Signal::ALL);
        assert!(read.resource.contains(&("service.name".into(), "signalbox".into())));
    }

    #[test]
    fn the_file_sets_headers_signals_and_attributes() {
        let read = read(
            "endpoint = 'https://otlp.example.org/otlp'\nsignals = ['traces']\nmetrics_interval = 15\n\
             headers = { x-tenant = 'a' }\nresource = { 'deployment.environment.name' = 'test', 'service.name' = 'box' }",
        );
        let read = read.unwrap().unwrap();
        assert_eq!((read.signals.as_slice(), read.metrics_interval.as_secs()), (&[Signal::Traces][..], 15));
        assert!(read.headers["x-tenant"].is_sensitive());
        assert!(read.resource.contains(&("service.name".into(), "box".into())));
        assert!(read.resource.contains(&("deployment.environment.name".into(), "test".into())));
    }

    #[test]
    fn a_mistake_is_named_with_the_correct_form() {
        let error = |file: &str| format!("{:#}", read(file).err().unwrap());
        for unused in
            ["headers = { a = 'b' }", "resource = { a = 'b' }", "metrics_interval = 5", "ca = 'ca.pem'"]
        {
            assert!(error(unused).contains("endpoint ="), "{unused}");
        }
        assert!(error("endpoint = 'collector:4317'").contains("http://127.0.0.1:4318"));
        assert!(error("endpoint = 'http://c:4318/v1/traces'").contains("/v1/"));
        assert!(error("endpoint = 'http://c'\nsignals = ['spans']").contains("'traces'"));
        assert!(error("endpoint = 'http://c'\nheaders = { 'a b' = '1' }").contains("a b"));
        assert!(error("endpoint = 'http://c'\nca = '/nowhere.pem'").contains("/nowhere.pem"));
        assert!(error("endpoint = 'http://c'\nmetrics_interval = 0").contains("metrics_interval"));
    }
}
