//! What follows from figures before anything is drawn or said: which is better, what may be compared, how far a plan
//! gets when it goes wrong, what harm goes on.

pub mod better;
pub mod conditional;
pub mod forecast;
pub mod harm;
