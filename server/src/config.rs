//! Configuration: command line over environment over file over defaults.

mod alerts;
mod audit;
mod base_path;
mod hosts;
mod oidc;
mod otlp;
mod request_limits;
mod rules;
mod secrets;
mod texts;
mod tls;

pub use self::oidc::OidcConfig;
pub use texts::TextArgs;
pub use tls::TlsConfig;

use crate::adapters::{self, Adapter};
use crate::alerts::AlertsConfig;
use crate::audit_sink::AuditSinkConfig;
use crate::limits::LimitSettings;
use anyhow::{Context, bail};
pub use base_path::BasePath;
use engine::{EngineConfig, HostConfig};
use http_wire::{AccessLog, Token};
use protocol::KindName;
use serde::Deserialize;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Default address.
const LISTEN: &str = "127.0.0.1:7200";

/// Arguments of `signalbox serve`.
#[derive(clap::Args)]
pub struct ServeArgs {
    /// Address and port to listen on; port 0 picks a free port. Addresses other than loopback require a token, or
    /// [oidc] in the configuration [default: 127.0.0.1:7200]
    #[arg(long, env = "SIGNALBOX_LISTEN")]
    listen: Option<SocketAddr>,
    /// Configuration file (TOML) [default: signalbox.toml in the data folder, if it exists]
    #[arg(long, env = "SIGNALBOX_CONFIG")]
    config: Option<PathBuf>,
    /// Folder for the database and the bundled hosts' data [default: the platform's data folder, on Linux
    /// ~/.local/share/signalbox]
    #[arg(long, env = "SIGNALBOX_DATA")]
    data: Option<PathBuf>,
    /// Folder with SYMBOL_TIMEFRAME.csv files that the bundled data host loads from [default: hosts/csv in the
    /// data folder]
    #[arg(long, env = "SIGNALBOX_CSV")]
    csv: Option<PathBuf>,
    /// URL template of an HTTP source of CSV data, with {symbol}, {timeframe}, {start} and {end}
    #[arg(long, env = "SIGNALBOX_HTTP_SOURCE")]
    http_source: Option<String>,
    #[command(flatten)]
    texts: TextArgs,
    /// File (TOML) of commands to offer as kinds `exec.<name>`; see docs/exec.md [default: exec.toml in the data
    /// folder, if it exists]
    #[arg(long, env = "SIGNALBOX_EXEC")]
    exec: Option<PathBuf>,
    /// Keep the bundled hosts running when the server stops, and reconnect to them when it starts
    #[arg(long, env = "SIGNALBOX_KEEP_HOSTS")]
    keep_hosts: bool,
    /// Token that the dashboard and the API require. Addresses other than loopback require a token, or [oidc] in the
    /// configuration
    #[arg(long, env = "SIGNALBOX_TOKEN", hide_env_values = true)]
    token: Option<String>,
    #[command(flatten)]
    tls: tls::TlsArgs,
    /// URL of a collector to which metrics, traces and logs are exported over OTLP (HTTP); see docs/observability.md
    #[arg(long, env = "SIGNALBOX_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// Log each request: method, path, status, latency and client
    #[arg(long, env = "SIGNALBOX_ACCESS_LOG")]
    access_log: bool,
    /// Path under which a proxy serves the dashboard and the API, such as /signalbox; see docs/configuration.md
    #[arg(long, env = "SIGNALBOX_BASE_PATH", value_name = "PATH")]
    base_path: Option<BasePath>,
    /// Folder with the built web app (WebAssembly, styles) [default: next to the program]
    #[arg(long, env = "LEPTOS_SITE_ROOT")]
    site: Option<PathBuf>,
    /// File to which the server writes the dashboard's URL once it is ready
    #[arg(long)]
    ready_file: Option<PathBuf>,
}

