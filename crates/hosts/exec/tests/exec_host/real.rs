//! Progress of real programs on a pipe, where they are installed.

use crate::rig::{Rig, Told, python};
use serde_json::Value;

/// Whether a program is installed. Prints a notice if a test is skipped without it.
fn installed(program: &str, version: &str) -> bool {
    let there = std::process::Command::new(program).arg(version).output().is_ok_and(|o| o.status.success());
    if !there {
        eprintln!("SKIPPED: there is no {program} on this machine, so this test shows nothing");
    }
    there
}

/// Reports of a script, which must succeed. It is in a file, because braces in a table are placeholders.
async fn told(script: &str) -> Told {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("script.sh"), script).unwrap();
    let toml = "[exec.t]\ncommand = [\"sh\", \"-e\", \"script.sh\"]\nprogress = \"tqdm\"";
    Rig::new(toml, folder.path()).await.run("exec.t", Value::Null).await.0
}

#[tokio::test]
async fn stages_of_git_do_not_claim_their_number() {
    if !installed("git", "--version") {
        return;
    }
    let script = "git init -q a\ncd a\n\
        for i in 1 2 3 4 5 6 7 8; do echo $i > $i; done\ngit add .\n\
        git -c user.name=a -c user.email=a@example.org commit -qm all\ncd ..\n\
        git clone --progress --no-local \"file://$PWD/a\" b\n";
    let told = told(script).await;
    let phases: Vec<_> = told.progress.iter().filter_map(|progress| progress.phase.clone()).collect();
    assert!(phases.iter().any(|phase| phase.name == "Receiving objects"), "{}", told.text());
    assert!(phases.iter().all(|phase| phase.of.is_none()), "{phases:?}");
    assert!(told.progress.iter().all(|progress| progress.fraction.is_none()), "{:?}", told.progress);
}

#[tokio::test]
async fn dd_counts_bytes() {
    if !installed("dd", "--version") {
        return;
    }
    let last = told("dd if=/dev/zero of=/dev/null bs=1000 count=3000 status=progress\n").await.progress;
    let last = last.last().unwrap();
    assert_eq!((last.done, last.unit.as_str(), last.total, last.fraction), (3_000_000, "B", None, None));
}

#[tokio::test]
async fn ninja_counts_its_steps_and_is_complete_only_on_success() {
    if !installed("ninja", "--version") {
        return;
    }
    let script = "{ printf 'rule cc\\n  command = echo [3/4] noise; touch $out\\n  description = CXX $out\\n'\n\
        for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo \"build foo$i.o: cc\"; done; } > build.ninja\nninja\n";
    let all = told(script).await;
    assert!(all.progress.iter().all(|progress| progress.total.is_none_or(|total| total == 12)), "{all:?}");
    let last = all.progress.last().unwrap();
    assert_eq!((last.done, last.total, last.fraction), (12, Some(12), Some(1.0)), "{}", all.text());

    let fails = script
        .replace("touch $out", "[ $out != foo12.o ]")
        .replace("\nninja\n", "\nninja -j1 || true\nexit 1\n");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("script.sh"), fails).unwrap();
    let toml = "[exec.t]\ncommand = [\"sh\", \"script.sh\"]\nprogress = \"tqdm\"";
    let (told, _) = Rig::new(toml, folder.path()).await.fail("exec.t", Value::Null).await;
    assert!(told.progress.iter().all(|progress| progress.fraction.is_none_or(|f| f < 1.0)), "{told:?}");
}

#[tokio::test]
async fn ffmpeg_shows_its_position_in_the_input() {
    if !installed("ffmpeg", "-version") {
        return;
    }
    let script = "ffmpeg -v error -f lavfi -i testsrc=duration=20:size=160x120:rate=10 -c:v mpeg4 -y in.mp4\n\
        ffmpeg -i in.mp4 -c:v mpeg4 -y out.mp4\n";
    let told = told(script).await;
    let last = told.progress.last().unwrap();
    assert_eq!((last.done, last.total, last.unit.as_str()), (20, Some(20), "s"), "{}", told.text());
    assert_eq!(last.fraction, Some(1.0));
}

#[tokio::test]
async fn rsync_shows_the_share_of_all_files() {
    if !installed("rsync", "--version") {
        return;
    }
    let files = "mkdir a\nfor i in 1 2 3 4; do head -c 300000 /dev/zero > a/$i; done\n";
    for how in ["--info=progress2 --no-inc-recursive", "--info=progress2", "--progress"] {
        let told = told(&format!("{files}rsync -a {how} a/ b/\n")).await;
        let shares: Vec<f64> = told.progress.iter().filter_map(|progress| progress.fraction).collect();
        assert_eq!(shares.last(), Some(&1.0), "{how}: {}", told.text());
        let complete = told.progress.iter().position(|progress| progress.fraction == Some(1.0)).unwrap();
        let before = told.lines.iter().filter(|(_, text)| text.contains("to-chk=0/")).count();
        assert!(before > 0 && complete + 3 >= told.progress.len(), "{how}: {:?}", told.progress);
    }
}

#[tokio::test]
async fn pytest_shows_the_share_of_its_tests() {
    if !python() || !installed("pytest", "--version") {
        return;
    }
    for how in ["-q", "", "-v"] {
        let script = format!(
            "cat > test_a.py <<'END'\nimport pytest\n@pytest.mark.parametrize('i', range(150))\ndef test_a(i): pass\nEND\n\
             pytest -p no:cacheprovider {how}\n"
        );
        let told = told(&script).await;
        let shares: Vec<f64> = told.progress.iter().filter_map(|progress| progress.fraction).collect();
        assert!(shares.is_sorted() && shares.last() == Some(&1.0), "{shares:?}: {}", told.text());
    }
}
