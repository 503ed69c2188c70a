//! The table of checks.

use super::{CheckInfo, Severity, check, fixed, probed};
use crate::posture::wall::Wall;
use crate::probe::spec::ProbeId;

/// Every check of this release, by wall and number.
///
/// Severities are those of `spec/posture.md` 4, save two that it sets by more than is judged: SEC-12 says what the cluster's own controller
/// could do, which is the same for every tenant, and of SEC-24 only the mount's settings are seen (VLT-21, medium in `spec/vault.md` 8).
pub static CHECKS: [CheckInfo; 44] = [
    fixed(
        probed(
            check(
                "NET-01",
                Wall::Net,
                Severity::Critical,
                "egress denied by default",
                "No pod of this tenant, of today or of tomorrow, may open a connection that no rule allows.",
            ),
            ProbeId::Network,
        ),
        "FX-NET-BASE",
    ),
    fixed(
        probed(
            check(
                "NET-02",
                Wall::Net,
                Severity::Critical,
                "ingress denied by default",
                "No pod of this tenant, of today or of tomorrow, accepts a connection that no rule allows.",
            ),
            ProbeId::Network,
        ),
        "FX-NET-BASE",
    ),
    fixed(
        check(
            "NET-03",
            Wall::Net,
            Severity::Critical,
            "no path to another tenant",
            "No rule of this tenant lets a pod of its own, of today or of tomorrow, connect to a pod of another tenant.",
        ),
        "FX-NET-BASE",
    ),
    fixed(
        check(
            "NET-04",
            Wall::Net,
            Severity::Critical,
            "nothing accepted from another tenant",
            "No rule of this tenant lets a pod of its own, of today or of tomorrow, accept a connection from another tenant.",
        ),
        "FX-NET-BASE",
    ),
    check(
        "NET-05",
        Wall::Net,
        Severity::Medium,
        "DNS exception is exact",
        "DNS is allowed to the cluster's resolver and nowhere else, over UDP and TCP, and with it nothing else.",
    ),
    check("NET-06", Wall::Net, Severity::High, "DNS works over UDP and TCP", "Names resolve from the tenant's pods over both transports."),
    fixed(
        check(
            "NET-07",
            Wall::Net,
            Severity::Critical,
            "cloud metadata unreachable",
            "No rule lets a pod reach an address at which a cloud hands out credentials.",
        ),
        "FX-NET-BASE",
    ),
    fixed(
        check(
            "NET-08",
            Wall::Net,
            Severity::High,
            "private ranges unreachable",
            "No rule lets a pod reach a private range or the cluster's own addresses, save those granted by name.",
        ),
        "FX-NET-BASE",
    ),
    check(
        "NET-13",
        Wall::Net,
        Severity::Critical,
        "no host-network workloads",
        "No pod and no template of the tenant uses the node's network, where no policy applies.",
    ),
    check(
        "NET-14",
        Wall::Net,
        Severity::Critical,
        "tenant cannot weaken its wall",
        "The tenant may not write network policies, or a cluster-wide Deny bounds whatever it writes.",
    ),
    fixed(
        check(
            "NET-15",
            Wall::Net,
            Severity::High,
            "ingress only from the entry point",
            "Connections come from the tenant itself and declared entry points only, on ports of its Services.",
        ),
        "FX-NET-BASE",
    ),
    check("NET-17", Wall::Net, Severity::High, "IPv6 parity", "What is closed over IPv4 is closed over IPv6."),
    check(
        "NET-19",
        Wall::Net,
        Severity::High,
        "all address forms blocked",
        "No Service form, NodePort, external address, external name or hand-kept endpoint leads past the wall.",
    ),
    check(
        "NET-23",
        Wall::Net,
        Severity::Low,
        "no dangling policies",
        "Every policy selects somebody and speaks of somebody, and no two stand in the same place.",
    ),
    check(
        "NET-24",
        Wall::Net,
        Severity::High,
        "no misread exceptions",
        "What one rule excepts, no broader rule for the same pod takes back.",
    ),
    probed(
        check(
            "SEC-01",
            Wall::Sec,
            Severity::High,
            "own identity towards Vault",
            "The tenant reaches Vault as a ServiceAccount of its own, which opens its own path and nobody else's.",
        ),
        ProbeId::Vault,
    ),
    probed(
        check(
            "SEC-02",
            Wall::Sec,
            Severity::Critical,
            "Vault role bound to one ServiceAccount",
            "The tenant's Vault role admits exactly one ServiceAccount of exactly one namespace.",
        ),
        ProbeId::Vault,
    ),
    probed(
        check("SEC-03", Wall::Sec, Severity::Medium, "audience pinned", "The tenant's roles take only tokens that were made for Vault."),
        ProbeId::Vault,
    ),
    check(
        "SEC-04",
        Wall::Sec,
        Severity::Medium,
        "logins are bounded",
        "A login of the tenant ends within a day, and gets the policies it was meant to get.",
    ),
    probed(
        check(
            "SEC-05",
            Wall::Sec,
            Severity::Critical,
            "policies open only its own path",
            "What the policies of the tenant's own roles grant together opens no path of another tenant, and no way to more.",
        ),
        ProbeId::Vault,
    ),
    probed(
        check(
            "SEC-06",
            Wall::Sec,
            Severity::High,
            "no other grant widens it",
            "No other role, entity, group or default policy that a ServiceAccount of the tenant can get opens anything more.",
        ),
        ProbeId::Vault,
    ),
    probed(
        check(
            "SEC-07",
            Wall::Sec,
            Severity::High,
            "parent path not listable",
            "Nobody of the tenant can list what lies above its own places: the names of all tenants.",
        ),
        ProbeId::Vault,
    ),
    check(
        "SEC-08",
        Wall::Sec,
        Severity::Critical,
        "SecretStore uses the tenant's identity",
        "Every SecretStore of the tenant names its own ServiceAccount and role, over HTTPS.",
    ),
    check(
        "SEC-09",
        Wall::Sec,
        Severity::Critical,
        "no shared cluster-wide store",
        "No ClusterSecretStore that the tenant may use logs in as somebody whom other tenants log in as too.",
    ),
    check(
        "SEC-10",
        Wall::Sec,
        Severity::High,
        "asks for its own paths only",
        "Every path that an object of the tenant asks Vault for is the tenant's own.",
    ),
    check(
        "SEC-11",
        Wall::Sec,
        Severity::Medium,
        "secrets arrive and are fresh",
        "What the tenant keeps in Vault it can read, and what is kept in step with it arrives in time.",
    ),
    check(
        "SEC-12",
        Wall::Sec,
        Severity::Medium,
        "controller's reach bounded",
        "The controller that brings secrets may make tokens and read Secrets only where it must.",
    ),
    check(
        "SEC-13",
        Wall::Sec,
        Severity::Critical,
        "no Kubernetes Secrets of others",
        "Nobody of the tenant may read Kubernetes Secrets outside its own namespaces.",
    ),
    check(
        "SEC-15",
        Wall::Sec,
        Severity::High,
        "no long-lived tokens",
        "No Secret of the tenant holds a ServiceAccount's token that never ends.",
    ),
    check(
        "SEC-17",
        Wall::Sec,
        Severity::High,
        "Vault healthy and unsealed",
        "The secret store answers, is unsealed, and is the one we think it is.",
    ),
    check(
        "SEC-18",
        Wall::Sec,
        Severity::Low,
        "secrets are read only",
        "What runs in the tenant reads its secrets, and changes and destroys none.",
    ),
    check(
        "SEC-20",
        Wall::Sec,
        Severity::High,
        "encryption key of its own",
        "No other tenant's application takes its encryption key from the same place.",
    ),
    check(
        "SEC-21",
        Wall::Sec,
        Severity::High,
        "no private keys in workloads",
        "No workload of the tenant takes the private key of a certificate: TLS ends at the entry point.",
    ),
    check(
        "SEC-24",
        Wall::Sec,
        Severity::Medium,
        "auth mount trusts one cluster",
        "The auth mount checks whom it asks about tokens, and keeps no credential of the cluster.",
    ),
    probed(
        check(
            "RES-01",
            Wall::Res,
            Severity::High,
            "compute quota complete",
            "CPU, memory and pods of the namespace are capped, requests and limits alike.",
        ),
        ProbeId::Resource,
    ),
    fixed(
        probed(
            check(
                "RES-04",
                Wall::Res,
                Severity::High,
                "LimitRange with defaults and maximum",
                "No single container can ask for more than the maximum, and one that asks for nothing gets a sane default.",
            ),
            ProbeId::Resource,
        ),
        "FX-RES-LR",
    ),
    check(
        "RES-05",
        Wall::Res,
        Severity::Medium,
        "numbers are coherent",
        "Minimum, defaults, maximum and quota fit together, and the pod count can be reached.",
    ),
    check(
        "RES-07",
        Wall::Res,
        Severity::High,
        "quota pressure",
        "The tenant is not about to hit its quota, and nothing was refused lately.",
    ),
    check(
        "PLT-01",
        Wall::Plt,
        Severity::Critical,
        "CNI enforces policy",
        "Something that is known to enforce network policies runs on the Nodes and is not told to let everything through.",
    ),
    check("PLT-02", Wall::Plt, Severity::Critical, "CNI not in audit mode", "What policies refuse is dropped, not merely recorded."),
    check("PLT-09", Wall::Plt, Severity::High, "Vault available", "The store of secrets answers, is initialised and unsealed."),
    check(
        "PLT-10",
        Wall::Plt,
        Severity::High,
        "External Secrets healthy",
        "Every part of External Secrets has its pods, so that secrets arrive and are renewed.",
    ),
    check(
        "PLT-14",
        Wall::Plt,
        Severity::High,
        "tenant inventory is sound",
        "Every namespace belongs to exactly one tenant or to the cluster.",
    ),
    check("PLT-18", Wall::Plt, Severity::Info, "our own permissions", "We may look at everything these verdicts rest on."),
];
