//! The pictures in `screenshots/` are what the program draws now. `UPDATE_SHOTS=1` writes them anew.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use partywall::shot::{scenes, svg, text};

#[test]
fn screenshots_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    let update = std::env::var_os("UPDATE_SHOTS").is_some();
    let mut stale = Vec::new();
    let mut known = Vec::new();
    for scene in scenes() {
        let (buf, theme) = scene.render().unwrap();
        for (ending, content) in [("svg", svg(&buf, &theme)), ("txt", text(&buf))] {
            let name = format!("{}.{ending}", scene.name);
            let path = folder.join(&name);
            if update {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, &content).unwrap();
            } else if std::fs::read_to_string(&path).ok().as_deref() != Some(content.as_str()) {
                stale.push(name.clone());
            }
            known.push(name);
        }
    }
    let there = std::fs::read_dir(&folder).unwrap().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let foreign: Vec<_> = there.filter(|name| !known.contains(name)).collect();
    assert!(stale.is_empty(), "out of date: {stale:?}; UPDATE_SHOTS=1 cargo test --test shots writes them");
    assert!(foreign.is_empty(), "no scene makes these: {foreign:?}");
}
