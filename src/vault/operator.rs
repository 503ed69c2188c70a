//! The policy that an operator's token needs: nothing of it reads a secret or changes anything but the token itself
//! (`spec/vault.md` 2.2). One table says what is asked for, what is printed to install, and what each missing line costs.

use crate::model::text::clean;

/// Whether a line must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Something is UNKNOWN without it.
    Always,
    /// Only OpenBao knows the path; without the line its policies are read one by one.
    OpenBao,
    /// Nothing that is shown today needs it.
    Optional,
}

/// How a line is tried where the server does not tell what our token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// GET of the path.
    Read,
    /// LIST of the path.
    List,
    /// POST of an empty object, which the server refuses for what is missing in it after it asked the ACL.
    EmptyPost,
    /// Trying would do it.
    None,
}

/// One line of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The path, as a policy has it; `{mount}` stands for a Kubernetes auth mount.
    pub path: &'static str,
    /// What is to be allowed there; the first is the one that is needed.
    pub capabilities: &'static [&'static str],
    /// Whether it must be there.
    pub need: Need,
    /// How to try it.
    pub trial: Trial,
    /// What is lost without it: views and checks.
    pub costs: &'static str,
}

const fn line(path: &'static str, capabilities: &'static [&'static str], need: Need, trial: Trial, costs: &'static str) -> Line {
    Line { path, capabilities, need, trial, costs }
}

const READ: &[&str] = &["read"];
const LIST: &[&str] = &["list"];
const BOTH: &[&str] = &["read", "list"];
const UPDATE: &[&str] = &["update"];
const ROLES: &str = "the whole secret wall: no role is seen (SEC-01 to SEC-07, SEC-18, SEC-24, the Vault probe)";
const POLICIES: &str = "what policies allow: SEC-05 to SEC-07, SEC-18, the Vault view";
const ENTITIES: &str = "policies that come with an identity: SEC-06 is only as far as seen, templates on the entity stay open";
const GROUPS: &str = "policies that come with a group: SEC-06 is only as far as seen, templates on groups stay open";
const NOTHING: &str = "nothing that is shown today";

/// The lines, in the order in which they are printed.
pub const LINES: [Line; 20] = [
    line("sys/auth", READ, Need::Always, Trial::Read, ROLES),
    line("sys/mounts", READ, Need::Always, Trial::Read, "which paths hold secrets, and whether KV is v1 or v2: SEC-05 to SEC-07, SEC-18"),
    line("auth/{mount}/config", READ, Need::Always, Trial::Read, "SEC-24 and how logins are checked (VLT-14, VLT-21)"),
    line("auth/{mount}/role", LIST, Need::Always, Trial::List, ROLES),
    line("auth/{mount}/role/*", BOTH, Need::Always, Trial::Read, ROLES),
    line("sys/policies/acl", LIST, Need::Always, Trial::List, POLICIES),
    line("sys/policies/acl/*", BOTH, Need::Always, Trial::Read, POLICIES),
    line("sys/policies/detailed/acl", LIST, Need::OpenBao, Trial::List, "one request for each policy instead of one for all"),
    line("identity/entity/id", LIST, Need::Always, Trial::List, ENTITIES),
    line("identity/entity/id/*", BOTH, Need::Always, Trial::Read, ENTITIES),
    line("identity/entity-alias/id", LIST, Need::Optional, Trial::List, NOTHING),
    line("identity/entity-alias/id/*", BOTH, Need::Optional, Trial::Read, NOTHING),
    line("identity/group/id", LIST, Need::Always, Trial::List, GROUPS),
    line("identity/group/id/*", BOTH, Need::Always, Trial::Read, GROUPS),
    line("identity/lookup/entity", UPDATE, Need::Optional, Trial::EmptyPost, NOTHING),
    line("sys/namespaces", LIST, Need::Always, Trial::List, "whether there are Vault namespaces that are not looked into"),
    line("sys/capabilities-accessor", UPDATE, Need::Optional, Trial::EmptyPost, NOTHING),
    line("auth/token/lookup-self", READ, Need::Always, Trial::Read, "when the token ends is not known, and it is not renewed"),
    line("auth/token/renew-self", UPDATE, Need::Always, Trial::None, "the token is not renewed: all of Vault turns UNKNOWN when it ends"),
    line("auth/token/revoke-self", UPDATE, Need::Optional, Trial::None, "the token can't be given back early"),
];

/// A line for one server: with its mount filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The path, as a policy has it.
    pub path: String,
    /// The row of the table.
    pub line: &'static Line,
}

