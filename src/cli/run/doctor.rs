//! `partywall doctor`: what we may and can see, and what each missing permission costs.

mod vault;

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::{Value, json};

use super::{BLIND, complain, live_options, print, print_json};
use crate::app::msg::View;
use crate::cli::args::{DoctorArgs, Output};
use crate::config::Config;
use crate::live::Live;
use crate::model::access::{Answer, Question};
use crate::model::kind::{KindInfo, WATCHED};
use crate::model::source::SourceState;
use crate::model::text::clean;
use crate::report::table::Table;

/// One thing looked at.
struct Line {
    area: &'static str,
    what: String,
    state: String,
    good: bool,
    costs: String,
}

/// Looks and prints. Exits with 3 when something needed can't be seen.
pub async fn run(config: &Config, args: &DoctorArgs) -> Result<ExitCode> {
    if args.vault_policy {
        return vault_policy(config).await;
    }
    let mut lines = settings(config);
    let (mut policy, mut lacking) = (None, false);
    match live_options(config) {
        Err(error) => lines.push(Line {
            area: "settings",
            what: "vault".into(),
            state: clean(&error.to_string()),
            good: false,
            costs: "the secret wall".into(),
        }),
        Ok(options) => {
            let vault_options = options.vault.clone();
            let mut live = Live::start(options);
            live.settled(std::time::Duration::from_secs(args.timeout)).await;
            let view = live.views.borrow().clone();
            lines.extend(kubernetes(&view));
            lines.extend(abilities(&live, &view).await);
            let found = vault::look(&view, &vault_options).await;
            lines.extend(found.lines);
            (policy, lacking) = (found.policy, found.lacking);
        }
    }
    let all_good = lines.iter().all(|line| line.good);
    match args.output {
        Output::Json => {
            let lines: Vec<Value> = lines.iter().map(as_json).collect();
            print_json(&json!({"schema": "partywall.doctor/v1", "lines": lines, "vault_policy": policy}))?;
        }
        Output::Table => {
            let mut table = Table::new(&["", "AREA", "WHAT", "STATE", "COSTS IF MISSING"]);
            for line in &lines {
                let mark = if line.good { "ok" } else { "!!" };
                table.row([mark.to_owned(), line.area.to_owned(), line.what.clone(), line.state.clone(), line.costs.clone()]);
            }
            print(&table.print())?;
            if let Some(policy) = policy.filter(|_| lacking) {
                print(&format!(
                    "\nThe Vault policy to install (partywall doctor --vault-policy | vault policy write partywall -):\n\n{policy}"
                ))?;
            }
        }
    }
    if all_good { Ok(ExitCode::SUCCESS) } else { complain(&"some views will read UNKNOWN: see the lines marked !!", BLIND) }
}

/// The policy alone, so that it can be piped.
async fn vault_policy(config: &Config) -> Result<ExitCode> {
    match live_options(config) {
        Ok(options) => {
            print(&vault::policy(&options.vault).await)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => complain(&error, BLIND),
    }
}

fn as_json(line: &Line) -> Value {
    json!({"area": line.area, "what": line.what, "state": line.state, "good": line.good, "costs": line.costs})
}

fn settings(config: &Config) -> Vec<Line> {
    let line = |what: &str, state: String| Line { area: "settings", what: what.to_owned(), state, good: true, costs: String::new() };
    let file = config.file.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string());
    vec![
        line("configuration file", file),
        line("state folder", config.state.display().to_string()),
        line("ledger", config.ledger().display().to_string()),
        line("mode", config.mode.word().to_owned()),
        line("vault address", config.vault.addr.clone().map_or_else(|| "not set (VAULT_ADDR)".to_owned(), |addr| clean(&addr))),
    ]
}

fn kubernetes(view: &View) -> Vec<Line> {
    let costs = |kind: crate::model::kind::Kind| {
        view.assessment
            .unknowns
            .iter()
            .find(|unknown| unknown.source == kind.as_str())
            .map(|unknown| unknown.costs.join(", "))
            .unwrap_or_default()
    };
    WATCHED
        .iter()
        .map(|info| {
            let state = view.snapshot.source(info.kind);
            let not_asked = info.metadata_of_type.is_some() && matches!(state, SourceState::Off);
            Line {
                area: "kubernetes",
                what: format!("list and watch {}", resource(info)),
                state: if not_asked { "off: --secret-metadata asks for it".to_owned() } else { state.to_string() },
                good: not_asked || matches!(state, SourceState::Live) || (info.optional && matches!(state, SourceState::Absent)),
                costs: costs(info.kind),
            }
        })
        .collect()
}

/// A resource as one would ask kubectl for it: with its group where two groups share a name, and the one object where only that is read.
fn resource(info: &KindInfo) -> String {
    let shared = WATCHED.iter().filter(|other| other.plural == info.plural).count() > 1;
    let group = if shared && !info.group.is_empty() { format!(".{}", info.group) } else { String::new() };
    let only = info.only.map(|(namespace, name)| format!(" {name} in {namespace}")).unwrap_or_default();
    let metadata = info.metadata_of_type.map(|kind| format!(" of type {kind} (metadata)")).unwrap_or_default();
    format!("{}{group}{only}{metadata}", info.plural)
}

/// What probes and fixes need, asked for the first tenant's first namespace.
async fn abilities(live: &Live, view: &View) -> Vec<Line> {
    let Some(cluster) = live.cluster.borrow().clone() else { return Vec::new() };
    let Some(namespace) = view.assessment.by_tenant.values().find_map(|tenant| tenant.namespaces.first().cloned()) else {
        return Vec::new();
    };
    let wanted = [
        (Question::new("create", "", "pods"), "the resource probe"),
        (Question::new("create", "", "serviceaccounts").subresource("token"), "the Vault probe"),
        (Question::new("create", "", "pods").subresource("exec"), "the network probe"),
        (Question::new("patch", "networking.k8s.io", "networkpolicies"), "the network fix"),
        (Question::new("patch", "", "limitranges"), "the LimitRange fix"),
    ];
    let questions: Vec<Question> = wanted.iter().map(|(question, _)| question.clone().within(&namespace)).collect();
    let answers = cluster.can_i(&questions).await;
    answers
        .into_iter()
        .zip(wanted)
        .map(|((question, answer), (_, costs))| {
            let (state, good) = match answer {
                Answer::Yes => ("allowed".to_owned(), true),
                // what observe mode does not need is no fault
                Answer::No(why) => (format!("not allowed{}", reason(&why)), true),
                Answer::Unknown(why) => (format!("could not ask{}", reason(&why)), false),
            };
            Line { area: "ability", what: clean(&question.to_string()), state, good, costs: costs.to_owned() }
        })
        .collect()
}

fn reason(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(": {}", clean(why)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kind::Kind;

    #[test]
    fn resources_are_told_apart() {
        for (kind, words) in [
            (Kind::Pod, "pods"),
            (Kind::NetworkPolicy, "networkpolicies.networking.k8s.io"),
            (Kind::CalicoNetworkPolicy, "networkpolicies.crd.projectcalico.org"),
            (Kind::AdminNetworkPolicy, "adminnetworkpolicies"),
            (Kind::CiliumConfig, "configmaps cilium-config in kube-system"),
        ] {
            assert_eq!(kind.info().map(resource).as_deref(), Some(words));
        }
    }
}
