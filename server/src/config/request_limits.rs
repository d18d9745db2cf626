//! `[request_limits]`: what one user, token or address may use.

use crate::limits::{ExemptAddresses, LimitSettings};
use anyhow::{bail, ensure};
use ipnet::IpNet;
use protocol::access::Role;
use serde::Deserialize;
use std::collections::HashMap;
use std::net::{AddrParseError, IpAddr};
use std::time::Duration;

/// Sizes of a request's head that can be configured, in bytes.
const HEADER_BYTES: std::ops::RangeInclusive<u32> = 8 << 10..=1 << 20;

/// Largest number of files for the database, hosts, and static files.
#[cfg(unix)]
const MAX_RESERVED_FILES: u64 = 500;

/// `[request_limits]`. 0 is no limit; times are in seconds.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileRequestLimits {
    requests_per_second: Option<u32>,
    starts_per_minute: Option<u32>,
    /// By role.
    active_operations: HashMap<Role, u32>,
    sign_ins_per_minute: Option<u32>,
    streams: Option<u32>,
    connections_per_address: Option<u32>,
    connections: Option<u32>,
    header_timeout: Option<f64>,
    body_timeout: Option<f64>,
    max_header_bytes: Option<u32>,
    /// IP addresses, networks, and `loopback` for all loopback addresses.
    exempt_addresses: Option<Vec<String>>,
}

/// Limits by the file, and by the number of files that the process may open.
///
/// # Errors
/// A sentence that names the key, and the correct form.
pub(super) fn settings(file: FileRequestLimits) -> anyhow::Result<LimitSettings> {
    let default = LimitSettings::default();
    let max_header_bytes = file.max_header_bytes.unwrap_or(default.max_header_bytes);
    ensure!(
        HEADER_BYTES.contains(&max_header_bytes),
        "request_limits.max_header_bytes is {max_header_bytes} bytes; use {} to {} bytes",
        HEADER_BYTES.start(),
        HEADER_BYTES.end()
    );
    let connections = number(file.connections, default.connections);
    Ok(LimitSettings {
        requests_per_second: number(file.requests_per_second, default.requests_per_second),
        starts_per_minute: number(file.starts_per_minute, default.starts_per_minute),
        active_operations: file.active_operations.into_iter().filter(|(_, most)| *most > 0).collect(),
        sign_ins_per_minute: number(file.sign_ins_per_minute, default.sign_ins_per_minute),
        streams: number(file.streams, default.streams),
        connections_per_address: number(file.connections_per_address, default.connections_per_address),
        connections: [connections, connections_by_files()].into_iter().flatten().min(),
        header_timeout: seconds("header_timeout", file.header_timeout, default.header_timeout)?,
        body_timeout: seconds("body_timeout", file.body_timeout, default.body_timeout)?,
        max_header_bytes,
        exempt: file.exempt_addresses.map_or(Ok(default.exempt), exempt)?,
    })
}

fn number(given: Option<u32>, default: Option<u32>) -> Option<u32> {
    given.map_or(default, |n| Some(n).filter(|n| *n > 0))
}

fn seconds(key: &str, given: Option<f64>, default: Option<Duration>) -> anyhow::Result<Option<Duration>> {
    match given {
        None => Ok(default),
        Some(0.0) => Ok(None),
        Some(n) if (0.1..=3_600.0).contains(&n) => Ok(Some(Duration::from_secs_f64(n))),
        Some(n) => bail!("request_limits.{key} is {n}; use seconds from 0.1 to 3600, or 0 for no limit"),
    }
}

fn exempt(given: Vec<String>) -> anyhow::Result<ExemptAddresses> {
    let mut exempt = ExemptAddresses { loopback: false, others: Vec::new() };
    for text in given {
        let network = text.parse::<IpNet>().or_else(|_| {
            let address = text.parse::<IpAddr>()?;
            Ok::<_, AddrParseError>(address.to_canonical().into())
        });
        match network {
            Ok(network) => exempt.others.push(network),
            Err(_) if text == "loopback" => exempt.loopback = true,
            Err(_) => bail!(
                "request_limits.exempt_addresses has '{text}'; use IP addresses, networks such as 10.1.0.0/16, or \
                 \"loopback\" for all loopback addresses"
            ),
        }
    }
    Ok(exempt)
}

/// Connections that leave some files for everything else: a quarter, but not more than [`MAX_RESERVED_FILES`].
fn connections_by_files() -> Option<u32> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        let files = getrlimit(Resource::Nofile).current?;
        Some(u32::try_from(files - (files / 4).min(MAX_RESERVED_FILES)).unwrap_or(u32::MAX).max(1))
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<LimitSettings> {
        settings(toml::from_str(text)?)
    }

    #[test]
    fn keys_replace_defaults_and_zero_is_no_limit() {
        let default = LimitSettings::default();
        let unchanged = read("").unwrap();
        assert_eq!(unchanged, LimitSettings { connections: unchanged.connections, ..default.clone() });
        assert!(unchanged.connections <= default.connections);
        let changed =
            read("streams = 3\nstarts_per_minute = 0\nbody_timeout = 0.5\nheader_timeout = 0").unwrap();
        assert_eq!((changed.streams, changed.starts_per_minute), (Some(3), None));
        assert_eq!((changed.body_timeout, changed.header_timeout), (Some(Duration::from_millis(500)), None));
        assert_eq!(changed.requests_per_second, default.requests_per_second);
        let quotas = read("active_operations = { operator = 5, admin = 0 }").unwrap().active_operations;
        assert_eq!(quotas, HashMap::from([(Role::Operator, 5)]));
    }

    #[test]
    fn exempt_addresses_replace_loopback() {
        let exempt = |list: &str| read(&format!("exempt_addresses = {list}")).unwrap().exempt;
        assert_eq!(exempt("[]"), ExemptAddresses { loopback: false, others: Vec::new() });
        let others = vec!["192.0.2.7/32".parse().unwrap(), "10.1.0.0/16".parse().unwrap()];
        let all = ExemptAddresses { loopback: true, others };
        assert_eq!(exempt("['loopback', '192.0.2.7', '10.1.0.0/16']"), all);
    }

    #[test]
    fn an_invalid_limit_is_named_with_a_correction() {
        for (text, named) in [
            ("exempt_addresses = ['10.0.0.0/33']", "exempt_addresses has '10.0.0.0/33'; use IP addresses"),
            ("body_timeout = -1", "body_timeout is -1; use seconds"),
            ("max_header_bytes = 100", "max_header_bytes is 100 bytes; use 8192"),
            ("active_operations = { root = 3 }", "unknown variant `root`"),
            ("stream = 3", "unknown field `stream`"),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains(named), "{error}");
        }
    }
}