impl Wanted {
    /// The line as a policy has it.
    pub fn hcl(&self) -> String {
        hcl(&self.path, self.line.capabilities)
    }

    /// The path of a request that this line decides: what would be asked for, with a name that is none where it is open.
    pub fn sample(&self) -> String {
        match self.path.strip_suffix('*') {
            Some(stem) => format!("{stem}partywall-doctor"),
            None => self.path.clone(),
        }
    }

    /// The path about which the server is asked what may be done there. A LIST is decided with a slash behind its path.
    pub fn asked(&self) -> String {
        let slash = if self.line.capabilities == LIST { "/" } else { "" };
        format!("{}{slash}", self.sample())
    }
}

fn hcl(path: &str, capabilities: &[&str]) -> String {
    let list: Vec<String> = capabilities.iter().map(|capability| format!("\"{capability}\"")).collect();
    format!("path \"{path}\" {{ capabilities = [{}] }}", list.join(", "))
}

/// All lines, with those on a mount once for each of `mounts` (paths without slashes at their ends). A mount whose name could mean
/// something else in a policy is left out: [`odd`] names those.
pub fn wanted<'a>(mounts: impl IntoIterator<Item = &'a str>) -> Vec<Wanted> {
    let mounts: Vec<&str> = mounts.into_iter().filter(|mount| plain(mount)).collect();
    let filled = |line: &'static Line, mount: &str| Wanted { path: line.path.replace("{mount}", mount), line };
    // the lines of a mount stay together
    let of_mounts = mounts
        .iter()
        .flat_map(|mount| LINES.iter().filter(|line| line.path.contains("{mount}")).map(move |line| filled(line, mount)))
        .collect::<Vec<_>>();
    let mut of_mounts = Some(of_mounts);
    let mut all = Vec::new();
    for line in &LINES {
        if line.path.contains("{mount}") {
            all.extend(of_mounts.take().into_iter().flatten());
        } else {
            all.push(filled(line, ""));
        }
    }
    all
}

/// Whether a mount's name means only itself in a policy.
fn plain(mount: &str) -> bool {
    !mount.is_empty() && mount.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))
}

/// The mounts that [`wanted`] leaves out, cleaned.
pub fn odd<'a>(mounts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    mounts.into_iter().filter(|mount| !plain(mount)).map(clean).collect()
}

/// The whole policy, ready for `vault policy write NAME -`.
pub fn policy<'a>(mounts: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let lines = wanted(mounts.clone());
    let width = lines.iter().map(|wanted| wanted.path.len()).max().unwrap_or(0);
    let head = "# what partywall needs to see: reads no secret and changes nothing but its own token\n".to_owned();
    let left_out = odd(mounts)
        .into_iter()
        .map(|name| format!("# the mount {name} has a name that can't stand in a policy as it is: its lines are yours to write\n"));
    let written = lines.iter().map(|wanted| {
        let list: Vec<String> = wanted.line.capabilities.iter().map(|capability| format!("\"{capability}\"")).collect();
        let pad = " ".repeat(width - wanted.path.len());
        let remark = match wanted.line.need {
            Need::Always => "",
            Need::OpenBao => "  # OpenBao only: saves one read a policy",
            Need::Optional => "  # optional",
        };
        format!("path \"{}\"{pad} {{ capabilities = [{}] }}{remark}\n", wanted.path, list.join(", "))
    });
    std::iter::once(head).chain(left_out).chain(written).collect()
}

/// The line that a request lacks which was denied, as a policy has it: the row of the table, or the path itself where no row has it.
/// `path` is the path of the request, `capability` what it needed.
pub fn missing(path: &str, capability: &str) -> String {
    LINES.iter().find_map(|line| covers(line, path, capability)).unwrap_or_else(|| hcl(path, &[capability]))
}

