//! A tenant that tries to fool whoever looks at it.

use serde_json::json;

use super::forge::{Forge, by_kubectl};
use super::plan::Plan;
use crate::demo::json::Json;
use crate::demo::kinds;
use crate::demo::store::Key;

/// Clears the screen, sets the window title, writes the clipboard, and colours everything.
const ESCAPES: &str =
    "\u{1b}[2J\u{1b}[H\u{1b}]0;all walls hold\u{7}\u{1b}]52;c;b3duZWQ=\u{7}\u{1b}[32mHOLDS\u{1b}[0m\u{9b}31m\r\n\t\u{8}\u{0}";
/// Turns reading order around and hides characters.
const BIDI: &str = "\u{202e}sdloh llaw\u{202c} \u{2066}\u{2069}\u{200b}\u{200d}\u{feff}e\u{301}\u{301}\u{301}\u{301}";

/// Adds the hostile texts to every tenant that is marked so.
pub(crate) fn build(forge: &mut Forge<'_>, plans: &[Plan]) {
    for plan in plans.iter().filter(|p| p.hostile) {
        let home = plan.home();
        edit(forge, &Key::new(kinds::id("namespaces"), "", home), |namespace| {
            namespace.put(
                "metadata/annotations",
                json!({
                    "description": format!("{ESCAPES} friendly tenant {BIDI}"),
                    "owner": "x".repeat(5_000),
                    "kubectl.kubernetes.io/last-applied-configuration": "{\"CANARY-last-applied\": \"never to be shown\"}",
                }),
            );
        });
        let pods: Vec<Key> = forge.objects.list(kinds::id("pods"), home, None).map(|(key, _)| key.clone()).collect();
        for key in &pods {
            edit(forge, key, |pod| {
                pod.put("metadata/annotations", json!({"note": format!("{BIDI}{}", "\u{1b}[31m".repeat(800))}));
            });
        }
        let Some(pod) = pods.first() else { continue };
        let about = json!({"kind": "Pod", "apiVersion": "v1", "namespace": home, "name": pod.name});
        let long = format!("Error creating: {ESCAPES}{BIDI}{}", "pods is forbidden: exceeded quota: ".repeat(150));
        forge.event(&about, "FailedCreate", &long, 3, 400);
        forge.event(&about, "BackOff", &format!("{ESCAPES}Back-off restarting failed container"), 1, 900);
        let absurd = json!({
            "kind": "ConfigMap", "metadata": {"name": "readme", "namespace": home, "annotations": {"quota": "99999999999999999999Ei"}},
            "data": {"text": format!("{ESCAPES}{BIDI}")},
        });
        forge.add(absurd, by_kubectl(500));
    }
}

fn edit(forge: &mut Forge<'_>, key: &Key, change: impl FnOnce(&mut serde_json::Value)) {
    if let Some(mut value) = forge.objects.get(key).map(|o| (**o).clone()) {
        change(&mut value);
        forge.objects.put(key.clone(), value);
    }
}
