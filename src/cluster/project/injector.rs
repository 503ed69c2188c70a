//! The agent injector's annotations (`spec/vault.md` 7.3): role, place, and the paths it is asked for, also those inside of templates. Of a
//! template nothing else is kept.

use std::borrow::Cow;

use super::meta::name;
use crate::cluster::wire::lean::{Field, Str};
use crate::model::consumer::InjectorFact;
use crate::model::ids::Name;
use crate::model::intern::Interner;

/// Annotations that make the agent ask for more than is written here: settings from elsewhere.
const OPAQUE: [&str; 1] = ["agent-configmap"];
/// The same, where they say yes: the token itself is handed over.
const OPAQUE_IF: [&str; 2] = ["agent-inject-token", "agent-cache-use-auto-auth-token"];
/// The same, by the beginning of their name: templates from elsewhere, or with other delimiters.
const OPAQUE_LIKE: [&str; 3] = ["agent-inject-template-file-", "agent-template-left-delim-", "agent-template-right-delim-"];
/// A path to fetch, and a template, by the beginning of their name.
const SECRET: &str = "agent-inject-secret-";
const TEMPLATE: &str = "agent-inject-template-";
/// Functions of a template that ask Vault; their first argument is the path.
const ASKING: [&str; 3] = ["secret", "secrets", "pkiCert"];

/// The fact; none where injection is not asked for.
pub(super) fn fact(noted: &[(Cow<'_, str>, Field<Str<'_>>)], interner: &mut Interner) -> Option<InjectorFact> {
    let asked = noted.iter().any(|(key, value)| key == "agent-inject" && yes(value.text()));
    if !asked {
        return None;
    }
    let mut fact = InjectorFact::default();
    let mut paths = Vec::new();
    for (key, value) in noted {
        if value.is_odd() {
            fact.opaque = true;
            continue;
        }
        take(key, value.text(), &mut fact, &mut paths, interner);
    }
    paths.sort_unstable();
    paths.dedup();
    fact.paths = paths.into_boxed_slice();
    Some(fact)
}

/// What one annotation says.
fn take(key: &str, value: &str, fact: &mut InjectorFact, paths: &mut Vec<Name>, interner: &mut Interner) {
    let mut said = |slot: &mut Name, opaque: &mut bool| {
        let value = name(value, interner);
        // two injectors that disagree: who is asked, and as whom, can't be told
        *opaque |= !slot.is_empty() && *slot != value;
        *slot = value;
    };
    match key {
        "role" => {
            let mut role = fact.role.take().unwrap_or_else(|| "".into());
            said(&mut role, &mut fact.opaque);
            fact.role = Some(role).filter(|role| !role.is_empty());
        }
        "auth-path" => said(&mut fact.auth_path, &mut fact.opaque),
        "namespace" => said(&mut fact.vault_namespace, &mut fact.opaque),
        "service" => said(&mut fact.service, &mut fact.opaque),
        "tls-skip-verify" => fact.skip_tls |= yes(value),
        _ if OPAQUE_IF.contains(&key) => fact.opaque |= yes(value),
        _ if OPAQUE.contains(&key) || OPAQUE_LIKE.iter().any(|like| key.starts_with(like)) => fact.opaque |= !value.is_empty(),
        _ if key.starts_with(TEMPLATE) => fact.opaque |= !in_template(value, |path| paths.push(name(path, interner))),
        _ if key.starts_with(SECRET) && !value.is_empty() => paths.push(name(value, interner)),
        _ => {}
    }
}

/// A truth value as Go's `strconv.ParseBool` reads it.
fn yes(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True")
}

/// Hands the paths that a template asks for to `sink`; false where it may ask for others. O(length).
fn in_template(text: &str, mut sink: impl FnMut(&str)) -> bool {
    let mut followed = true;
    let mut rest = text;
    while let Some((_, action)) = rest.split_once("{{") {
        let mut tokens = Tokens(action);
        let mut asking = false;
        loop {
            match tokens.next() {
                Token::Word(word) => {
                    // a path that is computed
                    followed &= !asking;
                    asking = ASKING.contains(&word);
                }
                Token::Text(path) => {
                    if asking && !path.contains('\\') {
                        sink(path.split_once('?').map_or(path, |(path, _)| path));
                    } else {
                        followed &= !asking;
                    }
                    asking = false;
                }
                Token::Other => {
                    followed &= !asking;
                    asking = false;
                }
                Token::End => {
                    followed &= !asking;
                    break;
                }
                Token::Broken => return false,
            }
        }
        rest = tokens.0;
    }
    followed
}