/// The row with its mount filled in, if it decides this request.
fn covers(line: &Line, path: &str, capability: &str) -> Option<String> {
    if !line.capabilities.contains(&capability) {
        return None;
    }
    let (head, tail) = line.path.split_once("{mount}").unwrap_or(("", line.path));
    let rest = path.strip_prefix(head)?;
    let stem = tail.strip_suffix('*');
    let mount = match (stem, line.path.contains("{mount}")) {
        (Some(stem), true) => rest.split_once(stem)?.0,
        (None, true) => rest.strip_suffix(tail)?,
        (Some(stem), false) => return rest.starts_with(stem).then(|| hcl(line.path, line.capabilities)),
        (None, false) => return (rest == tail).then(|| hcl(line.path, line.capabilities)),
    };
    (!mount.is_empty()).then(|| hcl(&format!("{head}{mount}{tail}"), line.capabilities))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_line_is_the_one_to_install() {
        for (path, capability, expected) in [
            ("sys/auth", "read", r#"path "sys/auth" { capabilities = ["read"] }"#),
            ("auth/team/a/role", "list", r#"path "auth/team/a/role" { capabilities = ["list"] }"#),
            ("auth/kubernetes/role/x", "read", r#"path "auth/kubernetes/role/*" { capabilities = ["read", "list"] }"#),
            ("auth/k/config", "read", r#"path "auth/k/config" { capabilities = ["read"] }"#),
            ("sys/policies/acl/x", "read", r#"path "sys/policies/acl/*" { capabilities = ["read", "list"] }"#),
            ("identity/group/id/1-2", "read", r#"path "identity/group/id/*" { capabilities = ["read", "list"] }"#),
            ("auth/token/lookup-self", "read", r#"path "auth/token/lookup-self" { capabilities = ["read"] }"#),
            ("sys/other", "read", r#"path "sys/other" { capabilities = ["read"] }"#),
        ] {
            assert_eq!(missing(path, capability), expected);
        }
    }

    #[test]
    fn every_mount_has_its_lines_and_an_odd_name_can_not_write_a_policy() {
        let evil = "x\" { capabilities = [\"sudo\"] }\npath \"*";
        let text = policy(["kubernetes", "prod/k8s", evil, "a+b", "every*"]);
        for line in [
            "path \"auth/kubernetes/role/*\"     { capabilities = [\"read\", \"list\"] }",
            "path \"auth/prod/k8s/config\"       { capabilities = [\"read\"] }",
            "path \"sys/policies/detailed/acl\"  { capabilities = [\"list\"] }  # OpenBao only",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        let named: Vec<&str> = text.lines().filter(|line| line.contains("sudo")).collect();
        assert!(matches!(named.as_slice(), [line] if line.starts_with('#')), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("path ")).count(), 17 + 2 * 3);
        assert!(!text.contains("auth/a+b") && !text.contains("auth/every*"), "{text}");
    }

    #[test]
    fn the_test_beds_operator_has_exactly_this_policy() {
        let lines = |text: &str| {
            let bare = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ").split(" #").next().unwrap_or_default().to_owned();
            text.lines().filter(|line| line.starts_with("path ")).map(bare).collect::<Vec<_>>()
        };
        let bed = lines(include_str!("../../tests/testbed/manifests/operator.hcl"));
        assert_eq!(lines(&policy(["kubernetes"])), bed);
        assert_eq!(bed.len(), LINES.len());
    }

    #[test]
    fn a_list_is_asked_about_with_its_slash() {
        let all = wanted(["kubernetes"]);
        let asked = |path: &str| all.iter().find(|wanted| wanted.path == path).map(Wanted::asked);
        assert_eq!(asked("auth/kubernetes/role").as_deref(), Some("auth/kubernetes/role/"));
        assert_eq!(asked("auth/kubernetes/role/*").as_deref(), Some("auth/kubernetes/role/partywall-doctor"));
        assert_eq!(asked("sys/auth").as_deref(), Some("sys/auth"));
    }
}
