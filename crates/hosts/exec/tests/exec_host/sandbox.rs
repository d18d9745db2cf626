//! Sandboxed commands, with real programs and the real restrictions of the kernel.

use crate::rig::{EndedReports, Rig, group, is_alive};
use protocol::Failure;
use protocol::host::{About, Outcome};
use serde_json::Value;
use signalbox_exec_host::{ExecConfig, Launcher, Owner, works};
use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;

/// Python of the system: a sandboxed command can't read the home folder, where others are.
const PYTHON: &str = "/usr/bin/python3";

/// Launcher of these tests, which is its own program as that of the server is.
pub fn launcher() -> Launcher {
    Launcher::at(env!("CARGO_BIN_EXE_signalbox-exec-launcher"))
}

fn table(sandbox: &str) -> String {
    format!(
        "[exec.t]\ncommand = [\"{PYTHON}\", \"script.py\"]\nfolder = \".\"\ngrace_ms = 500\nsandbox = {{ {sandbox} }}\n"
    )
}

/// Whether this system has all that the sandbox needs. Prints why a test is skipped.
fn possible(sandbox: &str) -> bool {
    let config = ExecConfig::from_toml(&table(sandbox)).unwrap();
    let refused = works(&config, Path::new("/"), Owner::default(), launcher()).err();
    let why = match refused {
        Some(error) => error.to_string(),
        None if !Path::new(PYTHON).exists() => format!("there is no {PYTHON}"),
        None => return true,
    };
    eprintln!("SKIPPED, so this test shows nothing: {why}");
    false
}

async fn sandboxed(folder: &Path, script: &str, sandbox: &str) -> Rig {
    std::fs::write(folder.join("script.py"), script).unwrap();
    Rig::new(&table(sandbox), folder).await
}

/// Runs a script that must succeed, and returns its output.
async fn output(folder: &Path, script: &str, sandbox: &str) -> String {
    let mut rig = sandboxed(folder, script, sandbox).await;
    let (reports, _) = rig.run("exec.t", Value::Null).await;
    reports.text()
}

async fn failure(folder: &Path, script: &str, sandbox: &str) -> (EndedReports, Failure) {
    let mut rig = sandboxed(folder, script, sandbox).await;
    rig.fail("exec.t", Value::Null).await
}

/// Beginning of a script: prints the result of an action, or the name of its error; calls functions of the C library.
const TRY: &str = r#"
import ctypes, errno, os, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    result = getattr(libc, name)(*arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), name)
    return result
def attempt(name, action):
    try:
        print(name, action())
    except OSError as e:
        print(name, errno.errorcode[e.errno])
def read(path):
    with open(path) as file:
        return file.read()
def write(path):
    with open(path, "w") as file:
        file.write("written")
"#;