/// A part of an action, as Go's template language has them.
enum Token<'a> {
    /// The name of a function or a keyword.
    Word(&'a str),
    /// A text, without its quotes.
    Text(&'a str),
    /// Anything else: a variable, a field, a number, a bracket, a pipe.
    Other,
    /// The action's end.
    End,
    /// No end.
    Broken,
}

/// What is left of an action and of the text behind it.
struct Tokens<'a>(&'a str);

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Token<'a> {
        let text = self.0.trim_start();
        let Some(first) = text.chars().next() else {
            self.0 = text;
            return Token::Broken;
        };
        if let Some(rest) = text.strip_prefix("-}}").or_else(|| text.strip_prefix("}}")) {
            self.0 = rest;
            return Token::End;
        }
        if let Some(comment) = text.strip_prefix("/*") {
            let Some((_, rest)) = comment.split_once("*/") else { return self.broken() };
            self.0 = rest;
            return Token::Other;
        }
        let (length, token) = match first {
            '"' | '`' => match quoted(text, first) {
                Some(length) => (length, Token::Text(text.get(1..length.saturating_sub(1)).unwrap_or_default())),
                None => return self.broken(),
            },
            c if c.is_alphabetic() || c == '_' => {
                let length = word(text);
                (length, Token::Word(text.get(..length).unwrap_or_default()))
            }
            // a field or a variable with its name
            '.' | '$' => (1 + text.get(1..).map_or(0, word), Token::Other),
            c => (c.len_utf8(), Token::Other),
        };
        self.0 = text.get(length..).unwrap_or_default();
        token
    }

    fn broken(&mut self) -> Token<'a> {
        self.0 = "";
        Token::Broken
    }
}

/// Bytes of the name that a text begins with.
fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// Bytes of the quoted text at the beginning, quotes included; none without end.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(template: &str) -> (Vec<String>, bool) {
        let mut paths = Vec::new();
        let followed = in_template(template, |path| paths.push(path.to_owned()));
        (paths, followed)
    }

    fn of(pairs: &[(&str, &str)]) -> Option<InjectorFact> {
        let noted: Vec<_> = pairs.iter().map(|(key, value)| (Cow::Borrowed(*key), Field::Is(Str(Cow::Borrowed(*value))))).collect();
        fact(&noted, &mut Interner::default())
    }

    #[test]
    fn paths_are_found_in_templates() {
        for (template, paths) in [
            ("{{ with secret \"secret/data/a\" }}{{ .Data.data.x }}{{ end }}", vec!["secret/data/a"]),
            ("{{- with secret \"a\" \"ttl=1h\" -}}x{{- end -}}{{range secrets `b/`}}{{.}}{{end}}", vec!["a", "b/"]),
            ("{{ with pkiCert \"pki/issue/x\" \"common_name=a\" }}{{ .Data.Cert }}{{ end }}", vec!["pki/issue/x"]),
            ("{{ with secret \"a?version=2\" }}{{ end }}", vec!["a"]),
            ("secret \"outside\" {{/* secret \"comment\" */}} {{ \"secret\" }} {{ .secret }} {{ $secret }}", vec![]),
            ("{{ $x := secret \"a\" }}{{ if \"}}\" }}{{ secret \"b\" }}{{ end }}", vec!["a", "b"]),
            ("no action at all", vec![]),
        ] {
            assert_eq!(read(template), (paths.into_iter().map(str::to_owned).collect(), true), "{template}");
        }
    }

    #[test]
    fn what_cannot_be_followed_is_told() {
        for template in [
            "{{ with secret (printf \"a/%s\" .x) }}{{ end }}",
            "{{ with secret $path }}{{ end }}",
            "{{ secret .Path }}",
            "{{ \"a\" | secret }}",
            "{{ secret \"a\\u0062\" }}",
            "{{ with secret \"a",
            "{{ with secret \"a\"",
            "{{ secret }}",
            "{{ secret env \"X\" }}",
            "{{ /* no end",
            "{{",
        ] {
            assert!(!read(template).1, "{template}");
        }
    }

    #[test]
    fn ten_megabytes_of_braces_take_no_time_and_no_stack() {
        for template in ["{{".repeat(5 << 20), "{{ \"".repeat(2 << 20), "{{ secret ".repeat(1 << 20), "\u{1b}{{é".repeat(1 << 20)] {
            read(&template);
        }
    }

    #[test]
    fn the_annotations_say_as_whom_and_what() {
        let all = [
            ("agent-inject", "true"),
            ("role", "acme"),
            ("auth-path", "auth/kubernetes-b"),
            ("namespace", "team"),
            ("service", "https://vault:8200"),
            ("tls-skip-verify", "1"),
            ("agent-inject-secret-db", "secret/data/acme/db"),
            ("agent-inject-template-db", "{{ with secret \"secret/data/globex/db\" }}{{ end }}"),
            ("agent-limits-cpu", "500m"),
        ];
        let fact = of(&all).unwrap();
        assert_eq!(fact.role.as_deref(), Some("acme"));
        assert_eq!((&*fact.auth_path, &*fact.vault_namespace, &*fact.service), ("auth/kubernetes-b", "team", "https://vault:8200"));
        assert_eq!(fact.paths.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["secret/data/acme/db", "secret/data/globex/db"]);
        assert!(fact.skip_tls && !fact.opaque);
        assert_eq!(of(&[("role", "acme")]), None, "nothing is injected");
        assert_eq!(of(&[("agent-inject", "no"), ("role", "acme")]), None);
    }

    #[test]
    fn what_hides_its_paths_is_opaque() {
        for (key, value, opaque) in [
            ("agent-configmap", "settings", true),
            ("agent-inject-token", "true", true),
            ("agent-inject-token", "false", false),
            ("agent-inject-template-file-x", "/etc/x", true),
            ("agent-template-left-delim-x", "[[", true),
            ("role", "other", true),
            ("role", "acme", false),
        ] {
            let fact = of(&[("agent-inject", "true"), ("role", "acme"), (key, value)]).unwrap();
            assert_eq!(fact.opaque, opaque, "{key}");
        }
    }
}
