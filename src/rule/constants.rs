//! `[constants]`: names for texts that stand in several places, such as a telephone number or a list of domains.
//!
//! Where a rule file takes a string, `"$name"` is the constant of that name; where it takes several, a constant may be a list.
//! In the texts of blocks and answers `{{ const.name }}` is its text, for HTML escaped. All files share them. A string that
//! begins with a `$` of its own is written with two: `"$$5 off"`.

use std::collections::HashMap;

use super::problem::Code;
use super::section::{At, Section, Texts};
use super::template::{Context, escape_html};
use super::toml_value::{nearest_line, shown};

/// Constants of one rule set.
pub const MAX_CONSTANTS: usize = 1_000;

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) struct Constant {
    /// One text, or the entries of a list.
    values: Vec<String>,
    is_list: bool,
}

/// All of a rule set, by name.
#[derive(Debug, Default)]
pub(super) struct Constants(HashMap<String, Constant>);

/// What a string in a rule file stands for.
pub(super) enum Stands {
    /// For itself, in this spelling.
    Written(String),
    /// For the entries of a constant.
    Constant(Constant),
    /// For a constant that there is not.
    Missing(String),
}

impl Constant {
    /// The text, where it is one.
    pub(super) fn text(&self) -> Option<&str> {
        if self.is_list { None } else { self.values.first().map(String::as_str) }
    }
    /// All of it.
    pub(super) fn values(self) -> Vec<String> {
        self.values
    }
}

impl Constants {
    /// Read `[constants]` of a file.
    pub(super) fn read(&mut self, mut section: Section<'_>) {
        let Some(table) = section.section("constants") else { return };
        for (name, value) in table.into_texts() {
            if !is_name(&name.value) || self.0.len() >= MAX_CONSTANTS {
                let what = format!("`{}` cannot be the name of a constant", shown(&name.value));
                let help = "a name has small letters, digits and `_`, and begins with a letter";
                section.problem(&name.span, Code::WrongValue, what, help);
                continue;
            }
            let Some(Texts { values, is_list }) = value else {
                let what = format!("the constant `{}` is neither a string nor an array of strings", shown(&name.value));
                section.problem(&name.span, Code::WrongValue, what, "");
                continue;
            };
            if values.iter().any(|text| text.contains("{{") || text.contains("{%") || text.contains("{#")) {
                let what = format!("the constant `{}` holds what a template would act on", shown(&name.value));
                section.problem(&name.span, Code::Template, what, "constants are plain text");
                continue;
            }
            if self.0.contains_key(&name.value) {
                let what = format!("two constants are named `{}`", shown(&name.value));
                section.problem(&name.span, Code::Duplicate, what, "all files share them");
                continue;
            }
            self.0.insert(name.value, Constant { values, is_list });
        }
    }

    /// What a string stands for. Where no file has constants, a `$` is a `$`.
    pub(super) fn resolve(&self, text: &str) -> Stands {
        let Some(rest) = text.strip_prefix('$').filter(|_| !self.0.is_empty()) else {
            return Stands::Written(text.to_owned());
        };
        if rest.starts_with('$') {
            return Stands::Written(rest.to_owned());
        }
        if !is_name(rest) {
            return Stands::Written(text.to_owned());
        }
        self.0.get(rest).map_or_else(|| Stands::Missing(rest.to_owned()), |found| Stands::Constant(found.clone()))
    }

    /// The nearest names, for the help of a problem.
    pub(super) fn nearest(&self, name: &str) -> String {
        let mut names: Vec<&str> = self.0.keys().map(String::as_str).collect();
        names.sort_unstable();
        format!("{}constants: {}", nearest_line(name, names.iter().copied()), names.join(", "))
    }

    /// A text with `{{ const.name }}` filled in. The error is a name that there is not, or that is a list.
    pub(super) fn fill(&self, text: &str, context: Context) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            out.push_str(before);
            let inner = after.split_once("}}");
            let name = inner.and_then(|(inner, _)| {
                inner.trim_matches('-').trim().strip_prefix("const.").map(str::trim).filter(|name| is_name(name))
            });
            if let (Some(name), Some((_, behind))) = (name, inner) {
                let value = self.0.get(name).and_then(Constant::text).ok_or_else(|| name.to_owned())?;
                match context {
                    Context::Html => out.push_str(&escape_html(value)),
                    Context::Text | Context::Header => out.push_str(value),
                }
                rest = behind;
            } else {
                out.push_str("{{");
                rest = after;
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    /// Fill in a text of a rule file; its fault is reported where the text stands.
    pub(super) fn filled(&self, section: &mut Section<'_>, at: At<String>, context: Context) -> Option<At<String>> {
        match self.fill(&at.value, context) {
            Ok(value) => Some(At { value, span: at.span }),
            Err(name) => {
                let what = match self.0.get(&name) {
                    Some(list) if list.is_list => {
                        format!("the constant `{}` is a list, and this is a text", shown(&name))
                    }
                    _ => format!("there is no constant `{}`", shown(&name)),
                };
                section.problem(&at.span, Code::Template, what, self.nearest(&name));
                None
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::section::tests::read;

    fn constants(toml: &str) -> (Constants, String) {
        let (constants, problems) = read(toml, |section| {
            let mut constants = Constants::default();
            constants.read(section);
            constants
        });
        (constants, problems.to_string())
    }

    #[test]
    fn texts_and_lists() {
        let (constants, problems) =
            constants("[constants]\nphone = \"030 & 1\"\npartners = [\"a.example\", \"b.example\"]\n");
        assert!(problems.is_empty(), "{problems}");
        let stands = |text: &str| match constants.resolve(text) {
            Stands::Written(text) => text,
            Stands::Constant(constant) => constant.values().join("+"),
            Stands::Missing(name) => format!("no {name}"),
        };
        for (text, want) in [
            ("$phone", "030 & 1"),
            ("$partners", "a.example+b.example"),
            ("$fone", "no fone"),
            ("$$phone", "$phone"),
            ("$5 off", "$5 off"),
            ("a$phone", "a$phone"),
        ] {
            assert_eq!(stands(text), want, "{text}");
        }
        assert_eq!(
            constants.fill("Call {{ const.phone }}, {{ subject }}", Context::Html).unwrap(),
            "Call 030 &amp; 1, {{ subject }}"
        );
        assert_eq!(constants.fill("Call {{const.phone}} {{ x", Context::Text).unwrap(), "Call 030 & 1 {{ x");
        assert_eq!(constants.fill("{{ const.partners }}", Context::Text), Err("partners".to_owned()));
        assert_eq!(constants.fill("{{ const.fone }}", Context::Text), Err("fone".to_owned()));
    }

    #[test]
    fn what_cannot_be_a_constant() {
        let (_, problems) =
            constants("[constants]\nPhone = \"x\"\ncount = 3\ntemplate = \"{{ subject }}\"\nmixed = [\"a\", 1]\n");
        for part in ["cannot be the name", "`count` is neither", "a template would act on", "`mixed` is neither"] {
            assert!(problems.contains(part), "{part}: {problems}");
        }
    }
}
