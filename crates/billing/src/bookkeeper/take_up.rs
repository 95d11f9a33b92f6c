//! From what was heard to the cases: who is told, and what it is told.

use chopmark_domain::ids::{OrderLineId, SellerId};
use chopmark_domain::license::{
    self, CodeAnswer, InstanceAdopted, LicenseRequested, OrderFactsApplied, Refreshed, Scene,
};
use chopmark_domain::settlement::books::{Named, News, Part, Said, Source};
use chopmark_domain::settlement::month::{self, AdjustmentRecorded};
use chopmark_domain::settlement::statement::{Statement, Subject};
use chopmark_domain::stream::LicenseId;
use chrono::{DateTime, Utc};

use super::heard::{Heard, What, subject_of};
use super::papers::{Adjusting, Key, named_order};
use super::sheet::Sheet;
use crate::rows::AdjustmentRow;

impl Sheet {
    /// Tells the cases. Catalogs, bills and closes are not for them.
    pub(crate) fn take_up(&mut self, heard: Heard) {
        let Heard { seller, what, recorded_at, source } = heard;
        let news = |subject, said, source| News { subject, said, recorded_at, source };
        match what {
            What::Facts(order_id, lines) => {
                for facts in lines {
                    let subject = subject_of(&order_id, &facts);
                    let file = self.case(&seller, &[Key::order(&order_id)], &[Key::subject(&subject)]);
                    file.case.take_up(news(subject, Said::Order(facts), source.clone()));
                }
            }
            What::Stated(rows) => {
                for (row, Statement { subject, facts }) in rows {
                    let original = facts.original_order_line_id.as_ref().map(Key::line);
                    let under: Vec<_> = [Some(Key::subject(&subject)), original].into_iter().flatten().collect();
                    let order = match &subject {
                        Subject::OrderLine { order_id, .. } => vec![Key::order(order_id)],
                        Subject::Usage { .. } => vec![],
                    };
                    let source = Source { row, ..source.clone() };
                    self.case(&seller, &order, &under).case.take_up(news(subject, Said::Stated(facts), source));
                }
            }
            What::License(id, event) => self.take_license(&seller, &id, &event, recorded_at, &source),
            What::Hours(period, seen) => {
                for (sku, hours) in seen {
                    let file = self.case(&seller, &[], &[Key::usage(&sku, period)]);
                    let subject = Subject::Usage { sku, period };
                    // A month has some 700 hours: of the hours of one day the last stands for all.
                    if let Some(facts) = file.case.lines.get_mut(&subject) {
                        facts.sources.retain(|known| known.stream != source.stream);
                    }
                    file.case.take_up(news(subject, Said::SeenHours(hours), source.clone()));
                }
            }
            What::Month(period, event) => {
                if let month::Event::AdjustmentRecorded(adjustment) = *event {
                    self.take_adjustment(&seller, Adjusting { period, adjustment, recorded_at, source });
                }
            }
            What::Catalog(_) | What::Bill(..) => {}
        }
    }

    fn take_adjustment(&mut self, seller: &SellerId, adjusting: Adjusting) {
        let Adjusting { period, adjustment, source, .. } = &adjusting;
        self.changes.adjustments.push(AdjustmentRow {
            seller: seller.clone(),
            period: *period,
            adjustment: AdjustmentRecorded::clone(adjustment),
            source: source.clone(),
        });
        let key = Key::adjustment(*period, &adjustment.id);
        self.case(seller, &[], &[key]).adjusting = Some(adjusting);
    }

    fn take_license(
        &mut self,
        seller: &SellerId,
        id: &LicenseId,
        event: &license::Event,
        recorded_at: DateTime<Utc>,
        source: &Source,
    ) {
        let license = Key::license(id);
        let expiry_before = self.expiry(seller, &license);
        if let Some(at) = expiry_in(event) {
            self.set_expiry(seller, &license, at);
        }
        let Some((order_id, line)) = named_order(event) else { return };
        let order = Key::order(&order_id);
        let Some(order_line_id) = line else {
            self.case(seller, &[], &[license, order]);
            return;
        };
        let under = [license, Key::line(&order_line_id)];
        let file = self.case(seller, &[order], &under);
        let Some(part) = part_of(event) else { return };
        let subject = Subject::OrderLine { order_id, order_line_id: OrderLineId::clone(&order_line_id) };
        // Every answer about a code names the order that bought it.
        let names_again = matches!(event, license::Event::CodeConfirmed(_))
            && file.case.lines.get(&subject).is_some_and(|facts| facts.named.iter().any(|named| named.license == *id));
        if names_again {
            return;
        }
        let expiry_before = expiry_before.filter(|_| matches!(part, Part::Renewal | Part::Conversion));
        let named = Named { license: id.clone(), part, acknowledged_at: recorded_at, expiry_before };
        file.case.take_up(News { subject, said: Said::Named(named), recorded_at, source: source.clone() });
    }
}

/// Which part an order plays. One that bought an instance before it was taken over was acknowledged by somebody else,
/// at a time that nobody told: it is only connected with its license.
fn part_of(event: &license::Event) -> Option<Part> {
    match event {
        license::Event::InstanceCreated(_) | license::Event::CodeConfirmed(_) => Some(Part::Purchase),
        license::Event::Upgraded(_) => Some(Part::Change),
        license::Event::Released(_) => Some(Part::Release),
        license::Event::Refreshed(Refreshed { scene, .. }) => Some(match scene {
            Scene::TrialToFormal => Part::Conversion,
            Scene::Renewal | Scene::RenewalChange => Part::Renewal,
            Scene::UnsubscribeRenewalPeriod => Part::RenewalCancelled,
        }),
        _ => None,
    }
}

fn expiry_in(event: &license::Event) -> Option<DateTime<Utc>> {
    match event {
        license::Event::InstanceAdopted(InstanceAdopted { terms, .. })
        | license::Event::OrderFactsApplied(OrderFactsApplied { terms, .. }) => terms.expires_at,
        license::Event::Refreshed(Refreshed { expires_at, .. }) => Some(*expires_at),
        license::Event::CodeConfirmed(CodeAnswer { expires_at, .. })
        | license::Event::LicenseRequested(LicenseRequested { expires_at, .. }) => *expires_at,
        _ => None,
    }
}
