//! A drill on the terminal when it is over: what happened, what it cost, what else could have been decided, and the
//! truth.

use std::io::{self, Write};

use anstyle::Style;

use crate::model::drill::DrillReport;
use crate::model::drill::{Counterfactual, Debrief, DecisionMade, Difference, in_words};
use crate::terminal::advice::advice_table;
use crate::terminal::table::Table;
use crate::words::{NOTHING, Unit, number, plural, spoken, wrapped};
use dryroll_engine::fleet::{At, Span};
use dryroll_sim::text::width as cells;
use dryroll_study::drill::score::{HELD_UP, TO_PUT_RIGHT};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Text is broken to lines of this many characters, or fewer where the terminal is narrower.
const WIDTH: usize = 78;
/// Narrower than this no line becomes.
const NARROWEST: usize = 40;
/// Where a moment's text begins, and what a figure is.
const MOMENT: usize = 26;
const FIGURE: usize = 13;
const NAMED_FIGURE: usize = 23;
/// Moments that are shown of a long rollout: how many from its beginning and from its end.
const SHOWN: (usize, usize) = (24, 8);
/// Ids that are named of a trip.
const NAMED: usize = 4;

/// Writes a drill, in lines of at most this many characters.
///
/// # Errors
/// When writing fails.
pub fn drill_table(out: &mut impl Write, report: &DrillReport, width: usize) -> io::Result<()> {
    let width = width.clamp(NARROWEST, WIDTH);
    for line in wrapped(&report.scenario.name.to_string(), width) {
        writeln!(out, "{BOLD}{line}{BOLD:#}")?;
    }
    let plan = &report.plan;
    let instances = plural(u64::from(plan.total_instances), "instance", "instances");
    let batches = plural(u64::from(plan.batch_count), "batch", "batches");
    let replicate = format!("seed {} · replicate {}", report.seed, report.replicate);
    for line in
        wrapped(&format!("{} · {instances} in {batches} of {} · {replicate}", report.version, plan.sizes()), width)
    {
        writeln!(out, "{DIM}{line}{DIM:#}")?;
    }
    writeln!(out)?;
    let after = spoken(Span::from_secs_f64(report.debrief.duration_sec));
    let score = number(report.score.points.round());
    for line in wrapped(&format!("{} after {after} · score {score} of 100", in_words(report.outcome.raw())), width) {
        writeln!(out, "{BOLD}{line}{BOLD:#}")?;
    }

    heading(out, "What happened")?;
    moments(out, report, width)?;
    heading(out, "Result")?;
    figures(out, &report.debrief, plan.total_instances, width)?;
    heading(out, "The score")?;
    score_of(out, report, width)?;
    heading(out, "The same replicate under other decisions")?;
    others(out, report, width)?;
    heading(out, "In truth")?;
    for fact in &report.truth.facts {
        paragraph(out, "- ", fact, width)?;
    }
    if let Some(lesson) = &report.lesson {
        heading(out, &format!("The lesson, {} of 5 in difficulty", lesson.difficulty))?;
        paragraph(out, "It trains: ", &lesson.trains.to_string(), width)?;
        paragraph(out, "A good operator: ", &lesson.good_operator.to_string(), width)?;
    }
    if let Some(surprise) = &report.surprise {
        heading(out, "The surprise")?;
        paragraph(out, "", &format!("It was {}, replicate {}.", surprise.file, report.replicate), width)?;
        if let Some(command) = surprise.again(report.replicate) {
            paragraph(out, "Again: ", &command, width)?;
        }
    }
    advice_table(out, &report.advice)?;
    out.flush()
}

