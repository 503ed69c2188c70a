//! Probes: asked for, shown while they go, and what came of them.

use super::notes;
use crate::app::effect::Effect;
use crate::app::msg::{Level, ProbeNews};
use crate::app::run::{End, Run};
use crate::app::state::{Dialog, State};
use crate::model::ids::TenantId;
use crate::posture::verdict::Tried;
use crate::probe::spec::ProbeId;
use crate::receipt::Receipt;
use crate::receipt::judge::judge;

/// Starts probes and opens their panel.
pub fn start(state: &mut State, tenant: TenantId, probes: Vec<ProbeId>, effects: &mut Vec<Effect>) {
    state.run = Some(Run::new(tenant.clone(), &probes, state.now));
    state.dialog = Some(Dialog::Probe { scroll: None });
    state.touch();
    effects.push(Effect::Probe(tenant, probes));
}

/// Asks the run to stop.
pub fn cancel(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(run) = &mut state.run {
        run.cancelled = true;
        effects.push(Effect::CancelProbe);
        state.touch();
    }
}

/// Takes in how a probe goes.
pub fn news(state: &mut State, news: ProbeNews) {
    let (tenant, probe) = match &news {
        ProbeNews::Started { tenant, probe, .. }
        | ProbeNews::Doing { tenant, probe, .. }
        | ProbeNews::Did { tenant, probe, .. }
        | ProbeNews::Failed { tenant, probe, .. } => (tenant.clone(), *probe),
        ProbeNews::Done(receipt) => (receipt.tenant.clone(), receipt.probe),
    };
    if state.run.as_ref().is_none_or(|run| run.tenant != tenant || (!run.running() && matches!(news, ProbeNews::Started { .. }))) {
        state.run = Some(Run::new(tenant.clone(), &[probe], state.now));
        if state.dialog.is_none() && !state.typing {
            state.dialog = Some(Dialog::Probe { scroll: None });
        }
    }
    let mut said = None;
    if let Some(part) = state.run.as_mut().and_then(|run| run.part(probe)) {
        match news {
            ProbeNews::Started { of, .. } => part.of = of.min(1_000),
            ProbeNews::Doing { what, .. } => part.begins(what),
            ProbeNews::Did { step, .. } => part.did(step),
            ProbeNews::Done(receipt) => {
                said = Some(outcome(&receipt));
                part.doing.clear();
                part.steps.clone_from(&receipt.steps);
                part.end = Some(End::Receipt(receipt));
            }
            ProbeNews::Failed { why, .. } => {
                said = Some((Level::Error, format!("{tenant}: {} not proved: {why}", probe.wall().title())));
                part.doing.clear();
                part.end = Some(End::Failed(why));
            }
        }
    }
    if let Some((level, text)) = said {
        notes::add(state, level, &text);
        if let Some((level, text)) = state.run.as_ref().filter(|run| run.parts.len() > 1 && !run.running()).map(summary) {
            notes::add(state, level, &text);
        }
    }
    state.touch();
}

/// What several probes of a tenant say, in one line: what is bad first.
fn summary(run: &Run) -> (Level, String) {
    let mut groups: [(Level, &str, Vec<&str>); 4] = [
        (Level::Error, "CROSSED", Vec::new()),
        (Level::Error, "not proved", Vec::new()),
        (Level::Warn, "proved nothing", Vec::new()),
        (Level::Info, "held when tried", Vec::new()),
    ];
    for part in &run.parts {
        let at = match part.end.as_ref() {
            Some(End::Receipt(receipt)) => match worst(receipt) {
                Some(Tried::Held) => 3,
                Some(Tried::Crossed) => 0,
                _ => 2,
            },
            _ => 1,
        };
        if let Some((_, _, walls)) = groups.get_mut(at) {
            walls.push(part.probe.wall().title());
        }
    }
    let mut level = Level::Info;
    let mut said = Vec::new();
    for (of, word, walls) in groups.iter().rev().filter(|(_, _, walls)| !walls.is_empty()) {
        level = *of;
        said.insert(0, format!("{} {word}", walls.join(", ")));
    }
    (level, format!("{}: {}", run.tenant, said.join("; ")))
}

/// The worst of what a receipt's crossings show.
fn worst(receipt: &Receipt) -> Option<Tried> {
    let tried = receipt.crossings.iter().map(|crossing| judge(receipt, crossing).tried());
    tried.min_by_key(|tried| [Tried::Crossed, Tried::Vacuous, Tried::No, Tried::Held].iter().position(|t| t == tried))
}

/// What a receipt says, in one line.
fn outcome(receipt: &Receipt) -> (Level, String) {
    let wall = receipt.probe.wall().title();
    let tenant = &receipt.tenant;
    match worst(receipt) {
        Some(Tried::Held) => (Level::Info, format!("{tenant}: the {wall} wall held when tried")),
        Some(Tried::Crossed) => (Level::Error, format!("{tenant}: the {wall} wall was CROSSED")),
        _ => (Level::Warn, format!("{tenant}: the attempt on the {wall} wall proved nothing")),
    }
}
