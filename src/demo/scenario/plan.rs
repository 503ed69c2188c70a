//! The tenants as data: what each of them has right and wrong.

/// What a tenant runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum App {
    N8n,
    NodeRed,
    /// A program in an image without any shell.
    Distroless,
    /// Nothing yet.
    Nothing,
}

/// How the network wall is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Net {
    /// As in the walkthrough: default-deny, same namespace, DNS over UDP to the whole of kube-system.
    Walkthrough,
    /// The same with an exact DNS exception.
    Good,
    /// No policy at all.
    Nothing,
    /// Only egress is denied.
    EgressOnly,
    /// Only the applications of today are covered, no pod of another name.
    AppOnly,
    /// Good walls, and beside them the policy of n8n's official chart: everybody in on its port, and out to everybody on two.
    Chart,
    /// Good walls, and beside them a way out to the internet that excepts nothing: every neighbour is in it too.
    World,
}

/// What the quota says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quota {
    Walkthrough,
    /// Twice that.
    Roomy,
    /// Requests only, no limits and no pod count.
    MissingKeys,
    /// As full as 95 %.
    Nearly,
    /// Full: a rollout waits.
    Saturated,
}

/// What the LimitRange says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limits {
    Walkthrough,
    /// There is none.
    Nothing,
    /// Only the maximum was written; the server filled in the rest.
    OnlyMax,
}

/// How the tenant reaches its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// As in the walkthrough: one role, one account. Its store speaks TLS, so that the wall can hold.
    Walkthrough,
    /// The same over HTTPS with an audience.
    Good,
    /// The role admits any account in any namespace whose name ends as the tenant's: a neighbour has one.
    LooseRole,
    /// The role admits the account `default`.
    DefaultAccount,
    /// The store names no account, so the controller's own is used.
    NoAccount,
    /// The policy ends in a wildcard that covers a neighbour.
    WidePolicy,
    /// The policy is a template: each namespace its own folder.
    Template,
    /// The policy has a `+` where the tenant's name should be.
    Segment,
    /// The role names a policy that does not exist.
    MissingPolicy,
    /// Good, and an ExternalSecret of it asks for a neighbour's path: Vault refuses.
    Trespass,
    /// Good, and its account is that of a ClusterSecretStore that a neighbour may use too.
    Lender,
    /// Good, and one of its ExternalSecrets goes by that store: as somebody else.
    Borrower,
    /// No role, no store.
    Nothing,
}

/// One tenant.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: String,
    /// The first is the one the application lives in.
    pub(crate) namespaces: Vec<String>,
    pub(crate) app: App,
    pub(crate) net: Net,
    pub(crate) quota: Quota,
    pub(crate) limits: Limits,
    pub(crate) secrets: Secrets,
    /// Pod Security level that is enforced, or "".
    pub(crate) security: &'static str,
    pub(crate) hostile: bool,
    /// Days since the tenant was set up.
    pub(crate) days: i64,
    /// Image tag of the application.
    pub(crate) tag: &'static str,
}

impl Secrets {
    /// Whether a delivery pipeline keeps it, and not a person.
    pub(crate) const fn piped(self) -> bool {
        !matches!(self, Self::Walkthrough | Self::LooseRole | Self::DefaultAccount | Self::NoAccount | Self::WidePolicy | Self::Nothing)
    }
}

impl Plan {
    /// The namespace of the application.
    pub(crate) fn home(&self) -> &str {
        self.namespaces.first().map_or("", String::as_str)
    }

    /// The service account of the application.
    pub(crate) fn account(&self) -> String {
        let app = match self.app {
            App::NodeRed => "nodered",
            App::Distroless => "runner",
            App::N8n | App::Nothing => "n8n",
        };
        if self.secrets == Secrets::DefaultAccount { "default".into() } else { format!("{app}-{}", self.name) }
    }
}

