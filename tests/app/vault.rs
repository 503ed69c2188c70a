//! What tenants reach in Vault, on the screen: worst first, the chain, the question about a path, and that nothing looks better than it is.

use std::sync::Arc;

use partywall::app::effect::Effect;
use partywall::app::keymap::{Action, Layer, enabled, layer};
use partywall::app::msg::{Key, KeyCode, Msg, View};
use partywall::app::role::Role;
use partywall::app::state::{Dialog, Screen as Which};
use partywall::app::vault::{self, Stance};
use partywall::fix::guard::Mode;
use partywall::model::event::Authority;
use partywall::model::ids::{Name, TenantId};
use partywall::model::source::SourceState;
use partywall::model::time::{MINUTE, SECOND};
use partywall::model::vault::PolicyFlags;
use partywall::posture::verdict::Verdict;
use partywall::shot::fixture::{Fleet, NOW, refusal, with_secrets};
use partywall::ui::theme::Theme;
use partywall::vaultacl::acl::{Acl, Granted, Origin};
use partywall::vaultacl::capability::{Capabilities, Capability, Operation};
use partywall::vaultacl::dialect::Dialect;
use partywall::vaultacl::kv::{Harm, VERSION_2};
use partywall::vaultacl::policy::{Policy, Rule};
use partywall::vaultacl::reach::{
    BadPolicy, Crossing, Doubt, Grant, Login, OwnCover, Picture, PolicyFrom, Root, RootFrom, TenantReach, Who,
};
use partywall::vaultacl::template::Identity;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::common::Screen;

/// A policy of so many rules, a line each.
fn acl(name: &str, rules: &[(&str, &[Capability])]) -> Arc<Acl> {
    let rule = |(i, (pattern, capabilities)): (usize, &(&str, &[Capability]))| Rule {
        pattern: (*pattern).to_owned(),
        line: u32::try_from(i).unwrap() + 1,
        capabilities: capabilities.iter().copied().collect(),
        limits: None,
        expires: None,
    };
    let policy = Policy { rules: rules.iter().enumerate().map(rule).collect() };
    let name: Name = name.into();
    let granted = Granted { name: &name, policy: &policy, flags: PolicyFlags::default(), namespace: "" };
    Arc::new(Acl::new(&[granted], &Identity::default(), Dialect::OpenBao26, NOW))
}

/// A tenant's reach as the engine would tell it, by hand: a role of its own with an exact rule, and a role of somebody else's for an account
/// that could be made.
fn reach(name: &str) -> TenantReach {
    let ns: Name = format!("web-tenant-{name}").into();
    let own = format!("secret/data/web-tenant-{name}");
    let role = format!("tenant-{name}");
    let wide = if name == "hooli" { "secret/data/web-tenant-*" } else { &own };
    let login = |who, own_role, role: &str, acl| {
        let policies = vec![(role.into(), PolicyFrom::Role), ("default".into(), PolicyFrom::Default)];
        Arc::new(Login { mount: "kubernetes".into(), role: role.into(), who, policies, acl, own_role })
    };
    let everybody = acl("everybody", &[("secret/metadata/", &[Capability::List]), ("secret/data/web-tenant-acme", &[Capability::Deny])]);
    TenantReach {
        roots: vec![Root { mount: "secret".into(), version: 2, path: ns.to_string(), from: RootFrom::Named }],
        logins: vec![
            login(
                Who::Account { namespace: ns.clone(), name: format!("app-{name}").into() },
                true,
                &role,
                acl(&role, &[(wide, &[Capability::Read])]),
            ),
            login(Who::Maker { namespace: ns, name: "*".into() }, false, "everybody", everybody),
        ],
        own: OwnCover::ExactOnly(own),
        ..TenantReach::default()
    }
}

