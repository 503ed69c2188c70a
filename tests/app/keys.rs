//! The keymap as a table: no conflicts, nothing undescribed, nothing out of reach.

use std::collections::BTreeSet;

use partywall::app::keymap::{Action, BINDINGS, Danger, Layer, enabled, find, in_force};
use partywall::app::msg::Key;
use partywall::app::state::SCREENS;
use partywall::fix::guard::Mode;

use crate::common::Screen;

fn layers() -> Vec<Layer> {
    SCREENS
        .into_iter()
        .map(Layer::On)
        .chain([Layer::Reading, Layer::Probing, Layer::Planning, Layer::Hearing, Layer::Asking, Layer::Leaving, Layer::Typing])
        .collect()
}

#[test]
fn no_key_means_two_things_in_one_place() {
    for layer in layers() {
        let mut seen: Vec<Key> = Vec::new();
        for binding in BINDINGS.iter().filter(|b| in_force(b, layer)) {
            for key in binding.keys {
                assert!(!seen.contains(key), "{layer:?}: {key:?} twice, at last for {:?}", binding.action);
                seen.push(*key);
                assert_eq!(find(*key, layer), Some(binding.action));
            }
        }
    }
}

#[test]
fn every_binding_is_described_and_has_a_key() {
    for binding in BINDINGS {
        assert!(!binding.keys.is_empty() && !binding.label.is_empty() && !binding.title.is_empty(), "{:?}", binding.action);
        assert!(binding.help.len() >= 4, "{:?}", binding.action);
        assert!(layers().into_iter().any(|layer| in_force(binding, layer)), "{:?} can't be reached", binding.action);
    }
}

#[test]
fn nothing_essential_needs_ctrl() {
    for binding in BINDINGS.iter().filter(|b| !matches!(b.action, Action::Interrupt | Action::Suspend)) {
        assert!(binding.keys.iter().any(|key| !key.ctrl && !key.alt), "{:?}", binding.action);
    }
}

#[test]
fn observe_mode_offers_no_danger_and_says_why() {
    let mut screen = Screen::broken(Mode::Observe);
    let dangerous: BTreeSet<Action> = BINDINGS.iter().filter(|b| b.danger > Danger::Look).map(|b| b.action).collect();
    assert_eq!(dangerous.len(), 5);
    for action in dangerous.into_iter().filter(|a| *a != Action::Accept) {
        let why = enabled(&screen.state, action).unwrap_err();
        assert!(why.contains("observe mode: start with --mode"), "{action:?}: {why}");
    }
    assert!(screen.keys("pPfu").is_empty());
    assert!(screen.says("observe mode: start with --mode fix"), "{}", screen.picture());
}

#[test]
fn probe_mode_offers_probes_but_no_writes() {
    let screen = Screen::broken(Mode::Probe);
    assert!(enabled(&screen.state, Action::Probe).is_ok());
    assert!(enabled(&screen.state, Action::Fix).unwrap_err().contains("probe mode: start with --mode fix"));
}
