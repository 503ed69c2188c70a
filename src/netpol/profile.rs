//! How a CNI reads what the API leaves open, as data.

/// A named reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Profile {
    /// The API's text, and where that is silent its conformance tests.
    #[default]
    Spec,
    /// Cilium with its defaults.
    Cilium,
    /// As the manifest analyser np-guard reads them.
    NpGuard,
}

/// All profiles.
pub const PROFILES: [Profile; 3] = [Profile::Spec, Profile::Cilium, Profile::NpGuard];

/// What happens to pods on the node's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostNetwork {
    /// Never selected, as subject or as peer; their traffic is the node's.
    Outside,
    /// Like any pod.
    Ordinary,
    /// They carry the node's identity (host, remote-node).
    Node,
}

/// The switches of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edges {
    /// An ipBlock matches the address of a pod.
    pub cidr_matches_pods: bool,
    /// A CIDR matches the address of a node.
    pub cidr_matches_nodes: bool,
    /// Pods on the node's network.
    pub host_network: HostNetwork,
    /// Pods that have ended still count.
    pub finished_count: bool,
    /// IPv6 is looked at.
    pub ipv6: bool,
    /// Pods named `virt-launcher-…` are skipped.
    pub skips_virt_launcher: bool,
}

impl Profile {
    /// As written on a command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Spec => "spec",
            Self::Cilium => "cilium",
            Self::NpGuard => "np-guard",
        }
    }

    /// The profile of that name.
    pub fn named(text: &str) -> Option<Self> {
        PROFILES.into_iter().find(|profile| profile.word() == text)
    }

    /// Its switches.
    pub const fn edges(self) -> Edges {
        let spec = Edges {
            cidr_matches_pods: true,
            cidr_matches_nodes: true,
            host_network: HostNetwork::Outside,
            finished_count: false,
            ipv6: true,
            skips_virt_launcher: false,
        };
        match self {
            Self::Spec => spec,
            Self::Cilium => Edges { cidr_matches_pods: false, cidr_matches_nodes: false, host_network: HostNetwork::Node, ..spec },
            Self::NpGuard => Edges {
                cidr_matches_pods: false,
                host_network: HostNetwork::Ordinary,
                finished_count: true,
                ipv6: false,
                skips_virt_launcher: true,
                ..spec
            },
        }
    }
}

/// Cilium's `enable-policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Enforcement {
    /// Isolated as soon as a rule says so.
    #[default]
    Default,
    /// Everything is denied unless allowed.
    Always,
    /// Nothing is enforced.
    Never,
}
