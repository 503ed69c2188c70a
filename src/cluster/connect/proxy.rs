//! Which proxy a server is reached through. Decided here, because kube 5 compares `NO_PROXY` with the proxy's address.

use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;

/// What the environment says about proxies.
#[derive(Debug, Default)]
pub(super) struct Environment {
    pub(super) proxy: Option<String>,
    pub(super) no_proxy: String,
}

impl Environment {
    pub(super) fn read() -> Self {
        let first = |names: [&str; 2]| names.into_iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty());
        Self { proxy: first(["HTTPS_PROXY", "https_proxy"]), no_proxy: first(["NO_PROXY", "no_proxy"]).unwrap_or_default() }
    }
}

/// The proxy for a server: the kubeconfig's as it stands; else the environment's, unless the server is on this machine or excepted.
pub(super) fn choose(server: &Uri, explicit: Option<&str>, environment: &Environment) -> Option<Uri> {
    if let Some(explicit) = explicit {
        return explicit.parse().ok();
    }
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']);
    if is_loopback(host) || excepted(host, &environment.no_proxy) {
        return None;
    }
    environment.proxy.as_deref().and_then(|proxy| proxy.parse().ok())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether `NO_PROXY` covers a host: `*`, addresses, ranges, and names with all that is below them.
fn excepted(host: &str, no_proxy: &str) -> bool {
    let address = host.parse::<IpAddr>().ok();
    no_proxy.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let name = entry.split_once(':').map_or(entry, |(name, port)| if port.chars().all(|c| c.is_ascii_digit()) { name } else { entry });
        match (address, name.parse::<IpNet>(), name.parse::<IpAddr>()) {
            _ if entry == "*" => true,
            (Some(address), Ok(range), _) => range.contains(&address),
            (Some(address), _, Ok(other)) => address == other,
            (Some(_), ..) => false,
            _ => {
                let (name, host) = (name.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase(), host.to_ascii_lowercase());
                !name.is_empty() && (host == name || host.strip_suffix(&name).is_some_and(|before| before.ends_with('.')))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_own_address_decides() {
        let through = |server: &str, no_proxy: &str| {
            let environment = Environment { proxy: Some("http://10.1.1.1:3128".to_owned()), no_proxy: no_proxy.to_owned() };
            choose(&server.parse().unwrap(), None, &environment).is_some()
        };
        for (server, no_proxy, proxied) in [
            ("https://10.0.0.1:6443", "", true),
            ("https://10.0.0.1:6443", "10.0.0.0/8", false),
            ("https://11.0.0.1:6443", "10.0.0.0/8", true),
            ("https://10.0.0.1:6443", "10.1.1.1", true),
            ("https://10.0.0.1:6443", "10.0.0.1:6443", false),
            ("https://127.0.0.1:6443", "", false),
            ("https://[::1]:6443", "", false),
            ("http://localhost:1", "", false),
            ("https://api.example.com", ".example.com", false),
            ("https://api.example.com", "example.com", false),
            ("https://badexample.com", "example.com", true),
            ("https://api.example.com", "*", false),
        ] {
            assert_eq!(through(server, no_proxy), proxied, "{server} {no_proxy}");
        }
    }

    #[test]
    fn the_kubeconfigs_proxy_stands() {
        let chosen = choose(&"https://127.0.0.1".parse().unwrap(), Some("socks5://localhost:1"), &Environment::default());
        assert!(chosen.is_some());
    }
}
