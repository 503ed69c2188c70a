//! Asking at paths: a tenant's own and others', never for a value; and what the server says of itself.

use secrecy::SecretString;
use serde_json::json;

use super::super::ProbeError;
use super::super::hands::Hands;
use super::super::scribe::{Told, push};
use super::{Probe, Side, failed, knock_outcome};
use crate::model::event::Authority;
use crate::model::ids::Name;
use crate::model::text::clean_to;
use crate::probe::vault::{Aim, COMPARED, Door, Manner, aims, child, listing, parent, predict, query_data, read_knock, witnesses};
use crate::receipt::Outcome;
use crate::vault::client::{Client, Verdict};
use crate::vaultacl::acl::Acl;
use crate::vaultacl::capability::{CAPABILITIES, Operation};

/// At most so many paths are asked about at once.
const MOST_ASKED: usize = 8;

/// Attempts on another tenant's paths, as indices of their steps.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    pub values: Vec<usize>,
    pub structure: Vec<usize>,
}

impl<H: Hands> Probe<'_, '_, H> {
    /// Under a prefix, the name of something that is there, as far as the tenant may list; else a name that nobody has.
    pub(super) async fn find_door(&mut self, side: &mut Side) -> Result<(), ProbeError> {
        let (Some(client), Some(path)) = (side.client.clone(), listing(&side.id.own)) else { return Ok(()) };
        let own = side.id.own.clone();
        let work = async move {
            match client.list(&path).await {
                Ok(answer) => {
                    let found = child(&own, &names(&answer));
                    let outcome = if found.is_some() { Outcome::Answered } else { Outcome::Failed };
                    (Told::new(outcome, if found.is_some() { "something is there" } else { "nothing is there" }, 200), found)
                }
                Err(error) => (Told { outcome: knock_outcome(&error), ..failed(&error) }, None),
            }
        };
        let what = format!("{}: list the names under its own path", side.id.tenant);
        let (step, found) = self.context.unless_cancelled(self.scribe.step_with(what, "vault".to_owned(), work)).await?;
        let outcome = step.outcome;
        let index = push(&mut self.steps, step);
        if let Some(found) = found {
            side.door = Door::of(&side.id.own, &found);
        } else if outcome == Outcome::Failed {
            // it may list, and there is nothing: a refusal there would prove nothing
            side.alive.push(index);
        }
        Ok(())
    }

    /// Knocks at a side's own path with its session; the step's index. None without a session.
    pub(super) async fn knock_own(&mut self, side: &Side, suffix: &str) -> Result<Option<usize>, ProbeError> {
        let Some(client) = side.client.clone() else { return Ok(None) };
        let what = format!("{}: read its own {}{suffix}", side.id.tenant, side.door.alias());
        let aim = Aim { door: side.door.clone(), manner: Manner::Value };
        self.attempt(&aim, client, what, Some(&side.id.acl)).await.map(Some)
    }

    /// Everything that is tried at one side's paths with the other's session.
    pub(super) async fn cross(&mut self, from: &Side, to: &Side) -> Result<Attempts, ProbeError> {
        let mut made = Attempts::default();
        let Some(client) = from.client.clone() else { return Ok(made) };
        let own = |aim: &Aim| owns(from, &aim.door.mount, &aim.door.path);
        let mut all = aims(&to.door, &to.id.roots, &self.nonce);
        all.retain(|aim| aim.door.path == to.door.path || !own(aim));
        let proofs = witnesses(&self.context.secrets.crossings(&from.id.tenant, &to.id.tenant), &to.id.roots);
        for proof in proofs {
            if !all.contains(&proof) && !own(&proof) {
                all.push(proof);
            }
        }
        for aim in &all {
            let what = format!("{}: {} {}'s {}", from.id.tenant, aim.verb(), to.id.tenant, aim.door.alias());
            let index = self.attempt(aim, client.clone(), what, Some(&from.id.acl)).await?;
            match aim.manner {
                Manner::Value => made.values.push(index),
                Manner::Metadata | Manner::Names => made.structure.push(index),
            }
        }
        Ok(made)
    }

