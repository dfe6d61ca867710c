//! `mailwright new rule`: a rule file from an action's example, in audit mode, with every option and a test.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use mailwright::envelope::Direction;
use mailwright::pipeline::Pipeline;
use mailwright::rule::{ActionKind, OptionDoc, actions};

use super::quoted;

/// The schema that the first line of the file names, beside it.
const SCHEMA: &str = "rules.schema.json";
/// Widest line of a comment.
const WIDTH: usize = 110;

/// Write a rule file to start from, with all options of its action and a test
#[derive(Debug, Args)]
pub struct Options {
    /// The name of the rule, such as `legal-notice`
    name: String,
    /// What it does: an action, such as `append`
    #[arg(long = "do", value_name = "ACTION", default_value = "append", value_parser = known)]
    action: String,
    /// The folder of rule files
    #[arg(long, value_name = "RULES", default_value = "rules")]
    rules: PathBuf,
}

/// Clap names the value and the option.
fn known(word: &str) -> Result<String, String> {
    let kinds: Vec<&str> = actions::KINDS.iter().map(|kind| kind.kind).collect();
    if kinds.contains(&word) { Ok(word.to_owned()) } else { Err(format!("the actions are {}", kinds.join(", "))) }
}

/// Write the file; what to say about it.
pub fn write(options: &Options) -> Result<String, String> {
    let kind = actions::KINDS.iter().find(|kind| kind.kind == options.action).ok_or("there is no such action")?;
    let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if options.name.is_empty() || !options.name.chars().all(sound) {
        let words = options.name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let name = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
        let help = if name.is_empty() { String::new() } else { format!("\n  = help: `{name}`, for example") };
        return Err(format!("a rule's name is made of a-z, 0-9 and -, as its file is named after it{help}"));
    }
    if options.rules.is_dir() {
        let taken = |pipeline: Pipeline| pipeline.rules().iter().any(|rule| rule.name == options.name);
        if Pipeline::load(&options.rules).is_ok_and(taken) {
            return Err(format!("there is a rule `{}` already", options.name));
        }
    }
    let text = text(&options.name, kind);
    // It is the program's own: a fault in it is a bug.
    Pipeline::from_sources(vec![("rule.toml".to_owned(), text.clone())])
        .map_err(|problems| format!("this is a bug in mailwright, please report it\n{problems}"))?;
    let path = options.rules.join(format!("{:02}-{}.toml", number(&options.rules), options.name));
    let shown = crate::terminal::path(&path);
    std::fs::create_dir_all(&options.rules)
        .and_then(|()| std::fs::File::create_new(&path))
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| write_schema(&options.rules.join(SCHEMA)))
        .map_err(|error| format!("cannot write `{shown}`: {error}"))?;
    let rules = crate::terminal::path(&options.rules);
    Ok(format!(
        "wrote {shown}\nwrote {schema}, by which editors complete and check it\n\nIt only reports until its `mode` is \"enforce\". Try it:\n    mailwright test {rules} --filter \
         {name}\n    mailwright replay --rules {rules} MESSAGES --diff\n",
        name = options.name,
        schema = crate::terminal::path(&options.rules.join(SCHEMA)),
    ))
}

/// What editors know the options by. It is written anew, as it belongs to the program that reads the rules.
fn write_schema(path: &Path) -> std::io::Result<()> {
    std::fs::write(path, format!("{:#}\n", mailwright::rule::schema::of_rules()))
}

/// Ten more than the highest that a file of the folder begins with, as rules run in the order of file names.
fn number(folder: &Path) -> u32 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let leading = |name: &str| name.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok();
    let highest = entries.filter_map(|entry| leading(entry.file_name().to_str()?)).max();
    highest.map_or(10, |highest| (highest / 10 + 1) * 10)
}

fn text(name: &str, kind: &ActionKind) -> String {
    let direction = if kind.directions.contains(&Direction::Outbound) { "outbound" } else { "inbound" };
    let mut text = format!(
        "#:schema {SCHEMA}\n# Rules run in the order of file names. Editors complete and check this file by its first line.\n\n"
    );
    let _ = writeln!(text, "[[rule]]\nname = \"{name}\"\ndescription = {}", quoted(kind.doc));
    text.push_str("mode = \"audit\" # it reports and changes nothing; \"enforce\" when you are sure\n");
    let _ = writeln!(text, "when = {{ direction = \"{direction}\" }}");
    text.push_str("# unless = { … } keeps it off; `mailwright explain MESSAGE` says why a rule matched or not\n");
    let _ = writeln!(text, "\n[[rule.action]]\n{}", kind.example.trim_end());
    let given: Vec<&str> = kind.example.lines().filter_map(|line| Some(line.split_once('=')?.0.trim())).collect();
    for option in kind.options.iter().filter(|option| !given.contains(&option.key)) {
        comment(&mut text, option);
    }
    let (from, to) = match direction {
        "outbound" => ("ann@example.com", "kim@customer.example"),
        _ => ("kim@customer.example", "ann@example.com"),
    };
    let _ = write!(
        text,
        "\n[[test]]\nname = \"{name}: it matches\"\nmessage = {{ subject = \"Minutes\", text = \"Card 4111 1111 1111 \
         1111\\n\" }}\nenvelope = {{ direction = \"{direction}\", from = \"{from}\", to = [\"{to}\"] }}\nexpect = {{ \
         matched = [\"{name}\"] }}\n"
    );
    text
}

/// An option that the example does not use.
fn comment(text: &mut String, option: &OptionDoc) {
    // What stands instead of it is a value, or said in words.
    let is_word = |word: &str| matches!(word, "true" | "false") || word.parse::<u32>().is_ok();
    let value = option.default.starts_with(['"', '[', '{']) || is_word(option.default);
    let (value, default) =
        if value { (option.default, String::new()) } else { ("…", format!(", else {}", option.default)) };
    let _ = writeln!(text, "# {} = {value}", option.key);
    let mut line = String::from("#    ");
    for word in format!("{}{default}. {}", option.takes, option.doc).split_whitespace() {
        if line.chars().count() + word.chars().count() >= WIDTH {
            let _ = writeln!(text, "{line}");
            line = String::from("#    ");
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}
