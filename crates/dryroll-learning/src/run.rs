//! The record of one rollout: one replicate, so it says what can happen and never how often.

use super::facts::Facts;
use super::phrases::{self, one_line, percent, time};
use super::{Category, Learning, LearningError};
use dryroll_engine::BatchSizes;
use dryroll_report::model::run::RunReport;
use dryroll_report::words::plural;
use dryroll_sim::scenario::Metric;
use dryroll_study::study::Policy;

/// What a run report says, read once.
struct Run<'a> {
    page: &'a RunReport,
    /// As it was walked: an edit before the approval counts.
    policy: Policy,
    edited: bool,
    outcome: &'a str,
    trips: u64,
    duration: f64,
    defective: bool,
    decisions: Vec<&'a str>,
}

/// What is made of it.
struct Lesson {
    category: Category,
    /// The second half of the title.
    title: String,
    happened: String,
    advice: String,
    tags: &'static [&'static str],
}

pub(super) fn learning(page: &RunReport) -> Result<Learning, LearningError> {
    let run = Run::of(page)?;
    let lesson = run.lesson();
    let scenario = &page.scenario;
    let module = phrases::module(scenario);
    let title = format!("{module} {} rolling upgrade — {}", run.versions(), lesson.title);
    let content = [
        run.plan(),
        lesson.happened,
        run.figures(),
        run.faults(),
        lesson.advice,
        "One run is one replicate: it shows what can happen, not how often; a sweep estimates that.".to_owned(),
        phrases::evidence(scenario, page.seed, &format!("replicate {}", page.replicate), page.command.raw()),
        run.facts().to_string(),
    ];
    let mut tags = phrases::tags(scenario, page.plan.total_instances, "run");
    tags.push(phrases::tag(page.version.raw()));
    tags.extend(phrases::policy_tags(&run.policy));
    tags.extend([phrases::tag(run.outcome)]);
    tags.extend(lesson.tags.iter().map(|tag| (*tag).to_owned()));
    Ok(Learning {
        title: one_line(&title),
        category: lesson.category.name().into(),
        content: content.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
        tags: phrases::tidy(tags),
    })
}

impl<'a> Run<'a> {
    fn of(page: &'a RunReport) -> Result<Self, LearningError> {
        let metrics = &page.metrics;
        let policy = page.policy().ok_or(LearningError::Lacks("policy"))?;
        let total = u32::try_from(page.plan.total_instances).unwrap_or(u32::MAX);
        let mut walked = policy.clone();
        let size = page.plan.batch_size;
        if let Some(own) = policy.batch_pct.map(BatchSizes::pct)
            && total > 0
            && size != u64::from(own.largest(total))
        {
            // Several shares make the same batch; the largest is the one that people write.
            let pct = u32::try_from(size.saturating_mul(100) / u64::from(total)).unwrap_or(100);
            walked.batch_pct = Some(pct.clamp(1, 100));
        }
        let limit = page.plan.circuit_breaker.max_consecutive_failures;
        walked.max_consecutive_failures = limit.filter(|&limit| limit > 0).or(walked.max_consecutive_failures);
        Ok(Self {
            edited: walked != policy,
            policy: walked,
            outcome: metrics.outcome().ok_or(LearningError::Lacks("metrics.outcome"))?,
            trips: metrics.count(Metric::Trips).ok_or(LearningError::Lacks("metrics.trips"))?,
            duration: metrics.figure(Metric::DurationSec).ok_or(LearningError::Lacks("metrics.duration_sec"))?,
            defective: metrics.figure(Metric::BlastRadiusPct).is_some(),
            decisions: metrics.decisions(),
            page,
        })
    }

    /// Whether more than failures in a row can trip.
    fn has_rules(&self) -> bool {
        phrases::rules(&self.policy) > 0
    }

    fn number(&self, metric: Metric) -> Option<f64> {
        self.page.metrics.figure(metric)
    }

    fn count(&self, metric: Metric) -> u64 {
        self.page.metrics.count(metric).unwrap_or(0)
    }

    fn versions(&self) -> String {
        match &self.policy.previous_version_id {
            Some(previous) => format!("{} → {}", previous, self.page.version),
            None => format!("→ {}", self.page.version),
        }
    }

