use chopmark_domain::license::Code;

use super::*;
use crate::Kind;

const LANGUAGES: [Language; 2] = Language::ALL;

fn gaps(text: &str) -> usize {
    text.matches("{}").count()
}

#[test]
fn every_language_says_everything_with_the_same_gaps() {
    let [english, chinese] = LANGUAGES.map(|language| language.texts().all());
    for ((name, in_english), (_, in_chinese)) in english.into_iter().zip(chinese) {
        assert!(!in_english.trim().is_empty() && !in_chinese.trim().is_empty(), "{name}");
        assert_eq!(gaps(in_english), gaps(in_chinese), "{name}");
    }
}

#[test]
fn every_language_has_a_name_for_the_same_words() {
    let [english, chinese] = LANGUAGES.map(|language| language.words().iter().map(|(key, _)| *key).collect::<Vec<_>>());
    assert_eq!(english, chinese);
    assert!(english.is_sorted(), "words are looked up by halving");
    assert!(LANGUAGES.iter().all(|language| language.words().iter().all(|(_, name)| !name.trim().is_empty())));
}

#[test]
fn chinese_is_chinese_and_english_is_not() {
    let is_chinese = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    // What is written alike in both: codes and units.
    let alike = ["sku"];
    for (name, text) in zh::TEXTS.all() {
        assert!(is_chinese(text) || alike.contains(&name), "{name}: {text}");
    }
    for (name, text) in en::TEXTS.all() {
        assert!(!is_chinese(text), "{name}: {text}");
    }
}

#[test]
fn every_verdict_and_every_problem_has_a_name_and_a_reason() {
    for language in LANGUAGES {
        let has = |family: &str, word: &str| assert_ne!(language.word(family, word), word, "{family}.{word}");
        for code in Code::ALL {
            has("verdict", code.as_str());
            has("verdict-why", code.as_str());
        }
        for kind in Kind::ALL {
            has("problem", kind.name());
            has("mend", kind.name());
        }
    }
}

#[test]
fn a_word_that_is_not_known_is_shown_as_it_is() {
    assert_eq!(Language::English.word("status", "later"), "later");
    assert_eq!(Language::Chinese.word("status", "frozen"), "已冻结");
}
