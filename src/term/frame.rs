//! Frames: what differs from the last one is written at once, inside a synchronized update. What does not differ is not written.

use std::io::{self, Write};

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The screen as it is on the terminal.
#[derive(Debug)]
pub struct Frames {
    shown: Buffer,
    next: Buffer,
    synchronized: bool,
    /// The terminal's content is not known: everything must be written.
    dirty: bool,
}

impl Frames {
    /// For a terminal of a size; `synchronized` where it understands DEC mode 2026 or ignores it.
    pub fn new(area: Rect, synchronized: bool) -> Self {
        Self { shown: Buffer::empty(area), next: Buffer::empty(area), synchronized, dirty: true }
    }

    /// The terminal may show anything now: the next frame is written whole.
    pub fn forget(&mut self) {
        self.dirty = true;
    }

    /// Draws a frame and writes what changed to `out` in one piece. Returns how many bytes were written: none when nothing changed.
    pub fn draw(&mut self, area: Rect, out: &mut impl Write, paint: impl FnOnce(Rect, &mut Buffer)) -> io::Result<usize> {
        if self.next.area != area {
            self.next.resize(area);
            self.shown.resize(area);
            self.dirty = true;
        }
        self.next.reset();
        paint(area, &mut self.next);
        let mut bytes = Vec::new();
        if self.synchronized {
            queue!(bytes, BeginSynchronizedUpdate)?;
        }
        let before = bytes.len();
        {
            let mut backend = CrosstermBackend::new(&mut bytes);
            if self.dirty {
                backend.clear()?;
                self.shown.reset();
            }
            let updates = self.shown.diff(&self.next);
            if !updates.is_empty() {
                backend.draw(updates.into_iter())?;
            }
        }
        if bytes.len() == before {
            return Ok(0);
        }
        if self.synchronized {
            queue!(bytes, EndSynchronizedUpdate)?;
        }
        out.write_all(&bytes)?;
        out.flush()?;
        self.dirty = false;
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(bytes.len())
    }

    /// What is on the terminal.
    pub const fn shown(&self) -> &Buffer {
        &self.shown
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn an_unchanged_frame_writes_nothing() {
        let area = Rect::new(0, 0, 20, 2);
        let mut frames = Frames::new(area, true);
        let mut out = Vec::new();
        let paint = |_: Rect, buffer: &mut Buffer| {
            buffer.set_string(0, 0, "acme HOLDS", Style::default());
        };
        assert!(frames.draw(area, &mut out, paint).unwrap() > 0);
        let first = out.len();
        assert_eq!(frames.draw(area, &mut out, paint).unwrap(), 0);
        assert_eq!(out.len(), first, "not a byte");
    }

    #[test]
    fn a_frame_is_one_synchronized_piece() {
        let area = Rect::new(0, 0, 20, 1);
        let mut out = Vec::new();
        Frames::new(area, true)
            .draw(area, &mut out, |_, b| {
                b.set_string(0, 0, "x", Style::default());
            })
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("\x1b[?2026h") && text.ends_with("\x1b[?2026l"), "{text:?}");
    }

    #[test]
    fn a_small_change_writes_little() {
        let area = Rect::new(0, 0, 120, 40);
        let mut frames = Frames::new(area, true);
        let mut out = Vec::new();
        frames
            .draw(area, &mut out, |_, b| {
                b.set_string(0, 0, "a", Style::default());
            })
            .unwrap();
        let bytes = frames
            .draw(area, &mut out, |_, b| {
                b.set_string(0, 0, "b", Style::default());
            })
            .unwrap();
        assert!(bytes < 64, "{bytes}");
    }
}
