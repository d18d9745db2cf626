//! Catalogue of kinds as declared by their hosts, with the form of their parameters.

use crate::config::SetParams;
use crate::error::EngineError;
use form::Form;
use parking_lot::RwLock;
use protocol::api::{KindList, KindOffer};
use protocol::{FieldError, HostName, KindName, KindSpec};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Catalogue, filled by the coordinator and read wherever operations are started or forms are shown.
pub struct KindRegistry {
    inner: RwLock<Inner>,
    /// Rewrites parameters for a title.
    in_words: fn(&KindName, &mut Value),
    /// Parameters that those of a kind set for another one.
    sets: fn(&KindName, &Value) -> Option<SetParams>,
}

/// Checked parameters of an operation.
pub(crate) struct Checked {
    /// As the host expects them, with a marker for each secret value.
    pub(crate) params: Value,
    /// Secret values by parameter.
    pub(crate) secrets: Vec<(String, String)>,
    /// Names of all secret parameters of the kind.
    pub(crate) secret_names: Vec<String>,
    pub(crate) title: String,
}

#[derive(Default)]
struct Inner {
    kinds: BTreeMap<KindName, Entry>,
    up: BTreeSet<HostName>,
    /// Whether any hosts are configured.
    any_hosts: bool,
    /// Configured hosts that have not connected since the server started.
    unmet: BTreeSet<HostName>,
    limits: HashMap<KindName, u32>,
}

struct Entry {
    spec: KindSpec,
    form: Form,
    /// Hosts that offer the kind, each with the kind's position in its declaration.
    hosts: BTreeMap<HostName, usize>,
}

impl Entry {
    /// Parameter that hosts of the kind declare as secret, but a form of another host does not.
    fn disclosed_by(&self, form: &Form) -> Option<&str> {
        if self.hosts.is_empty() {
            return None;
        }
        let secrets = self.form.fields.iter().filter(|field| field.secret).map(|field| field.name.as_str());
        secrets.into_iter().find(|name| !form.is_secret(name))
    }
}

impl KindRegistry {
    /// An empty one; `in_words` rewrites parameters for a title, and `sets` tells which parameters those of a kind set
    /// for another one.
    pub(crate) fn new(
        in_words: fn(&KindName, &mut Value),
        sets: fn(&KindName, &Value) -> Option<SetParams>,
    ) -> Self {
        Self { inner: RwLock::default(), in_words, sets }
    }

    /// Sets the configured hosts, and the limits per kind.
    pub(crate) fn configured(&self, hosts: BTreeSet<HostName>, limits: HashMap<KindName, u32>) {
        let mut inner = self.inner.write();
        (inner.any_hosts, inner.unmet, inner.limits) = (!hosts.is_empty(), hosts, limits);
    }

    /// Configured hosts that have not connected since the server started.
    pub(crate) fn unmet(&self) -> Vec<HostName> {
        self.inner.read().unmet.iter().cloned().collect()
    }

    /// Records the kinds of a connected host, and removes kinds that it no longer declares.
    pub(crate) fn declare(&self, host: &HostName, specs: &[KindSpec]) {
        let mut inner = self.inner.write();
        for entry in inner.kinds.values_mut() {
            entry.hosts.remove(host);
        }
        inner.up.insert(host.clone());
        inner.unmet.remove(host);
        for (place, spec) in specs.iter().enumerate() {
            let form = match Form::from_schema(&spec.params) {
                Ok(form) => form,
                Err(why) => {
                    tracing::warn!(%host, kind = %spec.name, why, "kind ignored: unsupported parameter schema");
                    continue;
                }
            };
            let disclosed = inner.kinds.get(&spec.name).and_then(|entry| entry.disclosed_by(&form));
            if let Some(param) = disclosed {
                tracing::warn!(%host, kind = %spec.name, param, "kind ignored: another host declares this parameter as secret");
                continue;
            }
            let entry = inner.kinds.entry(spec.name.clone()).or_insert_with(|| Entry {
                spec: spec.clone(),
                form: form.clone(),
                hosts: BTreeMap::new(),
            });
            entry.spec = spec.clone();
            entry.form = form;
            entry.hosts.insert(host.clone(), place);
        }
        inner.kinds.retain(|_, entry| !entry.hosts.is_empty());
    }

