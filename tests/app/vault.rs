//! What tenants reach in Vault, on the screen: worst first, the chain, the question about a path, and that nothing looks better than it is.

use std::sync::Arc;

use partywall::app::state::Screen as Which;
use partywall::fix::guard::Mode;
use partywall::model::ids::{Name, TenantId};
use partywall::shot::fixture::{Fleet, with_secrets};
use partywall::vaultacl::acl::{Acl, Origin};
use partywall::vaultacl::capability::{Capabilities, Capability, Operation};
use partywall::vaultacl::dialect::Dialect;
use partywall::vaultacl::kv::{Harm, VERSION_2};
use partywall::vaultacl::reach::{
    BadPolicy, Crossing, Doubt, Grant, Login, OwnCover, Picture, PolicyFrom, Root, RootFrom, TenantReach, Who,
};

use crate::common::Screen;

/// A tenant's reach as the engine would tell it, by hand.
fn reach(name: &str) -> TenantReach {
    let ns: Name = format!("web-tenant-{name}").into();
    let login = |who, own_role, role: &str| {
        Arc::new(Login {
            mount: "kubernetes".into(),
            role: role.into(),
            who,
            policies: vec![(role.into(), PolicyFrom::Role), ("default".into(), PolicyFrom::Default)],
            acl: Arc::new(Acl::root(Dialect::OpenBao26)),
            own_role,
        })
    };
    let role = format!("tenant-{name}");
    TenantReach {
        roots: vec![Root { mount: "secret".into(), version: 2, path: ns.to_string(), from: RootFrom::Named }],
        logins: vec![
            login(Who::Account { namespace: ns.clone(), name: format!("app-{name}").into() }, true, &role),
            login(Who::Maker { namespace: ns, name: "*".into() }, false, "everybody"),
        ],
        own: OwnCover::ExactOnly(format!("secret/data/web-tenant-{name}")),
        ..TenantReach::default()
    }
}

fn grant(policy: &str, line: u32, pattern: &str, path: &str, capability: Capability) -> Grant {
    let origin = Origin { policy: policy.into(), line, capabilities: Capabilities::of(capability), written: pattern.into() };
    Grant { login: 0, origin, pattern: pattern.into(), path: path.into(), operation: Operation::Read, conditions: false }
}

fn crossing(harm: Harm, action: usize, grant: Grant, partners: &[&str]) -> Crossing {
    Crossing { harm, action: VERSION_2[action], grant, partners: partners.iter().map(|p| TenantId::from(*p)).collect() }
}

fn picture(names: &[TenantId]) -> Picture {
    let mut picture = Picture { dialect: Dialect::OpenBao26, dialect_from: "OpenBao 2.7.0".into(), ..Picture::default() };
    for name in names {
        let mut reach = reach(name);
        match name.as_ref() {
            "hooli" => {
                let by = grant("tenant-hooli", 1, "secret/data/web-tenant-*", "secret/data/web-tenant-acme", Capability::Read);
                reach.crossings =
                    vec![crossing(Harm::Value, 0, by, &["acme", "cyberdyne", "globex", "initech", "oscorp", "soylent", "wayne"])];
            }
            "tyrell" => {
                let by = grant("tenant-tyrell", 2, "secret/+/web-tenant-wayne", "secret/destroy/web-tenant-wayne", Capability::Update);
                let names = grant("tenant-tyrell", 3, "secret/metadata/", "secret/metadata/", Capability::List);
                reach.crossings =
                    vec![crossing(Harm::Tamper, 7, by, &["wayne"]), crossing(Harm::Structure, 14, names, &["wayne", "wonka"])];
                reach.own = OwnCover::Covered;
            }
            "initech" => {
                reach.escalations =
                    vec![grant("tenant-initech", 3, "sys/policies/acl/tenant-*", "sys/policies/acl/tenant-acme", Capability::Update)]
            }
            "wonka" => {
                reach.doubts = vec![Doubt {
                    words: "policy tenant-wonka can't be read: path \"sys/policies/acl/*\" { capabilities = [\"read\"] } is missing".into(),
                    may_add: true,
                }]
            }
            "oscorp" => {
                reach.logins.clear();
                reach.own = OwnCover::NoRole;
            }
            _ => {}
        }
        picture.by_tenant.insert(name.clone(), Arc::new(reach));
    }
    picture.bad_policies.insert("tenant-umbrella-shared".into(), BadPolicy::Missing);
    picture
}

fn screen() -> Screen {
    let view = Fleet::new().publish();
    let names: Vec<TenantId> = view.assessment.by_tenant.keys().cloned().collect();
    let mut screen = Screen::new(Mode::Observe, with_secrets(&view, picture(&names)));
    screen.keys("6");
    screen
}

#[test]
fn look() {
    let mut screen = screen();
    assert_eq!(screen.state.screen, Which::Vault);
    for size in [(80, 24), (120, 40), (200, 60), (60, 15), (50, 12)] {
        screen.send(partywall::app::msg::Msg::Resize(size.0, size.1));
        println!("{}", screen.picture());
    }
    screen.send(partywall::app::msg::Msg::Resize(120, 40));
    screen.keys("jja");
    println!("{}", screen.picture());
    screen.keys("\n");
    println!("{}", screen.picture());
    screen.keys("w");
    println!("{}", screen.picture());
}
