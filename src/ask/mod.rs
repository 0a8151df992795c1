//! `-i`: asks for what the command line left open.
//!
//! `task` asks what a task is like, `site` which call becomes one, `terminal` puts the questions to
//! a person. An answer is read as the option of the command line is, and what is wrong with it is
//! said in the same words; then the question comes again.

mod site;
mod task;
mod terminal;

pub use site::{migratable, site, variant_of};
pub use task::{Known, task};
pub use terminal::Terminal;

use crate::note::{Outcome, Refusal};

/// A question that a line answers.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is asked for.
    pub what: &'a str,
    /// The answer that an empty line gives; empty where there is none.
    pub default: &'a str,
    /// What an answer looks like, or what an empty one means.
    pub hint: &'a str,
}

/// Somebody who answers.
///
/// Each question is refused with the code `cancelled` by somebody who does not go on.
pub trait Ask {
    /// A line of text.
    fn line(&self, question: Question<'_>) -> Outcome<String>;
    /// One of `options`, by its place among them.
    fn choice(&self, what: &str, options: Vec<String>) -> Outcome<usize>;
    /// Yes or no; no is the default.
    fn agreement(&self, what: &str) -> Outcome<bool>;
    /// Says what is wrong with an answer.
    fn refused(&self, refusal: &Refusal);
}

/// Why nothing is done: somebody does not go on.
#[must_use]
pub fn cancelled() -> Refusal {
    Refusal::new("cancelled", "nothing was written")
}

/// Asks until `read` takes the answer.
fn until_read<T>(
    ask: &dyn Ask,
    question: Question<'_>,
    read: impl Fn(&str) -> Outcome<T>,
) -> Outcome<T> {
    loop {
        let answer = ask.line(question)?;
        match read(answer.trim()) {
            Ok(read) => return Ok(read),
            Err(refusal) => ask.refused(&refusal),
        }
    }
}

/// The same where an empty answer means that there is none.
fn until_read_or_none<T>(
    ask: &dyn Ask,
    question: Question<'_>,
    read: impl Fn(&str) -> Outcome<T>,
) -> Outcome<Option<T>> {
    until_read(ask, question, |answer| {
        let given = Some(answer).filter(|answer| !answer.is_empty());
        given.map(&read).transpose()
    })
}

#[cfg(test)]
pub(crate) mod scripted {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use super::{Ask, Question, cancelled};
    use crate::note::{Outcome, Refusal};

    /// Answers what a test wrote down, and cancels after that.
    pub(crate) struct Scripted {
        answers: RefCell<VecDeque<&'static str>>,
        /// What was asked and said, a line each.
        pub(crate) log: RefCell<Vec<String>>,
    }

    impl Scripted {
        pub(crate) fn new(answers: &[&'static str]) -> Self {
            Self {
                answers: RefCell::new(answers.iter().copied().collect()),
                log: RefCell::default(),
            }
        }

        fn next(&self, asked: String) -> Outcome<&'static str> {
            self.log.borrow_mut().push(asked);
            self.answers.borrow_mut().pop_front().ok_or_else(cancelled)
        }
    }

    impl Ask for Scripted {
        fn line(&self, question: Question<'_>) -> Outcome<String> {
            let Question { what, default, .. } = question;
            let answer = self.next(format!("{what} ({default})"))?;
            Ok(if answer.is_empty() { default } else { answer }.to_owned())
        }

        fn choice(&self, what: &str, options: Vec<String>) -> Outcome<usize> {
            let answer = self.next(format!("{what} [{}]", options.join(" | ")))?;
            let place = options.iter().position(|option| option.starts_with(answer));
            Ok(place.expect("the answer starts one of the options"))
        }

        fn agreement(&self, what: &str) -> Outcome<bool> {
            Ok(self.next(what.to_owned())? == "y")
        }

        fn refused(&self, refusal: &Refusal) {
            let line = format!("{}: {}", refusal.code, refusal.message);
            self.log.borrow_mut().push(line);
        }
    }
}
