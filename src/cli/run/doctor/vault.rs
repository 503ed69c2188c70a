//! The part of `doctor` about Vault: how well we see, and the operator policy line by line.

use std::collections::BTreeMap;

use super::Line;
use crate::app::msg::View;
use crate::model::ids::Name;
use crate::model::source::SourceState;
use crate::model::text::clean;
use crate::model::vault::{AuthMount, Flavour, Part, VaultFacts};
use crate::vault::client::Client;
use crate::vault::operator::{self, Need, Wanted};
use crate::vault::rights::{self, Right};
use crate::vault::{VaultOptions, project_mounts};

/// The mount of the policy where none is known.
const USUAL_MOUNT: &str = "kubernetes";

/// What was found.
pub(super) struct Found {
    pub(super) lines: Vec<Line>,
    /// The policy to install; none without a server.
    pub(super) policy: Option<String>,
    /// A line of it is missing.
    pub(super) lacking: bool,
}

/// Looks at what was read, and asks what our token may do.
pub(super) async fn look(view: &View, options: &VaultOptions) -> Found {
    let vault = &view.snapshot.vault;
    if !vault.configured {
        return Found { lines: Vec::new(), policy: None, lacking: false };
    }
    let mut lines = sources(vault);
    let mounts = kubernetes_mounts(&vault.auth_mounts.items);
    let mut lacking = false;
    if vault.server.state == SourceState::Live
        && let (Ok(Some(client)), Ok(Some(token))) = (Client::new(options), options.current_token())
    {
        let rights = rights::ask(&client.with_token(Some(token)), operator::wanted(names(&mounts))).await;
        lacking = rights.iter().any(|(wanted, right)| *right == Right::Missing && applies(wanted, vault.server.flavour));
        lines.extend(rights.into_iter().map(|(wanted, right)| policy_line(&wanted, &right, vault.server.flavour)));
    }
    for mount in operator::odd(names(&mounts)) {
        lines.push(line(&format!("mount {mount}"), "its name can't stand in a policy as it is".into(), true, "write its lines by hand"));
    }
    Found { lines, policy: Some(operator::policy(names(&mounts))), lacking }
}

/// The policy for the mounts of the configured server; for the usual one where they can't be read, which is said in it.
pub(super) async fn policy(options: &VaultOptions) -> String {
    let Ok(Some(client)) = Client::new(options) else { return operator::policy([USUAL_MOUNT]) };
    let token = options.current_token().ok().flatten();
    match client.with_token(token).get("sys/auth").await {
        Ok(answer) => operator::policy(names(&kubernetes_mounts(&project_mounts(&answer)))),
        Err(error) => {
            let why = clean(&error.to_string());
            format!(
                "# the auth mounts could not be read ({why}): write the lines of each Kubernetes one\n{}",
                operator::policy([USUAL_MOUNT])
            )
        }
    }
}

fn kubernetes_mounts(mounts: &BTreeMap<Name, AuthMount>) -> Vec<Name> {
    let found: Vec<Name> = mounts.iter().filter(|(_, mount)| mount.kind.as_ref() == "kubernetes").map(|(path, _)| path.clone()).collect();
    if found.is_empty() { vec![USUAL_MOUNT.into()] } else { found }
}

fn names(mounts: &[Name]) -> impl Iterator<Item = &str> + Clone {
    mounts.iter().map(AsRef::as_ref)
}

fn line(what: &str, state: String, good: bool, costs: &str) -> Line {
    Line { area: "vault", what: what.to_owned(), state, good, costs: costs.to_owned() }
}

