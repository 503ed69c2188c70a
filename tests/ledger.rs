//! The ledger on disk: what was written comes back, what was changed shows, what was cut off is not lost.

use std::io::Write as _;
use std::path::Path;

use partywall::model::event::Authority;
use partywall::model::time::Time;
use partywall::probe::spec::ProbeId;
use partywall::receipt::ledger::{LONGEST_LINE, Ledger, LedgerError, new_id};
use partywall::receipt::{ClusterId, Crossing, Outcome, Receipt, Step};

fn receipt(at: i64) -> Receipt {
    let step = |outcome| Step {
        what: "acme: GET \"http://…\"".to_owned(),
        from: "web-tenant-acme/n8n-0 n8n".to_owned(),
        outcome,
        said: "wget: can't connect".to_owned(),
        code: "exit 1".to_owned(),
        request_id: None,
        at: Time(at),
        took: 12,
    };
    Receipt {
        id: new_id(Time(at)),
        probe: ProbeId::Network,
        tenant: "acme".into(),
        partner: Some("globex".into()),
        cluster: ClusterId { context: "c".into(), uid: "u".into(), version: "v1.36.4".into(), simulated: false },
        operator: "someone".into(),
        mode: "probe".into(),
        steps: vec![step(Outcome::Answered), step(Outcome::Refused { by: Authority::NetworkDrop })],
        crossings: vec![Crossing {
            what: "x".to_owned(),
            checks: vec!["NET-01".to_owned()],
            expected: vec![Authority::NetworkDrop],
            source: vec![0],
            target: vec![0],
            sober: vec![1],
            attempts: vec![1],
        }],
        depends: Vec::new(),
        created: Time(at),
        expires: Time(at + 1000),
    }
}

fn ledger(folder: &Path) -> Ledger {
    Ledger::at(folder.join("state").join("ledger.jsonl"))
}

