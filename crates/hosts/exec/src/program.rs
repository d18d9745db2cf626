//! Lookup of a command's program.

use protocol::KindName;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Finds a program like a shell: relative to the folder if it contains a '/', otherwise in `PATH`.
///
/// # Errors
/// Why it can't be started, and what to do.
pub(crate) fn find(
    kind: &KindName,
    folder: &Path,
    name: &str,
    path: Option<OsString>,
) -> Result<PathBuf, String> {
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => {
            return Err(format!(
                "'folder' of {kind} is {}, which is not a folder. Correct 'folder' in the table of this kind.",
                folder.display()
            ));
        }
        Err(e) => {
            return Err(format!(
                "The folder {} of {kind} is not accessible: {e}. Create the folder, or correct 'folder' in the table \
                 of this kind.",
                folder.display()
            ));
        }
    }
    if name.contains('/') {
        let program = folder.join(name);
        return match can_be_begun(&program) {
            Ok(()) => Ok(program),
            Err(why) => Err(format!("The program of {kind}, {}, {why}", program.display())),
        };
    }
    let path = path.unwrap_or_default();
    let mut almost = None;
    for place in std::env::split_paths(&path) {
        let program = folder.join(place).join(name);
        match can_be_begun(&program) {
            Ok(()) => return Ok(program),
            Err(why) if program.is_file() => almost = almost.or(Some((program, why))),
            Err(_) => {}
        }
    }
    match almost {
        Some((program, why)) => Err(format!("The program of {kind}, {}, {why}", program.display())),
        None => Err(format!(
            "The program of {kind}, '{name}', was not found. Install it, or give its full path in 'command'. Searched: \
             {}.",
            if path.is_empty() { "nothing, because PATH is empty".into() } else { path.to_string_lossy() }
        )),
    }
}

/// Checks that it is an executable file.
fn can_be_begun(program: &Path) -> Result<(), String> {
    match std::fs::metadata(program) {
        Ok(found) if found.is_dir() => {
            Err("is a folder. Give the path of the program in this folder.".to_owned())
        }
        Ok(found) if found.permissions().mode() & 0o111 == 0 => Err(
            "is not executable. Run chmod +x on the file, or put its interpreter first: [\"python3\", …]."
                .to_owned(),
        ),
        Ok(_) => Ok(()),
        Err(e) => {
            Err(format!("was not found: {e}. Correct 'command' or 'folder' in the table of this kind."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_cannot_start_is_an_error_with_advice() {
        let root = tempfile::tempdir().unwrap();
        let kind = KindName::new("exec.t").unwrap();
        let find = |name: &str| find(&kind, root.path(), name, Some(root.path().into()));
        let program = root.path().join("tool");
        std::fs::write(&program, "#!/bin/sh\n").unwrap();
        for name in ["tool", "./tool"] {
            assert!(find(name).unwrap_err().contains("chmod +x"), "{name}");
        }
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find("tool").unwrap(), program);
        assert!(find("./tool").unwrap().ends_with("tool"));
        std::fs::create_dir(root.path().join("sub")).unwrap();
        assert!(find("./sub").unwrap_err().contains("is a folder"));
        assert!(find("./none").unwrap_err().contains("none, was not found: "));
        assert!(find("none").unwrap_err().contains("'none', was not found. Install it"));
        let gone = super::find(&kind, &root.path().join("gone"), "tool", None);
        assert!(gone.unwrap_err().contains("is not accessible"));
    }
}
