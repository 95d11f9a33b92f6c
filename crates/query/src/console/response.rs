//! Answers of the console, with the headers that keep a browser from doing what a page does not ask for.

use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::header::HeaderValue;
use actix_web::http::{StatusCode, header};
use askama::Template;

use super::cookies::Cookie;
use crate::problem::{Kind, Problem};

/// Everything a page uses comes from here, and nothing in it runs that does not stand in a file of ours.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Gives an answer the headers that every answer of the console has.
pub(super) fn guarded(response: &mut HttpResponseBuilder) -> &mut HttpResponseBuilder {
    response
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header(("cross-origin-opener-policy", "same-origin"))
        .insert_header(("cross-origin-resource-policy", "same-origin"))
}

/// A page. Nobody keeps a copy of it.
pub(super) fn page(status: StatusCode, page: &impl Template) -> Result<HttpResponse, Problem> {
    let body = page.render().map_err(|error| {
        tracing::error!(%error, "a page of the console was not written");
        Problem::new(Kind::Internal, "the page was not written; see the server's log")
    })?;
    Ok(guarded(&mut HttpResponse::build(status))
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Accept-Language, Cookie"))
        .body(body))
}

/// A file to be kept, as the API answers with it. Nobody else keeps a copy, and no browser takes it for a page.
pub(super) fn file(mut response: HttpResponse) -> HttpResponse {
    let guards = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Cookie"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in guards {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Sends the browser on, with `GET`, setting cookies on the way.
pub(super) fn see_other(location: &str, cookies: &[Cookie]) -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    guarded(&mut response)
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    for cookie in cookies {
        response.append_header((header::SET_COOKIE, cookie.written()));
    }
    response.finish()
}
