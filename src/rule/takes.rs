//! What a key of a rule file takes: one description, from which the reference, the schema and the help are made.
//!
//! Invariant: what is described is what is read. `schema/tests.rs` holds each description against the reader of its key:
//! the words, the keys of tables, the types.

use std::fmt;

/// One key of a table: an option of a condition or an action, a key of a rule, a test, a person.
#[derive(Debug, Clone, Copy)]
pub struct OptionDoc {
    /// Its key.
    pub key: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What happens without it; empty when it must be given.
    pub default: &'static str,
    /// What it is for, in one sentence or more.
    pub doc: &'static str,
}

/// What a key takes. Where a string is taken, a constant may stand: `"$name"`.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// A string: what it says, such as `field name`.
    Text(&'static str),
    /// A string, or an array of strings; a list in a file, `{ file = "…" }`, in place of any of them.
    Texts(&'static str),
    /// An array of strings, as they are written.
    Array(&'static str),
    /// As [`Takes::Texts`], and `[]` for none.
    TextsOrNone(&'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or several.
    Words(&'static [&'static str]),
    /// These words or other strings, one or several.
    WordsOr(&'static [&'static str], &'static str),
    /// Names of detectors and groups of them, one or several; a rule set may have others of its own.
    Detectors,
    /// `true` or `false`.
    Boolean,
    /// `true` alone.
    True,
    /// A whole number: the least and the most; [`u64::MAX`] for no limit.
    Number(u64, u64),
    /// Octets: a whole number, or a string such as `"10 MB"`.
    Size,
    /// A date, or a date and a time, without quotes.
    Date,
    /// A time of day: a string such as `"08:00"`, or without quotes.
    Time,
    /// A text with variables, or `{ file = "…" }`.
    Template,
    /// The path of a file in the folder of the rules, as a table: `{ file = "…" }`.
    File,
    /// A table.
    Table(&'static [OptionDoc]),
    /// A table, or an array of tables.
    Tables(&'static [OptionDoc]),
    /// A table whose keys are the author's: what a key is, what its string says.
    Entries(&'static str, &'static Takes),
    /// A table with what the directory knows of a person as keys, each of which takes the same.
    Attributes(&'static Takes),
    /// A table of conditions, or an array of such tables.
    Conditions {
        /// An array may stand.
        several: bool,
    },
    /// A table of an action, or an array of them.
    Actions,
    /// One of these.
    Either(&'static [Takes]),
}

impl Takes {
    /// The keys of the table that it takes; empty where it takes none.
    pub const fn options(&self) -> &'static [OptionDoc] {
        match self {
            Self::Table(options) | Self::Tables(options) => options,
            Self::Either(list) => {
                let mut rest: &[Takes] = list;
                while let Some((first, behind)) = rest.split_first() {
                    if let Self::Table(options) | Self::Tables(options) = first {
                        return options;
                    }
                    rest = behind;
                }
                &[]
            }
            _ => &[],
        }
    }
}

/// The words of a table of words, for [`Takes::Words`].
pub(super) const fn words_of<T, const N: usize>(words: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut list = [""; N];
    let mut nth = 0;
    while nth < N {
        list[nth] = words[nth].0;
        nth += 1;
    }
    list
}

/// The keys of options, for [`super::section::Section::finish`].
pub(super) fn keys(options: &[OptionDoc]) -> Vec<&'static str> {
    options.iter().map(|option| option.key).collect()
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(what) => f.write_str(what),
            Self::Array(what) => write!(f, "array of {what}"),
            Self::Texts(what) => write!(f, "{what}, or several"),
            Self::TextsOrNone(what) => write!(f, "{what}, or several, or none: `[]`"),
            Self::Word(words) => quoted(f, words),
            Self::Words(words) => {
                quoted(f, words)?;
                f.write_str(", or several")
            }
            Self::WordsOr(words, what) => {
                quoted(f, words)?;
                write!(f, " | {what}, or several")
            }
            Self::Detectors => f.write_str("name of a detector or of a group of them, or several"),
            Self::Boolean => f.write_str("true | false"),
            Self::True => f.write_str("true"),
            Self::Number(0, u64::MAX) => f.write_str("whole number"),
            Self::Number(least, u64::MAX) => write!(f, "{least} or more"),
            Self::Number(least, most) => write!(f, "{least} to {most}"),
            Self::Size => f.write_str("size, such as \"10 MB\" | octets"),
            Self::Date => f.write_str("date, such as 2026-12-01 | date and time, such as 2026-12-01T09:00:00+01:00"),
            Self::Time => f.write_str("time of day, such as \"08:00\""),
            Self::Template => f.write_str("template | { file = \"…\" }"),
            Self::File => f.write_str("{ file = \"…\" }"),
            Self::Table(options) => table(f, options),
            Self::Tables(options) => {
                table(f, options)?;
                f.write_str(", or several")
            }
            Self::Entries(key, value) => write!(f, "{{ {key} = {value}, … }}"),
            Self::Attributes(value) => write!(f, "{{ attribute = {value}, … }}"),
            Self::Conditions { several: false } => f.write_str("conditions"),
            Self::Conditions { several: true } => f.write_str("conditions, or an array of them"),
            Self::Actions => f.write_str("action, or several"),
            Self::Either(list) => {
                for (nth, one) in list.iter().enumerate() {
                    write!(f, "{}{one}", if nth == 0 { "" } else { " | " })?;
                }
                Ok(())
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, words: &[&str]) -> fmt::Result {
    for (nth, word) in words.iter().enumerate() {
        write!(f, "{}\"{word}\"", if nth == 0 { "" } else { " | " })?;
    }
    Ok(())
}

fn table(f: &mut fmt::Formatter<'_>, options: &[OptionDoc]) -> fmt::Result {
    write!(f, "{{ {} }}", keys(options).join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_said_in_the_words_of_rule_files() {
        const COUNT: &[OptionDoc] =
            &[OptionDoc { key: "at_least", takes: Takes::Number(0, u64::MAX), default: "0", doc: "How many." }];
        for (takes, want) in [
            (Takes::Word(&["skip", "part"]), "\"skip\" | \"part\""),
            (Takes::WordsOr(&["internal"], "domain"), "\"internal\" | domain, or several"),
            (Takes::Number(1, 168), "1 to 168"),
            (Takes::Number(1, u64::MAX), "1 or more"),
            (Takes::Either(&[Takes::Text("string"), Takes::Table(COUNT)]), "string | { at_least }"),
            (Takes::Entries("name", &Takes::Text("path")), "{ name = path, … }"),
        ] {
            assert_eq!(takes.to_string(), want);
        }
        assert_eq!(Takes::Either(&[Takes::True, Takes::Tables(COUNT)]).options().len(), 1);
    }
}
