//! What an ECS says of itself: the metadata service of Huawei Cloud ("Obtaining ECS Details Using Metadata",
//! ecs_03_0166), for programs in an image product.
//!
//! It is local and not signed: whoever is root on the machine can put anything there. The server treats it as a claim.

use std::time::Duration;

use serde::Deserialize;
use ureq::http::{Request, header::HeaderValue};

use crate::wire::agent;

/// Where the service is, the same on each ECS.
const SERVICE: &str = "http://169.254.169.254";

/// The service is a hop away; what takes longer is no ECS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(3);

/// Bytes a document may have.
const SIZE_MAX: u64 = 256 * 1024;

/// Characters a value or a token may have.
const LENGTH_MAX: usize = 256;

/// What identifies an ECS and the image it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcsMetadata {
    /// The ECS id, lower case.
    pub uuid: String,
    /// The project of its owner.
    pub project_id: Option<String>,
    /// Its region.
    pub region_id: Option<String>,
    /// The image that it was made from.
    pub image_id: Option<String>,
    /// `gold` public, `private`, `shared`, `market`.
    pub image_type: Option<String>,
    /// `0` pay-per-use, `1` yearly or monthly, `2` spot.
    pub charging_mode: Option<String>,
}

/// No metadata could be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// Nothing answers, so this is no ECS, or its firewall keeps the program from 169.254.169.254, port 80.
    #[error("the metadata service cannot be reached; is this an ECS, and is 169.254.169.254 port 80 open? {0}")]
    Unreachable(String),
    /// It answers, but not with what an ECS says of itself.
    #[error("the metadata service answered with {0}")]
    Unusable(String),
}

#[derive(Deserialize)]
struct Document {
    uuid: String,
    project_id: Option<String>,
    region_id: Option<String>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Default, Deserialize)]
struct Meta {
    #[serde(rename = "metering.image_id")]
    image_id: Option<String>,
    #[serde(rename = "metering.imagetype")]
    image_type: Option<String>,
    charging_mode: Option<String>,
}

impl EcsMetadata {
    /// Asks the metadata service of the ECS this runs on: with a token where the region wants one (IMDS V2,
    /// ecs_03_2167), else without.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn read() -> Result<Self, MetadataError> {
        Self::read_from(SERVICE)
    }

    /// The same from another address, for tests.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn read_from(service: &str) -> Result<Self, MetadataError> {
        // Never through a proxy: it would answer for another machine.
        let agent = agent(CONNECT_TIMEOUT, |config| config.proxy(None).timeout_global(Some(TOTAL_TIMEOUT)));
        let unreachable = |error: ureq::Error| MetadataError::Unreachable(error.to_string());
        let mut request = Request::get(format!("{service}/openstack/latest/meta_data.json"));
        if let Some(token) = token(&agent, service) {
            request = request.header("X-Metadata-Token", token);
        }
        let request = request.body(()).map_err(|error| MetadataError::Unreachable(error.to_string()))?;
        let mut answer = agent.run(request).map_err(unreachable)?;
        if answer.status() != 200 {
            return Err(MetadataError::Unusable(format!("status {}", answer.status())));
        }
        let json = answer.body_mut().with_config().limit(SIZE_MAX).read_to_vec().map_err(unreachable)?;
        Self::parse(&json).ok_or_else(|| MetadataError::Unusable("something that describes no ECS".to_owned()))
    }

    fn parse(json: &[u8]) -> Option<Self> {
        let Document { uuid, project_id, region_id, meta } = serde_json::from_slice(json).ok()?;
        let uuid = uuid.to_lowercase();
        let mut parts = [8, 4, 4, 4, 12].into_iter();
        let hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_uuid = uuid.split('-').all(|part| parts.next() == Some(part.len()) && hex(part)) && parts.len() == 0;
        let short = |text: &String| text.len() <= LENGTH_MAX;
        is_uuid.then(|| Self {
            uuid,
            project_id: project_id.filter(short),
            region_id: region_id.filter(short),
            image_id: meta.image_id.filter(short),
            image_type: meta.image_type.filter(short),
            charging_mode: meta.charging_mode.filter(short),
        })
    }
}

/// A token, where the service gives any.
fn token(agent: &ureq::Agent, service: &str) -> Option<HeaderValue> {
    let request = Request::put(format!("{service}/meta-data/latest/api/token"))
        .header("X-Metadata-Token-Ttl-Seconds", "21600")
        .body(())
        .ok()?;
    let mut answer = agent.run(request).ok().filter(|answer| answer.status() == 200)?;
    let text = answer.body_mut().with_config().limit(SIZE_MAX).read_to_string().ok()?;
    let text = text.trim();
    // A page for people is no token.
    let usable = !text.is_empty() && text.len() <= LENGTH_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    usable.then(|| HeaderValue::from_str(text).ok()).flatten()
}
