//! The laws by which networks flap: one for each rate and down time that some instance has. Overrides may say the one
//! or the other, so there can be as many as their numbers multiplied; each is made when it is first asked for.

use std::sync::OnceLock;

use super::super::outages::{OutageLaw, Start};
use super::super::sampler::Sampler;
use super::HOUR;
use crate::scenario::{Distribution, Scenario};

/// All laws, by the override that sets the rate and the one that sets the down time, the fleet's own being the first of
/// each.
#[derive(Clone, Debug)]
pub(super) struct FlapLaws {
    /// Per hour.
    rates: Vec<f64>,
    downs: Vec<Sampler>,
    own: Option<OutageLaw>,
    made: Vec<OnceLock<Box<Made>>>,
}

/// A law that was asked for, and the next one in the same place.
#[derive(Clone, Debug)]
struct Made {
    of: (usize, usize),
    law: Option<OutageLaw>,
    next: OnceLock<Box<Made>>,
}

impl FlapLaws {
    pub fn of(scenario: &Scenario) -> Self {
        let said_rates = scenario.overrides.iter().filter_map(|o| o.flap_rate_per_hour);
        let rates: Vec<f64> = std::iter::once(scenario.network.flap_rate_per_hour).chain(said_rates).collect();
        let said_downs = scenario.overrides.iter().filter_map(|o| o.flap_down.as_ref());
        let downs: Vec<&Distribution> = std::iter::once(&scenario.network.flap_down).chain(said_downs).collect();
        let downs: Vec<Sampler> = downs.into_iter().map(Sampler::new).collect();
        let own = law(rates[0], &downs[0]);
        let made = vec![OnceLock::new(); rates.len() + downs.len()];
        Self { rates, downs, own, made }
    }

    /// That of the fleet.
    #[inline(always)]
    pub fn own(&self) -> Option<&OutageLaw> {
        self.own.as_ref()
    }

    /// That of a rate and a down time, by their numbers.
    pub fn law(&self, rate: usize, down: usize) -> Option<&OutageLaw> {
        if (rate, down) == (0, 0) {
            return self.own();
        }
        let new = || Made { of: (rate, down), law: law(self.rates[rate], &self.downs[down]), next: OnceLock::new() };
        let mut place = &self.made[(rate + down) % self.made.len()];
        loop {
            let made = place.get_or_init(|| Box::new(new()));
            if made.of == (rate, down) {
                return made.law.as_ref();
            }
            place = &made.next;
        }
    }

    /// Whether any network can flap.
    pub fn any(&self) -> bool {
        self.rates.iter().any(|&rate| rate > 0.0) && self.downs.iter().any(|down| !down.is_zero())
    }
}

fn law(per_hour: f64, down: &Sampler) -> Option<OutageLaw> {
    OutageLaw::new(per_hour / HOUR, down.clone(), Start::Stationary)
}
