//! The model: a license as someone would keep it who only has paper. Whatever is taken up goes on a list; every
//! question is answered by reading the list from the top.

use chopmark_domain::license::{Command, InstanceAdopted, PROVISIONAL_TERM, Refreshed, Scene, Status, Terms};
use chopmark_domain::order::{OrderFacts, OrderRef};
use chopmark_domain::purchase::PurchaseIdentity;
use chrono::{DateTime, TimeDelta, Utc};

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Added,
    NothingNew,
    Unknown,
    Released,
    Exists,
}

/// Everything taken up, with its time and, for callbacks, the number of the request.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    is_code: bool,
    list: Vec<(Command, DateTime<Utc>, Option<u32>)>,
}

impl Model {
    pub(crate) fn new(is_code: bool) -> Self {
        Self { is_code, list: vec![] }
    }

    pub(crate) fn take(&mut self, command: &Command, now: DateTime<Utc>, request: u32) -> Outcome {
        let signed =
            !matches!(command, Command::ApplyOrderFacts { .. } | Command::Adopt(_) | Command::AdoptPurchase(_));
        let outcome = self.judge(command, now, signed.then_some(request));
        let begins_code = self.is_code && !self.exists() && *command == Command::Unfreeze;
        if outcome == Outcome::Added || begins_code {
            self.list.push((command.clone(), now, signed.then_some(request)));
        }
        if begins_code { Outcome::Added } else { outcome }
    }

    fn judge(&self, command: &Command, now: DateTime<Utc>, request: Option<u32>) -> Outcome {
        let begins = matches!(command, Command::Create { .. } | Command::Adopt(_));
        let by_code = self.is_code && !matches!(command, Command::ApplyOrderFacts { .. });
        if !self.exists() && !begins && !by_code {
            return Outcome::Unknown;
        }
        if self.exists() && request.is_some_and(|request| self.answered_lately(request, now)) {
            return Outcome::NothingNew;
        }
        let known = self.list.iter().any(|(known, ..)| known == command);
        let over = self.status() == Status::Released;
        match command {
            Command::Create { .. } if self.exists() => Outcome::NothingNew,
            Command::Adopt(_) if known => Outcome::NothingNew,
            Command::Adopt(_) if self.exists() => Outcome::Exists,
            Command::AdoptPurchase(_) => Outcome::Exists,
            Command::Refresh(_) | Command::Upgrade(_) if known => Outcome::NothingNew,
            Command::Refresh(_) | Command::Upgrade(_) | Command::Unfreeze if over => Outcome::Released,
            Command::Freeze if self.status() != Status::Active => Outcome::NothingNew,
            Command::Unfreeze if self.status() == Status::Active && !self.ended_by_our_clock_alone(now) => {
                Outcome::NothingNew
            }
            Command::Release { .. } if over => Outcome::NothingNew,
            Command::ApplyOrderFacts { order, facts } if !self.is_news(order, facts) => Outcome::NothingNew,
            _ => Outcome::Added,
        }
    }

    fn exists(&self) -> bool {
        !self.list.is_empty()
    }

    fn answered_lately(&self, request: u32, now: DateTime<Utc>) -> bool {
        self.list.iter().any(|(_, at, known)| *known == Some(request) && now - *at < TimeDelta::seconds(150))
    }

    /// Past its expiry, and no freeze was lifted since.
    fn ended_by_our_clock_alone(&self, now: DateTime<Utc>) -> bool {
        self.expiry().is_some_and(|(expiry, _)| expiry <= now && self.unfrozen_at().is_none_or(|at| at < expiry))
    }

    /// The last word about the order was a callback, or other facts.
    fn is_news(&self, order: &OrderRef, facts: &OrderFacts) -> bool {
        let last = self.list.iter().rev().find_map(|(command, ..)| match command {
            Command::ApplyOrderFacts { order: known, facts: told } if known == order => Some(told != facts),
            command if order_named_by(command) == Some(order) => Some(true),
            _ => None,
        });
        last.unwrap_or(false)
    }

    pub(crate) fn status(&self) -> Status {
        self.list.iter().fold(Status::Active, |status, (command, ..)| match command {
            Command::Adopt(adopted) => adopted.status,
            Command::Freeze => Status::Frozen,
            Command::Unfreeze => Status::Active,
            Command::Release { .. } => Status::Released,
            _ => status,
        })
    }

