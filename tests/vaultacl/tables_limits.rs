//! 1.5 and 1.6, limits: rows as OpenBao 2.7.2 and Vault 1.21.0 answered them.

use partywall::model::vault::PolicyFlags;
use partywall::vaultacl::capability::Operation::{self, Create, Delete, List, Patch, Read, Scan, Update};
use partywall::vaultacl::dialect::Dialect::{self, OpenBao26, Vault121};
use partywall::vaultacl::template::Identity;
use serde_json::{Value, json};

use crate::both::{Both, Given};
use crate::made::NOW;

fn acl(body: &str, dialect: Dialect) -> Both {
    Both::of(&[&block(body)], dialect)
}

fn block(body: &str) -> String {
    format!("path \"a\" {{ capabilities = [\"read\", \"list\", \"update\", \"create\", \"delete\", \"patch\"] {body} }}\n")
}

fn takes(acl: &Both, operation: Operation, data: &Value) -> bool {
    acl.ask(operation, "a", data.as_object(), None).allowed
}

/// Parameters of the block, data of the request, whether OpenBao and Vault let an update pass.
fn parameters() -> Vec<(&'static str, Value, bool, bool)> {
    let numbers = "allowed_parameters = { a = [5, \"6\", true, 1.5] }";
    let denied = "denied_parameters = { a = [\"x*\", \"*\"] }";
    let lists = "allowed_parameters = { a = [[\"x\", \"y\"], \"l*\"] }";
    vec![
        (numbers, json!({"a": 5}), false, false),
        (numbers, json!({"a": "5"}), false, false),
        (numbers, json!({"a": 6}), false, false),
        (numbers, json!({"a": "6"}), true, true),
        (numbers, json!({"a": true}), true, true),
        (numbers, json!({"a": "true"}), false, false),
        (numbers, json!({"a": 1.5}), false, false),
        (numbers, json!({"a": null}), false, false),
        (numbers, json!({"a": ["6"]}), false, true),
        (numbers, json!({"a": []}), false, true),
        (numbers, json!({"a": ""}), false, true),
        (numbers, json!({"a": "6, 6"}), false, true),
        (numbers, json!({"a": "6,7"}), false, false),
        (numbers, json!({"b": "6"}), false, false),
        (numbers, json!({}), true, true),
        (lists, json!({"a": ["x", "y"]}), true, true),
        (lists, json!({"a": ["x"]}), false, false),
        (lists, json!({"a": ["l1", "l2"]}), false, true),
        (lists, json!({"a": ["lx", ["x", "y"]]}), false, true),
        (lists, json!({"a": "x,y"}), false, false),
        (denied, json!({"a": "xy"}), false, false),
        (denied, json!({"a": "*"}), false, false),
        (denied, json!({"a": "y"}), true, true),
        (denied, json!({"a": "y,x"}), true, false),
        (denied, json!({"a": ["y", "x"]}), true, false),
        (denied, json!({"a": []}), true, true),
        (denied, json!({"b": "x"}), true, true),
        ("allowed_parameters = { A = [] }", json!({"a": 1}), true, true),
        ("allowed_parameters = { A = [] }", json!({"A": 1}), true, true),
        ("allowed_parameters = { a = [] }", json!({"A": 1}), true, true),
        ("allowed_parameters = { a = [{ b = \"c\" }] }", json!({"a": {"b": "c"}}), true, true),
        ("allowed_parameters = { a = [{ b = \"c\" }] }", json!({"a": {"b": "d"}}), false, false),
        ("allowed_parameters = {}", json!({"b": 1}), true, true),
        ("allowed_parameters = { \"*\" = [\"x\"] }", json!({"b": "c"}), true, true),
        ("allowed_parameters = { \"*\" = [], a = [\"x\"] }", json!({"b": "c"}), true, true),
        ("allowed_parameters = { \"*\" = [], a = [\"x\"] }", json!({"a": "c"}), false, false),
        ("denied_parameters = { \"*\" = [\"x\"] }", json!({"b": "c"}), false, false),
        ("denied_parameters = { \"*\" = [] }", json!({}), true, true),
        ("denied_parameters = { a = [] } allowed_parameters = { a = [] }", json!({"a": 1}), false, false),
        ("required_parameters = [\"A\"]", json!({"a": 1}), true, true),
        ("required_parameters = [\"A\"]", json!({"A": 1}), false, false),
        ("required_parameters = [\"a\"]", json!({}), false, false),
        ("required_parameters = [\"a\"] denied_parameters = { b = [] }", json!({"a": 1, "b": 1}), false, false),
        ("allowed_parameters = { a = [\"*x\"] }", json!({"a": "yx"}), true, true),
        ("allowed_parameters = { a = [\"*x*\"] }", json!({"a": "yxz"}), true, true),
        ("allowed_parameters = { a = [\"x*y\"] }", json!({"a": "xzy"}), false, false),
        ("allowed_parameters = { a = [\"*\"] }", json!({"a": "x"}), false, false),
    ]
}

