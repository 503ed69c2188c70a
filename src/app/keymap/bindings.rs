//! The table of all keys, in the order of help.

use super::Layer::{Any, Asking, Hearing, Leaving, Lists, On, Planning, Probing, Reading, Typing};
use super::{Action, Binding, Danger, Layer};
use crate::app::msg::{Key, KeyCode};
use crate::app::state::Screen;

const fn c(c: char) -> Key {
    Key::plain(KeyCode::Char(c))
}

const fn k(code: KeyCode) -> Key {
    Key::plain(code)
}

const fn bind(
    layer: Layer,
    action: Action,
    keys: &'static [Key],
    label: &'static str,
    title: &'static str,
    bar: u8,
    help: &'static str,
) -> Binding {
    Binding { action, keys, label, title, help, danger: Danger::Look, layer, bar }
}

const fn risky(danger: Danger, mut binding: Binding) -> Binding {
    binding.danger = danger;
    binding
}

/// Every binding, in the order of help.
pub static BINDINGS: &[Binding] = &[
    bind(Any, Action::Help, &[c('?'), k(KeyCode::F(1))], "?", "help", 1, "what the keys do here"),
    bind(Any, Action::Down, &[c('j'), k(KeyCode::Down)], "j ↓", "down", 0, "next row"),
    bind(Any, Action::Up, &[c('k'), k(KeyCode::Up)], "k ↑", "up", 0, "previous row"),
    bind(Lists, Action::Top, &[c('g'), k(KeyCode::Home)], "g Home", "top", 0, "first row"),
    bind(Lists, Action::Bottom, &[c('G'), k(KeyCode::End)], "G End", "bottom", 0, "last row"),
    bind(On(Screen::Matrix), Action::Left, &[c('h'), k(KeyCode::Left)], "h ←", "left", 0, "previous column"),
    bind(On(Screen::Matrix), Action::Right, &[c('l'), k(KeyCode::Right)], "l →", "right", 0, "next column; the fixed targets come last"),
    bind(On(Screen::Matrix), Action::Top, &[c('g')], "g", "top", 0, "first row"),
    bind(On(Screen::Matrix), Action::Bottom, &[c('G')], "G", "bottom", 0, "last row"),
    bind(On(Screen::Matrix), Action::First, &[k(KeyCode::Home), c('0')], "Home 0", "first", 0, "first column"),
    bind(On(Screen::Matrix), Action::Last, &[k(KeyCode::End), c('$')], "End $", "last", 0, "last tenant's column, then the last target"),
    bind(Any, Action::PageDown, &[k(KeyCode::PageDown), Key::ctrl('d')], "PgDn", "page", 0, "a page down"),
    bind(Any, Action::PageUp, &[k(KeyCode::PageUp), Key::ctrl('u')], "PgUp", "page", 0, "a page up"),
    bind(On(Screen::Matrix), Action::PageRight, &[c('>')], ">", "page right", 0, "a page of columns to the right"),
    bind(On(Screen::Matrix), Action::PageLeft, &[c('<')], "<", "page left", 0, "a page of columns to the left"),
    bind(Any, Action::DetailDown, &[c('J'), c(' ')], "J Space", "more", 0, "scroll the detail down"),
    bind(Any, Action::DetailUp, &[c('K')], "K", "less", 0, "scroll the detail up"),
    bind(Lists, Action::Enter, &[k(KeyCode::Enter), c('l'), k(KeyCode::Right)], "Enter", "open", 2, "go into what the cursor is on"),
    bind(
        On(Screen::Matrix),
        Action::Explain,
        &[k(KeyCode::Enter), c('e')],
        "Enter e",
        "why",
        2,
        "why the cell is what it is: rules and objects",
    ),
    bind(On(Screen::Matrix), Action::Back, &[k(KeyCode::Esc), k(KeyCode::Backspace)], "Esc", "back", 3, "clear the filter, else go back"),
    bind(
        Lists,
        Action::Back,
        &[k(KeyCode::Esc), c('h'), k(KeyCode::Left), k(KeyCode::Backspace)],
        "Esc",
        "back",
        3,
        "clear the filter, else go back",
    ),
    bind(Any, Action::Quit, &[c('q')], "q", "quit", 3, "back, and from the first screen out"),
    bind(Any, Action::GoFleet, &[c('1')], "1", "fleet", 0, "all tenants"),
    bind(Any, Action::GoTenant, &[c('2')], "2", "tenant", 0, "one tenant: its walls, their checks, receipts and fixes"),
    bind(Any, Action::GoMatrix, &[c('3')], "3", "matrix", 0, "who can reach whom, beginning with the tenant the cursor is on"),
    bind(Any, Action::GoViolations, &[c('4')], "4", "violations", 0, "violations and refusals across the fleet"),
    bind(Any, Action::GoQuota, &[c('5')], "5", "quota", 0, "quota usage, what binds, what fits"),
    bind(Any, Action::GoVault, &[c('6')], "6", "vault", 0, "what every tenant reaches in Vault, and by which rule"),
    bind(Any, Action::GoReceipts, &[c('7')], "7", "receipts", 0, "the ledger"),
    bind(Any, Action::NextScreen, &[k(KeyCode::Tab)], "Tab", "screen", 0, "next screen"),
    bind(Any, Action::PrevScreen, &[k(KeyCode::BackTab)], "Shift-Tab", "screen", 0, "previous screen"),
    bind(On(Screen::Tenant), Action::NextTenant, &[c(']')], "]", "next tenant", 7, "next tenant, in the fleet's order"),
    bind(On(Screen::Tenant), Action::PrevTenant, &[c('[')], "[", "tenant", 0, "previous tenant"),
    bind(Lists, Action::NextFinding, &[c('n')], "n", "next finding", 11, "next violation, across tenants"),
    bind(Lists, Action::PrevFinding, &[c('N')], "N", "finding", 0, "previous violation"),
    bind(On(Screen::Matrix), Action::NextFinding, &[c('n')], "n", "next gap", 4, "next cell that is not shut, in reading order"),
    bind(On(Screen::Matrix), Action::PrevFinding, &[c('N')], "N", "gap", 0, "previous cell that is not shut"),
    bind(On(Screen::Matrix), Action::Targets, &[c('w')], "w", "targets", 5, "give the room to the fixed targets, and back"),
    bind(On(Screen::Vault), Action::Ask, &[c('a')], "a", "ask", 2, "type a path: which rule decides there, and who can reach it"),
    bind(On(Screen::Matrix), Action::TurnRound, &[c('v')], "v", "other way", 6, "the other way round: from the column to the row"),
    bind(Lists, Action::Filter, &[c('/')], "/", "filter", 8, "show rows with these words; a word after - must be absent"),
    bind(
        On(Screen::Matrix),
        Action::Filter,
        &[c('/')],
        "/",
        "filter",
        8,
        "tenants with these words; from: and to: for one side, - for without",
    ),
    bind(Any, Action::Failing, &[c('!')], "!", "failing", 9, "only what fails"),
    bind(Any, Action::Sort, &[c('s')], "s", "order", 12, "next order or grouping"),
    bind(On(Screen::Fleet), Action::Columns, &[c('w')], "w", "columns", 10, "show the columns that do not fit, and back"),
    risky(Danger::Probe, bind(Any, Action::Probe, &[c('p')], "p", "probe", 5, "try the wall the cursor is on")),
    risky(Danger::Probe, bind(Any, Action::ProbeAll, &[c('P')], "P", "probe all", 14, "try every wall of the tenant")),
    bind(Any, Action::Progress, &[c('o')], "o", "progress", 4, "show the probe that runs or ran last"),
    risky(Danger::Write, bind(Any, Action::Fix, &[c('f')], "f", "fix", 6, "plan the fix: diff, dry-run, then a typed confirmation")),
    risky(Danger::Write, bind(Any, Action::Undo, &[c('u')], "u", "undo", 4, "undo the tenant's last fix of this session")),
    bind(Any, Action::Copy, &[c('y')], "y", "copy", 0, "copy name, finding or receipt"),
    bind(Any, Action::Save, &[c('S')], "S", "save", 0, "save the screen as SVG and text"),
    bind(Any, Action::Freeze, &[c('z')], "z", "freeze", 13, "hold the screen; data waits"),
    bind(Any, Action::Redact, &[c('x')], "x", "redact", 0, "show aliases instead of names"),
    bind(Any, Action::Theme, &[c('t')], "t", "theme", 0, "next theme"),
    bind(Any, Action::Reread, &[c('r')], "r", "reread", 0, "read everything again now"),
    bind(Any, Action::Log, &[c('L')], "L", "messages", 0, "messages so far"),
    bind(Any, Action::Interrupt, &[Key::ctrl('c')], "Ctrl-C", "cancel", 0, "cancel what runs; twice: leave"),
    bind(Any, Action::Suspend, &[Key::ctrl('z')], "Ctrl-Z", "suspend", 0, "stop, as any program; `fg` comes back"),
    bind(Reading, Action::Close, &[k(KeyCode::Esc), c('q'), c('?'), k(KeyCode::Enter), c('L')], "Esc", "close", 1, "close"),
    bind(Reading, Action::DetailDown, &[c('j'), k(KeyCode::Down), c(' '), k(KeyCode::PageDown)], "j", "down", 2, "scroll down"),
    bind(Reading, Action::DetailUp, &[c('k'), k(KeyCode::Up), k(KeyCode::PageUp)], "k", "up", 3, "scroll up"),
    bind(Probing, Action::Cancel, &[k(KeyCode::Esc), c('q')], "Esc", "cancel / close", 1, "cancel while it runs, close when it is done"),
    bind(Probing, Action::Close, &[k(KeyCode::Enter), c('o')], "Enter", "hide", 2, "hide the panel; the probe goes on"),
    bind(Probing, Action::DetailDown, &[c('j'), k(KeyCode::Down), c(' '), k(KeyCode::PageDown)], "j", "down", 3, "scroll down"),
    bind(Probing, Action::DetailUp, &[c('k'), k(KeyCode::Up), k(KeyCode::PageUp)], "k", "up", 4, "scroll up"),
    bind(Planning, Action::Close, &[k(KeyCode::Esc), c('q')], "Esc", "close", 1, "close; nothing was written"),
    risky(Danger::Write, bind(Planning, Action::Accept, &[k(KeyCode::Enter)], "Enter", "apply…", 2, "go on to the typed confirmation")),
    bind(Planning, Action::Renew, &[c('r')], "r", "plan again", 3, "ask the servers again"),
    bind(Planning, Action::Copy, &[c('y')], "y", "copy", 4, "copy the plan's manifests"),
    bind(Planning, Action::DetailDown, &[c('j'), k(KeyCode::Down), c(' '), k(KeyCode::PageDown)], "j", "down", 5, "scroll down"),
    bind(Planning, Action::DetailUp, &[c('k'), k(KeyCode::Up), k(KeyCode::PageUp)], "k", "up", 6, "scroll up"),
    bind(Hearing, Action::Close, &[k(KeyCode::Esc), c('q'), k(KeyCode::Enter), c('e')], "Esc", "close", 1, "close"),
    bind(Hearing, Action::Copy, &[c('y')], "y", "copy", 2, "copy what is told"),
    bind(Hearing, Action::Renew, &[c('r')], "r", "ask again", 3, "ask again"),
    bind(Hearing, Action::DetailDown, &[c('j'), k(KeyCode::Down), c(' '), k(KeyCode::PageDown)], "j", "down", 4, "scroll down"),
    bind(Hearing, Action::DetailUp, &[c('k'), k(KeyCode::Up), k(KeyCode::PageUp)], "k", "up", 5, "scroll up"),
    bind(Asking, Action::Close, &[k(KeyCode::Esc), c('q')], "Esc", "close", 1, "close"),
    bind(Asking, Action::Ask, &[c('a'), c('/'), k(KeyCode::Enter)], "a", "other path", 2, "type another path"),
    bind(Asking, Action::Everyone, &[k(KeyCode::Tab), c('w')], "Tab w", "one / all tenants", 3, "this tenant alone, or who of all tenants"),
    bind(Asking, Action::Right, &[c('l'), k(KeyCode::Right)], "l →", "operation", 4, "of all tenants: the next operation"),
    bind(Asking, Action::Left, &[c('h'), k(KeyCode::Left)], "h ←", "operation", 0, "of all tenants: the previous operation"),
    bind(Asking, Action::Copy, &[c('y')], "y", "copy", 5, "copy the answer"),
    bind(Asking, Action::DetailDown, &[c('j'), k(KeyCode::Down), c(' '), k(KeyCode::PageDown)], "j", "down", 6, "scroll down"),
    bind(Asking, Action::DetailUp, &[c('k'), k(KeyCode::Up), k(KeyCode::PageUp)], "k", "up", 7, "scroll up"),
    bind(Leaving, Action::Leave, &[c('y'), k(KeyCode::Enter), c('q')], "y", "leave", 1, "leave; what runs is cancelled"),
    bind(Leaving, Action::Close, &[k(KeyCode::Esc), c('n')], "n", "stay", 2, "stay"),
    bind(Typing, Action::Accept, &[k(KeyCode::Enter)], "Enter", "take", 1, "take what was typed"),
    bind(Typing, Action::Close, &[k(KeyCode::Esc)], "Esc", "drop", 2, "drop what was typed"),
];