    fn plan(&self) -> String {
        let plan = &self.page.plan;
        let fleet = phrases::fleet(&self.page.scenario, plan.total_instances);
        if plan.total_instances == 0 {
            return format!("{fleet}: no instance was to be upgraded.");
        }
        let instances = u64::from(self.page.scenario.instances);
        let some = match plan.total_instances {
            planned if instances > 0 && planned != instances => format!(" ({planned} of them planned)"),
            _ => String::new(),
        };
        let edited = if self.edited { " (edited before the approval)" } else { "" };
        let window = time(self.policy.health_timeout_sec.as_secs_f64());
        let estimate = match plan.estimated_total_seconds {
            estimate if estimate > 0.0 => {
                let waits = plan.estimated_total_seconds_in_flight;
                let waits = waits.map(|waits| format!(", {} with max_in_flight", time(waits))).unwrap_or_default();
                format!(" = {} estimated{waits}", time(estimate))
            }
            _ => String::new(),
        };
        format!(
            "{fleet}{some}: {} × {}{edited} × {window} health window{estimate}.",
            phrases::batches(&self.policy),
            plural(plan.batch_count, "batch", "batches"),
        )
    }

    fn figures(&self) -> String {
        if self.page.plan.total_instances == 0 || matches!(self.outcome, "rejected" | "expired" | "blocked") {
            return String::new();
        }
        let wait = match self.number(Metric::ApprovalWaitSec) {
            Some(wait) if wait > 0.0 => format!(", {} of it waiting for a person", time(wait)),
            _ => String::new(),
        };
        let mut said = vec![format!("It took {}{wait}", time(self.duration))];
        if let Some(exposed) = self.number(Metric::ExposedPct) {
            let name = if self.defective { "blast radius" } else { "exposed" };
            said.push(format!("{name} {}", percent(exposed)));
        }
        if let Some(serving) = self.number(Metric::MinServingPct) {
            said.push(format!("at least {} served at any moment", percent(serving)));
        }
        if let Some(detect) = self.number(Metric::TimeToDetectSec) {
            said.push(format!("{} from the first upgrade to the trip", time(detect)));
        }
        format!("{}.", said.join(", "))
    }

    fn faults(&self) -> String {
        let touched: Vec<String> = self
            .page
            .faults
            .iter()
            .filter(|fault| fault.warning.is_none())
            .map(|fault| fault.kind.to_string().replace('_', " "))
            .collect();
        if touched.is_empty() { String::new() } else { format!("Injected: {}.", touched.join(", ")) }
    }

    fn facts(&self) -> Facts {
        let page = self.page;
        let mut facts = Facts::of_replicate("run", &page.scenario, page.seed, page.replicate);
        let plan = &page.plan;
        facts.add_rollout(plan.total_instances, page.version.raw(), self.defective, &self.policy, plan.batch_count);
        facts.add_figure("estimate_sec", Some(page.plan.estimated_total_seconds).filter(|&estimate| estimate > 0.0));
        facts.add_figure("estimate_in_flight_sec", page.plan.estimated_total_seconds_in_flight);
        facts.add("outcome", self.outcome);
        facts.add("trips", self.trips);
        facts.add_figure("duration_sec", Some(self.duration));
        facts.add_figure("blast_radius_pct", self.number(Metric::BlastRadiusPct));
        facts.add_figure("harmed_pct", self.number(Metric::HarmedPct));
        facts
    }

    fn lesson(&self) -> Lesson {
        let policy = phrases::policy(&self.policy, &[]);
        let trips = plural(self.trips, "circuit breaker trip", "circuit breaker trips");
        match self.outcome {
            _ if self.page.plan.total_instances == 0 => Lesson {
                category: Category::Fact,
                title: "nothing to upgrade".into(),
                happened: String::new(),
                advice: "Every eligible instance already runs that version.".into(),
                tags: &[],
            },
            "rejected" | "expired" | "blocked" => Lesson {
                category: Category::Fact,
                title: format!("{}: nothing was rolled out", self.outcome),
                happened: format!("The request ended as {} and no instance was touched.", self.outcome),
                advice: "It shows nothing about the version or the policy.".into(),
                tags: &["approval"],
            },
            "rollback_failed" => Lesson {
                category: Category::FailureMode,
                title: format!("rollback failed after {trips}"),
                happened: format!("{trips}, and the rollback found the previous version archived or gone."),
                advice: "Recommend keeping the previous version available until no rollback is needed any more.".into(),
                tags: &["rollback", "circuit-breaker"],
            },
            "stalled" => Lesson {
                category: Category::FailureMode,
                title: format!("stalled with {policy}"),
                happened: format!("The rollout did not end within the scenario's horizon; {trips}."),
                advice: "Look first at the reconciler and at who answers requests.".into(),
                tags: &["stalled"],
            },
            _ if self.defective => self.of_defective(&policy, &trips),
            _ => self.of_good(&policy, &trips),
        }
    }

