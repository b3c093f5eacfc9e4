//! The cells that changed, as short as they can be written.

use serde::Serialize;

use dryroll_engine::Engine;
use dryroll_study::drill::Cell;

/// A run of cells that lie beside each other: the first one's position, and their letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Patch(pub u32, pub String);

/// All cells as they were published last: one letter each, in plan order.
#[derive(Debug)]
pub struct Cells(Vec<u8>);

impl Cells {
    /// The cells of an engine.
    pub fn of(engine: &Engine) -> Self {
        Self((0..engine.plan().total_instances()).map(|position| letter(engine, position)).collect())
    }

    /// As text.
    pub fn text(&self) -> String {
        self.0.iter().copied().map(char::from).collect()
    }

    /// Reads these positions again, and returns what changed.
    pub fn renew(&mut self, engine: &Engine, mut positions: Vec<u32>) -> Vec<Patch> {
        positions.sort_unstable();
        positions.dedup();
        let mut patches: Vec<Patch> = Vec::new();
        let mut end = None;
        for position in positions {
            let Some(cell) = self.0.get_mut(position as usize) else { continue };
            let now = letter(engine, position);
            if *cell == now {
                continue;
            }
            *cell = now;
            match patches.last_mut() {
                Some(patch) if end == Some(position) => patch.1.push(char::from(now)),
                _ => patches.push(Patch(position, char::from(now).into())),
            }
            end = Some(position + 1);
        }
        patches
    }
}

/// Cells have ASCII letters.
fn letter(engine: &Engine, position: u32) -> u8 {
    u8::try_from(Cell::of(engine, position).letter()).unwrap_or(b'?')
}

/// Puts patches into a text of letters.
pub fn apply(text: &mut String, patches: &[Patch]) {
    for Patch(first, letters) in patches {
        let first = *first as usize;
        text.replace_range(first..first + letters.len(), letters);
    }
}
