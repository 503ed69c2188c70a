//! Arguments, as clap reads them. Every flag is also a `PARTYWALL_*` variable; the field's own variables are honoured beside them.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::fix::guard::Mode;
use crate::netpol::profile::{PROFILES, Profile};
use crate::posture::catalogue::Severity;
use crate::posture::wall::Wall;
use crate::report::check::FailOn;
use crate::vaultacl::dialect::Dialect;

mod vault;

pub use vault::VaultEvalArgs;

/// Shows, for every tenant of a shared Kubernetes cluster, whether its walls stand, and proves it by trying to cross them.
#[derive(Debug, Parser)]
#[command(
    name = "partywall",
    version,
    about,
    max_term_width = 100,
    after_help = "Without a command: the dashboard on the current context.\nExit codes: 0 fine, 1 findings, 2 usage, 3 could not look."
)]
pub struct Cli {
    /// Settings of every command.
    #[command(flatten)]
    pub common: CommonArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Settings of every command.
#[derive(Clone, Debug, Default, Args)]
pub struct CommonArgs {
    /// Kubeconfig file (default: KUBECONFIG, then ~/.kube/config, then the pod's own account)
    #[arg(long, global = true, env = "PARTYWALL_KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, global = true, env = "PARTYWALL_CONTEXT", value_name = "NAME")]
    pub context: Option<String>,
    /// What this run may do: observe reads, probe also tries the walls, fix also writes
    #[arg(long, global = true, env = "PARTYWALL_MODE", value_name = "MODE", value_parser = parse_mode)]
    pub mode: Option<Mode>,
    /// Theme: dark, light, ansi16, mono, or a TOML file
    #[arg(long, global = true, env = "PARTYWALL_THEME", value_name = "NAME")]
    pub theme: Option<String>,
    /// Only ASCII characters
    #[arg(long, global = true, env = "PARTYWALL_ASCII")]
    pub ascii: bool,
    /// Show aliases instead of names
    #[arg(long, global = true, env = "PARTYWALL_REDACT")]
    pub redact: bool,
    /// Vault or OpenBao address, without a path
    #[arg(long, global = true, env = "VAULT_ADDR", value_name = "URL")]
    pub vault_addr: Option<String>,
    /// Vault namespace
    #[arg(long, global = true, env = "VAULT_NAMESPACE", value_name = "NAME")]
    pub vault_namespace: Option<String>,
    /// CA of Vault, in PEM
    #[arg(long, global = true, env = "VAULT_CACERT", value_name = "FILE")]
    pub vault_ca_cert: Option<PathBuf>,
    /// File with the Vault token (default: VAULT_TOKEN, then ~/.vault-token)
    #[arg(long, global = true, env = "PARTYWALL_VAULT_TOKEN_FILE", value_name = "FILE")]
    pub vault_token_file: Option<PathBuf>,
    /// Seconds between polls of Vault
    #[arg(long, global = true, env = "PARTYWALL_VAULT_POLL", value_name = "SECONDS")]
    pub vault_poll: Option<u64>,
    /// Whose rules decide about Vault policies (default: those of the server): any, vault-1.13, vault-1.15, vault-1.21, vault-2.0,
    /// openbao-2.5 or openbao-2.6
    #[arg(long, global = true, env = "PARTYWALL_VAULT_DIALECT", value_name = "DIALECT", value_parser = crate::config::vault::dialect)]
    pub vault_dialect: Option<Dialect>,
    /// Where tenants keep their secrets, as mount/path with {namespace} or {tenant}; several with commas (default: what bears their name)
    #[arg(long, global = true, env = "PARTYWALL_VAULT_ROOTS", value_name = "PATH", value_delimiter = ',', value_parser = crate::config::vault::root)]
    pub vault_roots: Vec<String>,
    /// What all tenants may read, as mount/path, with * at its end for everything that begins so; several with commas
    #[arg(long, global = true, env = "PARTYWALL_VAULT_SHARED", value_name = "PATH", value_delimiter = ',', value_parser = crate::config::vault::shared)]
    pub vault_shared: Vec<String>,
    /// Also ask for the metadata of Secrets that hold ServiceAccount tokens or TLS keys, never for a value. The permission it needs, to
    /// list Secrets, is one to read values
    #[arg(long, global = true, env = "PARTYWALL_SECRET_METADATA")]
    pub secret_metadata: bool,
    /// How network policies are read where the API leaves it open: spec, cilium or np-guard
    #[arg(long, global = true, env = "PARTYWALL_NETWORK_PROFILE", value_name = "PROFILE", value_parser = profile_parser())]
    pub network_profile: Option<Profile>,
    /// Objects a page of a list
    #[arg(long, global = true, env = "PARTYWALL_PAGE_SIZE", value_name = "N")]
    pub page_size: Option<u32>,
    /// Configuration file
    #[arg(long, global = true, env = "PARTYWALL_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder for receipts, logs and saved screens
    #[arg(long, global = true, env = "PARTYWALL_STATE_DIR", value_name = "FOLDER")]
    pub state_dir: Option<PathBuf>,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// The dashboard over a simulated fleet; nothing else is needed
    Demo(DemoArgs),
    /// One line a tenant, once
    Status(StatusArgs),
    /// All findings, of the cluster or of manifests
    Check(CheckArgs),
    /// Who can reach whom, of the cluster or of manifests
    Reach(ReachArgs),
    /// What a set of Vault policies allows, and which rule says so
    VaultEval(VaultEvalArgs),
    /// Run probes and print their receipts
    Probe(ProbeArgs),
    /// The ledger of receipts
    Receipts(ReceiptsArgs),
    /// Print the plan and diff of a fix, or apply it
    Fix(FixArgs),
    /// What we may and can see, and which view each missing permission costs
    Doctor(DoctorArgs),
    /// Render scenes to SVG and text
    Screenshot(ScreenshotArgs),
    /// Shell completions
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// The manual page
    Man,
}

/// `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Serve until stopped, and print what to export, so that kubectl and a Vault client can talk to it
    #[arg(long)]
    pub serve: bool,
    /// Tenants
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(2..=5000))]
    pub tenants: u32,
    /// Seed of the scenario
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Nothing changes by itself
    #[arg(long)]
    pub still: bool,
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// `status`.
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// How to print
    #[arg(short, long, value_enum, default_value = "table")]
    pub output: Output,
    /// Give up after so many seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub timeout: u64,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckOutput {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For a merge request.
    Markdown,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for test reports.
    Junit,
}

