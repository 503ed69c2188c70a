//! Random policies: evaluator and judge must agree. Few paths and few words, so that rules meet and compete.

use partywall::model::vault::PolicyFlags;
use partywall::vaultacl::acl::Acl;
use partywall::vaultacl::capability::{OPERATIONS, Operation};
use partywall::vaultacl::dialect::{DIALECTS, Dialect};
use partywall::vaultacl::policy::Policy;
use partywall::vaultacl::template::{EntityValues, Identity};
use proptest::prelude::*;

use crate::both::{Both, Given};
use crate::choices::Choices;
use crate::made::{self, Made, MadePolicy};

const PARTS: [&str; 9] = ["a", "b", "ab", "", "ä", "+", "a+", "x*", "*"];
const NAMESPACES: [&str; 3] = ["", "n/", "n/b/"];

fn path(choose: &mut Choices<'_>) -> String {
    let many = 1 + choose.pick(4);
    let parts: Vec<&str> = (0..many).map(|_| *choose.of(&PARTS)).collect();
    format!("{}{}", parts.join("/"), if choose.once_in(4) { "/" } else { "" })
}

fn someone(choose: &mut Choices<'_>, dialect: Dialect) -> Identity {
    // what Vault 2.0 makes of wildcards in values is not settled (`spec/vault.md` 9)
    let settled = dialect != Dialect::Vault20;
    let name = *choose.of(if settled { &["a", "b", "ab", "a/b", "a*", "+", ""][..] } else { &["a", "b", ""] });
    let metadata = [("k".into(), (*choose.of(if settled { &["a", "", "ä", "*"][..] } else { &["a", ""] })).into())].into();
    if choose.once_in(4) {
        return Identity::default();
    }
    Identity { entity: Some(EntityValues { id: "b".into(), name: name.into(), metadata }), ..Identity::default() }
}

struct World {
    dialect: Dialect,
    made: Vec<(MadePolicy, PolicyFlags, &'static str)>,
    who: Identity,
    paths: Vec<String>,
}

fn world(choose: &mut Choices<'_>) -> World {
    let dialect = *choose.of(&DIALECTS);
    let paths: Vec<String> = (0..4).map(|_| path(choose)).collect();
    let templates: Vec<String> = if choose.once_in(3) {
        ["{{identity.entity.name}}", "{{identity.entity.id}}", "{{identity.entity.metadata.k}}", "{{identity.entity.metadata.no}}"]
            .map(str::to_owned)
            .into()
    } else {
        Vec::new()
    };
    let many = 1 + choose.pick(3);
    let made = (0..many)
        .map(|_| {
            let policy = made::policy(choose, dialect, &paths, &templates);
            let flags = PolicyFlags { slashes: choose.once_in(2), wildcards: choose.once_in(2), expires: None };
            (policy, flags, if choose.once_in(4) { *choose.of(&NAMESPACES) } else { "" })
        })
        .collect();
    World { dialect, made, who: someone(choose, dialect), paths }
}

/// Every path, with slashes where they may matter.
fn around(paths: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for path in paths {
        all.extend([path.clone(), format!("{path}/"), format!("/{path}"), format!("{path}/a"), format!("{path}b")]);
        all.extend(path.rsplit_once('/').map(|(parent, _)| parent.to_owned()));
    }
    all
}

/// Shows the world when a comparison in it fails.
struct Told<'a>(&'a World);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (policy, flags, namespace) in &self.0.made {
                eprintln!("# of {namespace:?}, {flags:?}\n{}", made::hcl(policy));
            }
            eprintln!("{} for {:?}", self.0.dialect.word(), self.0.who.entity);
        }
    }
}

fn agree(bytes: &[u8]) {
    let mut choose = Choices::new(bytes);
    let world = world(&mut choose);
    let meant: Vec<Policy> = world.made.iter().map(|(made, ..)| made::meant(made)).collect();
    let given: Vec<Given<'_>> =
        meant.iter().zip(&world.made).map(|(policy, (_, flags, namespace))| Given { policy, flags: *flags, namespace }).collect();
    let _told = Told(&world);
    let namespaces: Vec<&str> = world.made.iter().map(|(.., namespace)| *namespace).collect();
    let both = Both::new(&given, &world.who, world.dialect);
    for path in around(&world.paths) {
        let path = format!("{}{path}", choose.of(&namespaces));
        both.capabilities(&path);
        for (_, operation) in OPERATIONS {
            // LIST is where the dialects differ
            if operation != Operation::List && !choose.once_in(4) {
                continue;
            }
            let (data, wrap) = if choose.once_in(3) {
                (Some(made::data(&mut choose, &["a", "b", "B", "limit"], false)), *choose.of(&[None, Some(10), Some(60), Some(90)]))
            } else {
                (None, None)
            };
            both.ask(operation, &path, data.as_ref(), wrap);
        }
    }
    if choose.once_in(8) {
        assert_eq!(both.acl, again(&given, &world), "the same policies make the same ACL");
    }
}

fn again(given: &[Given<'_>], world: &World) -> Acl {
    Both::new(given, &world.who, world.dialect).acl
}

/// Beside the line of the block, which the made-up policy does not know.
fn same(read: &Policy, meant: &Policy) -> bool {
    let unlined = |policy: &Policy| {
        let mut policy = policy.clone();
        for rule in &mut policy.rules {
            rule.line = 0;
            if let Some(limits) = &mut rule.limits {
                for map in [&mut limits.allowed, &mut limits.denied] {
                    // both are empty to the servers; they hold keys in lower case
                    *map = map.take().map(|map| map.into_iter().map(|(key, values)| (key.to_lowercase(), values)).collect());
                }
                limits.required.sort();
            }
        }
        policy
    };
    unlined(read) == unlined(meant)
}

fn reads(bytes: &[u8]) {
    let mut choose = Choices::new(bytes);
    let world = world(&mut choose);
    for (made, ..) in &world.made {
        let meant = made::meant(made);
        let mut texts = vec![made::hcl(made)];
        if made.iter().all(Made::fits_json) {
            texts.push(made::json(made));
        }
        for text in texts {
            let read = partywall::vaultacl::read(&text, world.dialect).unwrap_or_else(|why| panic!("{why}\n{text}"));
            assert!(same(&read, &meant), "{text}\nread as {read:#?}\nmeant as {meant:#?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn evaluator_and_judge_agree(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        agree(&bytes);
    }

    #[test]
    fn a_written_policy_is_read_as_meant(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        reads(&bytes);
    }
}
