//! The questions of a survey and what people answer: HOT-54 to HOT-57.

use super::{Like, QuestionType, Spelling};
use crate::sample::people::{HOSTS, NAMES, TEXTS, WORDS};
use crate::sample::{Chance, Document};

const OPTIONS: [&str; 5] = ["Price", "Quality", "Lieferzeit", "Сервіс", "その他"];

/// The questions that were answered: those that were not are left out (HOT-57), which are the last
/// ones where somebody did not get to the end.
pub(super) fn asked(chance: &mut Chance, like: &Like, is_complete: bool) -> Document {
    let types = match like.questions.is_empty() {
        true => &QuestionType::ALL[..],
        false => &like.questions,
    };
    let answered = match is_complete {
        true => types.len(),
        false => {
            let last = i64::try_from(types.len()).unwrap_or(i64::MAX) - 1;
            usize::try_from(chance.between(0, last)).unwrap_or(0)
        }
    };
    let first_id = chance.between(1, 40);
    let each = types[..answered].iter().zip(first_id..);
    let each = each.map(|(kind, id)| question(chance, like, *kind, id));
    Document::Array(each.collect())
}

fn question(chance: &mut Chance, like: &Like, kind: QuestionType, id: i64) -> Document {
    let text = || Document::from(text(kind));
    let mut question = Document::object([("question_id", id.into())]);
    if like.spelling != Spelling::Example {
        question = question.with("question_text", text());
    }
    if like.spelling != Spelling::Document {
        question = question.with("questiom_text", text());
    }
    question = question
        .with("question_type", kind.name())
        .with("answers", answers(chance, like, kind));
    match like.unknown_fields {
        true => question.with("question_index", id),
        false => question,
    }
}

fn text(kind: QuestionType) -> &'static str {
    match kind {
        QuestionType::Reaction => "How was it?",
        QuestionType::LongText => "Was fehlt Ihnen?",
        QuestionType::ShortText => "What were you looking for?",
        QuestionType::SingleOption => "Що для вас найважливіше?",
        QuestionType::MultipleOption => "What matters to you?\n(as many as you like)",
        QuestionType::Email => "Where may we write to you?",
        QuestionType::RatingOf5 => "How easy was it, from 1 to 5?",
        QuestionType::RatingOf7 => "How satisfied are you, from 1 to 7?",
        QuestionType::Nps => "この店を友人にすすめますか?",
        QuestionType::Unknown => "Anything else?",
    }
}

fn answers(chance: &mut Chance, like: &Like, kind: QuestionType) -> Document {
    // Ratings are texts too (HOT-56).
    let mut number = |low, high| chance.between(low, high).to_string();
    let given = match kind {
        QuestionType::Reaction | QuestionType::RatingOf5 => vec![number(1, 5)],
        QuestionType::RatingOf7 => vec![number(1, 7)],
        QuestionType::Nps => vec![number(0, 10)],
        QuestionType::LongText => vec![(*chance.one_of(&TEXTS)).to_owned()],
        // One answered with nothing is there too, as the document's question 10 (HOT-57).
        QuestionType::ShortText if chance.is_likely(15) => vec![String::new()],
        QuestionType::ShortText | QuestionType::Unknown => {
            vec![(*chance.one_of(&WORDS)).to_owned()]
        }
        QuestionType::SingleOption => vec![(*chance.one_of(&OPTIONS)).to_owned()],
        QuestionType::MultipleOption => {
            let first = chance.between(0, 3);
            let chosen = OPTIONS.iter().skip(usize::try_from(first).unwrap_or(0));
            chosen.take(2).map(|option| (*option).to_owned()).collect()
        }
        QuestionType::Email => {
            vec![format!(
                "{}@{}",
                chance.one_of(&NAMES),
                chance.one_of(&HOSTS)
            )]
        }
    };
    let has_comment = matches!(
        kind,
        QuestionType::SingleOption | QuestionType::MultipleOption
    );
    let each = given.into_iter().map(|answer| {
        let comment = has_comment && chance.is_likely(40);
        let comment = comment.then(|| *chance.one_of(&WORDS));
        let answer = Document::object([("answer", answer.into()), ("comment", comment.into())]);
        match like.unknown_fields {
            true => answer.with("answer_id", chance.between(1, 9999)),
            false => answer,
        }
    });
    Document::Array(each.collect())
}
