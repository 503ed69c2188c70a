//! Which Secrets a pod takes, and what the agent injector is asked to fetch for it.

use std::sync::Arc;

use super::injector;
use super::meta::name;
use super::optional;
use crate::cluster::wire::lean::Field;
use crate::cluster::wire::meta::NotedWire;
use crate::cluster::wire::pod::{ContainerWire, PodSpecWire};
use crate::cluster::wire::uses::{SecretVolumeWire, VolumeWire};
use crate::model::consumer::{InjectorFact, SecretUse, UseKind};
use crate::model::ids::Name;
use crate::model::intern::Interner;

/// The driver of the Secrets Store CSI driver.
const CSI_DRIVER: &str = "secrets-store.csi.k8s.io";

/// The Secrets that a pod or a template takes, sorted, each once. O(variables and volumes).
pub(super) fn secrets(spec: &PodSpecWire<'_>, interner: &mut Interner) -> Arc<[SecretUse]> {
    let mut uses = Vec::new();
    for list in [&spec.containers, &spec.init_containers] {
        for container in list.as_ref().into_iter().flat_map(|list| &list.0).filter_map(Field::as_ref) {
            of_container(container, &mut uses, interner);
        }
    }
    for volume in spec.volumes.as_ref().into_iter().flat_map(|list| &list.0).filter_map(Field::as_ref) {
        of_volume(volume, &mut uses, interner);
    }
    uses.sort_unstable();
    uses.dedup();
    interner.secrets(uses)
}

fn of_container(wire: &ContainerWire<'_>, uses: &mut Vec<SecretUse>, interner: &mut Interner) {
    let container = name(wire.name.text(), interner);
    for variable in wire.env.as_ref().into_iter().flat_map(|list| &list.0).filter_map(Field::as_ref) {
        let Some(key) = variable.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref()) else { continue };
        let Some(secret) = optional(&key.name, interner) else { continue };
        let how = UseKind::Env { variable: name(variable.name.text(), interner), key: name(key.key.text(), interner) };
        uses.push(SecretUse { secret, container: Some(container.clone()), how });
    }
    for from in wire.env_from.as_ref().into_iter().flat_map(|list| &list.0).filter_map(Field::as_ref) {
        let Some(secret) = from.secret_ref.as_ref().and_then(|secret| optional(&secret.name, interner)) else { continue };
        uses.push(SecretUse { secret, container: Some(container.clone()), how: UseKind::EnvFrom });
    }
}

fn of_volume(wire: &VolumeWire<'_>, uses: &mut Vec<SecretUse>, interner: &mut Interner) {
    let mut take = |secret: Option<Name>, how: UseKind| uses.extend(secret.map(|secret| SecretUse { secret, container: None, how }));
    if let Some(secret) = wire.secret.as_ref() {
        take(optional(&secret.secret_name, interner), UseKind::Volume { items: items(secret, interner) });
    }
    let sources = wire.projected.as_ref().and_then(|projected| projected.sources.as_ref());
    for secret in sources.into_iter().flat_map(|list| &list.0).filter_map(|source| source.as_ref()?.secret.as_ref()) {
        take(optional(&secret.name, interner), UseKind::Volume { items: items(secret, interner) });
    }
    if let Some(csi) = wire.csi.as_ref().filter(|csi| csi.driver.text() == CSI_DRIVER) {
        let class = csi.volume_attributes.as_ref().and_then(|attributes| optional(&attributes.secret_provider_class, interner));
        take(class, UseKind::ProviderClass);
    }
}

fn items(wire: &SecretVolumeWire<'_>, interner: &mut Interner) -> Box<[(Name, Name)]> {
    let items = wire.items.as_ref().into_iter().flat_map(|list| &list.0).filter_map(Field::as_ref);
    items.map(|item| (name(item.key.text(), interner), name(item.path.text(), interner))).collect()
}

/// What the agent injector is asked for, shared by the pods of a template.
pub(super) fn injector(noted: Field<NotedWire<'_>>, interner: &mut Interner) -> Option<Arc<InjectorFact>> {
    let fact = injector::fact(&noted.get()?.injector, interner)?;
    Some(interner.injector(fact))
}
