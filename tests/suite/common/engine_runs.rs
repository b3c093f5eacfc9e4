//! Random runs of the engine: inputs in any order, valid or not, then a fair end.

use dryroll::engine::{
    Answer, ApprovalId, BatchSizes, BreakerOrder, BreakerScope, Direction, Edit, Engine, InterventionPolicy, Journal,
    OperatorDecision, Phase, Recording, RequestKind, Settings, Size, Timer,
};
use dryroll::fleet::{At, DigestId, Heartbeat, InstanceId, Span};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::engine::{self as bench, ABORT, CONTINUE, Deed, NEW, OLD, ROLL_BACK, at_least_one};

/// The same runs every time, unless `PROPTEST_RNG_SEED` says otherwise; `PROPTEST_CASES` (256) scales their number.
pub fn config(scale: impl Fn(u32) -> u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        fixed => fixed,
    };
    ProptestConfig { cases: scale(default.cases), rng_seed, failure_persistence: None, ..default }
}

/// A run before it is run.
#[derive(Clone, Debug)]
pub struct Case {
    pub total: u32,
    pub settings: Settings,
    /// Anything may come in.
    wild: Vec<Step>,
    /// What the fair driver does, over and over: how trips are answered, and who stays silent.
    fair: Vec<(OperatorDecision, bool)>,
}

/// One input: how far the clock moves before it, how far back its sender believes to be, and what it is.
#[derive(Clone, Debug)]
struct Step {
    passes: u64,
    behind: u64,
    kind: Kind,
}

/// What a driver hands in.
#[derive(Clone, Copy, Debug)]
pub enum HandIn {
    Request,
    Heartbeat { arrived: At, heartbeat: Heartbeat },
    Timeout,
    Answer { request: ApprovalId, answer: Answer },
    PreviousGone,
    Horizon,
}

/// Hands it in. Answers that do not fit are dropped.
pub fn hand_in(engine: &mut Engine, now: At, what: HandIn) {
    match what {
        HandIn::Request => engine.handle_request(now),
        HandIn::Heartbeat { arrived, heartbeat } => {
            engine.handle_heartbeat(now, arrived, &heartbeat);
        }
        HandIn::Timeout => {
            engine.handle_timeout(now);
        }
        HandIn::Answer { request, answer } => {
            let _refused = engine.handle_answer(now, request, answer);
        }
        HandIn::PreviousGone => engine.handle_previous_gone(now),
        HandIn::Horizon => engine.handle_horizon(now),
    }
}

#[derive(Clone, Debug)]
enum Kind {
    HandIn(HandIn),
    /// To whatever is pending.
    Reply(Answer),
    /// About whatever is rolled out. `who` may be a number that no instance has.
    Beat {
        who: u32,
        news: News,
        arrived_before: u64,
        sent_before: u64,
    },
}

#[derive(Clone, Copy, Debug)]
enum News {
    Well,
    Reports,
    Both,
    Other,
    Unwell,
}

fn answers() -> impl Strategy<Value = Answer> {
    let an_edit = (prop::option::of(0..=101_u32), prop::option::of(1..4_u32)).prop_map(|(batch_pct, limit)| {
        Answer::Edit(Edit { batch_pct, max_consecutive_failures: limit.map(at_least_one) })
    });
    prop_oneof![
        6 => Just(Answer::Approve),
        3 => an_edit,
        1 => Just(Answer::Reject),
        6 => Just(CONTINUE),
        3 => Just(ROLL_BACK),
        1 => Just(ABORT),
    ]
}

fn steps(total: u32) -> impl Strategy<Value = Step> {
    let news = prop_oneof![
        5 => Just(News::Well),
        5 => Just(News::Reports),
        1 => Just(News::Both),
        1 => Just(News::Other),
        1 => Just(News::Unwell),
    ];
    let mostly_now = || prop_oneof![4 => Just(0_u64), 1 => 0..200_u64];
    let beat = (0..total + 2, news, mostly_now(), mostly_now())
        .prop_map(|(who, news, arrived_before, sent_before)| Kind::Beat { who, news, arrived_before, sent_before });
    let wrong =
        (0..6_u32, answers()).prop_map(|(request, answer)| HandIn::Answer { request: ApprovalId(request), answer });
    let kind = prop_oneof![
        300 => beat,
        160 => Just(Kind::HandIn(HandIn::Timeout)),
        60 => answers().prop_map(Kind::Reply),
        20 => wrong.prop_map(Kind::HandIn),
        20 => Just(Kind::HandIn(HandIn::Request)),
        4 => Just(Kind::HandIn(HandIn::PreviousGone)),
        1 => Just(Kind::HandIn(HandIn::Horizon)),
    ];
    let passes = prop_oneof![3 => Just(0_u64), 6 => 1..40_u64, 1 => 100..400_u64];
    let behind = prop_oneof![12 => Just(0_u64), 1 => 1..500_u64];
    (passes, behind, kind).prop_map(|(passes, behind, kind)| Step { passes, behind, kind })
}

