//! The grammar of HCL 1: keys, then `=` and a value or a block in braces. Commas between items are optional, line ends mean nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::lexer::{Kind, Lexer, Token};
use super::literal;
use super::policy::Refused;
use super::tree::{DEEPEST, Item, Key, Literal, Val, too_deep};

struct Parser<'a> {
    lexer: Lexer<'a>,
    ahead: Option<Token<'a>>,
    /// Whether an attribute given twice in one block is an error.
    once: bool,
}

/// The items of a policy in HCL. With `once` an attribute given twice is refused. O(length).
pub(super) fn parse(text: &str, once: bool) -> Result<Vec<Item<'_>>, Refused> {
    let mut parser = Parser { lexer: Lexer::new(text)?, ahead: None, once };
    parser.items(false, 0)
}

impl<'a> Parser<'a> {
    fn peek(&mut self) -> Result<Token<'a>, Refused> {
        match self.ahead {
            Some(token) => Ok(token),
            None => Ok(*self.ahead.insert(self.lexer.token()?)),
        }
    }

    fn take(&mut self) -> Result<Token<'a>, Refused> {
        let token = self.peek()?;
        self.ahead = None;
        Ok(token)
    }

    fn items(&mut self, inside: bool, depth: usize) -> Result<Vec<Item<'a>>, Refused> {
        let mut items = Vec::new();
        let mut seen = BTreeSet::new();
        while !(inside && self.peek()?.kind == Kind::Close) {
            let Some((item, assigned)) = self.item(depth)? else { break };
            for key in item.keys.iter().filter(|_| self.once && assigned) {
                if !seen.insert(key.raw) {
                    return Err(Refused::at(key.line, &format!("the argument {} was already set", key.raw)));
                }
            }
            items.push(item);
            if self.peek()?.kind == Kind::Comma {
                self.take()?;
            }
        }
        Ok(items)
    }

    /// One item, and whether it is given with `=`. None at the end of the text, which may even come between `=` and the value.
    fn item(&mut self, depth: usize) -> Result<Option<(Item<'a>, bool)>, Refused> {
        let mut keys: Vec<Key<'a>> = Vec::new();
        loop {
            let token = self.take()?;
            match token.kind {
                Kind::Ident | Kind::Text => keys.push(key(token)),
                Kind::End if keys.is_empty() => return Ok(None),
                Kind::Assign if keys.len() == 1 => {
                    let first = self.take()?;
                    if first.kind == Kind::End {
                        return Ok(None);
                    }
                    let val = self.value(first, depth)?;
                    return Ok(Some((Item { keys, val }, true)));
                }
                Kind::Open if !keys.is_empty() => return Ok(Some((Item { keys, val: self.object(token.line, depth)? }, false))),
                Kind::Assign if keys.is_empty() => return Err(Refused::at(token.line, "no object keys found")),
                Kind::Assign => return Err(Refused::at(token.line, "expected { behind several keys, got =")),
                Kind::End | Kind::Close if !keys.is_empty() => {
                    let named: Vec<&str> = keys.iter().take(4).map(|key| key.raw).collect();
                    let line = keys.first().map_or(token.line, |key| key.line);
                    return Err(Refused::at(
                        line,
                        &format!("key '{}' expected start of object ('{{') or assignment ('=')", named.join(" ")),
                    ));
                }
                other => return Err(Refused::at(token.line, &format!("expected a key, = or {{, got {}", other.word()))),
            }
        }
    }

    fn value(&mut self, token: Token<'a>, depth: usize) -> Result<Val<'a>, Refused> {
        match token.kind {
            Kind::Number | Kind::Float | Kind::Bool | Kind::Text | Kind::Heredoc => Ok(literal_of(token)),
            Kind::Open => self.object(token.line, depth),
            Kind::OpenList => self.list(token.line, depth),
            other => Err(Refused::at(token.line, &format!("expected a value, got {}", other.word()))),
        }
    }

    /// Behind the brace that opens.
    fn object(&mut self, line: u32, depth: usize) -> Result<Val<'a>, Refused> {
        if depth >= DEEPEST {
            return Err(too_deep(line));
        }
        let items = self.items(true, depth.saturating_add(1))?;
        let end = self.take()?;
        if end.kind == Kind::Close { Ok(Val::Object(items)) } else { Err(Refused::at(line, "an object that is not closed")) }
    }

    /// Behind the bracket that opens. Commas may be repeated; only behind a list in a list one may be missing.
    fn list(&mut self, line: u32, depth: usize) -> Result<Val<'a>, Refused> {
        if depth >= DEEPEST {
            return Err(too_deep(line));
        }
        let mut list = Vec::new();
        let mut comma = false;
        loop {
            let token = self.take()?;
            match token.kind {
                Kind::Comma => comma = false,
                Kind::CloseList => return Ok(Val::List(list)),
                other if comma => {
                    return Err(Refused::at(token.line, &format!("error parsing list, expected comma or list end, got {}", other.word())));
                }
                Kind::Number | Kind::Float | Kind::Bool | Kind::Text | Kind::Heredoc => {
                    list.push(literal_of(token));
                    comma = true;
                }
                Kind::Open => {
                    list.push(self.object(token.line, depth.saturating_add(1))?);
                    comma = true;
                }
                Kind::OpenList => list.push(self.list(token.line, depth.saturating_add(1))?),
                other => return Err(Refused::at(token.line, &format!("unexpected {} in a list", other.word()))),
            }
        }
    }
}

fn key(token: Token<'_>) -> Key<'_> {
    let plain = token.kind == Kind::Ident;
    let value = if plain { Some(Cow::Borrowed(token.text)) } else { literal::unquote(token.text) };
    Key { raw: token.text, value, plain, line: token.line }
}

fn literal_of(token: Token<'_>) -> Val<'_> {
    Val::Literal(Literal { kind: token.kind, raw: token.text, json: false })
}