#[test]
fn what_is_written_comes_back_and_the_chain_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(folder.path());
    assert!(ledger.load().unwrap().book.is_empty(), "a missing file is an empty ledger");
    let receipts: Vec<_> = (0..5).map(|i| receipt(1_700_000_000_000 + i)).collect();
    for receipt in &receipts {
        ledger.append(receipt).unwrap();
    }
    ledger.append_lapse(&receipts[0].id, "NetworkPolicy web-tenant-acme/default-deny deleted", Time(1_700_000_009_000)).unwrap();
    let loaded = ledger.load().unwrap();
    assert_eq!(loaded.problems, []);
    assert_eq!(loaded.book.all().map(|r| (**r).clone()).collect::<Vec<_>>(), receipts.iter().rev().cloned().collect::<Vec<_>>());
    assert_eq!(loaded.book.lapse_of(&receipts[0].id), Some("NetworkPolicy web-tenant-acme/default-deny deleted"));
    assert_eq!(ledger.verify().unwrap(), []);
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(folder.path());
    ledger.append(&receipt(1)).unwrap();
    assert_eq!(std::fs::metadata(ledger.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_changed_a_removed_and_a_moved_line_show() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(folder.path());
    for i in 0..4 {
        ledger.append(&receipt(1_700_000_000_000 + i)).unwrap();
    }
    let text = std::fs::read_to_string(ledger.path()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let lines_of = |problems: Vec<partywall::receipt::ledger::Problem>| problems.into_iter().map(|p| p.line).collect::<Vec<_>>();
    std::fs::write(ledger.path(), text.replacen("can't connect", "can connect", 1)).unwrap();
    assert_eq!(lines_of(ledger.verify().unwrap()), [1]);
    std::fs::write(ledger.path(), format!("{}\n{}\n{}\n", lines[0], lines[2], lines[3])).unwrap();
    assert_eq!(lines_of(ledger.verify().unwrap()), [2]);
    std::fs::write(ledger.path(), format!("{}\n{}\n{}\n{}\n", lines[0], lines[2], lines[1], lines[3])).unwrap();
    assert_eq!(lines_of(ledger.verify().unwrap()), [2, 3, 4]);
}

#[test]
fn a_receipt_changed_by_hand_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(folder.path());
    ledger.append(&receipt(1_700_000_000_000)).unwrap();
    ledger.append(&receipt(1_700_000_000_001)).unwrap();
    let text = std::fs::read_to_string(ledger.path()).unwrap();
    std::fs::write(ledger.path(), text.replacen("can't connect", "can connect", 1)).unwrap();
    let loaded = ledger.load().unwrap();
    assert_eq!((loaded.book.len(), loaded.problems.len()), (1, 1), "{:?}", loaded.problems);
    assert!(loaded.problems[0].what.contains("digest"), "{:?}", loaded.problems);
}

#[test]
fn nothing_in_a_receipt_acts_on_the_terminal() {
    let mut hostile = receipt(1_700_000_000_000);
    let bad = "a\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\r";
    hostile.id = bad.into();
    hostile.tenant = bad.into();
    hostile.crossings.push(partywall::receipt::Crossing {
        what: bad.to_owned(),
        checks: vec![bad.to_owned()],
        expected: vec![],
        source: vec![],
        target: vec![],
        sober: vec![],
        attempts: vec![],
    });
    let text = partywall::report::receipt::text(&hostile, Some(bad));
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\r']), "{text:?}");
}

#[test]
fn a_line_cut_off_is_reported_and_put_aside_whatever_its_length() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(folder.path());
    ledger.append(&receipt(1_700_000_000_000)).unwrap();
    ledger.append(&receipt(1_700_000_000_001)).unwrap();
    let whole = std::fs::read(ledger.path()).unwrap();
    let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
    for cut in [first + 1, first + 20, first + (whole.len() - first) / 2, whole.len() - 2, whole.len() - 1] {
        std::fs::write(ledger.path(), &whole[..cut]).unwrap();
        let loaded = ledger.load().unwrap();
        let complete = cut == whole.len() - 1;
        assert_eq!(loaded.book.len(), 1 + usize::from(complete), "cut at {cut}");
        assert_eq!(loaded.problems.iter().map(|p| p.line).collect::<Vec<_>>(), if complete { vec![] } else { vec![2] });
        ledger.append(&receipt(1_700_000_000_500)).unwrap();
        assert_eq!(ledger.verify().unwrap(), [], "cut at {cut}");
        assert_eq!(ledger.load().unwrap().book.len(), 2 + usize::from(complete));
        let aside: Vec<_> = std::fs::read_dir(ledger.path().parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().contains(".damaged-"))
            .collect();
        assert_eq!(aside.len(), usize::from(!complete));
        for path in aside {
            assert_eq!(std::fs::read(&path).unwrap(), &whole[first..cut], "nothing is lost");
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn foreign_lines_are_skipped_with_a_message_and_the_chain_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(folder.path());
    ledger.append(&receipt(1_700_000_000_000)).unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).open(ledger.path()).unwrap();
    let first = std::fs::read_to_string(ledger.path()).unwrap();
    let hash = first.split("\"hash\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    writeln!(file, "{{\"v\":9,\"receipt\":{{\"new\":true}},\"prev\":\"{hash}\",\"hash\":\"abc\"}}").unwrap();
    writeln!(file, "not json \u{1b}[31m").unwrap();
    file.write_all(&[0xff, 0xfe, b'\n']).unwrap();
    file.write_all(&vec![b'x'; LONGEST_LINE + 10]).unwrap();
    file.write_all(b"\n").unwrap();
    ledger.append(&receipt(1_700_000_000_009)).unwrap();
    let loaded = ledger.load().unwrap();
    assert_eq!(loaded.book.len(), 2);
    assert_eq!(loaded.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [2, 3, 4, 5]);
    assert!(loaded.problems[0].what.contains("version 9"));
    assert!(loaded.problems.iter().all(|p| !p.what.contains('\u{1b}')));
    assert_eq!(ledger.verify().unwrap().iter().map(|p| p.line).collect::<Vec<_>>(), [3, 4, 5], "a line of another version is no break");
}

#[test]
fn many_writers_at_once_keep_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(folder.path());
    std::thread::scope(|scope| {
        for writer in 0..8_i64 {
            let ledger = ledger.clone();
            scope.spawn(move || {
                for i in 0..10 {
                    ledger.append(&receipt(1_700_000_000_000 + writer * 100 + i)).unwrap();
                }
            });
        }
    });
    assert_eq!(ledger.load().unwrap().book.len(), 80);
    assert_eq!(ledger.verify().unwrap(), []);
}

#[test]
fn a_receipt_too_large_is_refused_and_the_ledger_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(folder.path());
    ledger.append(&receipt(1)).unwrap();
    let mut large = receipt(2);
    large.steps[0].said = "x".repeat(LONGEST_LINE);
    assert!(matches!(ledger.append(&large), Err(LedgerError::TooLong(_))));
    ledger.append(&receipt(3)).unwrap();
    assert_eq!(ledger.verify().unwrap(), []);
    assert_eq!(ledger.load().unwrap().book.len(), 2);
}

#[test]
fn ids_sort_by_time() {
    let ids: Vec<_> = [0, 1, 31, 32, 1_700_000_000_000, 1_700_000_000_001, 1_900_000_000_000].map(|at| new_id(Time(at))).to_vec();
    assert!(ids.is_sorted(), "{ids:?}");
    assert!(ids.iter().all(|id| id.len() == 16 && id.starts_with("R-")));
}
