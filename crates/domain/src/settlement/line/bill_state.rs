//! How far a bill is on its way to being paid (S17, S18, S20).

use serde::{Deserialize, Serialize};

/// State of a bill. The grouping of the console's columns is partly inferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BillState {
    /// Made, and not yet on its way.
    Generated,
    /// Waits for the seller; only bills sent before 2024-12-24.
    PendingSellerConfirmation,
    /// Waits for the operations manager (待会签).
    PendingApproval,
    /// Rejected there; ask operations (会签驳回).
    ApprovalRejected,
    /// Waits for the system (待申付).
    PendingPaymentRequest,
    /// The payment request could not be made; wait for operations (申付单创建失败).
    PaymentRequestFailed,
    /// The seller must invoice by the invoicing list; joint operation and international (待开票).
    PendingInvoice,
    /// The invoice is looked at, about two working days (发票待审核).
    InvoiceReview,
    /// Finance looks at the payment request (申付处理中).
    PaymentProcessing,
    /// The seller's payment data are wrong; contact operations (支付信息错误).
    PaymentInfoError,
    /// Rejected; open a ticket with the payment request's number, or invoice first (申付被驳回, 申请被驳回).
    PaymentRejected,
    /// Paid (已支付).
    Paid,
}

impl BillState {
    /// The state that the Chinese console calls so.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Self> {
        Some(match label.trim() {
            "待会签" => Self::PendingApproval,
            "会签驳回" => Self::ApprovalRejected,
            "待申付" => Self::PendingPaymentRequest,
            "申付单创建失败" => Self::PaymentRequestFailed,
            "待开票" => Self::PendingInvoice,
            "发票待审核" => Self::InvoiceReview,
            "申付处理中" => Self::PaymentProcessing,
            "支付信息错误" => Self::PaymentInfoError,
            "申付被驳回" | "申请被驳回" => Self::PaymentRejected,
            "已支付" => Self::Paid,
            _ => return None,
        })
    }

    /// Whether somebody must do something before it goes on.
    #[must_use]
    pub fn needs_action(self) -> bool {
        matches!(
            self,
            Self::PendingSellerConfirmation
                | Self::ApprovalRejected
                | Self::PendingInvoice
                | Self::PaymentInfoError
                | Self::PaymentRejected
        )
    }
}