/// Configuration file. All keys are optional; unknown ones are errors.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    listen: Option<SocketAddr>,
    data: Option<PathBuf>,
    token: Option<String>,
    keep_hosts: Option<bool>,
    access_log: Option<bool>,
    site: Option<PathBuf>,
    base_path: Option<BasePath>,
    /// Other host names of the dashboard, such as `signalbox.example.org`.
    allowed_names: Vec<String>,
    /// Header in which a proxy passes the user's name, for the audit log.
    user_header: Option<String>,
    tls: tls::FileTls,
    oidc: Option<oidc::FileOidc>,
    otlp: otlp::FileOtlp,
    sources: FileSources,
    #[serde(rename = "host")]
    hosts: Vec<hosts::FileHost>,
    /// Whether to start the bundled hosts, too; true if no hosts are configured.
    bundled: Option<bool>,
    rules: rules::FileRules,
    alerts: alerts::FileAlerts,
    audit: audit::FileAudit,
    /// Retry policies by kind.
    retry: HashMap<KindName, rules::FileRetry>,
    request_limits: request_limits::FileRequestLimits,
    secrets: secrets::FileSecrets,
    /// Largest number of parallel operations by kind.
    limits: HashMap<KindName, u32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct FileSources {
    csv: Option<PathBuf>,
    http: Option<String>,
    /// Format of their texts.
    csv_format: Option<String>,
    csv_time_zone: Option<String>,
    http_format: Option<String>,
    http_time_zone: Option<String>,
    /// File with commands to offer.
    exec: Option<PathBuf>,
}

/// Configuration of the server.
pub struct Config {
    pub listen: SocketAddr,
    pub data: PathBuf,
    pub token: Option<Token>,
    pub tls: Option<TlsConfig>,
    pub oidc: Option<OidcConfig>,
    pub site: PathBuf,
    /// Path under which a proxy serves everything.
    pub base_path: BasePath,
    pub ready_file: Option<PathBuf>,
    pub allowed_names: Vec<String>,
    pub user_header: Option<String>,
    pub access_log: AccessLog,
    /// Export over OTLP, if a collector is configured.
    pub otlp: Option<::otlp::Settings>,
    pub hosts: Hosts,
    /// Configuration of the engine, without its hosts.
    pub engine: EngineConfig,
    pub alerts: AlertsConfig,
    /// Where the audit log is sent, if anywhere.
    pub audit_sink: Option<AuditSinkConfig>,
    pub request_limits: LimitSettings,
}

/// Hosts of the server.
pub struct Hosts {
    /// Hosts with the host contract.
    pub configured: Vec<HostConfig>,
    /// Services of ktrdr, through adapters.
    pub adapters: Vec<Adapter>,
    /// Bundled hosts, as a separate process.
    pub bundled: Option<Sources>,
}

/// Data sources and commands of the bundled hosts, and whether they outlive the server.
#[derive(Clone)]
pub struct Sources {
    pub csv: Option<PathBuf>,
    pub http: Option<String>,
    pub texts: TextArgs,
    pub exec: Option<PathBuf>,
    pub keep: bool,
}

