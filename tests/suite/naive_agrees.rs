//! Two implementations of one contract, held against each other on scenarios by chance: the same events, the same
//! metrics, to the millisecond.
//!
//! `NAIVE_FROM` and `NAIVE_COUNT` in the environment choose other scenarios than the first few thousand.

use crate::naive;

use std::panic::{AssertUnwindSafe, catch_unwind};

use dryroll::engine::{Engine, Event, Recording};
use dryroll::scenario::Scenario;
use dryroll::sim::{CompiledScenario, Metrics, Observer, Simulator, Unobserved};

/// Keeps every event.
#[derive(Default)]
struct Log(Vec<Event>);

impl Observer for Log {
    fn recording(&self) -> Recording {
        Recording::Everything
    }
    fn event(&mut self, _: &Engine, event: &Event) {
        self.0.push(event.clone());
    }
}

fn lines(log: &[Event]) -> String {
    log.iter().map(|e| format!("{:>8} {} {:?}\n", e.at.0, e.rollout, e.body)).collect()
}

/// What differs, with its neighbourhood.
fn difference(real: (&[Event], &Metrics), plain: (&[Event], &Metrics)) -> Result<(), String> {
    let first = real.0.iter().zip(plain.0).position(|(a, b)| a != b);
    let first = first.or((real.0.len() != plain.0.len()).then_some(real.0.len().min(plain.0.len())));
    if let Some(first) = first {
        let around = |log: &[Event]| lines(&log[first.saturating_sub(12)..log.len().min(first + 5)]);
        return Err(format!("event {first} differs\nreal:\n{}naive:\n{}", around(real.0), around(plain.0)));
    }
    if real.1 != plain.1 {
        return Err(format!("the metrics differ after\n{}real:  {:?}\nnaive: {:?}", lines(real.0), real.1, plain.1));
    }
    Ok(())
}

/// Runs both on two replicates, the real one also unobserved.
fn compare(scenario: &Scenario) -> Result<(), String> {
    let compiled = CompiledScenario::new(scenario).map_err(|refusal| format!("refused: {refusal}"))?;
    let mut simulator = Simulator::new(&compiled);
    for replicate in 0..2 {
        let mut log = Log::default();
        let metrics = simulator.run(replicate, &mut log);
        let (events, plain) = naive::run(scenario, &compiled, replicate);
        difference((&log.0, &metrics), (&events, &plain)).map_err(|what| format!("replicate {replicate}: {what}"))?;
        let unobserved = simulator.run(replicate, &mut Unobserved);
        if unobserved != metrics {
            return Err(format!("unobserved: {unobserved:?}\nobserved:   {metrics:?}"));
        }
    }
    Ok(())
}

/// The same, where a panic is a difference like any other.
pub fn disagreement(scenario: &Scenario) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(|| compare(scenario))) {
        Ok(result) => result.err(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            Some(format!("panic: {}", text.or(panic.downcast_ref().copied()).unwrap_or_default()))
        }
    }
}

#[test]
fn the_real_one_and_the_naive_one_agree() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number in the environment"))
    };
    let (from, count) = (number("NAIVE_FROM", 0), number("NAIVE_COUNT", 20_000));
    let numbers = from..from + count;
    let differing: Vec<u64> =
        numbers.filter(|&number| disagreement(&naive::scenario_generator::scenario(number)).is_some()).collect();
    for &number in differing.iter().take(3) {
        let smallest =
            naive::shrink(naive::scenario_generator::scenario(number), |smaller| disagreement(smaller).is_some());
        println!("scenario {number} made small: {smallest:#?}\n{}", disagreement(&smallest).unwrap_or_default());
    }
    println!("{}", naive::coverage::counts());
    let missing = naive::coverage::missing();
    assert!(count < 20_000 || missing.is_empty(), "never met: {missing:?}");
    assert!(differing.is_empty(), "{} of {count} scenarios differ: {differing:?}", differing.len());
}
