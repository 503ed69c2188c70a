//! Which application a container image is.

use super::assessment::AppKind;
use crate::model::snapshot::NamespaceFacts;

/// Repositories by application: the part of an image reference before tag and digest must end in one of these.
const IMAGES: [(&str, AppKind); 8] = [
    ("n8nio/n8n", AppKind::N8n),
    ("n8n-io/n8n", AppKind::N8n),
    ("n8nio/runners", AppKind::N8n),
    ("n8n", AppKind::N8n),
    ("nodered/node-red", AppKind::NodeRed),
    ("node-red", AppKind::NodeRed),
    ("flowfuse/node-red", AppKind::NodeRed),
    ("flowfuse/forge-k8s", AppKind::NodeRed),
];

/// The application of an image, by its repository. O(length).
pub fn of_image(image: &str) -> AppKind {
    let untagged = image.split('@').next().unwrap_or(image);
    // a colon after the last slash starts the tag; one before it belongs to the registry's port
    let repository = match untagged.rsplit_once(':') {
        Some((before, after)) if !after.contains('/') => before,
        _ => untagged,
    };
    let whole_part = |name: &str| repository.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('/'));
    IMAGES.iter().find(|(name, _)| whole_part(name)).map_or(AppKind::Other, |(_, app)| *app)
}

/// Two sightings together.
pub const fn join(a: AppKind, b: AppKind) -> AppKind {
    match (a, b) {
        (AppKind::Other, other) | (other, AppKind::Other) => other,
        (AppKind::N8n, AppKind::N8n) => AppKind::N8n,
        (AppKind::NodeRed, AppKind::NodeRed) => AppKind::NodeRed,
        _ => AppKind::Both,
    }
}

/// The applications of a namespace: of its workloads, and of pods without one. O(containers).
pub fn of_namespace(facts: &NamespaceFacts) -> AppKind {
    used_by(facts, None)
}

/// The applications that run as one ServiceAccount (none: as any).
pub fn used_by(facts: &NamespaceFacts, account: Option<&str>) -> AppKind {
    let is_it = |name: &str| account.is_none_or(|account| account == name);
    let of_workloads = facts.workloads.values().filter(|w| is_it(&w.service_account)).flat_map(|w| w.containers.iter());
    let of_pods = facts.pods.values().filter(|p| !p.finished() && is_it(&p.service_account)).flat_map(|p| p.containers.iter());
    of_workloads.chain(of_pods).map(|container| of_image(&container.image)).fold(AppKind::Other, join)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_by_repository() {
        for (image, app) in [
            ("n8nio/n8n", AppKind::N8n),
            ("docker.n8n.io/n8nio/n8n:1.2", AppKind::N8n),
            ("registry:5000/n8n", AppKind::N8n),
            ("ghcr.io/n8n-io/n8n@sha256:00", AppKind::N8n),
            ("nodered/node-red:4.0-22", AppKind::NodeRed),
            ("localhost:5000/tools/node-red", AppKind::NodeRed),
            ("example/not-n8n", AppKind::Other),
            ("busybox:n8n", AppKind::Other),
            ("", AppKind::Other),
        ] {
            assert_eq!(of_image(image), app, "{image}");
        }
        assert_eq!(join(AppKind::N8n, AppKind::NodeRed), AppKind::Both);
    }
}
