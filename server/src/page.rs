//! Page: rendered on the server, its files from the site folder, with a content security policy.

use crate::access::Identity;
use crate::backend::PageBackend;
use crate::below::as_browser_sees_it;
use crate::state::{Data, Server};
use access::Reach;
use axum::Router;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use leptos::config::LeptosOptions;
use leptos::context::{provide_context, use_context};
use leptos_axum::ResponseOptions;
use live::backend::Backend;
use live::identity::Reader;
use protocol::access::{Permission, SignedInBy};
use protocol::{Problem, ProblemType};
use std::path::Path;
use std::sync::Arc;
use tower_http::services::ServeDir;

/// Leptos options of the built site.
///
/// # Errors
/// If the hashes in the names of the site's files are unknown: every page would fail.
pub fn leptos_options(site: &Path, listen: std::net::SocketAddr) -> anyhow::Result<LeptosOptions> {
    // `make build` writes the hashes into the site, `make dev` (cargo-leptos) next to the program.
    let next_to_program =
        std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("hash.txt")));
    let hashes =
        [Some(site.join("hash.txt")), next_to_program].into_iter().flatten().find(|file| file.is_file());
    let Some(hashes) = hashes else {
        anyhow::bail!(
            "the built web app in {} is incomplete: hash.txt is missing there and beside the program. Build it with \
             `make build`, and copy the whole folder",
            site.display()
        );
    };
    let options = LeptosOptions::builder()
        .output_name("signalbox")
        .site_root(site.display().to_string())
        .site_pkg_dir("pkg")
        .site_addr(listen)
        .hash_files(true)
        .hash_file(hashes.display().to_string().into())
        .env(if cfg!(debug_assertions) { leptos::config::Env::DEV } else { leptos::config::Env::PROD })
        .build();
    Ok(options)
}

/// Everything except the API.
pub fn router(server: &Server, options: LeptosOptions) -> Router {
    live::base::configure(server.base_path.as_str());
    let data = server.data.clone();
    let shell_options = options.clone();
    let page = leptos_axum::render_app_async_with_context(
        move || {
            provide_reader(&data);
            restrict();
        },
        move || app::shell(shell_options.clone()),
    );
    let site = Path::new(options.site_root.as_ref());
    let immutable = "public, max-age=31536000, immutable";
    let files = |folder: &str, cache: &'static str| {
        let serve = ServeDir::new(site.join(folder)).precompressed_br().precompressed_gzip();
        Router::new()
            .fallback_service(serve)
            .layer(from_fn(move |request, next| cached(cache, request, next)))
    };
    // Everything else is a file of the site folder if it exists, and a page otherwise.
    let rest = ServeDir::new(site)
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip()
        .fallback(as_browser_sees_it(&server.base_path, axum::routing::get(page)));
    Router::new()
        .nest("/pkg", files("pkg", immutable))
        .nest("/vendor", files("vendor", immutable))
        .fallback_service(rest)
}

async fn cached(cache: &'static str, request: Request, next: Next) -> Response {
    // Scripts of the WebAssembly have no hash in their names and must be revalidated.
    let cache = if request.uri().path().starts_with("/snippets/") { "no-cache" } else { cache };
    let mut response = next.run(request).await;
    if response.status().is_success() {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    }
    response
}

/// Data for the reader of the document, and the identity of the reader. Without access control, the page shows nothing
/// of it. Without an identity, which the guard rejects before, there are no data.
fn provide_reader(data: &Data) {
    let identity = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Identity>().cloned());
    let Some(identity) = identity else { return };
    let forbidden = |why| Problem::new(ProblemType::Forbidden, why);
    let alerts = data.all_kinds(&identity).map(|all| all.alerts).map_err(forbidden);
    let audited = identity.require(Permission::ReadAudit, Reach::AllKinds);
    let audited = audited.and_then(|()| data.all_kinds(&identity)).map(|all| all.engine).map_err(forbidden);
    let engine = data.in_scope(&identity).engine;
    let backend: Arc<dyn Backend> = Arc::new(PageBackend { engine, alerts, audited });
    provide_context(backend);
    let me = identity.described();
    if me.via != SignedInBy::Nothing {
        provide_context(Reader(me));
    }
}

/// Content security policy: our own files, and inline scripts with this response's nonce. Style attributes set sizes of
/// bars; style elements are only our own files.
fn restrict() {
    let (Some(nonce), Some(response)) = (leptos::nonce::use_nonce(), use_context::<ResponseOptions>()) else {
        return;
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; connect-src 'self'{reload}; object-src 'none'; \
         base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
        // `cargo leptos watch` tells the page about new builds over its own socket.
        reload = if cfg!(debug_assertions) { " ws://127.0.0.1:* ws://localhost:*" } else { "" },
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
