//! Maximisation of functions without derivatives.

/// The value that stands for a point where the function is not defined.
pub const NOWHERE: f64 = -1e300;

/// Nelder and Mead's simplex in a few dimensions ("A simplex method for function minimization", Computer Journal 7,
/// 1965), from `start` with these first steps. It restarts once where it ended, since it may have collapsed too early.
pub fn simplex(f: &impl Fn(&[f64]) -> f64, start: &[f64], steps: &[f64]) -> (Vec<f64>, f64) {
    let (first, _) = once(f, start, steps, 1e-8);
    let smaller: Vec<f64> = steps.iter().map(|step| step / 4.0).collect();
    once(f, &first, &smaller, 1e-8)
}

/// The same from a point near the maximum, to a thousandth of a log-likelihood.
pub fn near(f: &impl Fn(&[f64]) -> f64, start: &[f64], steps: &[f64]) -> (Vec<f64>, f64) {
    once(f, start, steps, 1e-3)
}

fn once(f: &impl Fn(&[f64]) -> f64, start: &[f64], steps: &[f64], even: f64) -> (Vec<f64>, f64) {
    const FEWEST_ROUNDS: usize = 120;
    const ROUNDS_A_DIMENSION: usize = 60;
    const CLOSE: f64 = 1e-6;
    let mut corners = vec![(start.to_vec(), f(start))];
    for (axis, step) in steps.iter().enumerate() {
        let mut corner = start.to_vec();
        corner[axis] += step;
        let value = f(&corner);
        corners.push((corner, value));
    }
    let last = corners.len() - 1;
    for _ in 0..FEWEST_ROUNDS.max(ROUNDS_A_DIMENSION * start.len()) {
        corners.sort_by(|a, b| b.1.total_cmp(&a.1));
        let is_small = (0..start.len()).all(|axis| {
            corners.iter().all(|corner| (corner.0[axis] - corners[0].0[axis]).abs() <= CLOSE * steps[axis].abs())
        });
        if is_small || (corners[0].1 - corners[last].1 < even && corners[last].1 > NOWHERE) {
            break;
        }
        let centre: Vec<f64> = (0..start.len())
            .map(|axis| corners[..last].iter().map(|corner| corner.0[axis]).sum::<f64>() / last as f64)
            .collect();
        let worst = corners[last].clone();
        let along = |by: f64| {
            let place: Vec<f64> =
                centre.iter().zip(&worst.0).map(|(centre, worst)| centre + by * (centre - worst)).collect();
            let value = f(&place);
            (place, value)
        };
        let reflected = along(1.0);
        let second_worst = corners[last - usize::from(last > 0)].1;
        if reflected.1 > corners[0].1 {
            let expanded = along(2.0);
            corners[last] = if expanded.1 > reflected.1 { expanded } else { reflected };
        } else if reflected.1 > second_worst && last > 1 {
            corners[last] = reflected;
        } else {
            let contracted = if reflected.1 > worst.1 { along(0.5) } else { along(-0.5) };
            if contracted.1 > worst.1.max(reflected.1) {
                corners[last] = contracted;
            } else {
                let best = corners[0].0.clone();
                for corner in &mut corners[1..] {
                    corner.0 = corner.0.iter().zip(&best).map(|(x, best)| (x + best) / 2.0).collect();
                    corner.1 = f(&corner.0);
                }
            }
        }
    }
    corners.sort_by(|a, b| b.1.total_cmp(&a.1));
    corners.swap_remove(0)
}

/// The maximum of a function of one variable, from `start`: steps double while the function rises, and halve otherwise.
pub fn uphill(f: impl Fn(f64) -> f64, start: f64, step: f64) -> (f64, f64) {
    let (mut x, mut best, mut step) = (start, f(start), step);
    let least = step.abs() / 200.0;
    let mut calls = 0;
    while step.abs() > least && calls < 80 {
        calls += 2;
        let ahead = f(x + step);
        if ahead > best {
            (x, best, step) = (x + step, ahead, step * 2.0);
            continue;
        }
        let behind = f(x - step);
        if behind > best {
            (x, best, step) = (x - step, behind, -step * 2.0);
            continue;
        }
        step /= 3.0;
    }
    (x, best)
}
