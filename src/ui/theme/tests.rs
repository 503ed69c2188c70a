use super::choose::Depth;
use super::*;

fn built_in() -> Vec<Theme> {
    names().map(|name| Theme::load(name).unwrap()).collect()
}

const SEVERITIES: [Role; 4] = [Role::SevCritical, Role::SevHigh, Role::SevMedium, Role::SevLow];
const VERDICTS: [Role; 7] = [Role::Breached, Role::Disputed, Role::Degraded, Role::Vacuous, Role::Unknown, Role::Unproven, Role::Holds];
const HEAT: [Role; 7] =
    [Role::HeatCrossed, Role::HeatEvery, Role::HeatSome, Role::HeatToday, Role::HeatUndefined, Role::HeatDeclared, Role::HeatProved];
/// Roles that are shapes, or things that may be overlooked: 1.5 is enough, or none is needed.
const FAINT: [Role; 7] = [Role::Border, Role::BorderFocus, Role::GaugeTrack, Role::Na, Role::KeyOff, Role::Selection, Role::HeatOwn];

#[test]
fn every_built_in_theme_has_every_role() {
    assert_eq!(built_in().len(), 4);
}

#[test]
fn text_can_be_read() {
    for theme in built_in().into_iter().filter(|t| matches!(t.name.as_str(), "dark" | "light")) {
        for (role, name) in ROLES {
            let style = theme.style(*role);
            let grounds = match style.bg.and_then(colour::rgb) {
                Some(own) => vec![own],
                None => {
                    [Role::Ground, Role::Surface, Role::Selection].iter().filter_map(|r| theme.style(*r).bg.and_then(colour::rgb)).collect()
                }
            };
            let Some(fg) = style.fg.and_then(colour::rgb) else { continue };
            let least = if FAINT.contains(role) { 1.8 } else { 4.5 };
            for ground in grounds {
                let contrast = colour::contrast(fg, ground);
                assert!(contrast >= least, "{} {name}: {contrast:.2} on {ground:?}", theme.name);
            }
        }
    }
}

#[test]
fn mono_has_no_colour() {
    let mono = Theme::load("mono").unwrap();
    for (role, name) in ROLES {
        let style = mono.style(*role);
        assert!(style.fg.is_none_or(|c| c == Color::Reset) && style.bg.is_none_or(|c| c == Color::Reset), "{name}");
    }
}

#[test]
fn ansi16_asks_for_no_colour_the_terminal_does_not_own() {
    let theme = Theme::load("ansi16").unwrap();
    for (role, name) in ROLES {
        let style = theme.style(*role);
        for colour in [style.fg, style.bg].into_iter().flatten() {
            assert!(!matches!(colour, Color::Rgb(..) | Color::Indexed(_)), "{name}");
        }
    }
}

#[test]
fn severities_and_verdicts_are_told_apart_also_with_fewer_colours() {
    for theme in built_in() {
        for theme in [theme.clone(), theme.reduced(Depth::C256)] {
            for roles in [&SEVERITIES[..], &VERDICTS[..], &HEAT[..]] {
                for (i, a) in roles.iter().enumerate() {
                    for b in &roles[i + 1..] {
                        // in mono the quieter ones share a look: their signs differ
                        let quiet = theme.name == "mono"
                            && [*a, *b].iter().all(|r| {
                                matches!(
                                    r,
                                    Role::Vacuous | Role::Unknown | Role::Unproven | Role::SevLow | Role::HeatDeclared | Role::HeatProved
                                )
                            });
                        assert!(quiet || theme.style(*a) != theme.style(*b), "{}: {a:?} {b:?}", theme.name);
                    }
                }
            }
        }
    }
}

#[test]
fn a_theme_may_extend_another_and_change_one_role() {
    let theme = Theme::parse(
        "[meta]\nname='x'\nappearance='dark'\nextends='dark'\n[palette]\np='#010203'\n[roles]\n\"verdict.holds\"='p on 17 bold'",
    )
    .unwrap();
    assert_eq!(theme.style(Role::Holds), Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Indexed(17)).add_modifier(Modifier::BOLD));
    assert_eq!(theme.style(Role::Text), Theme::load("dark").unwrap().style(Role::Text));
}

#[test]
fn what_is_wrong_with_a_theme_is_said() {
    let parse = |text: &str| Theme::parse(text).unwrap_err().to_string();
    assert!(parse("[meta]\nname='x'\nappearance='dark'\n[roles]\ntext='red'").contains("no style for ground"));
    assert!(parse("[meta]\nname='x'\nappearance='dark'\n[roles]\nfoo='red'").contains("unknown role"));
    assert!(parse("[meta]\nname='x'\nappearance='dark'\n[roles]\ntext='redd'").contains("no colour"));
    assert!(Theme::load("nope").unwrap_err().to_string().contains("dark, light, ansi16, mono"));
    assert_eq!(next("mono"), "dark");
}
