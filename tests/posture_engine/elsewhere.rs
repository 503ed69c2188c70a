//! What a tenant's assessment looks at elsewhere: it is made again when that changes, though nothing of the tenant did.

use partywall::model::changes::Fact;
use partywall::posture::engine::{Engine, EngineConfig, from_scratch};
use partywall::receipt::book::Book;

use crate::facts::*;
use crate::written::rules;

const NS: &str = "web-tenant-acme";

/// An egress rule of acme; namespace and labels of a pod that appears elsewhere; a check; its verdict before and after.
type Case = (&'static str, (&'static str, &'static str), &'static str, [&'static str; 2]);

const CASES: [Case; 3] = [
    ("in web-tenant-globex pods app=db on TCP 5432", ("web-tenant-globex", "app=db"), "NET-03", ["DEGRADED", "BREACHED"]),
    (
        "in kube-system pods app=resolver on UDP 53, TCP 53",
        ("kube-system", "k8s-app=kube-dns,app=resolver"),
        "NET-05",
        ["BREACHED", "UNPROVEN"],
    ),
    ("in kube-system pods app=proxy on TCP 3128", ("kube-system", "app=proxy"), "NET-23", ["DEGRADED", "UNPROVEN"]),
];

#[test]
fn a_pod_elsewhere_changes_what_a_rule_means() {
    for (rule, (namespace, labels), check, verdicts) in CASES {
        let mut store = seed_store();
        store.apply(gone(partywall::model::kind::Kind::NetworkPolicy, NS, "allow-dns"));
        let mut own = policy(NS, "own", "", "E");
        own.egress = rules(&[rule.to_owned()]);
        store.apply(put(Fact::NetworkPolicy(own)));
        let config = EngineConfig::default();
        let mut engine = Engine::new(config.clone());
        for (step, expected) in verdicts.into_iter().enumerate() {
            if step == 1 {
                store.apply(put(Fact::Pod(pod(namespace, "new", labels))));
            }
            let (snapshot, dirty) = store.publish();
            let stepped = engine.evaluate(&snapshot, &dirty, &Book::default(), noon());
            for assessment in [stepped.as_ref(), &from_scratch(&config, &snapshot, &Book::default(), noon())] {
                let result = assessment.by_tenant.get("acme").unwrap().checks.iter().find(|result| result.check.id == check).unwrap();
                assert_eq!(result.verdict.word(), expected, "{rule}, step {step}: {:#?}", result.findings);
            }
        }
    }
}
