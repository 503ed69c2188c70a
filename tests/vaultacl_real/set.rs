//! One set: policies, a token, what the server says, what we say.

use std::sync::atomic::Ordering;

use partywall::model::ids::Name;
use partywall::model::vault::PolicyFlags;
use partywall::vaultacl::acl::{Acl, Granted, Request};
use partywall::vaultacl::policy::Policy;
use partywall::vaultacl::template::Identity;
use serde_json::{Value, json};

use crate::asks::{self, Ask};
use crate::choices::{Choices, bytes};
use crate::made::{self, MadePolicy, NOW};
use crate::oracle::{Block, Oracle};
use crate::oracle_template::{self, Became};
use crate::people::People;
use crate::stage::{Stage, Tally, headers, ok};

struct Written {
    name: String,
    text: String,
    meant: Policy,
    flags: PolicyFlags,
}

struct Set<'a> {
    stage: &'a Stage<'a>,
    seed: u64,
    /// The token's.
    namespace: &'static str,
    policies: Vec<Written>,
    who: Identity,
    token: String,
    with_default: bool,
    asks: Vec<(&'static str, Ask)>,
}

pub fn play(stage: &Stage<'_>, seed: u64, tally: &Tally) {
    let bytes = bytes(seed, 8_000);
    let mut choose = Choices::new(&bytes);
    let set = Set::make(stage, seed, &mut choose);
    tally.policies.fetch_add(set.policies.len(), Ordering::Relaxed);
    let mut differences = Vec::new();
    let oracle = set.oracle();
    let ours = [("values", set.acl(false)), ("texts", set.acl(true))];
    set.compare_capabilities(&mut choose, oracle.as_ref(), &ours, tally, &mut differences);
    for (inside, ask) in &set.asks {
        set.compare_request(inside, ask, oracle.as_ref(), &ours, tally, &mut differences);
    }
    if !differences.is_empty() {
        tally.differences.lock().unwrap().push(format!("{}{}", set.shown(), differences.join("\n")));
    }
}

/// Paths relative to a namespace, in it and below.
fn paths_below(stage: &Stage<'_>, namespace: &str) -> Vec<String> {
    let below = stage.namespaces.iter().filter_map(|each| each.strip_prefix(namespace));
    let mut all: Vec<String> = below.flat_map(|deeper| asks::paths().into_iter().map(move |path| format!("{deeper}{path}"))).collect();
    if namespace.is_empty() {
        for value in &stage.people.values {
            all.extend(["k1/", "k2/data/", "k2/metadata/"].map(|front| format!("{front}{value}")));
        }
    }
    all
}

