//! The replicates of a sweep as Parquet: one row a replicate, streamed, so that memory does not grow with them.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use dryroll_engine::Outcome;
use dryroll_sim::scenario::{Metric, Scenario};
use dryroll_sim::text::Foreign;
use dryroll_study::study::grid::Cells;
use dryroll_study::study::results::CellRows;
use dryroll_study::study::row::{Ending, Row};
use dryroll_study::study::{AtOnce, Policy};

/// Rows of one row group: held at once.
const GROUP: usize = 16_384;

/// Writes replicates, cell by cell.
pub struct RunsWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    optional: OptionalColumns,
}

/// Columns that a file has only where its rollouts need them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OptionalColumns {
    /// Some plans have another order than the fleet's.
    pub order: bool,
    /// Some policies go beyond the tutorial's keys: a column has these, as JSON.
    pub beyond: bool,
    /// Some upgrades can brick an instance.
    pub bricks: bool,
}

impl OptionalColumns {
    /// Those that these cells need.
    #[must_use]
    pub fn of(cells: &Cells) -> Self {
        let mut all = Self::default();
        for (cell, compiled) in cells.compiled.iter().enumerate() {
            let policy = cells.policy(cell);
            all.order |= !policy.order.is_listed();
            all.beyond |= !policy.beyond.is_empty() || policy.policy.is_some();
            all.bricks |= compiled.bricks;
        }
        all
    }
}

