//! `POST /v1/licenses/{id}/explain`: why a check was answered as it was, then or now.

mod asked;
mod deciding;
mod reach;
mod steps;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_commands::{CommandError, Commands};
use chopmark_domain::access::Role;
use chopmark_domain::catalog::ProductKind;
use chopmark_domain::license::{Code, Event, Language, Reason, judge};
use chopmark_domain::stream::LicenseKey;
use chopmark_projector::{Found, LicenseIndex};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

pub(crate) use self::asked::Body;
use self::asked::{Asked, When};
use self::deciding::{Decisive, decisive};
use self::reach::{Reach, reach};
use self::steps::{Step, steps};
use crate::caller::Caller;
use crate::checks::Spoken;
use crate::checks::sight::{as_enrolled, is_own_enrolment, judge_deployment};
use crate::find::{find, unreadable};
use crate::json::{self, ClockTime, PositionText};
use crate::license_view::LicenseView;
use crate::looking_back::{Moment, Recalled};
use crate::params::Whose;
use crate::problem::Problem;
use crate::question::{Question, Subject};
use crate::{Query, body};

/// The verdict of a check, and why.
#[derive(Serialize, ToSchema)]
pub(crate) struct Explanation<'a> {
    /// Whether the software may run.
    valid: bool,
    /// Why, in one word.
    #[schema(schema_with = crate::openapi::codes)]
    code: Code,
    /// The same in words for the customer.
    reason: String,
    /// The license as it was; absent for `NOT_FOUND`.
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<LicenseView<'a>>,
    /// What of the log was looked at.
    position: PositionText,
    /// The time at which it was judged.
    checked_at: ClockTime,
    /// How the verdict came about.
    because: Because<'a>,
}

/// How a verdict came about.
#[derive(Serialize, ToSchema)]
pub(crate) struct Because<'a> {
    /// The codes in the order in which they are looked at, up to the first that applies.
    looked_at: Vec<Step>,
    /// The events of the license that decided, the latest last.
    events: Vec<Decisive<'a>>,
    /// The version of the seller's catalog that brought the terms of its product, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog_version: Option<u32>,
}

/// A license as it was, ready to be judged.
pub(crate) struct Remembered {
    recalled: Recalled,
    reach: Reach,
    /// What the check found.
    found: Option<Found>,
}

impl Remembered {
    /// Reads what the log held at a moment of a license, and of all that a check would have looked at to find it.
    pub(crate) async fn read(
        commands: &Commands,
        index: &LicenseIndex,
        key: &LicenseKey,
        asked: &Asked<'_>,
        moment: Moment,
    ) -> Result<Self, CommandError> {
        let recalled = Recalled::read(commands, key, moment).await?;
        let reach = reach(commands, index, key, asked, moment.position).await?;
        let found = if reach == Reach::Found { sight(&recalled, &asked.question) } else { None };
        Ok(Self { recalled, reach, found })
    }

    /// The verdict of a check that asks this, and why.
    pub(crate) fn explain(&self, question: &Question<'_>, language: Language) -> Explanation<'_> {
        let Moment { position, at } = self.recalled.moment;
        let Some(found) = &self.found else { return self.not_found(language) };
        let dated = found.terms.as_deref();
        let terms = dated.map(|dated| &dated.terms);
        let verdict = match (&question.subject, terms) {
            (Subject::Deployment(_), Some(terms)) => {
                judge_deployment(&found.license, terms, question, self.enrolled_itself(), at)
            }
            _ => judge(&found.license, terms, question.asked(), at),
        };
        let looked_at = steps(&found.license, terms, question.asked(), &verdict, at);
        Explanation {
            valid: verdict.code.is_valid(),
            code: verdict.code,
            reason: verdict.reason.worded(language).to_string(),
            license: Some(LicenseView::new(&found.key.id, &found.license, terms, &verdict)),
            position: PositionText(position),
            checked_at: ClockTime(at),
            because: Because {
                looked_at,
                events: decisive(&self.recalled.told, verdict.code),
                catalog_version: dated.map(|dated| dated.catalog_version),
            },
        }
    }

    /// Whether the check made the latest enrolment of the deployment itself.
    fn enrolled_itself(&self) -> bool {
        let latest = self.recalled.told.iter().rev().find_map(|told| match &told.event {
            Event::DeploymentEnrolled(enrolled) => Some((enrolled.at, told.record.recorded_at)),
            _ => None,
        });
        let at = self.recalled.moment.at;
        latest.is_some_and(|(enrolled_at, recorded_at)| is_own_enrolment(enrolled_at, recorded_at, at))
    }

    fn not_found(&self, language: Language) -> Explanation<'_> {
        let Moment { position, at } = self.recalled.moment;
        let code = Code::NotFound;
        Explanation {
            valid: code.is_valid(),
            code,
            reason: Reason::from(code).worded(language).to_string(),
            license: None,
            position: PositionText(position),
            checked_at: ClockTime(at),
            because: Because {
                looked_at: vec![Step::not_found(self.reach, &self.recalled.key.id)],
                events: vec![],
                catalog_version: None,
            },
        }
    }
}

