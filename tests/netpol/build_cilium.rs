//! Cilium's policies in few words.

use partywall::model::changes::Fact;
use partywall::model::ciliumpolicy::{
    CidrGroupFact, CiliumBlock, CiliumEntry, CiliumPeers, CiliumPolicyFact, CiliumPorts, CiliumRule, CiliumService, CiliumSubject,
};
use partywall::model::ids::Name;
use partywall::model::kind::Kind;
use partywall::model::platform::{CiliumConfigFact, ForeignPolicyFact};

use crate::build::{World, meta, ports, selector};

impl World {
    /// A Cilium policy of one rule: namespaced by `a/name`, cluster-wide by `name`. Subject: a selector, `nodes:SELECTOR` or `?`. Lines:
    /// `ingress`, `ingress-deny`, `egress`, `egress-deny` and an entry; or `default-deny ingress=false`; or `ingress []`.
    pub fn cilium(self, id: &str, subject: &str, lines: &[&str]) -> Self {
        let kind = if id.contains('/') { Kind::CiliumNetworkPolicy } else { Kind::CiliumClusterwideNetworkPolicy };
        let rules = [cilium_rule(subject, lines)].into();
        self.fact(Fact::CiliumPolicy(CiliumPolicyFact { meta: meta(id), kind, rules }))
    }

    pub fn cidr_group(self, name: &str, cidrs: &[&str], unreadable: bool) -> Self {
        let cidrs = cidrs.iter().map(|cidr| cidr.parse().unwrap()).collect();
        self.fact(Fact::CidrGroup(CidrGroupFact { meta: meta(name), labels: std::sync::Arc::default(), cidrs, unreadable }))
    }

    pub fn foreign(self, kind: Kind, id: &str) -> Self {
        self.fact(Fact::Foreign(ForeignPolicyFact { meta: meta(id), kind }))
    }

    pub fn cilium_config(self, set: impl FnOnce(&mut CiliumConfigFact)) -> Self {
        let mut config = CiliumConfigFact {
            meta: meta("kube-system/cilium-config"),
            enable_policy: None,
            audit_mode: None,
            allow_localhost: None,
            cidr_match_mode: None,
            k8s_network_policy: None,
            host_firewall: None,
        };
        set(&mut config);
        self.fact(Fact::CiliumConfig(config))
    }
}

pub fn cilium_rule(subject: &str, lines: &[&str]) -> CiliumRule {
    let subject = match subject.split_once(':') {
        _ if subject == "?" => CiliumSubject::Unreadable("no known field".into()),
        Some(("nodes", nodes)) => CiliumSubject::Nodes(selector(nodes)),
        _ => CiliumSubject::Endpoints(selector(subject)),
    };
    let of = |list: &str| {
        let own = lines.iter().filter_map(|line| line.strip_prefix(list)?.strip_prefix(' ')).filter(|entry| *entry != "[]");
        own.map(entry).collect::<Box<[CiliumEntry]>>()
    };
    let asked = |direction: &str| {
        let line = lines.iter().filter_map(|line| line.strip_prefix("default-deny ")).find_map(|text| text.strip_prefix(direction))?;
        Some(line == "=true")
    };
    CiliumRule {
        subject,
        ingress: of("ingress"),
        ingress_deny: of("ingress-deny"),
        egress: of("egress"),
        egress_deny: of("egress-deny"),
        default_deny_ingress: asked("ingress"),
        default_deny_egress: asked("egress"),
    }
}

/// `{}` for nothing; words `ep:SELECTOR` (several make one list), `ep[]`, `ent:world,host`, `ent[]`, `cidr:NET!EXCEPT`, `group:NAME`,
/// `cidr?`, `svc:NAMESPACE/NAME`, `svc:NAME`, `fqdn:NAME`, `nodes:SELECTOR`, `?`; `requires:SELECTOR`, `icmp`, `auth`; then
/// `on TCP:80 @http l7`.
pub fn entry(text: &str) -> CiliumEntry {
    let (text, on) =
        text.strip_prefix("on ").map_or_else(|| text.split_once(" on ").map_or((text, None), |(a, b)| (a, Some(b))), |on| ("", Some(on)));
    let mut entry = CiliumEntry { peers: [].into(), ports: None, icmp_only: false, requires: [].into(), authenticated: false };
    let (mut endpoints, mut blocks, mut services, mut names) = (None, None, None, None);
    let mut nodes = None;
    let (mut peers, mut requires) = (Vec::new(), Vec::new());
    for word in text.split(' ').filter(|word| !word.is_empty() && *word != "{}") {
        match word.split_once(':') {
            Some(("ep", text)) => endpoints.get_or_insert_with(Vec::new).push(selector(text)),
            Some(("ent", list)) => peers.push(CiliumPeers::Entities(list.split(',').map(Name::from).collect())),
            Some(("cidr", text)) => {
                let (cidr, except) = text.split_once('!').map_or((text, None), |(cidr, except)| (cidr, Some(except)));
                let except = except.into_iter().map(|net| net.parse().unwrap()).collect();
                blocks.get_or_insert_with(Vec::new).push(CiliumBlock::Range { cidr: cidr.parse().unwrap(), except });
            }
            Some(("group", name)) => {
                blocks.get_or_insert_with(Vec::new).push(CiliumBlock::Group { name: name.into(), except: [].into() });
            }
            Some(("svc", id)) => {
                let (namespace, name) = id.split_once('/').map_or((None, id), |(namespace, name)| (Some(namespace.into()), name));
                services.get_or_insert_with(Vec::new).push(CiliumService::Named { namespace, name: name.into() });
            }
            Some(("fqdn", name)) => names.get_or_insert_with(Vec::new).push(name.into()),
            Some(("nodes", text)) => nodes.get_or_insert_with(Vec::new).push(selector(text)),
            Some(("requires", text)) => requires.push(selector(text)),
            _ => match word {
                "ep[]" => endpoints = Some(Vec::new()),
                "ent[]" => peers.push(CiliumPeers::Entities([].into())),
                "cidr?" => blocks.get_or_insert_with(Vec::new).push(CiliumBlock::Unreadable("no range".into())),
                "icmp" => entry.icmp_only = true,
                "auth" => entry.authenticated = true,
                "?" => peers.push(CiliumPeers::Unreadable("fromGroups".into())),
                other => panic!("what is {other}?"),
            },
        }
    }
    peers.extend(endpoints.map(|list| CiliumPeers::Endpoints(list.into())));
    peers.extend(blocks.map(|list| CiliumPeers::Blocks(list.into())));
    peers.extend(services.map(|list| CiliumPeers::Services(list.into())));
    peers.extend(names.map(|list| CiliumPeers::Names(list.into())));
    peers.extend(nodes.map(|list| CiliumPeers::Nodes(list.into())));
    let list = |on: &str| CiliumPorts {
        ports: on.split(' ').filter(|word| *word != "l7").flat_map(ports).collect(),
        filtered: on.split(' ').any(|word| word == "l7"),
    };
    entry.ports = on.map(|on| [list(on)].into());
    entry.peers = peers.into();
    entry.requires = requires.into();
    entry
}
