//! Bills and transaction details as the console exports them.
//!
//! No page shows the exported header rows (UNCONFIRMED): these are the words of the pages themselves (S5, S6, S14, S15,
//! S17).

use super::bill::{Bill, Row};
use super::books::Books;
use super::month::{Month, shown};
use super::sheet::{Cell, Sheet};
use super::sold::{Acceptance, Kind, Sold};

/// In which language the console is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// The China site's.
    Chinese,
    /// The international one's.
    English,
}

impl Language {
    fn of<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }
}

impl Bill {
    /// The file of the bill, its total at the end.
    #[must_use]
    pub fn export(&self, language: Language) -> Sheet {
        let headers = [
            ("账期", "Billing Period"),
            ("商品类别", "Product Category"),
            ("订单号", "Order No."),
            ("订单行ID", "Order Line ID"),
            ("原订单行ID", "Original Order Line ID"),
            ("订单类型", "Order Type"),
            ("SKU编码", "SKU Code"),
            ("商品ID", "Product ID"),
            ("计费模式", "Billing Mode"),
            ("生效时间", "Effective Time"),
            ("商品销售金额", "Sales Amount"),
            ("代金券金额", "Voucher Amount"),
            ("运营管理费比例", "Operation Management Fee Ratio"),
            ("阶梯激励比例", "Incremental Share Ratio"),
            ("本期结算金额", "Settlement Amount"),
        ];
        let mut sheet = Sheet::new(headers.map(|(chinese, english)| language.of(chinese, english)));
        self.rows.iter().for_each(|row| sheet.add(self.cells(row, language)));
        let mut total = vec![Cell::text(language.of("合计", "Total"))];
        total.resize_with(headers.len() - 1, Cell::empty);
        total.push(Cell::Amount(self.total()));
        sheet.add(total);
        sheet
    }

    fn cells(&self, row: &Row, language: Language) -> Vec<Cell> {
        let mut cells = vec![Cell::text(self.month.to_string()), Cell::text(language.of("通用商品", "Generic"))];
        cells.extend(names(&row.sold, language));
        cells.extend([
            row.sold.effective.map_or_else(Cell::empty, |at| Cell::text(shown(at))),
            Cell::Amount(row.sold.sales),
            Cell::Amount(row.sold.voucher),
            Cell::text(percent(row.fee)),
            Cell::text(percent(row.tier)),
            Cell::Amount(row.settled),
        ]);
        cells
    }
}

impl Books {
    /// The transaction details of a month, as they are shown when it is over: everything that was ordered, paid or
    /// accepted in it.
    #[must_use]
    pub fn transactions(&self, month: Month, language: Language) -> Sheet {
        let end = month.next().at(1, 0);
        let happened = |sold: &Sold| {
            let accepted = if let Acceptance::At(at) = sold.acceptance { Some(at) } else { None };
            [Some(sold.ordered), sold.paid, accepted].into_iter().flatten().any(|at| Month::of(at) == month)
        };
        let shown = self.sold().iter().filter(|sold| happened(sold)).filter_map(|sold| sold.as_of(end));
        self.details(shown, language)
    }

    /// The transaction details of what is sold under a name, as it is known now.
    #[must_use]
    pub fn transaction(&self, name: &str, language: Language) -> Sheet {
        self.details(self.sold().iter().filter(|sold| sold.name() == name).cloned(), language)
    }

    /// The transaction details of everything, as it is known now.
    #[must_use]
    pub fn all_transactions(&self, language: Language) -> Sheet {
        self.details(self.sold().iter().cloned(), language)
    }

    fn details(&self, shown: impl Iterator<Item = Sold>, language: Language) -> Sheet {
        let mut sheet = Sheet::new(
            [
                ("账期", "Billing Period"),
                ("订单号", "Order No."),
                ("订单行ID", "Order Line ID"),
                ("原订单行ID", "Original Order Line ID"),
                ("订单类型", "Order Type"),
                ("SKU编码", "SKU Code"),
                ("商品ID", "Product ID"),
                ("计费模式", "Billing Mode"),
                ("生效时间", "Effective Time"),
                ("付费时间", "Payment Time"),
                ("付费状态", "Payment Status"),
                ("服务监管完成时间", "Service Supervision Completed At"),
                ("服务监管状态", "Service Supervision Status"),
                ("商品销售金额", "Sales Amount"),
                ("代金券金额", "Voucher Amount"),
                ("运营管理费比例", "Operation Management Fee Ratio"),
            ]
            .map(|(chinese, english)| language.of(chinese, english)),
        );
        shown.for_each(|sold| sheet.add(self.detail(&sold, language)));
        sheet
    }

    fn detail(&self, sold: &Sold, language: Language) -> Vec<Cell> {
        // Consumption belongs to no order, and so its month is told.
        let month = sold.line.is_none().then(|| Month::of(sold.ordered));
        let moment =
            |at: Option<chrono::DateTime<chrono::Utc>>| at.map_or_else(Cell::empty, |at| Cell::text(shown(at)));
        let paid = if sold.paid.is_some() { ("已完成", "Completed") } else { ("未付费", "Unpaid") };
        let (accepted, acceptance) = match sold.acceptance {
            Acceptance::NotNeeded => (None, ("不涉及", "N/A")),
            Acceptance::Open => (None, ("未完成", "In progress")),
            Acceptance::At(at) => (Some(at), ("已完成", "Completed")),
        };
        let word = |(chinese, english)| Cell::text(language.of(chinese, english));
        let mut cells = vec![month.map_or_else(Cell::empty, |month| Cell::text(month.to_string()))];
        cells.extend(names(sold, language));
        cells.extend([moment(sold.effective), moment(sold.paid), word(paid), moment(accepted), word(acceptance)]);
        cells.extend([Cell::Amount(sold.sales), Cell::Amount(sold.voucher), Cell::text(percent(self.fee()))]);
        cells
    }
}

