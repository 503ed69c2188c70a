//! Facts in words for the screen.

use std::borrow::Cow;

use super::role::Role;
use crate::model::event::Authority;
use crate::model::kind::Kind;
use crate::model::snapshot::Snapshot;
use crate::model::source::SourceState;
use crate::model::time::{Time, age};
use crate::model::vault::{Flavour, VaultFacts};
use crate::posture::verdict::{Declared, Tried};
use crate::posture::wall::Wall;

/// Who refused.
pub const fn authority(who: Authority) -> &'static str {
    match who {
        Authority::Authorizer => "the authoriser (RBAC)",
        Authority::LimitRanger => "LimitRanger",
        Authority::ResourceQuota => "ResourceQuota",
        Authority::ResourceQuotaMissing => "ResourceQuota (amount missing)",
        Authority::PodSecurity => "Pod Security",
        Authority::AdmissionPolicy => "an admission policy",
        Authority::Webhook => "an admission webhook",
        Authority::WebhookNoDryRun => "a webhook without dry-run",
        Authority::WebhookBroken => "a broken webhook",
        Authority::Validation => "validation",
        Authority::VaultAcl => "Vault's ACL",
        Authority::VaultRoleBinding => "the Vault role's binding",
        Authority::StoreCondition => "the store's conditions",
        Authority::NetworkDrop => "the network (silence)",
        Authority::NetworkReject => "the network (rejected)",
        Authority::Unknown => "somebody unnamed",
    }
}

/// What the declarations say.
pub const fn declared(declared: Declared) -> &'static str {
    match declared {
        Declared::Open => "open",
        Declared::Partly => "partly",
        Declared::Unknown => "could not be read",
        Declared::Right => "right",
        Declared::NotApplicable => "does not apply",
    }
}

/// What the trial says.
pub const fn tried(tried: Tried) -> &'static str {
    match tried {
        Tried::No => "no valid receipt",
        Tried::Held => "held when tried",
        Tried::Crossed => "crossed",
        Tried::Vacuous => "proved nothing",
    }
}

/// How long something took: `12ms`, `3.0s`.
pub fn took(milliseconds: u64) -> String {
    match milliseconds {
        0 => "<1ms".to_owned(),
        1..1_000 => format!("{milliseconds}ms"),
        _ => format!("{}.{}s", milliseconds / 1_000, milliseconds % 1_000 / 100),
    }
}

/// How long ago, in coarse words: `just now`, `12s ago`.
pub fn ago(milliseconds: i64) -> String {
    if milliseconds < 5_000 { "just now".to_owned() } else { format!("{} ago", age(milliseconds)) }
}

/// A time of day in UTC: `12:03:55Z`; the date too where it is not the day of `now`.
pub fn clock(time: Time, now: Time) -> String {
    let full = time.to_string();
    let (date, rest) = full.split_once('T').unwrap_or((&full, ""));
    let seconds = rest.split_once('.').map_or(rest, |(s, _)| s);
    let same_day = now.to_string().split_once('T').is_some_and(|(today, _)| today == date);
    if same_day { format!("{seconds}Z") } else { format!("{date} {seconds}Z") }
}

/// A text with every moment in it as [`clock`] writes one: messages carry them in full, which a line has no room for. O(length).
pub fn short_times(text: &str, now: Time) -> Cow<'_, str> {
    let moment = |word: &str| {
        let bare = word.trim_end_matches([':', ',', ';', '.']);
        let tail = word.get(bare.len()..)?;
        let looks = bare.len() >= 20 && bare.as_bytes().get(10) == Some(&b'T') && bare.ends_with('Z');
        Some(format!("{}{tail}", clock(Time::parse(bare).filter(|_| looks)?, now)))
    };
    if !text.split(' ').any(|word| moment(word).is_some()) {
        return Cow::Borrowed(text);
    }
    let words: Vec<Cow<'_, str>> = text.split(' ').map(|word| moment(word).map_or(Cow::Borrowed(word), Cow::Owned)).collect();
    Cow::Owned(words.join(" "))
}

