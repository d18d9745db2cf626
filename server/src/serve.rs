//! `signalbox serve`: assembles the parts, listens, and stops in order.

use crate::access::{Access, ThroughProvider};
use crate::actor::UserHeader;
use crate::adapters::Adapters;
use crate::alerts::Alerts;
use crate::audit_sink::AuditSink;
use crate::background::Background;
use crate::below::below;
use crate::broadcaster::Broadcaster;
use crate::bundled::Bundled;
use crate::config::Config;
use crate::cookies::Cookies;
use crate::counts::Counts;
use crate::guard::{Guard, Transport, guard};
use crate::limits::Limits;
use crate::listen::{IDLE_TIMEOUT, Listening, listen};
use crate::metrics::Figures;
use crate::monitor::Monitor;
use crate::provider::SignInProvider;
use crate::routes;
use crate::served::{Served, measure};
use crate::sign_in;
use crate::state::{AllKinds, Data, Server};
use crate::sweep::{self, Sweeps};
use crate::tls::{Tls, redirects};
use crate::{output, page, stop_signal};
use anyhow::{Context, bail};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use engine::{Engine, EngineConfig};
use host_kit::AtomicFile;
use http_wire::{ApiError, traced};
use otlp::Exporter;
use protocol::{ProblemType, Time};
use std::any::Any;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::{Sqlite, Store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// Time that open connections have to finish when the server stops.
const LINGER: Duration = Duration::from_secs(5);

/// Serves until asked to stop.
pub async fn serve(config: Config, exporter: Option<Exporter>) -> anyhow::Result<()> {
    // Before the server announces itself.
    let signal = stop_signal();
    let started = Time::now();
    if !config.site.is_dir() {
        bail!(
            "the built web app was not found in {}. Build it with `make build`, or set its folder with --site FOLDER",
            config.site.display()
        );
    }
    let options = page::leptos_options(&config.site, config.listen)?;
    std::fs::create_dir_all(&config.data).with_context(|| {
        format!("can't create the data folder {}; choose another folder with --data", config.data.display())
    })?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "can't listen on {}. Another program may use that port; choose another port with --listen",
            config.listen
        )
    })?;
    let address = listener.local_addr()?;
    let tls = config.tls.as_ref().map(|tls| Tls::open(tls.files.clone())).transpose()?;
    let redirecting = match config.tls.as_ref().and_then(|tls| tls.redirect_from) {
        Some(from) => Some(TcpListener::bind(from).await.with_context(|| {
            format!("can't listen on {from} for redirects to HTTPS; see redirect_from in the configuration")
        })?),
        None => None,
    };
    let database = config.data.join("signalbox.db");
    let stop = CancellationToken::new();
    let (shared_token, stopping) = (config.token, stop.clone());
    let through_provider = config.oidc.as_ref().map_or(ThroughProvider::No, |oidc| ThroughProvider::Yes {
        issuer: oidc.settings.issuer.clone(),
        admins: oidc.settings.roles.has_admins(),
    });
    let provider = config.oidc.map(|oidc| SignInProvider::new(oidc, tls.is_some(), config.base_path.clone()));
    let provider = provider.transpose().context("sign-in by [oidc] can't be set up")?.map(Arc::new);
    let opened = tokio::task::spawn_blocking(move || {
        let store = Arc::new(Sqlite::open(&database)?);
        if let Some(head) = store.audit_head()? {
            tracing::info!(%head, "newest entry of the audit log; `signalbox audit verify --head` checks it");
        }
        let access = Access::open(shared_token, through_provider, store.clone(), stopping)?;
        anyhow::Ok((store, access))
    });
    let (store, access) = opened.await??;

    let (adapters, through_adapters) = Adapters::start(&config.hosts.adapters).await?;
    let mut hosts = config.hosts.configured;
    hosts.extend(through_adapters);
    let bundled = match &config.hosts.bundled {
        Some(sources) => {
            let bundled = Bundled::start(&config.data, sources, config.engine.rules.lost_after).await?;
            hosts.push(bundled.config()?);
            Some(bundled)
        }
        None => None,
    };
    let (sweeps, of_sweeps) = Sweeps::start().await?;
    hosts.push(of_sweeps);
    let served = Arc::new(Served::default());
    let monitor = Monitor::new(&config.data.join("history.db"), &hosts);
    let monitored = hosts.clone();
    let (in_words, sets) = (sweep::in_words, sweep::sets);
    let engine = Engine::open(store.clone(), EngineConfig { hosts, in_words, sets, ..config.engine })?;
    sweeps.works_with(engine.clone());
    // Ends when it is dropped.
    let _collecting = monitor.collect(&monitored, &engine, &served, &config.data, &stop);
    let alerts = Alerts::open(&config.data, config.alerts, store)?;
    let _alerting = alerts.run(&engine, &monitor, &stop);
    let audit_sink = config.audit_sink.map(|sink| AuditSink::open(sink, &config.data)).transpose()?;
    let cookies = Cookies::new(&config.base_path, tls.is_some());
    let limits = Limits::new(config.request_limits);
    let exported = exporter.as_ref().map(Exporter::counts);
    let all = AllKinds { engine: engine.clone(), monitor, alerts, exported, served: Arc::clone(&served) };
    let counts = Counts {
        streams: Arc::default(),
        limits: limits.clone(),
        audit_sink: audit_sink.as_ref().map(AuditSink::figures),
    };
    let last_export = CancellationToken::new();
    let exporting = exporter.map(|exporter| {
        let (all, counts, events_before) = (all.clone(), counts.clone(), engine.snapshot().seq);
        let metrics = move || Figures::now(&counts, &all).for_otlp(started, events_before);
        tokio::spawn(exporter.run(metrics, last_export.clone()))
    });
    let server = Server {
        data: Data::new(all),
        stop: stop.clone(),
        user_header: UserHeader(config.user_header),
        base_path: config.base_path.clone(),
        counts,
        access: access.clone(),
        limits: limits.clone(),
        cookies: cookies.clone(),
        provider: provider.clone(),
    };
    let storing_uses = access.run();
    if server.limits.has_quotas() {
        restore_quotas(&engine, &server.limits).await;
    }
    let mut watching = Background::until(&stop);
    if let Some(sink) = audit_sink {
        watching.spawn(sink.run(engine.clone()));
    }
    if let Some(provider) = provider {
        watching.spawn(async move { provider.watch().await });
    }
    let transport = match &config.tls {
        None => Transport::Plain,
        Some(tls) => Transport::Tls { hsts: tls.hsts },
    };
    let watch =
        Guard::new(access, cookies, address, config.allowed_names, config.base_path.clone(), transport);
    let watch = Arc::new(watch.with_user_header(server.user_header.clone()).with_limits(limits.clone()));
    let router = routes::router(server.clone())
        .merge(page::router(&server, options))
        .merge(sign_in::router(server))
        .layer(CompressionLayer::new().quality(tower_http::CompressionLevel::Fastest))
        .layer(from_fn_with_state(watch, guard))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(served, measure));
    let router = traced(below(&config.base_path, router), config.access_log);

    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{address}{}", config.base_path);
    // For people and scripts: the only line on standard output.
    if let Err(error) = output::line(&format!("Signalbox is running at {url}")) {
        tracing::warn!(%error, url, "the URL could not be printed; the server is running");
    }
    if let Some(path) = &config.ready_file {
        write_ready(path, &url)?;
    }
    let stopping = stop.clone();
    tokio::spawn(async move {
        signal.await;
        tracing::info!(
            "shutting down: closing streams, then writing pending data; operations keep running on their hosts"
        );
        stopping.cancel();
    });
    let broadcaster = Broadcaster::start(engine.clone(), stop.clone());
    if let Some(tls) = tls.clone() {
        tokio::spawn(tls.reload(stop.clone()));
    }
    let listening = Listening {
        router,
        broadcaster: broadcaster.clone(),
        tls,
        limits,
        quiet: IDLE_TIMEOUT,
        stop: stop.clone(),
    };
    let redirects = Listening { router: redirects(Some(address.port())), tls: None, ..listening.clone() };
    let serving = async {
        let redirected = async {
            if let Some(from) = redirecting {
                listen(from, redirects).await;
            }
        };
        tokio::join!(listen(listener, listening), redirected);
        broadcaster.ended().await;
    };
    let linger = async {
        stop.cancelled().await;
        tokio::time::sleep(LINGER).await;
    };
    tokio::select! {
        () = serving => {}
        () = linger => tracing::warn!("closing connections that are still open"),
    }
    engine.close().await;
    // It logs what failed.
    let _ = storing_uses.await;
    adapters.close().await;
    sweeps.close().await;
    if let Some(bundled) = bundled {
        bundled.close().await;
    }
    last_export.cancel();
    if let Some(exporting) = exporting {
        // It logs what failed.
        let _ = exporting.await;
    }
    Ok(())
}

