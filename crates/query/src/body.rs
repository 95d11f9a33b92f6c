//! Reading a request's body within bounds of size and time.

use std::time::Duration;

use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;

use crate::problem::{Kind, Problem};

/// The largest body taken where nothing else is said. A question is a few hundred bytes.
pub(crate) const BODY_BYTES: usize = 64 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    tokio::time::timeout(PATIENCE, collect(payload, limit))
        .await
        .map_err(|_| Problem::new(Kind::RequestTimeout, "the body did not arrive in time; send it at once"))?
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    // Nearly every body comes in one piece, which then needs no copy.
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::malformed("the body broke off; send it again"))?;
        if first.len() + rest.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        if first.is_empty() {
            first = chunk;
        } else {
            rest.extend_from_slice(&chunk);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    Ok([first, rest.freeze()].concat().into())
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Kind::BodyTooLarge, format!("send at most {limit} bytes"))
}