impl<'a> Set<'a> {
    fn make(stage: &'a Stage<'a>, seed: u64, choose: &mut Choices<'_>) -> Self {
        let namespace = if choose.once_in(3) { *choose.of(&stage.namespaces) } else { "" };
        let inside: Vec<&'static str> = stage.namespaces.iter().copied().filter(|each| each.starts_with(namespace)).collect();
        let asks: Vec<(&'static str, Ask)> = (0..12)
            .map(|_| {
                let inside = if choose.once_in(3) { choose.of(&inside) } else { namespace };
                (inside, asks::ask(choose, stage.dialect.is_openbao(), !inside.is_empty()))
            })
            .collect();
        // rules are about what is going to be asked for, and about few paths at a time, so that they meet
        let all = paths_below(stage, namespace);
        let asked = asks.iter().map(|(inside, ask)| format!("{}{}", inside.strip_prefix(namespace).unwrap(), ask.path));
        let mut paths: Vec<String> = asked.take(6).collect();
        paths.push(all[choose.pick(256) * all.len() / 256].clone());
        let parents = paths.iter().filter_map(|path| path.rsplit_once('/').map(|(parent, _)| parent.to_owned()));
        paths.extend(parents.collect::<Vec<_>>());
        let templated = choose.once_in(3);
        let templates: &[String] = if templated { &stage.people.templates } else { &[] };
        let many = 1 + choose.pick(4);
        let policies = (0..many).map(|at| write(stage, seed, at, namespace, choose, &paths, templates)).collect::<Vec<_>>();
        let person = (namespace.is_empty() && (templated || choose.once_in(6)) && !choose.once_in(8)).then(|| choose.of(&stage.people.all));
        let mut names: Vec<String> = policies.iter().map(|policy| policy.name.clone()).collect();
        if choose.once_in(8) {
            names.insert(0, "nowhere-to-be-found".to_owned());
        }
        let with_default = choose.once_in(4);
        let mut body = json!({"policies": names, "no_default_policy": !with_default, "renewable": false});
        let path = if let Some(person) = person {
            body["entity_alias"] = json!(person.alias);
            People::login()
        } else {
            body["type"] = json!(choose.of(&["service", "batch"]));
            "auth/token/create".to_owned()
        };
        let made = ok(stage.server, namespace, "POST", &path, &body);
        let token = made["auth"]["client_token"].as_str().unwrap().to_owned();
        let who = person.map(|person| person.who.clone()).unwrap_or_default();
        Self { stage, seed, namespace, policies, who, token, with_default, asks }
    }

    fn all_policies(&self, read: bool) -> Vec<(Name, Policy, PolicyFlags)> {
        let mut all: Vec<(Name, Policy, PolicyFlags)> = self
            .policies
            .iter()
            .map(|written| {
                let policy = if read {
                    partywall::vaultacl::read(&written.text, self.stage.dialect)
                        .unwrap_or_else(|why| panic!("seed {}: the server takes it, we refuse it: {why}\n{}", self.seed, written.text))
                } else {
                    written.meant.clone()
                };
                (Name::from(written.name.as_str()), policy, written.flags)
            })
            .collect();
        if self.with_default {
            let at = self.stage.namespaces.iter().position(|each| *each == self.namespace).unwrap();
            all.push(("default".into(), self.stage.defaults[at].clone(), PolicyFlags::default()));
        }
        all
    }

    fn acl(&self, read: bool) -> Acl {
        let all = self.all_policies(read);
        let granted: Vec<Granted<'_>> =
            all.iter().map(|(name, policy, flags)| Granted { name, policy, flags: *flags, namespace: self.namespace }).collect();
        Acl::new(&granted, &self.who, self.stage.dialect, NOW)
    }

    /// None where the ACL can't be built: then nothing is allowed.
    fn oracle(&self) -> Option<Oracle> {
        let mut blocks = Vec::new();
        for (_, policy, flags) in self.all_policies(false) {
            for mut rule in policy.rules {
                match oracle_template::fill(&rule.pattern, &self.who, flags, self.stage.dialect) {
                    Became::Is(filled) => {
                        rule.pattern = filled;
                        blocks.push(Block { namespace: self.namespace.to_owned(), rule });
                    }
                    Became::Gone => {}
                    Became::Breaks => return None,
                }
            }
        }
        Some(Oracle::new(&blocks, self.stage.dialect, NOW))
    }

    /// One of the namespaces that the token may be used in.
    fn inside(&self, choose: &mut Choices<'_>) -> &'static str {
        let inside: Vec<&'static str> = self.stage.namespaces.iter().copied().filter(|each| each.starts_with(self.namespace)).collect();
        if choose.once_in(2) { choose.of::<&str>(&inside) } else { self.namespace }
    }

    fn compare_capabilities(
        &self,
        choose: &mut Choices<'_>,
        oracle: Option<&Oracle>,
        ours: &[(&str, Acl)],
        tally: &Tally,
        out: &mut Vec<String>,
    ) {
        let all = paths_below(self.stage, self.namespace);
        for _ in 0..2 {
            let inside = self.inside(choose);
            let deeper = inside.strip_prefix(self.namespace).unwrap();
            let asked = self.asks.iter().filter(|(of, _)| *of == inside).map(|(_, ask)| ask.path.clone());
            let mut paths: Vec<String> = asked.map(|path| twisted(choose, &path)).collect();
            let others = all.iter().filter_map(|path| path.strip_prefix(deeper));
            for path in others {
                if choose.once_in(12) {
                    paths.push(twisted(choose, path));
                }
            }
            paths.retain(|path| !path.is_empty());
            paths.sort();
            paths.dedup();
            if paths.is_empty() {
                continue;
            }
            let question = json!({"token": self.token, "paths": paths});
            let (status, answer) = self.stage.server.request_with(&headers("root", inside), "POST", "sys/capabilities", Some(&question));
            let broken = status != 200 && answer.to_string().contains("error parsing templated policy");
            if status != 200 && !broken {
                out.push(format!("sys/capabilities: {status} {answer}"));
                return;
            }
            for path in &paths {
                tally.capabilities.fetch_add(1, Ordering::Relaxed);
                let said: Vec<&str> = match answer["data"][path].as_array() {
                    Some(words) => words.iter().map(|word| word.as_str().unwrap()).collect(),
                    None => vec!["deny"],
                };
                let full = format!("{inside}{path}");
                let judge = oracle.map_or_else(|| vec!["deny"], |oracle| oracle.capabilities(&full));
                if broken != oracle.is_none() {
                    out.push(format!("the token is broken: {broken}, judge {}: {answer}", oracle.is_none()));
                }
                if judge != said {
                    out.push(format!("capabilities of {full:?}: server {said:?}, judge {judge:?}"));
                }
                for (how, acl) in ours {
                    let mine = acl.capabilities(&full);
                    if mine != said {
                        out.push(format!("capabilities of {full:?}: server {said:?}, evaluator on {how} {mine:?}"));
                    }
                }
            }
        }
    }

    fn compare_request(
        &self,
        inside: &str,
        ask: &Ask,
        oracle: Option<&Oracle>,
        ours: &[(&str, Acl)],
        tally: &Tally,
        out: &mut Vec<String>,
    ) {
        let Some(allowed) = self.send(ask, inside, oracle.is_none(), out) else { return };
        tally.requests.fetch_add(1, Ordering::Relaxed);
        tally.authorised.fetch_add(usize::from(allowed), Ordering::Relaxed);
        let full = format!("{inside}{}", ask.path);
        let judge = oracle.map(|oracle| oracle.decide(ask.operation, &full, ask.data(), ask.wrap));
        let judged = judge.as_ref().is_some_and(|judge| judge.allowed && (judge.root_privs || !ask.sudo));
        if judged != allowed {
            out.push(format!("{ask:?} in {inside:?}: server {allowed}, judge {judge:?}"));
        }
        for (how, acl) in ours {
            let request = Request { operation: ask.operation, path: &full, data: ask.data(), wrap_ttl: ask.wrap };
            let mine = acl.decide(&request);
            if (mine.allowed && (mine.root_privs || !ask.sudo)) != allowed {
                out.push(format!("{ask:?} in {inside:?}: server {allowed}, evaluator on {how} {mine:?}"));
            }
        }
    }

    /// Whether the server authorises it; an answer that says neither is a fault of the test.
    fn send(&self, ask: &Ask, inside: &str, broken: bool, out: &mut Vec<String>) -> Option<bool> {
        let mut headers = headers(&self.token, inside).to_vec();
        let wrap = ask.wrap.map(|seconds| seconds.to_string()).unwrap_or_default();
        headers.push(("X-Vault-Wrap-TTL", &wrap));
        if ask.method == "PATCH" {
            headers.push(("Content-Type", "application/merge-patch+json"));
        }
        let body = ask.body.clone().map(Value::Object);
        let (status, answer) = self.stage.server.request_with(&headers, ask.method, &ask.target(), body.as_ref());
        let refused = answer["errors"].as_array().is_some_and(|errors| errors.iter().any(|e| e.to_string().contains("permission denied")));
        match status {
            403 if refused => Some(false),
            400 | 500 if broken && unbuildable(&answer) => Some(false),
            200 | 204 | 400 | 404 | 405 if !refused => Some(true),
            // what an engine makes of nonsense it was authorised to be given
            500 if !refused && answer.to_string().contains("error converting input") => Some(true),
            _ => {
                out.push(format!("{ask:?} in {inside:?}: neither authorised nor refused: {status} {answer}"));
                None
            }
        }
    }

    fn shown(&self) -> String {
        let texts: Vec<String> =
            self.policies.iter().map(|policy| format!("# {} {:?}\n{}", policy.name, policy.flags, policy.text)).collect();
        format!("seed {} in {:?}, default {}, {:?}\n{}", self.seed, self.namespace, self.with_default, self.who, texts.join("\n"))
    }
}

/// What servers say when a token's ACL can't be built.
fn unbuildable(answer: &Value) -> bool {
    let text = answer["errors"].to_string();
    text.contains("Forbidden") || text.contains("error parsing templated policy") || text.contains("nternal")
}

/// Slashes where they may matter.
fn twisted(choose: &mut Choices<'_>, path: &str) -> String {
    match choose.pick(8) {
        0 => format!("{path}/"),
        1 => format!("/{path}"),
        2 => path.replacen('/', "//", 1),
        3 => format!("{path}//"),
        4 => path.rsplit_once('/').map_or(path, |(parent, _)| parent).to_owned(),
        _ => path.to_owned(),
    }
}

fn write(
    stage: &Stage<'_>,
    seed: u64,
    at: usize,
    namespace: &str,
    choose: &mut Choices<'_>,
    paths: &[String],
    templates: &[String],
) -> Written {
    let policy: MadePolicy = made::policy(choose, stage.dialect, paths, templates);
    let json = policy.iter().all(made::Made::fits_json) && choose.once_in(3);
    let text = if json { made::json(&policy) } else { made::hcl(&policy) };
    let name = format!("s{seed}-{at}");
    let mut body = json!({"policy": text});
    let mut flags = PolicyFlags::default();
    if stage.dialect.is_openbao() && !templates.is_empty() {
        flags = PolicyFlags { slashes: choose.once_in(3), wildcards: choose.once_in(3), expires: None };
        body["allow_slashes_in_identity_templates"] = json!(flags.slashes);
        body["allow_wildcards_in_identity_templates"] = json!(flags.wildcards);
    }
    ok(stage.server, namespace, "PUT", &format!("sys/policies/acl/{name}"), &body);
    Written { name, text, meant: made::meant(&policy), flags }
}
