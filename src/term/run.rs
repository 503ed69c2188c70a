//! The loop: signals first, then keys, then messages, then the timer. Drawn only when something changed, at once for a key and at most
//! ten times a second for data.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::EventStream;
use futures::StreamExt;
use ratatui::layout::Rect;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::frame::Frames;
use super::guard::{self, Guard};
use super::{clipboard, input};
use crate::app::effect::Effect;
use crate::app::msg::{Level, Msg, ProbeNews};
use crate::app::state::State;
use crate::app::update::update;
use crate::fix::guard::{Mode, WritePermit};
use crate::fix::plan::FixPlan;
use crate::live::work::Worker;
use crate::live::{Live, now};
use crate::ui;
use crate::ui::theme::choose::Depth;
use crate::ui::theme::{self, Theme};

/// Frames caused by data are at least so far apart.
const DATA_FRAMES_APART: Duration = Duration::from_millis(100);

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The user left.
    Quit,
    /// SIGTERM or SIGINT.
    Terminated,
    /// The terminal is gone.
    HungUp,
    /// What reads the servers has stopped on an error of its own.
    Broken,
}

/// The screen: state, theme, frames.
pub struct Screen {
    state: State,
    themes: Themes,
    frames: Frames,
    area: Rect,
    drawn: u64,
    saved_screens: PathBuf,
}

/// The theme in force and how to get another.
pub struct Themes {
    /// In force.
    pub theme: Theme,
    /// Its name.
    pub name: String,
    /// How many colours the terminal shows.
    pub depth: Depth,
}

impl Themes {
    /// A built-in theme by name, or one from a file by its path.
    pub fn load(name: &str, depth: Depth) -> Result<Self, String> {
        let theme = if theme::names().any(|built_in| built_in == name) {
            Theme::load(name)
        } else {
            let text =
                std::fs::read_to_string(name).map_err(|error| format!("there is no built-in theme and no file of that name ({error})"))?;
            Theme::parse(&text)
        };
        let theme = theme.map_err(|error| error.to_string())?.reduced(depth);
        Ok(Self { theme, name: name.to_owned(), depth })
    }
}

impl Screen {
    /// A screen over a terminal that has been entered.
    pub fn new(state: State, themes: Themes, area: Rect, saved_screens: PathBuf) -> Self {
        let synchronized = !matches!(std::env::var("TERM").as_deref(), Ok("linux" | "dumb"));
        Self { state, themes, frames: Frames::new(area, synchronized), area, drawn: 0, saved_screens }
    }

    /// The state, for messages from outside the loop.
    pub const fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// Paints the state; what is on the terminal already is not written again.
    pub fn paint(&mut self) -> io::Result<()> {
        let (state, theme) = (&self.state, &self.themes.theme);
        self.frames.draw(self.area, &mut io::stdout().lock(), |area, buffer| ui::draw(state, theme, area, buffer))?;
        self.drawn = self.state.generation();
        Ok(())
    }

    const fn dirty(&self) -> bool {
        self.state.dirty(self.drawn)
    }

    fn next_theme(&mut self) -> Msg {
        let name = theme::next(&self.themes.name);
        match Themes::load(name, self.themes.depth) {
            Ok(themes) => {
                self.themes = themes;
                Msg::Theme(name.to_owned())
            }
            Err(why) => Msg::Note(Level::Error, format!("theme {name}: {why}")),
        }
    }

    fn save(&self) -> io::Result<PathBuf> {
        std::fs::create_dir_all(&self.saved_screens)?;
        let stem = self.saved_screens.join(format!("screen-{}", now().0));
        std::fs::write(stem.with_extension("svg"), crate::shot::svg(self.frames.shown(), &self.themes.theme))?;
        std::fs::write(stem.with_extension("txt"), crate::shot::text(self.frames.shown()))?;
        Ok(stem.with_extension("svg"))
    }
}

struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
    cont: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
            cont: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }
}

/// What the loop works with besides the screen.
struct Hands {
    live: Live,
    worker: Worker,
    out: mpsc::UnboundedSender<Msg>,
    cancel: CancellationToken,
}

/// Runs until the user leaves or a signal ends it.
pub async fn run(mut screen: Screen, live: Live, mode: Mode, guard: Guard) -> io::Result<Ended> {
    let (out, mut messages) = mpsc::unbounded_channel();
    let worker = Worker::new(&live, mode, out.clone());
    let mut views = live.views.clone();
    let mut hands = Hands { live, worker, out, cancel: CancellationToken::new() };
    let mut signals = Signals::new()?;
    let mut keys = EventStream::new();
    // the first data are drawn at once
    let mut drawn_for_data = Instant::now().checked_sub(DATA_FRAMES_APART).unwrap_or_else(Instant::now);
    let mut notes_open = true;
    loop {
        let wake = wake_after(&screen.state);
        let pending = screen.dirty();
        tokio::select! {
            biased;
            _ = signals.term.recv() => return Ok(Ended::Terminated),
            _ = signals.int.recv() => return Ok(Ended::Terminated),
            _ = signals.hup.recv() => {
                guard.abandon();
                return Ok(Ended::HungUp);
            }
            _ = signals.cont.recv() => {
                guard::retake()?;
                screen.frames.forget();
                screen.paint()?;
            }
            event = keys.next() => {
                // a terminal that can't be read any more is gone
                let Some(Ok(event)) = event else {
                    guard.abandon();
                    return Ok(Ended::HungUp);
                };
                let Some(message) = input::message(event) else { continue };
                if let Msg::Resize(width, height) = message {
                    screen.area = Rect::new(0, 0, width, height);
                    screen.frames.forget();
                }
                if feed(&mut screen, &mut hands, message)? {
                    return Ok(Ended::Quit);
                }
                if screen.dirty() {
                    screen.paint()?;
                }
            }
            Some(message) = messages.recv() => {
                keep_receipt(&hands, &message);
                if feed(&mut screen, &mut hands, message)? {
                    return Ok(Ended::Quit);
                }
            }
            note = hands.live.notes.recv(), if notes_open => {
                match note {
                    Some(message) => { feed(&mut screen, &mut hands, message)?; }
                    None => notes_open = false,
                }
            }
            changed = views.changed(), if !pending => {
                // without its pipeline the screen would grow old and not show it
                if changed.is_err() {
                    return Ok(Ended::Broken);
                }
                let view = views.borrow_and_update().clone();
                feed(&mut screen, &mut hands, Msg::Data(view))?;
            }
            () = tokio::time::sleep_until(drawn_for_data + DATA_FRAMES_APART), if pending => {
                // the newest view goes into this frame, whatever came in between
                if views.has_changed().unwrap_or(false) {
                    let view = views.borrow_and_update().clone();
                    feed(&mut screen, &mut hands, Msg::Data(view))?;
                }
                screen.paint()?;
                drawn_for_data = Instant::now();
            }
            () = sleep_for(wake), if wake.is_some() => {
                feed(&mut screen, &mut hands, Msg::Clock)?;
            }
        }
    }
}