type Row = (&'static str, &'static [&'static str], App, Net, Quota, Limits, Secrets, &'static str, i64, &'static str);

/// The tenants of the story, in order.
static STORY: [Row; 12] = [
    (
        "acme",
        &["web-tenant-acme"],
        App::N8n,
        Net::Walkthrough,
        Quota::Walkthrough,
        Limits::Walkthrough,
        Secrets::Walkthrough,
        "",
        211,
        "1.121.3",
    ),
    (
        "globex",
        &["web-tenant-globex"],
        App::N8n,
        Net::Walkthrough,
        Quota::Walkthrough,
        Limits::Walkthrough,
        Secrets::Walkthrough,
        "",
        211,
        "1.121.3",
    ),
    (
        "initech",
        &["web-tenant-initech"],
        App::N8n,
        Net::Nothing,
        Quota::MissingKeys,
        Limits::Walkthrough,
        Secrets::Trespass,
        "",
        402,
        "1.64.0",
    ),
    (
        "umbrella",
        &["web-tenant-umbrella"],
        App::N8n,
        Net::EgressOnly,
        Quota::Roomy,
        Limits::Walkthrough,
        Secrets::DefaultAccount,
        "baseline",
        180,
        "1.118.2",
    ),
    (
        "hooli",
        &["web-tenant-hooli"],
        App::N8n,
        Net::AppOnly,
        Quota::Roomy,
        Limits::Walkthrough,
        Secrets::WidePolicy,
        "baseline",
        96,
        "1.121.3",
    ),
    (
        "stark",
        &["web-tenant-stark"],
        App::Distroless,
        Net::World,
        Quota::Roomy,
        Limits::Nothing,
        Secrets::MissingPolicy,
        "restricted",
        64,
        "2.4.1",
    ),
    (
        "wayne",
        &["web-tenant-wayne"],
        App::N8n,
        Net::Good,
        Quota::Saturated,
        Limits::Walkthrough,
        Secrets::Lender,
        "baseline",
        311,
        "1.121.3",
    ),
    ("wonka", &["web-tenant-wonka"], App::N8n, Net::Chart, Quota::Nearly, Limits::OnlyMax, Secrets::NoAccount, "baseline", 47, "1.119.0"),
    (
        "cyberdyne",
        &["web-tenant-cyberdyne"],
        App::N8n,
        Net::Good,
        Quota::Roomy,
        Limits::Walkthrough,
        Secrets::LooseRole,
        "baseline",
        150,
        "1.121.3",
    ),
    (
        "tyrell",
        &["web-tenant-tyrell", "tenant-tyrell"],
        App::NodeRed,
        Net::Good,
        Quota::Roomy,
        Limits::Walkthrough,
        Secrets::Template,
        "restricted",
        29,
        "4.1.1",
    ),
    (
        "vandelay",
        &["web-tenant-vandelay"],
        App::Nothing,
        Net::Good,
        Quota::Walkthrough,
        Limits::Walkthrough,
        Secrets::Borrower,
        "restricted",
        1,
        "",
    ),
    ("evilcorp", &["web-tenant-evilcorp"], App::NodeRed, Net::Good, Quota::Roomy, Limits::Walkthrough, Secrets::Segment, "", 12, "4.0.9"),
];

/// The first tenants of the story, and made-up ones where more are asked for.
pub(crate) fn tenants(count: usize, seed: u64) -> Vec<Plan> {
    let story = STORY.iter().map(|row| Plan {
        name: row.0.to_owned(),
        namespaces: row.1.iter().map(|n| (*n).to_owned()).collect(),
        app: row.2,
        net: row.3,
        quota: row.4,
        limits: row.5,
        secrets: row.6,
        security: row.7,
        hostile: row.0 == "evilcorp",
        days: row.8,
        tag: row.9,
    });
    let more = count.saturating_sub(STORY.len());
    story.take(count).chain((0..more).map(|n| invented(n, seed))).collect()
}

/// A tenant that is mostly right, with one thing wrong now and then.
fn invented(n: usize, seed: u64) -> Plan {
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(31).wrapping_add(n as u64));
    let syllables = ["ba", "co", "di", "fen", "gra", "hu", "ka", "lo", "mi", "nor", "pex", "quo", "ri", "sol", "tan", "vel"];
    let word: String = (0..3).filter_map(|_| syllables.get(rng.usize(..syllables.len())).copied()).collect();
    let name = format!("{word}-{n}");
    let mut pick = |odds: u32| rng.u32(..100) < odds;
    Plan {
        namespaces: vec![format!("web-tenant-{name}")],
        app: if pick(25) { App::NodeRed } else { App::N8n },
        net: match (pick(6), pick(6), pick(6)) {
            (true, ..) => Net::Nothing,
            (_, true, _) => Net::EgressOnly,
            (.., true) => Net::AppOnly,
            _ => Net::Good,
        },
        quota: if pick(8) { Quota::MissingKeys } else { Quota::Roomy },
        limits: if pick(8) { Limits::Nothing } else { Limits::Walkthrough },
        secrets: if pick(8) { Secrets::DefaultAccount } else { Secrets::Good },
        security: if pick(60) { "baseline" } else { "restricted" },
        hostile: false,
        days: i64::from(rng.u32(3..500)),
        tag: "1.121.3",
        name,
    }
}
