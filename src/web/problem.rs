//! The answer to a request that fails: a status, and one sentence.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use dryroll_study::drill::DrillError;

/// A refusal, with its reason for people.
#[derive(Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// Why.
    pub says: String,
}

impl Problem {
    /// A refusal.
    pub fn new(status: StatusCode, says: impl Into<String>) -> Self {
        Self { status, says: says.into() }
    }

    /// The request is malformed.
    pub fn malformed(says: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, says)
    }

    /// It cannot be done as things stand.
    pub fn conflict(says: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, says)
    }
}

impl From<DrillError> for Problem {
    fn from(error: DrillError) -> Self {
        match error {
            DrillError::Edit => Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            _ => Self::conflict(error.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::json!({ "error": self.says }).to_string();
        (self.status, [(CONTENT_TYPE, "application/json")], body).into_response()
    }
}
