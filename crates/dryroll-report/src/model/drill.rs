//! The drill report: `dryroll.drill/1`. What a person decided, what it came to, and what each other decision would have
//! done, with the ground truth that the person did not see.

use serde::{Deserialize, Serialize};

use crate::judge::harm::HarmGoesOn;
use crate::model::ScenarioRef;
use crate::model::timeline::Timeline;
use crate::words::spoken;
use dryroll_engine::RequestKind;
use dryroll_engine::fleet::Span;
use dryroll_sim::scenario::Advice;
use dryroll_sim::text::Foreign;
use dryroll_sim::text::escaped;
use dryroll_study::drill::Pack;
use dryroll_study::study::Policy;

/// A drill, and its debrief.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrillReport {
    /// `dryroll.drill/1`
    pub schema: Foreign,
    /// Of which scenario.
    pub scenario: ScenarioRef,
    /// The seed.
    pub seed: u64,
    /// Which replicate.
    pub replicate: u64,
    /// The command that plays it again; empty where nothing was kept to be played.
    #[serde(default)]
    pub command: Foreign,
    /// How it was drawn; null where the scenario was named.
    #[serde(default)]
    pub surprise: Option<Surprise>,
    /// The policy, as it was requested.
    pub policy: Policy,
    /// The version that was rolled out.
    pub version: Foreign,
    /// The plan that was walked.
    pub plan: PlanWalked,
    /// How it ended.
    pub outcome: Foreign,
    /// What was decided, in order.
    pub decisions: Vec<DecisionMade>,
    /// Result.
    pub debrief: Debrief,
    /// How good that was.
    pub score: Score,
    /// The run that was played, in the figures of the others.
    pub as_it_was: Counterfactual,
    /// Each decision not taken, and each one made in half and in double the time.
    pub counterfactuals: Vec<Counterfactual>,
    /// Who approves at once, as it stands or with a limit of 1, and makes one decision on every trip.
    pub plain_operators: Vec<Counterfactual>,
    /// What the person could not know.
    pub truth: Truth,
    /// What the drill trains; null where the scenario does not say.
    pub lesson: Option<Lesson>,
    /// What happened, instance by instance.
    pub timeline: Timeline,
    /// Advice about the scenario; absent where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<Advice>,
}

/// Which drill a surprise was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surprise {
    /// Its file in the repository; the program has it built in.
    pub file: Foreign,
    /// The seed of the draw; null where a record said which drill it is of.
    pub seed: Option<u64>,
}

impl Surprise {
    /// The command that draws it again.
    #[must_use]
    pub fn again(&self, replicate: u64) -> Option<String> {
        let seed = self.seed?;
        let other = Pack::draw(seed).replicate != replicate;
        let replicate = if other { format!(" --replicate {replicate}") } else { String::new() };
        Some(format!("dryroll drill --surprise --seed {seed}{replicate}"))
    }
}

/// The figures of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanWalked {
    /// Planned instances.
    pub total_instances: u32,
    /// Instances a batch.
    pub batch_size: u32,
    /// Batches.
    pub batch_count: u32,
}

