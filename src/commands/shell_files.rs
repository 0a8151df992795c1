//! `completions` and `man`: what a shell and `man` read of the command line.

use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell as Target;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::note::{Outcome, Refusal};
use crate::report::Shell;

/// The program's name where it is not called by way of cargo.
const PROGRAM: &str = "cargo-oxy-task";

/// Prints the completions for `target`.
pub(super) fn completions(shell: &Shell, target: Target) -> Outcome<()> {
    let mut script = Vec::new();
    clap_complete::generate(target, &mut Cli::command(), PROGRAM, &mut script);
    text(shell, script)
}

/// Prints the manual: one page, with a section for each command.
pub(super) fn man(shell: &Shell) -> Outcome<()> {
    let page = page().map_err(|e| Refusal::new("man", format!("cannot make the manual: {e}")))?;
    text(shell, page)
}

fn text(shell: &Shell, bytes: Vec<u8>) -> Outcome<()> {
    let text = String::from_utf8(bytes)
        .map_err(|e| Refusal::new("shell", format!("what was made is no text: {e}")))?;
    shell.product(&text);
    Ok(())
}

fn page() -> std::io::Result<Vec<u8>> {
    let mut command = said_in_full(Cli::command());
    command.build();
    let mut page = Vec::new();
    let man = Man::new(command.clone()).title(PROGRAM.to_uppercase());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for of in command.get_subcommands().filter(|c| c.get_name() != "help") {
        page.extend(section(of)?);
    }
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// The command with a text for each option: the manual's maker says none of what a short help leaves out.
fn said_in_full(command: Command) -> Command {
    command
        .mut_args(|arg| arg.hide_short_help(false))
        .mut_subcommands(said_in_full)
}

/// The section of one command: what it has for sections are subsections of that.
fn section(command: &Command) -> std::io::Result<Vec<u8>> {
    let mut inner = Vec::new();
    let own = Man::new(without_global(command));
    own.render_description_section(&mut inner)?;
    own.render_synopsis_section(&mut inner)?;
    own.render_options_section(&mut inner)?;
    own.render_extra_section(&mut inner)?;
    let inner = String::from_utf8_lossy(&inner).replace(".SH ", ".SS ");
    let name = command.get_name().to_uppercase();
    Ok(format!(".SH {name}\n{inner}").into_bytes())
}

/// The command without the options that every command has: the page names them once.
fn without_global(command: &Command) -> Command {
    let is_own = |arg: &Arg| !arg.is_global_set() && arg.get_id() != "help";
    let command = command
        .clone()
        .bin_name(format!("cargo oxy-task {}", command.get_name()));
    command.mut_args(|arg| {
        let hidden = !is_own(&arg);
        arg.hide(hidden)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_every_command_and_option_once() {
        let page = String::from_utf8(page().unwrap()).unwrap();
        let mut command = Cli::command();
        command.build();
        for of in command.get_subcommands().filter(|c| c.get_name() != "help") {
            let header = format!(".SH {}\n", of.get_name().to_uppercase());
            assert_eq!(page.matches(&header).count(), 1, "{header}");
        }
        let options = command.get_arguments().filter(|a| a.is_global_set());
        let options: Vec<String> = options
            .filter_map(|a| Some(a.get_long()?.replace('-', "\\-")))
            .collect();
        assert!(options.len() > 5);
        for option in options
            .iter()
            .map(String::as_str)
            .chain(["dedupe", "schedule"])
        {
            let shown = format!("\\fB\\-\\-{option}\\fR");
            assert!(page.contains(&shown), "{shown}\n{page}");
        }
        assert!(
            !page.contains("\\fR\n\n.TP"),
            "an option without a text\n{page}"
        );
        let once = page.matches("\\fB\\-\\-manifest\\-path\\fR").count();
        assert_eq!(once, 2, "in the synopsis and among the options");
    }
}
