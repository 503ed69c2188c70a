//! `[network]`: how policies are read, where things are that the cluster does not tell, and what every tenant may do.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use serde::Deserialize;

use super::file::ConfigError;
use crate::model::containers::PortProtocol;
use crate::model::ids::Name;
use crate::netpol::ports::PortSet;
use crate::netpol::profile::Profile;
use crate::netpol::target::{Places, VaultPlace};
use crate::posture::net::granted::Granted;

/// The port of Vault where none is said.
const VAULT_PORT: u16 = 8200;

/// Settings of the network wall.
#[derive(Clone, Debug, Default)]
pub struct NetworkConfig {
    /// How policies are read.
    pub profile: Profile,
    /// Where the fixed targets are.
    pub places: Places,
    /// What tenants may do beyond their walls.
    pub granted: Granted,
}

/// `[network]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSection {
    /// `spec`, `cilium` or `np-guard`.
    pub profile: Option<String>,
    /// Where workloads would find Vault: `namespace/service:port`, `address:port` or a URL. Without it: `VAULT_ADDR`.
    pub vault: Option<String>,
    /// Ranges of pods that no Node names.
    pub pod_ranges: Vec<IpNet>,
    /// Ranges of Services.
    pub service_ranges: Vec<IpNet>,
    /// Namespaces that may connect to tenants, added to the known ones; `*` at the end for a prefix.
    pub entry_points: Vec<String>,
    /// Addresses that every tenant may reach.
    pub granted: Vec<GrantedSection>,
}

/// `[[network.granted]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantedSection {
    /// The range.
    pub to: IpNet,
    /// TCP ports; none: every port.
    #[serde(default)]
    pub tcp: Vec<u16>,
    /// UDP ports.
    #[serde(default)]
    pub udp: Vec<u16>,
}

impl NetworkSection {
    /// The settings; `vault` is the address of Vault that this program itself uses.
    pub(super) fn settings(&self, at: &Path, vault: Option<&str>) -> Result<NetworkConfig, ConfigError> {
        let wrong = |key: &'static str, value: &str, why: &str| ConfigError::Value {
            path: at.to_owned(),
            key,
            value: value.to_owned(),
            why: why.to_owned(),
        };
        let profile = match &self.profile {
            Some(text) => Profile::named(text).ok_or_else(|| wrong("network.profile", text, "none of spec, cilium, np-guard"))?,
            None => Profile::default(),
        };
        let named = match &self.vault {
            Some(text) => Some(place(text).ok_or_else(|| wrong("network.vault", text, "no namespace/service:port, address:port or URL"))?),
            None => vault.and_then(place),
        };
        let mut granted = Granted::default();
        granted.entry.extend(self.entry_points.iter().map(|name| Name::from(name.as_str())));
        granted.addresses.extend(self.granted.iter().map(|section| (section.to, section.ports())));
        let places = Places { vault: named, pod_ranges: self.pod_ranges.clone(), service_ranges: self.service_ranges.clone() };
        Ok(NetworkConfig { profile, places, granted })
    }
}

impl GrantedSection {
    fn ports(&self) -> PortSet {
        if self.tcp.is_empty() && self.udp.is_empty() {
            return PortSet::all();
        }
        let of = |protocol: PortProtocol, ports: &[u16]| ports.iter().map(move |port| (protocol, *port, *port)).collect::<Vec<_>>();
        PortSet::from_ranges([of(PortProtocol::Tcp, &self.tcp), of(PortProtocol::Udp, &self.udp)].concat())
    }
}

/// Reads where Vault is. A name with `.svc` is a Service of the cluster.
fn place(text: &str) -> Option<VaultPlace> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
    if scheme.is_none()
        && let Some((namespace, service)) = rest.split_once('/')
    {
        let (name, port) = host_port(service)?;
        return Some(VaultPlace::Service { namespace: namespace.into(), name: name.into(), port: port.unwrap_or(VAULT_PORT) });
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = host_port(authority)?;
    let port = port.unwrap_or(match scheme {
        Some("http") => 80,
        Some("https") => 443,
        _ => VAULT_PORT,
    });
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        // a loopback address is this machine's own: a port-forward, and no place that a pod could go to
        return (!address.is_loopback()).then(|| VaultPlace::Addresses(vec![IpNet::from(address)], port));
    }
    let mut parts = host.split('.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(namespace), Some("svc")) => Some(VaultPlace::Service { namespace: namespace.into(), name: name.into(), port }),
        _ if host == "localhost" => None,
        _ => Some(VaultPlace::Host(host.into(), port)),
    }
}

/// A host with its port, if it has one; none for an empty host or a port that is no number.
fn host_port(text: &str) -> Option<(&str, Option<u16>)> {
    let bracket = text.rfind(']').unwrap_or(0);
    let (host, port) = match text.rfind(':').filter(|colon| *colon >= bracket) {
        Some(colon) => {
            let (host, port) = text.split_at(colon);
            (host, Some(port.strip_prefix(':')?.parse().ok()?))
        }
        None => (text, None),
    };
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_vault_is() {
        let service = |port| Some(VaultPlace::Service { namespace: "vault".into(), name: "bao".into(), port });
        for (text, expected) in [
            ("vault/bao:8201", service(8201)),
            ("vault/bao", service(8200)),
            ("https://bao.vault.svc:8200", service(8200)),
            ("https://bao.vault.svc.cluster.local/", service(443)),
            ("http://10.0.0.7:8200", Some(VaultPlace::Addresses(vec!["10.0.0.7/32".parse().unwrap()], 8200))),
            ("https://[fd00::7]:8200", Some(VaultPlace::Addresses(vec!["fd00::7/128".parse().unwrap()], 8200))),
            ("https://vault.example", Some(VaultPlace::Host("vault.example".into(), 443))),
            ("http://127.0.0.1:8200", None),
            ("http://localhost:8200", None),
            ("http://:8200", None),
            ("https://vault:many", None),
        ] {
            assert_eq!(place(text), expected, "{text}");
        }
    }

    #[test]
    fn a_section_is_read_and_a_wrong_profile_refused() {
        let section: NetworkSection = toml::from_str(
            "profile = 'cilium'\nentry_points = ['gateway']\npod_ranges = ['10.1.0.0/16']\n[[granted]]\nto = '10.9.0.1/32'\ntcp = [5432]",
        )
        .unwrap();
        let settings = section.settings(Path::new("c.toml"), Some("http://10.0.0.7:8200")).unwrap();
        assert_eq!(settings.profile, Profile::Cilium);
        assert!(settings.granted.is_entry("gateway") && settings.granted.is_entry("ingress-nginx"));
        let range = "10.9.0.1/32".parse().unwrap();
        assert_eq!(settings.granted.beyond(&range, &PortSet::range(PortProtocol::Tcp, 5432, 5433)).words(), "TCP 5433");
        assert!(settings.places.vault.is_some());
        let wrong = NetworkSection { profile: Some("calico".into()), ..section };
        assert!(wrong.settings(Path::new("c.toml"), None).unwrap_err().to_string().contains("network.profile"));
    }
}