#[tokio::test]
async fn a_sandboxed_command_reads_and_writes_only_named_folders() {
    if !possible("") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    for folder in ["job", "job/out", "shared", "secret"] {
        std::fs::create_dir(at(folder)).unwrap();
    }
    for file in ["job/in", "shared/in", "secret/in"] {
        std::fs::write(at(file), "content").unwrap();
    }
    std::os::unix::fs::symlink(at("secret/in"), at("job/out/link")).unwrap();
    std::os::unix::fs::symlink(at("secret"), at("job/out/folder")).unwrap();
    let script = format!(
        r#"{TRY}
attempt("own folder", lambda: read("in"))
attempt("named folder", lambda: read("../shared/in"))
attempt("secret", lambda: read("../secret/in"))
attempt("list of secret", lambda: os.listdir("../secret"))
attempt("link", lambda: read("out/link"))
attempt("link to folder", lambda: os.listdir("out/folder"))
attempt("through proc", lambda: read("/proc/self/root" + os.path.abspath("../secret/in")))
attempt("through cwd", lambda: read("/proc/self/cwd/../secret/in"))
attempt("new link", lambda: (os.symlink("../../secret/in", "out/new"), read("out/new"))[1])
attempt("hard link", lambda: os.link("../secret/in", "out/hard"))
attempt("write", lambda: write("out/result"))
attempt("written", lambda: read("out/result"))
attempt("write own folder", lambda: write("in"))
attempt("write named folder", lambda: write("../shared/new"))
attempt("write secret", lambda: write("../secret/in"))
attempt("write through link", lambda: write("out/link"))
attempt("remove", lambda: os.remove("in"))
attempt("move", lambda: os.rename("out/result", "moved"))
attempt("truncate", lambda: os.truncate("in", 0))
attempt("null", lambda: write("/dev/null"))
attempt("random", lambda: len(open("/dev/urandom", "rb").read(4)))
attempt("shadow", lambda: read("/etc/shadow"))
"#
    );
    let mut rig = sandboxed(&at("job"), &script, "read = [\"../shared\"], write = [\"out\"]").await;
    let (reports, _) = rig.run("exec.t", Value::Null).await;
    let expected = [
        "own folder content",
        "named folder content",
        "secret EACCES",
        "list of secret EACCES",
        "link EACCES",
        "link to folder EACCES",
        "through proc EACCES",
        "through cwd EACCES",
        "new link EACCES",
        "hard link EXDEV",
        "write None",
        "written written",
        "write own folder EACCES",
        "write named folder EACCES",
        "write secret EACCES",
        "write through link EACCES",
        "remove EACCES",
        "move EACCES",
        "truncate EACCES",
        "null None",
        "random 4",
        "shadow EACCES",
    ];
    assert_eq!(reports.text(), expected.join("\n"));
    assert_eq!(std::fs::read_to_string(at("secret/in")).unwrap(), "content");
    assert_eq!(std::fs::read_to_string(at("job/out/result")).unwrap(), "written");
}

#[tokio::test]
async fn a_sandboxed_command_has_no_network_by_default() {
    if !possible("") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        r#"{TRY}
for family in ("INET", "INET6", "NETLINK", "PACKET", "VSOCK", "UNIX"):
    for kind in ("STREAM", "DGRAM", "RAW"):
        attempt(family + " " + kind, lambda: socket.socket(getattr(socket, "AF_" + family), getattr(socket, "SOCK_" + kind)))
pair = socket.socketpair()
attempt("pair", lambda: pair[0].send(b"12"))
attempt("pair of datagrams", lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
attempt("raw pair", lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_RAW))
"#
    );
    let text = output(folder.path(), &script, "").await;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 21, "{text}");
    assert!(lines[..18].iter().all(|line| line.ends_with(" EPERM")), "{text}");
    assert_eq!(lines[18..], ["pair 2", "pair of datagrams EPERM", "raw pair EPERM"]);
}

