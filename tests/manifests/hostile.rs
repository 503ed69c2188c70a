//! Whatever a file holds, reading ends soon, and with an error rather than a crash.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{read, told};

/// Nothing may take longer, in an unoptimised build on a machine with ten times as much to do as it can.
const SOON: Duration = Duration::from_secs(60);

#[test]
fn attacks_end_soon_with_the_name_of_file_and_object() {
    let head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: evil\n  namespace: shop\nspec:\n";
    let block = (0..10_000).fold(String::new(), |text, i| text + &" ".repeat(i + 2) + "a:\n");
    let mut laughs = String::from("  a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for i in 1..30 {
        let _ = writeln!(laughs, "  a{i}: &a{i} [{}]", vec![format!("*a{}", i - 1); 9].join(","));
    }
    let json = |depth: usize| {
        format!(
            r#"{{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{{"name":"evil","namespace":"shop"}},"spec":{}1{}}}"#,
            r#"{"a":"#.repeat(depth),
            "}".repeat(depth)
        )
    };
    for (name, text, what) in [
        ("flow.yaml", format!("{head}  a: {}{}\n", "[".repeat(10_000), "]".repeat(10_000)), "deep"),
        ("open.yaml", format!("{head}  a: {}\n", "{a: ".repeat(100_000)), "deep"),
        ("block.yaml", format!("{head}{block}"), "deep"),
        ("dashes.yaml", format!("{head}  a:\n   {}x\n", "- ".repeat(10_000)), "deep"),
        ("deep.json", json(10_000), "deep"),
        ("deep.yaml", json(10_000), "deep"),
        ("laughs.yaml", format!("{head}{laughs}"), "aliases"),
        ("long.yaml", format!("{head}  a: {}\n", "x".repeat(10 << 20)), "longer"),
        ("many.yaml", format!("{head}  a:\n{}", "  - x\n".repeat(2 << 20)), "longer"),
        ("long.json", json(1).replace(":1}", &format!(":\"{}\"}}", "x".repeat(10 << 20))), "longer"),
        ("twice.yaml", format!("{head}  podSelector: {{}}\n  podSelector: {{}}\n"), "twice"),
        ("twice.json", json(1).replace(r#"{"a":1}"#, r#"{"a":1,"a":2}"#), "twice"),
    ] {
        let began = Instant::now();
        let reading = read(name, &text);
        let told = told(&reading);
        assert!(began.elapsed() < SOON, "{name} took {:?}", began.elapsed());
        assert_eq!(told.len(), 1, "{name}: {told:?}");
        assert!(told[0].starts_with(&format!("{name}: document 1 ")), "{}", told[0]);
        assert!(told[0].contains("NetworkPolicy shop/evil") && told[0].contains(what), "{}", told[0]);
        assert!(told[0].len() < 400, "{}", told[0].len());
    }
}

#[test]
fn an_item_of_a_list_that_is_too_long_is_left_out_alone() {
    let items: Vec<String> = [10, 4 << 20]
        .iter()
        .map(|n| format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p{n}","annotations":{{"a":"{}"}}}}}}"#, "x".repeat(*n)))
        .collect();
    let reading = read("a.json", &format!(r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#, items.join(",")));
    assert_eq!(reading.objects, 1);
    assert!(told(&reading)[0].contains("Pod default/p4194304") || told(&reading)[0].contains("Pod p4194304"), "{:?}", told(&reading)[0]);
}

#[test]
fn names_that_act_on_a_terminal_are_tamed_in_problems() {
    let reading = read("a\u{1b}[2J.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: \"x\\e[2J\\u202e\"\n  labels: [\"\\a\"]\n");
    assert!(told(&reading)[0].chars().all(|c| !c.is_control() && c != '\u{202e}'), "{:?}", told(&reading));
}

#[test]
fn a_flood_of_problems_is_counted_beyond_the_first() {
    let reading = read("a.yaml", &"a: [\n---\n".repeat(5_000));
    assert_eq!(reading.problems.len() + reading.untold, 5_000);
    assert!(reading.untold > 0 && reading.lost());
}

/// JSON of any shape with the keys that are read.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop_oneof![Just("10.0.0.0/8"), Just("::/0"), Just("TCP"), Just("In"), Just("Ingress"), Just("http"), Just("List")]
            .prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "items",
        "kind",
        "metadata",
        "name",
        "namespace",
        "labels",
        "spec",
        "template",
        "podSelector",
        "matchLabels",
        "matchExpressions",
        "key",
        "operator",
        "values",
        "ingress",
        "egress",
        "from",
        "to",
        "ports",
        "port",
        "endPort",
        "protocol",
        "ipBlock",
        "cidr",
        "except",
        "policyTypes",
        "containers",
        "hostNetwork",
        "jobTemplate",
        "status",
        "podIPs",
        "ownerReferences",
        "subject",
        "specs",
        "toPorts",
    ]);
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

const KINDS: [(&str, &str); 14] = [
    ("v1", "Pod"),
    ("v1", "Namespace"),
    ("v1", "Service"),
    ("v1", "Node"),
    ("v1", "List"),
    ("v1", "ReplicationController"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "CronJob"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
    ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
    ("cilium.io/v2", "CiliumNetworkPolicy"),
    ("cilium.io/v2", "CiliumClusterwideNetworkPolicy"),
];

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut collector = partywall::manifests::Collector::default();
        collector.file("a.yaml", &bytes);
        collector.file("a.json", &bytes);
        collector.finish();
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-{}\\[\\]:,&*!|>'\"#%@ \\n\\t.a-c0-9~<?]{0,200}") {
        read("a.yaml", &text);
        read("a.json", &text);
    }

    #[test]
    fn no_object_makes_it_panic_and_yaml_reads_as_json_does(kind in 0..KINDS.len(), body in any_json(), spec in any_json()) {
        let (version, kind) = KINDS[kind];
        let mut object = serde_json::json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "spec": spec});
        if let (Some(object), serde_json::Value::Object(body)) = (object.as_object_mut(), body) {
            object.extend(body);
        }
        let as_json = read("a", &object.to_string());
        let as_yaml = read("a", &serde_saphyr::to_string(&object).unwrap());
        prop_assert_eq!(&*as_json.snapshot.namespaces, &*as_yaml.snapshot.namespaces);
        prop_assert_eq!(as_json.problems.len(), as_yaml.problems.len(), "{:?} {:?}", as_json.problems, as_yaml.problems);
    }
}
