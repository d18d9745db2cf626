//! Progress and environment of programs on a pipe.

use crate::rig::Rig;
use protocol::host::{HostEventBody, Outcome};
use protocol::{ConditionKind, Progress};
use serde_json::Value;

/// Host with one command that runs a `sh` script from a file, because braces in a table are placeholders.
async fn shell(script: &str, table: &str) -> (Rig, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("script.sh"), script).unwrap();
    let toml = format!("[exec.t]\ncommand = [\"sh\", \"script.sh\"]\n{table}");
    (Rig::new(&toml, folder.path()).await, folder)
}

async fn last_progress(script: &str, table: &str) -> Progress {
    let (mut rig, _folder) = shell(script, table).await;
    rig.run("exec.t", Value::Null).await.0.progress.last().unwrap().clone()
}

#[tokio::test]
async fn a_growing_total_lowers_the_fraction() {
    let script = "i=0\nwhile [ $i -lt 12 ]; do i=$((i+1)); echo '{\"done\":'$i',\"total\":12,\"unit\":\"files\"}'; done\n\
        while [ $i -lt 30 ]; do i=$((i+1)); echo '{\"done\":'$i',\"total\":40,\"unit\":\"files\"}'; done\n";
    let last = last_progress(script, "").await;
    assert_eq!((last.done, last.total, last.fraction), (30, Some(40), Some(0.75)));
}

#[tokio::test]
async fn a_restarted_count_has_no_overall_fraction() {
    let script =
        "for round in 1 2 3; do for i in 1 2 3 4; do echo \"Round $round: $i/4 loss=0.$i\"; done; done\n";
    let table = "progress = { regex = 'Round \\d+: (?<done>\\d+)/(?<total>\\d+)' }";
    let last = last_progress(script, table).await;
    assert_eq!((last.done, last.total, last.fraction, last.eta_seconds), (4, Some(4), None, None));
}

#[tokio::test]
async fn phases_count_by_their_weight() {
    let script = "echo '{\"phase\":\"load\"}'\nfor i in 1 2 3 4; do echo '{\"done\":'$i',\"total\":4}'; done\n\
        echo '{\"phase\":\"fit\"}'\nfor i in 1 2; do echo '{\"done\":'$i',\"total\":4}'; done\n";
    let last = last_progress(script, "phases = [\"load\", \"fit\"]").await;
    assert_eq!((last.done, last.fraction), (2, Some(0.75)));
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_command_has_its_own_session_and_a_terminal_prompt_ends_at_once() {
    let script = "set -- $(cat /proc/$$/stat)\necho ids $1 $5 $6\n\
        read -r answer </dev/tty || { echo 'no terminal' >&2; exit 3; }\n";
    let (mut rig, _folder) = shell(script, "").await;
    let (reports, failure) = rig.fail("exec.t", Value::Null).await;
    let ids: Vec<_> =
        reports.lines.iter().find_map(|(_, text)| text.strip_prefix("ids ")).unwrap().split(' ').collect();
    assert_eq!((ids[0], ids[0]), (ids[1], ids[2]), "it leads its group and its session");
    assert!(failure.message.starts_with("sh exited with code 3."), "{}", failure.message);
}

#[tokio::test]
async fn an_exit_code_above_128_is_explained_as_a_possible_signal() {
    let (mut rig, _folder) = shell("exit 137", "").await;
    let (_, failure) = rig.fail("exec.t", Value::Null).await;
    assert!(failure.message.starts_with("sh exited with code 137."), "{}", failure.message);
    assert!(
        failure.hint.contains("9 (SIGKILL)") && failure.hint.contains("The program itself"),
        "{}",
        failure.hint
    );
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_command_paused_by_a_signal_is_reported_and_can_be_cancelled() {
    let (mut rig, _folder) = shell("kill -STOP $$\nsleep 1000\n", "").await;
    let id = rig.start("exec.t", Value::Null).await;
    let reports = rig
        .until(id, |bodies| {
            bodies.iter().find_map(|body| match body {
                HostEventBody::Condition { condition: Some(condition) } => Some(condition.clone()),
                _ => None,
            })
        })
        .await;
    assert_eq!(reports.kind, ConditionKind::Paused);
    assert!(reports.message.starts_with("1 process is stopped by a signal"), "{}", reports.message);
    rig.cancel(id, 30_000).await;
    assert_eq!(rig.until_ended(id).await.outcome, Outcome::Cancelled);
}
