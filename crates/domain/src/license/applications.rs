//! Applications for online licenses, and how far each has come (在线开通License接入指南).

use std::collections::BTreeMap;

use super::event::{Application, Event, LicenseIssued, LicenseRequested, LicenseUploaded};

/// How far an application has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What was applied for.
    pub requested: &'a LicenseRequested,
    /// The license, once made.
    pub document: Option<&'a str>,
    /// Whether the marketplace took it.
    pub uploaded: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Applied {
    requested: LicenseRequested,
    document: Option<String>,
    uploaded: bool,
}

/// All applications of one instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Applications(BTreeMap<Application, Applied>);

impl Applications {
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::LicenseRequested(requested) => {
                let applied = Applied { requested: requested.clone(), document: None, uploaded: false };
                self.0.insert(requested.application.clone(), applied);
            }
            Event::LicenseIssued(LicenseIssued { application, document }) => {
                if let Some(applied) = self.0.get_mut(application) {
                    applied.document = Some(document.clone());
                }
            }
            Event::LicenseUploaded(LicenseUploaded { application }) => {
                if let Some(applied) = self.0.get_mut(application) {
                    applied.uploaded = true;
                }
            }
            _ => {}
        }
    }

    pub(super) fn get(&self, application: &Application) -> Option<Progress<'_>> {
        let Applied { requested, document, uploaded } = self.0.get(application)?;
        Some(Progress { requested, document: document.as_deref(), uploaded: *uploaded })
    }
}
