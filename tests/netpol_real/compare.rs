//! What connections met, against everything the engine says of them: answers, stories, the list that `partywall reach` prints, Services and
//! the matrix.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use partywall::netpol::answer::{Answer, Openness};
use partywall::netpol::matrix::Matrix;
use partywall::netpol::story::Story;
use partywall::netpol::target::Target;

use crate::bench::Bench;
use crate::judge::{Place, port};
use crate::sweep::{Met, OUTSIDE, Pair, Results};
use crate::world::NAMESPACES;

/// Targets of the matrix and what was tried of them: the target, the place, the port, and whether the place is all there is of it. The bed's
/// public host has an address for documentation, which the engine does not count to the internet.
const TARGETS: [(Target, &str, &str, bool); 4] = [
    (Target::Metadata, OUTSIDE[1].0, "tcp/80", false),
    (Target::Private, OUTSIDE[2].0, "tcp/80", false),
    (Target::ClusterDns, "dns", "udp/53", true),
    (Target::ClusterDns, "dns", "tcp/53", true),
];

/// The other ways in which the engine tells a pair.
struct Told {
    stories: BTreeMap<(String, String), Story>,
    listed: BTreeMap<(Place, Place), Answer>,
}

/// Tenants whose cells are what their pods meet. Grey is not: it has a pod on the node's network, which no policy protects or holds.
fn tenants() -> impl Iterator<Item = &'static str> {
    NAMESPACES.iter().map(|(name, _)| *name).filter(|name| *name != "grey")
}

fn space(place: &str) -> Option<&str> {
    place.split_once('/').map(|(space, _)| space)
}

fn passed(met: Met) -> bool {
    met != Met::Timeout
}

/// Open, closed or neither, as an answer says of a port.
pub fn verdict(answer: &Answer, at: &str) -> Option<bool> {
    let (protocol, number) = port(at);
    match (answer.sure.contains(protocol, number), answer.may.contains(protocol, number)) {
        (true, _) => Some(true),
        (false, false) => Some(false),
        (false, true) => None,
    }
}

fn opened(openness: Openness) -> Option<bool> {
    match openness {
        Openness::Open => Some(true),
        Openness::Blocked => Some(false),
        Openness::Undefined => None,
    }
}

