//! The scenes of the pictures: each a script of messages to the real core, drawn by the real views.

use std::sync::{Arc, LazyLock};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::fixture::{self, Fleet, NOW, Said};
use crate::app::msg::{Key, KeyCode, Msg, ProbeNews, View};
use crate::app::state::{Dialog, Settings, State};
use crate::app::update::update;
use crate::fix::guard::Mode;
use crate::model::kind::WATCHED;
use crate::model::source::SourceState;
use crate::model::time::SECOND;
use crate::netpol::story::End;
use crate::probe::spec::ProbeId;
use crate::receipt::Receipt;
use crate::ui;
use crate::ui::theme::{Theme, ThemeError};

/// One picture.
pub struct Scene {
    /// Name: also that of its files.
    pub name: &'static str,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Theme.
    pub theme: &'static str,
    /// ASCII symbols.
    pub ascii: bool,
    mode: Mode,
    view: fn() -> Arc<View>,
    script: fn(&mut State),
}

const fn scene(name: &'static str, size: (u16, u16), script: fn(&mut State)) -> Scene {
    Scene { name, size, theme: "dark", ascii: false, mode: Mode::Fix, view: broken, script }
}

static SCENES: [Scene; 44] = [
    scene("fleet-80x24", (80, 24), |s| keys(s, "j")),
    scene("fleet-120x40", (120, 40), |s| keys(s, "j")),
    scene("fleet-200x60", (200, 60), |s| keys(s, "j")),
    Scene { theme: "light", ..scene("fleet-light", (120, 40), |s| keys(s, "j")) },
    Scene { theme: "ansi16", ..scene("fleet-ansi16", (120, 40), |s| keys(s, "j")) },
    Scene { theme: "mono", ascii: true, ..scene("fleet-mono-ascii", (100, 30), |s| keys(s, "j")) },
    Scene { mode: Mode::Observe, ..scene("fleet-60x15", (60, 15), |_| {}) },
    scene("tenant-80x24", (80, 24), |s| keys(s, "j\n")),
    scene("tenant-120x40", (120, 40), |s| keys(s, "j\n")),
    scene("tenant-200x60", (200, 60), |s| keys(s, "/globex\n\n")),
    scene("quota", (120, 40), |s| keys(s, "5")),
    scene("violations", (120, 40), |s| keys(s, "4")),
    scene("receipts", (120, 40), |s| keys(s, "7jj")),
    matrix("matrix-80x24", (80, 24), |s| keys(s, "3gll")),
    matrix("matrix-120x40", (120, 40), |s| keys(s, "3gll")),
    matrix("matrix-200x60", (200, 60), |s| keys(s, "3gll")),
    matrix("matrix-60x15", (60, 15), |s| keys(s, "3gll")),
    Scene { theme: "mono", ascii: true, ..matrix("matrix-mono-ascii", (100, 30), |s| keys(s, "3gll")) },
    Scene { theme: "ansi16", ..matrix("matrix-ansi16", (120, 40), |s| keys(s, "3gll")) },
    Scene { theme: "light", ..matrix("matrix-light", (120, 40), |s| keys(s, "3gll")) },
    matrix("matrix-targets", (120, 40), |s| keys(s, "3gw")),
    Scene { view: two, ..matrix("matrix-two", (120, 40), |s| keys(s, "3l")) },
    Scene { view: thousand, ..matrix("matrix-thousand", (120, 40), |s| keys(s, "3g>>")) },
    Scene { view: thousand, ..matrix("matrix-thousand-200x60", (200, 60), |s| keys(s, "3g>>")) },
    matrix("matrix-why", (120, 40), why),
    vault("vault-80x24", (80, 24), |s| keys(s, "6/hooli\n\u{1b}")),
    vault("vault-120x40", (120, 40), |s| keys(s, "6/hooli\n\u{1b}")),
    vault("vault-200x60", (200, 60), |s| keys(s, "6/hooli\n\u{1b}")),
    vault("vault-60x15", (60, 15), |s| keys(s, "6/hooli\n\u{1b}")),
    Scene { theme: "mono", ascii: true, ..vault("vault-mono-ascii", (100, 30), |s| keys(s, "6/hooli\n\u{1b}")) },
    Scene { theme: "ansi16", ..vault("vault-ansi16", (120, 40), |s| keys(s, "6/oscorp\n\u{1b}")) },
    vault("vault-path", (120, 40), |s| asked(s, "hooli", "")),
    vault("vault-who", (120, 40), |s| asked(s, "hooli", "w")),
    Scene { mode: Mode::Observe, ..scene("help", (120, 50), |s| keys(s, "?")) },
    Scene { mode: Mode::Probe, ..scene("probe-running", (120, 40), |s| probing(s, false)) },
    Scene { mode: Mode::Probe, ..scene("probe-done", (120, 40), |s| probing(s, true)) },
    scene("fix-plan", (120, 40), planned),
    scene("fix-confirm", (120, 40), |s| {
        planned(s);
        keys(s, "\nacm");
    }),
    Scene { mode: Mode::Observe, ..scene("filter", (100, 30), |s| keys(s, "/node-red res")) },
    Scene { mode: Mode::Observe, view: sealed, ..scene("vault-sealed", (120, 40), |_| {}) },
    Scene { mode: Mode::Observe, view: stale, ..scene("api-stale", (120, 40), |_| {}) },
    Scene { mode: Mode::Observe, view: fixture::only_namespaces, ..scene("not-allowed", (120, 40), |_| {}) },
    Scene { mode: Mode::Observe, view: Arc::default, ..scene("first-paint", (80, 24), |_| {}) },
    Scene { mode: Mode::Observe, ..scene("redacted-frozen", (120, 40), |s| keys(s, "xz\n")) },
];

