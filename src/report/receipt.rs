//! Receipts as text and JSON: what was tried, who was alive, who refused, and what it does not prove.

use serde_json::{Value, json};

use crate::model::text::{clean, clean_to};
use crate::receipt::judge::{Trial, judge};
use crate::receipt::{Outcome, Receipt, Step};

/// What no receipt proves, in one sentence.
pub const DOES_NOT_PROVE: &str = "It shows attempts at one time over one path. It does not show that the kernel, the control plane, the images or the application itself hold.";

/// No line of a receipt as text is longer, in characters.
const WIDEST: usize = 2_000;

/// A receipt as JSON: the record itself with the verdict of each crossing beside it.
pub fn json(receipt: &Receipt, lapse: Option<&str>) -> Value {
    let verdicts: Vec<Value> = receipt
        .crossings
        .iter()
        .map(|crossing| {
            let trial = judge(receipt, crossing);
            json!({"what": crossing.what, "checks": crossing.checks, "trial": word(&trial), "why": why(&trial)})
        })
        .collect();
    json!({"schema": "partywall.receipt/v1", "receipt": receipt, "trials": verdicts, "lapsed": lapse, "does_not_prove": DOES_NOT_PROVE})
}

/// One word for a trial.
pub const fn word(trial: &Trial) -> &'static str {
    match trial {
        Trial::Held(_) => "HELD",
        Trial::Crossed => "CROSSED",
        Trial::Vacuous(_) => "VACUOUS",
    }
}

/// Why it is so.
pub fn why(trial: &Trial) -> String {
    match trial {
        Trial::Held(held) => format!("refused by {}", authority(held.by())),
        Trial::Crossed => "it was let through".to_owned(),
        Trial::Vacuous(why) => (*why).to_owned(),
    }
}

/// An authority in words.
pub fn authority(authority: crate::model::event::Authority) -> String {
    serde_json::to_value(authority).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A receipt as text, like a till receipt.
pub fn text(receipt: &Receipt, lapse: Option<&str>) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        // what came out of a ledger may have been written by anybody
        out.push_str(&clean_to(&text, WIDEST));
        out.push('\n');
    };
    let against = receipt.partner.as_ref().map(|p| format!(" against {}", clean(p))).unwrap_or_default();
    line(format!("receipt {}  {}  {}{against}", receipt.id, receipt.probe.id(), clean(&receipt.tenant)));
    let simulated = if receipt.cluster.simulated { "  SIMULATED" } else { "" };
    line(format!("  {}  by {}  on {}{simulated}", receipt.created, clean(&receipt.operator), clean(&receipt.cluster.context)));
    for step in &receipt.steps {
        line(format!("  {} {}", glyph(step), step_text(step)));
    }
    for crossing in &receipt.crossings {
        let trial = judge(receipt, crossing);
        line(format!("  => {} {}: {} ({})", word(&trial), crossing.checks.join(" "), crossing.what, why(&trial)));
    }
    match lapse {
        Some(why) => line(format!("  no longer counts: {}", clean(why))),
        None => line(format!("  counts until {} or until something it rests on changes", receipt.expires)),
    }
    out
}

const fn glyph(step: &Step) -> char {
    match step.outcome {
        Outcome::Answered => '+',
        Outcome::Refused { .. } => 'x',
        Outcome::Failed => '?',
    }
}

fn step_text(step: &Step) -> String {
    let said = if step.said.is_empty() { String::new() } else { format!(": {}", clean(&step.said)) };
    format!("{} [{}, {} ms]{said}", clean(&step.what), clean(&step.code), step.took)
}
