//! The steps to an amount, in the visitor's language.

use chopmark_domain::settlement::explanation::{Operation, Step, Term};

use crate::console::language::Language;

/// One step: `settlement amount = sales amount 100 × seller's share 0.95 = 95`. What has no name in the language is
/// shown by the name that the API has for it.
pub(super) fn step(language: Language, step: &Step) -> String {
    let name = |term: &Term| language.word("term", &term.name);
    let operands = step.operands.iter().map(|term| format!("{} {}", name(term), term.value.normalize()));
    let operands: Vec<_> = operands.collect();
    let turned = if step.operation == Operation::Negation { "−" } else { "" };
    let (result, operands) = (name(&step.result), operands.join(sign(language, step.operation)));
    format!("{result} = {turned}{operands} = {}", step.result.value.normalize())
}

fn sign(language: Language, operation: Operation) -> &'static str {
    match (operation, language) {
        (Operation::Sum, _) => " + ",
        (Operation::Difference, _) => " − ",
        (Operation::Product, _) => " × ",
        (Operation::Quotient, _) => " ÷ ",
        (Operation::Largest, Language::English) => " or at least ",
        (Operation::Largest, Language::Chinese) => "，至少 ",
        (Operation::Negation, _) => "",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    fn term(name: &'static str, value: i64) -> Term {
        Term { name: name.into(), value: value.into() }
    }

    #[test]
    fn a_step_is_told_in_each_language() {
        let operands = vec![term("sales_amount", 100), term("quantity", 2)];
        let product = Step { operation: Operation::Product, operands, result: term("settle_amount", 200) };
        assert_eq!(step(Language::English, &product), "settlement amount = sales amount 100 × quantity 2 = 200");
        assert_eq!(step(Language::Chinese, &product), "结算金额 = 商品销售金额 100 × 数量 2 = 200");
        let operands = vec![term("taken_back", 95)];
        let turned = Step { operation: Operation::Negation, operands, result: term("settle_amount", -95) };
        assert_eq!(step(Language::Chinese, &turned), "结算金额 = −收回金额 95 = -95");
    }

    #[test]
    fn a_name_that_is_newer_than_the_table_is_shown_as_it_is() {
        let operands = vec![term("tomorrow_s_number", 1)];
        let sum = Step { operation: Operation::Sum, operands, result: term("settle_amount", 1) };
        assert_eq!(step(Language::Chinese, &sum), "结算金额 = tomorrow_s_number 1 = 1");
    }

    fn sources(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
    }

    /// Every name that a worksheet of the domain gives a number.
    fn names() -> BTreeSet<String> {
        let calls =
            ["money(", "step(", "sum(", "difference(", "product(", "quotient(", "number(", "ratio(", "&mut sheet,"];
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/src/settlement");
        let mut names = BTreeSet::new();
        for path in sources(&folder) {
            let source = std::fs::read_to_string(&path).unwrap();
            let code = source.split("#[cfg(test)]").next().unwrap();
            if !code.contains("Worksheet") {
                continue;
            }
            let parts: Vec<_> = code.split('"').collect();
            for pair in parts.windows(2) {
                let [before, name] = pair else { unreachable!() };
                let is_name = !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
                if is_name && calls.iter().any(|call| before.trim_end().ends_with(call)) {
                    names.insert((*name).to_owned());
                }
            }
        }
        names
    }

    #[test]
    fn every_number_of_the_domain_s_worksheets_has_a_name_in_each_language() {
        let names = names();
        assert!(names.len() > 50 && names.contains("settle_amount"), "{names:?}");
        for language in Language::ALL {
            let unnamed: Vec<_> = names.iter().filter(|name| language.names("term", name).is_none()).collect();
            assert!(unnamed.is_empty(), "{language:?}: {unnamed:?}");
        }
    }
}