/// Counts the operations that were started before the server started.
async fn restore_quotas(engine: &Engine, limits: &Limits) {
    for operation in engine.snapshot().operations.iter().filter(|operation| !operation.state.ended()) {
        match engine.operation(operation.id).await {
            Ok(detail) => limits.restore(&detail),
            Err(error) => {
                tracing::warn!(id = %operation.id, %error, "can't read an operation, so it does not count towards the quota of its user or token")
            }
        }
    }
}

/// Response for a handler that panicked. The panic itself was printed when it happened.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    let detail =
        "The server failed to handle the request. This is a bug in the server; its log has the request's ID.";
    ApiError::new(ProblemType::Internal, detail).into_response()
}

/// Writes a URL to a file, atomically.
pub fn write_ready(path: &Path, url: &str) -> anyhow::Result<()> {
    AtomicFile::put(path, format!("{url}\n").as_bytes())
        .with_context(|| format!("can't write the ready file {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use axum::routing::get;
    use http_wire::AccessLog;
    use protocol::Problem;
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_handler_that_panics_gets_a_problem_document_with_the_request_id() {
        let broken = Router::new().route("/", get(async || -> () { panic!("broken") }));
        let router = traced(broken.layer(CatchPanicLayer::custom(panicked)), AccessLog::Off);
        let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        let id = response.headers()[http_wire::X_REQUEST_ID].to_str().unwrap().to_owned();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!((problem.status, problem.request_id), (500, Some(id)));
        assert!(!problem.detail.contains("broken"), "the message of a panic is for the log");
    }
}
