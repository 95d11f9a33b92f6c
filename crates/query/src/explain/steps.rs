//! What was looked at on the way to a verdict, in sentences.
//!
//! The rules are [`judge`](chopmark_domain::license::judge)'s: its verdict says which code applied, and that none
//! before it in [`Code::ALL`] did. Here is only told why, from the same facts.

use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::license::{Activation, Code, License, Question, Verdict};
use chopmark_domain::stream::LicenseId;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::reach::Reach;

/// One code that was looked at.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Step {
    /// Which.
    #[schema(schema_with = crate::openapi::codes)]
    code: Code,
    /// Whether it applied. The last one does.
    applies: bool,
    /// Why, or why not.
    #[schema(example = "the marketplace has not frozen it")]
    says: String,
}

impl Step {
    /// The only step where a check finds nothing.
    pub(super) fn not_found(reach: Reach, id: &LicenseId) -> Self {
        let says = match (reach, id) {
            (Reach::Found, LicenseId::Code(_)) => {
                "the log did not know this code; while the marketplace was being asked for it, checks said PENDING"
            }
            (Reach::Found, LicenseId::Deployment(_)) => "the product named was no image product on offer then",
            (Reach::Found, LicenseId::Instance(_)) => "the log held no such license at this position",
            (Reach::OtherSeller, _) => "the question names another seller, who had no license of this id",
            (Reach::OtherSellersProduct, _) => "the product named is of another seller, who had no license of this id",
            (Reach::OtherKind, _) => "`license` finds instances and codes, `deployment` deployments; this is the other",
            (Reach::UnknownProduct, _) => "the product that the deployment names was not known",
        };
        Self { code: Code::NotFound, applies: true, says: says.into() }
    }
}

/// What was looked at, up to the code of the verdict.
pub(super) fn steps(
    license: &License,
    terms: Option<&ProductTerms>,
    question: Question<'_>,
    verdict: &Verdict<'_>,
    now: DateTime<Utc>,
) -> Vec<Step> {
    let told = Told { license, terms, question, verdict, now };
    let looked_at = Code::ALL.iter().take_while(|code| **code < verdict.code).copied();
    let step = |code, applies| Step { code, applies, says: told.sentence(code, applies) };
    looked_at.map(|code| step(code, false)).chain([step(verdict.code, true)]).collect()
}

/// The facts that sentences are made of.
struct Told<'a> {
    license: &'a License,
    terms: Option<&'a ProductTerms>,
    question: Question<'a>,
    verdict: &'a Verdict<'a>,
    now: DateTime<Utc>,
}

impl Told<'_> {
    fn sentence(&self, code: Code, applies: bool) -> String {
        match code {
            Code::NotFound => "there is such a license".into(),
            Code::Released if applies => "the marketplace released it, and that is final".into(),
            Code::Released => "it was not released".into(),
            Code::Blocked if applies => "an operator stopped it".into(),
            Code::Blocked => "no operator stops it".into(),
            Code::Frozen if applies => "the marketplace froze it and has not lifted that".into(),
            Code::Frozen => "the marketplace has not frozen it".into(),
            Code::Pending => self.activation(applies),
            Code::WrongProduct => self.product(),
            Code::Expired => self.end(applies),
            Code::DeploymentConflict => self.deployment(applies),
            Code::MachineRequired | Code::MachineNotActivated | Code::MachineLimit => self.machine(code, applies),
            Code::Grace if applies => self.grace(),
            Code::Grace => "its end has not come".into(),
            Code::Valid => "nothing stands against it".into(),
        }
    }

    fn activation(&self, applies: bool) -> String {
        match (applies, self.license.activation) {
            (true, Activation::Inactive) => "nobody has activated the code at the marketplace yet".into(),
            (true, _) => "the marketplace has not taken its license document yet".into(),
            (false, Activation::Undelivered) if self.terms.is_none() => {
                "what was bought is not known yet, so nothing is waited for".into()
            }
            (false, _) => "nothing is left to be activated or handed over".into(),
        }
    }

    fn product(&self) -> String {
        match (self.question.product, &self.license.sku) {
            (None, _) => "the question names no product".into(),
            (Some(asked), None) => format!("what was bought is not known yet, so {asked} is not held against it"),
            (Some(asked), Some(bought)) if asked == bought => format!("it is for {bought}, as asked"),
            (Some(asked), Some(bought)) => format!("it is for {bought} and the question is about {asked}"),
        }
    }

    fn end(&self, applies: bool) -> String {
        let Some(expiry) = self.license.expires_at.map(moment) else { return "it has no known end".into() };
        let end = self.verdict.ends_at.map_or_else(|| "its grace".into(), moment);
        let days = self.terms.map(|terms| terms.grace_days);
        let grace = days.map_or_else(|| "the grace".into(), |days| format!("the grace of {days} days"));
        match (applies, self.license.provisional_until()) {
            (true, _) => format!("it ended on {expiry}, and {grace} on {end}"),
            (false, _) if !self.license.expired(self.now) => format!("it ends on {expiry}"),
            (false, Some(until)) if self.now < until => {
                let until = moment(until);
                format!("it ended on {expiry}, but was unfrozen after that and is kept until {until}")
            }
            (false, _) => format!("it ended on {expiry}; {grace} lasts until {end}"),
        }
    }

    fn grace(&self) -> String {
        let until = self.verdict.ends_at.map_or_else(|| "further notice".into(), moment);
        format!("its end has passed, and it stays usable until {until}")
    }

    fn deployment(&self, applies: bool) -> String {
        let Some((deployment, claim)) = self.license.deployment.as_ref().zip(self.question.deployment) else {
            return "this is not about a deployment, or the question does not say where it is".into();
        };
        if !applies {
            return "the question comes from where the deployment is enrolled, and no clone is held against it".into();
        }
        let facts = &deployment.facts;
        if deployment.is_from_there(&claim) {
            let seen = deployment.clone_seen_at.map_or_else(|| "lately".into(), |at| format!("on {}", moment(at)));
            return format!("two systems used this ECS id in turn, {seen}; the product refuses the one without secret");
        }
        let (project, region) = (&facts.project_id, &facts.region_id);
        format!("it is enrolled from project {project} in region {region}, and the question comes from elsewhere")
    }

    fn machine(&self, code: Code, applies: bool) -> String {
        let Some(seats) = self.verdict.seats else {
            return match self.terms {
                None => "what was bought is not known yet, so machines are not counted".into(),
                Some(_) => "the product does not count machines".into(),
            };
        };
        let Some(machine) = self.question.machine else {
            return "the product counts machines, and the question names none".into();
        };
        match (code, applies, seats.limit) {
            (Code::MachineRequired, ..) => format!("the question names the machine {machine}"),
            (Code::MachineNotActivated, true, _) => format!("the machine {machine} has no seat"),
            (Code::MachineNotActivated, false, _) => format!("the machine {machine} has a seat"),
            (_, true, Some(limit)) => {
                format!("seats taken: {} of {limit}, and those of the machines before this one are enough", seats.used)
            }
            (_, _, Some(limit)) => format!("it is among the first {limit} machines"),
            (_, _, None) => "how many seats were bought is not known yet".into(),
        }
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