    /// Marks a host as unreachable; its kinds remain known.
    pub(crate) fn away(&self, host: &HostName) {
        self.inner.write().up.remove(host);
    }

    /// Unit of x of a kind's series, such as `epoch`.
    pub(crate) fn counts(&self, kind: &KindName, series: &str) -> Option<String> {
        let inner = self.inner.read();
        let known = &inner.kinds.get(kind)?.spec.series;
        known.iter().find(|info| info.name == series).map(|info| info.x.clone())
    }

    /// All kinds with the hosts that can run them. Ordered by host, then as each host declares them, because authors
    /// put the kind to try first at the top.
    pub fn list(&self) -> KindList {
        let inner = self.inner.read();
        let offer = |entry: &Entry| KindOffer {
            spec: entry.spec.clone(),
            hosts: entry.hosts.keys().cloned().collect(),
            available: entry.hosts.keys().any(|h| inner.up.contains(h)),
            limit: inner.limits.get(&entry.spec.name).copied(),
        };
        let mut entries: Vec<&Entry> = inner.kinds.values().collect();
        entries.sort_by_key(|entry| entry.hosts.first_key_value());
        KindList { kinds: entries.into_iter().map(offer).collect() }
    }

    /// Parameters of a kind that name something which only one operation may use at a time.
    pub(crate) fn exclusive(&self, kind: &KindName) -> Vec<String> {
        self.inner.read().kinds.get(kind).map(|entry| entry.form.exclusive.clone()).unwrap_or_default()
    }

    /// Whether a kind has such parameters.
    pub(crate) fn is_exclusive(&self, kind: &KindName) -> bool {
        self.inner.read().kinds.get(kind).is_some_and(|entry| !entry.form.exclusive.is_empty())
    }

    /// Key of the operations of a kind that may not run at the same time; `None` if all may.
    pub(crate) fn exclusive_key(&self, kind: &KindName, params: &Value) -> Option<String> {
        self.inner.read().kinds.get(kind)?.form.exclusive_key(params)
    }

    /// A connected host that offers the kind, if any.
    pub(crate) fn connected(&self, kind: &KindName) -> Option<HostName> {
        let inner = self.inner.read();
        inner.kinds.get(kind)?.hosts.keys().find(|host| inner.up.contains(*host)).cloned()
    }

    /// Checks parameters; returns them as the host expects them, without secret values, and the title of the operation.
    ///
    /// # Errors
    /// `UnknownKind` with the available kinds, `KindNotKnownYet` while a host that may have the kind has not connected
    /// since the server started, or `InvalidParams` with a message for each parameter.
    pub(crate) fn check(&self, kind: &KindName, params: &Value) -> Result<Checked, EngineError> {
        let inner = self.inner.read();
        let Some(entry) = inner.kinds.get(kind) else {
            return Err(inner.unknown(kind));
        };
        match entry.form.check(params) {
            Ok(mut params) => {
                let secrets = entry.form.take_secrets(&mut params);
                let disclosed = inner.disclosed((self.sets)(kind, &params));
                if !disclosed.is_empty() {
                    return Err(EngineError::InvalidParams(disclosed));
                }
                // Without parameters to distinguish runs, the title is the name of the kind.
                let mut shown = params.clone();
                (self.in_words)(kind, &mut shown);
                let title = entry.spec.summary.fill(&entry.form.titled(&shown));
                let names = [title.as_str(), entry.spec.title.as_str()];
                let title =
                    names.into_iter().find(|name| !name.is_empty()).unwrap_or(kind.as_str()).to_owned();
                let fields = entry.form.fields.iter();
                let secret_names =
                    fields.filter(|field| field.secret).map(|field| field.name.clone()).collect();
                Ok(Checked { params, secrets, secret_names, title })
            }
            Err(fields) => Err(EngineError::InvalidParams(fields)),
        }
    }
}

