//! Access to files by Landlock, and the scope of signals.

use super::message::Rules;
use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope, make_bitflags,
};
use std::ffi::OsStr;
use std::path::Path;

/// Linux 6.12: the first one that keeps signals inside. Without it, a command could kill its host.
const REQUIRED: ABI = ABI::V6;

/// Programs, libraries and settings that most programs need. Only those that exist are used.
const SYSTEM: [&str; 38] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/fonts",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/locale.alias",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "/proc",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/sys/kernel/mm",
];

/// Devices that also take output.
const SINKS: [&str; 2] = ["/dev/null", "/dev/full"];

/// Rules for the given paths, the program and the system. The paths are opened here.
pub(super) fn ruleset(rules: &Rules, program: Option<&OsStr>) -> Result<RulesetCreated, String> {
    let read = AccessFs::from_read(REQUIRED);
    // Not devices: a command has no right to create them.
    let write = AccessFs::from_all(REQUIRED) & !make_bitflags!(AccessFs::{MakeChar | MakeBlock});
    let mut set = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(REQUIRED))
        .and_then(|set| set.scope(Scope::from_all(REQUIRED)))
        .and_then(Ruleset::create)
        .map_err(|e| e.to_string())?;
    for path in SYSTEM {
        set = allow(set, Path::new(path), read, Missing::Skipped)?;
    }
    for path in SINKS {
        set = allow(set, Path::new(path), write, Missing::Skipped)?;
    }
    // The table of the kind names the program, so it may be anywhere.
    for path in rules.read.iter().map(|path| path.as_os_str()).chain(program) {
        set = allow(set, Path::new(path), read, Missing::Refused)?;
    }
    for path in &rules.write {
        set = allow(set, Path::new(path), write, Missing::Refused)?;
    }
    Ok(set)
}

/// Restricts this thread, and sets `no_new_privs`.
pub(super) fn restrict(set: RulesetCreated) -> Result<(), String> {
    let status = set.restrict_self().map_err(|e| e.to_string())?;
    if status.ruleset != RulesetStatus::FullyEnforced || !status.no_new_privs {
        return Err(format!("Landlock does not enforce all rules: {status:?}"));
    }
    Ok(())
}

/// What happens to a path that does not exist.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Skipped,
    Refused,
}

fn allow(
    set: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
    missing: Missing,
) -> Result<RulesetCreated, String> {
    let named = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let is_folder = match std::fs::metadata(path) {
        Ok(found) => found.is_dir(),
        Err(_) if missing == Missing::Skipped => return Ok(set),
        Err(e) => return Err(named(&e)),
    };
    let access = if is_folder { access } else { access & AccessFs::from_file(REQUIRED) };
    let opened = PathFd::new(path).map_err(|e| named(&e))?;
    set.add_rule(PathBeneath::new(opened, access)).map_err(|e| named(&e))
}
