//! The secret wall at fleet scale. `cargo bench --bench acl` prints medians; nothing is judged by them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a bench that can't go on says so by panicking")]

#[path = "acl_reach.rs"]
mod acl_reach;

use divan::{Bencher, black_box};
use partywall::vaultacl::dialect::Dialect;
use partywall::vaultacl::read;

/// A tenant's policy as people write them: its own data and metadata, a shared place, its token, and comments.
fn policy(number: usize) -> String {
    let tenant = format!("web-tenant-{number:04}");
    format!(
        r#"# Secrets of {tenant}: its own, and what everyone shares.
path "secret/data/{tenant}/*" {{
  capabilities = ["create", "read", "update", "delete"]
}}
path "secret/metadata/{tenant}/*" {{
  capabilities = ["read", "list", "delete"]
}}
path "secret/data/shared/{{{{identity.entity.aliases.auth_kubernetes_1a2b3c4d.metadata.service_account_namespace}}}}" {{
  capabilities = ["read"]
  allowed_parameters = {{
    "version" = []
  }}
}}
path "secret/data/+/private" {{ capabilities = ["deny"] }}
path "auth/token/renew-self" {{ policy = "write" }}
"#
    )
}

/// 1,500 policies of 700 bytes. Goal 30 ms.
#[divan::bench]
fn parse_1500_policies(bencher: Bencher<'_, '_>) {
    let texts: Vec<String> = (0..1500).map(policy).collect();
    bencher.bench_local(|| texts.iter().map(|text| read(black_box(text), Dialect::OpenBao26).unwrap().rules.len()).sum::<usize>());
}

/// One policy of 1 MiB.
#[divan::bench]
fn parse_a_policy_of_one_mib(bencher: Bencher<'_, '_>) {
    let mut text: String = (0..2000).map(policy).collect();
    text.truncate(text.char_indices().map(|(at, _)| at).take_while(|at| *at < 1 << 20).last().unwrap_or(0));
    let whole = text.rfind("}\n").map_or(0, |at| at + 2);
    text.truncate(whole);
    bencher.bench_local(|| read(black_box(&text), Dialect::OpenBao26).map(|policy| policy.rules.len()));
}

fn main() {
    acl_reach::memory();
    divan::main();
}
