//! Runs the network probe: both directions between two tenants, each with its own Service as control, in about eight seconds.

use std::net::IpAddr;
use std::time::Duration;

use super::hands::Hands;
use super::scribe::{Made, Scribe, Told, push};
use super::{Context, ProbeError};
use crate::cluster::exec::{ExecAnswer, ExecTarget};
use crate::model::event::Authority;
use crate::model::ids::TenantId;
use crate::probe::network::tool::{PATIENCE, Reading, TOOLS, Tool, read_resolve};
use crate::probe::network::{Aim, NOBODY, Vantage, aim, vantages};
use crate::receipt::{Crossing, Outcome, Step};

/// Longest time for one command, the API server's part included.
const LIMIT: Duration = Duration::from_secs(PATIENCE as u64 + 6);
/// Steps of a whole run.
const STEPS: usize = 13;
/// Who may refuse a connection.
const EXPECTED: [Authority; 2] = [Authority::NetworkDrop, Authority::NetworkReject];

/// One side: where it connects from, with what, and where it is reached.
struct Side<'a> {
    tenant: &'a TenantId,
    aim: Aim,
    /// None when no container of the tenant can open a connection.
    hand: Option<(Vantage, Tool)>,
}

/// Against the first of the partners that is alive; against the last if none is.
pub(super) async fn run<H: Hands>(
    context: &Context<'_, H>,
    scribe: &Scribe<'_>,
    tenant: &TenantId,
    partners: &[TenantId],
) -> Result<Made, ProbeError> {
    scribe.started(STEPS);
    let probe = Probe { context, scribe };
    context.unless_cancelled(probe.both(tenant, partners)).await?
}

struct Probe<'a, 'b, H> {
    context: &'a Context<'b, H>,
    scribe: &'a Scribe<'a>,
}

impl<H: Hands> Probe<'_, '_, H> {
    async fn both(&self, tenant: &TenantId, partners: &[TenantId]) -> Result<Made, ProbeError> {
        let (mut other, rest) =
            partners.split_first().ok_or_else(|| ProbeError::Cannot("there is nobody to try the wall against".to_owned()))?;
        let (t_aim, mut u_aim) = (self.aim(tenant)?, self.aim(other)?);
        let ((t_step, t_hand), (mut u_step, mut u_hand)) = tokio::join!(self.find_hand(tenant, &t_aim), self.find_hand(other, &u_aim));
        let mut steps = Vec::with_capacity(STEPS);
        let t_own = push(&mut steps, t_step);
        for next in rest {
            if u_step.outcome == Outcome::Answered {
                break;
            }
            // a dead target proves nothing: it stays on record, and the next one has its turn
            steps.push(u_step);
            (other, u_aim) = (next, self.aim(next)?);
            (u_step, u_hand) = self.find_hand(next, &u_aim).await;
        }
        let u_own = push(&mut steps, u_step);
        let t = Side { tenant, aim: t_aim, hand: t_hand };
        let u = Side { tenant: other, aim: u_aim, hand: u_hand };
        // names first and apart: everything after goes by address, so that a name that does not resolve can't pass for a wall
        let (own_name, other_name, back_name, t_sober, u_sober, t_first, u_first) = tokio::join!(
            self.resolve(&t, &t.aim),
            self.resolve(&t, &u.aim),
            self.resolve(&u, &t.aim),
            self.nobody(&t),
            self.nobody(&u),
            self.cross(&t, &u),
            self.cross(&u, &t),
        );
        let mut add = |step: Option<Step>| step.map(|step| push(&mut steps, step));
        for name in [own_name, other_name, back_name] {
            add(name);
        }
        let (t_sober, u_sober) = (add(t_sober), add(u_sober));
        let (t_first, u_first) = (add(t_first), add(u_first));
        // again, with the controls again beside it: what was alive before must be alive now
        let (t_second, u_second, t_again, u_again) = tokio::join!(self.cross(&t, &u), self.cross(&u, &t), self.own(&t), self.own(&u));
        let (t_second, u_second) = (add(t_second), add(u_second));
        let (t_again, u_again) = (add(t_again), add(u_again));
        let crossing = |from: &Side<'_>,
                        to: &Side<'_>,
                        check: &str,
                        source: [Option<usize>; 2],
                        target: [Option<usize>; 2],
                        sober,
                        attempts: [Option<usize>; 2]| {
            Crossing {
                what: format!("{} opens a connection to {}'s Service", from.tenant, to.tenant),
                checks: vec![check.to_owned()],
                expected: EXPECTED.to_vec(),
                source: source.into_iter().flatten().collect(),
                target: target.into_iter().flatten().collect(),
                sober: Option::into_iter(sober).collect(),
                attempts: attempts.into_iter().flatten().collect(),
            }
        };
        let (t_alive, u_alive) = ([Some(t_own), t_again], [Some(u_own), u_again]);
        let crossings = vec![
            crossing(&t, &u, "NET-01", t_alive, u_alive, t_sober, [t_first, t_second]),
            crossing(&u, &t, "NET-02", u_alive, t_alive, u_sober, [u_first, u_second]),
        ];
        Ok(Made { steps, crossings, partner: Some(u.tenant.clone()) })
    }

