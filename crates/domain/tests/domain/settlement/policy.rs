//! The switches and their defaults.

use chopmark_domain::settlement::policy::Policy;
use serde_json::json;

#[test]
fn every_switch_has_its_documented_default() {
    assert_eq!(
        serde_json::to_value(Policy::default()).unwrap(),
        json!({
            "run_days": {"cn": 3, "intl": 7, "eu": 7},
            "tiers": {
                "since": "2024-02-29T16:00:00Z",
                "fee_ratio": "0.05",
                "brackets": [{"at_least": "500000", "share": "0.01"}, {"at_least": "1000000", "share": "0.02"}],
            },
            "tier_month": "SETTLEMENT",
            "tier_refunds": "SUBTRACTED",
            "tier_late_lines": "INCLUDED",
            "guarantee": "NOT_HELD",
            "pairing": "TOGETHER",
            "set_off": "CURRENT_MONTH",
            "upgraded_refund": "EVERY_ORDER",
            "international_refunds": "NEGOTIATED",
            "carry": "DEPOSIT_AFTER_NEXT_MONTH",
            "bill_total": "ROUND_THE_SUM",
            "partial_hour": "PRORATE",
            "powered_off": "BILLED",
            "term_days": "EXACT",
            "volume_discount": "APPLIES",
            "unstated_payment": "AS_PROVISIONED",
        })
    );
}

#[test]
fn a_policy_names_only_what_differs() {
    let policy: Policy = serde_json::from_value(json!({"partial_hour": "CEIL", "run_days": {"cn": 7}})).unwrap();
    let mut expected = serde_json::to_value(Policy::default()).unwrap();
    expected["partial_hour"] = json!("CEIL");
    expected["run_days"]["cn"] = json!(7);
    assert_eq!(serde_json::to_value(policy).unwrap(), expected);
    assert!(serde_json::from_value::<Policy>(json!({"run_days": {"cn": 31}})).is_err());
    assert!(serde_json::from_value::<Policy>(json!({"carry": "NEVER"})).is_err());
}
