//! What customers' programs ask the seller: checks, seats, enrolments.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_domain::catalog::{ClonePolicy, ProductTerms};
use chopmark_domain::ids::{EcsId, Fingerprint, ImageId, InstanceId, LicenseCode, ProjectId, RegionId, Sku};
use chopmark_domain::license::{
    Code, Command, DeploymentClaim, EcsFacts, Enrolment, EnrolmentHash, FreedBy, License, Question, Refusal,
    SeatRequest, judge,
};
use chopmark_domain::stream::LicenseId;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use super::marketplace::{Looked, look_up};
use super::{Flaw, State};

pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/v1/checks", web::post().to(check))
        .route("/v1/licenses/{license}", web::get().to(show))
        .route("/v1/licenses/{license}/machines/{fingerprint}", web::put().to(activate))
        .route("/v1/licenses/{license}/machines/{fingerprint}", web::delete().to(free));
}

/// The catalog.
fn terms(sku: Option<&Sku>) -> Option<Arc<ProductTerms>> {
    let (kind, seats) = match sku?.as_str() {
        "seats" => ("saas", json!("quantity")),
        "online" => ("online_license", Value::Null),
        "image" => ("image", Value::Null),
        _ => return None,
    };
    let terms = json!({
        "kind": kind, "name": "Test", "seats": seats, "grace_days": 15, "lease_seconds": 3600,
        "offline_grace_seconds": 86_400, "check_interval_seconds": 3600,
    });
    Some(Arc::new(serde_json::from_value(terms).unwrap()))
}

async fn check(question: web::Json<Value>, state: web::Data<State>) -> web::Json<Value> {
    state.checks.fetch_add(1, Ordering::Relaxed);
    if question["deployment"].is_object() {
        return web::Json(state.deployment(&question));
    }
    let id = question["license"].as_str().unwrap();
    let instance = LicenseId::Instance(InstanceId::parse(id).unwrap());
    let code = LicenseCode::parse(id).unwrap();
    let found = match state.knows(&instance) {
        true => Some(instance),
        false if id.starts_with("PL") => match look_up(&state, &code).await {
            Looked::Known => Some(LicenseId::Code(code)),
            Looked::Pending => return web::Json(without_license(Code::Pending)),
            Looked::NotFound => None,
        },
        false => None,
    };
    web::Json(match found {
        Some(id) => state.verdict(&id, question["machine"]["fingerprint"].as_str()),
        None => without_license(Code::NotFound),
    })
}

fn without_license(code: Code) -> Value {
    json!({"valid": false, "code": code, "reason": "no license"})
}

fn in_words(id: &LicenseId, license: &License, question: Question<'_>) -> Value {
    let terms = terms(license.sku.as_ref());
    let verdict = judge(license, terms.as_deref(), question, Utc::now());
    json!({
        "valid": verdict.code.is_valid(),
        "code": verdict.code,
        "reason": verdict.code.as_str(),
        "lease": question.machine.map(lease_of),
        "license": {
            "id": id.as_str(),
            "status": license.shown(terms.as_deref()),
            "expires_at": license.expires_at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
            "facts": if license.facts_known() { "known" } else { "pending" },
            "quantity": license.quantity,
            "revision": license.revision,
            "seats": verdict.seats,
        },
    })
}

fn lease_of(fingerprint: &str) -> String {
    format!("lease-of-{fingerprint}")
}

impl State {
    fn verdict(&self, id: &LicenseId, machine: Option<&str>) -> Value {
        self.learn_facts(id);
        let licenses = self.licenses.lock().unwrap();
        let license = licenses[id].0.license().unwrap();
        in_words(id, license, Question { machine, ..Question::default() })
    }