impl Bench<'_> {
    /// Compares all, and writes down what does not agree.
    pub fn compare(&mut self, met: &Results, wrong: &mut String) {
        self.compare_answers(met, wrong);
        let matrix = self.judge.matrix();
        for (at, from) in tenants().map(|from| (matrix.place(from).expect("a namespace of the test is a tenant"), from)) {
            let mine: Results = met.iter().filter(|((source, ..), _)| space(source) == Some(from)).map(|(p, m)| (p.clone(), *m)).collect();
            self.compare_cells(&matrix, (at, from), &mine, wrong);
            self.compare_targets(&matrix, (at, from), &mine, wrong);
            self.compare_service(from, &mine, wrong);
        }
    }

    fn compare_answers(&mut self, met: &Results, wrong: &mut String) {
        let told = self.told(met);
        let mut differ: BTreeMap<(&str, &str, String), Vec<String>> = BTreeMap::new();
        // what reaches a pod's own node is left open by the API
        for (pair, met) in met.iter().filter(|((_, to, _), _)| to != "grey/host") {
            self.compared.add(passed(*met));
            let says = [vec![self.says(pair), self.story_says(pair, &told)], self.list_says(pair, &told)].concat();
            if says.iter().any(|says| *says != Some(passed(*met))) {
                differ.entry((&pair.0, &pair.1, format!("{says:?}"))).or_default().push(format!("{} {met:?}", pair.2));
            }
        }
        for ((from, to, says), met) in differ {
            let (a, b, _) = self.sweep.ends(&(from.into(), to.into(), met[0].split(' ').next().unwrap().into()));
            let told = self.judge.words(&a, &b);
            let _ = writeln!(wrong, "  {from} to {to}: answer, story, list are {says}, met {}\n      {told}", met.join(", "));
        }
    }

    fn told(&self, met: &Results) -> Told {
        let ends = met.keys().map(|pair| (pair, self.sweep.ends(pair)));
        let stories = ends.map(|((from, to, _), (a, b, _))| ((from.clone(), to.clone()), (a, b))).collect::<BTreeMap<_, _>>();
        Told { stories: stories.into_iter().map(|(pair, (a, b))| (pair, self.judge.story(&a, &b))).collect(), listed: self.judge.listed() }
    }

    /// What the story says of a pair: every port is in it once.
    fn story_says(&self, pair: &Pair, told: &Told) -> Option<bool> {
        let (_, _, at) = self.sweep.ends(pair);
        let (protocol, number) = port(&at);
        let story = &told.stories[&(pair.0.clone(), pair.1.clone())];
        let mut segments = story.segments.iter().filter(|segment| segment.ports.contains(protocol, number));
        let segment = segments.next().unwrap_or_else(|| panic!("{pair:?} is not in its story"));
        assert!(segments.next().is_none(), "{pair:?} is twice in its story");
        opened(segment.openness)
    }

    /// What the list of connections says of two pods of ours; nothing of others, and of a pod to itself.
    fn list_says(&self, pair: &Pair, told: &Told) -> Vec<Option<bool>> {
        let (from, to) = (&pair.0, &pair.1);
        if space(from).is_none() || space(to).is_none() || from == to {
            return Vec::new();
        }
        let answer = told.listed.get(&(self.sweep.world.place(from), self.sweep.world.place(to)));
        // a pair that is not listed has no open port
        vec![answer.map_or(Some(false), |answer| verdict(answer, &pair.2))]
    }

    /// A cell of the matrix is what its pods meet together, on the ports that were tried.
    fn compare_cells(&mut self, matrix: &Matrix, (at, from): (usize, &str), mine: &Results, wrong: &mut String) {
        for to in tenants().filter(|to| *to != from) {
            let cell = matrix.cell(at, matrix.place(to).unwrap()).unwrap();
            let theirs = || mine.iter().filter(|((_, dest, _), _)| space(dest) == Some(to));
            for text in theirs().map(|((_, _, port), _)| port).collect::<BTreeSet<_>>() {
                let open = theirs().any(|((_, _, port), met)| port == text && passed(*met));
                self.cells += 1;
                if verdict(&cell.now, text) != Some(open) {
                    let _ = writeln!(wrong, "  matrix: {from} to {to} {text} is open: {open}; the cell says {:?}", cell.now);
                }
                if open && verdict(&cell.future, text) != Some(true) {
                    let _ = writeln!(wrong, "  matrix: {from} to {to} {text} is open today, and not tomorrow: {:?}", cell.future);
                }
            }
        }
    }

    /// A fixed target is open where a part of it is; the one part that was tried need not be the open one.
    fn compare_targets(&mut self, matrix: &Matrix, (at, from): (usize, &str), mine: &Results, wrong: &mut String) {
        for (target, place, at_port, whole) in TARGETS {
            let open = mine.iter().any(|((_, dest, port), met)| dest == place && port == at_port && passed(*met));
            let says = verdict(&matrix.rows[at].target(target).expect("a fixed target").now, at_port);
            self.cells += 1;
            if (open && says != Some(true)) || (whole && !open && says != Some(false)) {
                let _ = writeln!(wrong, "  matrix: {from} to {target:?} by {place} {at_port} is open: {open}; the target says {says:?}");
            }
        }
    }

    /// A port of a Service is open where any pod of the namespace gets through to a pod behind it.
    fn compare_service(&mut self, from: &str, mine: &Results, wrong: &mut String) {
        // the pod behind it is of blue: whether it reaches itself that way is left open by the API, and was not tried
        for at in ["tcp/80", "udp/53"].into_iter().filter(|_| from != "blue") {
            let open = mine.iter().any(|((_, dest, port), met)| dest == "svc:front" && port == at && passed(*met));
            let (namespace, service) = (self.sweep.world.namespace("blue"), self.sweep.world.namespace(from));
            let says = opened(self.judge.service(&service, (&namespace, "front"), at));
            self.cells += 1;
            if says != Some(open) {
                let _ = writeln!(wrong, "  Service front from {from} at {at} is open: {open}; the engine says {says:?}");
            }
        }
    }
}