impl Config {
    /// Merges all sources of the configuration.
    ///
    /// # Errors
    /// A sentence that names the file and the key, and the correct form.
    pub fn read(args: ServeArgs) -> anyhow::Result<Self> {
        let named = args.config.is_some();
        let data_first = args.data.clone().or_else(default_data);
        let path = args.config.clone().or_else(|| data_first.as_ref().map(|d| d.join("signalbox.toml")));
        let path = path.filter(|path| named || path.is_file());
        let file = path.as_deref().map(read_file).transpose()?.unwrap_or_default();
        let Some(data) = args.data.or(file.data).or(data_first) else {
            bail!("no home folder found for the data. Set a folder with --data FOLDER");
        };
        let listen = args.listen.or(file.listen);
        let listen = listen.unwrap_or_else(|| LISTEN.parse().expect("the default address is one"));
        let token = args.token.or(file.token).filter(|t| !t.is_empty()).map(Token::new);
        if token.is_none() && file.oidc.is_none() && !listen.ip().is_loopback() {
            bail!(
                "{listen} is reachable from other machines, so anyone on the network could start operations. \
                 Set a token (--token, SIGNALBOX_TOKEN, or 'token' in the configuration), configure [oidc], or listen on \
                 127.0.0.1"
            );
        }
        let csv = args.csv.or(file.sources.csv);
        let http = args.http_source.or(file.sources.http);
        let texts = args.texts.or(TextArgs {
            csv_format: file.sources.csv_format,
            csv_time_zone: file.sources.csv_time_zone,
            http_format: file.sources.http_format,
            http_time_zone: file.sources.http_time_zone,
        });
        texts.options()?;
        let exec = args.exec.or(file.sources.exec);
        let bundled = if file.bundled.unwrap_or(file.hosts.is_empty()) {
            let keep = args.keep_hosts || file.keep_hosts.unwrap_or(false);
            let exec = exec.or_else(|| Some(data.join("exec.toml")).filter(|path| path.is_file()));
            Some(Sources { csv, http, texts, exec, keep })
        } else {
            let sets_texts = !texts.flags().is_empty();
            if csv.is_some() || http.is_some() || exec.is_some() || sets_texts {
                bail!(
                    "data sources (csv, http, their formats and time zones) and commands (exec) are for the bundled hosts, but \
                     these are off: the configuration lists other hosts, or has bundled = false. Set bundled = true to run them \
                     too, or pass these settings to your own host (signalbox host --csv FOLDER --exec FILE)"
                );
            }
            if file.hosts.is_empty() {
                bail!(
                    "bundled = false and no [[host]] is configured, so nothing could run. Add a [[host]], or remove \
                     bundled = false"
                );
            }
            None
        };
        let mut hosts = Hosts { configured: Vec::new(), adapters: Vec::new(), bundled };
        for host in file.hosts {
            match host.named(&data)? {
                hosts::HostEntry::Host(host) => hosts.configured.push(host),
                hosts::HostEntry::Adapter(adapter) => hosts.adapters.push(adapter),
            }
        }
        let mut engine = EngineConfig::default();
        engine.rules.retry.extend(crate::sweep::retry_policies());
        for adapter in &hosts.adapters {
            engine.rules.retry.extend(adapters::follow_again(adapter.config.protocol));
        }
        rules::apply(&mut engine, &file.rules, file.retry, file.limits)?;
        engine.secret_keys = secrets::keys(file.secrets)?;
        let site = args.site.or(file.site).unwrap_or_else(default_site);
        let alerts = alerts::settings(file.alerts, path)?;
        let mut oidc = file.oidc.map(oidc::settings).transpose()?;
        if let Some(oidc) = &mut oidc {
            let of_alerts =
                alerts.external_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
            oidc.external_url = oidc.external_url.take().or(of_alerts);
        }
        let otlp = otlp::settings(args.otlp_endpoint, file.otlp)?;
        Ok(Self {
            otlp,
            listen,
            data,
            token,
            tls: tls::merge(args.tls, file.tls)?,
            oidc,
            site,
            base_path: args.base_path.or(file.base_path).unwrap_or_default(),
            ready_file: args.ready_file,
            allowed_names: file.allowed_names,
            user_header: file.user_header,
            access_log: if args.access_log || file.access_log.unwrap_or(false) {
                AccessLog::On
            } else {
                AccessLog::Off
            },
            hosts,
            engine,
            alerts,
            audit_sink: audit::settings(file.audit)?,
            request_limits: request_limits::settings(file.request_limits)?,
        })
    }
}

fn read_file(path: &Path) -> anyhow::Result<File> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("can't read the configuration {shown}; check the path and the permissions of the file")
    })?;
    toml::from_str(&text).with_context(|| {
        format!("the configuration {shown} is invalid; see docs/configuration.md for the keys")
    })
}

/// The platform's folder for data of a program.
pub fn default_data() -> Option<PathBuf> {
    dirs::data_local_dir().map(|folder| folder.join("signalbox"))
}

