//! Making the license that was applied for, once, and handing it over (在线开通License接入指南).

use chopmark_domain::catalog::{LicenseForm, ProductTerms};
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::{Application, Command, History, License, Refusal, Standing, Status};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_huawei::open_api::{LONGEST_CHARACTERS, Upload};
use chopmark_log::Position;

use super::failure::Failure;
use super::record::cause;
use super::{Memory, Office};
use crate::marketplace::api;

impl Office {
    /// Makes the license unless it is made, uploads it, and records that the marketplace took it.
    pub(super) async fn upload(
        &self,
        license: &LicenseKey,
        application: &Application,
        memory: &Memory,
    ) -> Result<Option<Position>, Failure> {
        if !self.places.has(&license.seller) {
            return Err(Failure::NoOpenApi);
        }
        let history = known(self.commands.read_license(license).await?)?;
        let waits = |what| Err(Failure::Waits(what));
        match history.application(application) {
            None => return Err(refused(Refusal::Unknown)),
            Some(progress) if progress.uploaded => return waits("it is uploaded"),
            Some(_) if history.license.status == Status::Released => return waits("the license is released"),
            Some(_) if history.license.blocked => return waits("an operator stopped the license"),
            Some(_) => {}
        }
        let terms = self.terms(&license.seller, &history.license).await?;
        let document = self.issue(license, application, &history, &terms).await?;
        self.hand_over(license, application, &document, terms.license_form, memory).await?;
        let uploaded = Command::ConfirmUpload(application.clone());
        let done = self.commands.license(license, uploaded, &cause(api::LICENSE_UPLOAD, None)).await?;
        Ok(done.position)
    }

    /// The terms of the license's product that are in force.
    async fn terms(&self, seller: &SellerId, license: &License) -> Result<ProductTerms, Failure> {
        let Some(sku) = &license.sku else {
            return Err(Failure::Waits("what was bought is not known yet"));
        };
        let catalog = self.commands.catalog(seller).await?;
        let dated = catalog.terms_at(sku, self.commands.now());
        dated.map(|dated| dated.terms.clone()).ok_or_else(|| {
            Failure::Held(format!("the catalog has no product {sku}: add it to chopmark.toml and run `chopmark apply`"))
        })
    }

    /// The license as it is on record. Whoever comes second takes what the first made.
    async fn issue(
        &self,
        license: &LicenseKey,
        application: &Application,
        history: &History,
        terms: &ProductTerms,
    ) -> Result<String, Failure> {
        let progress = history.application(application).ok_or_else(|| refused(Refusal::Unknown))?;
        if let Some(document) = progress.document {
            return Ok(document.into());
        }
        let document = self.maker.make(&license.seller, &license.id, &history.license, terms, progress.requested);
        let issue = Command::IssueLicense { application: application.clone(), document };
        let done = self.commands.license(license, issue, &cause(api::LICENSE_UPLOAD, None)).await?;
        let history = known(done.state)?;
        let issued = history.application(application).and_then(|progress| progress.document);
        issued.map(Into::into).ok_or_else(|| refused(Refusal::Unknown))
    }

    /// As text where the product wants text and it fits, else as a file (topic 0070649351).
    async fn hand_over(
        &self,
        license: &LicenseKey,
        application: &Application,
        document: &str,
        form: LicenseForm,
        memory: &Memory,
    ) -> Result<(), Failure> {
        let name = file_name(&license.id);
        let upload = match form {
            LicenseForm::Text if document.chars().count() <= LONGEST_CHARACTERS => Upload::Text(document),
            LicenseForm::Text | LicenseForm::File => Upload::File { name: &name, content: document.as_bytes() },
        };
        let place = self.place(&license.seller, memory).await?;
        let handing_over = place.marketplace.upload_license(&application.event_id, upload, self.commands.now());
        self.ask(place, api::LICENSE_UPLOAD, handing_over).await
    }
}

/// `<instance>.lic`. Adopted instances are called whatever they were, and not all of it may stand in a file's name.
fn file_name(instance: &LicenseId) -> String {
    let safe = |character: char| if "/\\:*?\"<>|".contains(character) { '_' } else { character };
    format!("{}.lic", instance.as_str().chars().map(safe).collect::<String>())
}

fn known(standing: Standing) -> Result<Box<History>, Failure> {
    match standing {
        Standing::Known(history) => Ok(history),
        Standing::Absent | Standing::Adopted(_) => Err(refused(Refusal::Unknown)),
    }
}

fn refused(refusal: Refusal) -> Failure {
    Failure::Log(refusal.into())
}
