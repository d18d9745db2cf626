//! E-mails about alerts: plain text for people. Pure.

use super::message::{MAX_LISTED, Notice};
use super::settings::EmailSettings;
use alerts::Phase;
use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use protocol::Time;
use protocol::alerts::{Alert, AlertSubject};
use url::Url;

/// Largest number of operations that are listed for an alert.
pub(super) const MAX_OPERATIONS: usize = 10;
/// Time that the charts of a link show before and after an alert, in microseconds.
const AROUND_MICROS: i64 = 1_800_000_000;

/// E-mail about a group of alerts. The ID is the same for each try, so that a mailbox can recognize a repetition.
///
/// # Errors
/// If it can't be composed.
pub(super) fn compose(
    notice: &Notice,
    id: &str,
    settings: &EmailSettings,
    page: Option<&Url>,
) -> Result<Message, String> {
    let domain = settings.from.email.domain();
    let header = |name, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
    let mut message = Message::builder()
        .from(settings.from.clone())
        .subject(format!("[Signalbox] {}", one_line(&notice.title)))
        .message_id(Some(format!("<{id}@{domain}>")))
        // Both notifications of a group are one thread.
        .references(format!("<group-{}-{}@{domain}>", notice.group, notice.began_at.micros()))
        .header(ContentType::TEXT_PLAIN)
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()));
    for to in &settings.to {
        message = message.to(to.clone());
    }
    message.body(text(notice, page)).map_err(|error| error.to_string())
}

/// Text of an e-mail.
fn text(notice: &Notice, page: Option<&Url>) -> String {
    let mut text = format!("{}\n", one_line(&notice.title));
    for alert in notice.alerts.iter().take(MAX_LISTED) {
        text.push_str(&format!("\n{}\n", one_line(&alert.sentence)));
        for (name, value) in facts(notice, alert, page) {
            text.push_str(&format!("  {:<12} {}\n", format!("{name}:"), one_line(&value)));
        }
    }
    if let Some(more) = notice.alerts.len().checked_sub(MAX_LISTED).filter(|more| *more > 0) {
        text.push_str(&format!("\n… and {more} more alerts\n"));
    }
    if let Some(page) = page {
        text.push_str(&format!("\nAll alerts: {}\n", below(page, "alerts")));
    }
    text
}

/// Facts about an alert, each with its name.
fn facts(notice: &Notice, alert: &Alert, page: Option<&Url>) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Severity", alert.severity.as_str().to_owned())];
    facts.push(("Since", utc(alert.fired_at.unwrap_or(notice.began_at))));
    if notice.status == Phase::Resolved {
        facts.push(("Resolved", utc(alert.resolved_at.unwrap_or(notice.at))));
    }
    if let Some(value) = alert.value {
        // No more digits than a person reads.
        facts.push(("Value", ((value * 1_000.0).round() / 1_000.0).to_string()));
    }
    let AlertSubject { host, kind, .. } = &alert.subject;
    facts.extend(host.as_ref().map(|host| ("Host", host.to_string())));
    facts.extend(kind.as_ref().map(|kind| ("Kind", kind.to_string())));
    facts.push(("Rule", alert.rule.clone()));
    for (at, id) in alert.operations.iter().take(MAX_OPERATIONS).enumerate() {
        let title = notice.operations.get(id).map(|title| format!("{title} ")).unwrap_or_default();
        facts.push((if at == 0 { "Operations" } else { "" }, format!("{title}({id})")));
    }
    if let Some(more) = alert.operations.len().checked_sub(MAX_OPERATIONS).filter(|more| *more > 0) {
        facts.push(("", format!("… and {more} more")));
    }
    if notice.status == Phase::Firing && !alert.action.is_empty() {
        facts.push(("Action", alert.action.clone()));
    }
    facts.extend(page.map(|page| ("Link", link(page, alert).to_string())));
    facts
}

/// Address of what an alert is about: the charts of a host at that time, an operation, or the operations of a kind.
fn link(page: &Url, alert: &Alert) -> Url {
    match &alert.subject {
        AlertSubject { operation: Some(id), .. } => below(page, &format!("operations/{id}")),
        AlertSubject { host: Some(host), .. } => {
            let from = alert.fired_at.unwrap_or(alert.since);
            let to = alert.resolved_at.unwrap_or(from);
            let mut charts = below(page, &format!("hosts/{host}"));
            charts
                .query_pairs_mut()
                .append_pair("from", &from.plus_micros(-AROUND_MICROS).to_string())
                .append_pair("to", &to.plus_micros(AROUND_MICROS).to_string());
            charts
        }
        AlertSubject { kind: Some(kind), .. } => {
            let mut operations = below(page, "operations");
            operations.query_pairs_mut().append_pair("kind", kind.as_str());
            operations
        }
        AlertSubject { .. } => below(page, "alerts"),
    }
}