/// How connections are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReachFormat {
    /// For people: one line a pair.
    Table,
    /// For programs: schema partywall.reach/v1.
    Json,
    /// For graphviz.
    Dot,
}

/// Where manifests are.
#[derive(Clone, Debug, Default, Args)]
pub struct FilesArgs {
    /// Look at manifests instead of the cluster: a file, a folder (.yaml, .yml, .json and .hcl in it, recursively, hidden ones passed over) or -
    /// for standard input; may be given several times. Of an object that stands twice the later counts. What can't be read is told on stderr
    /// and left out
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    pub files: Vec<PathBuf>,
}

/// `reach`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exit codes: 0 fine (also where some documents could not be read: stderr names them), 2 usage, 3 could not look, or nothing could be read."
)]
pub struct ReachArgs {
    /// Manifests.
    #[command(flatten)]
    pub from: FilesArgs,
    /// How to read what the API leaves open: as its text and tests say, as Cilium does, or as the analyser np-guard does (default: the
    /// configured one, else spec)
    #[arg(long, value_parser = profile_parser())]
    pub profile: Option<Profile>,
    /// How to print
    #[arg(short = 'o', long, visible_alias = "output", value_enum, default_value = "table")]
    pub format: ReachFormat,
    /// Also say why: for every pair its ports by reason, and the policies of either side
    #[arg(long)]
    pub explain: bool,
    /// Give up looking at the cluster after so many seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub timeout: u64,
}

