//! Least squares on polynomials of a few numbers: how a mean depends on other quantities, without a model of the
//! dependence.
//!
//! The polynomials are made orthonormal over the rows that are fitted (modified Gram and Schmidt, twice: C. L. Lawson
//! and R. J. Hanson, "Solving Least Squares Problems", 1974), so that nothing is inverted. All other rows get their
//! values by the same steps, which is what a prediction needs.

/// A polynomial that keeps no more than this share after the others are removed depends on them.
const DUST: f64 = 1e-9;
/// The least number of rows for each polynomial.
const ROWS_EACH: usize = 20;

/// Orthonormal polynomials over the fitted rows, with their values in all rows.
#[derive(Clone, Debug)]
pub struct Basis {
    columns: Vec<Vec<f64>>,
    fitted: Vec<bool>,
}

impl Basis {
    /// All polynomials up to a total degree in the regressors (each a number for each row), orthonormal over the rows
    /// that are `fitted`. The degree is lowered until there are 20 rows for each polynomial.
    #[must_use]
    pub fn new(regressors: &[Vec<f64>], degree: u32, fitted: Vec<bool>) -> Self {
        let rows = fitted.iter().filter(|&&is| is).count();
        let scaled: Vec<Vec<f64>> = regressors.iter().filter_map(|one| scaled(one, &fitted)).collect();
        let fits = |degree: u32| exponents(scaled.len(), degree).len() * ROWS_EACH <= rows;
        let degree = (1..=degree).rev().find(|&degree| fits(degree)).unwrap_or(0);
        let mut basis = Self { columns: Vec::new(), fitted };
        for powers in exponents(scaled.len(), degree) {
            let value =
                |row: usize| -> f64 { scaled.iter().zip(&powers).map(|(one, &n)| power(one[row], n)).product() };
            basis.add((0..basis.fitted.len()).map(value).collect());
        }
        basis
    }

    fn product(&self, a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).zip(&self.fitted).filter(|&(_, &is)| is).map(|((a, b), _)| a * b).sum()
    }

    fn add(&mut self, mut column: Vec<f64>) {
        let size = self.product(&column, &column).sqrt();
        // Rounding leaves a little of each polynomial the first time.
        for _ in 0..2 {
            for other in &self.columns {
                let share = self.product(&column, other);
                column.iter_mut().zip(other).for_each(|(value, other)| *value -= share * other);
            }
        }
        let left = self.product(&column, &column).sqrt();
        if left > DUST * size {
            column.iter_mut().for_each(|value| *value /= left);
            self.columns.push(column);
        }
    }

    /// The number of polynomials, including the constant.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there are no polynomials: no row is fitted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The standard error of the prediction for every row, if the values scatter equally around it everywhere; `None`
    /// if there are not more rows than polynomials. `predicted` must come from the same values.
    #[must_use]
    pub fn errors(&self, values: &[f64], predicted: &[f64]) -> Option<Vec<f64>> {
        let left: Vec<f64> = values.iter().zip(predicted).map(|(value, predicted)| value - predicted).collect();
        let rows = self.fitted.iter().filter(|&&is| is).count();
        let free = rows.checked_sub(self.len()).filter(|&free| free > 0)?;
        let spread = (self.product(&left, &left) / free as f64).sqrt();
        let leverage = |row: usize| self.columns.iter().map(|column| column[row] * column[row]).sum::<f64>();
        Some((0..values.len()).map(|row| spread * leverage(row).sqrt()).collect())
    }

    /// The prediction for every row from the fitted rows. `values` has a number for each row; those of other rows are
    /// ignored.
    #[must_use]
    pub fn predict(&self, values: &[f64]) -> Vec<f64> {
        let mut predicted = vec![0.0; values.len()];
        for column in &self.columns {
            let share = self.product(column, values);
            predicted.iter_mut().zip(column).for_each(|(sum, value)| *sum += share * value);
        }
        predicted
    }
}

