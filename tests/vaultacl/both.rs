//! Evaluator and judge asked together: a table binds both.

use partywall::model::ids::Name;
use partywall::model::vault::PolicyFlags;
use partywall::vaultacl::acl::{Acl, Granted, Request};
use partywall::vaultacl::capability::Operation;
use partywall::vaultacl::dialect::Dialect;
use partywall::vaultacl::policy::{PatternKind, Policy};
use partywall::vaultacl::template::Identity;
use serde_json::{Map, Value};

use crate::made::NOW;
use crate::oracle::{Block, Oracle};
use crate::oracle_template::{Became, fill};

/// A policy with what is said beside it.
pub struct Given<'a> {
    pub policy: &'a Policy,
    pub flags: PolicyFlags,
    pub namespace: &'a str,
}

pub struct Both {
    pub acl: Acl,
    /// None where the ACL can't be built.
    pub oracle: Option<Oracle>,
    dialect: Dialect,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub allowed: bool,
    pub root_privs: bool,
    pub rule: Option<(PatternKind, String)>,
}

impl Both {
    pub fn new(given: &[Given<'_>], who: &Identity, dialect: Dialect) -> Self {
        let names: Vec<Name> = (0..given.len()).map(|at| Name::from(format!("p{at}"))).collect();
        let granted: Vec<Granted<'_>> = given
            .iter()
            .zip(&names)
            .map(|(given, name)| Granted { name, policy: given.policy, flags: given.flags, namespace: given.namespace })
            .collect();
        Self { acl: Acl::new(&granted, who, dialect, NOW), oracle: judge(given, who, dialect), dialect }
    }

    /// Policies as texts, of the root namespace, for nobody in particular.
    pub fn of(texts: &[&str], dialect: Dialect) -> Self {
        Self::of_person(texts, &Identity::default(), PolicyFlags::default(), dialect)
    }

    pub fn of_person(texts: &[&str], who: &Identity, flags: PolicyFlags, dialect: Dialect) -> Self {
        let read = |text: &&str| partywall::vaultacl::read(text, dialect).unwrap_or_else(|why| panic!("{why}\n{text}"));
        let policies: Vec<Policy> = texts.iter().map(read).collect();
        let given: Vec<Given<'_>> = policies.iter().map(|policy| Given { policy, flags, namespace: "" }).collect();
        Self::new(&given, who, dialect)
    }

    /// What both say; panics where they differ.
    pub fn ask(&self, operation: Operation, path: &str, data: Option<&Map<String, Value>>, wrap_ttl: Option<u64>) -> Answer {
        let judged = match &self.oracle {
            Some(oracle) => oracle.decide(operation, path, data, wrap_ttl),
            None => crate::oracle::Verdict { allowed: false, root_privs: false, rule: None },
        };
        let mine = self.acl.decide(&Request { operation, path, data, wrap_ttl });
        let rule = mine.rule.map(|rule| (rule.kind, rule.pattern.clone()));
        let asked = || format!("{} {operation:?} {path:?} {data:?} wrapped {wrap_ttl:?}", self.dialect.word());
        assert_eq!(mine.allowed, judged.allowed, "{}: evaluator {mine:?}, judge {judged:?}", asked());
        assert_eq!(mine.allowed, mine.why.is_none(), "{}: a reason is given exactly when it is refused: {mine:?}", asked());
        // what a server has no request for is refused; which rule did it is not asked
        let known =
            !(operation == Operation::Scan && self.dialect.is_vault() || operation == Operation::Recover && self.dialect.is_openbao());
        if self.oracle.is_some() && known {
            assert_eq!(mine.root_privs, judged.root_privs, "{}: evaluator {mine:?}, judge {judged:?}", asked());
            assert_eq!(rule, judged.rule, "{}: which rule wins", asked());
        }
        Answer { allowed: judged.allowed, root_privs: judged.root_privs, rule: judged.rule }
    }

    pub fn allowed(&self, operation: Operation, path: &str) -> bool {
        self.ask(operation, path, None, None).allowed
    }

    /// What both say `sys/capabilities` would.
    pub fn capabilities(&self, path: &str) -> Vec<&'static str> {
        let judged = self.oracle.as_ref().map_or_else(|| vec!["deny"], |oracle| oracle.capabilities(path));
        assert_eq!(self.acl.capabilities(path), judged, "{} capabilities of {path:?}", self.dialect.word());
        judged
    }
}

fn judge(given: &[Given<'_>], who: &Identity, dialect: Dialect) -> Option<Oracle> {
    let mut blocks = Vec::new();
    for given in given.iter().filter(|given| given.flags.expires.is_none_or(|end| NOW <= end)) {
        for rule in &given.policy.rules {
            match fill(&rule.pattern, who, given.flags, dialect) {
                Became::Is(pattern) => {
                    let rule = partywall::vaultacl::policy::Rule { pattern, ..rule.clone() };
                    blocks.push(Block { namespace: given.namespace.to_owned(), rule });
                }
                Became::Gone => {}
                Became::Breaks => return None,
            }
        }
    }
    Some(Oracle::new(&blocks, dialect, NOW))
}