impl PlanWalked {
    /// The size of its batches, in words: `10`, or `up to 10` where they differ by more than the last.
    #[must_use]
    pub fn sizes(&self) -> String {
        let is_even = self.total_instances.div_ceil(self.batch_size.max(1)) == self.batch_count;
        if is_even { self.batch_size.to_string() } else { format!("up to {}", self.batch_size) }
    }
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionMade {
    /// When it was given.
    pub at_ms: u64,
    /// Since when it was asked for.
    pub asked_at_ms: u64,
    /// How long the person took.
    pub took_sec: f64,
    /// What was asked: the request's `type`.
    pub asked: Foreign,
    /// Whether a rollback had tripped.
    pub of_rollback: bool,
    /// What was decided.
    pub decide: Foreign,
    /// What an edit set.
    pub batch_pct: Option<u32>,
    /// What an edit set.
    pub max_consecutive_failures: Option<u32>,
}

/// What a drill came to. Times in seconds, integrals in instance-minutes, up to the end of the run and as long after it
/// as the scenario observes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Debrief {
    /// Request to end.
    pub duration_sec: f64,
    /// Of it, waiting for the person.
    pub approval_wait_sec: f64,
    /// Trips.
    pub trips: u32,
    /// First dispatch to first trip.
    pub time_to_detect_sec: Option<f64>,
    /// First trip to the end of the rollback; null where nothing was rolled back to its end.
    pub time_to_mitigate_sec: Option<f64>,
    /// First trip to the moment from which nothing was commanded to the target any more; null too in older reports.
    #[serde(default)]
    pub time_to_stop_sec: Option<f64>,
    /// Of the time to mitigate, the person's: from each trip to the decision on it.
    pub mitigate_person_sec: Option<f64>,
    /// Of it, the engine's: the rest.
    pub mitigate_engine_sec: Option<f64>,
    /// Most instances exposed at one moment.
    pub exposed_instances: u32,
    /// The same as a share of the plan, percent.
    pub exposed_pct: f64,
    /// Instances that the version harmed.
    pub harmed_instances: u32,
    /// The same as a share of the plan, percent; null in older reports.
    #[serde(default)]
    pub harmed_pct: Option<f64>,
    /// Harm that goes on when the drill is over, where some does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harm_goes_on: Option<HarmGoesOn>,
    /// Harmed instances with a healthy verdict.
    pub escaped_instances: u32,
    /// Harmed and not serving.
    pub unhealthy_instance_min: f64,
    /// Not serving for any cause.
    pub capacity_loss_instance_min: f64,
    /// The lowest share that served.
    pub min_serving_pct: f64,
    /// Failed verdicts on instances that were well.
    pub false_failures: u32,
}

/// How good a drill was, by the formula of `docs/drills.md`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// 0 to 100.
    pub points: f64,
    /// What the run cost, in instance-minutes.
    pub cost_instance_min: f64,
    /// Of it, not serving.
    pub not_serving_instance_min: f64,
    /// Instances that somebody has to put right by hand.
    pub misplaced_instances: u32,
    /// What these cost.
    pub put_right_instance_min: f64,
    /// From the approval to the end.
    pub under_way_sec: f64,
    /// What that cost.
    pub held_up_instance_min: f64,
    /// The least cost among the plain operators.
    pub best_cost_instance_min: f64,
    /// What the best of them decides on every trip.
    pub best: Foreign,
    /// That operator in words.
    pub best_says: String,
    /// Up to when the run that was played is counted.
    pub until_ms: u64,
    /// For so long from the approval every run is counted; one that goes on for longer, up to its end.
    #[serde(default)]
    pub counted_sec: f64,
}

impl Score {
    /// For how long every run is counted, in words.
    #[must_use]
    pub fn counted_says(&self) -> String {
        let counted = spoken(Span::from_secs_f64(self.counted_sec));
        format!("{counted} from the approval, or to the end of a run that goes on for longer")
    }
}

/// How a counterfactual differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// In nothing: the run that was played.
    AsItWas,
    /// Another decision.
    Instead,
    /// The same in half the time.
    HalfAsLate,
    /// The same in double the time.
    TwiceAsLate,
    /// Another operator from the beginning.
    PlainOperator,
}

