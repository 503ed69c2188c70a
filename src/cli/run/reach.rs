//! `partywall reach`: who can reach whom, of the live cluster or of manifests.

use std::io::{BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use color_eyre::eyre::Result;

use super::start::engine_config;
use super::{BLIND, complain, manifests, print, settled, written};
use crate::cli::args::{ReachArgs, ReachFormat};
use crate::config::Config;
use crate::model::snapshot::{Dirty, Snapshot};
use crate::model::tenant::Tenants;
use crate::netpol::reach::{Options, Peer, Reach, Workload};
use crate::netpol::story::End;
use crate::report::reach::told::{Part, Told, parts};
use crate::report::reach::{Picture, Range, dot, json, outside, table};

/// How often progress is said.
const BEAT: Duration = Duration::from_millis(250);

/// Of the cluster.
pub async fn live(config: &Config, args: &ReachArgs) -> Result<ExitCode> {
    let Some(live) = settled(config, args.timeout).await? else { return Ok(ExitCode::from(BLIND)) };
    let view = live.views.borrow().clone();
    drop(live);
    told(config, args, &view.snapshot, &view.assessment.tenants, None)
}

/// Of manifests.
pub fn files(config: &Config, args: &ReachArgs) -> Result<ExitCode> {
    let Some(reading) = manifests::read(&args.from)? else { return Ok(ExitCode::from(BLIND)) };
    let own = |facts: &crate::model::snapshot::NamespaceFacts| facts.own.clone();
    let namespaces: Vec<_> = reading.snapshot.namespaces.iter().map(|(name, facts)| (name, own(facts))).collect();
    let tenants = config.tenants.resolve(namespaces.iter().map(|(name, own)| (*name, own.as_ref().map(|own| own.labels.as_ref()))));
    told(config, args, &reading.snapshot, &Arc::new(tenants), Some(&reading.summary()))
}

fn told(config: &Config, args: &ReachArgs, snapshot: &Snapshot, tenants: &Arc<Tenants>, read: Option<&str>) -> Result<ExitCode> {
    let mut reach = Reach::new(Options { profile: args.profile.unwrap_or(config.network.profile), ..engine_config(config).reach });
    reach.sync(snapshot, tenants, &Dirty { everything: true, ..Dirty::default() });
    if let Some(why) = &reach.matrix().blind {
        complain(&format!("nothing can be said for sure: {why}"), 0)?;
    }
    let (workloads, connections) = (reach.workloads(), reach.connections());
    let picture = Picture { workloads: &workloads, connections: &connections, simulated: snapshot.server.simulated };
    let mut reasons = args.explain.then(|| Reasons::new(&reach, &picture, snapshot));
    match args.format {
        ReachFormat::Json => {
            let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
            written(json::write(&mut out, &picture, reasons.as_mut().map(|told| told as &mut dyn Iterator<Item = Told>)))?;
        }
        ReachFormat::Table => {
            print(&table::connections(&picture))?;
            if let Some(read) = read {
                print(&format!("read {}\n", crate::model::text::clean_to(read, 2000)))?;
            }
            if let Some(reasons) = &mut reasons {
                print(&format!("\n{}", table::explained(&picture, reasons)))?;
            }
        }
        ReachFormat::Dot => print(&dot::graph(&picture))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The reasons of every ordered pair, one pair after the other; then of every workload and the addresses outside.
struct Reasons<'a> {
    reach: &'a Reach,
    workloads: &'a [Workload],
    pieces: Vec<Range>,
    ready: std::vec::IntoIter<Told>,
    next: (usize, usize),
    progress: Progress,
}

impl<'a> Reasons<'a> {
    fn new(reach: &'a Reach, picture: &Picture<'a>, snapshot: &Snapshot) -> Self {
        let pieces = outside::pieces(snapshot, picture.connections, reach.options().profile.edges().ipv6);
        let pairs = picture.workloads.len().saturating_mul(picture.workloads.len());
        Self { reach, workloads: picture.workloads, pieces, ready: Vec::new().into_iter(), next: (0, 0), progress: Progress::new(pairs) }
    }

    fn end(&self, at: usize) -> Option<End> {
        let Workload { namespace, name, kind, .. } = self.workloads.get(at)?;
        Some(End::Workload { namespace: namespace.clone(), name: name.clone(), kind: kind.clone() })
    }

    fn pair(&self, from: usize, to: usize) -> Vec<Told> {
        let story = self.end(from).zip(self.end(to)).and_then(|(from, to)| self.reach.explain(&from, &to));
        story.map(|story| Told { from: Peer::Workload(from), to: Peer::Workload(to), parts: parts(&story) }).into_iter().collect()
    }

    /// A workload and the addresses outside, in both directions: addresses that are judged alike together.
    fn outside(&self, at: usize) -> Vec<Told> {
        let Some(own) = self.end(at) else { return Vec::new() };
        let mut told = Vec::new();
        for outgoing in [true, false] {
            let mut alike: Vec<(Vec<Part>, Vec<Range>)> = Vec::new();
            for piece in &self.pieces {
                let there = End::Outside(piece.0);
                let story = if outgoing { self.reach.explain(&own, &there) } else { self.reach.explain(&there, &own) };
                let Some(parts) = story.map(|story| parts(&story)) else { continue };
                match alike.iter_mut().find(|(known, _)| *known == parts) {
                    Some((_, pieces)) => pieces.push(*piece),
                    None => alike.push((parts, vec![*piece])),
                }
            }
            told.extend(alike.into_iter().map(|(parts, pieces)| {
                let (own, there) = (Peer::Workload(at), Peer::Addresses(outside::joined(&pieces)));
                if outgoing { Told { from: own, to: there, parts } } else { Told { from: there, to: own, parts } }
            }));
        }
        told
    }
}

impl Iterator for Reasons<'_> {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.ready.next() {
                return Some(told);
            }
            let (from, to) = self.next;
            let all = self.workloads.len();
            if from >= all {
                self.progress.end();
                return None;
            }
            self.progress.step(from.saturating_mul(all).saturating_add(to));
            self.ready = match to {
                // behind the last workload stand the addresses
                to if to == all => self.outside(from),
                to if to == from => Vec::new(),
                to => self.pair(from, to),
            }
            .into_iter();
            self.next = if to < all { (from, to + 1) } else { (from + 1, 0) };
        }
    }
}

/// Says on a terminal's stderr how far it has come, when it takes long.
struct Progress {
    all: usize,
    said: Option<Instant>,
    shown: bool,
}

impl Progress {
    fn new(all: usize) -> Self {
        Self { all, said: std::io::stderr().is_terminal().then(Instant::now), shown: false }
    }

    fn step(&mut self, done: usize) {
        if self.said.is_none_or(|said| !done.is_multiple_of(64) || said.elapsed() < BEAT) {
            return;
        }
        self.said = Some(Instant::now());
        self.shown = true;
        // whoever watches may have gone
        let _ = write!(std::io::stderr().lock(), "\r\x1b[Kexplaining {done} of {} pairs", self.all);
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}
