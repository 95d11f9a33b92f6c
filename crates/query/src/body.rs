//! Reading a request's body within bounds of size and time.

use std::pin::pin;
use std::time::Duration;

use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::{FutureExt, StreamExt};

use crate::problem::{Kind, Problem};

/// The largest body taken where nothing else is said. A question is a few hundred bytes.
pub(crate) const BODY_BYTES: usize = 64 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    read_within(payload, limit, PATIENCE).await
}

/// Reads a body of at most `limit` bytes that may take so long to arrive.
pub(crate) async fn read_within(payload: Payload, limit: usize, patience: Duration) -> Result<Bytes, Problem> {
    let mut collecting = pin!(collect(payload, limit));
    // Nearly every body has come with its head, but is handed over only after the handler was asked for the first time. A
    // timer for that moment would cost as much as looking the license up.
    if let Some(body) = collecting.as_mut().now_or_never() {
        return body;
    }
    tokio::task::yield_now().await;
    if let Some(body) = collecting.as_mut().now_or_never() {
        return body;
    }
    tokio::time::timeout(patience, collecting)
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
