//! Alerts: rules, their state for each host, kind or operation, silences, and notifications.

use crate::{Actor, HostName, KindName, OperationId, Time};
use serde::{Deserialize, Serialize};

/// Urgency of an alert.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Severity {
    Info,
    #[default]
    Warning,
    Critical,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

/// State of a rule for one host, kind or operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AlertState {
    /// The condition is not met.
    #[default]
    Inactive,
    /// The condition is met, but for less than `for_seconds`.
    Pending,
    /// The condition has been met for `for_seconds`.
    Firing,
    /// The value has passed the recovery threshold, but for less than `recover_for_seconds`.
    Recovering,
    /// No value for `no_data_for_seconds`. A firing alert is not resolved, and does not fire again.
    Unknown,
}

impl AlertState {
    pub fn as_str(self) -> &'static str {
        match self {
            AlertState::Inactive => "inactive",
            AlertState::Pending => "pending",
            AlertState::Firing => "firing",
            AlertState::Recovering => "recovering",
            AlertState::Unknown => "unknown",
        }
    }
}

/// Side of the threshold on which a rule fires.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Comparison {
    #[default]
    Above,
    Below,
}

impl Comparison {
    pub fn as_str(self) -> &'static str {
        match self {
            Comparison::Above => "above",
            Comparison::Below => "below",
        }
    }
}

/// Rule: when an alert fires, and when it is resolved.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertRule {
    /// Name, such as `disk-full`.
    pub name: String,
    /// Metric, such as `cpu.busy_ratio`.
    pub metric: String,
    #[serde(default)]
    pub comparison: Comparison,
    pub threshold: f64,
    /// Recovery threshold: a firing alert is resolved when the value has passed it. Default: the threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<f64>,
    /// Seconds for which the condition must be met before the alert fires.
    #[serde(default)]
    pub for_seconds: f64,
    /// Seconds for which the value must have passed the recovery threshold before the alert is resolved.
    #[serde(default)]
    pub recover_for_seconds: f64,
    /// Seconds without a value after which the state is unknown.
    #[serde(default = "default_no_data")]
    pub no_data_for_seconds: f64,
    #[serde(default)]
    pub severity: Severity,
    /// Hosts that the rule applies to; empty means all hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub hosts: Vec<HostName>,
    /// Kinds that the rule applies to; empty means all kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub kinds: Vec<KindName>,
    /// What the user can do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub action: String,
}

impl AlertRule {
    /// Warning without `for`, for all hosts and kinds. It recovers past the threshold after a minute.
    pub fn new(name: &str, metric: &str, comparison: Comparison, threshold: f64) -> Self {
        Self {
            name: name.to_owned(),
            metric: metric.to_owned(),
            comparison,
            threshold,
            recovery: None,
            for_seconds: 0.0,
            recover_for_seconds: 60.0,
            no_data_for_seconds: default_no_data(),
            severity: Severity::Warning,
            hosts: Vec::new(),
            kinds: Vec::new(),
            action: String::new(),
        }
    }
}

fn default_no_data() -> f64 {
    60.0
}

/// `GET /api/v1/alerts/rules`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleList {
    pub rules: Vec<RuleStatus>,
}

/// Rule with its meaning and its origin.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleStatus {
    pub rule: AlertRule,
    /// The rule as a sentence.
    pub sentence: String,
    /// False if the rule is switched off, on the page or by the configuration.
    pub enabled: bool,
    pub origin: RuleOrigin,
    /// Revision of a rule that was made or changed on the page; 0 for all other rules. A request that changes the rule
    /// needs the revision.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub revision: u64,
    /// Configuration file that defines the rule.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub defined_in: String,
    /// The built-in rule that this rule overrides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_in: Option<AlertRule>,
    /// Last change on the page or through the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<RuleChanged>,
    /// Whether its metric has a history, so that it can be tested.
    #[serde(default)]
    pub has_history: bool,
    /// Number of firing and recovering alerts of this rule.
    pub firing: u32,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Where a rule comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RuleOrigin {
    /// Built in.
    Default,
    /// Built in, and changed by the configuration.
    Changed,
    /// From the configuration.
    Configuration,
    /// Built in, and changed on the page or through the API.
    Overridden,
    /// Made on the page or through the API.
    Page,
}

impl RuleOrigin {
    pub fn as_str(self) -> &'static str {
        match self {
            RuleOrigin::Default => "default",
            RuleOrigin::Changed => "changed",
            RuleOrigin::Configuration => "configuration",
            RuleOrigin::Overridden => "overridden",
            RuleOrigin::Page => "page",
        }
    }

    /// Whether the rule can be changed only in the configuration file.
    pub fn is_configured(self) -> bool {
        matches!(self, RuleOrigin::Changed | RuleOrigin::Configuration)
    }
}

/// When a rule was changed, and by whom.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleChanged {
    pub at: Time,
    pub by: Actor,
}

/// `POST /api/v1/alerts/rules`: a new rule.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewRule {
    pub rule: AlertRule,
    /// False for a rule that is not evaluated yet.
    #[serde(default = "default_enabled")]
    pub enabled: bool,
}

fn default_enabled() -> bool {
    true
}

