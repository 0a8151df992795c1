//! Questions on the terminal: plain lines on stderr, without colours or frames.

use std::io::IsTerminal;

use inquire::ui::RenderConfig;
use inquire::{Confirm, InquireError, Select, Text};

use super::{Ask, Question, cancelled};
use crate::cli::Format;
use crate::note::{Outcome, Refusal};
use crate::report::{self, Shell, printable};

/// A person at the terminal.
pub struct Terminal<'a> {
    shell: &'a Shell,
}

impl<'a> Terminal<'a> {
    /// The terminal that the process runs on; refuses where nobody can be asked, or where the output
    /// is for another program.
    pub fn new(shell: &'a Shell, format: Format) -> Outcome<Self> {
        let refuse = |why: &str| {
            Err(Refusal::usage("interactive", why.to_owned()).help(
                "leave --interactive out, and give what is wanted as options: `cargo oxy-task new --help` lists them",
            ))
        };
        if format != Format::Human {
            return refuse("--interactive asks a person, and --format is for programs");
        }
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return refuse("--interactive asks on a terminal, and there is none");
        }
        if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
            return refuse(
                "--interactive moves the cursor, which this terminal does not (TERM=dumb)",
            );
        }
        Ok(Self { shell })
    }
}

impl Ask for Terminal<'_> {
    fn line(&self, question: Question<'_>) -> Outcome<String> {
        let what = format!("{}:", printable(question.what));
        let (default, hint) = (printable(question.default), printable(question.hint));
        let mut text = Text::new(&what).with_render_config(RenderConfig::empty());
        if !default.is_empty() {
            text = text.with_default(&default);
        }
        if !hint.is_empty() {
            text = text.with_help_message(&hint);
        }
        text.prompt().map_err(unanswered)
    }

    fn choice(&self, what: &str, options: Vec<String>) -> Outcome<usize> {
        let what = format!("{}:", printable(what));
        let options: Vec<String> = options.iter().map(|option| printable(option)).collect();
        let page = page(&options);
        let select = Select::<String>::new(&what, options)
            .with_help_message("up and down move, letters filter, Enter takes, Esc cancels")
            .with_page_size(page)
            .with_render_config(RenderConfig::empty());
        let chosen = select.raw_prompt().map_err(unanswered)?;
        Ok(chosen.index)
    }

    fn agreement(&self, what: &str) -> Outcome<bool> {
        Confirm::new(what)
            .with_default(false)
            .with_render_config(RenderConfig::empty())
            .prompt()
            .map_err(unanswered)
    }

    fn refused(&self, refusal: &Refusal) {
        report::refusal(self.shell, Format::Human, "", None, refusal);
    }
}

/// How many of `options` are shown at once: what is higher than the screen cannot be drawn anew, and
/// a screen has 24 lines of 80 characters at least, of which the question has two or three.
fn page(options: &[String]) -> usize {
    let lines = |option: &String| (option.chars().count() + 2).div_ceil(80);
    let highest = options.iter().map(lines).max().unwrap_or(1);
    (20 / highest).clamp(1, 12)
}

/// Why there is no answer.
fn unanswered(error: InquireError) -> Refusal {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => cancelled(),
        other => Refusal::new(
            "interactive",
            format!("cannot ask on the terminal: {other}"),
        )
        .help("give the answers as options; nothing was written"),
    }
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn a_page_fits_a_small_screen() {
        let of = |length: usize| page(&["none".to_owned(), "x".repeat(length)]);
        assert_eq!(
            [of(9), of(78), of(79), of(200), of(4000)],
            [12, 12, 10, 6, 1]
        );
        assert_eq!(page(&[]), 12);
    }
}
