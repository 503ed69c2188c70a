//! The terminal is put back whatever happens: on quit, on panic, on SIGTERM, before a suspend. After SIGHUP it is gone and not touched.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, queue};

/// Whether the terminal is ours at the moment. One per process, as the terminal is.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// The thread that draws: only its panic ends the session.
static DRAWS: OnceLock<ThreadId> = OnceLock::new();

/// Takes the terminal and gives it back when dropped.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal.
    pub fn enter() -> io::Result<Self> {
        DRAWS.get_or_init(|| std::thread::current().id());
        enter()?;
        Ok(Self(()))
    }

    /// Forgets the terminal without touching it: it was hung up.
    pub fn abandon(self) {
        ENTERED.store(false, Ordering::SeqCst);
        drop(self);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        leave();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    ENTERED.store(true, Ordering::SeqCst);
    let mut out = io::stdout().lock();
    queue!(out, EnterAlternateScreen, cursor::Hide, EnableBracketedPaste)?;
    out.flush()
}

/// Gives the terminal back. Does nothing when it is not ours; never fails, because there is nobody left to tell.
pub fn leave() {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout().lock();
    let _ = queue!(out, DisableBracketedPaste, cursor::Show, LeaveAlternateScreen);
    let _ = out.flush();
    let _ = disable_raw_mode();
}

/// Stops this process as Ctrl-Z does. It returns when the process is continued; SIGCONT then makes the loop call [`retake`].
pub fn suspend() -> io::Result<()> {
    leave();
    // SIGTSTP sent by oneself is dropped where the process group is orphaned; SIGSTOP is not
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)?;
    Ok(())
}

/// Takes the terminal again after a stop, whoever caused it: the shell has put its own modes back meanwhile.
pub fn retake() -> io::Result<()> {
    leave();
    enter()
}

/// Makes a panic put the terminal back before it reports, and keeps the report in the state folder. While the dashboard is on the screen a panic
/// of another thread is only kept: the runtime contains it, and what hung on it says so on the screen.
pub fn on_panic(state: PathBuf) {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let contained = ENTERED.load(Ordering::SeqCst) && DRAWS.get().is_some_and(|draws| *draws != std::thread::current().id());
        if !contained {
            leave();
        }
        let name = format!("panic-{}.txt", crate::live::now().0);
        // the payload may quote foreign text, so it is cleaned like any other
        let text = crate::model::text::clean_to(&info.to_string(), 4096);
        let kept = std::fs::create_dir_all(&state).and_then(|()| std::fs::write(state.join(&name), &text));
        if contained {
            return;
        }
        let mut err = io::stderr().lock();
        if kept.is_ok() {
            let _ = writeln!(err, "partywall stopped on an error of its own; the report is in {}", state.join(&name).display());
        }
        drop(err);
        report(info);
    }));
}
