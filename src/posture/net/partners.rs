//! NET-03 and NET-04: no way to any other tenant, and none from any.
//!
//! Each side is judged for itself: a rule that lets out to everybody is this tenant's breach even where every neighbour's own wall stops it,
//! because the day that the neighbour's falls nothing is left. What both sides let through together says how bad it is today.

use std::collections::BTreeMap;

use super::asked::asked;
use super::guard::bounded;
use super::isolation::default_of;
use super::leads::{Lead, confirmed, leads};
use super::{namespace_ref, plain};
use crate::model::ids::{Name, ObjectRef, TenantId};
use crate::model::text::clean;
use crate::netpol::answer::{Answer, Openness};
use crate::netpol::isolation::Direction;
use crate::netpol::matrix::{Cell, Matrix};
use crate::netpol::story::{End, Reason, Story, side_of};
use crate::posture::verdict::Declared;
use crate::posture::view::{NAMES_SHOWN, Point, TenantView, count, list};

/// At most so many pairs are explained per tenant and direction.
const STORIES: usize = 4;

/// NET-03.
pub fn outward(view: &TenantView<'_>) -> Vec<Point> {
    apart(view, Direction::Egress)
}

/// NET-04.
pub fn inward(view: &TenantView<'_>) -> Vec<Point> {
    apart(view, Direction::Ingress)
}

/// Another tenant with what the declarations of both sides let through.
struct Partner<'a> {
    tenant: &'a TenantId,
    cell: &'a Cell,
}

/// What both sides together let through, by how sure it is.
#[derive(Default)]
struct Through<'a> {
    now: Vec<Partner<'a>>,
    later: Vec<Partner<'a>>,
    undefined: Vec<Partner<'a>>,
}

const fn verb(direction: Direction) -> &'static str {
    match direction {
        Direction::Egress => "connect to",
        Direction::Ingress => "accept connections from",
    }
}

fn apart(view: &TenantView<'_>, direction: Direction) -> Vec<Point> {
    let others = view.tenants.namespaces.len().saturating_sub(1);
    if others == 0 {
        return vec![Point::new(Declared::NotApplicable, view.subject(), "there is no other tenant")];
    }
    let matrix = view.reach.matrix();
    let Some(place) = matrix.place(view.tenant) else {
        return vec![Point::new(Declared::Unknown, view.subject(), "who reaches whom has not been worked out").because("not-evaluated")];
    };
    let through = through(view, &matrix, place, direction);
    let mut points: Vec<Point> = view
        .namespaces
        .iter()
        .filter_map(|(name, facts)| not_isolated(default_of(view, name, facts, direction), direction, others))
        .collect();
    let leads = leads(view, direction);
    // a Deny of the Admin tier that comes before every rule of a namespace leaves nothing to lead anywhere
    if leads.is_empty() || bounded(view, direction).is_none() {
        points.extend(leads.iter().filter_map(|lead| led(view, lead, direction, &through)));
    }
    if points.iter().all(|point| point.declared != Declared::Open) {
        points.extend(asked(view, direction));
    }
    if points.iter().all(|point| point.declared != Declared::Open) {
        points.extend(crossing(view, &through.now, direction, Declared::Open));
    }
    if points.is_empty() {
        points.extend(crossing(view, &through.later, direction, Declared::Partly));
        points.extend(undefined(view, &through.undefined, direction));
    }
    if points.is_empty() {
        let what = if direction == Direction::Egress { "connect to" } else { "accept a connection from" };
        let message = format!("no rule lets a pod of {} {what} another tenant ({others} of them)", clean(view.tenant));
        points.push(Point::new(Declared::Right, view.subject(), message));
    }
    points
}

/// The other tenants that both sides let through. Only this tenant's row, or its column: O(tenants).
fn through<'a>(view: &TenantView<'_>, matrix: &'a Matrix, place: usize, direction: Direction) -> Through<'a> {
    let mut found = Through::default();
    for (other, tenant) in matrix.tenants.iter().enumerate() {
        if other == place || (direction == Direction::Ingress && shared(view, tenant)) {
            continue;
        }
        let cell = match direction {
            Direction::Egress => matrix.cell(place, other),
            Direction::Ingress => matrix.cell(other, place),
        };
        let Some(cell) = cell else { continue };
        let partner = Partner { tenant, cell };
        match (cell.now.openness(), cell.future.openness()) {
            (Openness::Open, _) => found.now.push(partner),
            (Openness::Blocked, Openness::Open) => found.later.push(partner),
            (Openness::Undefined, _) | (_, Openness::Undefined) => found.undefined.push(partner),
            (Openness::Blocked, Openness::Blocked) => {}
        }
    }
    found
}