#[tokio::test]
async fn loopback_is_a_network_of_its_own() {
    if !possible("network = \"loopback\"") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let outside = TcpListener::bind("127.0.0.1:0").unwrap();
    outside.set_nonblocking(true).unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    datagrams.set_nonblocking(true).unwrap();
    let script = format!(
        r#"{TRY}
own = socket.create_server(("127.0.0.1", 0))
attempt("own server", lambda: socket.create_connection(own.getsockname()).getpeername() == own.getsockname())
six = socket.create_server(("::1", 0), family=socket.AF_INET6)
attempt("own IPv6 server", lambda: socket.create_connection(six.getsockname()[:2]).send(b"1"))
attempt("server outside", lambda: socket.create_connection(("127.0.0.1", {tcp})))
def datagram(address):
    a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    a.connect(address)
    return a.send(b"123")
attempt("datagram", lambda: datagram(("127.0.0.1", {udp})))
attempt("another machine", lambda: socket.create_connection(("192.0.2.1", 80)))
attempt("datagram to another machine", lambda: datagram(("192.0.2.1", 53)))
attempt("UNIX", lambda: socket.socket(socket.AF_UNIX))
attempt("user", lambda: os.getuid() == {user} and os.stat("script.py").st_uid == {user})
"#,
        tcp = outside.local_addr().unwrap().port(),
        udp = datagrams.local_addr().unwrap().port(),
        user = rustix::process::geteuid().as_raw(),
    );
    let expected = [
        "own server True",
        "own IPv6 server 1",
        "server outside ECONNREFUSED",
        "datagram 3",
        "another machine ENETUNREACH",
        "datagram to another machine ENETUNREACH",
        "UNIX EPERM",
        "user True",
    ];
    assert_eq!(output(folder.path(), &script, "network = \"loopback\"").await, expected.join("\n"));
    assert_eq!(outside.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nothing came out");
    assert_eq!(datagrams.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock, "nothing came out");
}

#[tokio::test]
async fn the_network_of_the_host_and_unix_sockets_can_be_allowed() {
    if !possible("network = \"host\", unix_sockets = true") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let script = format!(
        r#"{TRY}
attempt("server", lambda: socket.create_connection(("127.0.0.1", {port})).send(b"1"))
attempt("packets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt("UNIX", lambda: socket.socket(socket.AF_UNIX).bind("socket"))
"#,
        port = server.local_addr().unwrap().port()
    );
    let sandbox = "network = \"host\", unix_sockets = true, write = [\".\"]";
    assert_eq!(output(folder.path(), &script, sandbox).await, "server 1\npackets EPERM\nUNIX None");
}

#[tokio::test]
async fn system_calls_and_privileges_are_denied_to_all_descendants() {
    if !possible("") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "content").unwrap();
    let script = format!(
        r#"{TRY}
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
def all():
    attempt("unshare", lambda: call("unshare", NEW_USER))
    attempt("setns", lambda: call("setns", os.open("/proc/self/ns/net", os.O_RDONLY), 0))
    attempt("clone", lambda: call("syscall", ctypes.c_long(56 if os.uname().machine == "x86_64" else 220), ctypes.c_ulong(NEW_NETWORK | 17), None, None, None, None))
    attempt("clone3", lambda: call("syscall", ctypes.c_long(435), None, 0))
    attempt("io_uring", lambda: call("syscall", ctypes.c_long(425), 1, None))
    attempt("ptrace", lambda: call("ptrace", 16, os.getppid(), None, None))
    attempt("mount", lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None))
    attempt("host", lambda: os.kill({host}, 0))
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    print([status[name].strip() for name in ("NoNewPrivs", "Seccomp", "CapInh", "CapPrm", "CapEff", "CapAmb")])
    attempt("memory of the host", lambda: open("/proc/{host}/mem"))
    attempt("environment of the host", lambda: read("/proc/{host}/environ"))
    attempt("root of the host", lambda: os.listdir("/proc/{host}/root/"))
    attempt("file of the host", lambda: os.readlink("/proc/{host}/fd/0"))
    attempt("write", lambda: write("secret"))
    attempt("socket", lambda: socket.socket())
    sys.stdout.flush()
if len(sys.argv) > 1:
    all()
else:
    all()
    print("---", flush=True)
    # A grandchild, in a session of its own and with an empty environment.
    subprocess.run(["/bin/sh", "-c", "{PYTHON} script.py again; true"], start_new_session=True, env={{}})
"#,
        host = std::process::id()
    );
    let text = output(folder.path(), &script, "").await;
    let (own, grandchild) = text.split_once("\n---\n").unwrap();
    let none = "'0000000000000000', '0000000000000000', '0000000000000000', '0000000000000000'";
    let status = format!("['1', '2', {none}]");
    let expected = [
        "unshare EPERM",
        "setns EPERM",
        "clone EPERM",
        "clone3 ENOSYS",
        "io_uring EPERM",
        "ptrace EPERM",
        "mount EPERM",
        "host EPERM",
        status.as_str(),
        "memory of the host EACCES",
        "environment of the host EACCES",
        "root of the host EACCES",
        "file of the host EACCES",
        "write EACCES",
        "socket EPERM",
    ];
    assert_eq!(own, expected.join("\n"));
    assert_eq!(grandchild, own, "they are inherited");
    assert_eq!(std::fs::read_to_string(folder.path().join("secret")).unwrap(), "content");
}