const fn matrix(name: &'static str, size: (u16, u16), script: fn(&mut State)) -> Scene {
    Scene { mode: Mode::Probe, view: shaded, ..scene(name, size, script) }
}

const fn vault(name: &'static str, size: (u16, u16), script: fn(&mut State)) -> Scene {
    Scene { mode: Mode::Probe, view: fixture::secrets::view, ..scene(name, size, script) }
}

/// All scenes.
pub fn scenes() -> &'static [Scene] {
    &SCENES
}

impl Scene {
    /// The state of the scene, after its script.
    pub fn state(&self) -> State {
        let settings = Settings {
            mode: self.mode,
            theme: self.theme.into(),
            ascii: self.ascii,
            context: "kind-tenants".into(),
            ..Settings::default()
        };
        let mut state = State::new(settings, self.size, NOW);
        let view = (self.view)();
        if view.snapshot.generation > 0 {
            update(&mut state, Msg::Data(view), NOW);
        }
        (self.script)(&mut state);
        state
    }

    /// The picture as a buffer, with its theme.
    ///
    /// # Errors
    /// When the theme can't be loaded.
    pub fn render(&self) -> Result<(Buffer, Theme), ThemeError> {
        let theme = Theme::load(self.theme)?;
        let mut buf = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        ui::draw(&self.state(), &theme, buf.area, &mut buf);
        Ok((buf, theme))
    }
}

fn broken() -> Arc<View> {
    Fleet::broken().publish()
}

fn shaded() -> Arc<View> {
    fixture::shaded(&broken())
}

/// Only two tenants.
fn two() -> Arc<View> {
    let view = broken();
    let mut assessment = (*view.assessment).clone();
    assessment.by_tenant.retain(|tenant, _| matches!(tenant.as_ref(), "acme" | "globex"));
    fixture::shaded(&View { assessment: Arc::new(assessment), ..(*view).clone() })
}

/// A thousand tenants, judged once for all scenes that show them.
fn thousand() -> Arc<View> {
    static VIEW: LazyLock<Arc<View>> = LazyLock::new(|| fixture::shaded(&fixture::large(988)));
    VIEW.clone()
}

/// Why the cell under the cursor is what it is.
fn why(state: &mut State) {
    keys(state, "3gl\n");
    let Some(Dialog::Story(dialog)) = &state.dialog else { return };
    let (from, to) = (dialog.from.clone(), dialog.to.clone());
    let (End::Tenant(source), End::Tenant(destination)) = (&from, &to) else { return };
    let story = fixture::walls::story(source, destination);
    update(state, Msg::Story(from, to, Some(Box::new(story))), NOW);
}

/// A path asked about, with a tenant under the cursor.
fn asked(state: &mut State, tenant: &str, then: &str) {
    keys(state, &format!("6/{tenant}\n\u{1b}a"));
    update(state, Msg::Key(Key::ctrl('u')), NOW);
    keys(state, &format!("secret/web-tenant-acme\n{then}"));
}

fn sealed() -> Arc<View> {
    let mut fleet = Fleet::new();
    fleet.publish();
    fleet.vault(|vault| vault.server.sealed = true);
    fleet.publish()
}

fn stale() -> Arc<View> {
    let mut fleet = Fleet::new();
    fleet.publish();
    for info in &WATCHED {
        fleet.source(info.kind, SourceState::Stale { since: NOW.plus(-12 * SECOND), why: "connection refused by 127.0.0.1:6443".into() });
    }
    fleet.publish()
}

/// Types keys: a line feed is Enter, an escape is Esc.
fn keys(state: &mut State, keys: &str) {
    for c in keys.chars() {
        let code = match c {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            c => KeyCode::Char(c),
        };
        update(state, Msg::Key(Key::plain(code)), NOW);
    }
}

/// Probes of globex, under way or done.
fn probing(state: &mut State, done: bool) {
    let mut fleet = Fleet::new();
    keys(state, "/globex\nP");
    let tenant: crate::model::ids::TenantId = "globex".into();
    for (i, probe) in crate::probe::spec::PROBES.into_iter().enumerate() {
        let Some(receipt) = fleet.receipt(probe, &tenant, Said::Held, 0) else { continue };
        let last = i == 1 && !done;
        told(state, probe, &receipt, if last { 3 } else { usize::MAX });
        if last {
            let what = receipt.steps.get(3).map(|step| step.what.clone()).unwrap_or_default();
            update(state, Msg::Probe(ProbeNews::Doing { tenant, probe, what }), NOW.plus(4 * SECOND));
            return;
        }
        update(state, Msg::Probe(ProbeNews::Done(receipt)), NOW.plus(4 * SECOND));
    }
}

fn told(state: &mut State, probe: ProbeId, receipt: &Receipt, most: usize) {
    let tenant = &receipt.tenant;
    update(state, Msg::Probe(ProbeNews::Started { tenant: tenant.clone(), probe, of: receipt.steps.len() }), NOW);
    for step in receipt.steps.iter().take(most) {
        let news = ProbeNews::Did { tenant: tenant.clone(), probe, step: step.clone() };
        update(state, Msg::Probe(news), NOW.plus(2 * SECOND));
    }
}

/// The plan that gives acme its default-deny back, accepted by the server's dry-run.
fn planned(state: &mut State) {
    keys(state, "j\nf");
    let view = state.view.clone();
    let Ok(mut plan) = crate::fix::recipes::plan("NET-01", &view.snapshot, &view.assessment.tenants, &"acme".into()) else { return };
    for step in &mut plan.steps {
        step.preview = Some(step.manifest.clone());
    }
    update(state, Msg::Planned("acme".into(), Ok(Box::new(plan))), NOW);
}