    /// An ECS without the present secret is enrolled where it may be, and then judged with the new one.
    fn deployment(&self, question: &Value) -> Value {
        let told = |field: &str| question["deployment"][field].as_str();
        let (project, region) = (told("project_id").unwrap(), told("region_id").unwrap());
        let (project_id, region_id) = (ProjectId::parse(project).unwrap(), RegionId::parse(region).unwrap());
        let id = LicenseId::Deployment(EcsId::parse(told("uuid").unwrap()).unwrap());
        let presented = told("secret").map(EnrolmentHash::of);
        let secret = format!("{:032x}", rand::random::<u128>());
        let enrolment = Enrolment {
            product: Sku::parse(question["product"].as_str().unwrap()).unwrap(),
            facts: EcsFacts {
                project_id: project_id.clone(),
                region_id: region_id.clone(),
                image_id: told("image_id").map(|image| ImageId::parse(image).unwrap()),
                charging_mode: told("charging_mode").map(Into::into),
            },
            presented,
            secret: EnrolmentHash::of(&secret),
            policy: ClonePolicy::Report,
            at_most: 10,
        };
        let outcome = self.apply(&id, Command::Enrol(Box::new(enrolment)), None);
        let licenses = self.licenses.lock().unwrap();
        let license = licenses[&id].0.license().unwrap();
        let enrolled = license.deployment.as_ref().unwrap().secret == EnrolmentHash::of(&secret);
        let presented = if enrolled { Some(EnrolmentHash::of(&secret)) } else { presented };
        let claim = DeploymentClaim { project_id: &project_id, region_id: &region_id, presented };
        let believed = self.flaw == Some(Flaw::BelievesAnyEcs) && outcome == Err(Refusal::DeploymentConflict);
        let deployment = (!believed).then_some(claim);
        let mut verdict = in_words(&id, license, Question { deployment, ..Question::default() });
        if enrolled {
            verdict["enrolment_secret"] = json!(secret);
        }
        verdict
    }

    fn has_machine(&self, id: &LicenseId, fingerprint: &str) -> bool {
        let licenses = self.licenses.lock().unwrap();
        licenses.get(id).is_some_and(|(standing, _)| standing.license().unwrap().has_machine(fingerprint))
    }
}

async fn show(request: HttpRequest, license: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let token = request.headers().get("Authorization").and_then(|value| value.to_str().ok());
    if token != Some("Bearer support-token") {
        return HttpResponse::Unauthorized().finish();
    }
    let licenses = state.licenses.lock().unwrap();
    let (standing, _) = &licenses[&LicenseId::Deployment(EcsId::parse(&license).unwrap())];
    let deployment = standing.license().unwrap().deployment.as_ref().unwrap();
    HttpResponse::Ok().json(json!({"deployment": {"clone_suspected": deployment.is_clone_suspected(Utc::now())}}))
}

async fn activate(path: web::Path<(String, String)>, state: web::Data<State>) -> HttpResponse {
    let id = LicenseId::Instance(InstanceId::parse(&path.0).unwrap());
    state.learn_facts(&id);
    let sku = state.licenses.lock().unwrap()[&id].0.license().unwrap().sku.clone();
    let terms = terms(sku.as_ref()).filter(|_| state.flaw != Some(Flaw::GivesSeatsToAll));
    let fingerprint = Fingerprint::parse(&path.1).unwrap();
    let had_one = state.has_machine(&id, &path.1);
    let request = SeatRequest { fingerprint, name: None, terms, a_day: 1000 };
    match state.apply(&id, Command::ActivateMachine(request), None) {
        Ok(()) if had_one => HttpResponse::Ok().json(json!({})),
        Ok(()) => HttpResponse::Created().json(json!({})),
        Err(Refusal::MachineLimit { .. }) => {
            HttpResponse::Conflict().json(json!({"code": "MACHINE_LIMIT", "detail": "all seats are taken"}))
        }
        Err(other) => HttpResponse::BadRequest().json(json!({"detail": other.to_string()})),
    }
}

async fn free(request: HttpRequest, path: web::Path<(String, String)>, state: web::Data<State>) -> HttpResponse {
    let lease = request.headers().get("Chopmark-Lease").and_then(|value| value.to_str().ok());
    if lease != Some(lease_of(&path.1).as_str()) {
        return HttpResponse::Forbidden().finish();
    }
    let id = LicenseId::Instance(InstanceId::parse(&path.0).unwrap());
    let taken_until = Utc::now() + TimeDelta::days(1);
    let fingerprint = Fingerprint::parse(&path.1).unwrap();
    let free = Command::FreeMachine { fingerprint, by: FreedBy::Customer, taken_until };
    match state.apply(&id, free, None) {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(_) => HttpResponse::NotFound().finish(),
    }
}
