//! THE ENGINE: a rolling upgrade from its request to its end. It has no clock, no randomness and no I/O.
//!
//! Inputs come in with a time; events and commands go out. The driver of the engine (the simulator, a live controller,
//! a test) owns the clock, the network and the people; the engine owns the rules. Section numbers (§) in this crate are
//! those of `docs/semantics.md`.
//!
//! # The contract
//!
//! 1. Make a [`Plan`] ([`Request::plan`], or [`Plan::new`]), [`Settings`] and [`Ticks`], then [`Engine::new`].
//! 2. Hand in inputs in the order of their times, beginning with [`Engine::handle_request`]. Within one millisecond,
//!    hand in heartbeats in plan order, then answers, then [`Engine::handle_timeout`].
//! 3. After **every** input, call [`Engine::poll_command`] until it returns `None` and carry out each command; call
//!    [`Engine::poll_event`] until it returns `None` if events are recorded. The two are separate queues; each keeps
//!    the order in which things happened.
//! 4. Then call [`Engine::poll_timeout`]: if no other input comes in before that moment, [`Engine::handle_timeout`] is
//!    due at it. Each call takes one step, so it is due again as long as `poll_timeout` is not after now. The engine
//!    decides what is due and in which order (§8): deadlines, then a time without progress, then the expiry of the
//!    request, the end of a bake, the tick of the reconciler. Answers come before the expiry:
//!    [`Engine::handle_answer`] first takes what is due before them.
//! 5. The rollout is over when [`Engine::outcome`] returns an outcome. Inputs after that do nothing.
//!
//! # What the driver owns
//!
//! - The clock: `now` of each input. A driver that is late hands in its current time, and what was due earlier is
//!   recorded at that time.
//! - The pauses of the reconciler. The grid of ticks belongs to the engine, which takes it from [`Ticks`]. To pause,
//!   call [`Engine::skip_ticks_until`] at any moment before the tick is due.
//! - Its own steps within a millisecond. A simulator whose faults may strike between two deadlines calls
//!   [`Engine::next_timer`], which also returns what is due.
//! - The silences of a rollout that watches its instances ([`Settings::watch`]): the driver hears every heartbeat, so
//!   it knows for how long an instance has been silent, and calls [`Engine::handle_silence`] at the very millisecond,
//!   after the deadlines. It may keep heartbeats to itself that say what the engine knows already.
//! - The storage of the journal, and the moment of a return. A controller that was away rebuilds the engine from its
//!   [`Journal`], calls [`Engine::resume`] with the moment of its return, and hands in what waited, one by one in
//!   order: heartbeats with `arrived`, answers and timeouts with the moments at which they were due. The engine judges
//!   each by its own moment and records it at the moment of the return (§9). Ticks that were missed are dropped.
//!
//! Inputs that do not fit (a heartbeat of an instance that is not planned, an answer to no request, a timeout with
//! nothing due, time that runs backwards) change nothing and do no harm.
//!
//! # Enums that grow
//!
//! [`Refusal`], [`AnswerError`] and [`JournalError`] are `#[non_exhaustive]`: code that displays an error displays a
//! new one as well. Events, answers, requests, commands, timers and outcomes are exhaustive. Each new one has to be
//! written, counted and carried out, and the compiler finds every place that does not do so; a wildcard arm would drop
//! it. They grow with a new minor version of this crate.
//!
//! # Driven by hand
//!
//! ```
//! use dryroll_engine::*;
//! use dryroll_engine::fleet::{At, DigestId, Heartbeat, InstanceId, Span};
//!
//! let batches = BatchSizes::pct(50);
//! let plan = Plan::new(PlanOrder::new((0..4).map(InstanceId)), vec![], &batches); // two batches of two
//! let version = |id: &str, digest| VersionRef { id: id.into(), digest: DigestId(digest) };
//! let settings = Settings {
//!     batches,
//!     policy: InterventionPolicy::AutoApprove,
//!     ..Settings::new(version("v2", 2), Some(version("v1", 1)))
//! };
//! let mut engine = Engine::new(plan, settings, Ticks::default(), Recording::Milestones);
//! engine.handle_request(At(0));
//! assert_eq!(engine.poll_timeout(), Some(At(0)), "the tick");
//! engine.handle_timeout(At(0));
//! assert_eq!(engine.poll_command(), Some(Command::Upgrade { to: Direction::Forward, positions: 0..2 }));
//!
//! // One instance reports that its upgrade failed, the other says nothing at all.
//! let sent_at = At(40_000);
//! let report = Heartbeat {
//!     instance: InstanceId(0), sent_at, digest: DigestId(1), healthy: true, failed_upgrade: Some(DigestId(2)),
//! };
//! engine.handle_heartbeat(sent_at, sent_at, &report);
//! assert_eq!(engine.poll_timeout(), Some(At(300_000)), "the deadline");
//! engine.handle_timeout(At(300_000));
//!
//! // Two in a row: the breaker trips and asks. The operator stops here.
//! let (request, _) = engine.pending_request().unwrap();
//! engine.handle_answer(At(360_000), request, Answer::OnTrip(OperatorDecision::Abort)).unwrap();
//! assert_eq!(engine.outcome(), Some(Outcome::Aborted));
//! while let Some(event) = engine.poll_event() {
//!     println!("{} {}", event.at, event.body.kind().full_name());
//! }
//! ```

/// The README's code is compiled and run with the tests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod fleet;

mod approval;
mod batch_sizes;
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
mod share;
mod ticks;
mod verdict;
mod walk;

pub use approval::{Answer, AnswerKind, ApprovalId, Edit, OperatorDecision, RequestKind};
pub use batch_sizes::{BatchOf, BatchSizes, Before, Growth, GrowthStep, OnFailed};
pub use breaker::{
    Armed, ConsecutiveFailures, Count, FailedBatches, FailureCount, Failures, Finding, Limit, LogRatio, Moments,
    NoProgress, Rule, RuleKind, Scene, Sprt, Then, Threshold, TripReason, Unwell, Whole,
};
pub use error::{AnswerError, JournalError, Refusal};
pub use event::{Direction, Event, EventBody, EventKind, Outcome, RolloutId};
#[cfg(feature = "serde")]
pub use event_line::{EventLine, EventNames};
pub use journal::{Entry, Input, Journal};
pub use machine::{Command, Engine, Timer};
pub use outbox::Recording;
pub use plan::{BatchPhase, Plan, PlanOrder};
pub use request::{Inventory, Request};
pub use settings::{BreakerOrder, BreakerScope, InterventionPolicy, Pace, Promotions, Settings, VersionRef, Watch};
pub use share::{Rounding, Share, Size};
pub use ticks::Ticks;
pub use verdict::{Judged, Phase, Reason, Relapse, Verdict};