fn wake_after(state: &State) -> Option<Duration> {
    let now = now();
    let at = state.wake_at(now)?;
    Some(Duration::from_millis(u64::try_from(at.since(now)).unwrap_or(0).max(50)))
}

async fn sleep_for(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

fn keep_receipt(hands: &Hands, message: &Msg) {
    if let Msg::Probe(ProbeNews::Done(receipt)) = message {
        hands.live.keep(receipt.clone());
    }
}

/// Feeds a message to the core and does what it asks for. True when it asks to leave.
fn feed(screen: &mut Screen, hands: &mut Hands, message: Msg) -> io::Result<bool> {
    for effect in update(&mut screen.state, message, now()) {
        match effect {
            Effect::Quit => return Ok(true),
            Effect::Suspend => {
                guard::suspend()?;
            }
            Effect::Probe(tenant, probes) => hands.probe(tenant, probes),
            Effect::CancelProbe => {
                hands.cancel.cancel();
                hands.cancel = CancellationToken::new();
            }
            Effect::Plan(tenant, check) => {
                let (worker, out) = (hands.worker.clone(), hands.out.clone());
                tokio::spawn(async move {
                    let plan = worker.plan(&tenant, check).await;
                    let _ = out.send(Msg::Planned(tenant, plan.map(Box::new)));
                });
            }
            Effect::Apply(plan, permit) => hands.apply(*plan, permit, false),
            Effect::Undo(plan, permit) => hands.apply(*plan, permit, true),
            Effect::NextTheme => {
                let told = screen.next_theme();
                let _ = hands.out.send(told);
            }
            Effect::Explain(from, to) => {
                let (told, out) = (hands.live.explain(from.clone(), to.clone()), hands.out.clone());
                tokio::spawn(async move {
                    let story = told.await.map(Box::new);
                    let _ = out.send(Msg::Story(from, to, story));
                });
            }
            Effect::Reread => hands.live.reread(),
            Effect::Copy(text) => {
                let tmux = std::env::var_os("TMUX").is_some();
                let told = if clipboard::copy(&mut io::stdout().lock(), &text, tmux)? {
                    "copied"
                } else {
                    "too long for the clipboard: press S to save"
                };
                let _ = hands.out.send(Msg::Note(Level::Info, told.to_owned()));
            }
            Effect::SaveScreen => {
                let told = match screen.save() {
                    Ok(path) => (Level::Info, format!("saved as {}", path.display())),
                    Err(error) => (Level::Error, format!("the screen could not be saved: {error}")),
                };
                let _ = hands.out.send(Msg::Note(told.0, told.1));
            }
        }
    }
    Ok(false)
}

impl Hands {
    fn probe(&self, tenant: crate::model::ids::TenantId, probes: Vec<crate::probe::spec::ProbeId>) {
        let (worker, cancel) = (self.worker.clone(), self.cancel.clone());
        tokio::spawn(async move {
            for probe in probes {
                // how it ends comes as a message
                let _ = worker.probe(&tenant, probe, cancel.clone()).await;
                if cancel.is_cancelled() {
                    break;
                }
            }
        });
    }

    fn apply(&self, plan: FixPlan, permit: WritePermit, undo: bool) {
        let (worker, out, cancel) = (self.worker.clone(), self.out.clone(), self.cancel.clone());
        tokio::spawn(async move {
            let tenant = plan.tenant.clone();
            let check = plan.check.clone();
            let result = if undo { worker.undo(plan, permit).await } else { worker.apply(plan, permit).await };
            let applied = result.is_ok();
            let _ = out.send(fixed(tenant.clone(), result, undo));
            if !applied {
                return;
            }
            // enforcement needs a moment to follow what was written
            tokio::time::sleep(Duration::from_millis(1500)).await;
            for probe in Worker::probes_of(&check) {
                let _ = worker.probe(&tenant, probe, cancel.clone()).await;
            }
        });
    }
}

fn fixed(tenant: crate::model::ids::TenantId, result: Result<crate::fix::apply::Applied, String>, undo: bool) -> Msg {
    let (result, inverse) = match result {
        Ok(applied) => (Ok(crate::live::work::summary(&applied)), Some(Box::new(applied.inverse))),
        Err(why) => (Err(why), None),
    };
    Msg::Fixed { tenant, result, undo, inverse }
}