/// Folder next to the program (of an installation), or where `make build` puts it by default.
fn default_site() -> PathBuf {
    let bundled_site = std::env::current_exe().ok().and_then(|exe| {
        let folder = exe.parent()?;
        [folder.join("site"), folder.join("../site")].into_iter().find(|site| site.is_dir())
    });
    bundled_site.unwrap_or_else(|| PathBuf::from("target/site"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        args: ServeArgs,
    }

    fn read(file: &str, flags: &[&str]) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signalbox.toml");
        std::fs::write(&path, file).unwrap();
        let path = path.display().to_string();
        let all = ["signalbox", "--config", &path].into_iter().chain(flags.iter().copied());
        Config::read(Only::try_parse_from(all).unwrap().args)
    }

    #[test]
    fn flags_override_the_file() {
        let config = read("listen = '127.0.0.1:1'\ndata = '/a'", &["--listen", "127.0.0.1:2"]).unwrap();
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.data, PathBuf::from("/a"));
    }

    #[test]
    fn a_typo_in_the_file_is_named_with_a_correction() {
        let error = format!("{:#}", read("lisen = '127.0.0.1:1'", &[]).err().unwrap());
        assert!(
            error.contains("signalbox.toml") && error.contains("lisen") && error.contains("`listen`"),
            "{error}"
        );
    }

    #[test]
    fn the_base_path_is_read_from_flag_and_file() {
        let base = |file: &str, flags: &[&str]| read(file, flags).unwrap().base_path.as_str().to_owned();
        assert_eq!(base("", &[]), "");
        assert_eq!(base("base_path = '/signalbox'", &[]), "/signalbox");
        assert_eq!(base("base_path = '/signalbox'", &["--base-path", "/runs/box/"]), "/runs/box");
        let error = format!("{:#}", read("base_path = 'signal box'", &[]).err().unwrap());
        assert!(error.contains("base path") && error.contains("/signalbox"), "{error}");
    }

    #[test]
    fn listening_beyond_loopback_needs_a_token() {
        let error = read("", &["--listen", "0.0.0.0:7200"]).err().unwrap().to_string();
        assert!(error.contains("--token"), "{error}");
        assert!(read("", &["--listen", "0.0.0.0:7200", "--token", "s3cret"]).is_ok());
        let provider = "[oidc]\nissuer = 'https://id.example.org'\nclient_id = 'box'\n\
                        [[oidc.role]]\ngroup = 'ops'\nrole = 'viewer'";
        assert!(read(provider, &["--listen", "0.0.0.0:7200"]).is_ok());
    }

    #[test]
    fn configured_hosts_replace_the_bundled_ones() {
        let file = "[[host]]\nname = 'gpu-1'\nurl = 'http://127.0.0.1:9'\nmax_connections = 3";
        let hosts = read(file, &[]).unwrap().hosts;
        let first = &hosts.configured[0];
        assert_eq!((first.name.as_str(), first.pool.max_connections), ("gpu-1", 3));
        assert!(hosts.bundled.is_none());
        assert!(read(file, &["--csv", "/x"]).is_err());
        assert!(read("bundled = false", &[]).is_err());
        let both = read(&format!("bundled = true\n{file}"), &["--csv", "/x"]).unwrap().hosts;
        assert!(both.bundled.is_some() && both.configured.len() == 1);
        assert!(read("[[host]]\nname = 'GPU 1'\nurl = 'http://127.0.0.1:9'", &[]).is_err());
    }

    #[test]
    fn a_ktrdr_service_is_a_host_with_a_protocol() {
        let file = r#"
            data = "/srv/signalbox"
            bundled = true
            [[host]]
            name = "gpu-1"
            url = "http://127.0.0.1:5002"
            protocol = "ktrdr-worker"
            offers = "training"
            timing = { slowest = 2.0 }
            [[host]]
            name = "ib-1"
            url = "http://127.0.0.1:5001"
            protocol = "ktrdr-ib"
            [retry."ktrdr.train"]
            attempts = 3
        "#;
        let config = read(file, &[]).unwrap();
        let [gpu, ib] = &config.hosts.adapters[..] else { panic!("{:?}", config.hosts.adapters) };
        assert_eq!((gpu.name.as_str(), gpu.config.timing.slowest), ("gpu-1", 2.0));
        assert_eq!(ib.config.folder.as_deref(), Some(Path::new("/srv/signalbox/ktrdr/ib-1")));
        // Runs of services are resumed automatically unless configured otherwise.
        let attempts =
            |kind: &str| config.engine.rules.retry.get(&kind.parse::<KindName>().unwrap()).unwrap().attempts;
        assert_eq!((attempts("ktrdr.train"), attempts("ktrdr.backtest")), (3, 20));
    }

    #[test]
    fn keys_of_another_protocol_are_named() {
        let wrong = |rest: &str| {
            let file = format!("[[host]]\nname = 'a'\nurl = 'http://127.0.0.1:9'\n{rest}");
            format!("{:#}", read(&file, &[]).err().unwrap())
        };
        assert!(wrong("strategies = '/x'").contains("'strategies'"));
        assert!(wrong("protocol = 'ktrdr-worker'\nretries = 3").contains("'retries'"));
        assert!(wrong("protocol = 'ktrdr-worker'\nfolder = '/x'").contains("ktrdr-ib"));
        assert!(wrong("protocol = 'ktrdr'").contains("ktrdr-training-2025"));
    }
}
