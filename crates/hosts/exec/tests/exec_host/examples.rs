//! The examples run unchanged, and the table in the documentation is valid.

use crate::rig::{Rig, python};
use form::Form;
use protocol::host::{About, Health};
use protocol::{LogLevel, OperationId, Problem};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

/// Copies the examples to a temporary folder, because running them writes files.
async fn examples() -> (Rig, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let toml = std::fs::read_to_string(folder.path().join("exec.toml")).unwrap();
    (Rig::new(&toml, folder.path()).await, folder)
}

#[tokio::test]
async fn a_script_with_the_helper_gives_progress_curves_phases_a_log_and_a_result() {
    if !python() {
        return;
    }
    let (mut rig, _folder) = examples().await;
    // Progress is limited to one report per 20 ms. At this pace some reports fall between the first and last line.
    let params = json!({"epochs": 8, "pause": 0.03, "seed": 7, "verbose": true});
    let (reports, result) = rig.run("exec.loss-curve", params).await;
    assert_eq!(
        result.command,
        [
            "python3",
            "loss_curve.py",
            "--epochs",
            "8",
            "--rate",
            "0.05",
            "--seed",
            "7",
            "--pause",
            "0.03",
            "--verbose"
        ]
    );
    assert_eq!((result.exit_code, result.signal), (Some(0), None));
    assert!(result.seconds > 0.0 && result.lines == 8);
    let loss = reports.curve("train_loss");
    assert_eq!(loss.iter().map(|p| p.0).collect::<Vec<_>>(), (1..=8).map(f64::from).collect::<Vec<_>>());
    assert!(loss.iter().all(|p| p.1 < 0.2) && reports.curve("test_loss").len() == 8);
    let last = reports.progress.last().unwrap();
    assert_eq!(last.fraction, Some(1.0));
    let phase = last.phase.as_ref().unwrap();
    assert_eq!((phase.index, phase.of, phase.name.as_str()), (2, Some(2), "test"));
    assert!(reports.progress.iter().any(|p| p.total == Some(8) && p.unit == "epochs"));
    let reported = result.reported.unwrap();
    assert!((reported["slope"].as_f64().unwrap() - 3.0).abs() < 0.5, "{reported}");
    assert!(
        reports.lines.len() == 8 && reports.lines[0].1.starts_with("epoch 1: y ="),
        "{:?}",
        reports.lines
    );
}

#[tokio::test]
async fn a_tqdm_bar_is_progress_and_one_log_line() {
    let there = std::process::Command::new("python3").args(["-c", "import tqdm"]).output();
    if !there.is_ok_and(|o| o.status.success()) {
        eprintln!("SKIPPED: python3 has no tqdm here; recorded bars are read in the unit tests all the same");
        return;
    }
    let (mut rig, _folder) = examples().await;
    let (reports, result) = rig.run("exec.tqdm-bar", json!({"batches": 40, "pause": 0.01})).await;
    let last = reports.progress.last().unwrap();
    assert_eq!(
        (last.fraction, last.done, last.total, last.unit.as_str()),
        (Some(1.0), 40, Some(40), "batch")
    );
    assert_eq!(reports.curve("loss").last(), Some(&(40.0, 0.025)));
    assert_eq!(result.lines, 3, "{:?}", reports.lines);
}

#[tokio::test]
async fn programs_of_the_machine_can_be_operations() {
    let (mut rig, _folder) = examples().await;
    let (reports, _) =
        rig.run("exec.sort-lines", json!({"file": "signalbox_report.py", "order": true})).await;
    let texts: Vec<_> = reports.lines.iter().map(|(_, text)| text.trim_start()).collect();
    assert!(texts.contains(&"import json") && texts.contains(&"import sys"), "{texts:?}");
    assert!(reports.lines.iter().all(|(level, _)| *level == LogLevel::Info));
    let (reports, result) = rig.run("exec.disk-usage", Value::Null).await;
    assert!(reports.text().contains("./exec.toml") && result.reported.is_none());

    let out = rig.try_start(OperationId::new(), "exec.sort-lines", json!({"file": "../Cargo.toml"})).await;
    assert_eq!(out.status(), 422);
    let problem: Problem = out.json().await.unwrap();
    assert!(
        problem.fields[0].field == "file" && problem.detail.contains("is not a relative path below"),
        "{}",
        problem.detail
    );
}

#[tokio::test]
async fn every_declared_kind_makes_a_form_and_health_names_missing_programs() {
    let (rig, _folder) = examples().await;
    let about: About = rig.get("/about").await.json().await.unwrap();
    let names: Vec<_> = about.kinds.iter().map(|k| k.name.as_str()).collect();
    assert_eq!(names, ["exec.loss-curve", "exec.tqdm-bar", "exec.sort-lines", "exec.disk-usage"]);
    for kind in &about.kinds {
        Form::from_schema(&kind.params).unwrap();
    }
    let toml = "[exec.a]\ncommand = [\"no-such-tool\"]\n[exec.b]\ncommand = [\"ls\"]\n[exec.c]\ncommand = [\"ls\"]\nfolder = \"gone\"";
    let rig = Rig::new(toml, &root()).await;
    let health: Health = rig.get("/health").await.json().await.unwrap();
    let ok: Vec<_> = health.checks.iter().map(|c| (c.name.as_str(), c.ok)).collect();
    assert_eq!(ok, [("exec.a", false), ("exec.b", true), ("exec.c", false)]);
    assert!(!health.ready && health.checks[0].message.contains("'no-such-tool', was not found. Install it"));
    for kind in ["exec.a", "exec.c"] {
        let refused = rig.try_start(OperationId::new(), kind, Value::Null).await;
        assert_eq!(refused.status(), 422, "{kind}");
    }
}

#[tokio::test]
async fn the_example_of_the_page_is_a_kind_that_runs() {
    if !python() {
        return;
    }
    let page = std::fs::read_to_string(root().join("docs/exec.md")).unwrap();
    let block = |language: &str| {
        let begin =
            page.find(&format!("```{language}\n")).expect("the page has such a block") + language.len() + 4;
        page[begin..].split("```").next().unwrap().to_owned()
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("render.py"), block("python")).unwrap();
    std::fs::copy(root().join("examples/signalbox_report.py"), folder.path().join("signalbox_report.py"))
        .unwrap();
    let mut rig = Rig::new(&block("toml"), folder.path()).await;
    let (reports, result) = rig.run("exec.render", json!({"frames": 3})).await;
    assert_eq!(reports.progress.last().unwrap().done, 3);
    assert_eq!((reports.curve("seconds_per_frame").len(), result.reported), (3, Some(json!({"frames": 3}))));
    // The list of all keys in the documentation must at least parse.
    let all = page.split("```toml\n").nth(2).expect("a second table").split("```").next().unwrap();
    Rig::new(all, folder.path()).await;
}