    fn aim(&self, tenant: &TenantId) -> Result<Aim, ProbeError> {
        aim(&self.context.snapshot, self.context.namespaces(tenant))
            .ok_or_else(|| ProbeError::Cannot(format!("{tenant} has no Service with ready endpoints")))
    }

    /// Finds a container and a tool that reach the tenant's own Service, which is at once the control that the source is alive.
    async fn find_hand(&self, tenant: &TenantId, aim: &Aim) -> (Step, Option<(Vantage, Tool)>) {
        let what = format!("{tenant}: GET its own {}", aim.words());
        let places = vantages(&self.context.snapshot, self.context.namespaces(tenant));
        let from = places.first().map_or_else(|| tenant.to_string(), from_words);
        let search = async {
            let mut last = Told::new(Outcome::Failed, "no pod to probe from", "");
            let mut fallback = None;
            for place in places {
                for tool in TOOLS {
                    match self.connect(&place, tool, aim.address, aim.port).await {
                        Some(told) if told.outcome == Outcome::Answered => return (told, Some((place, tool))),
                        // it can connect, but its own Service does not answer: another container may be luckier
                        Some(told) => {
                            last = told;
                            fallback = fallback.or(Some((place.clone(), tool)));
                            break;
                        }
                        None => last = Told::new(Outcome::Failed, "no container holds wget, curl, node or nc", ""),
                    }
                }
            }
            (last, fallback)
        };
        let (mut step, hand) = self.scribe.step_with(what, from, search).await;
        if let Some((place, tool)) = &hand {
            step.from = format!("{} ({})", from_words(place), tool.word());
        }
        (step, hand)
    }

    async fn own(&self, side: &Side<'_>) -> Option<Step> {
        self.get(side, format!("{}: GET its own {} again", side.tenant, side.aim.words()), side.aim.address, side.aim.port).await
    }

    async fn cross(&self, from: &Side<'_>, to: &Side<'_>) -> Option<Step> {
        self.get(from, format!("{}: GET {}'s {}", from.tenant, to.tenant, to.aim.words()), to.aim.address, to.aim.port).await
    }

    async fn nobody(&self, side: &Side<'_>) -> Option<Step> {
        let what = format!("{}: GET {NOBODY}:{}, where nobody is", side.tenant, side.aim.port);
        self.get(side, what, NOBODY, side.aim.port).await
    }

    async fn get(&self, side: &Side<'_>, what: String, address: IpAddr, port: u16) -> Option<Step> {
        let (place, tool) = side.hand.as_ref()?;
        let work = async {
            let gone = || Told::new(Outcome::Failed, "the tool that was there is gone", "");
            self.connect(place, *tool, address, port).await.unwrap_or_else(gone)
        };
        Some(self.scribe.step(what, format!("{} ({})", from_words(place), tool.word()), work).await)
    }

    async fn resolve(&self, side: &Side<'_>, aim: &Aim) -> Option<Step> {
        let (place, tool) = side.hand.as_ref()?;
        let name = aim.dns();
        let work = async {
            match self.exec(place, &tool.resolve(&name)).await {
                Ok(answer) => {
                    let (outcome, said) = read_resolve(answer.code, &answer.stdout, &answer.stderr);
                    Told::new(outcome, said, exit(answer.code))
                }
                Err(told) => *told,
            }
        };
        Some(self.scribe.step(format!("{}: resolve {name}", side.tenant), from_words(place), work).await)
    }

    /// One connection; none when the tool is not in the container.
    async fn connect(&self, place: &Vantage, tool: Tool, address: IpAddr, port: u16) -> Option<Told> {
        match self.exec(place, &tool.connect(address, port)).await {
            Ok(answer) => match tool.read(answer.code, &answer.stdout, &answer.stderr) {
                Reading::Ran(outcome, said) => Some(Told::new(outcome, said, exit(answer.code))),
                Reading::Missing(_) => None,
            },
            Err(told) if Tool::is_missing(&told.said) => None,
            Err(told) => Some(*told),
        }
    }

    /// Runs a command. Whoever refuses that refuses us, not the tenant: it is a failure, never a wall.
    async fn exec(&self, place: &Vantage, argv: &[String]) -> Result<ExecAnswer, Box<Told>> {
        let target = ExecTarget { namespace: place.namespace.clone(), pod: place.pod.clone(), container: place.container.clone() };
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        self.context.hands.exec(self.context.permit, &target, &argv, LIMIT).await.map_err(|refusal| {
            let told = Told::refused(&refusal);
            Box::new(Told { outcome: Outcome::Failed, said: format!("exec: {}", told.said), ..told })
        })
    }
}

fn from_words(place: &Vantage) -> String {
    format!("{}/{} {}", place.namespace, place.pod, place.container)
}

fn exit(code: Option<i32>) -> String {
    code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit {code}"))
}
