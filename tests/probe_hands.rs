//! The network probe with hands that misbehave: what proves nothing must not read as a wall that held.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by panicking"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use partywall::cluster::ApiRefusal;
use partywall::cluster::exec::{ExecAnswer, ExecTarget};
use partywall::fix::guard::{Mode, ProbePermit};
use partywall::model::changes::{Change, Fact};
use partywall::model::containers::{ContainerFact, ContainerRole, PortProtocol};
use partywall::model::event::Authority;
use partywall::model::ids::Name;
use partywall::model::labels::Labels;
use partywall::model::meta::Meta;
use partywall::model::pod::{NamespaceFact, Phase, PodFact};
use partywall::model::service::{EndpointSliceFact, ServiceFact, ServicePort};
use partywall::model::snapshot::Snapshot;
use partywall::model::store::Store;
use partywall::model::tenant::{TenantRules, Tenants};
use partywall::posture::verdict::Tried;
use partywall::probe::run::{Context, Hands, ProbeError, run};
use partywall::probe::spec::ProbeId;
use partywall::receipt::Receipt;
use partywall::receipt::judge::tried;
use partywall::vault::VaultOptions;
use secrecy::SecretString;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// What a container answers to a command, from whichever namespace.
type Script = fn(namespace: &str, argv: &[&str], times: usize) -> Result<(i32, &'static str), &'static str>;

struct Fake {
    script: Script,
    asked: AtomicUsize,
}

impl Hands for Fake {
    async fn exec(&self, _: ProbePermit, target: &ExecTarget, argv: &[&str], _: Duration) -> Result<ExecAnswer, ApiRefusal> {
        let times = self.asked.fetch_add(1, Ordering::Relaxed);
        let (code, stderr) = (self.script)(&target.namespace, argv, times).map_err(|message| ApiRefusal {
            code: 403,
            reason: "Forbidden".to_owned(),
            message: message.to_owned(),
            authority: Authority::Authorizer,
        })?;
        Ok(ExecAnswer { stdout: String::new(), stderr: stderr.to_owned(), code: Some(code), took: Duration::ZERO })
    }

    async fn token(&self, _: ProbePermit, _: &str, _: &str, _: &[String], _: u32) -> Result<SecretString, ApiRefusal> {
        Err(ApiRefusal::no_answer("Unreachable", "no"))
    }

    async fn dry_run_pod(&self, _: ProbePermit, _: &str, _: &Value) -> Result<Value, ApiRefusal> {
        Err(ApiRefusal::no_answer("Unreachable", "no"))
    }
}

fn meta(namespace: &str, name: &str) -> Meta {
    Meta { namespace: namespace.into(), name: name.into(), ..Meta::default() }
}

/// Two tenants, `a` with its Service at 10.0.0.1 and `b` at 10.0.0.2.
fn fleet() -> (Arc<Snapshot>, Tenants) {
    let mut store = Store::default();
    for (namespace, ip) in [("tenant-a", "10.0.0.1"), ("tenant-b", "10.0.0.2")] {
        let container = ContainerFact {
            name: "app".into(),
            image: "busybox".into(),
            role: ContainerRole::Main,
            requests: Box::default(),
            limits: Box::default(),
            ports: Box::default(),
        };
        let facts = [
            Fact::Namespace(NamespaceFact { meta: meta("", namespace), labels: Labels::default(), terminating: false }),
            Fact::Pod(PodFact {
                meta: meta(namespace, "app-0"),
                labels: Labels::default(),
                containers: vec![container].into(),
                node: None,
                service_account: "default".into(),
                owner: None,
                ips: Box::default(),
                phase: Phase::Running,
                host_network: false,
                ready: true,
                terminating: false,
                overhead: false,
                secrets: [].into(),
                injector: None,
            }),
            Fact::Service(ServiceFact {
                meta: meta(namespace, "app"),
                kind: "ClusterIP".into(),
                cluster_ips: Box::new([ip.parse().unwrap()]),
                selector: None,
                ports: Box::new([ServicePort { name: None, port: 80, target: None, protocol: PortProtocol::Tcp, node_port: None }]),
                external_ips: [].into(),
                external_name: None,
                keeps_client: false,
            }),
            Fact::EndpointSlice(EndpointSliceFact {
                meta: meta(namespace, "app-x"),
                service: Some("app".into()),
                ready: 1,
                all: 1,
                addresses: [].into(),
            }),
        ];
        for fact in facts {
            store.apply(Change::Put(Box::new(fact)));
        }
    }
    let names: Vec<Name> = vec!["tenant-a".into(), "tenant-b".into()];
    let tenants = TenantRules::default().resolve(names.iter().map(|name| (name, None)));
    (store.publish().0, tenants)
}

/// What a probe by these hands needs, without Vault and with nothing that a receipt rests on.
fn context<'a, H>(hands: &'a H, snapshot: Arc<Snapshot>, tenants: &'a Tenants) -> Context<'a, H> {
    static NO_VAULT: std::sync::LazyLock<VaultOptions> = std::sync::LazyLock::new(VaultOptions::default);
    Context {
        hands,
        vault: &NO_VAULT,
        snapshot,
        tenants,
        secrets: Arc::default(),
        permit: ProbePermit::for_mode(Mode::Probe).unwrap(),
        operator: "someone".into(),
        mode: Mode::Probe,
        now: partywall::vault::now,
        cancel: CancellationToken::new(),
        depends: |_, _, _, _, _| Some(Vec::new()),
        partner: |_, _, _| None,
    }
}

async fn probe(script: Script) -> Result<Receipt, ProbeError> {
    let (snapshot, tenants) = fleet();
    let hands = Fake { script, asked: AtomicUsize::new(0) };
    let context = context(&hands, snapshot, &tenants);
    run(ProbeId::Network, &"a".into(), &context, |_| {}).await
}

const REFUSED: (i32, &str) = (1, "wget: can't connect to remote host: Connection refused");
const DROPPED: (i32, &str) = (143, "");

/// Whether a command goes to the Service of the namespace it runs in.
fn own(namespace: &str, argv: &[&str]) -> bool {
    let ip = if namespace == "tenant-a" { "10.0.0.1" } else { "10.0.0.2" };
    argv.iter().any(|part| part.contains(ip))
}

#[allow(clippy::unnecessary_wraps, reason = "a script may also refuse the exec itself, and all have one type")]
fn walled(namespace: &str, argv: &[&str], _: usize) -> Result<(i32, &'static str), &'static str> {
    Ok(if own(namespace, argv) || argv[0] == "nslookup" { (0, "") } else { DROPPED })
}

#[tokio::test]
async fn what_a_network_probe_shows_depends_on_its_controls() {
    let cases: [(&str, Script, Tried, Tried); 9] = [
        ("walled", walled, Tried::Held, Tried::Held),
        ("rejecting", |ns, argv, _| Ok(if own(ns, argv) { (0, "") } else { REFUSED }), Tried::Held, Tried::Held),
        (
            "open",
            |_, argv, _| Ok(if argv.iter().any(|p| p.contains("192.0.2.1")) { DROPPED } else { (0, "") }),
            Tried::Crossed,
            Tried::Crossed,
        ),
        (
            "open one way",
            |ns, argv, times| {
                if ns == "tenant-b" && !argv.iter().any(|p| p.contains("192.0.2.1")) { Ok((0, "")) } else { walled(ns, argv, times) }
            },
            Tried::Held,
            Tried::Crossed,
        ),
        ("credulous", |_, _, _| Ok((0, "")), Tried::Vacuous, Tried::Vacuous),
        ("nothing answers", |_, _, _| Ok(DROPPED), Tried::Vacuous, Tried::Vacuous),
        (
            "dead target",
            |ns, argv, times| if ns == "tenant-b" { Ok(REFUSED) } else { walled(ns, argv, times) },
            Tried::Vacuous,
            Tried::Vacuous,
        ),
        ("no tools", |_, _, _| Ok((127, "timeout: can't execute: No such file or directory")), Tried::Vacuous, Tried::Vacuous),
        (
            "we may not exec",
            |_, _, _| Err("pods \"app-0\" is forbidden: cannot create resource \"pods/exec\""),
            Tried::Vacuous,
            Tried::Vacuous,
        ),
    ];
    for (name, script, egress, ingress) in cases {
        let receipt = probe(script).await.unwrap();
        assert_eq!(tried(&receipt, "NET-01"), Some(egress), "{name}: {:#?}", receipt.steps);
        assert_eq!(tried(&receipt, "NET-02"), Some(ingress), "{name}: {:#?}", receipt.steps);
    }
}

#[tokio::test]
async fn a_container_without_wget_is_tried_with_node() {
    let receipt = probe(|ns, argv, times| match argv[0] {
        "node" => walled(ns, argv, times).map(|(code, _)| if code == 0 { (0, "partywall answered 200") } else { (1, "partywall timeout") }),
        _ => Ok((127, "not found")),
    })
    .await
    .unwrap();
    assert_eq!(tried(&receipt, "NET-01"), Some(Tried::Held), "{:#?}", receipt.steps);
    assert!(receipt.steps[0].from.ends_with("(node)"));
}

/// An own Service that stops answering between the two looks at it makes the refusals in between worthless.
#[tokio::test]
async fn a_source_that_dies_meanwhile_proves_nothing() {
    let receipt =
        probe(|ns, argv, times| if own(ns, argv) && times > 3 && argv[0] != "nslookup" { Ok(DROPPED) } else { walled(ns, argv, times) })
            .await
            .unwrap();
    assert_eq!(tried(&receipt, "NET-01"), Some(Tried::Vacuous), "{:#?}", receipt.steps);
}

/// The commands are fixed: no shell, nothing but an address, a port or a name from the inventory.
#[tokio::test]
async fn no_command_but_the_fixed_ones_is_run() {
    probe(|ns, argv, times| {
        assert!(["timeout", "nslookup"].contains(&argv[0]), "{argv:?}");
        assert!(argv.iter().all(|part| !part.contains([';', '$', '`', '|', '&', '\n'])), "{argv:?}");
        walled(ns, argv, times)
    })
    .await
    .unwrap();
}

/// Admission as it should be: small pods are let in, what can't be read is refused, and so is what LimitRange or quota forbid.
struct Admission;

impl Hands for Admission {
    async fn exec(&self, _: ProbePermit, _: &ExecTarget, _: &[&str], _: Duration) -> Result<ExecAnswer, ApiRefusal> {
        Err(ApiRefusal::no_answer("Unreachable", "no"))
    }

    async fn token(&self, _: ProbePermit, _: &str, _: &str, _: &[String], _: u32) -> Result<SecretString, ApiRefusal> {
        Err(ApiRefusal::no_answer("Unreachable", "no"))
    }

    async fn dry_run_pod(&self, _: ProbePermit, _: &str, pod: &Value) -> Result<Value, ApiRefusal> {
        let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap();
        let no = |authority| ApiRefusal { code: 403, reason: "Forbidden".to_owned(), message: "no".to_owned(), authority };
        match name.rsplit('-').next().unwrap() {
            "large" => Err(no(Authority::LimitRanger)),
            "sum" => Err(no(Authority::ResourceQuota)),
            "broken" => Err(ApiRefusal { code: 400, ..no(Authority::Unknown) }),
            _ => Ok(pod.clone()),
        }
    }
}

/// A namespace whose quota can't be tried must not pass for one whose quota held.
#[tokio::test]
async fn a_quota_that_could_not_be_tried_is_not_covered_by_another_namespaces() {
    use partywall::model::limits::{Amounts, LimitItem, LimitRangeFact, QuotaFact};
    use partywall::model::quantity::Quantity;
    let amounts = |text: &[(&str, &str)]| -> Amounts { text.iter().map(|(k, v)| (Name::from(*k), Quantity::read(v))).collect() };
    let tried_with = async |pod_bounded: &[&str]| {
        let mut store = Store::default();
        for namespace in ["one", "two"] {
            let item = |kind: &str| LimitItem {
                kind: kind.into(),
                default: amounts(&[]),
                default_request: amounts(&[]),
                max: amounts(&[("cpu", "2"), ("memory", "1Gi")]),
                min: amounts(&[]),
                ratio: amounts(&[]),
            };
            let kinds: &[&str] = if pod_bounded.contains(&namespace) { &["Container", "Pod"] } else { &["Container"] };
            let hard = amounts(&[("limits.memory", "4Gi"), ("requests.memory", "2Gi")]);
            for fact in [
                Fact::Namespace(NamespaceFact { meta: meta("", namespace), labels: Labels::default(), terminating: false }),
                Fact::Quota(QuotaFact {
                    meta: meta(namespace, "quota"),
                    status_hard: hard.clone(),
                    hard,
                    used: amounts(&[]),
                    scopes: Box::default(),
                }),
                Fact::LimitRange(LimitRangeFact { meta: meta(namespace, "limits"), items: kinds.iter().map(|kind| item(kind)).collect() }),
            ] {
                store.apply(Change::Put(Box::new(fact)));
            }
        }
        let names: Vec<Name> = vec!["one".into(), "two".into()];
        let rules = TenantRules { listed: [("a".into(), names.clone())].into(), ..TenantRules::default() };
        let tenants = rules.resolve(names.iter().map(|name| (name, None)));
        let context = context(&Admission, store.publish().0, &tenants);
        let receipt = run(ProbeId::Resource, &"a".into(), &context, |_| {}).await.unwrap();
        (tried(&receipt, "RES-01"), tried(&receipt, "RES-04"))
    };
    assert_eq!(tried_with(&[]).await, (Some(Tried::Held), Some(Tried::Held)));
    assert_eq!(tried_with(&["two"]).await, (Some(Tried::Vacuous), Some(Tried::Held)));
    assert_eq!(tried_with(&["one", "two"]).await, (None, Some(Tried::Held)), "nothing was tried: unproven, not vacuous");
}
