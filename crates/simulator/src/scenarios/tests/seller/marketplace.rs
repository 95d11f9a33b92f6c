//! What the seller does at the marketplace: activate codes, hand licenses over.

use actix_web::web::Data;
use chopmark_domain::cause::SignedRequest;
use chopmark_domain::ids::{InstanceId, LicenseCode};
use chopmark_domain::license::{Application, CodeAnswer, CodeState, Command, LicenseRequested};
use chopmark_domain::stream::LicenseId;
use chopmark_huawei::answer::Answer;
use chopmark_huawei::open_api::{CodeOutcome, Upload};
use chrono::Utc;

use super::{Flaw, State, refuse};

/// What a check may say of a code that is not known yet.
pub(super) enum Looked {
    Known,
    Pending,
    NotFound,
}

/// Asks for a code that is not known to live, and has it activated.
pub(super) async fn look_up(state: &Data<State>, code: &LicenseCode) -> Looked {
    let id = LicenseId::Code(code.clone());
    if state.knows(&id) {
        return Looked::Known;
    }
    match state.open_api.query_code(code, Utc::now()).await {
        Ok(CodeOutcome::Known { answer, .. }) => {
            let inactive = answer.state == CodeState::Inactive;
            state.apply(&id, Command::ConfirmCode(answer), None).unwrap();
            if inactive && state.activating.lock().unwrap().insert(code.clone()) {
                actix_web::rt::spawn(activate(state.clone(), code.clone()));
            }
            Looked::Known
        }
        Ok(CodeOutcome::NotExist) if state.flaw == Some(Flaw::BelievesAnyCode) => {
            let alive =
                CodeAnswer { state: CodeState::Alive, expires_at: None, product_id: None, quantity: None, order: None };
            state.apply(&id, Command::ConfirmCode(alive), None).unwrap();
            Looked::Known
        }
        Ok(CodeOutcome::NotExist) => Looked::NotFound,
        _ => Looked::Pending,
    }
}

async fn activate(state: Data<State>, code: LicenseCode) {
    let outcome = state.open_api.activate_code(&code, Utc::now()).await;
    assert!(matches!(outcome, Ok(CodeOutcome::Known { .. })), "{outcome:?}");
    let Ok(CodeOutcome::Known { answer, .. }) = state.open_api.query_code(&code, Utc::now()).await else { return };
    state.apply(&LicenseId::Code(code), Command::ConfirmCode(answer), None).unwrap();
}

pub(super) fn take_application(
    state: &Data<State>,
    instance: &InstanceId,
    requested: LicenseRequested,
    request: &SignedRequest,
) -> Answer {
    let (id, application) = (LicenseId::Instance(instance.clone()), requested.application.clone());
    if state.apply(&id, Command::RequestLicense(requested), Some(request)).is_err() {
        return refuse();
    }
    let (begun, uploaded) = progress(state, &id, &application);
    if !begun || state.flaw == Some(Flaw::MakesALicenseEachTime) {
        let document = format!("LIC-{:016x}", rand::random::<u64>());
        let issue = Command::IssueLicense { application: application.clone(), document: document.clone() };
        state.apply(&id, issue, None).unwrap();
        actix_web::rt::spawn(upload(state.clone(), id, application, document));
    }
    if uploaded { Answer::success() } else { Answer::processing() }
}

fn progress(state: &State, id: &LicenseId, application: &Application) -> (bool, bool) {
    let licenses = state.licenses.lock().unwrap();
    let chopmark_domain::license::Standing::Known(history) = &licenses[id].0 else { return (false, false) };
    history.application(application).map_or((false, false), |found| (found.document.is_some(), found.uploaded))
}

async fn upload(state: Data<State>, id: LicenseId, application: Application, document: String) {
    let event = &application.event_id;
    while let Err(error) = state.open_api.upload_license(event, Upload::Text(&document), Utc::now()).await {
        assert_eq!(error.kind, chopmark_huawei::open_api::ErrorKind::Transient, "{error}");
    }
    state.apply(&id, Command::ConfirmUpload(application), None).unwrap();
}
