//! Selectors of ours against the API server's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use partywall::model::labels::{LabelSelector, LabelSet};

use crate::facts::*;

/// The matcher of kube, a port of the API server's, is the oracle of ours.
#[test]
fn selectors_agree_with_the_api_servers_meaning() {
    use kube::core::{Expression, Selector, SelectorExt};
    let sets = ["", "app=web", "app=db", "app=", "tier=a", "app=web,tier=a"];
    let oracle = |text: &str| -> Selector {
        let one = |part: &str| {
            if let Some(key) = part.strip_prefix('!') {
                return Expression::DoesNotExist(key.into());
            }
            if let Some((key, value)) = part.split_once("!=") {
                return Expression::NotIn(key.into(), [value.into()].into());
            }
            match part.split_once('=') {
                Some((key, value)) => Expression::In(key.into(), [value.into()].into()),
                None => Expression::Exists(part.into()),
            }
        };
        text.split(',').filter(|s| !s.is_empty()).map(one).collect()
    };
    for text in ["", "app=web", "app!=web", "app", "!app", "app=", "app,tier=a", "!app,tier", "app!=web,!tier"] {
        let ours: LabelSelector = selector(text);
        for set in sets {
            let set: Arc<LabelSet> = labels(set);
            let map: BTreeMap<String, String> = set.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            assert_eq!(ours.matches(&set), Some(oracle(text).matches(&map)), "{text} on {map:?}");
        }
    }
}