#[test]
fn parameters_of_an_update() {
    for (body, data, openbao, vault) in parameters() {
        for (dialect, allowed) in [(OpenBao26, openbao), (Vault121, vault)] {
            let acl = acl(body, dialect);
            for operation in [Update, Create, Patch, Read] {
                assert_eq!(takes(&acl, operation, &data), allowed, "{body} {operation:?} {data} in {}", dialect.word());
            }
            assert!(takes(&acl, Delete, &data) && takes(&acl, List, &data), "not asked of DELETE and LIST: {body} {data}");
        }
    }
}

/// The parameters of a GET are its query.
#[test]
fn a_version_can_be_refused() {
    let acl = acl("allowed_parameters = { version = [\"1\"] }", OpenBao26);
    assert!(takes(&acl, Read, &json!({})));
    assert!(takes(&acl, Read, &json!({"version": "1"})));
    assert!(!takes(&acl, Read, &json!({"version": "999999999"})));
}

#[test]
fn wrapping_binds_every_operation() {
    for dialect in [OpenBao26, Vault121] {
        for (body, ttl, allowed) in [
            ("min_wrapping_ttl = \"10s\"", None, false),
            ("min_wrapping_ttl = \"10s\"", Some(0), false),
            ("min_wrapping_ttl = \"10s\"", Some(9), false),
            ("min_wrapping_ttl = \"10s\"", Some(10), true),
            ("min_wrapping_ttl = 10", Some(9), false),
            ("min_wrapping_ttl = \"1m\"", Some(60), true),
            ("max_wrapping_ttl = \"60\"", None, false),
            ("max_wrapping_ttl = \"60\"", Some(60), true),
            ("max_wrapping_ttl = \"60\"", Some(61), false),
            ("", Some(1), true),
        ] {
            let acl = acl(body, dialect);
            for operation in [Read, List, Update, Create, Delete, Patch] {
                assert_eq!(acl.ask(operation, "a", None, ttl).allowed, allowed, "{body} {ttl:?} {operation:?} in {}", dialect.word());
            }
        }
    }
}