impl<W: Write + Send> RunsWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// When writing fails.
    pub fn new(out: W, optional: OptionalColumns) -> io::Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("dryroll ", env!("CARGO_PKG_VERSION")).into())
            .build();
        let schema = schema(optional).map_err(failed)?;
        let writer = SerializedFileWriter::new(out, schema, Arc::new(properties)).map_err(failed)?;
        Ok(Self { writer, optional })
    }

    /// Writes the replicates of a cell.
    ///
    /// # Errors
    /// When reading or writing fails.
    pub fn cell(&mut self, scenario: &Scenario, policy: Policy, rows: &CellRows<'_>) -> io::Result<()> {
        let cell = CellColumns::of(scenario, policy, self.optional);
        let mut group: Vec<(u64, Row)> = Vec::with_capacity(GROUP.min(rows.replicates() as usize));
        let mut result = Ok(());
        rows.rows(&mut |replicate, row| {
            if result.is_err() {
                return;
            }
            group.push((replicate, *row));
            if group.len() == GROUP {
                result = self.group(&cell, &group);
                group.clear();
            }
        })?;
        result?;
        if group.is_empty() { Ok(()) } else { self.group(&cell, &group) }
    }

    fn group(&mut self, cell: &CellColumns, rows: &[(u64, Row)]) -> io::Result<()> {
        let mut group = self.writer.next_row_group().map_err(failed)?;
        write_group(&mut group, cell, self.optional.bricks, rows).map_err(failed)?;
        group.close().map_err(failed)?;
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(self) -> io::Result<W> {
        self.writer.into_inner().map_err(failed)
    }
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

/// What all rows of a cell have in common.
struct CellColumns {
    policy: Vec<(&'static str, PolicyValue)>,
    version: Foreign,
    defective: bool,
}

enum PolicyValue {
    Number(Option<i64>),
    Real(f64),
    Text(Option<Foreign>),
}

impl CellColumns {
    fn of(scenario: &Scenario, policy: Policy, optional: OptionalColumns) -> Self {
        let number = |n: Option<u32>| PolicyValue::Number(n.map(i64::from));
        let word = |value: serde_json::Result<serde_json::Value>| {
            PolicyValue::Text(value.ok().and_then(|value| value.as_str().map(Foreign::from)))
        };
        let mut keys = vec![
            ("batch_pct", number(policy.batch_pct)),
            ("max_consecutive_failures", number(policy.max_consecutive_failures)),
            ("health_timeout_sec", PolicyValue::Real(policy.health_timeout_sec.as_secs_f64())),
            ("rollback_batch_pct", number(policy.rollback_batch_pct)),
            ("breaker_order", word(serde_json::to_value(policy.breaker_order))),
            ("breaker_scope", word(serde_json::to_value(policy.breaker_scope))),
            ("max_in_flight", number(policy.max_in_flight.and_then(AtOnce::count))),
            ("observe_after_sec", PolicyValue::Real(policy.observe_after_sec.as_secs_f64())),
            ("previous_version_id", PolicyValue::Text(policy.previous_version_id)),
        ];
        if optional.order {
            keys.push(("order", PolicyValue::Text(Some(policy.order.name().into()))));
        }
        if optional.beyond {
            let mut beyond = policy.beyond;
            beyond.extend(policy.policy.map(|name| ("policy".to_owned(), name.raw().into())));
            let beyond = serde_json::Value::Object(beyond).to_string();
            keys.push(("policy", PolicyValue::Text(Some(beyond.into()))));
        }
        Self { policy: keys, version: scenario.target().id.clone(), defective: scenario.target().defective }
    }
}

fn column(name: &str, of: PhysicalType, optional: bool) -> Result<TypePtr, ParquetError> {
    let repetition = if optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let mut column = Type::primitive_type_builder(name, of).with_repetition(repetition);
    if of == PhysicalType::BYTE_ARRAY {
        column = column.with_logical_type(Some(LogicalType::String));
    }
    Ok(Arc::new(column.build()?))
}

fn schema(optional: OptionalColumns) -> Result<TypePtr, ParquetError> {
    let mut fields = vec![
        column("batch_pct", PhysicalType::INT64, true)?,
        column("max_consecutive_failures", PhysicalType::INT64, true)?,
        column("health_timeout_sec", PhysicalType::DOUBLE, false)?,
        column("rollback_batch_pct", PhysicalType::INT64, true)?,
        column("breaker_order", PhysicalType::BYTE_ARRAY, true)?,
        column("breaker_scope", PhysicalType::BYTE_ARRAY, true)?,
        column("max_in_flight", PhysicalType::INT64, true)?,
        column("observe_after_sec", PhysicalType::DOUBLE, false)?,
        column("previous_version_id", PhysicalType::BYTE_ARRAY, true)?,
    ];
    if optional.order {
        fields.push(column("order", PhysicalType::BYTE_ARRAY, true)?);
    }
    if optional.beyond {
        fields.push(column("policy", PhysicalType::BYTE_ARRAY, true)?);
    }
    fields.extend([
        column("version", PhysicalType::BYTE_ARRAY, false)?,
        column("defective", PhysicalType::BOOLEAN, false)?,
        column("replicate", PhysicalType::INT64, false)?,
        column("outcome", PhysicalType::BYTE_ARRAY, false)?,
        column("drift", PhysicalType::BOOLEAN, false)?,
    ]);
    for metric in Metric::reported(optional.bricks) {
        fields.push(column(metric.name(), PhysicalType::DOUBLE, true)?);
    }
    Ok(Arc::new(Type::group_type_builder("dryroll_runs").with_fields(fields).build()?))
}

fn write_group<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    cell: &CellColumns,
    bricks: bool,
    rows: &[(u64, Row)],
) -> Result<(), ParquetError> {
    let n = rows.len();
    for (_, value) in &cell.policy {
        match value {
            PolicyValue::Number(value) => optional::<Int64Type, _>(group, (0..n).map(|_| *value))?,
            PolicyValue::Real(value) => required::<DoubleType>(group, &vec![*value; n])?,
            PolicyValue::Text(value) => {
                let text = value.as_ref().map(|value| ByteArray::from(value.raw()));
                optional::<ByteArrayType, _>(group, (0..n).map(|_| text.clone()))?;
            }
        }
    }
    required::<ByteArrayType>(group, &vec![ByteArray::from(cell.version.raw()); n])?;
    required::<BoolType>(group, &vec![cell.defective; n])?;
    required::<Int64Type>(group, &rows.iter().map(|(replicate, _)| *replicate as i64).collect::<Vec<_>>())?;
    let names = Outcome::ALL.map(|outcome| ByteArray::from(outcome.name()));
    let endings: Vec<Ending> = rows.iter().map(|(_, row)| Ending::of(row)).collect();
    let outcome = |ending: &Ending| names[ending.outcome as usize].clone();
    required::<ByteArrayType>(group, &endings.iter().map(outcome).collect::<Vec<_>>())?;
    required::<BoolType>(group, &endings.iter().map(|ending| ending.drift).collect::<Vec<_>>())?;
    for metric in Metric::reported(bricks) {
        let value = |(_, row): &(u64, Row)| Some(row[metric as usize]).filter(|value| !value.is_nan());
        optional::<DoubleType, _>(group, rows.iter().map(value))?;
    }
    Ok(())
}

fn required<T: parquet::data_type::DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: &[T::T],
) -> Result<(), ParquetError> {
    write_column::<T>(group, values, None)
}

fn optional<T: parquet::data_type::DataType, I: Iterator<Item = Option<T::T>>>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: I,
) -> Result<(), ParquetError> {
    let (mut some, mut levels) = (Vec::new(), Vec::new());
    for value in values {
        levels.push(i16::from(value.is_some()));
        some.extend(value);
    }
    write_column::<T>(group, &some, Some(&levels))
}

fn write_column<T: parquet::data_type::DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}
