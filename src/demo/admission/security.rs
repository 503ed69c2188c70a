//! Pod Security admission at the baseline and restricted levels.

use serde_json::Value;

use crate::demo::json::Json;
use crate::demo::kinds;
use crate::demo::store::{Key, Objects};

/// What a control has against a pod: its name and the detail.
type Fault = Option<(&'static str, String)>;
/// A control.
type Control = fn(&Value) -> Fault;

/// In the order in which the server reports them.
const BASELINE: [Control; 8] =
    [capabilities_baseline, host_namespaces, host_path, host_ports, privileged, proc_mount, seccomp_baseline, sysctls];
/// At the restricted level some baseline controls give way to stricter ones.
const RESTRICTED: [Control; 11] = [
    host_namespaces,
    host_ports,
    privileged,
    proc_mount,
    sysctls,
    privilege_escalation,
    capabilities_restricted,
    volume_types,
    run_as_non_root,
    run_as_user,
    seccomp_restricted,
];
/// Capabilities a container may add at the baseline level.
const DEFAULT_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
const RESTRICTED_VOLUMES: [&str; 8] =
    ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];
const SAFE_SYSCTLS: [&str; 10] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
];

/// Refuses a pod its namespace does not allow; the error is the message after "is forbidden: ". Returns warnings.
pub(crate) fn check(objects: &Objects, namespace: &str, pod: &Value) -> Result<Vec<String>, String> {
    let Some(labels) = objects.get(&Key::new(kinds::id("namespaces"), "", namespace)).and_then(|n| n.map("metadata/labels").cloned())
    else {
        return Ok(Vec::new());
    };
    let label = |name: &str| labels.get(&format!("pod-security.kubernetes.io/{name}")).and_then(Value::as_str);
    let verdict = |mode: &str| {
        let level = label(mode).unwrap_or("privileged");
        let version = label(&format!("{mode}-version")).unwrap_or("latest");
        let details = faults(level, pod);
        (!details.is_empty()).then(|| format!("violate{{}} PodSecurity \"{level}:{version}\": {}", details.join(", ")))
    };
    if let Some(text) = verdict("enforce") {
        return Err(text.replacen("{}", "s", 1));
    }
    Ok(verdict("warn").map(|text| format!("would {}", text.replacen("{}", "", 1))).into_iter().collect())
}

fn faults(level: &str, pod: &Value) -> Vec<String> {
    let controls: &[Control] = match level {
        "baseline" => &BASELINE,
        "restricted" => &RESTRICTED,
        _ => &[],
    };
    controls.iter().filter_map(|control| control(pod)).map(|(name, detail)| format!("{name} ({detail})")).collect()
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["spec/initContainers", "spec/containers", "spec/ephemeralContainers"].into_iter().flat_map(|list| pod.items(list))
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ")
}

/// `container "a"` or `containers "a", "b"`.
fn plural(word: &str, names: &[String]) -> String {
    format!("{word}{} {}", if names.len() == 1 { "" } else { "s" }, quoted(names))
}

fn named<'a>(pod: &'a Value, bad: impl Fn(&Value) -> bool + 'a) -> Vec<String> {
    containers(pod).filter(|c| bad(c)).map(|c| c.text("name").to_owned()).collect()
}

fn about(names: &[String], control: &'static str, detail: impl Fn(&str) -> String) -> Fault {
    (!names.is_empty()).then(|| (control, detail(&plural("container", names))))
}

fn host_namespaces(pod: &Value) -> Fault {
    let on: Vec<String> =
        ["hostNetwork", "hostPID", "hostIPC"].iter().filter(|f| pod.at("spec").truth(f)).map(|f| format!("{f}=true")).collect();
    (!on.is_empty()).then(|| ("host namespaces", on.join(", ")))
}

fn host_path(pod: &Value) -> Fault {
    let names: Vec<String> = pod.items("spec/volumes").iter().filter(|v| v.has("hostPath")).map(|v| v.text("name").to_owned()).collect();
    (!names.is_empty()).then(|| ("hostPath volumes", plural("volume", &names)))
}

fn host_ports(pod: &Value) -> Fault {
    let used = |c: &Value| -> Vec<u64> { c.items("ports").iter().filter_map(|p| p.at("hostPort").as_u64()).filter(|p| *p != 0).collect() };
    let names = named(pod, |c| !used(c).is_empty());
    let mut ports: Vec<u64> = containers(pod).flat_map(used).collect();
    ports.sort_unstable();
    ports.dedup();
    let list = ports.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let (verb, noun) = (if names.len() == 1 { "uses" } else { "use" }, if ports.len() == 1 { "hostPort" } else { "hostPorts" });
    about(&names, "hostPort", |who| format!("{who} {verb} {noun} {list}"))
}

fn privileged(pod: &Value) -> Fault {
    let names = named(pod, |c| c.truth("securityContext/privileged"));
    about(&names, "privileged", |who| format!("{who} must not set securityContext.privileged=true"))
}

fn added(container: &Value, allowed: &[&str]) -> Vec<String> {
    let list = container.items("securityContext/capabilities/add").iter().filter_map(Value::as_str);
    list.filter(|c| !allowed.contains(c)).map(str::to_owned).collect()
}

fn must_not_add(pod: &Value, allowed: &'static [&'static str]) -> Option<String> {
    let names = named(pod, |c| !added(c, allowed).is_empty());
    let mut extra: Vec<String> = containers(pod).flat_map(|c| added(c, allowed)).collect();
    extra.sort();
    extra.dedup();
    (!names.is_empty())
        .then(|| format!("{} must not include {} in securityContext.capabilities.add", plural("container", &names), quoted(&extra)))
}

