//! From the fix key to the permit.

use partywall::app::effect::Effect;
use partywall::app::msg::Msg;
use partywall::app::state::Dialog;
use partywall::fix::guard::Mode;
use partywall::fix::plan::{FixPlan, PlanAction};
use partywall::fix::recipes;
use partywall::shot::fixture::Fleet;

use crate::common::Screen;

fn plan(screen: &Screen) -> FixPlan {
    let view = &screen.state.view;
    let mut plan = recipes::plan("NET-01", &view.snapshot, &view.assessment.tenants, &"acme".into()).unwrap();
    for step in &mut plan.steps {
        step.preview = Some(step.manifest.clone());
    }
    plan
}

/// On acme's NET-01, its plan asked for and answered.
fn planned() -> Screen {
    let mut screen = Screen::broken(Mode::Fix);
    let effects = screen.keys("j\nf");
    assert!(matches!(effects.as_slice(), [Effect::Plan(t, "NET-01")] if t.as_ref() == "acme"), "{effects:?}");
    assert!(screen.says("asking the server"));
    let plan = plan(&screen);
    screen.send(Msg::Planned("acme".into(), Ok(Box::new(plan))));
    screen
}

#[test]
fn a_plan_is_shown_then_confirmed_by_name_then_applied() {
    let mut screen = planned();
    assert!(screen.says("the server accepts it") && screen.says("+kind: NetworkPolicy"), "{}", screen.picture());
    assert!(screen.keys("\n").is_empty());
    assert!(screen.keys("globex\n").is_empty());
    assert!(screen.says("type the tenant's name, acme"), "{}", screen.picture());
    screen.keys("\u{1b}\n");
    let effects = screen.keys("acme\n");
    let [Effect::Apply(plan, permit)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(permit.covers(plan));
    assert!(screen.state.dialog.is_none() && screen.state.busy());
}

#[test]
fn what_was_applied_can_be_undone_once() {
    let mut screen = planned();
    let mut inverse = plan(&screen);
    for step in &mut inverse.steps {
        step.action = PlanAction::Delete;
        step.live = Some(step.manifest.clone());
        step.preview = None;
    }
    screen.keys("\nacme\n");
    screen.send(Msg::Fixed { tenant: "acme".into(), result: Ok("3 objects".into()), undo: false, inverse: Some(Box::new(inverse)) });
    assert!(screen.says("acme: applied: 3 objects") && !screen.state.busy());
    assert!(screen.keys("u").is_empty());
    assert!(screen.says("delete") && screen.says("-kind: NetworkPolicy"), "{}", screen.picture());
    let effects = screen.keys("\nacme\n");
    assert!(matches!(effects.as_slice(), [Effect::Undo(plan, permit)] if permit.covers(plan)), "{effects:?}");
    screen.send(Msg::Fixed { tenant: "acme".into(), result: Ok("3 objects".into()), undo: true, inverse: None });
    screen.keys("u");
    assert!(screen.state.dialog.is_none() && screen.says("nothing to undo"));
}

#[test]
fn a_change_under_the_plan_forbids_it() {
    let mut fleet = Fleet::broken();
    let mut screen = Screen::new(Mode::Fix, fleet.publish());
    screen.keys("j\nf");
    let plan = plan(&screen);
    screen.send(Msg::Planned("acme".into(), Ok(Box::new(plan))));
    screen.keys("\nacme");
    let made = Fleet::new().publish();
    let other = made.snapshot.namespace("web-tenant-globex").unwrap().policies.values().next().unwrap().as_ref().clone();
    let mut policy = other;
    policy.meta.namespace = "web-tenant-acme".into();
    policy.meta.name = "default-deny".into();
    fleet.put(partywall::model::changes::Fact::NetworkPolicy(policy));
    screen.keys("z"); // belongs to the text; data must count all the same
    screen.send(Msg::Data(fleet.publish()));
    assert!(screen.says("changed since: NetworkPolicy web-tenant-acme/default-deny appeared"), "{}", screen.picture());
    assert!(screen.keys("\n").is_empty());
    assert!(matches!(screen.keys("r").as_slice(), [Effect::Plan(..)]));
}

#[test]
fn a_refused_plan_and_no_plan_can_not_be_applied() {
    let mut screen = planned();
    if let Some(Dialog::Plan(dialog)) = &mut screen.state.dialog
        && let Some(Ok(plan)) = &mut dialog.plan
    {
        plan.steps[0].refused = Some("admission webhook said no".into());
    }
    screen.keys("\n");
    assert!(screen.says("not applicable") && screen.says("dry-run refused: admission webhook said no"), "{}", screen.picture());
    let mut screen = Screen::broken(Mode::Fix);
    screen.keys("j\nf");
    screen.send(Msg::Planned("acme".into(), Err("NetworkPolicy is stale".into())));
    assert!(screen.says("nothing was written") && screen.keys("\n").is_empty());
}

#[test]
fn a_plan_for_somebody_else_is_dropped() {
    let mut screen = Screen::broken(Mode::Fix);
    screen.keys("j\nf");
    screen.send(Msg::Planned("globex".into(), Err("no".into())));
    assert!(screen.says("asking the server"));
}

#[test]
fn what_is_not_violated_has_nothing_to_fix() {
    let mut screen = Screen::broken(Mode::Fix);
    screen.keys("/wayne\n\n");
    assert!(screen.keys("f").is_empty());
    assert!(screen.says("not violated") || screen.says("no fix"), "{}", screen.picture());
}
