//! Plans: in the right order, named without collision, and their findings pass once they are applied.

use partywall::fix::plan::FixPlan;
use partywall::fix::recipes::plan;
use partywall::model::changes::{Change, Fact};
use partywall::model::ids::Name;
use partywall::model::kind::Kind;
use partywall::model::labels::LabelSelector;
use partywall::model::limits::{LimitItem, LimitRangeFact};
use partywall::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyPort, PolicyRule, PortMatch, Protocol};
use partywall::model::quantity::Quantity;
use partywall::model::source::SourceState;
use partywall::model::store::Store;
use partywall::posture::engine::{EngineConfig, from_scratch};
use partywall::posture::verdict::{Declared, Verdict};
use partywall::receipt::book::Book;
use serde_json::{Value, json};

use crate::facts::*;

const NS: &str = "web-tenant-acme";

fn planned(store: &mut Store, check: &str) -> Result<FixPlan, String> {
    let (snapshot, _) = store.publish();
    let tenants = from_scratch(&EngineConfig::default(), &snapshot, &Book::default(), noon()).tenants;
    plan(check, &snapshot, &tenants, &"acme".into()).map_err(|none| none.why)
}

fn declared(store: &mut Store, check: &str) -> Declared {
    let (snapshot, _) = store.publish();
    let assessment = from_scratch(&EngineConfig::default(), &snapshot, &Book::default(), noon());
    assessment.by_tenant.get("acme").unwrap().checks.iter().find(|result| result.check.id == check).unwrap().declared
}

fn names(plan: &FixPlan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.object.name.as_ref()).collect()
}

/// The fact of a manifest, as the cluster source would project it.
fn apply(store: &mut Store, plan: &FixPlan) {
    for step in &plan.steps {
        let (spec, name) = (&step.manifest["spec"], step.object.name.as_ref());
        assert_eq!((step.manifest["metadata"]["namespace"].as_str(), step.manifest["metadata"]["name"].as_str()), (Some(NS), Some(name)));
        let fact = match step.object.kind {
            Kind::NetworkPolicy => Fact::NetworkPolicy(project_policy(name, spec)),
            Kind::LimitRange => Fact::LimitRange(project_range(name, spec)),
            other => panic!("{other}"),
        };
        store.apply(put(fact));
    }
}

fn project_selector(value: &Value) -> LabelSelector {
    let labels = value["matchLabels"].as_object().into_iter().flatten();
    selector(&labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap())).collect::<Vec<_>>().join(","))
}

fn project_policy(name: &str, spec: &Value) -> NetworkPolicyFact {
    let types: Vec<&str> = spec["policyTypes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let rules = |direction: &str, peers: &str| -> Box<[PolicyRule]> {
        let peer = |peer: &Value| Peer::Pods {
            namespaces: peer.get("namespaceSelector").map(project_selector),
            pods: peer.get("podSelector").map(project_selector),
        };
        let port = |port: &Value| PolicyPort {
            protocol: if port["protocol"] == "UDP" { Protocol::Udp } else { Protocol::Tcp },
            port: match &port["port"] {
                Value::String(name) => PortMatch::Named(name.as_str().into()),
                number => PortMatch::Range(number.as_u64().unwrap() as u16, number.as_u64().unwrap() as u16),
            },
        };
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        list(&spec[direction])
            .iter()
            .map(|rule| PolicyRule {
                peers: list(&rule[peers]).iter().map(peer).collect(),
                ports: list(&rule["ports"]).iter().map(port).collect(),
            })
            .collect()
    };
    NetworkPolicyFact {
        meta: meta(NS, name),
        pods: project_selector(&spec["podSelector"]),
        isolates_ingress: types.contains(&"Ingress"),
        isolates_egress: types.contains(&"Egress"),
        ingress: rules("ingress", "from"),
        egress: rules("egress", "to"),
    }
}

fn project_range(name: &str, spec: &Value) -> LimitRangeFact {
    let amounts = |value: &Value| -> Box<[(Name, Quantity)]> {
        let mut list: Vec<_> = value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, v)| (Name::from(k.as_str()), Quantity::parse(v.as_str().unwrap()).unwrap()))
            .collect();
        list.sort();
        list.into()
    };
    let item = |item: &Value| LimitItem {
        kind: item["type"].as_str().unwrap().into(),
        default: amounts(&item["default"]),
        default_request: amounts(&item["defaultRequest"]),
        max: amounts(&item["max"]),
        min: [].into(),
        ratio: [].into(),
    };
    LimitRangeFact { meta: meta(NS, name), items: spec["limits"].as_array().unwrap().iter().map(item).collect() }
}

fn without(kind: Kind) -> Store {
    let mut store = seed_store();
    for fact in seed_tenant("acme").iter().filter(|fact| fact.kind() == kind) {
        store.apply(gone(kind, NS, &fact.meta().name.clone()));
    }
    store
}

#[test]
fn the_network_base_denies_last_and_makes_its_finding_pass() {
    let mut store = without(Kind::NetworkPolicy);
    let plan = planned(&mut store, "NET-01").unwrap();
    assert_eq!(names(&plan), ["allow-dns", "allow-same-namespace", "default-deny"]);
    assert!(plan.notes.iter().any(|note| note.contains("selects 1 pod in web-tenant-acme")), "{:?}", plan.notes);
    assert!(plan.notes.iter().any(|note| note.contains("web-tenant-globex/whoami")), "{:?}", plan.notes);
    assert!(!plan.applicable(), "nothing is applied that the server has not tried");
    apply(&mut store, &plan);
    assert_eq!((declared(&mut store, "NET-01"), declared(&mut store, "NET-02")), (Declared::Right, Declared::Right));
    assert!(planned(&mut store, "NET-01").unwrap_err().contains("nothing is missing"));
}