/// What a check had before it: the license, or the one that a deployment would get by asking.
fn sight(recalled: &Recalled, question: &Question<'_>) -> Option<Found> {
    let Subject::Deployment(deployment) = &question.subject else { return recalled.found() };
    let dated = recalled.catalog.terms_at(&deployment.product, recalled.moment.at)?;
    let license = as_enrolled(recalled.license().cloned(), deployment);
    let is_image = dated.terms.kind == ProductKind::Image;
    is_image.then(|| Found { key: recalled.key.clone(), license, terms: Some(Arc::new(dated.clone())) })
}

/// Says why a check was answered as it was, or would be now.
///
/// The body is the question of the check, as it was sent or as the member `question`. With the `position` and the
/// `checked_at` of the answer, the verdict is the one that was given then.
#[utoipa::path(
    post, path = "/v1/licenses/{id}/explain", operation_id = "explainLicense", tag = "licenses",
    params(("id" = String, Path, description = "The id of an instance, a license code or a deployment.",
         example = "10e758d0-31ad-4c4b-8f1b-81d03469a10e"), Whose),
    request_body(content = Option<Body>, description = "What was asked, and when. May be absent, to ask about now."),
    responses((status = 200, description = "The verdict, and why.", body = Explanation<'_>)), security(("token" = [])),
)]
pub(crate) async fn explain(
    query: web::Data<Query>,
    id: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    query.count("explain", explained(&query, &id, &request, payload).await)
}

async fn explained(
    query: &Query,
    id: &str,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Support)?;
    // Said there, it is not part of the question.
    let seller = Whose::read(request.query_string())?;
    let sent = body::read(payload, query.body_bytes).await?;
    let body = Body::read(&sent, id)?;
    let asked = body.asked()?;
    let seller = seller.or_else(|| asked.seller());
    let (_, found) = find(query, &caller, seller.as_ref(), id, query.commands.now())?;
    let moment = moment(&query.commands, body.when()).await?;
    let remembered = Remembered::read(&query.commands, &query.index, &found.key, &asked, moment).await;
    let remembered = remembered.map_err(|error| unreadable(&error))?;
    let spoken = Spoken::of(request);
    let explanation = remembered.explain(&asked.question, spoken.language);
    let mut response = json::response_at(&explanation, moment.position);
    spoken.tell(&mut response);
    Ok(response)
}

/// Says why a check is answered as it is, for those who look at the log without a server. The question is the JSON
/// that `POST /v1/licenses/{id}/explain` takes.
///
/// # Errors
/// [`Problem`]: the question is none, or the log cannot be read.
pub async fn explain_license(
    commands: &Commands,
    index: &LicenseIndex,
    key: &LicenseKey,
    question: &Value,
) -> Result<Value, Problem> {
    let body = Body::read(question.to_string().as_bytes(), key.id.as_str())?;
    let asked = body.asked()?;
    let moment = moment(commands, body.when()).await?;
    let remembered = Remembered::read(commands, index, key, &asked, moment).await;
    let remembered = remembered.map_err(|error| unreadable(&error))?;
    // Texts, numbers and times always serialise.
    Ok(serde_json::to_value(remembered.explain(&asked.question, Language::English)).unwrap_or_default())
}

/// The moment that is meant.
async fn moment(commands: &Commands, when: When) -> Result<Moment, Problem> {
    let unreadable = |error: chopmark_log::ReadError| unreadable(&error.into());
    let head = commands.log().head().await.map_err(unreadable)?;
    let moment = match when {
        When { position: Some(position), .. } if position > head => {
            return Err(Problem::malformed("`position` is one that the log has not come to; take that of an answer"));
        }
        When { position: Some(position), at: Some(at) } => Moment { position, at },
        When { position: Some(position), at: None } => {
            match Moment::of_position(commands, position).await.map_err(unreadable)? {
                Some(moment) => moment,
                None => Moment { position, at: commands.now() },
            }
        }
        When { position: None, at: Some(at) } => Moment::at(commands, at).await.map_err(unreadable)?,
        When { position: None, at: None } => Moment::now(commands).await.map_err(unreadable)?,
    };
    Ok(moment.to_millis())
}
