//! The clipboard over the terminal itself (OSC 52), which also works through SSH; never a display server of the wrong machine.

use std::io::{self, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// Terminals cut longer sequences.
const LONGEST: usize = 74_000;

/// Puts a text on the clipboard; says no when it is too long for a terminal.
pub fn copy(out: &mut impl Write, text: &str, inside_tmux: bool) -> io::Result<bool> {
    let coded = BASE64_STANDARD.encode(text);
    if coded.len() > LONGEST {
        return Ok(false);
    }
    if inside_tmux {
        write!(out, "\x1bPtmux;\x1b\x1b]52;c;{coded}\x07\x1b\\")?;
    } else {
        write!(out, "\x1b]52;c;{coded}\x07")?;
    }
    out.flush()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_coded_so_that_it_cannot_end_the_sequence() {
        let mut out = Vec::new();
        assert!(copy(&mut out, "a\x07b\x1b", false).unwrap());
        assert_eq!(String::from_utf8(out).unwrap().matches('\u{7}').count(), 1);
    }

    #[test]
    fn too_long_a_text_is_refused() {
        let mut out = Vec::new();
        assert!(!copy(&mut out, &"x".repeat(100_000), false).unwrap());
        assert!(out.is_empty());
    }
}
