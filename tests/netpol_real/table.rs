//! Cases by hand: policies, and what must be open or closed because of them, written from the API's text and not worked out by a program.

use serde_json::{Value, json};

/// A policy: namespace, name, spec.
pub struct Policy(pub &'static str, pub String, pub Value);

/// Policies, and rows `from > to port open|closed`, several ports in one row.
pub struct Case {
    pub name: &'static str,
    pub policies: Vec<Policy>,
    pub rows: &'static str,
}

fn policy(namespace: &'static str, name: &str, spec: Value) -> Policy {
    Policy(namespace, name.to_owned(), spec)
}

fn case(name: &'static str, policies: Vec<Policy>, rows: &'static str) -> Case {
    Case { name, policies, rows }
}

fn deny() -> Value {
    json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
}

fn system() -> Value {
    json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}})
}

/// The cases, in an order in which each also proves that what the one before forbade is allowed again.
pub fn cases() -> Vec<Case> {
    [walls(), selectors(), blocks(), ports(), defaults(), unions(), changes()].into_iter().flatten().collect()
}

fn walls() -> Vec<Case> {
    let dns = json!({"podSelector": {}, "policyTypes": ["Egress"],
        "egress": [{"to": [system()], "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}]});
    let ingress = json!({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "job"}}}]}]});
    let egress =
        json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"podSelector": {"matchLabels": {"app": "db"}}}]}]});
    vec![case(
        "default deny with an exception for DNS; ingress only; egress only",
        vec![
            policy("red", "deny", deny()),
            policy("red", "dns", dns),
            policy("blue", "ingress", ingress),
            policy("green", "egress", egress),
        ],
        "red/a > red/b tcp/8080 udp/5353 sctp/7000 closed
         red/a > red/a tcp/8080 open
         red/a > dns udp/53 tcp/53 open
         red/a > svc:dns udp/53 tcp/53 open
         red/a > grey/a tcp/8080 udp/5353 closed
         grey/a > red/a tcp/8080 udp/5353 sctp/7000 closed
         red/a > public tcp/80 closed
         red/a > metadata tcp/80 closed
         red/a > lan tcp/80 closed
         public > red/a tcp/8080 closed
         grey/host > red/a tcp/8080 udp/5353 open
         grey/a > grey/b tcp/8080 tcp/8099 udp/5354 sctp/7001 open
         grey/a > public tcp/80 tcp/81 open
         blue/c > blue/a tcp/8080 udp/5353 sctp/7000 open
         blue/b > blue/a tcp/8080 sctp/7000 closed
         grey/a > blue/a tcp/8080 closed
         public > blue/a tcp/8080 closed
         public > blue/b tcp/8080 open
         blue/a > blue/b tcp/8080 open
         blue/a > metadata tcp/80 open
         blue/c > svc:front tcp/80 udp/53 open
         blue/b > svc:front tcp/80 udp/53 closed
         green/a > green/b tcp/8080 udp/5353 sctp/7000 open
         green/a > green/c tcp/8080 udp/5353 closed
         green/a > blue/b tcp/8080 closed
         green/a > dns udp/53 closed
         green/a > lan tcp/80 closed
         blue/b > green/a tcp/8080 udp/5353 open
         lan > green/a tcp/8080 open",
    )]
}