    /// When a freeze was last lifted. The first word about a code lifts none, whatever it is.
    fn unfrozen_at(&self) -> Option<DateTime<Utc>> {
        self.list.iter().skip(1).rev().find(|(command, ..)| *command == Command::Unfreeze).map(|(_, at, _)| *at)
    }

    /// The expiry and whether it is approximate: the last callback that states one, else what adoption or purchase
    /// order say.
    pub(crate) fn expiry(&self) -> Option<(DateTime<Utc>, bool)> {
        let refreshed = self.list.iter().rev().find_map(|(command, ..)| match command {
            Command::Refresh(refreshed) => Some((refreshed.expires_at, false)),
            _ => None,
        });
        refreshed.or_else(|| self.adopted_expiry()).or_else(|| self.ordered_expiry())
    }

    fn adopted_expiry(&self) -> Option<(DateTime<Utc>, bool)> {
        let terms = self.adopted()?.terms;
        Some((terms.expires_at?, terms.expiry_approximate))
    }

    fn ordered_expiry(&self) -> Option<(DateTime<Utc>, bool)> {
        let (first, ..) = self.list.first()?;
        let bought = match first {
            Command::Create { .. } | Command::Adopt(_) => order_named_by(first)?,
            _ => return None,
        };
        // Facts without an expiry do not take back one that is known from that order.
        Some((self.facts_of(bought, self.list.len())?.expires_at?, true))
    }

    fn adopted(&self) -> Option<InstanceAdopted> {
        match self.list.first() {
            Some((Command::Adopt(adopted), ..)) => Some(adopted.clone()),
            _ => None,
        }
    }

    fn facts_of(&self, order: &OrderRef, end: usize) -> Option<OrderFacts> {
        self.list[..end].iter().rev().find_map(|(command, ..)| match command {
            Command::ApplyOrderFacts { order: known, facts } if known == order => Some(facts.clone()),
            _ => None,
        })
    }

    /// SKU and quantity as of the last facts that came: each callback up to there, in order, with what was known then.
    pub(crate) fn product(&self) -> (Option<String>, Option<u32>) {
        let base = self.adopted().map(|adopted| adopted.terms).unwrap_or_default();
        let Terms { mut sku, mut quantity, .. } = base;
        let settled =
            self.list.iter().rposition(|(command, ..)| matches!(command, Command::ApplyOrderFacts { .. })).unwrap_or(0);
        for (command, ..) in &self.list[..settled] {
            let Some(facts) = order_named_by(command).and_then(|order| self.facts_of(order, settled + 1)) else {
                continue;
            };
            let replaces = match command {
                Command::Create { .. } | Command::Upgrade(_) => true,
                Command::Adopt(_) => false,
                Command::Refresh(Refreshed { scene, .. }) => match scene {
                    Scene::TrialToFormal | Scene::RenewalChange => true,
                    Scene::Renewal => false,
                    Scene::UnsubscribeRenewalPeriod => continue,
                },
                _ => continue,
            };
            if replaces {
                sku = facts.sku.or(sku);
                quantity = facts.quantity.or(quantity);
            } else {
                sku = sku.or(facts.sku);
                quantity = quantity.or(facts.quantity);
            }
        }
        (sku.map(String::from), quantity)
    }

    /// Whether the software may run, by the default grace of fifteen days.
    pub(crate) fn usable(&self, now: DateTime<Utc>) -> bool {
        let in_time = self.expiry().is_none_or(|(expiry, _)| {
            let provisional = self.unfrozen_at().is_some_and(|at| expiry <= at && now < at + PROVISIONAL_TERM);
            provisional || now < expiry + TimeDelta::days(15)
        });
        self.status() == Status::Active && in_time
    }
}

fn order_named_by(command: &Command) -> Option<&OrderRef> {
    match command {
        Command::Create { order } => Some(order),
        Command::Refresh(refreshed) => Some(&refreshed.order),
        Command::Upgrade(upgraded) => Some(&upgraded.order),
        Command::Adopt(InstanceAdopted { purchase: Some(PurchaseIdentity::OrderLine(order)), .. }) => Some(order),
        _ => None,
    }
}
