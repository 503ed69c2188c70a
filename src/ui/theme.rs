//! Themes: TOML by meaning, four of them built in.

pub mod choose;
pub mod colour;

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::app::role::{ROLES, Role};

/// The themes that come with the program, in the order of `t`.
pub const BUILT_IN: [(&str, &str); 4] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("ansi16", include_str!("../../themes/ansi16.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// A style for every role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Name.
    pub name: String,
    /// Dark or light.
    pub light: bool,
    styles: Vec<Style>,
}

/// Why a theme can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// No such theme.
    #[error("no theme {0:?}: there are {known}, or give a path to a TOML file", known = names().collect::<Vec<_>>().join(", "))]
    Unknown(String),
    /// Not TOML, or not our tables.
    #[error("theme: {0}")]
    Syntax(String),
    /// A style that can't be read.
    #[error("theme {theme}: role {role}: {what}")]
    Style {
        /// The theme.
        theme: String,
        /// The role.
        role: String,
        /// What is wrong.
        what: String,
    },
    /// Roles without a style.
    #[error("theme {theme}: no style for {roles}")]
    Missing {
        /// The theme.
        theme: String,
        /// The roles.
        roles: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    meta: Meta,
    #[serde(default)]
    palette: BTreeMap<String, String>,
    roles: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    name: String,
    appearance: String,
    extends: Option<String>,
}

/// Names of the built-in themes.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

/// The theme after this one, for `t`.
pub fn next(name: &str) -> &'static str {
    let at = names().position(|n| n == name).map_or(0, |i| i + 1);
    names().nth(at).or_else(|| names().next()).unwrap_or("dark")
}

impl Theme {
    /// A built-in theme by name.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn load(name: &str) -> Result<Self, ThemeError> {
        let text = BUILT_IN.iter().find(|(n, _)| *n == name).map(|(_, text)| *text).ok_or_else(|| ThemeError::Unknown(name.to_owned()))?;
        Self::parse(text)
    }

    /// A theme from TOML.
    ///
    /// # Errors
    /// When the text is not a theme: what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, ThemeError> {
        let file: File = toml::from_str(text).map_err(|e| ThemeError::Syntax(e.to_string()))?;
        let base = file.meta.extends.as_deref().map(Self::load).transpose()?;
        let name = file.meta.name;
        let mut styles: Vec<Option<Style>> = ROLES.iter().map(|(role, _)| base.as_ref().map(|b| b.style(*role))).collect();
        for (role, spec) in &file.roles {
            let bad = |what: String| ThemeError::Style { theme: name.clone(), role: role.clone(), what };
            let slot =
                ROLES.iter().position(|(_, n)| n == role).and_then(|i| styles.get_mut(i)).ok_or_else(|| bad("unknown role".into()))?;
            *slot = Some(style(spec, &file.palette).map_err(bad)?);
        }
        let missing: Vec<&str> = ROLES.iter().zip(&styles).filter(|(_, s)| s.is_none()).map(|((_, name), _)| *name).collect();
        if !missing.is_empty() {
            return Err(ThemeError::Missing { theme: name, roles: missing.join(", ") });
        }
        Ok(Self { name, light: file.meta.appearance == "light", styles: styles.into_iter().flatten().collect() })
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The same theme with its colours brought down to what a terminal can show.
    #[must_use]
    pub fn reduced(mut self, depth: choose::Depth) -> Self {
        if depth == choose::Depth::True {
            return self;
        }
        for style in &mut self.styles {
            style.fg = style.fg.map(|c| colour::reduce(c, depth));
            style.bg = style.bg.map(|c| colour::reduce(c, depth));
        }
        self
    }
}

/// Reads `fg on bg bold underline`: colours from the palette, `#rrggbb`, a number or an ANSI name; `-` leaves a colour as it is.
fn style(spec: &str, palette: &BTreeMap<String, String>) -> Result<Style, String> {
    let mut style = Style::new();
    let mut words = spec.split_whitespace();
    let mut first = true;
    while let Some(word) = words.next() {
        let modifier = match word {
            "bold" => Some(Modifier::BOLD),
            "dim" => Some(Modifier::DIM),
            "italic" => Some(Modifier::ITALIC),
            "underline" => Some(Modifier::UNDERLINED),
            "reverse" => Some(Modifier::REVERSED),
            "strike" => Some(Modifier::CROSSED_OUT),
            _ => None,
        };
        match (modifier, word) {
            (Some(modifier), _) => style = style.add_modifier(modifier),
            (None, "on") => {
                let name = words.next().ok_or("a colour must follow `on`")?;
                style.bg = Some(named(name, palette)?);
            }
            (None, "-") if first => {}
            (None, name) if first => style.fg = Some(named(name, palette)?),
            (None, other) => return Err(format!("{other:?} is neither a modifier nor `on`")),
        }
        first = false;
    }
    Ok(style)
}

fn named(name: &str, palette: &BTreeMap<String, String>) -> Result<Color, String> {
    let text = palette.get(name).map_or(name, String::as_str);
    text.parse::<Color>().map_err(|why| format!("{text:?} is no colour: {why}"))
}

#[cfg(test)]
mod tests;
