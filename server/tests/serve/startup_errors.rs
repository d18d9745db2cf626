//! Errors before anything runs: each is a sentence that says what to do.

use crate::process::Home;

#[tokio::test]
async fn a_port_in_use_is_named_with_advice() {
    let home = Home::new();
    let server = home.serve(&[]);
    let address = server.url.trim_start_matches("http://");
    let other = Home::new();
    let stderr = other.fails(&["--listen", address]);
    assert!(stderr.contains(address) && stderr.contains("--listen"), "{stderr}");
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_rejected() {
    let home = Home::new();
    let _server = home.serve(&[]);
    let stderr = home.fails(&[]);
    assert!(stderr.contains("another Signalbox server") && stderr.contains("--data"), "{stderr}");
}

#[test]
fn a_typo_in_the_configuration_is_named() {
    let home = Home::new();
    let path = home.path().join("signalbox.toml");
    std::fs::write(&path, "keep_host = true\n").unwrap();
    let stderr = home.fails(&["--config", path.to_str().unwrap()]);
    assert!(stderr.contains("keep_host") && stderr.contains("keep_hosts"), "{stderr}");
}

#[test]
fn a_timeout_of_a_host_that_is_out_of_range_is_rejected() {
    let home = Home::new();
    let path = home.path().join("signalbox.toml");
    let host =
        "bundled = true\n[[host]]\nname = 'gpu-1'\nurl = 'http://127.0.0.1:9'\nkeep_alive_seconds = -1\n";
    std::fs::write(&path, host).unwrap();
    let stderr = home.fails(&["--config", path.to_str().unwrap()]);
    assert!(stderr.contains("host 'gpu-1': 'keep_alive_seconds' is -1"), "{stderr}");
}

#[test]
fn a_missing_page_is_reported_with_how_to_build_it() {
    let home = Home::new();
    std::fs::remove_dir_all(home.path().join("site")).unwrap();
    let stderr = home.fails(&[]);
    assert!(stderr.contains("make build"), "{stderr}");
}

#[test]
fn a_page_without_its_hashes_is_rejected_at_the_start() {
    let home = Home::new();
    std::fs::remove_file(home.path().join("site/hash.txt")).unwrap();
    let stderr = home.fails(&[]);
    assert!(stderr.contains("hash.txt is missing"), "{stderr}");
}
