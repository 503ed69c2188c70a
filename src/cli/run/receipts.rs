//! `partywall receipts`: the ledger.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::json;

use super::{BLIND, FOUND, USAGE, complain, print, print_json};
use crate::cli::args::{Output, ReceiptsArgs, ReceiptsCommand};
use crate::config::Config;
use crate::model::time::age;
use crate::receipt::book::Book;
use crate::receipt::judge::judge;
use crate::receipt::ledger::Ledger;
use crate::report::receipt as report;
use crate::report::table::Table;

/// Lists, shows or verifies.
pub fn run(config: &Config, args: &ReceiptsArgs) -> Result<ExitCode> {
    let ledger = Ledger::at(config.ledger());
    if let Some(ReceiptsCommand::Verify) = &args.command {
        return verify(&ledger, args.output);
    }
    let book = match ledger.load() {
        Ok(loaded) => {
            for problem in loaded.problems {
                complain(&format!("{}: {problem}", ledger.path().display()), 0)?;
            }
            loaded.book
        }
        Err(error) => return complain(&error, BLIND),
    };
    match &args.command {
        Some(ReceiptsCommand::Show { id }) => show(&book, id, args.output),
        _ => list(&book, args.output),
    }
}

fn list(book: &Book, output: Output) -> Result<ExitCode> {
    if output == Output::Json {
        let all: Vec<_> = book.all().map(|receipt| report::json(receipt, book.lapse_of(&receipt.id))).collect();
        print_json(&json!({"schema": "partywall.receipts/v1", "receipts": all}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let now = crate::live::now();
    let mut table = Table::new(&["ID", "AGE", "TENANT", "PROBE", "AGAINST", "SHOWS", "COUNTS"]);
    for receipt in book.all() {
        let shows: Vec<String> =
            receipt.crossings.iter().map(|c| format!("{} {}", c.checks.join("+"), report::word(&judge(receipt, c)))).collect();
        let counts = match book.lapse_of(&receipt.id) {
            Some(why) => format!("no: {why}"),
            None if now >= receipt.expires => "no: expired".to_owned(),
            None => "while nothing it rests on changes".to_owned(),
        };
        let simulated = if receipt.cluster.simulated { " SIMULATED" } else { "" };
        table.row([
            receipt.id.to_string(),
            age(now.since(receipt.created)),
            format!("{}{simulated}", receipt.tenant),
            receipt.probe.id().to_owned(),
            receipt.partner.as_deref().unwrap_or("-").to_owned(),
            shows.join(", "),
            counts,
        ]);
    }
    print(&table.print())?;
    Ok(ExitCode::SUCCESS)
}

fn show(book: &Book, id: &str, output: Output) -> Result<ExitCode> {
    let mut found = book.all().filter(|receipt| receipt.id.starts_with(id));
    let receipt = match (found.next(), found.next()) {
        (Some(receipt), None) => receipt,
        (Some(_), Some(_)) => return complain(&format!("more than one receipt begins with {id}"), USAGE),
        _ => return complain(&format!("no receipt {id}: partywall receipts list shows them"), USAGE),
    };
    let lapse = book.lapse_of(&receipt.id);
    match output {
        Output::Json => print_json(&report::json(receipt, lapse))?,
        Output::Table => print(&format!("{}  {}\n", report::text(receipt, lapse), report::DOES_NOT_PROVE))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(ledger: &Ledger, output: Output) -> Result<ExitCode> {
    let problems = match ledger.verify() {
        Ok(problems) => problems,
        Err(error) => return complain(&error, BLIND),
    };
    match output {
        Output::Json => {
            let list: Vec<_> = problems.iter().map(|p| json!({"line": p.line, "what": p.what})).collect();
            print_json(&json!({"schema": "partywall.verify/v1", "ledger": ledger.path().display().to_string(), "problems": list}))?;
        }
        Output::Table if problems.is_empty() => print(&format!("{}: the chain is whole\n", ledger.path().display()))?,
        Output::Table => {
            for problem in &problems {
                print(&format!("{}:{}: {}\n", ledger.path().display(), problem.line, problem.what))?;
            }
        }
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}
