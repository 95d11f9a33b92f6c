//! Answers that may be behind the log say so.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{HeaderName, HeaderValue};
use chopmark_projector::Contact;
use futures_util::future::{Either, FutureExt, LocalBoxFuture, Ready, TryFutureExt, ready};

/// The header that an answer carries while the log cannot be reached: for how many seconds it has not answered. The answer
/// is from what was known then.
pub const STALE_HEADER: HeaderName = HeaderName::from_static("chopmark-log-away");

/// Middleware that puts [`STALE_HEADER`] onto answers while it is true.
#[derive(Debug, Clone)]
pub struct Staleness(Contact);

impl Staleness {
    pub(crate) fn of(contact: Contact) -> Self {
        Self(contact)
    }
}

impl<S, B> Transform<S, ServiceRequest> for Staleness
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = Telling<S>;
    type InitError = ();
    type Future = Ready<Result<Telling<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Telling { service, contact: self.0.clone() }))
    }
}

/// A service with the middleware around it.
#[derive(Debug)]
pub struct Telling<S> {
    service: S,
    contact: Contact,
}

impl<S, B> Service<ServiceRequest> for Telling<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = Either<S::Future, LocalBoxFuture<'static, Result<ServiceResponse<B>, Error>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let answered = self.service.call(request);
        let Some(away) = self.contact.lost_for() else { return Either::Left(answered) };
        let told = move |mut response: ServiceResponse<B>| {
            response.headers_mut().insert(STALE_HEADER, HeaderValue::from(away.as_secs()));
            response
        };
        Either::Right(answered.map_ok(told).boxed_local())
    }
}