/// What something is called: order, line, original, kind, specification, product, mode.
fn names(sold: &Sold, language: Language) -> Vec<Cell> {
    let (order, line) = sold.line.as_ref().map(|line| (line.order_id.as_str(), line.order_line_id.as_str())).unzip();
    let original = sold.original.as_ref().map(|line| line.order_line_id.as_str());
    let (kind, mode) = match sold.kind {
        Kind::New => (("新购", "New"), PERIOD),
        Kind::OneTime => (("新购", "New"), ("按次", "One-time")),
        Kind::Renew => (("续费", "Renewal"), PERIOD),
        Kind::Change => (("变更", "Change"), PERIOD),
        Kind::TrialConvert => (("试用转商用", "Trial to Commercial"), PERIOD),
        Kind::Usage => (("按需", "Usage"), ("按需", "Pay-per-use")),
        Kind::Package => (("按需套餐包", "On-demand Package"), ("按需套餐包", "On-demand Package")),
        Kind::Refund => (("退订", "Unsubscription"), PERIOD),
    };
    let optional = |text: Option<&str>| text.map_or_else(Cell::empty, Cell::text);
    vec![
        optional(order),
        optional(line),
        optional(original),
        Cell::text(language.of(kind.0, kind.1)),
        Cell::text(&sold.product.sku),
        Cell::text(&sold.product.product_id),
        Cell::text(language.of(mode.0, mode.1)),
    ]
}

const PERIOD: (&str, &str) = ("包周期", "Yearly/Monthly");

/// Hundredths of a percent as a percentage.
fn percent(points: i64) -> String {
    match points % 100 {
        0 => format!("{}%", points / 100),
        rest => format!("{}.{rest:02}%", points / 100),
    }
}

#[cfg(test)]
mod tests {
    use chopmark_domain::ids::SellerId;
    use chopmark_domain::settlement::bill::mapping::Mapping;
    use chopmark_domain::settlement::bill::{BillIdentity, import};
    use chopmark_domain::settlement::calendar::Period;
    use chopmark_domain::settlement::money::Currency;
    use chopmark_domain::settlement::product::Category;
    use chopmark_domain::settlement::transactions::read;

    use super::*;
    use crate::message::OrderLine;
    use crate::orders::{Cents, Product};

    fn books() -> Books {
        let mut books = Books::with_fee(500);
        let at = Month::new(2024, 5).at(5, 10);
        let bought = Sold {
            line: Some(OrderLine::first_of("CS1")),
            original: None,
            kind: Kind::New,
            product: Product::default(),
            sales: Cents(3_333),
            voucher: Cents(0),
            ordered: at,
            effective: Some(at),
            paid: Some(at),
            acceptance: Acceptance::At(at),
        };
        for kind in [Kind::OneTime, Kind::Renew, Kind::Change, Kind::TrialConvert, Kind::Package] {
            books.enter(Sold { kind, line: Some(OrderLine::fresh()), ..bought.clone() });
        }
        let line = Some(OrderLine::first_of("CS2"));
        books.enter(Sold {
            kind: Kind::Refund,
            original: bought.line.clone(),
            sales: Cents(-3_333),
            line,
            ..bought.clone()
        });
        books.enter(Sold { kind: Kind::Usage, line: None, acceptance: Acceptance::NotNeeded, ..bought.clone() });
        books.enter(bought);
        books
    }

    /// The cells of a sheet as texts, with their numbers in the file.
    fn texts(sheet: &Sheet) -> Vec<(u32, Vec<String>)> {
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            Cell::Amount(amount) => amount.to_string(),
        };
        (2..).zip(&sheet.rows).map(|(row, cells)| (row, cells.iter().map(text).collect())).collect()
    }

    #[test]
    fn sellers_read_every_row_of_what_the_console_exports() {
        let (books, month) = (books(), Month::new(2024, 5));
        for (language, name) in [(Language::Chinese, "console-zh"), (Language::English, "console-en")] {
            let mapping = Mapping::shipped().into_iter().find(|mapping| mapping.name == name).unwrap();
            let bill = books.bill(month);
            let sheet = bill.export(language);
            let headers: Vec<_> = sheet.headers.iter().map(String::as_str).collect();
            let cells = texts(&sheet);
            let rows = cells.iter().map(|(row, cells)| (*row, cells.iter().map(String::as_str).collect::<Vec<_>>()));
            let identity = BillIdentity {
                seller: SellerId::parse("acme").unwrap(),
                category: Category::Generic,
                period: Period::parse("202405").unwrap(),
            };
            let read = import::read(identity, Currency::CNY, &mapping, &headers, rows).unwrap();
            assert_eq!(read.rows.len(), bill.rows.len());
            assert_eq!(read.rows[0].settle_amount.to_string(), bill.rows[0].settled.to_string());

            let sheet = books.transactions(month, language);
            let headers: Vec<_> = sheet.headers.iter().map(String::as_str).collect();
            let cells = texts(&sheet);
            let rows = cells.iter().map(|(row, cells)| (*row, cells.iter().map(String::as_str).collect::<Vec<_>>()));
            assert_eq!(read::read(Currency::CNY, &mapping, &headers, rows, &()).unwrap().len(), books.sold().len());
            let known = |header: &&str| mapping.field(header).is_none();
            assert_eq!(headers.iter().copied().find(known), None);
        }
    }
}
