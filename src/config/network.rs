//! `[network]`: how policies are read, where things are, and what tenants are granted.

use std::path::Path;

use ipnet::IpNet;
use serde::Deserialize;

use super::file::ConfigError;
use crate::model::containers::PortProtocol;
use crate::model::ids::Name;
use crate::netpol::ports::PortSet;
use crate::netpol::profile::{PROFILES, Profile};
use crate::netpol::reach::Options;
use crate::netpol::target::{Places, VaultPlace};
use crate::posture::net::granted::Granted;

/// Vault's port where its address names none.
const VAULT_PORT: u16 = 8200;

/// `[network]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSection {
    /// `spec`, `cilium` or `np-guard`.
    pub profile: Option<String>,
    /// Namespaces that connections to tenants may come from, added to the known ones; `*` at the end for a prefix.
    pub entry_points: Vec<String>,
    /// Addresses that every tenant may reach: `10.1.2.3/32 TCP 5432`.
    pub granted: Vec<String>,
    /// Ranges of pods, beside those that Nodes name.
    pub pod_ranges: Vec<String>,
    /// Ranges of Services.
    pub service_ranges: Vec<String>,
}

impl NetworkSection {
    /// What tenants are granted.
    pub(super) fn granted(&self, path: &Path) -> Result<Granted, ConfigError> {
        let mut granted = Granted::default();
        granted.entry.extend(self.entry_points.iter().map(|name| Name::from(name.as_str())));
        for text in &self.granted {
            let read = grant(text).ok_or_else(|| wrong(path, "network.granted", text, "not like 10.1.2.3/32 TCP 5432"))?;
            granted.addresses.push(read);
        }
        Ok(granted)
    }

    /// How policies are read, and where the targets are.
    pub(super) fn reach(&self, path: &Path, vault: Option<&str>) -> Result<Options, ConfigError> {
        let profile = match &self.profile {
            None => Profile::default(),
            Some(text) => {
                let known = PROFILES.map(Profile::word).join(", ");
                Profile::named(text).ok_or_else(|| wrong(path, "network.profile", text, &format!("none of {known}")))?
            }
        };
        let ranges = |key, list: &[String]| {
            let range = |text: &String| text.parse().map_err(|_error| wrong(path, key, text, "no range such as 10.244.0.0/16"));
            list.iter().map(range).collect::<Result<Vec<IpNet>, _>>()
        };
        let places = Places {
            vault: vault.and_then(vault_place),
            pod_ranges: ranges("network.pod_ranges", &self.pod_ranges)?,
            service_ranges: ranges("network.service_ranges", &self.service_ranges)?,
        };
        Ok(Options { profile, places, ..Options::default() })
    }
}

fn wrong(path: &Path, key: &'static str, value: &str, why: &str) -> ConfigError {
    ConfigError::Value { path: path.to_owned(), key, value: value.to_owned(), why: why.to_owned() }
}

/// `10.1.2.3/32 TCP 5432`, `10.0.0.0/8 UDP 1000-2000`.
fn grant(text: &str) -> Option<(IpNet, PortSet)> {
    let mut parts = text.split_whitespace();
    let net: IpNet = parts.next()?.parse().ok()?;
    let protocol = match parts.next()?.to_ascii_uppercase().as_str() {
        "TCP" => PortProtocol::Tcp,
        "UDP" => PortProtocol::Udp,
        "SCTP" => PortProtocol::Sctp,
        _ => return None,
    };
    let ports = parts.next()?;
    let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
    let set = PortSet::range(protocol, from.parse().ok()?, to.parse().ok()?);
    (parts.next().is_none() && !set.is_empty()).then_some((net, set))
}

/// Where Vault is, by the address that we reach it at: tenants may reach it at another, which nobody tells us.
fn vault_place(address: &str) -> Option<VaultPlace> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next()?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.parse().unwrap_or(VAULT_PORT)),
        _ => (authority, VAULT_PORT),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = host.parse::<std::net::IpAddr>() {
        return Some(VaultPlace::Addresses(vec![IpNet::from(ip)], port));
    }
    let labels: Vec<&str> = host.split('.').collect();
    match labels.as_slice() {
        [name, namespace, "svc", ..] => Some(VaultPlace::Service { namespace: (*namespace).into(), name: (*name).into(), port }),
        [] | [""] => None,
        _ => Some(VaultPlace::Host(host.into(), port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_and_nonsense_is_named() {
        let (net, ports) = grant("10.1.2.3/32 tcp 5432").unwrap();
        assert_eq!((net.to_string().as_str(), ports.words().as_str()), ("10.1.2.3/32", "TCP 5432"));
        for odd in ["", "10.1.2.3", "10.1.2.3/32 TCP", "10.1.2.3/32 ICMP 1", "10.1.2.3/32 TCP 5 6", "10.1.2.3/32 TCP 9-1"] {
            assert!(grant(odd).is_none(), "{odd}");
        }
        let section = NetworkSection { profile: Some("calico".into()), ..NetworkSection::default() };
        let error = section.reach(Path::new("c.toml"), None).unwrap_err().to_string();
        assert!(error.contains("network.profile") && error.contains("cilium"), "{error}");
    }

    #[test]
    fn vault_is_where_its_address_says() {
        let service = VaultPlace::Service { namespace: "vault".into(), name: "openbao".into(), port: 8200 };
        assert_eq!(vault_place("https://openbao.vault.svc.cluster.local:8200"), Some(service));
        assert_eq!(vault_place("http://127.0.0.1:18200/"), Some(VaultPlace::Addresses(vec!["127.0.0.1/32".parse().unwrap()], 18200)));
        assert_eq!(vault_place("https://[fd00::1]:8200"), Some(VaultPlace::Addresses(vec!["fd00::1/128".parse().unwrap()], 8200)));
        assert_eq!(vault_place("https://vault.example"), Some(VaultPlace::Host("vault.example".into(), 8200)));
        assert_eq!(vault_place(""), None);
    }
}
