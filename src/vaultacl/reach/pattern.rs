//! What is left of a pattern once the path of a place is taken off: all that decides how requests at and below that place are ruled.

use super::super::policy::PatternKind;

/// The rest of a pattern behind a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Tail {
    /// It covers whatever is there and below.
    All,
    /// The text from this byte on: empty, or with a slash at its beginning.
    At(u32),
}

impl Tail {
    fn at(offset: usize) -> Self {
        Self::At(u32::try_from(offset).unwrap_or(u32::MAX))
    }
}

/// What is left of a pattern behind `place`; none where it matches neither the place, nor the place with a slash, nor anything below.
/// May claim too much where a pattern matches only what no request can be, never too little. O(length).
pub(super) fn tail(pattern: &str, kind: PatternKind, place: &str) -> Option<Tail> {
    let behind =
        |text: &str| text.strip_prefix(place).filter(|rest| rest.is_empty() || rest.starts_with('/')).map(|_| Tail::at(place.len()));
    match kind {
        PatternKind::Exact => behind(pattern),
        PatternKind::Prefix => {
            let stem = pattern.strip_suffix('*').unwrap_or(pattern);
            if place.starts_with(stem) { Some(Tail::All) } else { behind(stem) }
        }
        PatternKind::Segment => aligned(pattern, place, 0),
    }
}

/// A segment pattern laid beside a place, from byte `from` of the pattern on.
fn aligned(pattern: &str, place: &str, from: usize) -> Option<Tail> {
    let (body, open) = pattern.strip_suffix('*').map_or((pattern, false), |body| (body, true));
    let mut at = from;
    let mut rest = Some(body.get(from..)?);
    for part in place.split('/') {
        let text = rest?;
        let (written, after) = text.split_once('/').map_or((text, None), |(written, after)| (written, Some(after)));
        if open && after.is_none() {
            return part.starts_with(written).then_some(Tail::All);
        }
        if written != "+" && written != part {
            return None;
        }
        at += written.len() + usize::from(after.is_some());
        rest = after;
    }
    // the slash that was taken off belongs to what is left
    Some(Tail::at(if rest.is_some() { at - 1 } else { at }))
}

/// Places of equal depth on one mount, for which patterns are sorted out together.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    /// Number of parts of every path.
    pub depth: usize,
    /// Paths, sorted, with the number of the place.
    pub places: Vec<(String, u32)>,
}

/// Which places of a shelf a pattern has to do with.
#[derive(Debug, PartialEq)]
pub(super) enum Hits {
    /// None.
    Nobody,
    /// All of them, in the same way.
    Every(Tail),
    /// These, as positions on the shelf.
    Some(Vec<(u32, Tail)>),
}

/// Sorts a pattern out for all places of a shelf under `head` (`secret/data/`, with its slash). O(length + log places + hits); a segment pattern
/// with a literal among the parts of the place O(places × length).
pub(super) fn hits(pattern: &str, kind: PatternKind, head: &str, shelf: &Shelf) -> Hits {
    if shelf.depth == 0 {
        return tail(pattern, kind, head.trim_end_matches('/')).map_or(Hits::Nobody, Hits::Every);
    }
    let found = match kind {
        PatternKind::Exact => match pattern.strip_prefix(head) {
            Some(rest) => shelf.named(rest, head.len()),
            None => return Hits::Nobody,
        },
        PatternKind::Prefix => {
            let stem = pattern.strip_suffix('*').unwrap_or(pattern);
            if head.starts_with(stem) {
                return Hits::Every(Tail::All);
            }
            let Some(rest) = stem.strip_prefix(head) else { return Hits::Nobody };
            let mut found: Vec<(u32, Tail)> = shelf.beginning(rest).map(|at| (at, Tail::All)).collect();
            if found.is_empty() {
                found = shelf.named(rest, head.len());
            }
            found
        }
        PatternKind::Segment => return segment(pattern, head, shelf),
    };
    if found.is_empty() { Hits::Nobody } else { Hits::Some(found) }
}

fn segment(pattern: &str, head: &str, shelf: &Shelf) -> Hits {
    let head = head.trim_end_matches('/');
    let offset = match aligned(pattern, head, 0) {
        None => return Hits::Nobody,
        Some(Tail::All) => return Hits::Every(Tail::All),
        Some(Tail::At(offset)) => offset as usize,
    };
    // what is left begins with the slash behind the head; a pattern that ends there covers no place of any depth
    let Some(rest) = pattern.get(offset..).and_then(|rest| rest.strip_prefix('/')) else { return Hits::Nobody };
    let from = offset + 1;
    let body = rest.strip_suffix('*').unwrap_or(rest);
    let free = body.split('/').take(shelf.depth).all(|part| part == "+")
        && body.split('/').count() >= shelf.depth + usize::from(rest.ends_with('*'));
    if free {
        return match shelf.places.first().and_then(|(path, _)| aligned(pattern, path, from)) {
            Some(tail) => Hits::Every(tail),
            None => Hits::Nobody,
        };
    }
    let first = body.split('/').next().unwrap_or_default();
    let literal = if first == "+" { "" } else { first };
    let found: Vec<(u32, Tail)> =
        shelf.beginning(literal).filter_map(|at| Some((at, aligned(pattern, &shelf.places.get(at as usize)?.0, from)?))).collect();
    if found.is_empty() { Hits::Nobody } else { Hits::Some(found) }
}

