//! HCL 1 as policies are written: a lexer and a recursive-descent reader. Commas are optional, newlines mean nothing.

use std::iter::Peekable;
use std::str::Chars;

use super::rule::{Draft, PathRule, Unreadable};

/// Deeper nesting than this is refused.
const DEEPEST: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Number,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Equals,
    End,
}

struct Lexer<'a> {
    chars: Peekable<Chars<'a>>,
    line: usize,
}

impl Lexer<'_> {
    fn fail<T>(&self, what: &str) -> Result<T, Unreadable> {
        Err(Unreadable::new(self.line, what))
    }

    fn take(&mut self) -> Option<char> {
        let c = self.chars.next();
        self.line += usize::from(c == Some('\n'));
        c
    }

    fn token(&mut self) -> Result<Token, Unreadable> {
        loop {
            match self.take() {
                None => return Ok(Token::End),
                Some(c) if c.is_whitespace() || c == '\u{feff}' => {}
                Some('#') => self.skip_line(),
                Some('/') => match self.take() {
                    Some('/') => self.skip_line(),
                    Some('*') => self.skip_block()?,
                    _ => return self.fail("a stray /"),
                },
                Some('{') => return Ok(Token::Open),
                Some('}') => return Ok(Token::Close),
                Some('[') => return Ok(Token::OpenList),
                Some(']') => return Ok(Token::CloseList),
                Some(',') => return Ok(Token::Comma),
                Some('=') => return Ok(Token::Equals),
                Some('"') => return self.text(),
                Some('<') => return self.fail("a heredoc"),
                Some(c) if c.is_ascii_digit() || c == '-' => return Ok(self.number()),
                Some(c) if c.is_alphabetic() || c == '_' => return Ok(self.word(c)),
                Some(c) => return self.fail(&format!("an unexpected {c:?}")),
            }
        }
    }

    fn skip_line(&mut self) {
        while !matches!(self.take(), None | Some('\n')) {}
    }

    fn skip_block(&mut self) -> Result<(), Unreadable> {
        loop {
            match self.take() {
                None => return self.fail("a comment that does not end"),
                Some('*') if self.chars.peek() == Some(&'/') => {
                    self.take();
                    return Ok(());
                }
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Token {
        while self.chars.peek().is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-')) {
            self.take();
        }
        Token::Number
    }

    fn word(&mut self, first: char) -> Token {
        let mut word = String::from(first);
        while let Some(c) = self.chars.peek().copied().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) {
            word.push(c);
            self.take();
        }
        Token::Word(word)
    }

    fn text(&mut self) -> Result<Token, Unreadable> {
        let mut text = String::new();
        loop {
            match self.take() {
                None | Some('\n') => return self.fail("a text that does not end on its line"),
                Some('"') => return Ok(Token::Text(text)),
                Some('$') if self.chars.peek() == Some(&'{') => return self.fail("an interpolation"),
                Some('\\') => text.push(self.escape()?),
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Unreadable> {
        match self.take() {
            Some('n') => Ok('\n'),
            Some('t') => Ok('\t'),
            Some('r') => Ok('\r'),
            Some(c @ ('"' | '\\')) => Ok(c),
            Some('x') => self.digits(2, 16, 0),
            Some('u') => self.digits(4, 16, 0),
            Some('U') => self.digits(8, 16, 0),
            Some(c @ '0'..='7') => self.digits(2, 8, c.to_digit(8).unwrap_or(0)),
            _ => self.fail("an unknown escape"),
        }
    }

    fn digits(&mut self, count: usize, base: u32, start: u32) -> Result<char, Unreadable> {
        let mut value = start;
        for _ in 0..count {
            let Some(digit) = self.take().and_then(|c| c.to_digit(base)) else { return self.fail("an escape cut short") };
            value = value.saturating_mul(base).saturating_add(digit);
        }
        char::from_u32(value).map_or_else(|| self.fail("an escape that is no character"), Ok)
    }
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    ahead: Token,
}

/// The rules of a policy in HCL 1.
pub(super) fn read(text: &str) -> Result<Vec<PathRule>, Unreadable> {
    let mut lexer = Lexer { chars: text.chars().peekable(), line: 1 };
    let ahead = lexer.token()?;
    let mut reader = Reader { lexer, ahead };
    let mut rules = Vec::new();
    while reader.ahead != Token::End {
        reader.item(&mut rules)?;
    }
    Ok(rules)
}

impl Reader<'_> {
    fn fail<T>(&self, what: &str) -> Result<T, Unreadable> {
        self.lexer.fail(what)
    }

    fn next(&mut self) -> Result<Token, Unreadable> {
        let ahead = self.lexer.token()?;
        Ok(std::mem::replace(&mut self.ahead, ahead))
    }

    fn comma(&mut self) -> Result<(), Unreadable> {
        if self.ahead == Token::Comma {
            self.next()?;
        }
        Ok(())
    }

    /// A top-level item: `path "..." { }` or `name = "..."`.
    fn item(&mut self, rules: &mut Vec<PathRule>) -> Result<(), Unreadable> {
        let line = self.lexer.line;
        let (Token::Word(key) | Token::Text(key)) = self.next()? else { return self.fail("expected path \"...\"") };
        match (key.as_str(), &self.ahead) {
            ("name", Token::Equals) => {
                self.next()?;
                self.value(0)?;
            }
            ("path", Token::Text(_)) => {
                let Token::Text(label) = self.next()? else { return self.fail("expected a pattern") };
                rules.push(self.block(&label, line)?);
            }
            // a block without a label is a rule for the path `path`: nobody means that
            ("path", _) => return self.fail("a path block without a pattern in quotes"),
            (other, _) => return self.fail(&format!("unknown key \"{other}\"")),
        }
        self.comma()
    }

    fn block(&mut self, label: &str, line: usize) -> Result<PathRule, Unreadable> {
        if self.next()? != Token::Open {
            return self.fail("expected {");
        }
        let mut draft = Draft::default();
        loop {
            let at = self.lexer.line;
            let key = match self.next()? {
                Token::Close => return draft.rule(label, line),
                Token::Word(key) | Token::Text(key) => key,
                _ => return self.fail("expected a key or }"),
            };
            draft.key(&key, at)?;
            self.attribute(&key, &mut draft)?;
            self.comma()?;
        }
    }

    fn attribute(&mut self, key: &str, draft: &mut Draft) -> Result<(), Unreadable> {
        match (key, &self.ahead) {
            ("capabilities", Token::Equals) => {
                self.next()?;
                self.words(draft)
            }
            ("policy", Token::Equals) => {
                self.next()?;
                let line = self.lexer.line;
                match self.next()? {
                    Token::Text(word) => draft.legacy(&word, line),
                    _ => self.fail("expected a text"),
                }
            }
            ("capabilities" | "policy", _) => self.fail("expected ="),
            (_, Token::Equals) => {
                self.next()?;
                self.value(0)
            }
            (_, Token::Open) => self.value(0),
            _ => self.fail("expected = or {"),
        }
    }

    fn words(&mut self, draft: &mut Draft) -> Result<(), Unreadable> {
        if self.next()? != Token::OpenList {
            return self.fail("expected a list of capabilities");
        }
        loop {
            let line = self.lexer.line;
            match self.next()? {
                Token::CloseList => return Ok(()),
                Token::Text(word) => draft.capability(&word, line)?,
                _ => return self.fail("expected a capability in quotes"),
            }
            match self.ahead {
                Token::Comma => {
                    self.next()?;
                }
                Token::CloseList => {}
                _ => return self.fail("expected a comma or ]"),
            }
        }
    }

    /// Any value, thrown away.
    fn value(&mut self, depth: usize) -> Result<(), Unreadable> {
        if depth > DEEPEST {
            return self.fail("nested too deeply");
        }
        match self.next()? {
            Token::Text(_) | Token::Number => Ok(()),
            Token::Word(word) if matches!(word.as_str(), "true" | "false") => Ok(()),
            Token::OpenList => {
                while self.ahead != Token::CloseList {
                    self.value(depth + 1)?;
                    self.comma()?;
                }
                self.next().map(drop)
            }
            Token::Open => {
                while self.ahead != Token::Close {
                    self.entry(depth + 1)?;
                    self.comma()?;
                }
                self.next().map(drop)
            }
            _ => self.fail("expected a value"),
        }
    }

    /// `key = value`, `key { }` or `key "label" { }` inside a value.
    fn entry(&mut self, depth: usize) -> Result<(), Unreadable> {
        let mut keys = 0;
        while matches!(self.ahead, Token::Word(_) | Token::Text(_)) {
            self.next()?;
            keys += 1;
        }
        match (&self.ahead, keys) {
            (Token::Equals, 1) => {
                self.next()?;
                self.value(depth)
            }
            (Token::Open, 1..=4) => self.value(depth),
            _ => self.fail("expected = or {"),
        }
    }
}