/// `PUT /api/v1/alerts/rules/{name}`: the whole rule with its new values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleChange {
    pub rule: AlertRule,
    pub enabled: bool,
    /// Revision of the rule that the change is based on. If the rule has a newer revision, nothing is changed.
    pub revision: u64,
}

/// What an alert is about. All fields are absent if it is about the server itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertSubject {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub host: Option<HostName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub kind: Option<KindName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
}

/// Alert: a rule that is pending or fires for one host, kind or operation, or for the server.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alert {
    /// Name of the rule.
    pub rule: String,
    /// Metric that the rule compares; empty if the alert was resolved by an earlier version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub metric: String,
    #[serde(flatten)]
    pub subject: AlertSubject,
    pub severity: Severity,
    pub state: AlertState,
    /// Time at which this state began.
    pub since: Time,
    /// Time at which the alert fired; absent if it has not fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<Time>,
    /// Time at which the alert was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Time>,
    /// Newest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The alert as a sentence.
    pub sentence: String,
    /// What the user can do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub action: String,
    /// Affected operations, newest first; at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<OperationId>,
    /// ID of the silence that mutes its notifications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<String>,
}

/// `GET /api/v1/alerts`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertList {
    /// The server's clock.
    pub now: Time,
    /// Revision of the alerts, as in `AlertSummary`. The list can be newer than this revision.
    #[serde(default)]
    pub revision: u64,
    /// Increases with each change of a rule: then, fetch `GET /api/v1/alerts/rules` again. Starts from 0 when the
    /// server starts.
    #[serde(default)]
    pub rules_revision: u64,
    /// Pending, firing and recovering alerts, and fired alerts whose state is unknown; most urgent first.
    pub alerts: Vec<Alert>,
    /// Resolved alerts, newest first, at most 200.
    pub recent: Vec<Alert>,
    /// Silences that have not ended.
    pub silences: Vec<Silence>,
    /// Notifications with their delivery status, newest first; at most 200.
    pub deliveries: Vec<Delivery>,
}

/// Counts of alerts, for the badge in the sidebar.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertSummary {
    /// Increases whenever `GET /api/v1/alerts` changes. Starts from 0 when the server starts.
    pub revision: u64,
    /// Number of firing and recovering alerts that are not silenced.
    pub firing: u32,
    /// Number of fired alerts whose state is unknown.
    pub unknown: u32,
    /// Highest severity of the firing and unknown alerts; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

/// `POST /api/v1/alerts/silences`: mutes the notifications of matching alerts. An absent field matches all.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewSilence {
    /// Name of a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub host: Option<HostName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub kind: Option<KindName>,
    /// Reason for the silence; required.
    pub reason: String,
    /// End of the silence, within a year.
    pub until: Time,
}

/// Silence: mutes the notifications of matching alerts until its end.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Silence {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub host: Option<HostName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub kind: Option<KindName>,
    pub reason: String,
    pub created_at: Time,
    pub until: Time,
    pub by: Actor,
}

/// Notification to one destination, with its delivery status.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// ID of the notification, the same for each try. Requests contain the ID in the header `Signalbox-Delivery`, and
    /// e-mails in the header `Message-ID`.
    pub id: String,
    /// Name of the destination in the configuration.
    pub destination: String,
    /// URL without its secret parts, such as `https://hooks.example.org/…`, or the recipients of an e-mail.
    pub address: String,
    /// First line of the notification.
    pub title: String,
    pub created_at: Time,
    pub state: DeliveryState,
    /// Number of tries so far.
    pub tries: u32,
    /// HTTP status or SMTP code of the last response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Reason why the last try failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// Time of the next try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<Time>,
}

/// Delivery status of a notification.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DeliveryState {
    /// Not delivered yet.
    Waiting,
    /// The destination responded with a status of success.
    Delivered,
    /// All tries failed, or the destination rejected the notification.
    GaveUp,
}

impl DeliveryState {
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Waiting => "waiting",
            DeliveryState::Delivered => "delivered",
            DeliveryState::GaveUp => "gave_up",
        }
    }
}

/// `POST /api/v1/alerts/dry-run`: tests a rule against the history.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRunRequest {
    pub rule: AlertRule,
    /// Number of days, up to now; at most 90.
    #[serde(default = "default_days")]
    pub days: f64,
}

fn default_days() -> f64 {
    7.0
}

/// Result of a dry run: when a rule would have fired in the history of the hosts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRun {
    /// The result as a sentence.
    pub sentence: String,
    pub from: Time,
    pub to: Time,
    /// Resolution of the values, in seconds. Shorter peaks are not detected.
    pub resolution_seconds: u32,
    /// Number of times that the rule would have fired.
    pub count: u32,
    /// Alerts that would have fired, oldest first; at most 1,000.
    pub firings: Vec<DryRunFiring>,
    /// Hosts without data for the metric.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub without_values: Vec<HostName>,
}

/// Alert that would have fired.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRunFiring {
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub host: HostName,
    pub fired_at: Time,
    /// When the alert would have been resolved; absent if it would still fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Time>,
    /// Value when it fired.
    pub value: f64,
}
