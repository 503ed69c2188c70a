//! The agent injector's annotations and the Secrets Store CSI driver (`spec/vault.md` 7.3, 7.4).

use std::sync::Arc;

use super::super::super::capability::Operation;
use super::eso::method;
use super::paths::{is_kv, mount_of, place};
use super::{Account, At, LoginBy, Row};
use crate::model::consumer::{ConsumerFact, ConsumerSpec, InjectorFact, ProviderClassSpec};
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::text::clean;

/// The rows of pod templates, of pods that none of them explains, and of SecretProviderClasses.
pub fn rows(at: &At<'_>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut told: Vec<(&Arc<InjectorFact>, &Name)> = Vec::new();
    for ((kind, name), workload) in &at.facts.workloads {
        if let Some(injector) = &workload.injector {
            told.push((injector, &workload.service_account));
            rows.push(injected(at, (*kind, name), injector, &workload.service_account));
        }
    }
    for (name, pod) in &at.facts.pods {
        let Some(injector) = pod.injector.as_ref().filter(|_| !pod.finished()) else { continue };
        if !told.iter().any(|(known, account)| *known == injector && **account == pod.service_account) {
            told.push((injector, &pod.service_account));
            rows.push(injected(at, (Kind::Pod, name), injector, &pod.service_account));
        }
    }
    let classes = at.facts.consumers.values().filter_map(|consumer| match &consumer.spec {
        ConsumerSpec::ProviderClass(spec) => Some(class(at, consumer, spec)),
        _ => None,
    });
    rows.extend(classes);
    rows
}

fn injected(at: &At<'_>, (kind, name): (Kind, &Name), injector: &InjectorFact, account: &Name) -> Row {
    let mut row = at.row(kind, at.namespace, name);
    row.server = injector.service.clone();
    row.vault_namespace = injector.vault_namespace.trim_matches('/').into();
    let mount = injector.auth_path.trim_matches('/');
    let mount = mount.strip_prefix("auth/").unwrap_or(mount);
    row.login = LoginBy::Kubernetes {
        mount: if mount.is_empty() { "kubernetes".into() } else { mount.into() },
        role: injector.role.clone().filter(|role| !role.is_empty()),
        account: Account::Named { namespace: at.namespace.clone(), name: account.clone() },
    };
    if injector.opaque {
        row.doubts.push("its agent's configuration is in a ConfigMap or a template that is not followed: it may ask for more".to_owned());
    }
    let Some(prefix) = at.prefix(&row.vault_namespace) else {
        row.doubts.push(format!("it asks in Vault namespace {}, which is not looked at", clean(&row.vault_namespace)));
        return row;
    };
    let mounts = &at.snapshot.vault.secret_mounts.items;
    for path in &injector.paths {
        let request = format!("{prefix}{path}");
        let request = with_data(&super::cleaned(&request), mounts).unwrap_or(request);
        row.paths.push(place(&request, None, if path.contains("/data/") { 2 } else { 0 }, Operation::Read, mounts));
    }
    row
}

/// The agent's templates put `data/` behind a version 2 mount where it is missing.
fn with_data(request: &str, mounts: &std::collections::BTreeMap<Name, crate::model::vault::SecretMount>) -> Option<String> {
    let (mount, facts, rest) = mount_of(request, mounts)?;
    let there = ["data/", "metadata/"].iter().any(|section| rest.starts_with(section));
    (is_kv(facts) && facts.version == Some(2) && !there).then(|| format!("{mount}/data/{rest}"))
}

fn class(at: &At<'_>, consumer: &ConsumerFact, spec: &ProviderClassSpec) -> Row {
    let mut row = at.row(consumer.kind, &consumer.meta.namespace, &consumer.meta.name);
    row.server = spec.address.clone();
    row.vault_namespace = spec.vault_namespace.trim_matches('/').into();
    let mount = spec.mount.trim_matches('/');
    let mount = mount.strip_prefix("auth/").unwrap_or(mount);
    row.login = LoginBy::Kubernetes {
        mount: if mount.is_empty() { "kubernetes".into() } else { mount.into() },
        role: spec.role.clone().filter(|role| !role.is_empty()),
        account: Account::Pods,
    };
    if spec.unreadable {
        row.doubts.push("its objects can't be read: it may ask for anything".to_owned());
    }
    match at.prefix(&row.vault_namespace) {
        Some(prefix) => row.paths.extend(spec.objects.iter().map(|(path, verb)| {
            let version = if path.contains("/data/") { 2 } else { 0 };
            place(&format!("{prefix}{path}"), None, version, method(verb), &at.snapshot.vault.secret_mounts.items)
        })),
        None => row.doubts.push(format!("it asks in Vault namespace {}, which is not looked at", clean(&row.vault_namespace))),
    }
    row
}
