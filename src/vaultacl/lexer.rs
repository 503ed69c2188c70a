//! The tokens of HCL 1, as the servers' scanner cuts them: its oddities decide what a policy means, so they are kept.

use std::sync::LazyLock;

use super::policy::Refused;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    End,
    Ident,
    Bool,
    Number,
    Float,
    Text,
    Heredoc,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Assign,
    /// `.`, `+` and `-` by themselves, which no policy can use.
    Stray,
}

impl Kind {
    /// As shown in a refusal.
    pub const fn word(self) -> &'static str {
        match self {
            Self::End => "the end",
            Self::Ident => "a word",
            Self::Bool => "true or false",
            Self::Number | Self::Float => "a number",
            Self::Text => "a text",
            Self::Heredoc => "a heredoc",
            Self::Open => "{",
            Self::Close => "}",
            Self::OpenList => "[",
            Self::CloseList => "]",
            Self::Comma => "a comma",
            Self::Assign => "=",
            Self::Stray => "a stray sign",
        }
    }
}

/// A token: its text as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub line: u32,
}

/// Cuts a text into tokens.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

/// Where a text ends; a real NUL is refused before.
const END: char = '\0';

impl<'a> Lexer<'a> {
    /// Over a text whose line ends are `\n`. Characters that are refused wherever they stand are found here.
    pub fn new(text: &'a str) -> Result<Self, Refused> {
        // U+E123 is the scanner's own mark
        if let Some(at) = text.find('\0').into_iter().chain(text.find('\u{e123}')).min() {
            return Err(Refused::at(lines(text.get(..at).unwrap_or_default()).saturating_add(1), "illegal character"));
        }
        Ok(Self { text, at: 0, line: 1 })
    }

    fn fail<T>(&self, what: &str) -> Result<T, Refused> {
        Err(Refused::at(self.line, what))
    }

    fn peek(&self) -> char {
        match self.text.as_bytes().get(self.at) {
            None => END,
            Some(b) if b.is_ascii() => char::from(*b),
            Some(_) => self.text.get(self.at..).and_then(|rest| rest.chars().next()).unwrap_or(END),
        }
    }