/// The same replicate under another decision. Integrals and cost are counted for as long from its approval as the
/// person's are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counterfactual {
    /// Which decision differs, from 1; null where none of them does.
    pub decision: Option<usize>,
    /// How.
    pub difference: Difference,
    /// What is decided there; empty for the run that was played.
    pub decide: Foreign,
    /// What is decided on trips, where the person never did and the branch meets one; null elsewhere.
    #[serde(default)]
    pub on_trip: Option<Foreign>,
    /// What a plain operator sets the limit to before the approval; null where the plan is approved as it stands.
    pub limit: Option<u32>,
    /// How long a plain operator takes to decide on a trip.
    pub waits_sec: f64,
    /// In words.
    pub says: String,
    /// How it would have ended.
    pub outcome: Foreign,
    /// When.
    pub ended_at_ms: u64,
    /// Up to when it is counted.
    #[serde(default)]
    pub counted_to_ms: u64,
    /// Trips.
    pub trips: u32,
    /// First trip to the end of the rollback.
    pub time_to_mitigate_sec: Option<f64>,
    /// First trip to the moment from which nothing is commanded to the target any more.
    #[serde(default)]
    pub time_to_stop_sec: Option<f64>,
    /// Most instances exposed at one moment.
    pub exposed_instances: u32,
    /// Instances that the version would have harmed.
    pub harmed_instances: u32,
    /// The same as a share of the plan, percent; null in older reports.
    #[serde(default)]
    pub harmed_pct: Option<f64>,
    /// Harmed and not serving.
    pub unhealthy_instance_min: f64,
    /// Not serving for any cause.
    pub not_serving_instance_min: f64,
    /// Instances that somebody would have had to put right.
    pub misplaced_instances: u32,
    /// What it would have cost.
    pub cost_instance_min: f64,
    /// Its score.
    pub score: f64,
}

/// A decision in words.
#[must_use]
pub fn in_words(decide: &str) -> String {
    match decide {
        "rollback_completed_batches" => "roll back".to_owned(),
        other => escaped(&other.replace('_', " ")).into_owned(),
    }
}

impl DecisionMade {
    /// Whether it answers a promotion.
    #[must_use]
    pub fn is_of_promotion(&self) -> bool {
        self.asked.raw() == RequestKind::Promotion.type_name()
    }

    /// What was decided, in words.
    #[must_use]
    pub fn says(&self) -> String {
        let pct = self.batch_pct.map(|pct| format!("batch_pct = {pct}"));
        let limit = self.max_consecutive_failures.map(|limit| format!("limit = {limit}"));
        let edits: Vec<String> = pct.into_iter().chain(limit).collect();
        if edits.is_empty() {
            in_words(self.decide.raw())
        } else {
            format!("{}: {}", in_words(self.decide.raw()), edits.join(", "))
        }
    }
}

impl Counterfactual {
    /// What differs, in short: beside the decision that it changes.
    #[must_use]
    pub fn label(&self, decisions: &[DecisionMade]) -> String {
        let made = self.decision.and_then(|number| decisions.get(number.checked_sub(1)?));
        let after = |factor: f64| {
            made.map_or_else(String::new, |made| format!(": {}", spoken(Span::from_secs_f64(made.took_sec * factor))))
        };
        match self.difference {
            Difference::AsItWas => self.says.clone(),
            Difference::Instead => match &self.on_trip {
                // Short, for a column: on every trip.
                Some(on_trip) => {
                    format!(
                        "{}, then {}",
                        in_words(self.decide.raw()),
                        in_words(on_trip.raw()).trim_end_matches(" anyway")
                    )
                }
                None => in_words(self.decide.raw()),
            },
            Difference::HalfAsLate => format!("half as late{}", after(0.5)),
            Difference::TwiceAsLate => format!("twice as late{}", after(2.0)),
            Difference::PlainOperator => {
                let decide = in_words(self.decide.raw());
                let waits = Span::from_secs_f64(self.waits_sec);
                match self.limit {
                    Some(limit) => format!("limit {limit}, {decide}"),
                    // Short, for a column.
                    None if waits > Span::ZERO => {
                        format!("wait {}, {}", spoken(waits), decide.trim_end_matches(" anyway"))
                    }
                    None => decide,
                }
            }
        }
    }
}

/// The ground truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Whether the version is defective.
    pub defective: bool,
    /// What was true all along, one sentence a fact.
    pub facts: Vec<String>,
}

/// What a drill trains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// 1, easy, to 5.
    pub difficulty: u32,
    /// What it trains.
    pub trains: Foreign,
    /// What a good operator would do.
    pub good_operator: Foreign,
}