impl Shelf {
    /// Positions of the places whose path begins so.
    fn beginning<'a>(&'a self, text: &'a str) -> impl Iterator<Item = u32> + 'a {
        let start = self.places.partition_point(|(path, _)| path.as_str() < text);
        let rest = self.places.get(start..).unwrap_or_default();
        (start..).zip(rest).take_while(move |(_, (path, _))| path.starts_with(text)).map(|(at, _)| at as u32)
    }

    /// The places that the first parts of a text name, with what is left behind them.
    fn named(&self, text: &str, before: usize) -> Vec<(u32, Tail)> {
        let mut ends = text.match_indices('/').map(|(at, _)| at).chain([text.len()]);
        let Some(end) = ends.nth(self.depth.saturating_sub(1)) else { return Vec::new() };
        let Some(name) = text.get(..end) else { return Vec::new() };
        let start = self.places.partition_point(|(path, _)| path.as_str() < name);
        let rest = self.places.get(start..).unwrap_or_default();
        (start..).zip(rest).take_while(|(_, (path, _))| path == name).map(|(at, _)| (at as u32, Tail::at(before + end))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(paths: &[&str]) -> Shelf {
        let depth = paths.first().map_or(0, |path| path.split('/').count());
        let mut places: Vec<(String, u32)> = paths.iter().zip(0..).map(|(path, at)| ((*path).to_owned(), at)).collect();
        places.sort();
        Shelf { depth, places }
    }

    fn left(pattern: &str, place: &str) -> Option<String> {
        tail(pattern, PatternKind::of(pattern), place).map(|tail| match tail {
            Tail::All => "all".to_owned(),
            Tail::At(at) => pattern.get(at as usize..).unwrap().to_owned(),
        })
    }

    #[test]
    fn what_is_left_of_a_pattern() {
        for (pattern, place, expected) in [
            ("s/data/a", "s/data/a", Some("")),
            ("s/data/a/b", "s/data/a", Some("/b")),
            ("s/data/ab", "s/data/a", None),
            ("s/data/a*", "s/data/a", Some("all")),
            ("s/data/a/*", "s/data/a", Some("/*")),
            ("s/data/ab*", "s/data/a", None),
            ("s/*", "s/data/a", Some("all")),
            ("*", "s/data/a", Some("all")),
            ("s/data/+", "s/data/a", Some("")),
            ("s/data/+/x", "s/data/a", Some("/x")),
            ("s/data/+/*", "s/data/a", Some("/*")),
            ("s/+/*", "s/data/a", Some("all")),
            ("s/+/b*", "s/data/a", None),
            ("s/+/b*", "s/data/bc", Some("all")),
            ("s/+", "s/data/a", None),
            ("+/data/a/+/c", "s/data/a", Some("/+/c")),
        ] {
            assert_eq!(left(pattern, place).as_deref(), expected, "{pattern} {place}");
        }
    }

    #[test]
    fn a_shelf_says_what_each_place_says() {
        let paths = ["a", "ab", "abc", "b", "c-d"];
        let deeper = ["a/b", "a/c", "ab/b", "b/b"];
        let patterns = [
            "s/data/a",
            "s/data/a/x",
            "s/data/a*",
            "s/data/ab*",
            "s/data/a/*",
            "s/*",
            "*",
            "s/d*",
            "s/data/+",
            "s/data/+/x",
            "s/data/+/*",
            "s/+/a",
            "s/+/a*",
            "s/+/a/*",
            "+/+/+",
            "+/+/+/*",
            "s/data/a/+",
            "s/data/+/b",
            "s/data/+/b*",
            "s/data/+/b/*",
            "s/data/+/+",
            "x/*",
            "s/data/",
            "s/data/*",
            "s/+/*",
            "s/+",
            "s/data/a/b/*",
            "s/data/a/b",
            "+",
            "+/*",
            "s/data/+a",
            "s/+/+a*",
        ];
        for paths in [&paths[..], &deeper[..]] {
            let shelf = shelf(paths);
            for pattern in patterns {
                let kind = PatternKind::of(pattern);
                let all = hits(pattern, kind, "s/data/", &shelf);
                for (at, (path, _)) in shelf.places.iter().enumerate() {
                    let one = tail(pattern, kind, &format!("s/data/{path}"));
                    let told = match &all {
                        Hits::Nobody => None,
                        Hits::Every(tail) => Some(*tail),
                        Hits::Some(some) => some.iter().find(|(place, _)| *place as usize == at).map(|(_, tail)| *tail),
                    };
                    assert_eq!(told, one, "{pattern} {path}");
                }
            }
        }
    }
}