    fn of_good(&self, policy: &str, trips: &str) -> Lesson {
        let failures = self.count(Metric::FalseFailures);
        if self.trips == 0 && self.outcome == "completed" {
            let fleet = phrases::fleet(&self.page.scenario, self.page.plan.total_instances);
            return Lesson {
                category: Category::BestPractice,
                title: format!("{policy} completed without a trip on the {fleet}"),
                happened: "A good version, completed. Zero circuit breaker trips.".into(),
                advice: format!(
                    "Recommend keeping {policy} for this fleet; what another size, other failure rates or a bad \
                     version would do is not in this run: rehearse them before relying on it."
                ),
                tags: &["batch-sizing", "no-trip"],
            };
        }
        if self.trips == 0 {
            return Lesson {
                category: Category::Discovery,
                title: format!("{} without a trip with {policy}", self.outcome),
                happened: format!("A good version, ended as {}, without a trip.", self.outcome),
                advice: "It decides nothing about the policy.".into(),
                tags: &[],
            };
        }
        let cause = match failures {
            0 => "some of its upgrades did fail, as upgrades of good versions do".to_owned(),
            _ => format!(
                "{} on instances that ran the new version and served",
                plural(failures, "failed verdict fell", "failed verdicts fell")
            ),
        };
        Lesson {
            category: Category::FailureMode,
            title: format!("false trip with {policy}"),
            happened: format!("{trips} on a good version, ended as {}: {cause}.", self.outcome),
            advice: "Before the limit is raised, look for the cause: the limit is a symptom. Which limit pays is a \
             question for `dryroll tune`."
                .into(),
            tags: &["circuit-breaker", "false-trip"],
        }
    }

    fn of_defective(&self, policy: &str, trips: &str) -> Lesson {
        let blast = self.number(Metric::BlastRadiusPct).unwrap_or(0.0);
        let reach = percent(blast);
        let (harmed, escaped) = (self.count(Metric::HarmedInstances), self.count(Metric::EscapedInstances));
        let pct = self.number(Metric::HarmedPct).map_or_else(String::new, |pct| format!(" ({})", percent(pct)));
        let harm = format!(
            "{} harmed{pct}, {escaped} with a healthy verdict",
            plural(harmed, "instance was", "instances were")
        );
        if self.trips == 0 {
            let why = if escaped > 0 {
                "The health check passed what was broken: no limit sees that, so recommend a check that does, or \
                 waiting longer between batches."
            } else if self.has_rules() {
                "No rule found as many failures as it takes. Recommend trying lower limits, or other rules."
            } else {
                "Failures did not come in a row of that length. Recommend trying a lower limit with `dryroll tune`."
            };
            return Lesson {
                category: Category::FailureMode,
                title: format!("a bad version reached {reach} without a trip with {policy}"),
                happened: format!("A defective version, ended as {}, never tripped; {harm}.", self.outcome),
                advice: why.into(),
                tags: &["circuit-breaker", "escape"],
            };
        }
        let decided = match self.decisions.as_slice() {
            [] if self.page.trips.iter().any(|trip| trip.then.is_some()) => {
                "a rule acted, and nobody was asked".to_owned()
            }
            [] => "no decision was taken".to_owned(),
            decisions => {
                format!("decided: {}", decisions.iter().map(|one| one_line(one)).collect::<Vec<_>>().join(", "))
            }
        };
        let happened = format!("{trips} on a defective version; {decided}; ended as {}; {harm}.", self.outcome);
        if self.outcome == "completed" && self.decisions.contains(&"continue_anyway") {
            return Lesson {
                category: Category::AntiPattern,
                title: format!("continue_anyway took a bad version to {reach} of the fleet"),
                happened,
                advice:
                    "The breaker was right each time. Recommend continue_anyway only where the failures are known to \
                         be transient; else roll back or abort."
                        .into(),
                tags: &["circuit-breaker", "continue-anyway"],
            };
        }
        let plan = &self.page.plan;
        let batch = plan.batch_size as f64 * 100.0 / (plan.total_instances.max(1)) as f64;
        if blast <= batch + 1e-9 {
            return Lesson {
                category: Category::Pattern,
                title: format!("the breaker held a bad version to {reach} with {policy}"),
                happened,
                advice: format!(
                    "All that a batch has is commanded before its verdicts come, so one batch ({}) is what a trip in \
                     the first costs. Recommend smaller batches where that is too much.",
                    percent(batch)
                ),
                tags: &["circuit-breaker", "blast-radius"],
            };
        }
        Lesson {
            category: Category::FailureMode,
            title: format!("a bad version got past the first batch to {reach} with {policy}"),
            happened,
            advice: format!(
                "That is more than one batch ({}): {} soon enough. Recommend trying a lower limit or smaller batches \
                 with `dryroll tune`.",
                percent(batch),
                if self.has_rules() { "no rule held" } else { "failures were not in a row" }
            ),
            tags: &["circuit-breaker", "blast-radius"],
        }
    }
}
