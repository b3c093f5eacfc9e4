//! Styles. Without colour weight alone is left; a shape and a word say everything that a colour does.

use ratatui::style::{Color, Modifier, Style};

use crate::console::feed::Tone;
use dryroll_study::drill::Cell;

/// Whether there is colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Whether colour may be used.
    pub is_coloured: bool,
}

impl Theme {
    fn colour(self, colour: Color) -> Style {
        if self.is_coloured { Style::new().fg(colour) } else { Style::new() }
    }

    /// The style of an instance.
    pub(super) fn cell(self, cell: Cell) -> Style {
        match cell {
            Cell::Waiting => Style::new().add_modifier(Modifier::DIM),
            Cell::Upgrading => self.colour(Color::Yellow),
            Cell::Healthy => self.colour(Color::Green),
            Cell::ToGoBack | Cell::GoingBack => self.colour(Color::Magenta),
            Cell::Restored => self.colour(Color::Cyan),
            Cell::UpgradeFailed | Cell::TimedOut | Cell::Relapsed | Cell::BackFailed | Cell::BackTimedOut => {
                self.colour(Color::Red).add_modifier(Modifier::BOLD)
            }
        }
    }

    /// The style of a line of the feed.
    pub(super) fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => Style::new(),
            Tone::Good => self.colour(Color::Green),
            Tone::Bad => self.colour(Color::Red),
            Tone::Asks => self.colour(Color::Yellow).add_modifier(Modifier::BOLD),
        }
    }

    pub(super) fn plain(self) -> Style {
        Style::new()
    }

    pub(super) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn alarm(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(super) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}