impl Inner {
    /// Errors about secret parameters that an operation would set for operations of another kind.
    fn disclosed(&self, set: Option<SetParams>) -> Vec<FieldError> {
        let Some(SetParams { kind, params }) = set else { return Vec::new() };
        let Some(entry) = self.kinds.get(&kind) else { return Vec::new() };
        let secret = params.into_iter().filter(|(name, _)| entry.form.is_secret(name));
        let error = |(name, by): (String, &str)| {
            let message = format!(
                "'{name}' of {kind} is secret, and this operation would store it in clear. Start {kind} directly for \
                 each value."
            );
            FieldError::new(by, message)
        };
        secret.map(error).collect()
    }

    fn unknown(&self, kind: &KindName) -> EngineError {
        let (kind, known) = (kind.clone(), self.kinds.keys().cloned().collect());
        if self.unmet.is_empty() {
            return EngineError::UnknownKind { kind, known, hosts_configured: self.any_hosts };
        }
        EngineError::KindNotKnownYet { kind, known, missing: self.unmet.iter().cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kind_is_unknown_only_after_every_configured_host_has_connected() {
        let kind_registry = KindRegistry::new(|_, _| (), |_, _| None);
        let [one, two]: [HostName; 2] = ["one", "two"].map(|name| name.parse().unwrap());
        let kind: KindName = "test.count".parse().unwrap();
        let refused = || kind_registry.check(&kind, &Value::Null).err().unwrap();
        kind_registry.configured(BTreeSet::new(), HashMap::new());
        assert!(matches!(refused(), EngineError::UnknownKind { hosts_configured: false, .. }));
        kind_registry.configured([one.clone(), two.clone()].into(), HashMap::new());
        kind_registry.declare(&one, &[]);
        let EngineError::KindNotKnownYet { missing, .. } = refused() else { panic!("unknown too early") };
        assert_eq!(missing, std::slice::from_ref(&two));
        assert_eq!(kind_registry.unmet(), std::slice::from_ref(&two));
        kind_registry.declare(&two, &[]);
        // A host that is unreachable later has told its kinds.
        kind_registry.away(&two);
        assert!(matches!(refused(), EngineError::UnknownKind { hosts_configured: true, .. }));
    }

    #[test]
    fn a_host_that_declares_a_secret_as_an_open_text_does_not_get_the_kind() {
        let kind_registry = KindRegistry::new(|_, _| (), |_, _| None);
        let [one, two]: [HostName; 2] = ["one", "two"].map(|name| name.parse().unwrap());
        let spec = |token: Value| -> KindSpec {
            let params = json!({"type": "object", "properties": {"token": token}});
            let spec =
                json!({"name": "exec.push", "title": "", "description": "", "summary": "", "params": params});
            serde_json::from_value(spec).unwrap()
        };
        let (secret, open) =
            (spec(json!({"type": "string", "writeOnly": true})), spec(json!({"type": "string"})));
        let secrets = || {
            let checked = kind_registry.check(&secret.name, &json!({"token": "hunter2"})).unwrap();
            (checked.secrets.len(), kind_registry.inner.read().kinds[&secret.name].hosts.len())
        };
        kind_registry.declare(&one, std::slice::from_ref(&secret));
        kind_registry.declare(&two, std::slice::from_ref(&open));
        assert_eq!(secrets(), (1, 1));
        kind_registry.declare(&two, std::slice::from_ref(&secret));
        assert_eq!(secrets(), (1, 2));
        // The only host with the kind may change it.
        kind_registry.declare(&two, &[]);
        kind_registry.declare(&one, std::slice::from_ref(&open));
        assert_eq!(secrets(), (0, 1));
    }
}