/// URL of a page of the dashboard.
fn below(page: &Url, path: &str) -> Url {
    let mut url = page.clone();
    url.set_path(&format!("{}/{path}", page.path().trim_end_matches('/')));
    url
}

fn utc(time: Time) -> String {
    let text = time.to_string();
    let seconds = text.split('.').next().unwrap_or(&text);
    format!("{} UTC", seconds.replace('T', " "))
}

/// Text without line breaks and other control characters, so that a title can't add lines.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::OperationId;
    use protocol::alerts::Severity;
    use serde_json::{from_value, json};
    use std::collections::BTreeMap;

    const ID: &str = "0199c2d4-7f3a-7c11-9e1b-000000000001";

    fn notice(status: Phase) -> Notice {
        let alert: Alert = from_value(json!({
            "rule": "host-unreachable", "host": "gpu-1", "severity": "critical", "state": "firing",
            "since": "2026-11-25T10:41:07Z", "fired_at": "2026-11-25T10:41:07.2Z", "value": 0.98765,
            "sentence": "gpu-1 is unreachable.", "action": "Check that it is up.", "operations": [ID],
        }))
        .unwrap();
        let began_at = alert.since;
        let operations =
            BTreeMap::from([(ID.parse::<OperationId>().unwrap(), "data.load ÄÖ\r\nBcc: x".to_owned())]);
        Notice {
            group: 7,
            status,
            title: "Firing: gpu-1 is unreachable".into(),
            severity: Severity::Critical,
            began_at,
            at: began_at.plus_micros(10_000_000),
            alerts: vec![alert],
            operations,
        }
    }

    #[test]
    fn an_e_mail_says_what_fires_since_when_which_operations_it_affects_and_where_to_look() {
        let page = Url::parse("https://signalbox.example.org/base/").unwrap();
        let text = text(&notice(Phase::Firing), Some(&page));
        let expected = "Firing: gpu-1 is unreachable\n\n\
            gpu-1 is unreachable.\n  \
            Severity:    critical\n  \
            Since:       2026-11-25 10:41:07 UTC\n  \
            Value:       0.988\n  \
            Host:        gpu-1\n  \
            Rule:        host-unreachable\n  \
            Operations:  data.load ÄÖ  Bcc: x (0199c2d4-7f3a-7c11-9e1b-000000000001)\n  \
            Action:      Check that it is up.\n  \
            Link:        https://signalbox.example.org/base/hosts/gpu-1?from=2026-11-25T10%3A11%3A07.200000Z&to=2026-11-25T11%3A11%3A07.200000Z\n\n\
            All alerts: https://signalbox.example.org/base/alerts\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn both_messages_of_a_group_are_one_conversation_and_a_repetition_has_the_same_id() {
        let settings = EmailSettings {
            server: "smtp.example.org".into(),
            port: 587,
            encryption: super::super::settings::Encryption::Starttls,
            login: None,
            from: "Signalbox <signalbox@example.org>".parse().unwrap(),
            to: vec!["a@example.org".parse().unwrap(), "B <b@example.org>".parse().unwrap()],
        };
        let formatted = |status, id| {
            let mail = compose(&notice(status), id, &settings, None).unwrap();
            String::from_utf8(mail.formatted()).unwrap()
        };
        let (firing, resolved) = (formatted(Phase::Firing, "m-1"), formatted(Phase::Resolved, "m-2"));
        let of = |mail: &str, name: &str| {
            mail.lines().find(|line| line.starts_with(name)).map(str::to_owned).unwrap_or_default()
        };
        assert_eq!(of(&firing, "Message-ID"), "Message-ID: <m-1@example.org>");
        assert_eq!(of(&firing, "References"), of(&resolved, "References"));
        assert!(of(&firing, "References").contains("group-7-"), "{firing}");
        assert!(firing.contains("To: a@example.org, B <b@example.org>"), "{firing}");
        assert!(firing.contains("Auto-Submitted: auto-generated"), "{firing}");
        assert!(!firing.lines().any(|line| line.starts_with("Bcc")), "{firing}");
    }
}
