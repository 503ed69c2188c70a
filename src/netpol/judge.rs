//! The one forward pass that decides: the tiers in order, over ports, with what may be allowed and what may be denied kept apart.

use super::compile::Terms;
use super::ground::ranges_of;
use super::portbook::{Open, PortBook, Ports};
use super::ports::PortSet;
use super::rules::{Entry, Ruleset, Tier, Verdict};
use super::term::{TermId, matches_node};
use super::truth::Truth;
use crate::model::containers::PortProtocol;
use crate::model::ids::Name;

/// A declared port with a name.
pub(super) type NamedPort = (Name, PortProtocol, u16);

/// Matches of peer terms by an end, sorted by term: without an address, over IPv4, over IPv6.
pub(super) type Seen = [(TermId, [Truth; 3])];

/// What a port's name means at the destination.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named<'a> {
    /// Nothing: it is no pod.
    Nowhere,
    /// These.
    Table(&'a [NamedPort]),
    /// A pod that does not exist yet may give the name to any port: whether some pod does is asked.
    Any,
    /// One pod of which the names are not known.
    Hidden,
}

/// Rules that apply to a subject, and how surely.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held<'a> {
    pub truth: Truth,
    pub tier: &'a Tier,
    pub rules: &'a Ruleset,
}

/// How an end looks to the rules of the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    pub terms: &'a Terms,
    pub seen: &'a Seen,
    /// 0 for no family, 1 for IPv4, 2 for IPv6.
    pub family: usize,
    /// It counts as a node: whether as the other end's own.
    pub node: Option<Truth>,
    /// Which ranges of addresses it lies in is not known.
    pub blurred: bool,
}

/// Whether an end is one of an entry's peers. O(peers × log seen).
pub(super) fn peer_of(entry: &Entry, look: &Look<'_>) -> Truth {
    let one = |term: &TermId| match *term {
        TermId::ANYBODY => Truth::Sure,
        TermId::UNCLEAR => Truth::Perhaps,
        term => {
            let at = look.seen.binary_search_by_key(&term, |(id, _)| *id).ok();
            let seen = at.and_then(|at| look.seen.get(at)).and_then(|(_, by)| by.get(look.family)).copied().unwrap_or_default();
            let as_node = look.node.and_then(|own| matches_node(look.terms.get(term), own));
            let hidden = look.blurred && matches!(ranges_of(look.terms.get(term)), Some((_, Some(_))));
            seen.or(as_node.unwrap_or_default()).or(if hidden { Truth::Perhaps } else { Truth::No })
        }
    };
    entry.peers.iter().map(one).max().unwrap_or_default()
}

/// The ports an entry means at a destination: for sure, and perhaps besides. O(named ports).
pub(super) fn ports_of(entry: &Entry, named: Named<'_>, book: &mut PortBook) -> (Ports, Ports) {
    let term = &entry.ports;
    if term.named.is_empty() {
        return (term.sure, term.perhaps);
    }
    let (mut sure, mut perhaps) = (term.sure, term.perhaps);
    for (name, protocol) in &term.named {
        match named {
            Named::Nowhere => {}
            Named::Table(table) => {
                let meant = table.iter().filter(|(n, p, _)| n == name && protocol.is_none_or(|want| want == *p));
                let set = book.number(PortSet::from_ranges(meant.map(|(_, p, port)| (*p, *port, *port))));
                sure = book.union(sure, set);
                perhaps = book.union(perhaps, set);
            }
            Named::Hidden => {
                let set = protocol.map_or(Ports::ALL, |p| book.number(PortSet::all_of(p)));
                perhaps = book.union(perhaps, set);
            }
            Named::Any => {
                let set = protocol.map_or(Ports::ALL, |p| book.number(PortSet::all_of(p)));
                match entry.verdict {
                    // some pod gives the name to the port in question; another that meets a denial does not
                    Verdict::Allow => (sure, perhaps) = (book.union(sure, set), book.union(perhaps, set)),
                    Verdict::Pass | Verdict::Unclear => perhaps = book.union(perhaps, set),
                    Verdict::Deny => {}
                }
            }
        }
    }
    (sure, perhaps)
}

/// What is undecided and what is decided so far.
struct Pass {
    here: Ports,
    passed: Ports,
    may_allow: Ports,
    may_deny: Ports,
}

impl Pass {
    fn take(&mut self, verdict: Verdict, (sure, perhaps): (Ports, Ports), book: &mut PortBook) {
        let hit = book.intersect(self.here, perhaps);
        if matches!(verdict, Verdict::Allow | Verdict::Unclear) {
            self.may_allow = book.union(self.may_allow, hit);
        }
        if matches!(verdict, Verdict::Deny | Verdict::Unclear) {
            self.may_deny = book.union(self.may_deny, hit);
        }
        if matches!(verdict, Verdict::Pass | Verdict::Unclear) {
            self.passed = book.union(self.passed, hit);
        }
        if verdict != Verdict::Unclear {
            self.here = book.minus(self.here, sure);
        }
    }
}

