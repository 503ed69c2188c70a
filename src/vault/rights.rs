//! What our own token may do, line by line of the operator policy: as the server tells it, or by trying where it does not.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use futures::stream;
use serde_json::{Value, json};

use super::client::Client;
use super::error::{VaultError, VaultErrorKind};
use super::operator::{Trial, Wanted};

/// So many trials at once.
const AT_ONCE: usize = 4;

/// Whether a line is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// It is, or another one allows the same.
    Granted,
    /// Everything is: the token is root.
    Root,
    /// It is not.
    Missing,
    /// Nobody knows, and why.
    Unknown(String),
}

/// Asks about every line, in one request where our token may ask.
pub async fn ask(client: &Client, wanted: Vec<Wanted>) -> Vec<(Wanted, Right)> {
    let paths: Vec<String> = wanted.iter().map(Wanted::asked).collect();
    match client.post("sys/capabilities-self", &json!({"paths": paths})).await {
        Ok(answer) => {
            let told = told(&answer);
            wanted.into_iter().zip(paths).map(|(wanted, path)| told_of(&told, wanted, &path)).collect()
        }
        // a token without the default policy may not ask
        Err(error) if error.kind == VaultErrorKind::Denied => {
            let trials = wanted.into_iter().map(|wanted| async move {
                let right = tried(client, &wanted).await;
                (wanted, right)
            });
            stream::iter(trials).buffered(AT_ONCE).collect().await
        }
        Err(error) => {
            let why = Right::Unknown(error.to_string());
            wanted.into_iter().map(|wanted| (wanted, why.clone())).collect()
        }
    }
}

fn told(answer: &Value) -> BTreeMap<&str, Vec<&str>> {
    let rows = answer.get("data").and_then(Value::as_object).into_iter().flatten();
    rows.map(|(path, list)| (path.as_str(), list.as_array().into_iter().flatten().filter_map(Value::as_str).collect())).collect()
}

fn told_of(told: &BTreeMap<&str, Vec<&str>>, wanted: Wanted, path: &str) -> (Wanted, Right) {
    let needed = wanted.line.capabilities.first().copied().unwrap_or_default();
    let right = match told.get(path) {
        Some(list) if list.contains(&"root") => Right::Root,
        Some(list) if list.contains(&needed) && !list.contains(&"deny") => Right::Granted,
        Some(_) => Right::Missing,
        None => Right::Unknown("the server left it out of its answer".to_owned()),
    };
    (wanted, right)
}

/// Tries a line. The ACL is asked before anything else, so whatever is not its refusal means that we may.
async fn tried(client: &Client, wanted: &Wanted) -> Right {
    let path = wanted.sample();
    let answer = match wanted.line.trial {
        Trial::Read => client.get(&path).await,
        Trial::List => client.list(&path).await,
        Trial::EmptyPost => client.post(&path, &json!({})).await,
        Trial::None => return Right::Unknown("our token may not ask what it may do, and trying would do it".to_owned()),
    };
    match answer {
        Ok(_) => Right::Granted,
        Err(error) => refused(&error),
    }
}

fn refused(error: &VaultError) -> Right {
    match (error.kind, error.status) {
        (VaultErrorKind::Denied, _) => Right::Missing,
        (VaultErrorKind::NotFound, _) | (VaultErrorKind::Malformed, Some(400)) => Right::Granted,
        _ => Right::Unknown(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::operator::wanted;

    #[test]
    fn what_the_server_tells_is_read_line_by_line() {
        let answer = json!({"data": {"sys/auth": ["read"], "auth/k/role/": ["read"], "auth/k/role/partywall-doctor": ["list", "read"],
            "sys/mounts": ["deny"], "identity/lookup/entity": ["root"]}, "errors": null});
        let told = told(&answer);
        let all = wanted(["k"]);
        let right = |path: &str| {
            let line = all.iter().find(|wanted| wanted.path == path).unwrap().clone();
            let asked = line.asked();
            told_of(&told, line, &asked).1
        };
        assert_eq!(right("sys/auth"), Right::Granted);
        assert_eq!(right("auth/k/role"), Right::Missing, "a list needs list");
        assert_eq!(right("auth/k/role/*"), Right::Granted);
        assert_eq!(right("sys/mounts"), Right::Missing);
        assert_eq!(right("identity/lookup/entity"), Right::Root);
        assert!(matches!(right("sys/namespaces"), Right::Unknown(_)));
    }

    #[test]
    fn a_refusal_of_anything_but_the_acl_means_that_we_may() {
        for (status, expected) in
            [(403, Some(Right::Missing)), (404, Some(Right::Granted)), (400, Some(Right::Granted)), (405, Some(Right::Granted))]
        {
            assert_eq!(Some(refused(&VaultError::from_errors(status, Some("words")))), expected, "{status}");
        }
        for status in [429, 500, 503] {
            assert!(matches!(refused(&VaultError::from_errors(status, Some("words"))), Right::Unknown(_)), "{status}");
        }
    }
}
