//! What a person types before something dangerous is done.

use super::exit::BadInput;
use super::output::{Screen, clean};
use std::io::{BufRead, IsTerminal};

/// Whether somebody can be asked: a person types, and reads.
pub fn can_ask(screen: &Screen) -> bool {
    screen.is_text() && std::io::stdin().is_terminal()
}

/// Refuses what must be confirmed where nobody can be asked.
///
/// # Errors
/// When nobody can be, and `--yes` is not given.
pub fn is_possible(yes: bool, screen: &Screen) -> Result<(), BadInput> {
    if yes || can_ask(screen) {
        return Ok(());
    }
    let text = "nobody can be asked here, standard input or the output is for a program: read the plan in a terminal, or give --yes";
    Err(BadInput(text.to_owned()))
}

/// Asks for a name, so that nobody confirms what they have not read. `what` is what it is the name of, `then` what
/// happens by it.
///
/// # Errors
/// When standard input cannot be read.
pub fn is_typed(what: &str, name: &str, then: &str) -> std::io::Result<bool> {
    anstream::eprint!("Type {what} to {then}: ");
    Ok(typed()?.is_some_and(|line| line == name))
}

/// Asks, and gives what was typed; none at the end of the input.
///
/// # Errors
/// When standard input cannot be read.
pub fn ask(question: &str) -> std::io::Result<Option<String>> {
    anstream::eprint!("{} ", clean(question));
    typed()
}

fn typed() -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let count = std::io::stdin().lock().read_line(&mut line)?;
    Ok((count > 0).then(|| line.trim().to_owned()))
}