/// Whether a tenant is a declared entry point that serves everybody.
fn shared(view: &TenantView<'_>, tenant: &TenantId) -> bool {
    view.tenants.namespaces.get(tenant).is_some_and(|names| names.iter().all(|name| view.config.network.is_entry(name)))
}

/// A namespace that lacks the default deny lies open to everybody; what NET-01 and NET-02 say of it in full is said here in short.
fn not_isolated(default: Point, direction: Direction, others: usize) -> Option<Point> {
    let shown = clean(&default.subject.name);
    let toward = match direction {
        Direction::Egress => "nothing on its own side keeps its pods from",
        Direction::Ingress => "nothing on its own side keeps off",
    };
    let reason = match default.declared {
        Declared::Open if default.reason == Some("overruled") => "overruled",
        Declared::Open => "not-isolated",
        Declared::Partly => "future-pods",
        Declared::Unknown => default.reason.unwrap_or("unknown"),
        Declared::Right | Declared::NotApplicable => return None,
    };
    let message = match default.declared {
        Declared::Open if reason == "not-isolated" => format!("{shown} is not isolated: {toward} {}", count(others, "other tenant")),
        _ => default.message,
    };
    let mut point = Point::new(default.declared, default.subject, message).because(reason);
    point.evidence = default.evidence;
    Some(point)
}

/// A rule of the tenant's own that leads to others.
fn led(view: &TenantView<'_>, lead: &Lead, direction: Direction, through: &Through<'_>) -> Option<Point> {
    let facts = view.snapshot.namespace(&lead.namespace)?;
    let heard = if plain(view, facts) { Some(Openness::Open) } else { confirmed(view, lead, direction) };
    let now = lead.now && !lead.pods.is_empty();
    let declared = match heard {
        // a cluster-wide policy denies it before this rule is asked
        Some(Openness::Blocked) => return None,
        Some(Openness::Undefined) => Declared::Unknown,
        Some(Openness::Open) | None if now => Declared::Open,
        Some(Openness::Open) | None => Declared::Partly,
    };
    let answered: Vec<&TenantId> = through.now.iter().map(|partner| partner.tenant).filter(|tenant| lead.reaches(tenant)).collect();
    let (shown, policy) = (clean(&lead.namespace), clean(&lead.policy.name));
    let who = if now {
        format!("lets {} of {shown} {}", count(lead.pods.len(), "pod"), verb(direction))
    } else {
        format!("of {shown} would let any pod with {} {}", clean(&lead.selects), verb(direction))
    };
    let outcome = match (answered.len(), direction) {
        _ if !now => String::new(),
        (0, Direction::Egress) => "; today only what the others declare stops it".to_owned(),
        (0, Direction::Ingress) => "; today only what the others declare keeps them from it".to_owned(),
        (n, _) => format!("; both sides let it through for {}", count(n, "other tenant")),
    };
    let message = format!("{policy} {who} {}, on {}{outcome}", clean(lead.to_words()), clean(&lead.ports));
    let reason = if declared == Declared::Unknown { "undefined" } else { "allows-others" };
    let value = format!("{}, on {}", lead.to_words(), lead.ports);
    let mut point = Point::new(declared, crate::posture::finding::Subject::object(&lead.policy), message).because(reason).with(
        lead.policy.clone(),
        &lead.field,
        &value,
    );
    if !lead.pods.is_empty() {
        point = point.with(lead.policy.clone(), "pods selected", &list(&lead.pods));
    }
    let named = through.now.iter().filter(|partner| lead.reaches(partner.tenant));
    Some(partners(point, view, named))
}

/// The partners of a point, each with the ports that both sides let through.
fn partners<'a>(point: Point, view: &TenantView<'_>, through: impl Iterator<Item = &'a Partner<'a>>) -> Point {
    let all: Vec<&Partner<'_>> = through.collect();
    let more = all.len().saturating_sub(NAMES_SHOWN);
    let object = |tenant: &TenantId| {
        let first = view.tenants.namespaces.get(tenant).and_then(|names| names.first());
        namespace_ref(first.unwrap_or(tenant))
    };
    let point = all.iter().take(NAMES_SHOWN).fold(point, |point, partner| {
        let open = if partner.cell.now.sure.is_empty() { &partner.cell.future } else { &partner.cell.now };
        point.with(object(partner.tenant), format!("tenant {}", partner.tenant), &open.sure.words())
    });
    if more == 0 { point } else { point.with(namespace_ref(view.tenant), "more tenants", &more.to_string()) }
}

