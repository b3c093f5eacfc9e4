//! The names of everything that draws by itself: a byte string for each, and the key that follows from it.
//!
//! A class, an override, a fault or a version finds its draws by its name in the scenario, so that adding or removing
//! another one changes nothing. The byte strings are written out here, and belong to
//! [`SEMANTICS_VERSION`](crate::SEMANTICS_VERSION): they contain no name of the code, and changing one changes which
//! instances are hit.

use std::fmt::{self, Write};

use crate::scenario::FaultStart;
use dryroll_engine::EventKind;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Name<'a> {
    /// The order of a shuffled plan.
    RolloutOrder,
    /// The members of the class with this id.
    Class(&'a str),
    /// The places of the blocks of the class with this id.
    Blocks(&'a str),
    /// The instances of an override: its number among those with a `fraction`, from 1; 0 if it has none.
    Override(usize),
    /// The drawn rates of the version with this id.
    Rates(&'a str),
    /// The factor of upgrade times of the version with this id.
    Factor(&'a str),
    /// The posterior of the version with this id.
    RatePosterior(&'a str),
    /// The instances that a fault hits, and by how much: its kind as in the file, and its start.
    Fault(&'a str, &'a FaultStart),
}

impl Name<'_> {
    /// The key: FNV-1a over the bytes of the name.
    #[must_use]
    pub fn key(self) -> u64 {
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        // A hash takes every byte.
        let _ = self.write(&mut hash);
        hash.0
    }

    /// Writes the bytes of the name.
    ///
    /// # Errors
    /// When `out` does not take them.
    pub fn write(self, out: &mut impl Write) -> fmt::Result {
        match self {
            Self::RolloutOrder => quote(out, "rollout order"),
            Self::Class(id) => pair(out, "class", id),
            Self::Blocks(id) => pair(out, "blocks", id),
            Self::Override(number) => {
                out.write_char('(')?;
                quote(out, "override")?;
                write!(out, ", {number})")
            }
            Self::Rates(id) => pair(out, "rates", id),
            Self::Factor(id) => pair(out, "factor", id),
            Self::RatePosterior(id) => pair(out, "belief", id),
            Self::Fault(kind, begins) => {
                out.write_char('(')?;
                quote(out, kind)?;
                out.write_str(", ")?;
                start(out, begins)?;
                out.write_char(')')
            }
        }
    }
}

struct Fnv(u64);

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
}

fn pair(out: &mut impl Write, what: &str, id: &str) -> fmt::Result {
    out.write_char('(')?;
    quote(out, what)?;
    out.write_str(", ")?;
    quote(out, id)?;
    out.write_char(')')
}

fn quote(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\0' => out.write_str("\\0")?,
            c if c.is_ascii_control() => write!(out, "\\u{{{:x}}}", u32::from(c))?,
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

fn start(out: &mut impl Write, start: &FaultStart) -> fmt::Result {
    match start {
        FaultStart::At(at) => write!(out, "At(Span({}))", at.0),
        FaultStart::After { event, batch_index, delay } => {
            write!(out, "After {{ event: {}, batch_index: ", event_word(*event))?;
            match batch_index {
                None => out.write_str("None")?,
                Some(index) => write!(out, "Some({index})")?,
            }
            write!(out, ", delay: Span({}) }}", delay.0)
        }
    }
}

/// The word for an event in a fault's name, which is not its name in the file.
fn event_word(event: EventKind) -> &'static str {
    match event {
        EventKind::Planned => "Planned",
        EventKind::ApprovalRequested => "ApprovalRequested",
        EventKind::ApprovalDecided => "ApprovalDecided",
        EventKind::BatchStarted => "BatchStarted",
        EventKind::InstanceStarted => "InstanceStarted",
        EventKind::InstanceHealthCheck => "InstanceHealthCheck",
        EventKind::InstanceRetried => "InstanceRetried",
        EventKind::InstanceRelapsed => "InstanceRelapsed",
        EventKind::BreakerNoted => "BreakerNoted",
        EventKind::CircuitBreakerTripped => "CircuitBreakerTripped",
        EventKind::BatchCompleted => "BatchCompleted",
        EventKind::OperatorNotified => "OperatorNotified",
        EventKind::RollbackStarted => "RollbackStarted",
        EventKind::RollbackFailed => "RollbackFailed",
        EventKind::Finished => "Finished",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dryroll_engine::fleet::Span;

    /// Changing any line changes which instances are hit in existing scenarios: raise `SEMANTICS_VERSION` with it.
    #[test]
    fn names_and_keys_are_as_they_ever_were() {
        let at = FaultStart::At(Span(400_000));
        let after = |event, batch_index| FaultStart::After { event, batch_index, delay: Span(30_000) };
        let batch = after(EventKind::BatchStarted, Some(1));
        let trip = after(EventKind::CircuitBreakerTripped, None);
        for (name, bytes, key) in golden(&at, &batch, &trip) {
            let mut text = String::new();
            name.write(&mut text).unwrap();
            assert_eq!((text.as_str(), name.key()), (bytes, key));
        }
    }

    type Golden<'a> = [(Name<'a>, &'static str, u64); 12];

    fn golden<'a>(at: &'a FaultStart, batch: &'a FaultStart, trip: &'a FaultStart) -> Golden<'a> {
        [
            (Name::RolloutOrder, r#""rollout order""#, 0x2208cd6891ad1cb4),
            (Name::Class("lemons"), r#"("class", "lemons")"#, 0xbb8a7f2711fd6380),
            (Name::Blocks("rack"), r#"("blocks", "rack")"#, 0xd9c363a20152c7fb),
            (Name::Override(0), r#"("override", 0)"#, 0x8857d95cb1fd3a40),
            (Name::Override(2), r#"("override", 2)"#, 0x88515d5cb1f7fbde),
            (Name::Rates("v-1.26.0"), r#"("rates", "v-1.26.0")"#, 0xda085628a3a49437),
            (Name::Factor("a\"b\\c\n\u{1b}\0"), r#"("factor", "a\"b\\c\n\u{1b}\0")"#, 0xe1e72f8fc9c43e03),
            (Name::RatePosterior("版本"), r#"("belief", "版本")"#, 0x3d61e478851debf5),
            (Name::Fault("partition", at), r#"("partition", At(Span(400000)))"#, 0x3f17fbccb8adc10f),
            (
                Name::Fault("kill", batch),
                r#"("kill", After { event: BatchStarted, batch_index: Some(1), delay: Span(30000) })"#,
                0x5afcdff5b2db8bd7,
            ),
            (
                Name::Fault("delay_heartbeats", trip),
                r#"("delay_heartbeats", After { event: CircuitBreakerTripped, batch_index: None, delay: Span(30000) })"#,
                0x7068042d95b4c23e,
            ),
            (Name::Class(""), r#"("class", "")"#, 0x73733f6a294c78cc),
        ]
    }
}