#[test]
fn only_the_missing_direction_is_touched() {
    let mut store = without(Kind::NetworkPolicy);
    store.apply(put(Fact::NetworkPolicy(policy(NS, "default-deny", "", "I"))));
    let plan = planned(&mut store, "NET-01").unwrap();
    assert_eq!(names(&plan), ["allow-dns", "allow-same-namespace", "partywall-default-deny"], "the name is taken by another meaning");
    for step in &plan.steps {
        assert_eq!(step.manifest["spec"]["policyTypes"], json!(["Egress"]));
        assert_eq!(step.manifest["spec"].get("ingress"), None);
    }
    apply(&mut store, &plan);
    assert_eq!(declared(&mut store, "NET-01"), Declared::Right);
}

#[test]
fn what_is_there_is_not_made_again() {
    let mut store = seed_store();
    store.apply(gone(Kind::NetworkPolicy, NS, "default-deny"));
    store.apply(gone(Kind::NetworkPolicy, NS, "allow-dns"));
    // the remaining policy isolates both ways already
    assert_eq!(declared(&mut store, "NET-01"), Declared::Right);
    assert!(planned(&mut store, "NET-01").is_err());
}

#[test]
fn dns_pods_on_another_port_are_allowed_too() {
    let mut store = without(Kind::NetworkPolicy);
    for fact in service("kube-system", "kube-dns") {
        if let Fact::Service(mut service) = fact {
            let mut ports = service.ports.to_vec();
            ports[0].port = 53;
            ports[0].target = Some("5353".into());
            service.ports = ports.into();
            store.apply(put(Fact::Service(service)));
        }
    }
    let plan = planned(&mut store, "NET-02").unwrap();
    let ports = &plan.steps.first().unwrap().manifest["spec"]["egress"][0]["ports"];
    assert_eq!(
        ports,
        &json!([
            {"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}, {"port": 5353, "protocol": "UDP"}, {"port": 5353, "protocol": "TCP"}
        ])
    );
}

#[test]
fn a_rule_for_everybody_cannot_be_fixed_by_adding() {
    let mut store = without(Kind::NetworkPolicy);
    let mut open = policy(NS, "open", "", "E");
    open.egress = [anybody()].into();
    store.apply(put(Fact::NetworkPolicy(open)));
    assert!(planned(&mut store, "NET-01").unwrap_err().contains("lets everybody through"));
}

#[test]
fn nothing_is_planned_half_blind() {
    let mut store = without(Kind::NetworkPolicy);
    store.apply(Change::State(Kind::NetworkPolicy, SourceState::Denied { why: "forbidden".into() }));
    assert!(planned(&mut store, "NET-01").unwrap_err().contains("denied"));
    assert!(planned(&mut store, "RES-07").unwrap_err().contains("no recipe"));
    assert!(planned(&mut store, "XXX-1").unwrap_err().contains("no check"));
}

#[test]
fn the_limit_range_has_the_walkthroughs_numbers_and_makes_its_finding_pass() {
    let mut store = without(Kind::LimitRange);
    let plan = planned(&mut store, "RES-04").unwrap();
    assert_eq!(names(&plan), ["tenant-limits"]);
    assert_eq!(
        plan.steps.first().unwrap().manifest["spec"],
        json!({"limits": [{
            "type": "Container",
            "default": {"cpu": "500m", "memory": "512Mi"},
            "defaultRequest": {"cpu": "50m", "memory": "128Mi"},
            "max": {"cpu": "2", "memory": "1Gi"},
        }]})
    );
    apply(&mut store, &plan);
    assert_eq!((declared(&mut store, "RES-04"), declared(&mut store, "RES-05")), (Declared::Right, Declared::Right));
}

#[test]
fn the_limit_range_fits_a_small_quota() {
    let mut store = without(Kind::LimitRange);
    let hard = [("requests.cpu", "20m"), ("requests.memory", "1Gi"), ("limits.cpu", "100m"), ("limits.memory", "64Mi"), ("pods", "3")];
    store.apply(put(Fact::Quota(quota(NS, &hard, &[]))));
    let plan = planned(&mut store, "RES-04").unwrap();
    apply(&mut store, &plan);
    assert_eq!(plan.steps.first().unwrap().manifest["spec"]["limits"][0]["max"], json!({"cpu": "100m", "memory": "64Mi"}));
    assert_eq!(declared(&mut store, "RES-05"), Declared::Right);

    let mut store = without(Kind::LimitRange);
    store.apply(put(Fact::Quota(quota(NS, &[("limits.cpu", "0")], &[]))));
    assert!(planned(&mut store, "RES-04").unwrap_err().contains("no room"));
}

#[test]
fn findings_offer_the_fix_that_there_is_a_plan_for() {
    for (kind, check) in [(Kind::NetworkPolicy, "NET-01"), (Kind::LimitRange, "RES-04")] {
        let mut store = without(kind);
        let (snapshot, _) = store.publish();
        let assessment = from_scratch(&EngineConfig::default(), &snapshot, &Book::default(), noon());
        for result in &assessment.by_tenant.get("acme").unwrap().checks {
            for finding in result.findings.iter().filter(|finding| finding.fix.is_some()) {
                assert!(matches!(finding.verdict, Verdict::Breached | Verdict::Degraded));
                assert!(planned(&mut store, result.check.id).is_ok(), "{} offers what there is no plan for", result.check.id);
            }
        }
        assert!(planned(&mut store, check).is_ok());
    }
}
