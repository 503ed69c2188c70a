//! Following a cluster event by event gives what looking at it afresh gives.

use std::collections::BTreeSet;
use std::sync::Arc;

use partywall::model::changes::Change;
use partywall::model::ids::TenantId;
use partywall::model::snapshot::Snapshot;
use partywall::netpol::matrix::Matrix;
use partywall::netpol::profile::{Enforcement, PROFILES, Profile};
use partywall::netpol::reach::{Reach, Touched};
use partywall::netpol::story::End;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::build::{World, seeing, tenants};
use crate::oracle::Oracle;
use crate::random::{agree, cases, engine_with, options, pods};
use crate::universe::{EVERYTHING, Item, add, namespace_item, pod_item, policy_item, universe};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Put(Item),
    /// Some object that is there goes.
    Gone(proptest::sample::Index),
    Look,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let put = prop_oneof![
        4 => pod_item(true),
        4 => policy_item(EVERYTHING),
        1 => namespace_item(),
        1 => proptest::sample::select(&["n1 rack=r1 ip=192.168.0.1", "n1 rack=r2 ip=192.168.0.1", "n2 ip=192.168.0.2", "n2 rack=r1 ip=10.9.0.1"][..])
            .prop_map(|words| Item::Node(words.to_owned())),
    ];
    let step = prop_oneof![5 => put.prop_map(Step::Put), 2 => any::<proptest::sample::Index>().prop_map(Step::Gone), 4 => Just(Step::Look)];
    proptest::collection::vec(step, 2..16)
}

fn put(item: &Item) -> Vec<Change> {
    add(World::new(), item).facts.into_iter().map(|fact| Change::Put(Box::new(fact))).collect()
}

/// What the engine followed to, against one that has only ever seen the newest snapshot.
fn same(followed: &Reach, snapshot: &Arc<Snapshot>, profile: Profile) -> TestCaseResult {
    let fresh = engine_with(snapshot, &partywall::model::snapshot::Dirty::default(), &options(profile, Enforcement::Default));
    prop_assert_eq!(&*followed.matrix(), &*fresh.matrix(), "the matrix");
    prop_assert_eq!(followed.workloads(), fresh.workloads(), "the workloads");
    prop_assert_eq!(followed.connections(), fresh.connections(), "the connections");
    let all = pods(snapshot);
    for from in &all {
        for to in &all {
            prop_assert_eq!(followed.answer(from, to), fresh.answer(from, to), "{:?} > {:?}", from, to);
            prop_assert_eq!(followed.explain(from, to), fresh.explain(from, to), "why {:?} > {:?}", from, to);
        }
        if let End::Pod { namespace, .. } = from {
            let within = ["0.0.0.0/0".parse().unwrap(), "2600::/16".parse().unwrap()];
            for future in [false, true] {
                prop_assert_eq!(
                    followed.addresses(namespace, &within, future),
                    fresh.addresses(namespace, &within, future),
                    "{}",
                    namespace
                );
            }
        }
    }
    Ok(())
}

/// Tenants whose row, column or targets differ must be named.
fn touched_names_what_moved(before: &Matrix, after: &Matrix, touched: &Touched) -> TestCaseResult {
    let names: BTreeSet<&TenantId> = before.tenants.iter().chain(after.tenants.iter()).collect();
    for from in &names {
        for to in &names {
            let cell = |matrix: &Matrix| matrix.cell(matrix.place(from)?, matrix.place(to)?).cloned();
            let named = touched.all || touched.tenants.contains(*from) || touched.tenants.contains(*to);
            prop_assert!(named || cell(before) == cell(after), "{} > {} moved, and {:?} says nothing of it", from, to, touched);
        }
        let targets = |matrix: &Matrix| Some(matrix.rows.get(matrix.place(from)?)?.targets.clone());
        let named = touched.all || touched.tenants.contains(*from);
        prop_assert!(named || targets(before) == targets(after), "targets of {} moved, and {:?} says nothing of it", from, touched);
    }
    Ok(())
}

fn follow(first: &[Item], steps: &[Step], profile: Profile) -> TestCaseResult {
    let mut store = seeing();
    let mut there: BTreeSet<_> = BTreeSet::new();
    let apply = |store: &mut partywall::model::store::Store, there: &mut BTreeSet<_>, change: Change| {
        if let Change::Put(fact) = &change {
            there.insert(fact.meta().object(fact.kind()));
        }
        store.apply(change);
    };
    for change in first.iter().flat_map(put) {
        apply(&mut store, &mut there, change);
    }
    let mut reach = Reach::new(options(profile, Enforcement::Default));
    let (mut newest, dirty) = store.publish();
    reach.sync(&newest, &tenants(&newest), &dirty);
    for step in steps.iter().chain([&Step::Look]) {
        match step {
            Step::Put(item) => put(item).into_iter().for_each(|change| apply(&mut store, &mut there, change)),
            Step::Gone(which) if !there.is_empty() => {
                let object = there.iter().nth(which.index(there.len())).cloned().unwrap();
                there.remove(&object);
                store.apply(Change::Gone { kind: object.kind, namespace: object.namespace, name: object.name });
            }
            Step::Gone(_) => {}
            Step::Look => {
                let before = reach.matrix();
                let (snapshot, dirty) = store.publish();
                newest = snapshot;
                let touched = reach.sync(&newest, &tenants(&newest), &dirty);
                same(&reach, &newest, profile)?;
                touched_names_what_moved(&before, &reach.matrix(), &touched)?;
            }
        }
    }
    agree(&reach, &Oracle::new(&newest, profile))
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn following_events_gives_what_a_fresh_look_gives(
        first in universe(EVERYTHING, 0..6, 0..5),
        steps in steps(),
        profile in proptest::sample::select(&PROFILES[..]),
    ) {
        follow(&first, &steps, profile)?;
    }
}

#[test]
fn nothing_new_touches_nobody() {
    let world = World::new().ns("a").ns("b").pod("a/x").pod("b/y");
    let mut store = world.store();
    let (snapshot, dirty) = store.publish();
    let mut reach = Reach::new(options(Profile::Spec, Enforcement::Default));
    reach.sync(&snapshot, &tenants(&snapshot), &dirty);
    let before = reach.matrix();
    let (snapshot, dirty) = store.publish();
    assert_eq!(reach.sync(&snapshot, &tenants(&snapshot), &dirty), Touched::default());
    // another pod that is like one that is there
    add(World::new(), &Item::Pod("a/x2".to_owned())).facts.into_iter().for_each(|fact| store.apply(Change::Put(Box::new(fact))));
    let (snapshot, dirty) = store.publish();
    reach.sync(&snapshot, &tenants(&snapshot), &dirty);
    let after = reach.matrix();
    let untouched = after.place("b").unwrap();
    assert!(Arc::ptr_eq(&before.rows[untouched], &after.rows[untouched]), "a row that did not change is the same allocation");
}
