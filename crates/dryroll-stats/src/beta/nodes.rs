//! Means over a beta distribution: Gauss's quadrature for its density, which is Jacobi's weight on [0, 1].

/// QL steps for one eigenvalue; three or four are usual.
const MOST_STEPS: usize = 60;

/// The nodes and weights of Gauss's rule of this order for Beta(a, b), ascending; the weights add up to 1. The mean of
/// a polynomial of degree below 2 × `order` is exact. Shapes are positive.
///
/// Nodes are the eigenvalues of the symmetric tridiagonal matrix of the recurrence of Jacobi's polynomials, weights the
/// squares of their vectors' first components (G. H. Golub and J. H. Welsch, "Calculation of Gauss quadrature rules",
/// Math. Comp. 23, 1969), found by the implicit QL method.
#[must_use]
pub fn nodes(a: f64, b: f64, order: usize) -> Vec<(f64, f64)> {
    let order = order.max(1);
    // On [0, 1], with s = a + b and the k-th coefficients of the monic polynomials.
    let s = a + b;
    let mut diagonal: Vec<f64> = (0..order)
        .map(|k| {
            let k = k as f64;
            if k == 0.0 {
                a / s
            } else {
                let t = 2.0 * k + s;
                0.5 * (1.0 + (a - b) / t * ((s - 2.0) / (t - 2.0)))
            }
        })
        .collect();
    let mut off: Vec<f64> = (1..order)
        .map(|k| {
            let k = k as f64;
            let t = 2.0 * k + s;
            let square = if k == 1.0 {
                a / s * (b / s) / (s + 1.0)
            } else {
                k / (t - 2.0) * ((k + a - 1.0) / (t - 1.0)) * ((k + b - 1.0) / (t - 2.0)) * ((k + s - 2.0) / (t - 3.0))
            };
            square.max(0.0).sqrt()
        })
        .collect();
    off.push(0.0);
    let mut first = vec![0.0; order];
    first[0] = 1.0;
    for l in 0..order {
        for _ in 0..MOST_STEPS {
            let is_small = |m: &usize| {
                let m = *m;
                m + 1 == order || off[m].abs() <= f64::EPSILON * (diagonal[m].abs() + diagonal[m + 1].abs())
            };
            let m = (l..order).find(is_small).unwrap_or(order - 1);
            if m == l {
                break;
            }
            step(&mut diagonal, &mut off, &mut first, l, m);
        }
    }
    let all: f64 = first.iter().map(|z| z * z).sum();
    let mut nodes: Vec<(f64, f64)> =
        diagonal.iter().zip(&first).map(|(&x, &z)| (x.clamp(0.0, 1.0), z * z / all)).collect();
    nodes.sort_by(|one, other| one.0.total_cmp(&other.0));
    nodes
}

/// One implicit QL step on the block from `l` to `m`, which also turns the first components.
fn step(diagonal: &mut [f64], off: &mut [f64], first: &mut [f64], l: usize, m: usize) {
    let length = |x: f64, y: f64| (x * x + y * y).sqrt();
    let g = (diagonal[l + 1] - diagonal[l]) / (2.0 * off[l]);
    let mut g = diagonal[m] - diagonal[l] + off[l] / (g + length(g, 1.0).copysign(g));
    let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
    for i in (l..m).rev() {
        let (f, b) = (sine * off[i], cosine * off[i]);
        let r = length(f, g);
        off[i + 1] = r;
        if r == 0.0 {
            diagonal[i + 1] -= shift;
            off[m] = 0.0;
            return;
        }
        (sine, cosine) = (f / r, g / r);
        let lower = diagonal[i + 1] - shift;
        let turned = (diagonal[i] - lower) * sine + 2.0 * cosine * b;
        shift = sine * turned;
        diagonal[i + 1] = lower + shift;
        g = cosine * turned - b;
        let z = first[i + 1];
        first[i + 1] = sine * first[i] + cosine * z;
        first[i] = cosine * first[i] - sine * z;
    }
    diagonal[l] -= shift;
    off[l] = g;
    off[m] = 0.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// E[xᵏ] = Π (a + i) / (a + b + i), and the same of 1 − x, for all degrees up to the one for which the order is
    /// exact.
    #[test]
    fn moments_are_exact() {
        for (a, b) in [(1.0, 32.0), (0.5, 0.5), (0.03, 3.0), (1.0, 1.0), (2.0, 0.4), (40.0, 900.0), (1e3, 1e6)] {
            for order in [1, 2, 5, 26, 64] {
                let nodes = nodes(a, b, order);
                assert!((nodes.iter().map(|node| node.1).sum::<f64>() - 1.0).abs() < 1e-12, "{a} {b} {order}");
                assert!(nodes.windows(2).all(|two| two[0].0 < two[1].0), "{a} {b} {order}");
                let (mut low, mut high) = (1.0, 1.0);
                for k in 0..2 * order {
                    let power = |x: f64| (0..k).fold(1.0, |product, _| product * x);
                    let has = nodes.iter().fold((0.0, 0.0), |sum, &(x, weight)| {
                        (sum.0 + weight * power(x), sum.1 + weight * power(1.0 - x))
                    });
                    assert!((has.0 - low).abs() < 1e-12 && (has.1 - high).abs() < 1e-12, "{a} {b} {order} {k}");
                    let i = k as f64;
                    low *= (a + i) / (a + b + i);
                    high *= (b + i) / (a + b + i);
                }
            }
        }
    }
}
