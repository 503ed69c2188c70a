//! Where the server serves the kinds that a cluster may lack. Many kinds ask, few requests are made: an answer is shared for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{Mutex, watch};

use super::pulse::Pulse;
use crate::cluster::call::{Call, encoded};
use crate::cluster::connect::Cluster;
use crate::cluster::refusal::ApiRefusal;
use crate::model::kind::KindInfo;

/// So long an answer is good for all who ask.
const FRESH: Duration = Duration::from_secs(5);
/// So long a failure is.
const FRESH_FAILURE: Duration = Duration::from_millis(300);
/// No more versions of a group are looked at.
const VERSIONS: usize = 8;

/// Where a kind is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) group: &'static str,
    pub(super) version: String,
}

/// What the server said of its APIs, shared by all kinds.
#[derive(Debug)]
pub(super) struct Discovery {
    cluster: Cluster,
    pulse: watch::Receiver<Pulse>,
    heard: Mutex<HashMap<String, Heard>>,
}

/// Names at a path; none where the server has no such path.
type Names = Option<Arc<Vec<String>>>;

#[derive(Debug)]
struct Heard {
    at: Instant,
    rereads: u64,
    answer: Result<Names, ApiRefusal>,
}

impl Discovery {
    pub(super) fn new(cluster: Cluster, pulse: watch::Receiver<Pulse>) -> Self {
        Self { cluster, pulse, heard: Mutex::default() }
    }

    /// Where a kind is served: in the version we know best, else in the one the server prefers. None when nowhere.
    pub(super) async fn place(&self, info: &KindInfo) -> Result<Option<Place>, ApiRefusal> {
        let Some(served) = self.names("/apis", group_versions).await? else { return Ok(None) };
        for group in [Some(info.group), info.other_group].into_iter().flatten() {
            let of_group = |served: &String| served.strip_prefix(group)?.strip_prefix('/').map(str::to_owned);
            let mut versions: Vec<String> = served.iter().filter_map(of_group).take(VERSIONS).collect();
            // stable: what the server prefers stays first among the others
            versions.sort_by_key(|version| version != info.version);
            for version in versions {
                let path = format!("/apis/{group}/{}", encoded(&version));
                let resources = self.names(&path, resource_names).await?;
                if resources.is_some_and(|names| names.iter().any(|name| name == info.plural)) {
                    return Ok(Some(Place { group, version }));
                }
            }
        }
        Ok(None)
    }

    async fn names(&self, path: &str, read: fn(&Value) -> Vec<String>) -> Result<Names, ApiRefusal> {
        // held over the request: whoever asks meanwhile gets the same answer
        let mut heard = self.heard.lock().await;
        let rereads = self.pulse.borrow().rereads;
        if let Some(known) = heard.get(path) {
            let good_for = if known.answer.is_ok() { FRESH } else { FRESH_FAILURE };
            if known.rereads == rereads && known.at.elapsed() < good_for {
                return known.answer.clone();
            }
        }
        let answer = match self.cluster.call_json(Call::get(path)).await {
            Ok(answer) => Ok(Some(Arc::new(read(&answer)))),
            Err(refusal) if refusal.code == 404 => Ok(None),
            Err(refusal) => Err(refusal),
        };
        heard.insert(path.to_owned(), Heard { at: Instant::now(), rereads, answer: answer.clone() });
        answer
    }
}

/// Of an APIGroupList: `group/version`, of each group the preferred version first.
fn group_versions(list: &Value) -> Vec<String> {
    let text = |version: &Value| version.get("groupVersion").and_then(Value::as_str).map(str::to_owned);
    let mut names = Vec::new();
    for group in items(list, "groups") {
        let preferred = group.get("preferredVersion").and_then(text);
        let others: Vec<String> = items(group, "versions").filter_map(text).filter(|other| Some(other) != preferred.as_ref()).collect();
        names.extend(preferred);
        names.extend(others);
    }
    names
}

/// Of an APIResourceList: the resources' names.
fn resource_names(list: &Value) -> Vec<String> {
    items(list, "resources").filter_map(|resource| resource.get("name").and_then(Value::as_str).map(str::to_owned)).collect()
}

fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn group_lists_are_read_whatever_they_hold() {
        let list = json!({"groups": [
            {"name": "a", "versions": [{"groupVersion": "a/v1"}, {"groupVersion": "a/v2"}], "preferredVersion": {"groupVersion": "a/v2"}},
            {"name": "b", "versions": [{"groupVersion": "b/v1"}, 7, {}]},
            {"versions": "x"}, 7, null,
        ]});
        assert_eq!(group_versions(&list), ["a/v2", "a/v1", "b/v1"]);
        for odd in [json!(null), json!([]), json!({"groups": 7}), json!({"resources": [7, {"name": 7}]})] {
            assert!(group_versions(&odd).is_empty() && resource_names(&odd).is_empty(), "{odd}");
        }
    }
}
