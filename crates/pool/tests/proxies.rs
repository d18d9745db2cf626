//! The pool connects directly to its service, whatever proxies the environment names.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod service;

use axum::Router;
use axum::routing::get;
use service::{nowhere, quick, serve};
use signalbox_pool::Pool;
use std::process::Command;

/// Tells the test below, when it runs itself with proxies in its environment, the address.
const ADDRESS: &str = "POOL_TEST_ADDRESS";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxies_of_the_environment_are_ignored() {
    if let Ok(url) = std::env::var(ADDRESS) {
        let pool = Pool::new(&url, quick()).unwrap();
        assert_eq!(pool.get::<u32>("/").await.unwrap(), 1);
        return;
    }
    let url = serve(Router::new().route("/", get(|| async { "1" }))).await;
    let proxy = nowhere().await;
    let again = tokio::task::spawn_blocking(move || {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "proxies_of_the_environment_are_ignored"]).env(ADDRESS, url);
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"] {
            again.env(name, &proxy);
        }
        for name in ["no_proxy", "NO_PROXY", "REQUEST_METHOD"] {
            again.env_remove(name);
        }
        again.output().unwrap()
    });
    let output = again.await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
}
