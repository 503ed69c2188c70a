//! `partywall vault-eval`: what a set of policies allows. Needs no server.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde::Deserialize;

use super::{USAGE, complain, print, print_line, written};
use crate::cli::args::{Output, VaultEvalArgs};
use crate::model::ids::Name;
use crate::model::text::clean;
use crate::model::time::Time;
use crate::model::vault::PolicyFlags;
use crate::report::vault_eval;
use crate::vaultacl::acl::{Acl, Granted, Request};
use crate::vaultacl::capability::Operation;
use crate::vaultacl::dialect::Dialect;
use crate::vaultacl::policy::Policy;
use crate::vaultacl::{self, template::Identity};

/// The text that stands for the built-in root policy.
const ROOT: &str = "<root>";
/// Policies beyond this size are not read into memory; the reader itself stops earlier, with words.
const LARGEST_POLICY: u64 = 8 << 20;
/// Cases beyond this size are answered with an error.
const LARGEST_CASE: usize = 64 << 20;

/// A case of `--cases`.
#[derive(Deserialize)]
struct Case {
    policies: Vec<String>,
    path: String,
    operation: String,
    #[serde(default)]
    data: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(default)]
    wrap_ttl: Option<u64>,
    #[serde(default)]
    dialect: Option<String>,
}

/// Carries it out.
pub fn run(args: &VaultEvalArgs) -> Result<ExitCode> {
    match &args.cases {
        Some(cases) => batch(args, cases),
        None => single(args),
    }
}