#[test]
fn limits_of_two_policies_are_merged() {
    let merged = |one: &str, two: &str| Both::of(&[&block(one), &block(two)], OpenBao26);
    let crossed = merged("min_wrapping_ttl = \"60s\"", "max_wrapping_ttl = \"10s\"");
    for ttl in [None, Some(5), Some(30), Some(90)] {
        assert!(!crossed.ask(Read, "a", None, ttl).allowed, "no request has a wrapping above min and below max");
    }
    let smallest = merged("min_wrapping_ttl = \"60s\"", "min_wrapping_ttl = \"10s\"");
    assert!(smallest.ask(Read, "a", None, Some(10)).allowed);
    let keys = merged("allowed_parameters = { a = [\"1\"] }", "allowed_parameters = { b = [], a = [\"2\"] }");
    for (data, allowed) in [(json!({"a": "1"}), true), (json!({"a": "2"}), true), (json!({"b": "9"}), true), (json!({"a": "3"}), false)] {
        assert_eq!(takes(&keys, Update, &data), allowed, "{data}");
    }
    let absorbed = merged("allowed_parameters = { a = [\"1\"] }", "allowed_parameters = { a = [] }");
    assert!(takes(&absorbed, Update, &json!({"a": "9"})), "an empty list absorbs values");
    let without = merged("allowed_parameters = { a = [\"1\"] }", "");
    assert!(!takes(&without, Update, &json!({"b": "1"})), "a policy without limits does not lift another's");
    let required = merged("required_parameters = [\"a\"]", "required_parameters = [\"b\"]");
    assert!(!takes(&required, Update, &json!({"a": 1})) && takes(&required, Update, &json!({"a": 1, "b": 1})));
    let denied = Both::of(&[&block("required_parameters = [\"a\"]"), "path \"a\" { capabilities = [\"deny\"] }"], OpenBao26);
    assert!(!takes(&denied, Update, &json!({"a": 1})));
}

#[test]
fn pages_of_openbao() {
    let text = "path \"a\" { capabilities = [\"list\", \"scan\", \"read\"] pagination_limit = 5 }";
    let more = "path \"a\" { capabilities = [] pagination_limit = 3 }";
    for (limit, of_five, of_three) in [
        (json!({}), true, true),
        (json!({"limit": "3"}), true, true),
        (json!({"limit": "5"}), true, false),
        (json!({"limit": "6"}), false, false),
        (json!({"limit": "max"}), true, true),
        (json!({"limit": "0"}), true, true),
        (json!({"limit": ""}), true, true),
        (json!({"limit": "x"}), false, false),
        (json!({"limit": "-1"}), false, false),
    ] {
        for operation in [List, Scan] {
            assert_eq!(takes(&Both::of(&[text], OpenBao26), operation, &limit), of_five, "{operation:?} {limit}");
            assert_eq!(takes(&Both::of(&[text, more], OpenBao26), operation, &limit), of_three, "the smallest counts: {limit}");
        }
        assert!(takes(&Both::of(&[text], OpenBao26), Read, &limit), "not asked of a GET");
    }
    let required = "path \"a\" { capabilities = [\"list\"] pagination_limit = 5 required_parameters = [\"LIMIT\"] }";
    assert!(!takes(&Both::of(&[required], OpenBao26), List, &json!({})));
    assert!(takes(&Both::of(&[required], OpenBao26), List, &json!({"limit": "1"})));
}

#[test]
fn blocks_of_openbao_expire() {
    for (when, allowed) in [("\"2020-01-02T03:04:05Z\"", false), ("\"2099-01-02T03:04:05Z\"", true), ("1", false)] {
        let text = format!("path \"a\" {{ capabilities = [\"read\"] expiration = {when} }}");
        assert_eq!(Both::of(&[&text], OpenBao26).allowed(Read, "a"), allowed, "{when}");
    }
    let gone =
        "path \"a/*\" { capabilities = [\"read\"] }\npath \"a/b\" { capabilities = [\"deny\"] expiration = \"2020-01-02T03:04:05Z\" }";
    assert!(Both::of(&[gone], OpenBao26).allowed(Read, "a/b"), "a deny that has expired denies nothing");
}

/// OpenBao's `ttl` and `expiration` of a whole policy.
#[test]
fn policies_of_openbao_expire() {
    let policy = partywall::vaultacl::read("path \"a\" { capabilities = [\"read\"] }", OpenBao26).unwrap();
    for (milliseconds, allowed) in [(-1, false), (1_000, true)] {
        let flags = PolicyFlags { expires: Some(NOW.plus(milliseconds)), ..PolicyFlags::default() };
        let both = Both::new(&[Given { policy: &policy, flags, namespace: "" }], &Identity::default(), OpenBao26);
        assert_eq!(both.allowed(Read, "a"), allowed);
    }
}