fn heading(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{BOLD}{text}{BOLD:#}")
}

/// What happened, moment by moment. Consecutive healthy batches share a line.
fn moments(out: &mut impl Write, report: &DrillReport, width: usize) -> io::Result<()> {
    let timeline = &report.timeline;
    let mut moments: Vec<(u64, &str, String)> = Vec::new();
    let mut healthy: Option<(u64, u32, u32, u32)> = None;
    let quiet = |moments: &mut Vec<_>, healthy: &mut Option<(u64, u32, u32, u32)>| match healthy.take() {
        Some((at, first, last, count)) if first == last => {
            moments.push((at, "batch", format!("{first}: {count} healthy")))
        }
        Some((at, first, last, count)) => moments.push((at, "batches", format!("{first} to {last}: {count} healthy"))),
        None => {}
    };
    for batch in &timeline.batches {
        let (well, failed) = (batch.healthy_count, batch.failed_count);
        if failed == 0 && !batch.rollback {
            let (first, count) = healthy.map_or((batch.index, 0), |(_, first, _, count)| (first, count));
            healthy = Some((batch.to_ms, first, batch.index, count + well));
            continue;
        }
        quiet(&mut moments, &mut healthy);
        let label = if batch.rollback { "⟲ batch" } else { "batch" };
        moments.push((batch.to_ms, label, format!("{}: {well} healthy, {failed} failed", batch.index)));
    }
    quiet(&mut moments, &mut healthy);
    for trip in &timeline.trips {
        let ids = &trip.failed_instance_ids;
        let named: Vec<&str> = ids.iter().take(NAMED).map(String::as_str).collect();
        let more = if ids.len() > NAMED { " …" } else { "" };
        let ids = if ids.is_empty() { String::new() } else { format!(": {}{more}", named.join(", ")) };
        let follows = if trip.then.is_some() { format!("; {}", trip.followed()) } else { String::new() };
        moments.push((trip.at_ms, "⚡ tripped", format!("{}{ids}{follows}", trip.says())));
    }
    for bake in &timeline.bakes {
        let took = spoken(Span(bake.to_ms.saturating_sub(bake.from_ms)));
        moments.push((bake.to_ms, "bake", format!("of batch {} for {took}", bake.batch_index)));
    }
    for note in &timeline.notes {
        moments.push((note.at_ms, "noted", note.reason.clone()));
    }
    let relapses = timeline.failures.iter().filter_map(|failure| Some((failure, failure.relapse.as_ref()?)));
    for (failure, relapse) in relapses {
        moments.push((failure.at_ms, "relapse", format!("{} is {relapse}", failure.instance_id)));
    }
    for decision in &report.decisions {
        let took = spoken(Span::from_secs_f64(decision.took_sec));
        let of = match (decision.of_rollback, decision.is_of_promotion()) {
            (true, _) => " on the rollback",
            (false, true) => " on a promotion",
            (false, false) => "",
        };
        moments.push((decision.at_ms, "you", format!("{}{of}, after {took}", decision.says())));
    }
    for fault in &timeline.faults {
        let touched = plural(u64::from(fault.touched_instances), "instance", "instances");
        let until = At(fault.to_ms);
        moments.push((fault.from_ms, "fault", format!("{} until {until}, {touched}", in_words(&fault.kind))));
    }
    // What happens in one millisecond stays in this order.
    moments.sort_by_key(|(at, ..)| *at);
    moments.push((timeline.end_ms, "the end", in_words(report.outcome.raw())));
    let left_out = moments.len().saturating_sub(SHOWN.0 + SHOWN.1);
    for (place, (at, label, text)) in moments.iter().enumerate() {
        if left_out > 0 && place == SHOWN.0 {
            writeln!(out, "  {DIM}{:>11}  {:<10} {left_out} more{DIM:#}", "…", "")?;
        }
        if !(SHOWN.0..SHOWN.0 + left_out).contains(&place) {
            let at = At(*at).to_string();
            hanging(out, &format!("  {DIM}{at:>11}{DIM:#}  {BOLD}{label:<10}{BOLD:#} "), MOMENT, text, width)?;
        }
    }
    Ok(())
}

fn figures(out: &mut impl Write, debrief: &Debrief, planned: u32, width: usize) -> io::Result<()> {
    let time = |seconds: Option<f64>| seconds.map_or_else(|| NOTHING.to_owned(), |s| spoken(Span::from_secs_f64(s)));
    let instance_minutes = |value: f64| format!("{} instance-min", number(value));
    let exposed = format!("{} of {planned} ({})", debrief.exposed_instances, Unit::Percent.say(debrief.exposed_pct));
    let pct = debrief.harmed_pct.map_or_else(String::new, |pct| format!("{}, ", Unit::Percent.say(pct)));
    let harmed = format!(
        "{} of {planned} ({pct}{} with a healthy verdict)",
        debrief.harmed_instances, debrief.escaped_instances
    );
    for (name, value) in [
        ("time to detect", time(debrief.time_to_detect_sec)),
        ("time to stop", time(debrief.time_to_stop_sec)),
        ("time to mitigate", time(debrief.time_to_mitigate_sec)),
        ("  your part", time(debrief.mitigate_person_sec)),
        ("  the engine’s part", time(debrief.mitigate_engine_sec)),
        ("trips", debrief.trips.to_string()),
        ("exposed", exposed),
        ("harmed", harmed),
        ("unhealthy", instance_minutes(debrief.unhealthy_instance_min)),
        ("capacity lost", instance_minutes(debrief.capacity_loss_instance_min)),
        ("fewest serving", Unit::Percent.say(debrief.min_serving_pct)),
        ("false failures", debrief.false_failures.to_string()),
    ] {
        hanging(out, &format!("  {DIM}{name:<20}{DIM:#} "), NAMED_FIGURE, &value, width)?;
    }
    if let Some(harm) = &debrief.harm_goes_on {
        paragraph(out, "", &harm.says, width)?;
    }
    Ok(())
}

fn score_of(out: &mut impl Write, report: &DrillReport, width: usize) -> io::Result<()> {
    let score = &report.score;
    let put_right = plural(u64::from(score.misplaced_instances), "instance", "instances");
    let under_way = spoken(Span::from_secs_f64(score.under_way_sec));
    for (value, what) in [
        (score.not_serving_instance_min, "instance-min not serving".to_owned()),
        (score.put_right_instance_min, format!("for {put_right} to put right by hand, {TO_PUT_RIGHT} each")),
        (
            score.held_up_instance_min,
            format!("for {under_way} under way, at {} of the fleet", Unit::Share.say(HELD_UP)),
        ),
        (score.cost_instance_min, "is what it cost".to_owned()),
        (score.best_cost_instance_min, "is what the best of the plain operators would have cost".to_owned()),
    ] {
        hanging(out, &format!("  {:>9}  ", number(value)), FIGURE, &what, width)?;
    }
    hanging(out, &" ".repeat(FIGURE), FIGURE, &format!("({})", score.best_says), width)
}

fn others(out: &mut impl Write, report: &DrillReport, width: usize) -> io::Result<()> {
    let header = ["", "outcome", "harmed", "lost", "fix", "score"];
    let mut table = Table::new(&header, 2);
    let score = &report.score;
    let row = |one: &Counterfactual| {
        let indent = if one.difference == Difference::AsItWas { "" } else { "  " };
        vec![
            format!("{indent}{}", one.label(&report.decisions)),
            in_words(one.outcome.raw()),
            one.harmed_instances.to_string(),
            number(one.not_serving_instance_min),
            one.misplaced_instances.to_string(),
            number(one.score.round()),
        ]
    };
    table.push(row(&report.as_it_was));
    for (place, decision) in report.decisions.iter().enumerate() {
        let of_it: Vec<&Counterfactual> =
            report.counterfactuals.iter().filter(|one| one.decision == Some(place + 1)).collect();
        if !of_it.is_empty() {
            table.push(vec![format!("decision {}, {}, otherwise:", place + 1, decision.says())]);
            of_it.into_iter().for_each(|one| table.push(row(one)));
        }
    }
    if !report.plain_operators.is_empty() {
        let promoted = report.decisions.iter().any(DecisionMade::is_of_promotion);
        let approve = if promoted { "approve and promote" } else { "approve" };
        table.push(vec![format!("plain operators, who {approve} at once and on every trip:")]);
        report.plain_operators.iter().for_each(|one| table.push(row(one)));
    }
    if width < WIDTH {
        table.write_narrow(out, width)?
    } else {
        table.write(out)?
    }
    let counted = score.counted_says();
    let note = format!(
        "lost: instance-minutes not serving, counted for {counted}; fix: instances that somebody has to put right by \
         hand"
    );
    paragraph(out, "", &note, width)
}

/// A text in lines, indented by two; what leads it stands in the first line, and the others begin under its end if it
/// is short.
fn paragraph(out: &mut impl Write, lead: &str, text: &str, width: usize) -> io::Result<()> {
    let hang = if cells(lead.trim()) <= 1 { cells(lead) } else { 2 };
    let text = format!("{}{text}", if hang == 2 { lead } else { "" });
    let lead = if hang == 2 { "" } else { lead };
    hanging(out, &format!("  {lead}"), 2 + cells(lead), &text, width)
}

/// A text in lines that begin under the end of its lead, which takes this many characters.
fn hanging(out: &mut impl Write, lead: &str, indent: usize, text: &str, width: usize) -> io::Result<()> {
    let mut lead = lead.to_owned();
    for line in wrapped(text, width.saturating_sub(indent)) {
        writeln!(out, "{}", format!("{lead}{line}").trim_end())?;
        lead = " ".repeat(indent);
    }
    Ok(())
}
