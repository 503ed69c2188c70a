//! Splits a body into lines.

/// More than this without a line's end is no watch: the server caps objects far below.
const LONGEST: usize = 64 << 20;

/// Collects frames and hands out whole lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    buffer: Vec<u8>,
    /// Handed out so far.
    start: usize,
    /// Known to hold no line's end before here.
    searched: usize,
}

/// A line without end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Lines {
    /// Adds a frame.
    pub(super) fn push(&mut self, frame: &[u8]) -> Result<(), TooLong> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        if self.buffer.len() + frame.len() > LONGEST {
            return Err(TooLong);
        }
        if self.buffer.is_empty() && self.buffer.capacity() > 1 << 20 {
            // one huge object must not keep its room for ever
            self.buffer = Vec::new();
        }
        self.buffer.extend_from_slice(frame);
        Ok(())
    }

    /// The next whole line, without its end.
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        let rest = self.buffer.get(self.searched..)?;
        let Some(at) = rest.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            return None;
        };
        let (from, to) = (self.start, self.searched + at);
        self.start = to + 1;
        self.searched = self.start;
        self.buffer.get(from..to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_whole_however_they_are_cut() {
        let text = b"one\ntwo\n\nthree\nrest";
        for size in 1..=text.len() {
            let mut lines = Lines::default();
            let mut out = Vec::new();
            for frame in text.chunks(size) {
                lines.push(frame).unwrap();
                while let Some(line) = lines.next() {
                    out.push(line.to_vec());
                }
            }
            assert_eq!(out, [&b"one"[..], b"two", b"", b"three"], "frames of {size}");
        }
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let mut lines = Lines::default();
        let frame = vec![b'x'; 16 << 20];
        let tries = (0..5).map(|_| lines.push(&frame)).find(Result::is_err);
        assert_eq!(tries, Some(Err(TooLong)));
    }
}