/// Every part with its state and what was read of it.
fn sources(vault: &VaultFacts) -> Vec<Line> {
    let plain = |what: &str, state: &SourceState, costs: &str| line(what, state.to_string(), *state == SourceState::Live, costs);
    let mut lines = vec![
        line("server", server(vault), vault.server.state == SourceState::Live, "the whole secret wall"),
        plain("own token", &vault.token, "the whole secret wall"),
        part("auth mounts", &vault.auth_mounts, "the whole secret wall"),
        part("settings of Kubernetes auth mounts", &vault.kubernetes_config, "SEC-24"),
    ];
    for (mount, roles) in &vault.kubernetes {
        lines.push(part(&format!("roles of {}", clean(mount)), roles, "SEC-01 to SEC-07, SEC-18, the Vault probe"));
    }
    lines.push(part("policies", &vault.policies, "SEC-05 to SEC-07, SEC-18, the Vault view"));
    lines.push(part("secret mounts", &vault.secret_mounts, "SEC-05 to SEC-07, SEC-18"));
    let mut entities = part("entities", &vault.entities, "SEC-06 is only as far as seen");
    if vault.entities_elsewhere > 0 {
        entities.state = format!("{}; {} that log in elsewhere are left out", entities.state, vault.entities_elsewhere);
    }
    lines.push(entities);
    lines.push(part("groups", &vault.groups, "SEC-06 is only as far as seen"));
    let mut namespaces = part("namespaces", &vault.namespaces, "what lies in them");
    if !vault.namespaces.items.is_empty() {
        namespaces.state.push_str("; not looked into");
    }
    namespaces.good |= vault.namespaces.state == SourceState::Absent;
    lines.push(namespaces);
    if vault.item_age > 0 {
        let state = format!("roles, policies and entities are read in turn: none is older than {} s", vault.item_age);
        lines.push(line("age", state, true, "the dashboard reads all of them at r"));
    }
    lines
}

fn server(vault: &VaultFacts) -> String {
    let flavour = match vault.server.flavour {
        Flavour::Vault => "Vault",
        Flavour::OpenBao => "OpenBao",
        Flavour::Unknown => "a server of unknown make",
    };
    format!("{}: {flavour} {}", vault.server.state, clean(&vault.server.version))
}

fn part<V>(what: &str, part: &Part<Name, V>, costs: &str) -> Line {
    let mut state = part.state.to_string();
    if part.state == SourceState::Live {
        state = format!("{state}, {}", part.items.len());
    }
    if let Some((name, why)) = part.unreadable.iter().next().filter(|_| part.state == SourceState::Live) {
        state = format!("{state}; {} can't be read, such as {}: {}", part.unreadable.len(), clean(name), clean(why));
    }
    line(what, state, part.state == SourceState::Live && part.unreadable.is_empty(), costs)
}

/// Whether this server has what the line is about.
fn applies(wanted: &Wanted, flavour: Flavour) -> bool {
    wanted.line.need != Need::OpenBao || flavour != Flavour::Vault
}

fn policy_line(wanted: &Wanted, right: &Right, flavour: Flavour) -> Line {
    let optional = wanted.line.need != Need::Always;
    let (state, good) = match right {
        _ if !applies(wanted, flavour) => ("only OpenBao knows it".to_owned(), true),
        Right::Granted => ("granted".to_owned(), true),
        Right::Root => ("granted: a root token, far more than needed".to_owned(), true),
        Right::Missing if optional => ("missing, and can be done without".to_owned(), true),
        Right::Missing => ("missing".to_owned(), false),
        Right::Unknown(why) => (format!("could not ask: {}", clean(why)), optional),
    };
    Line { area: "vault policy", what: wanted.hcl(), state, good, costs: wanted.line.costs.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_line_says_what_it_costs_and_an_optional_one_is_no_fault() {
        let all = operator::wanted(["kubernetes"]);
        let said = |path: &str, right: Right, flavour| {
            let wanted = all.iter().find(|wanted| wanted.path == path).unwrap();
            let line = policy_line(wanted, &right, flavour);
            (line.good, line.state, line.costs)
        };
        let (good, state, costs) = said("identity/group/id", Right::Missing, Flavour::OpenBao);
        assert!(!good && state == "missing" && costs.contains("SEC-06"));
        assert!(said("sys/capabilities-accessor", Right::Missing, Flavour::OpenBao).0);
        assert!(said("sys/policies/detailed/acl", Right::Missing, Flavour::OpenBao).1.contains("done without"));
        assert!(said("sys/policies/detailed/acl", Right::Missing, Flavour::Vault).1.contains("only OpenBao"));
        assert!(!said("auth/token/renew-self", Right::Unknown("x".into()), Flavour::Vault).0);
        assert!(said("sys/auth", Right::Root, Flavour::Vault).1.contains("root token"));
    }
}
