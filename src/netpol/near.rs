//! The rule that came nearest, and terms in words.

use super::explain::{Say, Telling};
use super::rules::{Tier, Verdict};
use super::selector::words;
use super::story::NearMiss;
use super::term::{Entities, Field, PodTerm, Term, TermId};
use super::truth::Truth;
use super::world::World;
use crate::model::containers::PortProtocol;
use crate::model::labels::{LabelSelector, Requirement};
use crate::model::text::clean;

/// How many peers are named.
const SHOWN: usize = 3;

/// The rule that would have allowed a port but for one thing: first one whose peer matches, then one of a policy about other pods, then one
/// whose port matches. O(entries).
pub(super) fn nearest(world: &World, side: &Telling<'_>, protocol: PortProtocol, port: u16) -> Option<NearMiss> {
    let allows = |say: &&Say<'_>| say.entry.verdict == Verdict::Allow && say.unit.tier == Tier::Normal;
    let miss = |say: &Say<'_>, what: String| NearMiss { rule: say.rule(), what: clean(&what) };
    let own = || side.says.iter().filter(allows);
    if let Some(say) = own().find(|say| say.both == Truth::Sure && !say.sure.is_empty()) {
        return Some(miss(say, format!("the peer matches, the port does not: it allows {}", say.sure.words())));
    }
    if let Some(say) = own().find(|say| say.both == Truth::Sure) {
        let names: Vec<&str> = say.entry.ports.named.iter().map(|(name, _)| name.as_ref()).collect();
        let what =
            if names.is_empty() { "it names no port that there is".to_owned() } else { format!("no port is called {}", names.join(", ")) };
        return Some(miss(say, format!("the peer matches, the port does not: {what}")));
    }
    let other = side.others.iter().filter(allows).find(|say| say.peer == Truth::Sure && say.sure.contains(protocol, port));
    if let Some(say) = other {
        let about = subject(world, say.unit.subject.term);
        return Some(miss(say, format!("peer and port match, but the policy is about other pods: {about}")));
    }
    let say = own().find(|say| say.sure.contains(protocol, port))?;
    Some(miss(say, format!("the port matches, the peer does not: it allows {}", peers(world, &say.entry.peers))))
}

fn subject(world: &World, term: TermId) -> String {
    match world.ground.terms.get(term) {
        Term::Pods(term) => pod_words(term),
        other => term_words(other),
    }
}

/// The pods of a term by their labels.
fn pod_words(term: &PodTerm) -> String {
    let of = |want: fn(&Field) -> Option<&str>| {
        let needs = term.needs.iter().filter_map(|(field, is)| Some(Requirement { key: want(field)?.into(), is: is.clone() }));
        LabelSelector { requirements: needs.collect() }
    };
    let pods = of(|field| match field {
        Field::Pod(key) => Some(key),
        Field::Account => Some("service account"),
        Field::Reserved(word) => Some(word),
        Field::Space(_) => None,
    });
    words(&pods)
}

fn peers(world: &World, terms: &[TermId]) -> String {
    if terms.is_empty() {
        return "nobody".to_owned();
    }
    let said: Vec<String> = terms.iter().take(SHOWN).map(|id| term_words(world.ground.terms.get(*id))).collect();
    let more = terms.len().saturating_sub(SHOWN);
    if more > 0 { format!("{} and {more} more", said.join(", ")) } else { said.join(", ") }
}

/// A peer in words. Not cleaned.
fn term_words(term: &Term) -> String {
    match term {
        Term::Anybody => "anybody".to_owned(),
        Term::Unclear => "what can't be read".to_owned(),
        Term::Names => "names whose addresses are not known".to_owned(),
        Term::Perhaps(inner) => format!("perhaps {}", term_words(inner)),
        Term::Entities(entities) => entity_words(*entities),
        Term::Nodes(..) => "some nodes".to_owned(),
        Term::Addresses(ranges, _) => {
            let nets = ranges.nets();
            let shown: Vec<String> = nets.iter().take(SHOWN).map(ToString::to_string).collect();
            let more = if nets.len() > SHOWN { " …" } else { "" };
            format!("{}{more}", shown.join(", "))
        }
        Term::Pods(term) => {
            let spaces = term.needs.iter().filter_map(|(field, is)| {
                if let Field::Space(key) = field { Some(Requirement { key: key.clone(), is: is.clone() }) } else { None }
            });
            let spaces = LabelSelector { requirements: spaces.collect() };
            let place = match &term.scope {
                Some(scope) => format!("in {scope}"),
                None if spaces.is_everything() => "in any namespace".to_owned(),
                None => format!("in namespaces with {}", words(&spaces)),
            };
            let pods = pod_words(term);
            if pods == "{}" { format!("all pods {place}") } else { format!("pods with {pods} {place}") }
        }
    }
}

fn entity_words(entities: Entities) -> String {
    let names = [
        (entities.pods, "pods"),
        (entities.host, "the node"),
        (entities.remote, "other nodes"),
        (entities.world_v4 || entities.world_v6, "the world"),
        (entities.api, "the API server"),
    ];
    let said: Vec<&str> = names.iter().filter(|(yes, _)| *yes).map(|(_, name)| *name).collect();
    if said.is_empty() { "nobody".to_owned() } else { said.join(", ") }
}