#[tokio::test]
async fn other_processes_and_users_are_out_of_reach() {
    if !possible("") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let script = format!(
        r#"{TRY}
import resource
def created(path, mode):
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, mode))
attempt("limits of the host", lambda: resource.prlimit({host}, resource.RLIMIT_NOFILE, (7, 7)))
attempt("own limits", lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
attempt("priority of the host", lambda: os.setpriority(os.PRIO_PROCESS, {host}, 5))
attempt("priority of the user", lambda: os.setpriority(os.PRIO_USER, 0, 5))
attempt("own priority", lambda: os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0)))
attempt("disk priority of the host", lambda: call("syscall", ctypes.c_long(251 if os.uname().machine == "x86_64" else 30), 1, {host}, 0))
attempt("scheduling class of the host", lambda: os.sched_setscheduler({host}, os.SCHED_BATCH, os.sched_param(0)))
attempt("own scheduling class", lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)))
attempt("shared memory", lambda: call("shmget", 0, 4096, 0o1600))
attempt("semaphores", lambda: call("semget", 0, 1, 0o1600))
attempt("message queue", lambda: call("msgget", 0, 0o1600))
attempt("file", lambda: created("out/file", 0o755))
attempt("mode", lambda: os.chmod("out/file", 0o700))
attempt("user bit", lambda: os.chmod("out/file", 0o4755))
attempt("group bit", lambda: os.chmod("out/file", 0o2755))
attempt("by descriptor", lambda: os.fchmod(os.open("out/file", os.O_RDONLY), 0o4755))
attempt("new file", lambda: created("out/other", 0o4755))
attempt("openat2", lambda: call("syscall", ctypes.c_long(437), -100, b"out/file", None, 0))
"#,
        host = std::process::id()
    );
    let text = output(folder.path(), &script, "write = [\"out\"]").await;
    let expected = [
        "limits of the host EPERM",
        "own limits None",
        "priority of the host EPERM",
        "priority of the user EPERM",
        "own priority None",
        "disk priority of the host EPERM",
        "scheduling class of the host EPERM",
        "own scheduling class None",
        "shared memory EPERM",
        "semaphores EPERM",
        "message queue EPERM",
        "file None",
        "mode None",
        "user bit EPERM",
        "group bit EPERM",
        "by descriptor EPERM",
        "new file EPERM",
        "openat2 ENOSYS",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    assert!(!folder.path().join("out/other").exists());
}

#[tokio::test]
async fn a_failure_that_the_sandbox_may_have_caused_says_what_is_allowed() {
    if !possible("") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let at = folder.path().display();
    let (reports, failed) = failure(folder.path(), "open('/etc/shadow')", "write = [\"out\"]").await;
    assert!(
        failed.message.contains("exited with code 1") && reports.text().contains("PermissionError"),
        "{failed:?}"
    );
    for words in
        ["exec.t runs in a sandbox".to_owned(), format!("write below {at}/out"), "has no network".to_owned()]
    {
        assert!(failed.hint.contains(&words), "{}", failed.hint);
    }
    let (_, failed) = failure(folder.path(), "raise SystemExit(3)", "").await;
    assert!(failed.message.contains("exited with code 3") && !failed.hint.contains("sandbox"), "{failed:?}");
    // A real filter kills a program for 32 bits in this way.
    let (_, failed) = failure(folder.path(), "import os; os.kill(os.getpid(), 31)", "").await;
    assert!(failed.message.contains("signal 31 (SIGSYS)") && failed.hint.contains("sandbox"), "{failed:?}");
}

