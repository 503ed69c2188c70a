//! As much of HCL 1 as path rules need.

/// One `path` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) pattern: String,
    pub(crate) capabilities: Vec<String>,
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

const KNOWN: [&str; 9] = ["create", "read", "update", "delete", "list", "sudo", "deny", "patch", "scan"];

/// Reads a policy. The error says what the server would not accept.
pub(crate) fn parse(text: &str) -> Result<Vec<Block>, String> {
    let tokens = tokens(text)?;
    let mut rest = tokens.iter().peekable();
    let mut blocks = Vec::new();
    while let Some(token) = rest.next() {
        match token {
            Token::Word(word) | Token::Text(word) if word == "path" => {
                let Some(Token::Text(pattern)) = rest.next() else { return Err("path needs a pattern".into()) };
                if rest.next() != Some(&Token::Sign('{')) {
                    return Err("expected { after the pattern".into());
                }
                blocks.push(Block { pattern: pattern.trim_start_matches('/').to_owned(), capabilities: block(&mut rest)? });
            }
            Token::Word(word) if word == "name" => {
                rest.next();
                rest.next();
            }
            other => return Err(format!("failed to parse policy: invalid key {other:?}")),
        }
    }
    Ok(blocks)
}

fn block<'a>(rest: &mut std::iter::Peekable<impl Iterator<Item = &'a Token>>) -> Result<Vec<String>, String> {
    let mut capabilities = Vec::new();
    loop {
        let key = match rest.next() {
            Some(Token::Sign('}')) => return Ok(capabilities),
            Some(Token::Sign(',')) => continue,
            Some(Token::Word(key) | Token::Text(key)) => key,
            other => return Err(format!("unexpected {other:?} in a path block")),
        };
        if rest.next() != Some(&Token::Sign('=')) {
            return Err(format!("expected = after {key}"));
        }
        let values = values(rest)?;
        match key.as_str() {
            "capabilities" => {
                if let Some(odd) = values.iter().find(|v| !KNOWN.contains(&v.as_str())) {
                    return Err(format!("path: invalid capability {odd:?}"));
                }
                capabilities.extend(values);
            }
            "policy" => capabilities.extend(legacy(values.first().map_or("", String::as_str))),
            "comment" | "min_wrapping_ttl" | "max_wrapping_ttl" | "required_parameters" | "pagination_limit" => {}
            other => return Err(format!("invalid key {other:?}")),
        }
    }
}

/// The old one-word form.
fn legacy(word: &str) -> impl Iterator<Item = String> {
    let list: &[&str] = match word {
        "read" => &["read", "list"],
        "write" => &["create", "read", "update", "delete", "list"],
        "sudo" => &["create", "read", "update", "delete", "list", "sudo"],
        _ => &["deny"],
    };
    list.iter().map(|c| (*c).to_owned())
}

fn values<'a>(rest: &mut std::iter::Peekable<impl Iterator<Item = &'a Token>>) -> Result<Vec<String>, String> {
    match rest.next() {
        Some(Token::Text(one) | Token::Word(one)) => Ok(vec![one.clone()]),
        Some(Token::Sign('[')) => {
            let mut list = Vec::new();
            loop {
                match rest.next() {
                    Some(Token::Sign(']')) => return Ok(list),
                    Some(Token::Sign(',')) => {}
                    Some(Token::Text(one)) => list.push(one.clone()),
                    other => return Err(format!("unexpected {other:?} in a list")),
                }
            }
        }
        other => Err(format!("unexpected {other:?} as a value")),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut list = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '#' => while chars.next().is_some_and(|c| c != '\n') {},
            '/' if chars.peek() == Some(&'/') => while chars.next().is_some_and(|c| c != '\n') {},
            '"' => {
                let mut value = String::new();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => value.extend(chars.next()),
                        Some(c) => value.push(c),
                        None => return Err("literal not terminated".into()),
                    }
                }
                list.push(Token::Text(value));
            }
            '{' | '}' | '[' | ']' | '=' | ',' => list.push(Token::Sign(c)),
            c if c.is_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some(next) = chars.next_if(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) {
                    word.push(next);
                }
                list.push(Token::Word(word));
            }
            c if c.is_whitespace() => {}
            other => return Err(format!("illegal character {other:?}")),
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_policies_of_the_walkthrough_are_read() {
        let text = "# own\npath \"secret/data/web-tenant-acme\"     { capabilities = [\"read\"] }\npath \"a/*\" {\n capabilities = [\"list\", \"read\",]\n}\n";
        let blocks = parse(text).unwrap();
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks[1].capabilities, ["list", "read"]);
        assert!(parse("path \"a\" { capabilites = [\"read\"] }").is_err());
        assert!(parse("path \"a\" { capabilities = [\"fly\"] }").is_err());
    }
}