/// What one side of a connection says. `held` are the rules of its subject in this direction, sorted by tier; `look` says whether the other end is a
/// peer of an entry; `named` resolves names of ports at the destination. O(entries), each with a handful of remembered set operations.
pub(super) fn judge<'a>(
    held: impl Iterator<Item = Held<'a>> + Clone,
    look: impl Fn(&Entry) -> Truth,
    named: Named<'_>,
    book: &mut PortBook,
) -> Open {
    let matched = |entry: &Entry, subject: Truth, book: &mut PortBook| {
        let truth = if subject == Truth::No { Truth::No } else { look(entry).and(subject) };
        match truth {
            Truth::No => (Ports::NONE, Ports::NONE),
            Truth::Perhaps => (Ports::NONE, ports_of(entry, named, book).1),
            Truth::Sure => ports_of(entry, named, book),
        }
    };
    let mut pass = Pass { here: Ports::ALL, passed: Ports::NONE, may_allow: Ports::NONE, may_deny: Ports::NONE };
    for one in held.clone().filter(|held| matches!(held.tier, Tier::Admin(_))) {
        ordered(&one, &matched, &mut pass, book);
    }
    pass.here = book.union(pass.here, pass.passed);
    pass.passed = Ports::NONE;
    normal(held.clone().filter(|held| *held.tier == Tier::Normal), &matched, &mut pass, book);
    for one in held.clone().filter(|held| matches!(held.tier, Tier::Baseline(_))) {
        ordered(&one, &matched, &mut pass, book);
    }
    let open = book.union(pass.here, pass.passed);
    let may = book.union(pass.may_allow, open);
    let open = Open { sure: book.minus(may, pass.may_deny), may };
    held.filter_map(|held| if let Tier::Foreign { may_allow, .. } = held.tier { Some(*may_allow) } else { None }).fold(
        open,
        |open, may_allow| {
            if may_allow { Open::UNKNOWN } else { Open { sure: Ports::NONE, ..open } }
        },
    )
}

/// The rules of one unit in order. Where it is not known whether the unit applies at all, its rules take from one another, but nothing from what
/// comes after them.
fn ordered(one: &Held<'_>, matched: &impl Fn(&Entry, Truth, &mut PortBook) -> (Ports, Ports), pass: &mut Pass, book: &mut PortBook) {
    let before = pass.here;
    for entry in &one.rules.entries {
        let hit = matched(entry, Truth::Sure, book);
        pass.take(entry.verdict, hit, book);
    }
    if one.truth != Truth::Sure {
        pass.here = before;
    }
}

/// The tier of NetworkPolicy and Cilium: denials first, then the union of what is allowed; whoever is isolated gets nothing else.
fn normal<'a>(
    held: impl Iterator<Item = Held<'a>> + Clone,
    matched: &impl Fn(&Entry, Truth, &mut PortBook) -> (Ports, Ports),
    pass: &mut Pass,
    book: &mut PortBook,
) {
    let mut isolated = Truth::No;
    for one in held.clone() {
        isolated = isolated.or(if one.rules.isolates { one.truth } else { Truth::No });
        for entry in one.rules.entries.iter().filter(|entry| entry.verdict == Verdict::Deny) {
            let hit = matched(entry, one.truth, book);
            pass.take(Verdict::Deny, hit, book);
        }
    }
    let (mut sure, mut perhaps) = (Ports::NONE, Ports::NONE);
    let mut allow = |one: &Held<'_>, truth: Truth, book: &mut PortBook| {
        let mut own = Ports::NONE;
        for entry in one.rules.entries.iter().filter(|entry| entry.verdict == Verdict::Allow) {
            let hit = matched(entry, truth, book);
            own = book.union(own, hit.0);
            perhaps = book.union(perhaps, hit.1);
        }
        own
    };
    for one in held.clone().filter(|one| one.truth == Truth::Sure) {
        let own = allow(&one, Truth::Sure, book);
        sure = book.union(sure, own);
    }
    let mut denied = if isolated == Truth::Sure { book.minus(pass.here, sure) } else { Ports::NONE };
    for one in held.filter(|one| one.truth == Truth::Perhaps) {
        // if this one applies, so does what it allows
        let own = allow(&one, Truth::Sure, book);
        if one.rules.isolates && isolated == Truth::Perhaps {
            let allowed = book.union(sure, own);
            let rest = book.minus(pass.here, allowed);
            denied = book.union(denied, rest);
        }
    }
    let may = book.intersect(pass.here, perhaps);
    pass.may_allow = book.union(pass.may_allow, may);
    pass.may_deny = book.union(pass.may_deny, denied);
    pass.here = if isolated == Truth::Sure { Ports::NONE } else { book.minus(pass.here, sure) };
}