#[tokio::test]
async fn arguments_environment_input_and_results_are_those_of_a_command_without_sandbox() {
    if !possible("") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "import json, os, sys\n\
        print(json.dumps({'result': {'args': sys.argv[1:], 'env': dict(os.environ), 'input': sys.stdin.read(),\n\
            'files': sorted(os.listdir('/proc/self/fd')), 'group': os.getpgrp() == os.getpid(),\n\
            'session': os.getsid(0) == os.getpid(), 'folder': os.getcwd(),\n\
            'signals': [line for line in open('/proc/self/status') if line.startswith('Sig')],\n\
            'command': open('/proc/self/cmdline').read()}}))\n";
    std::fs::write(folder.path().join("script.py"), script).unwrap();
    let tables = ["", "sandbox = {}"].map(|sandbox| {
        format!(
            "[exec.t]\ncommand = [\"{PYTHON}\", \"script.py\", \"a b\", \"{{text}}\"]\nfolder = \".\"\n\
             set_env = {{ SECRET = \"s3cret\" }}\nparams.text = {{ type = \"text\", default = \"ü\\n'\" }}\n{sandbox}"
        )
    });
    let mut seen = Vec::new();
    for table in tables {
        let mut rig = Rig::new(&table, folder.path()).await;
        let (_, result) = rig.run("exec.t", Value::Null).await;
        let mut reported = result.reported.unwrap();
        for name in ["SIGNALBOX_OPERATION", "SIGNALBOX_RUN"] {
            assert!(reported["env"].as_object_mut().unwrap().remove(name).is_some(), "{name}");
        }
        seen.push((result.command, result.exit_code, reported));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[1].2["args"], serde_json::json!(["a b", "ü\n'"]));
    assert_eq!(seen[1].2["env"]["SECRET"], "s3cret");
}

#[tokio::test]
async fn a_program_that_does_not_start_is_no_exit_code() {
    if !possible("") {
        return;
    }
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let tool = folder.path().join("tool");
    std::fs::write(&tool, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    let tables = ["", "sandbox = {}"];
    let mut failures = Vec::new();
    for sandbox in tables {
        let table = format!("[exec.t]\ncommand = [\"./tool\"]\nfolder = \".\"\n{sandbox}");
        let mut rig = Rig::new(&table, folder.path()).await;
        let (_, failed) = rig.fail("exec.t", Value::Null).await;
        assert!(failed.hint.starts_with("Check that the file is a program for this machine."), "{failed:?}");
        assert_eq!(failed.hint.contains("exec.t runs in a sandbox"), !sandbox.is_empty(), "{failed:?}");
        failures.push(failed.message);
    }
    assert!(failures[0].contains("Cannot start") && failures[0].contains("No such file"), "{failures:?}");
    assert_eq!(failures[0], failures[1]);
    // As without a sandbox, exit codes are those of the program.
    for code in [1, 125, 126, 127] {
        let (_, failed) = failure(folder.path(), &format!("raise SystemExit({code})"), "").await;
        assert!(failed.message.contains(&format!("exited with code {code}.")), "{failed:?}");
    }
}

#[tokio::test]
async fn a_missing_folder_is_reported_before_the_start() {
    if !possible("") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rig = sandboxed(folder.path(), "", "write = [\"out\"]").await;
    let health = rig.get("/health").await.text().await.unwrap();
    assert!(health.contains("sandbox.write"), "{health}");
    let refused = rig.try_start(protocol::OperationId::new(), "exec.t", Value::Null).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("sandbox.write"));
}

#[tokio::test]
async fn a_cancel_ends_all_processes_of_a_sandboxed_command() {
    // A user namespace must not hide them.
    for network in ["none", "loopback"] {
        let sandbox = format!("network = \"{network}\"");
        if !possible(&sandbox) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let script = "import os, signal, subprocess, time\n\
            signal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
            child = subprocess.Popen(['sleep', '1000'])\n\
            left = subprocess.Popen(['sleep', '1000'], start_new_session=True, env={})\n\
            print('ids', os.getpid(), child.pid, left.pid, flush=True)\n\
            time.sleep(1000)\n";
        let mut rig = sandboxed(folder.path(), script, &sandbox).await;
        let id = rig.start("exec.t", Value::Null).await;
        let ids: Vec<u32> =
            rig.until_line(id, "ids ").await.split(' ').map(|id| id.parse().unwrap()).collect();
        assert!(ids.iter().all(|id| is_alive(*id)), "{ids:?}");
        rig.cancel(id, 30_000).await;
        let reports = rig.until_ended(id).await;
        assert_eq!(reports.outcome, Outcome::Cancelled);
        assert!(reports.text().contains("Sending SIGKILL."), "{}", reports.text());
        assert!(group(ids[0]).is_empty() && !ids.iter().any(|id| is_alive(*id)), "{ids:?}");
    }
}

