//! Everything that pages say, in one table per language. A text that a language lacks does not compile; what the words of
//! the API are called is tested to be complete.

pub(super) mod en;
pub(super) mod zh;

use super::language::Language;

macro_rules! texts {
    ($($name:ident),+ $(,)?) => {
        /// What pages say. `{}` stands for a value.
        pub(crate) struct Texts {
            $(pub(crate) $name: &'static str,)+
        }

        #[cfg(test)]
        impl Texts {
            fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name)),+]
            }
        }
    };
}

texts! {
    skip, navigation, you_are_here, settlement, bills, licenses, deliveries, log_in, log_out, login_lead,
    token, login_hint, token_unknown, times_are, position_is, to_the_start, stale_form, stale_form_mend,
    seller, all_sellers, any, search, filter, clear, next_page, older, licenses_lead, license_id,
    license_id_hint, status, sku, license, product, verdict, expires, seats, quantity, blocked, approximate,
    no_licenses, no_licenses_found, no_licenses_yet, clone_suspected, shown_as_of, back_to_now, state, region,
    cloud_project, enrolled, as_it_was, as_it_was_hint, as_of, look_back, orders, no_orders, order,
    order_line, what_it_did, charging, ordered, facts_pending, time_line, time_line_hint, as_it_was_then,
    what_is_behind, event_kind, later_events, by_callback, by_open_api, by_operator, by_software,
    by_software_at, by_import, by_system, signed_bytes, signature, key, signed_form, received, redacted_from,
    answered_at, api_answer, recorded_as, file_digest, row, deliveries_lead, at_risk, at_risk_hint,
    nothing_at_risk, what, concerns, why, attempts, since, time_left, given_up, still_trying, what_came,
    all_deliveries, dial_tests, rejected, no_deliveries, no_deliveries_yet, no_dial_tests, no_rejected, no_journal,
    came_at, activity, answered_with, millis, contents, dial_test, unsigned, show_contents, body_received,
    answer_given, done_accepted, done_disputed, done_imported, done_closed, operator, no_seller,
    no_seller_mend, settlement_lead, currency, show, to_be_paid, carried, deposit, without_period,
    without_period_lead, no_lines, no_lines_yet, import_a_bill, by_month, chart_desc, gross, net, fee,
    refunds, voucher, tier_bonus, tax, adjustment, expected, nothing_to_draw, forecast, nothing_expected,
    period, bill_run, pay_out, estimate_mark, waiting_for, reason, age_days, lines, amount, periods,
    bill_differs, without_amount, run_on, uncertain, closed_on, reconcile, close_month, lines_count,
    resting_on_estimates, on_the_bill, difference_is, kind, waits_for, estimate, only_estimates, no_estimates,
    none_on_this_page, no_lines_found, no_lines_here, line, days_open, recomputed, settled, gross_to_net,
    not_computed, would_be_now, conditions, missing, gives_back, fee_ratio, not_told, effective, paid,
    accepted_by_customer, ready, how_it_came, events_behind, events_behind_hint, reconciliation,
    reconciliation_lead, revision, billed, difference, matched, still_open, of_differences, no_bill_for,
    no_bill, no_bill_lead, all_pairs, differences, no_differences, probably, note, note_hint, accept, dispute,
    close_lead, proposed, nothing_proposed, proposed_hint, on_bill_of, closed_with, would_be, correction,
    was_closed_with, would_close_with, without_amounts, estimates, waiting, close_warning, close_it, not_over,
    bills_lead, tab_of_bill, period_field, file, file_hint, look_at_it, imported_bills, no_bills,
    no_bills_lead, imported, rows, preview, nothing_taken, more_problems, same_as_before, rows_added,
    rows_changed, rows_removed, what_changed, import_it, do_not, how_columns_are_read, mapping_is, column,
    read_as, passed_over, first_rows, file_gone,
    download, import_transactions, transactions, transactions_hint, about_order_lines, about_usage, taken_before, another_mapping, best_fit, read_by_it, columns_hint, read_again, mapping_name, save_mapping, done_mapping, done_transactions, state_facts, state_hint, or_else, as_it_is, not_yet, not_applicable, sales_amount, voucher_amount, amount_hint, state_it, done_stated, nothing_stated, time_and_not, record_adjustment, adjustment_hint, adjustment_id, corrects, about_line, done_adjusted,
}

impl Language {
    fn words(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::English => en::WORDS,
            Self::Chinese => zh::WORDS,
        }
    }

    /// What a word of the API is called. One that is newer than this table is shown as it is.
    pub(super) fn word(self, family: &str, word: &str) -> String {
        self.names(family, word).unwrap_or(word).to_owned()
    }

    /// What a word of the API is called, if it is in the table.
    pub(super) fn names(self, family: &str, word: &str) -> Option<&'static str> {
        let key = format!("{family}.{word}");
        let words = self.words();
        let place = words.binary_search_by_key(&key.as_str(), |(key, _)| key).ok()?;
        words.get(place).map(|(_, name)| *name)
    }
}

#[cfg(test)]
mod tests;
