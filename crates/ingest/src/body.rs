//! Reading a request's body within bounds.

use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// More bytes than are taken.
    #[error("body is too large")]
    TooLarge,
    /// The body did not arrive in time.
    #[error("body did not arrive in time")]
    Slow,
    /// The connection broke, or sent what is not HTTP.
    #[error("body could not be read")]
    Broken,
}

impl BodyError {
    /// Every one of them.
    pub(crate) const ALL: [Self; 3] = [Self::TooLarge, Self::Slow, Self::Broken];

    /// The error as metrics spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "body_too_large",
            Self::Slow => "body_slow",
            Self::Broken => "body_broken",
        }
    }
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(mut payload: Payload, limit: usize) -> Result<Bytes, BodyError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| BodyError::Broken)?;
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge);
        }
        // Nearly every body comes in one piece, whose memory is then taken over where nobody else holds it.
        if body.is_empty() && chunk.len() < limit {
            body = BytesMut::from(chunk);
        } else {
            body.extend_from_slice(&chunk);
        }
    }
    Ok(body.freeze())
}
