//! `partywall fix`: prints a plan and its diff; applies it only in fix mode, after the tenant's name was typed.

use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use color_eyre::eyre::Result;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{BLIND, FOUND, USAGE, complain, print, settled, sources};
use crate::cli::args::FixArgs;
use crate::config::Config;
use crate::fix::diff;
use crate::fix::guard::{Mode, WritePermit};
use crate::fix::plan::FixPlan;
use crate::live::work::Worker;
use crate::model::text::clean;
use crate::posture::catalogue;
use crate::posture::verdict::Tried;
use crate::receipt::judge::judge;

/// Plans, and applies if asked.
pub async fn run(config: &Config, args: &FixArgs) -> Result<ExitCode> {
    let id = args.check.to_ascii_uppercase();
    let Some(check) = catalogue::find(&id) else {
        let known: Vec<_> = catalogue::CHECKS.iter().filter(|c| c.fix.is_some()).map(|c| c.id).collect();
        return complain(&format!("no check {}; fixes exist for {}", clean(&args.check), known.join(", ")), USAGE);
    };
    if args.apply && config.mode != Mode::Fix {
        return complain(&format!("this is {} mode: add --mode fix to apply", config.mode.word()), USAGE);
    }
    let Some(mut live) = settled(config, args.timeout).await? else { return Ok(ExitCode::from(BLIND)) };
    let view = live.views.borrow().clone();
    let Some((tenant, _)) = view.assessment.by_tenant.get_key_value(args.tenant.as_str()) else {
        return complain(&sources::no_such_tenant(&view, &args.tenant), USAGE);
    };
    let (out, _news) = mpsc::unbounded_channel();
    let worker = Worker::new(&live, config.mode, out);
    let plan = match worker.plan(tenant, check.id).await {
        Ok(plan) => plan,
        Err(why) => return complain(&why, FOUND),
    };
    print(&plan_text(&plan))?;
    if !args.apply {
        return Ok(ExitCode::SUCCESS);
    }
    if !plan.applicable() {
        return complain(&"the plan can't be applied as it is: see above", FOUND);
    }
    let permit = match confirmed(&plan, config.mode)? {
        Ok(permit) => permit,
        Err(why) => return complain(&why, USAGE),
    };
    match worker.apply(plan, permit).await {
        Ok(applied) => print(&format!("{}\n", crate::live::work::summary(&applied)))?,
        Err(why) => return complain(&why, FOUND),
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let (mut crossed, mut blind) = (false, false);
    for probe in Worker::probes_of(check.id) {
        match worker.probe(tenant, probe, CancellationToken::new()).await {
            Ok(receipt) => {
                print(&crate::report::receipt::text(&receipt, None))?;
                let shows = |what: Tried| receipt.crossings.iter().any(|crossing| judge(&receipt, crossing).tried() == what);
                (crossed, blind) = (crossed || shows(Tried::Crossed), blind || shows(Tried::Vacuous));
                if !live.kept(receipt.clone()).await {
                    complain(&"the receipt may not have been written to the ledger", 0)?;
                }
            }
            Err(why) => {
                blind = true;
                complain(&format!("{}: {why}", probe.id()), 0)?;
            }
        }
    }
    for text in live.said() {
        complain(&text, 0)?;
    }
    // applied it is; but whether the wall now holds is what was asked
    Ok(match (crossed, blind) {
        (true, _) => ExitCode::from(FOUND),
        (false, true) => ExitCode::from(BLIND),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// Asks for the tenant's name. Without a terminal to ask on there is no consent.
fn confirmed(plan: &FixPlan, mode: Mode) -> Result<Result<WritePermit, String>> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Ok(Err("applying asks for the tenant's name, and there is no terminal to ask on".to_owned()));
    }
    print(&format!("Type the tenant's name, {}, to apply this plan: ", clean(&plan.tenant)))?;
    std::io::Write::flush(&mut std::io::stdout())?;
    let mut typed = String::new();
    stdin.lock().read_line(&mut typed)?;
    Ok(WritePermit::grant(mode, plan, &typed).map_err(|why| why.to_string()))
}

fn plan_text(plan: &FixPlan) -> String {
    let mut out = format!("{} for {} of {}\n", plan.recipe, plan.check, clean(&plan.tenant));
    for note in &plan.notes {
        let _ = writeln!(out, "  note: {}", clean(note));
    }
    for step in &plan.steps {
        let _ = writeln!(out, "\n{}: {}", clean(&step.object.to_string()), step.why);
        if let Some(owner) = &step.owner {
            let _ = writeln!(out, "  kept by {}: change it there, it is not applied from here", clean(owner));
        }
        if let Some(refused) = &step.refused {
            let _ = writeln!(out, "  the server refuses it: {}", clean(refused));
        }
        out.push_str(&diff::unified(step.live.as_ref(), Some(step.preview.as_ref().unwrap_or(&step.manifest))));
    }
    out
}
