//! Policies in JSON, as the servers' own reader takes them. It is laxer than JSON (what follows the object is not read, a missing end is
//! no error, lists forget `true` and inner brackets) and keeps repeated keys: each of them is a rule.

use super::flatten::flatten;
use super::lexer::Kind;
use super::literal;
use super::policy::Refused;
use super::tree::{DEEPEST, Item, Key, Literal, Val, too_deep};

/// JSON's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    End,
    Scalar(Kind),
    Null,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Colon,
    Stray,
}

#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    sign: Sign,
    text: &'a str,
    line: u32,
}

/// Why reading stopped.
enum Stop {
    /// The end of the text: what was read counts.
    End,
    /// A wrong token: what was read counts if it was a brace that closes.
    Wrong(Refused),
    /// Nothing counts.
    Fatal(Refused),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Fatal(refused)
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    last: Sign,
}

/// Where a text ends; this reader takes a NUL for it.
const END: char = '\0';

/// The items of a policy in JSON, nested objects joined into items with several keys as in `path "a" { }`. O(length).
pub(super) fn parse(text: &str) -> Result<Vec<Item<'_>>, Refused> {
    let mut parser = Parser { text, at: 0, line: 1, last: Sign::End };
    let items = parser.token().map_err(Stop::Fatal).and_then(|open| match open.sign {
        Sign::Open => parser.object(open.line, 0),
        _ => Err(Stop::End),
    });
    match items {
        Ok(items) => flatten(items),
        Err(Stop::End) => Err(Refused::at(parser.line, "expected an object, got the end")),
        Err(Stop::Wrong(refused) | Stop::Fatal(refused)) => Err(refused),
    }
}

impl<'a> Parser<'a> {
    /// Behind the brace that opens.
    fn object(&mut self, line: u32, depth: usize) -> Result<Vec<Item<'a>>, Stop> {
        if depth >= DEEPEST {
            return Err(Stop::Fatal(too_deep(line)));
        }
        let mut items = Vec::new();
        loop {
            match self.item(depth) {
                Ok(item) => items.push(item),
                Err(Stop::End) => break,
                // so a comma before the brace, or a key without a value, is let through
                Err(Stop::Wrong(_)) if self.last == Sign::Close => break,
                Err(stop) => return Err(stop),
            }
            if self.token()?.sign != Sign::Comma {
                break;
            }
        }
        Ok(items)
    }

    fn item(&mut self, depth: usize) -> Result<Item<'a>, Stop> {
        let mut keys: Vec<Key<'a>> = Vec::new();
        loop {
            let token = self.token()?;
            match token.sign {
                Sign::End => return Err(Stop::End),
                Sign::Scalar(Kind::Text) => {
                    keys.push(Key { raw: token.text, value: literal::unquote_json(token.text), plain: true, line: token.line });
                }
                Sign::Colon if !keys.is_empty() => return Ok(Item { keys, val: self.value(depth)? }),
                _ => return Err(wrong(token, "expected a key in quotes")),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Val<'a>, Stop> {
        let token = self.token()?;
        match token.sign {
            Sign::Scalar(_) | Sign::Null => Ok(scalar(token)),
            Sign::Open => self.object(token.line, depth.saturating_add(1)).map(Val::Object),
            Sign::OpenList => self.list(depth),
            Sign::End => Err(Stop::End),
            _ => Err(wrong(token, "expected a value")),
        }
    }

    /// Behind the bracket that opens. The first bracket that closes ends it, however many were opened.
    fn list(&mut self, depth: usize) -> Result<Val<'a>, Stop> {
        let mut list = Vec::new();
        loop {
            let token = self.token()?;
            match token.sign {
                Sign::Comma | Sign::OpenList | Sign::Scalar(Kind::Bool) => {}
                Sign::Scalar(_) => list.push(scalar(token)),
                Sign::Open => list.push(Val::Object(self.object(token.line, depth.saturating_add(1))?)),
                Sign::CloseList => return Ok(Val::List(list)),
                _ => return Err(wrong(token, "unexpected token in a list")),
            }
        }
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
        if self.at < self.text.len() {
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

    fn token(&mut self) -> Result<Token<'a>, Refused> {
        self.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        let (start, line) = (self.at, self.line);
        let sign = match self.take() {
            END => Sign::End,
            '{' => Sign::Open,
            '}' => Sign::Close,
            '[' => Sign::OpenList,
            ']' => Sign::CloseList,
            ',' => Sign::Comma,
            ':' => Sign::Colon,
            '"' => self.string(line)?,
            '.' => self.point(),
            '-' if self.peek().is_ascii_digit() => {
                let first = self.take();
                self.number(first)?
            }
            c if c.is_ascii_digit() => self.number(c)?,
            c if c.is_ascii_alphabetic() => {
                self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || !c.is_ascii() && c.is_alphanumeric());
                match self.text.get(start..self.at) {
                    Some("true" | "false") => Sign::Scalar(Kind::Bool),
                    Some("null") => Sign::Null,
                    _ => return Err(Refused::at(line, "a bare word in JSON")),
                }
            }
            c => return Err(Refused::at(line, &format!("illegal character {c:?}"))),
        };
        self.last = sign;
        Ok(Token { sign, text: self.text.get(start..self.at).unwrap_or_default(), line })
    }

    fn string(&mut self, begun: u32) -> Result<Sign, Refused> {
        loop {
            match self.take() {
                END | '\n' => return Err(Refused::at(begun, "literal not terminated")),
                '"' => return Ok(Sign::Scalar(Kind::Text)),
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
            _ => return Err(Refused::at(self.line, "illegal char escape")),
        };
        for _ in 0..count {
            if !self.peek().is_digit(base) {
                return Err(Refused::at(self.line, "illegal char escape"));
            }
            self.take();
        }
        Ok(())
    }

    /// A number whose first digit is taken.
    fn number(&mut self, first: char) -> Result<Sign, Refused> {
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit());
        match self.peek() {
            'e' | 'E' => self.exponent(),
            '.' => {
                self.take();
                self.take_while(|c| c.is_ascii_digit());
                if matches!(self.peek(), 'e' | 'E') {
                    self.exponent();
                }
            }
            // a zero that ends the text counts as one with more behind it
            c if first == '0' && (self.at != start || c == END) => return Err(Refused::at(self.line, "numbers cannot start with 0")),
            _ => return Ok(Sign::Scalar(Kind::Number)),
        }
        Ok(Sign::Scalar(Kind::Float))
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
    fn point(&mut self) -> Sign {
        if !self.peek().is_ascii_digit() {
            return Sign::Stray;
        }
        self.take_while(|c| c.is_ascii_digit());
        if matches!(self.peek(), 'e' | 'E') {
            self.take();
        }
        Sign::Scalar(Kind::Float)
    }
}

fn scalar(token: Token<'_>) -> Val<'_> {
    // null is the empty text
    let (kind, raw) = match token.sign {
        Sign::Scalar(kind) => (kind, token.text),
        _ => (Kind::Text, ""),
    };
    Val::Literal(Literal { kind, raw, json: true })
}

fn wrong(token: Token<'_>, what: &str) -> Stop {
    Stop::Wrong(Refused::at(token.line, what))
}