pub fn cases() -> impl Strategy<Value = Case> {
    let knobs = (1..12_u32, 1..=100_u32, 1..4_u32, 1..=100_u32, prop::option::of(1..4_u32));
    let breaker = (
        prop_oneof![Just(BreakerOrder::Observed), Just(BreakerOrder::Listed)],
        prop_oneof![Just(BreakerScope::Rollout), Just(BreakerScope::Batch)],
    );
    let policy = prop_oneof![
        4 => Just(InterventionPolicy::RequireApproval),
        4 => Just(InterventionPolicy::AutoApprove),
        1 => Just(InterventionPolicy::NotifyAndProceed),
    ];
    (knobs, breaker, policy).prop_flat_map(
        |((total, batch_pct, limit, rollback_batch_pct, max), (order, scope), policy)| {
            let settings = Settings {
                batches: BatchSizes::pct(batch_pct),
                max_consecutive_failures: Some(at_least_one(limit)),
                rollback_batches: BatchSizes::pct(rollback_batch_pct),
                max_in_flight: max.map(at_least_one).map(Size::Count),
                breaker_order: order,
                breaker_scope: scope,
                policy,
                health_timeout: Span(100),
                rollback_health_timeout: Span(100),
                ..bench::settings()
            };
            let decision = prop_oneof![
                4 => Just(OperatorDecision::ContinueAnyway),
                2 => Just(OperatorDecision::RollbackCompletedBatches),
                1 => Just(OperatorDecision::Abort),
            ];
            let fair = prop::collection::vec((decision, any::<bool>()), 1..6);
            let begins = Step { passes: 0, behind: 0, kind: Kind::HandIn(HandIn::Request) };
            (prop::collection::vec(steps(total), 0..120), fair, prop::bool::weighted(0.9)).prop_map(
                move |(mut wild, fair, in_order)| {
                    if in_order {
                        wild.insert(0, begins.clone());
                    }
                    Case { total, settings: settings.clone(), wild, fair }
                },
            )
        },
    )
}

fn digests(engine: &Engine) -> (DigestId, DigestId) {
    if engine.direction() == Direction::Forward { (NEW, OLD) } else { (OLD, NEW) }
}

impl Kind {
    fn what(&self, engine: &Engine, clock: u64) -> HandIn {
        match *self {
            Kind::HandIn(what) => what,
            Kind::Reply(answer) => {
                let request = engine.pending_request().map_or(ApprovalId(0), |(request, _)| request);
                HandIn::Answer { request, answer }
            }
            Kind::Beat { who, news, arrived_before, sent_before } => {
                let (wanted, from) = digests(engine);
                let arrived = clock.saturating_sub(arrived_before);
                let sent_at = At(arrived.saturating_sub(sent_before));
                let (digest, healthy, failed_upgrade) = match news {
                    News::Well => (wanted, true, None),
                    News::Reports => (from, true, Some(wanted)),
                    News::Both => (wanted, true, Some(wanted)),
                    News::Other => (from, true, Some(from)),
                    News::Unwell => (wanted, false, None),
                };
                let heartbeat = Heartbeat { instance: InstanceId(who), sent_at, digest, healthy, failed_upgrade };
                HandIn::Heartbeat { arrived: At(arrived), heartbeat }
            }
        }
    }
}

/// What a driver without faults hands in next: it answers, it ticks, and each instance in flight gets its heartbeat
/// or its deadline.
fn fair_step(engine: &Engine, clock: u64, (decision, silent): (OperatorDecision, bool)) -> (u64, HandIn) {
    if let Some((request, kind)) = engine.pending_request() {
        let answer = match (kind, decision) {
            (RequestKind::RollingUpgrade, _) => Answer::Approve,
            (RequestKind::RollbackContinuation, OperatorDecision::RollbackCompletedBatches) => ABORT,
            _ => Answer::OnTrip(decision),
        };
        return (clock, HandIn::Answer { request, answer });
    }
    let Some((due, timer)) = engine.next_timer() else { return (clock, HandIn::Request) };
    if timer == Timer::Tick || silent || due.0 < clock {
        return (clock.max(due.0), HandIn::Timeout);
    }
    let total = engine.plan().total_instances();
    let first = (0..total).find(|&position| engine.phase(position, engine.direction()) == Phase::InFlight);
    let who = engine.instance(first.expect("something is due")).0;
    (clock, Kind::Beat { who, news: News::Well, arrived_before: 0, sent_before: 0 }.what(engine, clock))
}

impl Case {
    pub fn new_engine(&self) -> Engine {
        Engine::new(bench::plan(self.total, &self.settings), self.settings.clone(), bench::ALWAYS, Recording::Journal)
    }

    /// Runs it to its end, through the wild steps and then fairly. `step` hands each input in.
    pub fn drive(&self, engine: &mut Engine, mut step: impl FnMut(&mut Engine, At, HandIn)) {
        let mut clock = 0;
        for Step { passes, behind, kind } in &self.wild {
            clock += passes;
            let what = kind.what(engine, clock);
            step(engine, At(clock.saturating_sub(*behind)), what);
        }
        // An input each for the request, its answer, each tick, verdict and trip of both directions, and some to spare.
        for round in 0..20 + 10 * self.total as usize {
            if engine.is_finished() {
                return;
            }
            let (now, what) = fair_step(engine, clock, self.fair[round % self.fair.len()]);
            clock = now;
            step(engine, At(now), what);
        }
        assert!(engine.is_finished(), "a fair driver brings it to an end");
    }

    /// Runs it to its end and writes it down.
    pub fn journal(&self) -> Run {
        let mut engine = self.new_engine();
        let mut journal = Journal::new(engine.plan().clone(), self.settings.clone());
        let mut deeds = Vec::new();
        self.drive(&mut engine, |engine, now, what| {
            hand_in(engine, now, what);
            journal.entries.extend(std::iter::from_fn(|| engine.poll_entry()));
            deeds.extend(bench::deeds(engine));
        });
        Run { journal, deeds, engine }
    }
}

/// A run that is over.
pub struct Run {
    pub journal: Journal,
    pub deeds: Vec<Deed>,
    pub engine: Engine,
}