/// What both sides let through, by the rule that does: for what no NetworkPolicy of the tenant's own accounts for.
fn crossing(view: &TenantView<'_>, through: &[Partner<'_>], direction: Direction, declared: Declared) -> Vec<Point> {
    if through.is_empty() {
        return Vec::new();
    }
    let names: Vec<&TenantId> = through.iter().map(|partner| partner.tenant).collect();
    let (when, reason) = if declared == Declared::Open { ("", "reaches") } else { ("pods that may be made tomorrow in ", "future-pods") };
    let message =
        format!("{when}{} can {} {}: {}", clean(view.tenant), verb(direction), count(names.len(), "other tenant"), clean(&list(&names)));
    let point = Point::new(declared, view.subject(), message).because(reason);
    let stories = through.iter().take(STORIES).filter_map(|partner| story(view, partner, direction));
    let mut guilty: BTreeMap<(ObjectRef, String), String> = BTreeMap::new();
    let mut imagined = None;
    for story in stories {
        imagined = imagined.or_else(|| (declared == Declared::Partly).then(|| own_end(&story, direction).to_owned()));
        for segment in story.segments.iter().filter(|segment| segment.openness == Openness::Open) {
            match &side_of(direction, segment).reason {
                Reason::Allowed(rules) => {
                    guilty.extend(rules.iter().map(|rule| ((rule.object.clone(), rule.field.clone()), segment.ports.words())));
                }
                Reason::NotIsolated => {
                    let first = view.namespaces.first().map_or_else(|| Name::clone(view.tenant), |(name, _)| (*name).clone());
                    guilty.insert((namespace_ref(&first), direction.word().to_lowercase()), "not isolated".to_owned());
                }
                _ => {}
            }
        }
    }
    let point = guilty.into_iter().take(NAMES_SHOWN).fold(point, |point, ((object, field), value)| point.with(object, field, &value));
    let point = match imagined {
        Some(words) => point.with(namespace_ref(view.tenant), "a pod that would", &words),
        None => point,
    };
    vec![partners(point, view, through.iter())]
}

fn own_end(story: &Story, direction: Direction) -> &str {
    match direction {
        Direction::Egress => &story.from,
        Direction::Ingress => &story.to,
    }
}

fn story(view: &TenantView<'_>, partner: &Partner<'_>, direction: Direction) -> Option<Story> {
    let (own, other) = (End::Tenant(view.tenant.clone()), End::Tenant(partner.tenant.clone()));
    match direction {
        Direction::Egress => view.reach.explain(&own, &other),
        Direction::Ingress => view.reach.explain(&other, &own),
    }
}

/// Pairs of which nothing can be said, with what is to blame.
fn undefined(view: &TenantView<'_>, through: &[Partner<'_>], direction: Direction) -> Option<Point> {
    if through.is_empty() {
        return None;
    }
    let mut blamed: BTreeMap<ObjectRef, String> = BTreeMap::new();
    let mut whys: Vec<String> = Vec::new();
    for story in through.iter().take(STORIES).filter_map(|partner| story(view, partner, direction)) {
        whys.extend(story.notes.iter().cloned());
        for segment in &story.segments {
            for side in [&segment.egress, &segment.ingress] {
                if let Reason::Undefined { why, objects } = &side.reason {
                    whys.push(why.clone());
                    blamed.extend(objects.iter().map(|object| (object.clone(), why.clone())));
                }
            }
        }
    }
    let ports = |answer: &Answer| answer.undefined().words();
    let names: Vec<&TenantId> = through.iter().map(|partner| partner.tenant).collect();
    let why = whys.into_iter().next().unwrap_or_else(|| "the API leaves it open".to_owned());
    let message = format!("whether {} can {} {} can't be said: {why}", clean(view.tenant), verb(direction), clean(&list(&names)));
    let point = Point::new(Declared::Unknown, view.subject(), message).because("undefined");
    let point = match through.first() {
        Some(first) => point.with(namespace_ref(view.tenant), format!("ports to {}", first.tenant), &ports(&first.cell.future)),
        None => point,
    };
    // which pairs were asked about is evidence, too: the answer rests on both sides
    let point = through.iter().take(STORIES).fold(point, |point, partner| {
        let names = view.tenants.namespaces.get(partner.tenant).into_iter().flatten();
        names.fold(point, |point, name| point.with(namespace_ref(name), format!("tenant {}", partner.tenant), "undefined"))
    });
    Some(blamed.into_iter().take(NAMES_SHOWN).fold(point, |point, (object, why)| point.with(object, "not evaluated", &why)))
}