/// The values less their mean, divided by their spread; `None` if they never vary over the fitted rows.
fn scaled(one: &[f64], fitted: &[bool]) -> Option<Vec<f64>> {
    let mut moments = super::moments::Moments::default();
    one.iter().zip(fitted).filter(|&(_, &is)| is).for_each(|(&value, _)| moments.push(value));
    let (mean, spread) = (moments.mean()?, moments.variance()?.sqrt());
    (spread > 1e-12 * mean.abs()).then(|| one.iter().map(|value| (value - mean) / spread).collect())
}

fn power(x: f64, n: u32) -> f64 {
    (0..n).fold(1.0, |product, _| product * x)
}

/// The powers of each of `regressors` regressors in every polynomial up to a degree: the constant first, lower degrees
/// before higher.
fn exponents(regressors: usize, degree: u32) -> Vec<Vec<u32>> {
    let mut all: Vec<Vec<u32>> = vec![Vec::new()];
    for _ in 0..regressors {
        let longer = all.iter().flat_map(|powers| {
            let left = degree - powers.iter().sum::<u32>();
            (0..=left).map(move |n| powers.iter().copied().chain([n]).collect())
        });
        all = longer.collect();
    }
    all.sort_by_key(|powers: &Vec<u32>| powers.iter().sum::<u32>());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> (Vec<f64>, Vec<f64>) {
        let of = |f: fn(f64) -> f64| (0..400).map(|i| f(f64::from(i))).collect();
        (of(|i| (i * 0.37) % 1.0), of(|i| 1e-4 * ((i * 0.71) % 1.0)))
    }

    #[test]
    fn a_polynomial_is_found_and_goes_on_where_nothing_was_fitted() {
        let (x, y) = grid();
        let truth: Vec<f64> = x.iter().zip(&y).map(|(x, y)| 3.0 - 2.0 * x + x * x * x + 5e4 * x * y).collect();
        let fitted: Vec<bool> = (0..400).map(|i| i % 5 != 0).collect();
        let basis = Basis::new(&[x, y], 3, fitted);
        assert_eq!(basis.len(), 10);
        let predicted = basis.predict(&truth);
        assert!(predicted.iter().zip(&truth).all(|(p, t)| (p - t).abs() < 1e-9));
    }

    #[test]
    fn what_never_varies_and_what_is_there_already_is_left_out() {
        let (x, _) = grid();
        let same = vec![0.25; 400];
        let twice: Vec<f64> = x.iter().map(|x| 2.0 * x + 1.0).collect();
        assert_eq!(Basis::new(&[x.clone(), same.clone(), twice], 2, vec![true; 400]).len(), 3);
        let constant = Basis::new(&[same], 3, vec![true; 400]);
        assert_eq!(constant.len(), 1);
        let mean = x.iter().sum::<f64>() / 400.0;
        assert!(constant.predict(&x).iter().all(|value| (value - mean).abs() < 1e-12));
    }

    /// The standard error of a constant is that of a mean.
    #[test]
    fn an_error_is_that_of_the_mean() {
        let (x, y) = grid();
        let basis = Basis::new(&[vec![1.0; 400]], 3, vec![true; 400]);
        let errors = basis.errors(&x, &basis.predict(&x)).unwrap();
        let mut moments = crate::moments::Moments::default();
        x.iter().for_each(|&x| moments.push(x));
        let wanted = (moments.variance().unwrap() / 400.0).sqrt();
        assert!(errors.iter().all(|error| (error - wanted).abs() < 1e-12));
        let (one, line) = (basis, Basis::new(&[y], 1, vec![true; 400]));
        let of = |basis: &Basis| basis.errors(&x, &basis.predict(&x)).unwrap().iter().copied().fold(0.0, f64::max);
        assert!(of(&line) > of(&one), "further out it is less sure");
    }

    #[test]
    fn few_rows_have_a_low_degree() {
        let (x, y) = grid();
        let first = |n: usize| Basis::new(&[x[..n].to_vec(), y[..n].to_vec()], 3, vec![true; n]).len();
        assert_eq!([first(400), first(150), first(70), first(30)], [10, 6, 3, 1]);
    }
}