    fn take(&mut self) -> char {
        let c = self.peek();
        if c != END {
            self.at = self.at.saturating_add(c.len_utf8());
            self.line = self.line.saturating_add(u32::from(c == '\n'));
        }
        c
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) {
        while wanted(self.peek()) {
            self.take();
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' => {}
                b'\n' => self.line = self.line.saturating_add(1),
                _ => return,
            }
            self.at = self.at.saturating_add(1);
        }
    }

    /// Up to the end of the line.
    fn skip_line(&mut self) {
        self.at = self.rest().find('\n').map_or(self.text.len(), |length| self.at.saturating_add(length));
    }

    /// Over bytes of which none can end a line or begin a longer character.
    fn skip_bytes(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.text.as_bytes().get(self.at).is_some_and(|byte| wanted(*byte)) {
            self.at = self.at.saturating_add(1);
        }
    }

    /// The next token; comments are skipped.
    pub fn token(&mut self) -> Result<Token<'a>, Refused> {
        loop {
            self.skip_blanks();
            let (start, line) = (self.at, self.line);
            let kind = match self.take() {
                END => Kind::End,
                '#' => {
                    self.skip_line();
                    continue;
                }
                '/' => {
                    self.comment()?;
                    continue;
                }
                '"' => self.string()?,
                '<' => self.heredoc()?,
                '{' => Kind::Open,
                '}' => Kind::Close,
                '[' => Kind::OpenList,
                ']' => Kind::CloseList,
                ',' => Kind::Comma,
                '=' => Kind::Assign,
                '.' => self.point(),
                '-' if self.peek().is_ascii_digit() => {
                    let first = self.take();
                    self.number(first)?
                }
                '+' | '-' => Kind::Stray,
                c if c.is_ascii_digit() => self.number(c)?,
                c if letter(c) => {
                    self.skip_bytes(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
                    self.take_while(|c| letter(c) || digit(c) || c == '-' || c == '.');
                    Kind::Ident
                }
                c => return self.fail(&format!("illegal character {c:?}")),
            };
            let text = self.text.get(start..self.at).unwrap_or_default();
            let kind = if kind == Kind::Ident && matches!(text, "true" | "false") { Kind::Bool } else { kind };
            return Ok(Token { kind, text, line });
        }
    }

    fn comment(&mut self) -> Result<(), Refused> {
        match self.peek() {
            '/' => self.skip_line(),
            '*' => {
                let begun = self.line;
                self.take();
                let rest = self.rest();
                let Some(length) = rest.find("*/") else { return Err(Refused::at(begun, "comment not terminated")) };
                self.line = self.line.saturating_add(lines(rest.get(..length).unwrap_or_default()));
                self.at = self.at.saturating_add(length).saturating_add(2);
            }
            _ => return self.fail("expected '/' for a comment"),
        }
        Ok(())
    }

    /// A number whose first digit is taken.
    fn number(&mut self, first: char) -> Result<Kind, Refused> {
        if first == '0' && matches!(self.peek(), 'x' | 'X') {
            self.take();
            if !self.peek().is_ascii_hexdigit() {
                return self.fail("illegal hexadecimal number");
            }
            self.take_while(|c| c.is_ascii_hexdigit());
            return Ok(Kind::Number);
        }
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit());
        // the first digit behind the zero is not looked at: 08 is cut as a number and fails only where one is wanted
        let octal =
            first != '0' || !self.text.as_bytes().get(start..self.at).unwrap_or_default().iter().skip(1).any(|b| matches!(b, b'8' | b'9'));
        match self.peek() {
            'e' | 'E' => self.exponent(),
            '.' => {
                self.take();
                self.take_while(|c| c.is_ascii_digit());
                if matches!(self.peek(), 'e' | 'E') {
                    self.exponent();
                }
            }
            _ if !octal => return self.fail("illegal octal number"),
            _ => return Ok(Kind::Number),
        }
        Ok(Kind::Float)
    }

    /// From the `e` on. Whatever follows it belongs to the number, digit or not.
    fn exponent(&mut self) {
        self.take();
        let mut c = self.take();
        if matches!(c, '+' | '-') {
            c = self.take();
        }
        if c.is_ascii_digit() {
            self.take_while(|c| c.is_ascii_digit());
        }
    }

    /// A number that begins with a point; its exponent is not read.
    fn point(&mut self) -> Kind {
        if !self.peek().is_ascii_digit() {
            return Kind::Stray;
        }
        self.take_while(|c| c.is_ascii_digit());
        if matches!(self.peek(), 'e' | 'E') {
            self.take();
        }
        Kind::Float
    }

    /// Inside `${ }` neither quotes nor line ends end a text.
    fn string(&mut self) -> Result<Kind, Refused> {
        let begun = self.line;
        let mut braces = 0_usize;
        loop {
            self.skip_bytes(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'$' | b'{' | b'}') || b == b' ');
            match self.take() {
                END => return Err(Refused::at(begun, "literal not terminated")),
                '\n' if braces == 0 => return Err(Refused::at(begun, "literal not terminated")),
                '"' if braces == 0 => return Ok(Kind::Text),
                '$' if braces == 0 && self.peek() == '{' => {
                    self.take();
                    braces = 1;
                }
                '{' if braces > 0 => braces = braces.saturating_add(1),
                '}' if braces > 0 => braces = braces.saturating_sub(1),
                '\\' => self.escape()?,
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Result<(), Refused> {
        let (count, base) = match self.take() {
            'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\' | '"' => return Ok(()),
            '0'..='7' => (2, 8),
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            _ => return self.fail("illegal char escape"),
        };
        for _ in 0..count {
            if !self.peek().is_digit(base) {
                return self.fail("illegal char escape");
            }
            self.take();
        }
        Ok(())
    }

    fn heredoc(&mut self) -> Result<Kind, Refused> {
        let begun = self.line;
        if self.take() != '<' {
            return self.fail("heredoc expected second '<', didn't see it");
        }
        let start = self.at;
        if self.peek() == '-' {
            self.take();
        }
        self.take_while(|c| letter(c) || digit(c));
        if self.peek() == '\r' {
            self.take();
        }
        let anchor = self.text.get(start..self.at).unwrap_or_default();
        match self.take() {
            END => return Err(Refused::at(begun, "heredoc not terminated")),
            '\n' => {}
            _ => return Err(Refused::at(begun, "invalid characters in heredoc anchor")),
        }
        // an anchor that is a carriage return would be any blank line: nobody means that
        let word = anchor.strip_prefix('-').unwrap_or(anchor);
        if word.is_empty() || word.starts_with('\r') {
            return Err(Refused::at(begun, "zero-length heredoc anchor"));
        }
        let mut rest = self.rest();
        while let Some((line, after)) = rest.split_once('\n') {
            self.at = self.at.saturating_add(line.len()).saturating_add(1);
            self.line = self.line.saturating_add(1);
            // the dash of `<<-` counts in the length, so that such an end must be indented
            if line.len() >= anchor.len() && ends_heredoc(line, word) {
                return Ok(Kind::Heredoc);
            }
            rest = after;
        }
        Err(Refused::at(begun, "heredoc not terminated"))
    }
}

fn ends_heredoc(line: &str, word: &str) -> bool {
    let begun = line.trim_start_matches([' ', '\t', '\r', '\u{b}', '\u{c}']);
    begun.strip_prefix(word).is_some_and(|rest| rest.bytes().all(|b| b == b'\r'))
}

fn lines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX)
}

/// Letters beyond ASCII are those of Unicode's category L, digits those of Nd: narrower than the standard library's.
static LETTER: LazyLock<Option<regex::Regex>> = LazyLock::new(|| regex::Regex::new(r"\A\p{L}").ok());
static DIGIT: LazyLock<Option<regex::Regex>> = LazyLock::new(|| regex::Regex::new(r"\A\p{Nd}").ok());

fn of(class: &LazyLock<Option<regex::Regex>>, c: char) -> bool {
    class.as_ref().is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])))
}

fn letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii() && of(&LETTER, c)
}

fn digit(c: char) -> bool {
    c.is_ascii_digit() || !c.is_ascii() && of(&DIGIT, c)
}
