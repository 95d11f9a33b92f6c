//! Activities: the kinds of callback, told apart by the field `activity`.

use std::fmt;

use crate::keys::InterfaceType;

macro_rules! activities {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// The kinds of callback.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Activity { $($(#[$doc])* $variant,)+ }

        impl Activity {
            /// Every activity.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The activity as it stands on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

activities! {
    /// Bought.
    NewInstance = "newInstance",
    /// What are these instances?
    QueryInstance = "queryInstance",
    /// New expiry.
    RefreshInstance = "refreshInstance",
    /// Freeze or unfreeze.
    UpdateInstanceStatus = "updateInstanceStatus",
    /// Over.
    ReleaseInstance = "releaseInstance",
    /// Bought more.
    UpgradeInstance = "upgradeInstance",
    /// May it change at renewal?
    ChangeInstanceCheck = "changeInstanceCheck",
    /// News about an order.
    OrderNotify = "orderNotify",
    /// New expiry of a license code.
    RefreshLicenseCode = "refreshLicenseCode",
    /// Freeze or unfreeze a license code.
    UpdateLicenseCodeStatus = "updateLicenseCodeStatus",
    /// A license code is over.
    ReleaseLicenseCode = "releaseLicenseCode",
    /// Make a license for an instance.
    GetLicenseAsync = "getLicenseAsync",
}

impl Activity {
    /// Reads an activity off the wire; `None` for one that is not known here.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|activity| activity.as_str() == name)
    }

    /// Whether it is about a license code; all others are about instances and orders.
    #[must_use]
    pub fn is_about_code(self) -> bool {
        self.interfaces() == [InterfaceType::LicenseCode]
    }

    /// Keys of which types may sign it.
    #[must_use]
    pub fn interfaces(self) -> &'static [InterfaceType] {
        match self {
            Self::RefreshLicenseCode | Self::UpdateLicenseCodeStatus | Self::ReleaseLicenseCode => {
                &[InterfaceType::LicenseCode]
            }
            Self::OrderNotify => &[InterfaceType::Base, InterfaceType::General],
            Self::NewInstance
            | Self::QueryInstance
            | Self::RefreshInstance
            | Self::UpdateInstanceStatus
            | Self::ReleaseInstance
            | Self::UpgradeInstance
            | Self::ChangeInstanceCheck
            | Self::GetLicenseAsync => &[InterfaceType::Base],
        }
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