/// A source or a group of sources for the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How it stands.
    pub role: Role,
    /// One or two words.
    pub word: String,
    /// Why, cleaned; empty where there is nothing to say.
    pub why: String,
    /// Since when, where its age is shown.
    pub since: Option<Time>,
    /// Whether what we show may be old.
    pub old: bool,
}

fn rank(state: &SourceState) -> u8 {
    match state {
        SourceState::Down { .. } => 0,
        SourceState::Stale { .. } => 1,
        SourceState::Connecting => 2,
        SourceState::Loading(_) => 3,
        SourceState::Denied { .. } => 4,
        SourceState::Off => 5,
        SourceState::Live | SourceState::Absent => 6,
    }
}

/// A single source's standing.
pub fn standing(state: &SourceState) -> Standing {
    let (role, since, old) = match state {
        SourceState::Live => (Role::Live, None, false),
        SourceState::Absent | SourceState::Off => (Role::Muted, None, false),
        SourceState::Connecting | SourceState::Loading(_) => (Role::Waiting, None, false),
        SourceState::Stale { since, .. } => (Role::Stale, Some(*since), true),
        SourceState::Denied { .. } => (Role::Denied, None, false),
        SourceState::Down { since, .. } => (Role::Down, Some(*since), true),
    };
    let word = match state {
        SourceState::Loading(0) => "loading".to_owned(),
        SourceState::Loading(n) => format!("loading {n}"),
        state => state.word().to_owned(),
    };
    Standing { role, word, why: state.why().map(|why| crate::model::text::clean(why)).unwrap_or_default(), since, old }
}

/// How Kubernetes stands as a whole: as its worst source.
pub fn kubernetes(snapshot: &Snapshot) -> Standing {
    let Some((kind, worst)) = snapshot.sources.iter().min_by_key(|(_, state)| rank(state)) else {
        return standing(&SourceState::Connecting);
    };
    let denied = snapshot.sources.values().filter(|s| matches!(s, SourceState::Denied { .. })).count();
    let mut all = standing(worst);
    if let SourceState::Denied { .. } = worst {
        all.word = format!("{denied} denied");
        all.why = format!("{kind}: {}", all.why);
    } else if matches!(worst, SourceState::Loading(_)) {
        all.word = loading(snapshot);
    } else if matches!(worst, SourceState::Off) {
        all = standing(&SourceState::Live);
    }
    all
}

/// What is being read, by the list that has come furthest: `loading pods, 45000 so far`.
fn loading(snapshot: &Snapshot) -> String {
    let lists = snapshot.sources.iter().filter_map(|(kind, state)| match state {
        SourceState::Loading(count) => Some((*count, kind.info().map_or("", |info| info.plural))),
        _ => None,
    });
    match lists.max() {
        Some((0, plural)) => format!("loading {plural}"),
        Some((count, plural)) => format!("loading {plural}, {count} so far"),
        None => "loading".to_owned(),
    }
}

/// How Vault stands.
pub fn vault(vault: &VaultFacts) -> Standing {
    if !vault.configured {
        return Standing { role: Role::Muted, word: "not configured".into(), why: "set VAULT_ADDR".into(), since: None, old: false };
    }
    let mut all = standing(&vault.server.state);
    if vault.server.state != SourceState::Live {
        return all;
    }
    let name = match vault.server.flavour {
        Flavour::Vault => "Vault",
        Flavour::OpenBao => "OpenBao",
        Flavour::Unknown => "",
    };
    let refused =
        [&vault.token, &vault.auth_mounts.state, &vault.policies.state].into_iter().find(|s| matches!(s, SourceState::Denied { .. }));
    if vault.server.sealed {
        all = Standing {
            role: Role::Down,
            word: "SEALED".into(),
            why: "nothing can be read until it is unsealed".into(),
            since: None,
            old: true,
        };
    } else if let Some(state) = refused {
        all = standing(state);
    } else if vault.server.standby {
        all = Standing { role: Role::Stale, word: "standby".into(), why: "may be behind".into(), since: None, old: false };
    } else {
        all.why = crate::model::text::clean(format!("{name} {}", vault.server.version).trim());
    }
    all
}

