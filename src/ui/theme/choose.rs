//! Which theme and symbols to use: flag, then environment, then configuration, then what the terminal seems to be. It is never asked.

/// What is known of the wishes and the terminal. Everything comes in as text: this function reads no environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env {
    /// `--theme`.
    pub flag: Option<String>,
    /// `PARTYWALL_THEME`.
    pub var: Option<String>,
    /// Theme of the configuration file.
    pub config: Option<String>,
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `TERM`.
    pub term: Option<String>,
    /// `COLORTERM`.
    pub colorterm: Option<String>,
    /// `COLORFGBG`.
    pub colorfgbg: Option<String>,
    /// The first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set and not empty.
    pub locale: Option<String>,
    /// `--ascii` or its setting.
    pub ascii: bool,
}

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Depth {
    /// None.
    None,
    /// Sixteen.
    C16,
    /// 256.
    #[default]
    C256,
    /// All.
    True,
}

/// What to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Theme: a built-in name or a path.
    pub theme: String,
    /// Colours there are: bring the theme down to it.
    pub depth: Depth,
    /// ASCII symbols.
    pub ascii: bool,
    /// The terminal can't be drawn on (`TERM=dumb`): print plain text instead.
    pub dumb: bool,
}

/// Chooses. A theme asked for by flag wins over `NO_COLOR`; one from elsewhere does not.
pub fn choose(env: &Env) -> Choice {
    let term = env.term.as_deref().unwrap_or("");
    let depth = depth(env, term);
    let asked = env.var.clone().or_else(|| env.config.clone()).filter(|name| !name.is_empty());
    let theme = match (&env.flag, env.no_color) {
        (Some(flag), _) => flag.clone(),
        (None, true) => "mono".to_owned(),
        (None, false) => asked.unwrap_or_else(|| automatic(env, depth).to_owned()),
    };
    let utf8 = env.locale.as_deref().is_some_and(|l| {
        let l = l.to_ascii_lowercase();
        l.contains("utf-8") || l.contains("utf8")
    });
    Choice { ascii: env.ascii || !utf8 || term == "linux", dumb: term == "dumb", theme, depth }
}

fn depth(env: &Env, term: &str) -> Depth {
    let true_colour = matches!(env.colorterm.as_deref(), Some("truecolor" | "24bit")) || term.ends_with("-direct");
    if term == "dumb" {
        Depth::None
    } else if term == "linux" {
        Depth::C16
    } else if true_colour {
        Depth::True
    } else if term.contains("256color") {
        Depth::C256
    } else {
        Depth::C16
    }
}

fn automatic(env: &Env, depth: Depth) -> &'static str {
    match depth {
        Depth::None => "mono",
        Depth::C16 => "ansi16",
        Depth::C256 | Depth::True if light(env) => "light",
        Depth::C256 | Depth::True => "dark",
    }
}

/// Whether the terminal says that its ground is light: the last number of `COLORFGBG` is 7 or 9 to 15.
fn light(env: &Env) -> bool {
    let ground = env.colorfgbg.as_deref().and_then(|v| v.rsplit(';').next()).and_then(|n| n.parse::<u8>().ok());
    matches!(ground, Some(7 | 9..=15))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(term: &str) -> Env {
        Env { term: Some(term.into()), locale: Some("en_GB.UTF-8".into()), ..Env::default() }
    }

    #[test]
    fn wishes_win_in_order() {
        let mut env = Env { config: Some("light".into()), ..env("xterm-256color") };
        assert_eq!(choose(&env).theme, "light");
        env.var = Some("ansi16".into());
        assert_eq!(choose(&env).theme, "ansi16");
        env.no_color = true;
        assert_eq!(choose(&env).theme, "mono");
        env.flag = Some("dark".into());
        assert_eq!(choose(&env).theme, "dark");
    }

    #[test]
    fn terminals_are_told_by_their_names() {
        for (term, colorterm, theme, depth) in [
            ("xterm-256color", None, "dark", Depth::C256),
            ("xterm-256color", Some("truecolor"), "dark", Depth::True),
            ("xterm-direct", None, "dark", Depth::True),
            ("xterm", None, "ansi16", Depth::C16),
            ("linux", Some("truecolor"), "ansi16", Depth::C16),
            ("dumb", None, "mono", Depth::None),
        ] {
            let choice = choose(&Env { colorterm: colorterm.map(Into::into), ..env(term) });
            assert_eq!((choice.theme.as_str(), choice.depth), (theme, depth), "{term}");
        }
        assert_eq!(choose(&Env { colorfgbg: Some("0;15".into()), ..env("xterm-256color") }).theme, "light");
    }

    #[test]
    fn symbols_need_a_utf8_locale() {
        assert!(!choose(&env("xterm")).ascii);
        assert!(choose(&Env { locale: Some("C".into()), ..env("xterm") }).ascii);
        assert!(choose(&Env { locale: None, ..env("xterm") }).ascii);
        assert!(choose(&env("linux")).ascii);
    }
}
