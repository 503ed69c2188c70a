//! A story cut down to what a program wants to know: ports, verdict, and the policies of either side.

use crate::model::text::clean;
use crate::netpol::answer::Openness;
use crate::netpol::ports::PortSet;
use crate::netpol::reach::Peer;
use crate::netpol::story::{Side, Story};

/// Why, for one pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// From.
    pub from: Peer,
    /// To.
    pub to: Peer,
    /// The ports, split by reason: together every port once.
    pub parts: Vec<Part>,
}

/// Ports with one reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    /// What both sides together say.
    pub openness: Openness,
    /// Which ports.
    pub ports: PortSet,
    /// The source's side, and the policies it rests on.
    pub egress: (Openness, Vec<String>),
    /// The destination's side.
    pub ingress: (Openness, Vec<String>),
}

/// One word for a verdict.
pub const fn verdict(openness: Openness) -> &'static str {
    match openness {
        Openness::Open => "allow",
        Openness::Blocked => "deny",
        Openness::Undefined => "undefined",
    }
}

/// The parts of a story: segments that differ only in which rule of the same policies it was are one. Open first, then by ports.
pub fn parts(story: &Story) -> Vec<Part> {
    let side = |side: &Side| (side.openness, side.objects().iter().map(|object| clean(&object.to_string())).collect::<Vec<_>>());
    let mut parts: Vec<Part> = Vec::new();
    for segment in story.segments.iter().filter(|segment| !segment.ports.is_empty()) {
        let (egress, ingress) = (side(&segment.egress), side(&segment.ingress));
        let same = |part: &&mut Part| part.openness == segment.openness && part.egress == egress && part.ingress == ingress;
        match parts.iter_mut().find(same) {
            Some(part) => part.ports = part.ports.union(&segment.ports),
            None => parts.push(Part { openness: segment.openness, ports: segment.ports.clone(), egress, ingress }),
        }
    }
    parts.sort_by(|a, b| b.openness.cmp(&a.openness).then_with(|| a.cmp(b)));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::containers::PortProtocol;
    use crate::model::ids::ObjectRef;
    use crate::model::kind::Kind;
    use crate::netpol::answer::Answer;
    use crate::netpol::story::{Reason, RuleRef, Segment};

    fn allowed(name: &str, field: &str) -> Side {
        let rule = RuleRef { object: ObjectRef::new(Kind::NetworkPolicy, "shop", name), field: field.to_owned() };
        Side { openness: Openness::Open, passed: Vec::new(), reason: Reason::Allowed(vec![rule]) }
    }

    #[test]
    fn segments_of_the_same_policies_become_one_part() {
        let tcp = |from, to| PortSet::range(PortProtocol::Tcp, from, to);
        let free = || Side { openness: Openness::Open, passed: Vec::new(), reason: Reason::NotIsolated };
        let silent = || Side {
            openness: Openness::Blocked,
            passed: Vec::new(),
            reason: Reason::Silence { isolating: vec![ObjectRef::new(Kind::NetworkPolicy, "shop", "p")], nearest: None },
        };
        let segment = |ports, openness, ingress| Segment { ports, openness, egress: free(), ingress };
        let story = Story {
            from: String::new(),
            to: String::new(),
            answer: Answer::default(),
            segments: vec![
                segment(tcp(80, 80), Openness::Open, allowed("p", "spec.ingress[0]")),
                segment(tcp(443, 443), Openness::Open, allowed("p", "spec.ingress[1]")),
                segment(tcp(22, 22), Openness::Open, allowed("q", "spec.ingress[0]")),
                segment(tcp(1, 21), Openness::Blocked, silent()),
            ],
            notes: Vec::new(),
        };
        let parts = parts(&story);
        let words: Vec<_> = parts.iter().map(|p| (verdict(p.openness), p.ports.words(), p.ingress.1.join(","))).collect();
        assert_eq!(
            words,
            [
                ("allow", "TCP 22".to_owned(), "NetworkPolicy shop/q".to_owned()),
                ("allow", "TCP 80, 443".to_owned(), "NetworkPolicy shop/p".to_owned()),
                ("deny", "TCP 1-21".to_owned(), "NetworkPolicy shop/p".to_owned()),
            ]
        );
    }
}