#[tokio::test]
async fn limits_apply_from_the_first_instruction_of_a_sandboxed_command() {
    if !possible("") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script =
        "import resource\nprint(resource.getrlimit(resource.RLIMIT_AS)[0] >> 20)\nx = b'x' * (1 << 30)\n";
    std::fs::write(folder.path().join("script.py"), script).unwrap();
    let table = format!("{}\naddress_space_mb = 400\n", table(""));
    let mut rig = Rig::new(&table, folder.path()).await;
    let (reports, failed) = rig.fail("exec.t", Value::Null).await;
    assert!(reports.text().lines().any(|line| line == "400"), "{}", reports.text());
    assert!(failed.hint.contains("address_space_mb"), "{failed:?}");
}

#[tokio::test]
async fn a_memory_limit_of_the_cgroup_ends_the_command_with_a_reason() {
    if !possible("memory_max_mb = 100") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (_, failed) = failure(folder.path(), "held = b'x' * (1 << 30)", "memory_max_mb = 100").await;
    assert!(
        failed.hint.contains("limit of 100 MiB") && failed.hint.contains("memory_max_mb of exec.t"),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_limit_of_processes_ends_the_command_with_a_reason() {
    if !possible("pids_max = 5") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "import subprocess\nall = [subprocess.Popen(['sleep', '1000']) for _ in range(20)]\n";
    let (_, failed) = failure(folder.path(), script, "pids_max = 5").await;
    assert!(failed.hint.contains("pids_max of exec.t"), "{failed:?}");
}

#[test]
fn a_limit_without_a_cgroup_is_refused_when_the_host_starts() {
    let config = |sandbox| ExecConfig::from_toml(&table(sandbox)).unwrap();
    let works = |sandbox| works(&config(sandbox), Path::new("/"), Owner::default(), launcher());
    if works("").is_err() {
        eprintln!("SKIPPED: this system has no sandbox, so this test shows nothing");
        return;
    }
    for (sandbox, key) in [("memory_max_mb = 100", "memory_max_mb"), ("pids_max = 5", "pids_max")] {
        // Where there is one, the tests above show that it works.
        if let Err(error) = works(sandbox) {
            let error = error.to_string();
            assert!(error.starts_with(&format!("exec.t, key 'sandbox.{key}': ")), "{error}");
            assert!(error.contains("cgroup v2") && error.contains("Delegate=yes"), "{error}");
        }
    }
}

#[test]
fn a_sandbox_without_a_working_launcher_is_refused_when_the_host_starts() {
    let config = ExecConfig::from_toml(&table("")).unwrap();
    for (program, why) in [("/no/such/program", "No such file"), ("/bin/true", "without a reply")] {
        let refused = works(&config, Path::new("/"), Owner::default(), Launcher::at(program));
        let error = refused.err().unwrap().to_string();
        assert!(error.starts_with("exec.t, key 'sandbox': its launcher does not work"), "{error}");
        assert!(error.contains(why) && error.contains("remove 'sandbox'"), "{error}");
    }
}

#[tokio::test]
async fn the_description_of_a_kind_says_that_it_is_sandboxed() {
    if !possible("") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rig = sandboxed(folder.path(), "", "").await;
    let about: About = rig.get("/about").await.json().await.unwrap();
    assert_eq!(about.kinds[0].description, "Runs in a sandbox without network.");
}