fn capabilities_baseline(pod: &Value) -> Fault {
    must_not_add(pod, &DEFAULT_CAPABILITIES).map(|detail| ("non-default capabilities", detail))
}

fn capabilities_restricted(pod: &Value) -> Fault {
    let drops_all = |c: &Value| c.items("securityContext/capabilities/drop").iter().any(|d| d == "ALL");
    let without = named(pod, |c| !drops_all(c));
    let mut details = Vec::new();
    if !without.is_empty() {
        details.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", plural("container", &without)));
    }
    details.extend(must_not_add(pod, &["NET_BIND_SERVICE"]));
    (!details.is_empty()).then(|| ("unrestricted capabilities", details.join("; ")))
}

fn proc_mount(pod: &Value) -> Fault {
    let names = named(pod, |c| !matches!(c.text("securityContext/procMount"), "" | "Default"));
    about(&names, "procMount", |who| format!("{who} must not set securityContext.procMount to \"Unmasked\""))
}

fn sysctls(pod: &Value) -> Fault {
    let list = pod.items("spec/securityContext/sysctls").iter().map(|s| s.text("name"));
    let bad: Vec<&str> = list.filter(|n| !SAFE_SYSCTLS.contains(n)).collect();
    (!bad.is_empty()).then(|| ("forbidden sysctls", bad.join(", ")))
}

fn privilege_escalation(pod: &Value) -> Fault {
    let names = named(pod, |c| c.at("securityContext/allowPrivilegeEscalation") != &Value::Bool(false));
    about(&names, "allowPrivilegeEscalation != false", |who| format!("{who} must set securityContext.allowPrivilegeEscalation=false"))
}

fn volume_types(pod: &Value) -> Fault {
    let kind = |v: &Value| v.as_object().into_iter().flatten().map(|(k, _)| k.clone()).find(|k| k != "name").unwrap_or_default();
    let bad: Vec<(String, String)> = pod
        .items("spec/volumes")
        .iter()
        .map(|v| (v.text("name").to_owned(), kind(v)))
        .filter(|(_, k)| !k.is_empty() && !RESTRICTED_VOLUMES.contains(&k.as_str()))
        .collect();
    let names: Vec<String> = bad.iter().map(|(n, _)| n.clone()).collect();
    let mut kinds: Vec<String> = bad.into_iter().map(|(_, k)| k).collect();
    kinds.sort();
    kinds.dedup();
    let (verb, noun) = (if names.len() == 1 { "uses" } else { "use" }, if kinds.len() == 1 { "type" } else { "types" });
    (!names.is_empty())
        .then(|| ("restricted volume types", format!("{} {verb} restricted volume {noun} {}", plural("volume", &names), quoted(&kinds))))
}

fn run_as_non_root(pod: &Value) -> Fault {
    let of_pod = pod.at("spec/securityContext/runAsNonRoot");
    let mut explicit = Vec::new();
    if of_pod == &Value::Bool(false) {
        explicit.push("pod".to_owned());
    }
    let names = named(pod, |c| c.at("securityContext/runAsNonRoot") == &Value::Bool(false));
    if !names.is_empty() {
        explicit.push(plural("container", &names));
    }
    if !explicit.is_empty() {
        return Some(("runAsNonRoot != true", format!("{} must not set securityContext.runAsNonRoot=false", explicit.join(" and "))));
    }
    let unset = named(pod, |c| !c.has("securityContext/runAsNonRoot"));
    if of_pod.as_bool().unwrap_or_default() {
        return None;
    }
    about(&unset, "runAsNonRoot != true", |who| format!("pod or {who} must set securityContext.runAsNonRoot=true"))
}

fn run_as_user(pod: &Value) -> Fault {
    let mut details = Vec::new();
    if pod.at("spec/securityContext/runAsUser") == 0 {
        details.push("pod".to_owned());
    }
    let names = named(pod, |c| c.at("securityContext/runAsUser") == 0);
    if !names.is_empty() {
        details.push(plural("container", &names));
    }
    (!details.is_empty()).then(|| ("runAsUser=0", format!("{} must not set runAsUser=0", details.join(" and "))))
}

fn seccomp(pod: &Value, bad: fn(&str) -> bool) -> (bool, Vec<String>) {
    let of_pod = pod.text("spec/securityContext/seccompProfile/type");
    (
        bad(of_pod) && !of_pod.is_empty(),
        named(pod, move |c| {
            let own = c.text("securityContext/seccompProfile/type");
            !own.is_empty() && bad(own)
        }),
    )
}

fn seccomp_baseline(pod: &Value) -> Fault {
    let (of_pod, names) = seccomp(pod, |t| !matches!(t, "" | "RuntimeDefault" | "Localhost"));
    let mut who = Vec::new();
    if of_pod {
        who.push("pod".to_owned());
    }
    if !names.is_empty() {
        who.push(plural("container", &names));
    }
    (!who.is_empty())
        .then(|| ("seccompProfile", format!("{} must not set securityContext.seccompProfile.type to \"Unconfined\"", who.join(" and "))))
}

fn seccomp_restricted(pod: &Value) -> Fault {
    if let Some(fault) = seccomp_baseline(pod) {
        return Some(fault);
    }
    if !pod.text("spec/securityContext/seccompProfile/type").is_empty() {
        return None;
    }
    let unset = named(pod, |c| c.text("securityContext/seccompProfile/type").is_empty());
    about(&unset, "seccompProfile", |who| {
        format!("pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"")
    })
}
