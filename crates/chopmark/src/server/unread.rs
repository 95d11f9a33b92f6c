//! Bodies that nobody reads to their end.
//!
//! When a chunked body is dropped before its end, actix-web reads on until the sender is done, however long that takes,
//! to keep the connection. One that is still held when the answer has gone makes it hang up instead, after the moment
//! that a sender needs to see the answer. So what is unread is held until then.

use std::cell::RefCell;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::error::PayloadError;
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage};
use futures_util::Stream;
use futures_util::future::{Either, FutureExt, LocalBoxFuture, TryFutureExt};

/// Middleware: holds what is unread of a chunked body until the answer has gone. Requests without one pass as if it were
/// not there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HangUp;

impl<S> Transform<S, ServiceRequest> for HangUp
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
    S::Future: 'static,
{
    type Response = ServiceResponse;
    type Error = Error;
    type Transform = HangingUp<S>;
    type InitError = ();
    type Future = Ready<Result<HangingUp<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(HangingUp { service }))
    }
}

/// A service with the middleware around it.
#[derive(Debug)]
pub(crate) struct HangingUp<S> {
    service: S,
}

impl<S> Service<ServiceRequest> for HangingUp<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
    S::Future: 'static,
{
    type Response = ServiceResponse;
    type Error = Error;
    type Future = Either<S::Future, LocalBoxFuture<'static, Result<ServiceResponse, Error>>>;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        if !request.headers().contains_key(TRANSFER_ENCODING) {
            return Either::Left(self.service.call(request));
        }
        let unread = Rc::new(RefCell::new(request.take_payload()));
        request.set_payload(Payload::Stream { payload: Box::pin(Shared(unread.clone())) });
        let holding = |body| BoxBody::new(Holding { body, _unread: unread });
        let answered = self.service.call(request).map_ok(|response| response.map_body(|_, body| holding(body)));
        Either::Right(answered.boxed_local())
    }
}

/// A payload that is held elsewhere too.
struct Shared(Rc<RefCell<Payload>>);

impl Stream for Shared {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

/// The body of an answer, and what is unread of the request.
struct Holding {
    body: BoxBody,
    _unread: Rc<RefCell<Payload>>,
}

impl MessageBody for Holding {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
