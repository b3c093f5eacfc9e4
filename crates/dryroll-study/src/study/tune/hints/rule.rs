//! Rules that judge the verdicts of a rollout in the order in which a breaker counts them.

/// One verdict, as a breaker counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::study::tune) struct Counted {
    pub(in crate::study::tune) failed: bool,
    /// The number of instances dispatched by then.
    pub(in crate::study::tune) dispatched: u32,
    /// Whether a rule starts afresh with it.
    pub(in crate::study::tune) fresh: bool,
}

/// A rule that judges verdicts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// This many failures in a row.
    Consecutive(u32),
    /// At least this many failures among the last verdicts.
    Share {
        /// Failures.
        failures: usize,
        /// Verdicts.
        window: usize,
    },
    /// Page's rule.
    Cusum {
        /// The decrease for each success.
        reference: f64,
        /// Trips at this height.
        height: f64,
    },
}

impl Rule {
    /// The index of the verdict at which it trips.
    pub(super) fn trips(self, verdicts: &[Counted]) -> Option<usize> {
        match self {
            Self::Consecutive(limit) => {
                let mut run = 0;
                verdicts.iter().position(|verdict| {
                    run = if verdict.fresh { 0 } else { run };
                    run = if verdict.failed { run + 1 } else { 0 };
                    run >= limit
                })
            }
            Self::Share { failures, window } => {
                let (mut among, mut begin) = (0, 0);
                (0..verdicts.len()).find(|&at| {
                    if verdicts[at].fresh {
                        (among, begin) = (0, at);
                    }
                    among += usize::from(verdicts[at].failed);
                    if at - begin >= window {
                        among -= usize::from(verdicts[begin].failed);
                        begin += 1;
                    }
                    among >= failures
                })
            }
            Self::Cusum { reference, height } => {
                let mut sum: f64 = 0.0;
                verdicts.iter().position(|verdict| {
                    sum = if verdict.fresh { 0.0 } else { sum };
                    sum = (sum + f64::from(u8::from(verdict.failed)) - reference).max(0.0);
                    sum >= height
                })
            }
        }
    }

    /// The rule's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Consecutive(_) => "failures in a row",
            Self::Share { .. } => "failure share",
            Self::Cusum { .. } => "CUSUM",
        }
    }

    /// Its parameters in words.
    #[must_use]
    pub fn parameters(self) -> String {
        match self {
            Self::Consecutive(limit) => format!("{limit} in a row"),
            Self::Share { failures, window } => format!("{failures} of the last {window} verdicts"),
            Self::Cusum { reference, height } => format!("reference {reference:.3}, height {height:.2}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `x` fails, `.` passes, `|` begins a batch with which rules start afresh.
    fn verdicts(text: &str) -> Vec<Counted> {
        let mut counted = Vec::new();
        let mut fresh = false;
        for byte in text.bytes() {
            match byte {
                b'|' => fresh = true,
                byte => {
                    counted.push(Counted { failed: byte == b'x', dispatched: 0, fresh: std::mem::take(&mut fresh) })
                }
            }
        }
        counted
    }

    #[test]
    fn rules_trip_where_they_should() {
        let failed = verdicts(".x.xx.xxx");
        assert_eq!(Rule::Consecutive(2).trips(&failed), Some(4));
        assert_eq!(Rule::Consecutive(4).trips(&failed), None);
        assert_eq!(Rule::Share { failures: 3, window: 4 }.trips(&failed), Some(4));
        assert_eq!(Rule::Share { failures: 4, window: 5 }.trips(&failed), Some(7));
        assert_eq!(Rule::Share { failures: 5, window: 5 }.trips(&failed), None);
        // Sums: 0, .5, 0, .5, 1, .5, 1, 1.5, 2.
        assert_eq!(Rule::Cusum { reference: 0.5, height: 1.5 }.trips(&failed), Some(7));
        assert_eq!(Rule::Cusum { reference: 0.5, height: 3.0 }.trips(&failed), None);
    }

    #[test]
    fn rules_start_anew_with_a_batch_where_the_breaker_does() {
        let failed = verdicts(".xx|x.xx|xx");
        assert_eq!(Rule::Consecutive(3).trips(&failed), None);
        assert_eq!(Rule::Share { failures: 3, window: 4 }.trips(&failed), Some(6));
        assert_eq!(Rule::Share { failures: 3, window: 3 }.trips(&failed), None);
        assert_eq!(Rule::Cusum { reference: 0.0, height: 4.0 }.trips(&failed), None);
    }
}