fn grant(policy: &str, line: u32, pattern: &str, path: &str, operation: Operation) -> Grant {
    let capability = if operation == Operation::List { Capability::List } else { Capability::Read };
    let origin = Origin { policy: policy.into(), line, capabilities: Capabilities::of(capability), written: pattern.into() };
    Grant { login: 0, origin, pattern: pattern.into(), path: path.into(), operation, conditions: false }
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
                let by = grant("tenant-hooli", 1, "secret/data/web-tenant-*", "secret/data/web-tenant-acme", Operation::Read);
                reach.crossings =
                    vec![crossing(Harm::Value, 0, by, &["acme", "cyberdyne", "globex", "initech", "oscorp", "soylent", "wayne"])];
            }
            "tyrell" => {
                let by = grant("tenant-tyrell", 2, "secret/+/web-tenant-wayne", "secret/destroy/web-tenant-wayne", Operation::Update);
                let names = grant("tenant-tyrell", 3, "secret/metadata/", "secret/metadata/", Operation::List);
                reach.crossings =
                    vec![crossing(Harm::Tamper, 7, by, &["wayne"]), crossing(Harm::Structure, 14, names, &["wayne", "wonka"])];
                reach.own = OwnCover::Covered;
            }
            "initech" => {
                let by = grant("tenant-initech", 3, "sys/policies/acl/tenant-*", "sys/policies/acl/tenant-acme", Operation::Update);
                reach.escalations = vec![by];
            }
            "wonka" => {
                let words = "policy tenant-wonka can't be read: path \"sys/policies/acl/*\" { capabilities = [\"read\"] } is missing";
                reach.doubts = vec![Doubt { words: words.into(), may_add: true }];
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

fn by_hand(fleet: &mut Fleet) -> Arc<View> {
    let view = fleet.publish();
    let names: Vec<TenantId> = view.assessment.by_tenant.keys().cloned().collect();
    with_secrets(&view, picture(&names))
}

/// A view by hand, for tests of everything.
pub fn view() -> Arc<View> {
    by_hand(&mut Fleet::new())
}

/// A view of so many tenants.
pub fn many(tenants: usize) -> Arc<View> {
    let names: Vec<TenantId> = (0..tenants).map(|i| TenantId::from(format!("t{i:04}"))).chain(["hooli".into(), "tyrell".into()]).collect();
    with_secrets(&Fleet::new().publish(), picture(&names))
}

/// A view whose every text is hostile.
pub fn hostile() -> Arc<View> {
    let bad = "evil\u{1b}[2J\u{202e}日本\u{7}\r\n/../x ".repeat(90);
    let view = Fleet::new().publish();
    let mut picture = picture(&["acme".into(), "hooli".into(), bad.as_str().into()]);
    let mut reach = reach("acme");
    let by = grant(&bad, u32::MAX, &bad, &bad, Operation::Read);
    reach.crossings = vec![crossing(Harm::Value, 0, by.clone(), &[&bad, "hooli"]); 40];
    reach.escalations = vec![by.clone(); 40];
    reach.beyond = vec![by; 40];
    reach.doubts = vec![Doubt { words: bad.clone(), may_add: true }; 40];
    reach.roots = vec![Root { mount: bad.as_str().into(), version: 2, path: bad.clone(), from: RootFrom::Consumer(bad.clone()) }; 40];
    let who = Who::Account { namespace: bad.as_str().into(), name: bad.as_str().into() };
    let policies = vec![(bad.as_str().into(), PolicyFrom::Group(bad.as_str().into())); 40];
    let acl = acl(&bad, &[(&bad, &[Capability::Read]), ("{{identity.entity.name}}/\u{1b}[2J", &[Capability::Deny])]);
    let login = Login { mount: bad.as_str().into(), role: bad.as_str().into(), who, policies, acl, own_role: false };
    reach.logins = std::iter::repeat_n(Arc::new(login), 40).collect();
    picture.by_tenant.insert("acme".into(), Arc::new(reach));
    picture.bad_policies.insert(bad.as_str().into(), BadPolicy::Unseen(bad.clone()));
    picture.dialect_from = bad;
    with_secrets(&view, picture)
}

fn screen() -> Screen {
    let mut screen = Screen::new(Mode::Observe, view());
    screen.keys("6");
    screen
}

fn rows(screen: &Screen) -> Vec<String> {
    screen.state.page().list.rows.iter().map(|row| row.tenant().unwrap().to_string()).collect()
}

fn select(screen: &mut Screen, tenant: &str) {
    screen.keys("g");
    while vault::selected(&screen.state).map(AsRef::as_ref) != Some(tenant) {
        screen.keys("j");
    }
}

fn drawn(screen: &Screen, theme: &str) -> Buffer {
    let (w, h) = screen.state.size;
    let mut buf = Buffer::empty(Rect::new(0, 0, w, h));
    partywall::ui::draw(&screen.state, &Theme::load(theme).unwrap(), buf.area, &mut buf);
    buf
}

#[test]
fn tenants_are_worst_first() {
    let mut screen = screen();
    assert_eq!(screen.state.screen, Which::Vault);
    assert_eq!(rows(&screen)[..5], ["initech", "hooli", "tyrell", "wonka", "acme"], "{}", screen.picture());
    assert_eq!(rows(&screen).last().map(String::as_str), Some("oscorp"));
    screen.keys("!");
    assert_eq!(rows(&screen), ["initech", "hooli", "tyrell"], "what can't be said is not counted as failing, nor as good");
    screen.keys("\u{1b}s");
    assert!(screen.says("order: name") && rows(&screen)[0] == "acme");
    screen.keys("ss/tampers\n");
    assert_eq!(rows(&screen), ["tyrell"]);
    screen.keys("\u{1b}/zzz\n");
    assert!(screen.says("rows are hidden. Esc"), "{}", screen.picture());
}

#[test]
fn a_jump_keeps_the_tenant() {
    let mut screen = Screen::new(Mode::Observe, view());
    screen.keys("/hooli\n6");
    assert_eq!(vault::selected(&screen.state).map(AsRef::as_ref), Some("hooli"));
    screen.keys("\n");
    assert_eq!((screen.state.screen, screen.state.tenant.as_deref()), (Which::Tenant, Some("hooli")));
    screen.keys("\u{1b}");
    assert_eq!(screen.state.screen, Which::Vault);
    screen.keys("1");
    assert_eq!(screen.state.subject().0.as_deref(), Some("hooli"));
}

#[test]
fn the_chain_names_every_link() {
    let mut screen = screen();
    select(&mut screen, "hooli");
    screen.send(Msg::Resize(200, 60));
    let [Effect::Copy(told)] = &screen.keys("y")[..] else { panic!() };
    for words in ["rules of openbao-2.6 (OpenBao 2.7.0)", "tenant-umbrella-shared"] {
        assert!(screen.says(words), "{words}\n{}", screen.picture());
    }
    for words in [
        "value read the value, of 7 tenants: acme, cyberdyne, globex, initech",
        "and 1 more",
        "read secret/data/web-tenant-acme",
        "prefix secret/data/web-tenant-*",
        "policy tenant-hooli line 1: read",
        "ServiceAccount web-tenant-hooli/app-hooli",
        "tenant-hooli @ kubernetes its own role",
        "everybody @ kubernetes not its own role",
        "any ServiceAccount that could be made in web-tenant-hooli",
        "every token has it",
        "2 exact secret/data/web-tenant-acme: deny",
        "not what is below: an exact rule",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
    screen.send(Msg::Resize(120, 40));
    select(&mut screen, "initech");
    assert!(screen.says("GIVES ITSELF MORE BY") && screen.says("update prefix sys/policies/acl/tenant-*"), "{}", screen.picture());
    select(&mut screen, "wonka");
    assert!(screen.says("unsure") && screen.says("WHAT CAN'T BE SAID"), "{}", screen.picture());
    let effects = screen.keys("y");
    assert!(matches!(effects.as_slice(), [Effect::Copy(text)] if text.contains("sys/policies/acl/*")), "{effects:?}");
}

#[test]
fn a_dialect_that_was_chosen_by_hand_is_said_to_be() {
    let view = view();
    let mut picture = (*view.assessment.secrets).clone();
    picture.dialect = Dialect::Vault113;
    picture.dialect_from = "as configured".into();
    let mut screen = Screen::new(Mode::Observe, with_secrets(&view, picture));
    screen.keys("6");
    assert!(screen.says("rules of vault-1.13 (as configured)  OVERRIDDEN: the server is openbao-2.6"), "{}", screen.picture());
}

#[test]
fn a_path_is_asked_about_and_the_rule_that_wins_is_named() {
    let mut screen = screen();
    select(&mut screen, "hooli");
    screen.keys("a");
    assert_eq!(layer(&screen.state), Layer::Typing);
    assert!(screen.says("secret/web-tenant-hooli_"), "its own path to begin with: {}", screen.picture());
    screen.send(Msg::Key(Key::ctrl('u')));
    screen.keys("/v1/secret/data/web-tenant-globex\n");
    assert_eq!(layer(&screen.state), Layer::Asking);
    for words in [
        "as a request has it: `data` of secret, version 2",
        "whose   globex",
        "read  ALLOWED",
        "wins: prefix secret/data/web-tenant-*",
        "policy tenant-hooli line 1: read",
        "list create update patch delete scan  the rule that wins does not grant it",
        "no rule matches",
    ] {
        assert!(screen.says(words), "{words}\n{}", screen.picture());
    }
    screen.keys("w");
    for words in [
        "[read] list",
        "2 of 12 tenants: 1 of them not its owner",
        "1 tenant: hooli",
        "1 tenant: globex (the owner)",
        "REFUSED",
        "no rule matches: ",
    ] {
        assert!(screen.says(words), "{words}\n{}", screen.picture());
    }
    assert!(matches!(screen.keys("y").as_slice(), [Effect::Copy(text)] if text.contains("policy tenant-hooli line 1: read")));
    screen.keys("l");
    assert!(screen.says("read [list]") && screen.says("0 of 12 tenants"), "{}", screen.picture());
    screen.keys("hhh");
    assert!(screen.says("[delete] scan"), "{}", screen.picture());
    screen.keys("w");
    assert!(enabled(&screen.state, Action::Right).is_err(), "one tenant: every operation is there");
    screen.keys("\u{1b}");
    assert!(screen.state.dialog.is_none());
    screen.keys("a");
    assert!(screen.says("/v1/secret/data/web-tenant-globex_"), "what was asked last is there again");
}

#[test]
fn the_command_lines_form_is_read_as_it_would_be() {
    let mut screen = screen();
    select(&mut screen, "acme");
    screen.keys("a");
    screen.send(Msg::Key(Key::ctrl('u')));
    screen.keys("secret\nw");
    for words in ["as the command line takes it: secret is version 2", "nobody's that we know of"] {
        assert!(screen.says(words), "{words}\n{}", screen.picture());
    }
    screen.keys("l");
    // names are asked for below metadata/, which everybody may list who makes a ServiceAccount
    for words in ["11 of 12 tenants", "policy everybody line 1: list", "could make a ServiceAccount for it", "1 no role admits them"] {
        assert!(screen.says(words), "{words}\n{}", screen.picture());
    }
}

#[test]
fn what_is_no_path_stays_in_the_field_and_escape_loses_nothing() {
    let mut screen = screen();
    select(&mut screen, "acme");
    screen.keys("a");
    screen.send(Msg::Key(Key::ctrl('u')));
    screen.keys("\n");
    assert!(screen.says("type a path, such as") && layer(&screen.state) == Layer::Typing, "{}", screen.picture());
    screen.send(Msg::Paste("secret/data/../x".into()));
    assert!(!screen.says("type a path, such as"), "the reason goes with the next letter");
    screen.keys("\n");
    assert!(screen.says("type the path that .. leads to") && screen.says("secret/data/../x_"), "{}", screen.picture());
    screen.keys("\u{1b}");
    assert!(screen.state.dialog.is_none() && screen.state.screen == Which::Vault);
    screen.keys("a\na");
    assert_eq!(layer(&screen.state), Layer::Typing);
    screen.keys("/zzz");
    screen.keys("\u{1b}");
    assert!(screen.says("secret/web-tenant-acme") && !screen.says("zzz"), "the answer and its path are there still: {}", screen.picture());
    assert_eq!(layer(&screen.state), Layer::Asking);
    // a path longer than the field keeps its cursor in sight
    screen.keys("a");
    screen.send(Msg::Paste(format!("/{}end", "long/".repeat(48))));
    assert!(screen.says("long/end_"), "{}", screen.picture());
}

#[test]
fn the_answer_follows_the_data_and_a_tenant_that_goes() {
    let mut screen = screen();
    select(&mut screen, "hooli");
    screen.keys("a");
    screen.send(Msg::Key(Key::ctrl('u')));
    screen.keys("secret/web-tenant-acme\n");
    assert!(screen.says("read  ALLOWED"));
    let view = view();
    let mut narrowed = (*view.assessment.secrets).clone();
    narrowed.by_tenant.insert("hooli".into(), Arc::new(reach("globex")));
    screen.send(Msg::Data(with_secrets(&view, narrowed.clone())));
    assert!(!screen.says("read  ALLOWED") && screen.says("no rule matches"), "{}", screen.picture());
    narrowed.by_tenant.remove("hooli");
    screen.send(Msg::Data(with_secrets(&view, narrowed)));
    assert!(screen.says("This tenant is gone"), "{}", screen.picture());
}

#[test]
fn nothing_looks_apart_while_vault_can_not_be_seen() {
    let mut fleet = Fleet::new();
    fleet.vault(|vault| vault.server.state = SourceState::Stale { since: NOW.plus(-12 * SECOND), why: "timeout\u{1b}[2J".into() });
    let mut screen = Screen::new(Mode::Observe, by_hand(&mut fleet));
    screen.keys("6");
    assert!(
        screen.says("nothing may be concluded, since 10s: Vault stale") && !screen.picture().contains('\u{1b}'),
        "{}",
        screen.picture()
    );
    let buf = drawn(&screen, "dark");
    let theme = Theme::load("dark").unwrap();
    for role in [Role::Breached, Role::SevHigh, Role::Holds] {
        let style = theme.style(role);
        let list = buf.content().iter().enumerate().filter(|(i, _)| i % 120 < 56 && i / 120 > 4 && i / 120 < 18);
        assert!(list.clone().count() > 0 && list.into_iter().all(|(_, cell)| Some(cell.fg) != style.fg), "{role:?} {}", screen.picture());
    }
    let mut without = Fleet::new();
    without.vault(|vault| *vault = partywall::model::vault::VaultFacts::default());
    let view = without.publish();
    let mut screen = Screen::new(Mode::Observe, with_secrets(&view, Picture::default()));
    screen.keys("6");
    assert!(screen.says("What tenants reach in Vault is not known") && screen.says("set VAULT_ADDR"), "{}", screen.picture());
}

#[test]
fn apart_is_proved_only_where_the_check_holds() {
    let view = view();
    for (tenant, expected) in [("acme", Stance::Proved), ("globex", Stance::Apart), ("hooli", Stance::Value), ("wonka", Stance::Unsure)] {
        let mut assessment = (*view.assessment).clone();
        for assessed in assessment.by_tenant.values_mut().filter(|assessed| assessed.tenant.as_ref() != "globex") {
            for result in Arc::make_mut(assessed).checks.iter_mut().filter(|result| result.check.id == "SEC-05") {
                result.verdict = Verdict::Holds;
            }
        }
        for result in &mut Arc::make_mut(assessment.by_tenant.get_mut("globex").unwrap()).checks {
            result.verdict = if result.check.id == "SEC-05" { Verdict::Unproven } else { Verdict::Holds };
        }
        let mut screen = Screen::new(Mode::Observe, Arc::new(View { assessment: Arc::new(assessment), ..(*view).clone() }));
        screen.keys("6");
        assert_eq!(vault::stance(&screen.state, tenant), expected, "{tenant} {}", screen.picture());
    }
}

#[test]
fn what_vault_refused_lately_is_told_with_its_age() {
    let mut fleet = Fleet::new();
    let said = "URL: GET https://vault:8200/v1/secret/data/web-tenant-globex\u{1b}[2J Code: 403. permission denied";
    let event = |who| refusal("web-tenant-acme", "ExternalSecret/partner-keys", who, said, 7 * MINUTE, 6);
    fleet.put(event(Authority::VaultAcl));
    let mut screen = Screen::new(Mode::Observe, by_hand(&mut fleet));
    screen.keys("6");
    select(&mut screen, "acme");
    for words in ["REFUSED TO IT LATELY", "7m ago by Vault's ACL: ExternalSecret/partner-keys"] {
        assert!(screen.says(words), "{words}\n{}", screen.picture());
    }
    assert!(!screen.picture().contains('\u{1b}'));
    assert!(screen.state.wake_at(NOW).is_some_and(|at| at <= NOW.plus(MINUTE)), "its age reads differently in a minute");
    let mut other = Fleet::new();
    other.put(event(Authority::ResourceQuota));
    let mut screen = Screen::new(Mode::Observe, by_hand(&mut other));
    screen.keys("6");
    select(&mut screen, "acme");
    assert!(!screen.says("REFUSED TO IT LATELY"), "{}", screen.picture());
}

#[test]
fn hostile_names_reach_no_screen_as_control_sequences() {
    let mut screen = Screen::new(Mode::Observe, hostile());
    screen.keys("6");
    for size in [(60, 15), (80, 24), (120, 40), (200, 60), (50, 10)] {
        screen.send(Msg::Resize(size.0, size.1));
        for keys in ["g", "jJJ", "a\n", "w", "ll", "\u{1b}"] {
            screen.keys(keys);
            let buf = drawn(&screen, "mono");
            assert!(
                buf.content().iter().all(|cell| !cell.symbol().contains(['\u{1b}', '\u{202e}', '\u{7}', '\r', '\n'])),
                "{size:?} {keys:?}"
            );
        }
    }
    screen.keys("gy");
}

#[test]
fn redacting_leaves_no_name() {
    let mut screen = screen();
    select(&mut screen, "hooli");
    screen.keys("x");
    screen.send(Msg::Resize(200, 60));
    for keys in ["", "J", "a", "\n", "w"] {
        screen.keys(keys);
        let picture = screen.picture();
        for name in ["hooli", "acme", "globex", "initech"] {
            assert!(!picture.contains(name), "{name}\n{picture}");
        }
    }
    let Some(Dialog::Ask(_)) = &screen.state.dialog else { panic!("{}", screen.picture()) };
    assert!(matches!(screen.keys("y").as_slice(), [Effect::Copy(text)] if !text.contains("hooli")));
}

#[test]
fn it_is_of_use_with_a_thousand() {
    let mut screen = Screen::new(Mode::Observe, many(1_000));
    screen.keys("6");
    assert_eq!(rows(&screen)[..2], ["hooli", "tyrell"]);
    screen.code(KeyCode::PageDown);
    screen.keys("G");
    assert!(screen.says("t0999"), "{}", screen.picture());
    let start = std::time::Instant::now();
    screen.keys("a\nw");
    println!("who of 1000 tenants: {:?}", start.elapsed());
    assert!(screen.says("of 1002 tenants"), "{}", screen.picture());
}
