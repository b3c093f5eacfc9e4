//! THE ENGINE: a rolling upgrade from its request to its end. No clock, no randomness, no I/O.
//!
//! Inputs come in with a time, events and commands go out. Whoever drives the engine (the simulator,
//! a live controller, a test) owns the clock, the network and the people; the engine owns the rules.
//! Section numbers (§) in this room are those of `docs/semantics.md`.
//!
//! # The contract
//!
//! 1. Make a [`Plan`] ([`Request::plan`], or [`Plan::new`]) and [`Settings`], then [`Engine::new`].
//! 2. Hand in inputs in the order of their times, beginning with [`Engine::handle_request`].
//!    Within one millisecond: heartbeats by plan order, deadlines, answers, expiry, the tick (§8).
//! 3. After **every** input: [`Engine::poll_command`] until `None` and carry out each; [`Engine::poll_event`]
//!    until `None` if events are recorded. The two are separate queues; within each, order is the order of happening.
//! 4. Then ask what the engine waits for: [`Engine::next_deadline`] and [`Engine::expires_at`] are moments at which
//!    [`Engine::handle_deadline`] and [`Engine::handle_expiry`] are due, [`Engine::awaits_tick`] says whether the
//!    next tick matters, [`Engine::pending_request`] whether a person is asked.
//! 5. It is over when [`Engine::outcome`] answers. Inputs after that do nothing.
//!
//! A controller that was away hands in what waited, one by one in its order, with `now` the moment of its return and
//! `arrived` the moment at which each heartbeat came (§9). A [`Journal`] rebuilds the engine for it.
//!
//! Inputs that do not fit (a heartbeat of an instance that nobody planned, an answer to no request, a deadline that
//! has not come, time that runs backwards) change nothing and break nothing.
//!
//! # Driven by hand
//!
//! ```
//! use std::num::NonZeroU32;
//! use dryroll_engine::*;
//! use dryroll_engine::fleet::{At, DigestId, Heartbeat, InstanceId, Span};
//!
//! let plan = Plan::new(PlanOrder::new((0..4).map(InstanceId)), vec![], 50); // two batches of two
//! let settings = Settings {
//!     target: VersionRef { id: "v2".into(), digest: DigestId(2) },
//!     previous: Some(VersionRef { id: "v1".into(), digest: DigestId(1) }),
//!     batch_pct: 50,
//!     max_consecutive_failures: NonZeroU32::new(2).unwrap(),
//!     health_timeout: Span(300_000),
//!     rollback_batch_pct: 50,
//!     breaker_order: BreakerOrder::Observed,
//!     breaker_scope: BreakerScope::Rollout,
//!     max_in_flight: None,
//!     policy: InterventionPolicy::AutoApprove,
//!     approval_expires: Span(86_400_000),
//! };
//! let mut engine = Engine::new(plan, settings, Recording::Milestones);
//! engine.handle_request(At(0));
//! engine.handle_tick(At(0));
//! assert_eq!(engine.poll_command(), Some(Command::Upgrade { to: Direction::Forward, positions: 0..2 }));
//!
//! // One instance reports that its upgrade failed, the other says nothing at all.
//! let sent_at = At(40_000);
//! let report = Heartbeat {
//!     instance: InstanceId(0), sent_at, digest: DigestId(1), healthy: true, failed_upgrade: Some(DigestId(2)),
//! };
//! engine.handle_heartbeat(sent_at, sent_at, &report);
//! assert_eq!(engine.next_deadline(), Some(At(300_000)));
//! engine.handle_deadline(At(300_000));
//!
//! // Two in a row: the breaker trips and asks. The operator stops here.
//! let (request, _) = engine.pending_request().unwrap();
//! engine.handle_answer(At(360_000), request, Answer::OnTrip(OperatorDecision::Abort)).unwrap();
//! assert_eq!(engine.outcome(), Some(Outcome::Aborted));
//! while let Some(event) = engine.poll_event() {
//!     println!("{} {}", event.at, event.body.kind().full_name());
//! }
//! ```

pub mod fleet;

mod approval;
mod breaker;
mod error;
mod event;
#[cfg(feature = "serde")]
mod event_line;
mod journal;
mod machine;
mod outbox;
mod plan;
mod request;
mod settings;
mod ticks;
mod verdict;
mod walk;

pub use approval::{Answer, AnswerKind, ApprovalId, Edit, OperatorDecision, RequestKind};
pub use breaker::{ConsecutiveFailures, Count};
pub use error::{AnswerError, JournalError, Refusal};
pub use event::{Direction, Event, EventBody, EventKind, Outcome, RolloutId};
#[cfg(feature = "serde")]
pub use event_line::{EventLine, EventNames};
pub use journal::{Entry, Input, Journal};
pub use machine::{Command, Engine, Timer};
pub use outbox::Recording;
pub use plan::{BatchPhase, Plan, PlanOrder, batch_size};
pub use request::{Inventory, Request};
pub use settings::{BreakerOrder, BreakerScope, InterventionPolicy, Settings, VersionRef};
pub use ticks::Ticks;
pub use verdict::{Judged, Phase, Reason, Verdict};