fn selectors() -> Vec<Case> {
    let to_db =
        |from: Value| json!({"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"], "ingress": [{"from": from}]});
    let red = json!({"namespaceSelector": {"matchLabels": {"team": "red"}}});
    let both = json!([{"namespaceSelector": {"matchLabels": {"env": "prod"}}, "podSelector": {"matchLabels": {"app": "web"}}}]);
    let either = json!([{"namespaceSelector": {"matchLabels": {"env": "dev"}}}, {"podSelector": {"matchLabels": {"app": "web"}}}]);
    let not_red = json!([{"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["red"]}]},
        "podSelector": {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["back"]}]}}]);
    let several = json!([{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web", "tier": "front"}}}]);
    let empty = json!([{"namespaceSelector": {}, "podSelector": {"matchLabels": {"tier": ""}}}]);
    let absent = json!([{"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]},
        "podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}]);
    let on = |labels: Value, from: Value| json!({"podSelector": labels, "policyTypes": ["Ingress"], "ingress": [{"from": from}]});
    vec![case(
        "selectors: namespaces, both in one item, either of two items, NotIn and DoesNotExist without the key, empty values",
        vec![
            policy("green", "red", to_db(json!([red]))),
            policy("blue", "both", to_db(both)),
            policy("red", "either", to_db(either)),
            policy("grey", "not-red", on(json!({"matchLabels": {"app": "web"}}), not_red)),
            policy("green", "several", on(json!({"matchLabels": {"role": "admin"}}), several)),
            policy("green", "empty", on(json!({"matchLabels": {"app": "web"}}), empty)),
            policy("grey", "absent", on(json!({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}), absent)),
        ],
        "red/a > green/b tcp/8080 udp/5353 open
         red/c > green/b sctp/7000 open
         blue/a > green/b tcp/8080 closed
         green/a > green/b tcp/8080 closed
         red/a > blue/b tcp/8080 open
         blue/a > blue/b tcp/8080 open
         red/b > blue/b tcp/8080 closed
         green/a > blue/b tcp/8080 closed
         red/a > red/b tcp/8080 open
         red/d > red/b tcp/8080 open
         red/c > red/b tcp/8080 closed
         green/c > red/b tcp/8080 open
         blue/a > red/b tcp/8080 closed
         grey/b > grey/a tcp/8080 open
         blue/a > grey/a tcp/8080 open
         blue/b > grey/a tcp/8080 closed
         red/a > grey/a tcp/8080 closed
         green/c > grey/a tcp/8080 open
         red/a > green/c tcp/8080 open
         red/d > green/c tcp/8080 closed
         green/a > green/c tcp/8080 closed
         red/d > green/a tcp/8080 open
         red/c > green/a tcp/8080 closed
         grey/b > green/a tcp/8080 closed
         grey/a > grey/b tcp/8080 open
         red/a > grey/b tcp/8080 closed
         public > green/b tcp/8080 closed
         grey/host > grey/b tcp/8080 open",
    )]
}

fn blocks() -> Vec<Case> {
    let egress = |to: Value| json!({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"], "egress": [{"to": to}]});
    let anything = json!([{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16", "10.200.0.0/24"]}}]);
    let again = json!([{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "10.200.0.0/16", "203.0.113.0/24"]}},
        {"ipBlock": {"cidr": "10.200.0.0/24"}}]);
    let from = json!({"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}, {"ipBlock": {"cidr": "10.200.0.0/16", "except": ["10.200.0.8/29"]}}]}]});
    vec![case(
        "blocks of addresses: except, an exception allowed again, pods inside a block, from outside",
        vec![
            policy("red", "anything", egress(anything)),
            policy("green", "again", egress(again)),
            policy("blue", "from", from),
            policy("grey", "one-pod", egress(json!([{"ipBlock": {"cidr": "@red/b@/32"}}]))),
        ],
        "red/a > metadata tcp/80 closed
         red/a > lan tcp/80 closed
         red/a > public tcp/80 tcp/81 open
         red/a > red/b tcp/8080 udp/5353 sctp/7000 open
         red/b > metadata tcp/80 open
         green/a > metadata tcp/80 open
         green/a > public tcp/80 closed
         green/a > lan tcp/80 open
         green/a > green/b tcp/8080 closed
         public > blue/b tcp/8080 udp/5353 sctp/7000 open
         lan > blue/b tcp/8080 closed
         metadata > blue/b tcp/8080 closed
         red/b > blue/b tcp/8080 closed
         lan > blue/a tcp/8080 open
         grey/a > red/b tcp/8080 tcp/8099 udp/5354 open
         grey/a > red/c tcp/8080 closed
         grey/a > public tcp/80 closed
         grey/b > red/c tcp/8080 open",
    )]
}

fn ports() -> Vec<Case> {
    let on = |app: &str, rule: Value| json!({"podSelector": {"matchLabels": {"app": app}}, "policyTypes": ["Ingress"], "ingress": [rule]});
    let range = json!({"ports": [{"protocol": "TCP", "port": 9000, "endPort": 9002}]});
    let named = json!({"from": [{"namespaceSelector": {}}], "ports": [{"port": "web"}]});
    let egress = json!({"podSelector": {"matchLabels": {"app": "job"}}, "policyTypes": ["Egress"],
        "egress": [{"to": [{"namespaceSelector": {}}], "ports": [{"protocol": "TCP", "port": "web"}, {"protocol": "UDP", "port": "dns"}]}]});
    let both = json!({"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": 8081}, {"protocol": "UDP"}]});
    let sctp = json!({"ports": [{"protocol": "SCTP", "port": 7000}, {"protocol": "SCTP", "port": "assoc"}]});
    vec![case(
        "ports: ranges, names of the destination, a protocol alone, SCTP, from and ports together",
        vec![
            policy("red", "range", on("db", range)),
            policy("red", "named", on("web", named)),
            policy("blue", "named", egress),
            policy("green", "both", on("db", both)),
            policy("grey", "sctp", on("web", sctp)),
        ],
        "grey/b > red/b tcp/9000 tcp/9001 tcp/9002 open
         grey/b > red/b tcp/8080 tcp/9003 udp/5353 sctp/7000 closed
         public > red/b tcp/9001 open
         public > red/b tcp/8080 closed
         grey/b > red/a tcp/8080 open
         grey/b > red/a tcp/9001 closed
         grey/b > red/d tcp/9001 open
         grey/b > red/d tcp/8080 closed
         public > red/a tcp/8080 closed
         blue/c > grey/a tcp/8080 closed
         blue/c > blue/a tcp/8080 udp/5353 open
         blue/c > blue/a tcp/8081 udp/5354 sctp/7000 closed
         blue/c > blue/b tcp/9001 open
         blue/c > blue/b tcp/8080 udp/5353 closed
         blue/c > green/a udp/5353 open
         blue/c > green/a tcp/8080 udp/5354 closed
         blue/c > grey/b tcp/8081 open
         blue/c > grey/b tcp/8080 udp/5353 udp/5354 closed
         blue/c > public tcp/80 closed
         blue/c > svc:front tcp/80 udp/53 open
         green/a > green/b tcp/8081 udp/5353 udp/5354 open
         green/a > green/b tcp/8080 sctp/7000 closed
         green/c > green/b tcp/8081 udp/5353 closed
         red/a > grey/a sctp/7000 open
         red/a > grey/a tcp/8080 udp/5353 sctp/7001 closed",
    )]
}

fn defaults() -> Vec<Case> {
    let on = |app: &str, rest: Value| {
        let mut spec = json!({"podSelector": {"matchLabels": {"app": app}}});
        spec.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        spec
    };
    vec![case(
        "what is left out: policyTypes, empty lists of rules, peers and ports, an empty rule",
        vec![
            policy("red", "egress-rules-isolate-ingress-too", on("web", json!({"egress": [{"to": [{"podSelector": {}}]}]}))),
            policy("red", "no-egress-rule-no-egress", on("db", json!({"egress": []}))),
            policy("blue", "empty-list", on("web", json!({"policyTypes": ["Ingress"], "ingress": []}))),
            policy("blue", "empty-rule", on("db", json!({"policyTypes": ["Ingress", "Egress"], "ingress": [{}]}))),
            policy("green", "no-peers-no-ports", on("db", json!({"policyTypes": ["Ingress"], "ingress": [{"from": [], "ports": []}]}))),
            policy(
                "green",
                "rules-without-type",
                on("web", json!({"policyTypes": ["Egress"], "ingress": [{}], "egress": [{"to": [], "ports": [{"port": 8080}]}]})),
            ),
        ],
        "red/b > red/a tcp/8080 closed
         red/a > red/c tcp/8080 open
         red/a > blue/c tcp/8080 closed
         red/b > blue/c tcp/8080 open
         red/b > public tcp/80 open
         red/c > red/b tcp/8080 closed
         blue/c > blue/a tcp/8080 udp/5353 sctp/7000 closed
         blue/c > blue/b tcp/8080 udp/5353 sctp/7000 open
         public > blue/b tcp/8080 open
         blue/b > blue/c tcp/8080 closed
         blue/b > lan tcp/80 closed
         red/c > green/b tcp/8080 udp/5354 sctp/7001 open
         lan > green/b tcp/8080 open
         red/c > green/a tcp/8080 open
         green/a > red/c tcp/8080 open
         green/a > red/c tcp/8081 udp/5353 closed
         green/a > metadata tcp/80 closed",
    )]
}

fn unions() -> Vec<Case> {
    let rule = |peer: Value, port: u16| json!({"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"], "ingress": [{"from": [peer], "ports": [{"port": port}]}]});
    let job = json!({"podSelector": {"matchLabels": {"app": "job"}}});
    let web = json!({"podSelector": {"matchLabels": {"app": "web"}}});
    let out = json!({"podSelector": {"matchLabels": {"app": "job"}}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": 8080}, {"port": 8081}]}]});
    vec![case(
        "the union of policies, and both ends having their say",
        vec![policy("red", "job", rule(job, 8080)), policy("red", "web", rule(web, 9000)), policy("red", "out", out)],
        "red/c > red/b tcp/8080 open
         red/c > red/b tcp/8081 tcp/9000 closed
         red/a > red/b tcp/9000 open
         red/a > red/b tcp/8080 closed
         red/c > blue/b tcp/8081 open
         red/c > blue/b tcp/9000 udp/5353 closed
         blue/a > red/b tcp/9000 tcp/8080 closed",
    )]
}

/// The same policies come and go.
fn changes() -> Vec<Case> {
    let allow = json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": {}}]}], "egress": [{"to": [{"podSelector": {}}]}]});
    let inside = "blue/a > blue/b tcp/8080 udp/5353 sctp/7000 closed
                  blue/c > svc:front tcp/80 closed
                  grey/b > blue/a tcp/8080 closed
                  blue/a > metadata tcp/80 closed";
    let open = "blue/a > blue/b tcp/8080 udp/5353 sctp/7000 open
                blue/c > svc:front tcp/80 open
                grey/b > blue/a tcp/8080 open
                blue/a > metadata tcp/80 open
                public > blue/a tcp/8080 open";
    vec![
        case("deny", vec![policy("blue", "deny", deny())], inside),
        case(
            "deny, but not among themselves",
            vec![policy("blue", "deny", deny()), policy("blue", "allow", allow)],
            "blue/a > blue/b tcp/8080 udp/5353 sctp/7000 open
             blue/c > svc:front tcp/80 open
             grey/b > blue/a tcp/8080 closed
             blue/a > metadata tcp/80 closed
             public > blue/a tcp/8080 closed",
        ),
        case("the allowing policy is deleted", vec![policy("blue", "deny", deny())], inside),
        case("the last policy is deleted", vec![], open),
        case("deny again", vec![policy("blue", "deny", deny())], inside),
    ]
}
