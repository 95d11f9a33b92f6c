//! What pages are dressed with, in the binary: one stylesheet, one small script, one picture. Their names carry a digest
//! of their content, so that a browser may keep them for ever and still sees a new version at once.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use sha2::{Digest, Sha256};

use super::response;

/// Digits of the digest that names carry.
const DIGEST_DIGITS: usize = 16;

/// A file of the console.
struct Asset {
    path: String,
    media_type: &'static str,
    content: &'static str,
}

impl Asset {
    fn new(name: &str, ending: &str, media_type: &'static str, content: &'static str) -> Self {
        let digest = hex::encode(Sha256::digest(content));
        let path = format!("{name}-{}.{ending}", &digest[..DIGEST_DIGITS]);
        Self { path, media_type, content }
    }

    fn url(&self) -> String {
        format!("/console/assets/{}", self.path)
    }
}

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console", "css", "text/css; charset=utf-8", include_str!("../../assets/console.css")));
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("console", "js", "text/javascript; charset=utf-8", include_str!("../../assets/console.js"))
});
static SEAL: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("seal", "svg", "image/svg+xml", include_str!("../../assets/seal.svg")));

/// Where the stylesheet is.
pub(super) fn style() -> String {
    STYLE.url()
}

/// Where the script is.
pub(super) fn script() -> String {
    SCRIPT.url()
}

/// Where the picture of the seal is.
pub(super) fn seal() -> String {
    SEAL.url()
}

/// Gives a file; one of another version is not there.
pub(super) async fn show(name: web::Path<String>) -> HttpResponse {
    let assets = [&*STYLE, &*SCRIPT, &*SEAL];
    let Some(asset) = assets.into_iter().find(|asset| asset.path == *name) else {
        return response::guarded(&mut HttpResponse::NotFound()).finish();
    };
    response::guarded(&mut HttpResponse::Ok())
        .insert_header((header::CONTENT_TYPE, asset.media_type))
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(asset.content)
}
