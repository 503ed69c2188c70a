//! `partywall check`: all findings, of the live cluster or of manifests.

use std::process::ExitCode;
use std::sync::Arc;

use color_eyre::eyre::Result;

use super::start::engine_config;
use super::{BLIND, FOUND, USAGE, complain, manifests, print, print_json, settled, sources};
use crate::app::msg::View;
use crate::cli::args::{CheckArgs, CheckOutput};
use crate::config::Config;
use crate::manifests::Reading;
use crate::model::kind::Kind;
use crate::model::source::SourceState;
use crate::posture::engine::from_scratch;
use crate::posture::finding::Subject;
use crate::posture::sight::{Source, VAULT_SOURCES};
use crate::receipt::book::Book;
use crate::report;

/// Of the cluster.
pub async fn live(config: &Config, args: &CheckArgs) -> Result<ExitCode> {
    let Some(live) = settled(config, args.timeout).await? else { return Ok(ExitCode::from(BLIND)) };
    let view = live.views.borrow().clone();
    told(&view, args, sources::anything_unseen(&view), &|_| None)
}

/// Of manifests. What they can't show is unknown, and no fault of theirs.
pub fn files(config: &Config, args: &CheckArgs) -> Result<ExitCode> {
    let Some(reading) = manifests::read(&args.from)? else { return Ok(ExitCode::from(BLIND)) };
    let mut assessment = from_scratch(&engine_config(config), &reading.snapshot, &Book::default(), crate::live::now());
    let dumped = reading.snapshot.vault.configured;
    for unknown in &mut assessment.unknowns {
        let source = unknown.source.as_str();
        if dumped && VAULT_SOURCES.iter().any(|vault| vault.name() == source) {
            if unknown.why == SourceState::Off.word() {
                "not among the files".clone_into(&mut unknown.why);
            }
        } else if [Source::Vault.name(), Kind::Event.as_str(), Kind::TokenSecret.as_str(), Kind::TlsSecret.as_str()].contains(&source) {
            "manifests do not show it".clone_into(&mut unknown.why);
        }
    }
    let lost = reading.lost();
    let view = View { snapshot: reading.snapshot.clone(), assessment: Arc::new(assessment), book: Arc::default() };
    told(&view, args, lost, &|subject| locate(&reading, subject))
}

/// Where the object of a finding stands.
fn locate(reading: &Reading, subject: &Subject) -> Option<(String, usize)> {
    let kind = subject.kind.split('.').next().unwrap_or_default();
    let key = (kind.to_owned(), subject.namespace.clone(), subject.name.clone());
    reading.origins.get(&key).map(|origin| (origin.file.to_string(), origin.line))
}

fn told(view: &View, args: &CheckArgs, unseen: bool, locate: report::sarif::Locate<'_>) -> Result<ExitCode> {
    if let Some(stranger) = args.tenants.iter().find(|name| !view.assessment.by_tenant.contains_key(name.as_str())) {
        return complain(&sources::no_such_tenant(view, stranger), USAGE);
    }
    let (assessment, simulated, only) = (&view.assessment, view.snapshot.server.simulated, args.tenants.as_slice());
    match args.output {
        CheckOutput::Json => print_json(&report::check::json(assessment, simulated, only))?,
        CheckOutput::Table => print(&report::check::table(assessment, only))?,
        CheckOutput::Markdown => print(&report::markdown::report(assessment, simulated, only))?,
        CheckOutput::Sarif => print_json(&report::sarif::report(assessment, simulated, only, locate))?,
        CheckOutput::Junit => print(&report::junit::report(assessment, simulated, only))?,
    }
    Ok(if report::check::fails(assessment, only, args.fail_on) {
        ExitCode::from(FOUND)
    } else if unseen {
        // nothing found where nothing could be seen is not fine
        ExitCode::from(BLIND)
    } else {
        ExitCode::SUCCESS
    })
}