fn single(args: &VaultEvalArgs) -> Result<ExitCode> {
    let (Some(path), Some(operation)) = (args.path.as_deref(), args.operation) else {
        return complain(&"--path and --operation are needed", USAGE);
    };
    let policies = match sources(args) {
        Ok(policies) => policies,
        Err(why) => return refuse(args, &why),
    };
    let acl = match acl(&policies, args.dialect, crate::live::now()) {
        Ok(acl) => acl,
        Err(why) => return refuse(args, &why),
    };
    let request = Request { operation, path, data: args.data.as_ref(), wrap_ttl: args.wrap_ttl };
    let decision = acl.decide(&request);
    match args.format {
        Output::Json => print_line(&vault_eval::json(&acl, &request, &decision))?,
        Output::Table => print(&vault_eval::table(&acl, &request, &decision))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn refuse(args: &VaultEvalArgs, why: &str) -> Result<ExitCode> {
    match args.format {
        Output::Json => {
            print_line(&vault_eval::error(why))?;
            Ok(ExitCode::from(USAGE))
        }
        Output::Table => complain(&why, USAGE),
    }
}

/// Policies by name, in the order given.
fn sources(args: &VaultEvalArgs) -> Result<Vec<(Name, String)>, String> {
    let mut found = Vec::with_capacity(args.policies.len());
    for path in &args.policies {
        let text = text(path).map_err(|error| format!("{}: {error}", path.display()))?;
        found.push((name(path), text));
    }
    if let Some(name) = &args.builtin {
        found.push((name.as_str().into(), ROOT.to_owned()));
    }
    Ok(found)
}

fn text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    open(path)?.take(LARGEST_POLICY).read_to_string(&mut text)?;
    Ok(text)
}

fn open(path: &Path) -> std::io::Result<Box<dyn Read>> {
    Ok(if path == Path::new("-") { Box::new(std::io::stdin().lock()) } else { Box::new(File::open(path)?) })
}

/// A policy is named after its file. None that somebody writes is ever called root.
fn name(path: &Path) -> Name {
    let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().to_lowercase();
    match part(path.file_stem()).as_str() {
        "-" => "stdin".into(),
        "root" => format!("{} (a file)", part(path.file_name())).into(),
        stem => stem.into(),
    }
}

/// The ACL of policies, or why no server would build it. Where there are several, the policy is named.
fn acl(policies: &[(Name, String)], dialect: Dialect, now: Time) -> Result<Acl, String> {
    let mut read: Vec<Policy> = Vec::with_capacity(policies.len());
    for (name, text) in policies {
        let several = if policies.len() > 1 { format!("policy {}: ", clean(name)) } else { String::new() };
        read.push(match text.as_str() {
            ROOT => Policy::default(),
            text => vaultacl::read(text, dialect).map_err(|why| format!("{several}{why}"))?,
        });
    }
    let granted: Vec<Granted<'_>> = policies
        .iter()
        .zip(&read)
        .map(|((name, _), policy)| Granted { name, policy, flags: PolicyFlags::default(), namespace: "" })
        .collect();
    let acl = Acl::new(&granted, &Identity::default(), dialect, now);
    match acl.broken() {
        Some(why) => Err(why.to_owned()),
        None => Ok(acl),
    }
}

fn batch(args: &VaultEvalArgs, cases: &Path) -> Result<ExitCode> {
    let mut input = match open(cases) {
        Ok(input) => BufReader::with_capacity(1 << 16, input),
        Err(error) => return refuse(args, &format!("{}: {error}", cases.display())),
    };
    let now = crate::live::now();
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let mut line = Vec::new();
    loop {
        // whoever asks one by one waits for the answer
        if input.buffer().is_empty()
            && let Err(error) = out.flush()
        {
            return written(Err(error)).map(|()| ExitCode::SUCCESS);
        }
        line.clear();
        let whole = match next(&mut input, &mut line) {
            Ok(None) => break,
            Ok(Some(whole)) => whole,
            Err(error) => return refuse(args, &format!("{}: {error}", cases.display())),
        };
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = if whole { answer(args, &line, now) } else { Err(format!("a case of more than {} MiB", LARGEST_CASE >> 20)) };
        let answer = answer.unwrap_or_else(|why| match args.format {
            Output::Json => json_line(&vault_eval::error(&why)),
            Output::Table => format!("ERROR    {}\n", clean(&why)),
        });
        if let Err(error) = out.write_all(answer.as_bytes()) {
            return written(Err(error)).map(|()| ExitCode::SUCCESS);
        }
    }
    written(out.flush()).map(|()| ExitCode::SUCCESS)
}

/// The next line; none at the end. False where it is too long, and then it is only skipped.
fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<Option<bool>> {
    let (mut some, mut whole) = (false, true);
    loop {
        let ready = input.fill_buf()?;
        if ready.is_empty() {
            return Ok(some.then_some(whole));
        }
        some = true;
        let end = ready.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(ready.len(), |end| end + 1);
        whole &= line.len() + taken <= LARGEST_CASE;
        if whole {
            line.extend(ready.iter().take(taken));
        }
        input.consume(taken);
        if end.is_some() {
            return Ok(Some(whole));
        }
    }
}

fn answer(args: &VaultEvalArgs, line: &[u8], now: Time) -> Result<String, String> {
    let case: Case = serde_json::from_slice(line).map_err(|error| format!("not a case: {error}"))?;
    let operation = Operation::parse(&case.operation).ok_or_else(|| format!("no such operation: {}", clean(&case.operation)))?;
    let dialect = match &case.dialect {
        Some(word) => Dialect::parse(word).ok_or_else(|| format!("no such dialect: {}", clean(word)))?,
        None => args.dialect,
    };
    let named = |(at, text): (usize, String)| {
        let name = if text == ROOT { Name::from("root") } else { format!("policy-{}", at + 1).into() };
        (name, text)
    };
    let policies: Vec<(Name, String)> = case.policies.into_iter().enumerate().map(named).collect();
    let acl = acl(&policies, dialect, now)?;
    let request = Request { operation, path: &case.path, data: case.data.as_ref(), wrap_ttl: case.wrap_ttl };
    let decision = acl.decide(&request);
    Ok(match args.format {
        Output::Json => json_line(&vault_eval::json(&acl, &request, &decision)),
        Output::Table => vault_eval::line(&acl, &request, &decision),
    })
}

fn json_line(value: &serde_json::Value) -> String {
    crate::model::text::escape_json(&value.to_string()) + "\n"
}
