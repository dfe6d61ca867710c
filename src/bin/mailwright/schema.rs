//! `mailwright schema`: what rule files may hold, for editors.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use mailwright::rule::schema;

use crate::End;

/// Print the JSON Schema of rule files, by which editors complete, explain and check them
///
/// The first line of a rule file names it: `#:schema rules.schema.json`. Editors that know the line, such as those with
/// Taplo (Even Better TOML), show what each option is for while you write, and what is misspelt.
#[derive(Debug, Args)]
pub struct Options {
    /// Of which files
    #[arg(value_enum, value_name = "FILES", default_value = "rules")]
    of: Of,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// Rule files
    Rules,
    /// organization.toml
    Organization,
}

/// Run the command.
pub fn run(options: &Options) -> End {
    let schema = match options.of {
        Of::Rules => schema::of_rules(),
        Of::Organization => schema::of_organization(),
    };
    // A reader that has gone away has seen what it wanted.
    let _ = writeln!(io::stdout(), "{schema:#}");
    End::Good
}