/// `check`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exit codes: 0 fine, 1 findings, 2 usage, 3 could not look: a source was not seen, or with -f a document could not be read (stderr names it).
With -f, what files can't show (what happened, and Vault without a dump) is UNKNOWN and makes no exit code.
A Vault dump among the files: policies as NAME.hcl or as JSON, and what `vault read`, `vault list`, `vault auth list`, `vault secrets list` and
`vault status` print with -format=json, told apart by their content. A policy is called what its answer says, else as its file; a role or config
belongs to the mount of its path (auth/MOUNT/role/NAME.json), else to kubernetes; lists of names say what they list by theirs
(sys/policies/acl.json, auth/MOUNT/role.json, identity/entity/id.json, identity/group/id.json, sys/namespaces.json). Answers that hold secrets
are passed over unread."
)]
pub struct CheckArgs {
    /// Manifests.
    #[command(flatten)]
    pub from: FilesArgs,
    /// Only these tenants
    #[arg(long = "tenant", value_name = "NAME")]
    pub tenants: Vec<String>,
    /// How to print
    #[arg(short, long, value_enum, default_value = "table")]
    pub output: CheckOutput,
    /// Exit with 1 from this severity on: critical, high, medium, low, info or never
    #[arg(long, default_value = "high", value_parser = parse_fail_on)]
    pub fail_on: FailOn,
    /// Give up after so many seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub timeout: u64,
}

/// `probe`.
#[derive(Clone, Debug, Args)]
pub struct ProbeArgs {
    /// Only these tenants (default: all)
    #[arg(long = "tenant", value_name = "NAME")]
    pub tenants: Vec<String>,
    /// Only these walls: net, sec, res
    #[arg(long = "wall", value_name = "WALL", value_parser = parse_wall)]
    pub walls: Vec<Wall>,
    /// How to print
    #[arg(short, long, value_enum, default_value = "table")]
    pub output: Output,
    /// Give up looking after so many seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub timeout: u64,
}

/// `receipts`.
#[derive(Clone, Debug, Args)]
pub struct ReceiptsArgs {
    /// What to do with the ledger
    #[command(subcommand)]
    pub command: Option<ReceiptsCommand>,
    /// How to print
    #[arg(short, long, value_enum, default_value = "table", global = true)]
    pub output: Output,
}

/// What to do with the ledger.
#[derive(Clone, Debug, Subcommand)]
pub enum ReceiptsCommand {
    /// All receipts, newest first
    List,
    /// One receipt, whole
    Show {
        /// Its id, or the beginning of it
        id: String,
    },
    /// Check the chain
    Verify,
}

/// `fix`.
#[derive(Clone, Debug, Args)]
pub struct FixArgs {
    /// The check to answer, such as NET-01
    pub check: String,
    /// The tenant
    #[arg(long)]
    pub tenant: String,
    /// Apply it: needs --mode fix, and asks for the tenant's name
    #[arg(long)]
    pub apply: bool,
    /// Give up looking after so many seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub timeout: u64,
}

/// `doctor`.
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// How to print
    #[arg(short, long, value_enum, default_value = "table")]
    pub output: Output,
    /// Give up after so many seconds
    #[arg(long, default_value_t = 15, value_name = "SECONDS")]
    pub timeout: u64,
    /// Print nothing but the policy that our Vault token needs, ready for `vault policy write NAME -`
    #[arg(long, conflicts_with = "output")]
    pub vault_policy: bool,
}

/// `screenshot`.
#[derive(Clone, Debug, Args)]
pub struct ScreenshotArgs {
    /// One scene
    #[arg(long, conflicts_with = "all")]
    pub scene: Option<String>,
    /// All scenes
    #[arg(long)]
    pub all: bool,
    /// Folder to write to
    #[arg(long, default_value = "screenshots")]
    pub out: PathBuf,
}

fn profile_parser() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(PROFILES.map(Profile::word)).try_map(|word| Profile::named(&word).ok_or("no such profile"))
}

fn parse_mode(text: &str) -> Result<Mode, String> {
    Mode::parse(text).ok_or_else(|| "expected observe, probe or fix".to_owned())
}

fn parse_wall(text: &str) -> Result<Wall, String> {
    Wall::parse(text).ok_or_else(|| "expected net, sec, res, idn, run, exp or app".to_owned())
}

fn parse_fail_on(text: &str) -> Result<FailOn, String> {
    if text == "never" {
        return Ok(FailOn::Never);
    }
    Severity::parse(text).map(FailOn::At).ok_or_else(|| "expected critical, high, medium, low, info or never".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_flag_may_stand_after_the_command() {
        let cli = Cli::try_parse_from(["partywall", "status", "--context", "prod", "-o", "json"]).unwrap();
        assert_eq!(cli.common.context.as_deref(), Some("prod"));
    }

    #[test]
    fn an_unknown_mode_is_refused() {
        assert!(Cli::try_parse_from(["partywall", "--mode", "write"]).is_err());
    }
}
