//! Arguments of `vault-eval`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};

use super::Output;
use crate::vaultacl::capability::{OPERATIONS, Operation};
use crate::vaultacl::dialect::Dialect;

/// `vault-eval`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "A policy is named after its file. Templates stand for nobody: a block with one is left out, and the table says so.
With --cases every line is a case {\"policies\": [\"<text>\", ...], \"path\": \"...\", \"operation\": \"...\", \"data\": {...}?, \"wrap_ttl\": n?,
\"dialect\": \"...\"?}; the policy \"<root>\" is the one built in. One answer a line, in order; an error is an answer.
Exit codes: 0 whatever the verdict, 2 a policy that the server would refuse, or usage.")]
pub struct VaultEvalArgs {
    /// A policy in HCL or JSON, or - for standard input; may be given several times
    #[arg(long = "policy", value_name = "FILE", required_unless_present_any = ["builtin", "cases"])]
    pub policies: Vec<PathBuf>,
    /// A policy that is built in: root
    #[arg(long = "policy-name", value_name = "NAME", value_parser = ["root"])]
    pub builtin: Option<String>,
    /// The path asked for, without /v1/
    #[arg(long, value_name = "PATH", required_unless_present = "cases")]
    pub path: Option<String>,
    /// What is asked: read, list, update, create, delete, patch, scan, recover or help
    #[arg(long, value_name = "OPERATION", value_parser = operation, required_unless_present = "cases")]
    pub operation: Option<Operation>,
    /// The request's parameters, as a JSON object; for a read those of its query
    #[arg(long, value_name = "JSON", value_parser = data)]
    pub data: Option<Data>,
    /// Seconds of the response wrapping asked for
    #[arg(long, value_name = "SECONDS")]
    pub wrap_ttl: Option<u64>,
    /// Whose rules decide: any, vault-1.13, vault-1.15, vault-1.21, vault-2.0, openbao-2.5 or openbao-2.6
    #[arg(long, value_name = "DIALECT", default_value = "any", value_parser = crate::config::vault::dialect)]
    pub dialect: Dialect,
    /// Cases from a file, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["policies", "builtin", "path", "operation", "data", "wrap_ttl"])]
    pub cases: Option<PathBuf>,
    /// How to print
    #[arg(short = 'o', long, visible_alias = "output", value_enum, default_value = "table")]
    pub format: Output,
}

/// Parameters of a request.
pub type Data = Map<String, Value>;

fn operation(text: &str) -> Result<Operation, String> {
    Operation::parse(text).ok_or_else(|| format!("expected one of {}", OPERATIONS.map(|(word, _)| word).join(", ")))
}

fn data(text: &str) -> Result<Data, String> {
    serde_json::from_str(text).map_err(|error| format!("no JSON object: {error}"))
}
