//! Starts as shell commands, for `curl` and for the `signalbox` program. Pure.

use protocol::secret;
use serde_json::{Value, json};

/// Default server of the command line.
const USUAL: &str = "http://127.0.0.1:7200";

/// Start of an operation like an existing one.
pub struct Start<'a> {
    /// Origin of the server, as seen by the browser.
    pub origin: &'a str,
    pub kind: &'a str,
    pub params: &'a Value,
    pub priority: i8,
}

impl Start<'_> {
    /// Request with `curl`. A server on another machine needs a token, so the command has an `Authorization` header.
    /// Secret parameters have their marker, which the server refuses with the names of the missing values.
    pub fn curl(&self) -> String {
        let mut body = json!({"kind": self.kind, "params": self.params});
        if self.priority != 0 {
            body["priority"] = self.priority.into();
        }
        let mut line = format!("curl {}", quoted(&format!("{}/api/v1/operations", self.origin)));
        if !on_this_machine(self.origin) {
            // The page does not know the token.
            line.push_str(" -H \"Authorization: Bearer $SIGNALBOX_TOKEN\"");
        }
        line.push_str(" -H 'Content-Type: application/json' -d ");
        line.push_str(&quoted(&body.to_string()));
        line
    }

    /// Command line: `signalbox start data.load symbol=MSFT timeframe=1h`. Secret parameters are read from files.
    pub fn command_line(&self) -> String {
        let mut line = format!("signalbox start {}", quoted(self.kind));
        for (name, value) in self.params.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null()) {
            if secret::is_marker(value) {
                line.push_str(&format!(" --param-file {}", quoted(&format!("{name}=FILE"))));
                continue;
            }
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            line.push(' ');
            line.push_str(&quoted(&format!("{name}={text}")));
        }
        if self.priority != 0 {
            line.push_str(&format!(" --priority={}", self.priority));
        }
        if self.origin != USUAL {
            line.push_str(" --server ");
            line.push_str(&quoted(self.origin));
        }
        line
    }
}

fn on_this_machine(origin: &str) -> bool {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    ["127.", "localhost", "[::1]"].iter().any(|ours| host.starts_with(ours))
}

/// Text quoted as one shell word.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,/:=@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_one_shell_command() {
        let params = json!({"symbol": "MSFT", "timeframe": "1h", "rows_per_second": 20, "start": null});
        let start = Start { origin: USUAL, kind: "data.load", params: &params, priority: 0 };
        assert_eq!(
            start.command_line(),
            "signalbox start data.load symbol=MSFT timeframe=1h rows_per_second=20"
        );
        assert_eq!(
            start.curl(),
            "curl http://127.0.0.1:7200/api/v1/operations -H 'Content-Type: application/json' -d \
             '{\"kind\":\"data.load\",\"params\":{\"symbol\":\"MSFT\",\"timeframe\":\"1h\",\"rows_per_second\":20,\"start\":null}}'"
        );
    }

    #[test]
    fn a_secret_param_is_read_from_a_file_and_never_part_of_a_command() {
        let params = json!({"user": "me", "token": secret::marker()});
        let start = Start { origin: USUAL, kind: "exec.push", params: &params, priority: 0 };
        assert_eq!(start.command_line(), "signalbox start exec.push user=me --param-file token=FILE");
        assert!(start.curl().contains(r#""token":{"secret":true}"#), "{}", start.curl());
    }

    #[test]
    fn no_param_escapes_its_quotes() {
        let params = json!({"note": "it's $HOME; rm -rf /"});
        let start = Start { origin: "http://box:7200", kind: "exec.say", params: &params, priority: -5 };
        assert_eq!(
            start.command_line(),
            r"signalbox start exec.say 'note=it'\''s $HOME; rm -rf /' --priority=-5 --server http://box:7200"
        );
        let curl = start.curl();
        assert!(curl.contains(
            r#"-d '{"kind":"exec.say","params":{"note":"it'\''s $HOME; rm -rf /"},"priority":-5}'"#
        ));
        assert!(curl.contains("-H \"Authorization: Bearer $SIGNALBOX_TOKEN\""), "{curl}");
    }
}