/// The kinds a wall rests on, and whether it rests on Vault.
pub const fn rests_on(wall: Wall) -> (&'static [Kind], bool) {
    match wall {
        Wall::Net => (&[Kind::Namespace, Kind::NetworkPolicy, Kind::Pod], false),
        Wall::Sec => (&[Kind::ServiceAccount, Kind::SecretStore], true),
        Wall::Res => (&[Kind::ResourceQuota, Kind::LimitRange, Kind::Pod], false),
        _ => (&[Kind::Namespace], false),
    }
}

/// Whether what is shown of a wall may be old: one of its sources is stale, down or sealed.
pub fn wall_is_old(snapshot: &Snapshot, wall: Wall) -> bool {
    let (kinds, on_vault) = rests_on(wall);
    let lost = |state: &SourceState| matches!(state, SourceState::Stale { .. } | SourceState::Down { .. });
    kinds.iter().any(|kind| lost(snapshot.source(*kind)))
        || (on_vault && snapshot.vault.configured && (lost(&snapshot.vault.server.state) || snapshot.vault.server.sealed))
}

/// `stale 12s: why`, as rows say it.
pub fn standing_text(standing: &Standing, now: Time) -> String {
    let mut text = standing.word.clone();
    if let Some(since) = standing.since {
        text.push(' ');
        text.push_str(&age(now.since(since)));
    }
    if !standing.why.is_empty() {
        text.push_str(": ");
        text.push_str(&standing.why);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn kubernetes_stands_as_its_worst_source() {
        let mut snapshot = Snapshot::default();
        assert_eq!(kubernetes(&snapshot).word, "connecting");
        snapshot.sources = Arc::new([(Kind::Namespace, SourceState::Live), (Kind::Pod, SourceState::Denied { why: "no".into() })].into());
        assert_eq!(kubernetes(&snapshot).word, "1 denied");
        Arc::make_mut(&mut snapshot.sources).insert(Kind::LimitRange, SourceState::Stale { since: Time(0), why: "reset".into() });
        let standing = kubernetes(&snapshot);
        assert!(standing.old);
        assert_eq!(standing_text(&standing, Time(12_000)), "stale 10s: reset");
        assert!(wall_is_old(&snapshot, Wall::Res) && !wall_is_old(&snapshot, Wall::Net));
    }

    #[test]
    fn a_sealed_vault_makes_only_the_secret_wall_old() {
        let mut snapshot = Snapshot::default();
        let facts = Arc::make_mut(&mut snapshot.vault);
        facts.configured = true;
        facts.server.state = SourceState::Live;
        facts.server.sealed = true;
        assert_eq!(vault(&snapshot.vault).word, "SEALED");
        assert!(wall_is_old(&snapshot, Wall::Sec) && !wall_is_old(&snapshot, Wall::Res));
    }

    #[test]
    fn times_are_short_on_the_same_day() {
        assert_eq!((ago(4_999), ago(12_000)), ("just now".into(), "10s ago".into()));
        let now = Time::parse("2026-11-21T14:00:00Z").unwrap();
        assert_eq!(clock(now.plus(-61_000), now), "13:58:59Z");
        assert_eq!(clock(now.plus(-86_400_000), now), "2026-11-20 14:00:00Z");
        assert_eq!((took(0), took(12), took(3_050)), ("<1ms".into(), "12ms".into(), "3.0s".into()));
        assert_eq!(short_times("stale since 2026-11-21T13:59:48.000Z: reset by T-1000Z", now), "stale since 13:59:48Z: reset by T-1000Z");
    }
}