    /// Asks for the names above a side's own place, where its neighbours' would be told.
    pub(super) async fn neighbours(&mut self, side: &Side) -> Result<Option<usize>, ProbeError> {
        let (Some(client), Some(aim)) = (side.client.clone(), parent(&side.id.own, &side.id.roots)) else { return Ok(None) };
        let what = format!("{}: list the names in the folder that its own path lies in", side.id.tenant);
        self.attempt(&aim, client, what, Some(&side.id.acl)).await.map(Some)
    }

    /// One request for its status alone. With an ACL the answer is held against what that says.
    async fn attempt(&mut self, aim: &Aim, client: Client, what: String, acl: Option<&Acl>) -> Result<usize, ProbeError> {
        let (path, query) = aim.request();
        let predicted = acl.map(|acl| predict(acl, aim.operation(), &path, Some(&query_data(query))));
        let manner = aim.manner;
        let work = async move {
            let answer = if manner == Manner::Names { client.knock_list(&path).await } else { client.knock(&path, query).await };
            answer.map_or_else(|error| failed(&error), told)
        };
        let step = self.context.unless_cancelled(self.scribe.step(what, "vault".to_owned(), work)).await?;
        if let Some(predicted) = predicted {
            self.compared.add(&step.what, predicted, step.outcome);
        }
        Ok(push(&mut self.steps, step))
    }

    /// Shows that something is stored at a side's path, by its metadata. Where its policies hide that, the authorised knock has to do.
    pub(super) async fn exists(&mut self, side: &mut Side) -> Result<(), ProbeError> {
        let (Some(client), Some(path)) = (side.client.clone(), side.door.metadata()) else { return Ok(()) };
        let work = async move {
            match client.knock(&path, &[]).await {
                Ok(verdict) if verdict.status == 200 => Told::new(Outcome::Answered, "it exists", 200),
                Ok(verdict) if verdict.status == 404 => Told::new(Outcome::Failed, "nothing is stored there", 404),
                Ok(verdict) => Told::new(read_knock(verdict.status, verdict.vaults, &verdict.said), verdict.said, verdict.status),
                Err(error) => failed(&error),
            }
        };
        let what = format!("{}: metadata of its own {}", side.id.tenant, side.door.alias());
        let step = self.context.unless_cancelled(self.scribe.step(what, "vault".to_owned(), work)).await?;
        let hidden = matches!(step.outcome, Outcome::Refused { .. });
        let index = push(&mut self.steps, step);
        if !hidden {
            side.alive.push(index);
        }
        Ok(())
    }

    /// A token that nobody was given must be refused everywhere, whatever the policies say.
    pub(super) async fn nobody(&mut self, side: &Side) -> Result<Option<usize>, ProbeError> {
        let token = SecretString::from(format!("s.{}", self.nonce));
        let client = self.client.with_token(Some(token));
        let what = format!("nobody: read {}'s {} with a token that was never given", side.id.tenant, side.door.alias());
        let aim = Aim { door: side.door.clone(), manner: Manner::Value };
        self.attempt(&aim, client, what, None).await.map(Some)
    }

    /// What the server itself says that a side's session may do at somebody's paths; its answer is held against the policies. The step answers if
    /// anything is granted. None where it may not ask: then nothing is said.
    pub(super) async fn own_word(&mut self, who: &Side, owner: &str, asked: &[(String, String)]) -> Result<Option<usize>, ProbeError> {
        let Some(client) = who.client.clone() else { return Ok(None) };
        let paths: Vec<&str> = asked.iter().map(|(_, path)| path.as_str()).collect();
        let work = async {
            match client.post("sys/capabilities-self", &json!({"paths": paths})).await {
                Ok(answer) => {
                    let words: Vec<Option<Vec<String>>> = paths.iter().map(|path| words(&answer, path)).collect();
                    (tell(asked, &words), words)
                }
                Err(error) => (failed(&error), Vec::new()),
            }
        };
        let what = format!("{}: the server's own word on {owner} {}", who.id.tenant, if asked.len() == 1 { "path" } else { "paths" });
        let (step, words) = self.context.unless_cancelled(self.scribe.step_with(what, "vault".to_owned(), work)).await?;
        let told = step.outcome != Outcome::Failed;
        let index = push(&mut self.steps, step);
        for ((alias, path), words) in asked.iter().zip(words) {
            let acl = &who.id.acl;
            if let (Some(words), Some(_)) = (words, predict(acl, Operation::List, path, None)) {
                self.compared.add_words(&format!("{} at {alias}", who.id.tenant), &acl.capabilities(path), &words);
            }
        }
        Ok(told.then_some(index))
    }

