//! Parses recorded responses of real services. Runs only if SIGNALBOX_KTRDR_EXCHANGES is a folder with recordings.

use crate::operations::{Area, read as operations};
use crate::sessions::read as sessions;
use crate::wire::CallError;
use serde_json::Value;

/// Parses one response; `None` if no parser handles it.
fn read(method: &str, path: &str, answer: &Value) -> Option<Result<(), String>> {
    let told = |error: CallError| error.to_string();
    if method != "GET" {
        return None;
    }
    if path.starts_with("/training/status/") {
        return Some(sessions::look(answer, 0).map_err(told).and_then(believable));
    }
    let rest = path.strip_prefix("/api/v1/operations/")?;
    Some(if rest.contains("/metrics") {
        whole(&operations::metrics(answer).unread)
    } else {
        operations::look(answer, Area::Training, false).map_err(told).and_then(believable)
    })
}

/// Checks that everything was readable, and that a total is not the placeholder of 100.
fn believable(look: crate::look::Look) -> Result<(), String> {
    whole(&look.unread)?;
    match look.steps.total {
        Some(100) => Err("the placeholder of 100 epochs was believed".to_owned()),
        _ => Ok(()),
    }
}

fn whole(unread: &[CallError]) -> Result<(), String> {
    unread.first().map_or(Ok(()), |unread| Err(unread.to_string()))
}

#[test]
fn recorded_responses_are_parsed() {
    let Some(folder) = std::env::var_os("SIGNALBOX_KTRDR_EXCHANGES") else {
        println!("skipped: SIGNALBOX_KTRDR_EXCHANGES names no folder with exchanges");
        return;
    };
    let mut understood = 0;
    for file in std::fs::read_dir(&folder).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_none_or(|e| e != "jsonl") {
            continue;
        }
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let exchange: Value = serde_json::from_str(line).unwrap();
            let (method, path) = (exchange["method"].as_str().unwrap(), exchange["path"].as_str().unwrap());
            // A truncated response has no JSON.
            if exchange["status"] != 200 || !exchange["response"].is_object() {
                continue;
            }
            if let Some(read) = read(method, path, &exchange["response"]) {
                read.unwrap_or_else(|why| panic!("{}, {method} {path}: {why}", file.display()));
                understood += 1;
            }
        }
    }
    assert!(understood > 0, "there is no answer for a reader in {}", folder.display());
}