    /// The path of a side's own that it was let in at, for [`Probe::own_word`].
    pub(super) fn own_door(side: &Side) -> Vec<(String, String)> {
        vec![(side.door.alias(), side.door.request().0)]
    }

    /// All of a partner's paths that the server can be asked about without touching them: its door, its roots, and what the evaluator found.
    pub(super) fn doors_of(&self, from: &Side, to: &Side) -> Vec<(String, String)> {
        let mut found = Self::own_door(to);
        let roots = to.id.roots.iter().filter(|root| root.version != 0 && !root.path.is_empty());
        found.extend(roots.filter(|root| !owns(from, &root.mount, &root.path)).map(|root| {
            let door = Door { mount: root.mount.clone(), version: root.version, path: root.path.clone() };
            (door.alias(), door.request().0)
        }));
        let proofs = self.context.secrets.crossings(&from.id.tenant, &to.id.tenant);
        found.extend(proofs.iter().map(|crossing| {
            let door = Door { mount: "".into(), version: 0, path: crossing.grant.path.clone() };
            (door.alias(), crossing.grant.path.clone())
        }));
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|(_, path)| seen.insert(path.clone()));
        found.truncate(MOST_ASKED);
        found
    }

    /// Writes down whether the answers were as the policies say.
    pub(super) async fn compare(&mut self) {
        if self.compared.is_empty() {
            return;
        }
        let (outcome, said) = self.compared.told(self.context.secrets.dialect.word());
        let step = self.scribe.step(COMPARED.to_owned(), "vault".to_owned(), async { Told::new(outcome, said, "") }).await;
        self.steps.push(step);
    }
}

/// Whether a path is, or lies below, a root of a side's own.
fn owns(side: &Side, mount: &Name, path: &str) -> bool {
    side.id.roots.iter().any(|root| root.mount == *mount && within(path, &root.path))
}

/// The server's words on each path; granted where any path is.
fn tell(asked: &[(String, String)], words: &[Option<Vec<String>>]) -> Told {
    if words.iter().any(Option::is_none) {
        return Told::new(Outcome::Failed, "an answer without capabilities", 200);
    }
    let granted = words.iter().flatten().any(|words| !words.is_empty() && !words.iter().any(|word| word == "deny"));
    let outcome = if granted { Outcome::Answered } else { Outcome::Refused { by: Authority::VaultAcl } };
    let each = asked.iter().zip(words.iter().flatten()).map(|((alias, _), words)| format!("{alias}: {}", words.join(", ")));
    Told::new(outcome, each.collect::<Vec<_>>().join("; "), 200)
}

fn within(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| root.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

fn told(verdict: Verdict) -> Told {
    let outcome = read_knock(verdict.status, verdict.vaults, &verdict.said);
    let said = if outcome == Outcome::Answered { "authorised; no value was asked for".to_owned() } else { verdict.said };
    Told { request_id: verdict.request_id, ..Told::new(outcome, said, verdict.status) }
}

/// The capabilities that an answer names for a path, in its order.
fn words(answer: &serde_json::Value, path: &str) -> Option<Vec<String>> {
    let data = answer.get("data")?;
    let list = data.get(path).or_else(|| data.get("capabilities"))?.as_array()?;
    let known = |word: &str| word == "root" || CAPABILITIES.iter().any(|(known, _)| *known == word);
    Some(list.iter().filter_map(|word| word.as_str()).map(|word| if known(word) { word.to_owned() } else { clean_to(word, 32) }).collect())
}

/// The names of a LIST answer, and nothing else of it.
fn names(answer: &serde_json::Value) -> Vec<Name> {
    let keys = answer.pointer("/data/keys").and_then(serde_json::Value::as_array);
    keys.into_iter().flatten().filter_map(|key| key.as_str()).map(Name::from).collect()
}
