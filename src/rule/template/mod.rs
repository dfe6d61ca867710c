//! Text templates: variables, escaping by context, lines that drop out where their variables are empty.
//!
//! `variables.rs` names what a template may name, `optional.rs` drops lines, `filters.rs` writes dates and parts of URLs,
//! `filled.rs` knows what came from variables.
//!
//! A template is compiled when the rules are loaded: what it names must exist, and it must render with sample values.
//! Invariant: the value of a variable can inject neither HTML nor scripts nor header lines, whatever the template says.

mod escape;
mod fault;
mod filled;
mod filters;
mod mistaken;
mod names;
mod optional;
#[cfg(test)]
mod tests;
mod unescaped;
mod variables;

use std::borrow::Cow;

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::problem::Code;
use super::section::{At, Holds, Section};
use super::toml_value::{nearest_line, shown};
use super::{ActionError, Scene};
use crate::directory::Need;
pub use escape::escape_html;
use escape::{one_line, without_scripts};
use fault::{Fault, kind_text};
pub use filled::Filled;
use filled::{CLOSE, OPEN};
use names::Names;
pub use variables::{ATTACHMENT, STORED, VARIABLES, Variable};

/// The longest text that a template may become, in octets.
pub const MAX_OUTPUT: usize = 256 * 1024;
/// Instructions that one rendering may take.
const FUEL: u64 = 50_000;
/// Depth of nested blocks in a template.
const MAX_DEPTH: usize = 64;

/// What a template becomes part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// Plain text: nothing is escaped.
    Text,
    /// HTML: `& < > " '` of values are escaped.
    Html,
    /// The value of a header field: control characters and line ends become spaces.
    Header,
}

/// A compiled template.
#[derive(Debug)]
pub struct Template {
    context: Context,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// Nothing to fill in: costs nothing at run time.
    Fixed(String),
    /// With the variables that it names.
    Filled {
        environment: Box<Environment<'static>>,
        used: Vec<&'static Variable>,
        /// Those of `used` that stand where nothing drops out.
        required: Vec<&'static str>,
        written: String,
    },
}

impl Template {
    /// Read `key`: a string, or `{ file = "templates/…" }` relative to the rules folder. Reports its problems itself.
    pub fn read(section: &mut Section<'_>, key: &'static str, context: Context) -> Option<Self> {
        Self::read_with(section, key, context, &[])
    }

    /// As [`Template::read`], with variables of its own, whose values are given when it is filled in.
    pub fn read_with(
        section: &mut Section<'_>,
        key: &'static str,
        context: Context,
        own: &'static [Variable],
    ) -> Option<Self> {
        let (at, file) = match section.holds(key) {
            Holds::Table => {
                let mut table = section.section(key)?;
                let Some(name) = table.string("file") else {
                    if table.holds("file") == Holds::Nothing {
                        table.missing("file");
                    }
                    table.finish(key, &["file"]);
                    return None;
                };
                table.finish(key, &["file"]);
                match section.read_file(&name.value) {
                    Ok(text) => (At { value: text, span: name.span }, Some(name.value)),
                    Err(why) => {
                        let what = format!("the template file `{}` cannot be read: {why}", shown(&name.value));
                        section.problem(
                            &name.span,
                            Code::Template,
                            what,
                            "the path is relative to the folder of the rule files",
                        );
                        return None;
                    }
                }
            }
            Holds::Nothing => return None,
            Holds::String => (section.string(key)?, None),
            _ => {
                let span = section.span_of(key);
                section.problem(&span, Code::WrongValue, format!("`{key}` takes a string or `{{ file = \"…\" }}`"), "");
                // Taken, so that it is not reported as unknown as well.
                section.ignore(key);
                return None;
            }
        };
        if let Some(odd) = mistaken::mistaken(key, &at.value).filter(|_| context != Context::Header) {
            section.warning(&at.span, Code::WrongValue, odd.what, odd.help);
        }
        let at = section.with_constants(at, context)?;
        match Self::compile_with(&at.value, context, own) {
            Ok(template) => {
                if let Some(why) = template.unescaped() {
                    let what = format!("the value of a variable stands {why}, where escaping does not make it safe");
                    let help = "put variables into text, or into attributes with quotes that are no code";
                    section.warning(&at.span, Code::Unescaped, what, help);
                }
                Some(template)
            }
            Err(fault) => {
                let of = file.map(|name| format!(" in `{}`", shown(&name))).unwrap_or_default();
                let line = fault.line.map(|n| format!(", line {n} of the template")).unwrap_or_default();
                section.problem(&at.span, Code::Template, format!("{}{of}{line}", fault.what), fault.help);
                None
            }
        }
    }

    /// A template that is known to work.
    pub(super) fn built_in(text: &str, context: Context, own: &'static [Variable]) -> Option<Self> {
        Self::compile_with(text, context, own).ok()
    }

    #[cfg(test)]
    fn compile(text: &str, context: Context) -> Result<Self, Fault> {
        Self::compile_with(text, context, &[])
    }

    /// Compile a template and try it out.
    fn compile_with(text: &str, context: Context, own: &'static [Variable]) -> Result<Self, Fault> {
        let mut text = text.replace("\r\n", "\n");
        text.retain(|c| !is_reserved(c));
        if text.len() > MAX_OUTPUT {
            return Err(Fault::new(format!("the template has {} octets; {MAX_OUTPUT} are allowed", text.len())));
        }
        if !text.contains("{{") && !text.contains("{%") && !text.contains("{#") {
            return Ok(Self { context, source: Source::Fixed(text) });
        }
        let marked = optional::marked(&text)?;
        let environment = environment(context, marked)?;
        let used = used(&environment, own)?;
        for sample in [true, false] {
            let values = Names::new(used.iter().map(|v| (v.name, v.trial(sample))));
            render(&environment, values).map_err(|e| Fault::of(&e))?;
        }
        let outside = self::environment(context, optional::outside(&text)).and_then(|e| self::used(&e, own));
        let required = outside.unwrap_or_else(|_| used.clone()).into_iter().map(|v| v.name).collect();
        Ok(Self {
            context,
            source: Source::Filled { environment: Box::new(environment), used, required, written: text },
        })
    }

    /// Why a value is not safe where it stands, as the template comes out with sample values.
    fn unescaped(&self) -> Option<&'static str> {
        let Source::Filled { environment, used, .. } = &self.source else { return None };
        if self.context != Context::Html {
            return None;
        }
        let values = Names::new(used.iter().map(|v| (v.name, v.trial(true))));
        let text = render(environment, values).ok()?;
        unescaped::why(&Filled(Cow::Owned(optional::settled(&text))).pieces())
    }

    /// The text, where there is nothing to fill in.
    pub fn as_fixed(&self) -> Option<&str> {
        match &self.source {
            Source::Fixed(text) => Some(text),
            Source::Filled { .. } => None,
        }
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        match &self.source {
            Source::Fixed(text) => text,
            Source::Filled { written, .. } => written,
        }
    }

    /// What has to be looked up before it can be filled in.
    pub fn need(&self) -> Need {
        match &self.source {
            Source::Filled { used, .. } if used.iter().any(|v| v.is_of_directory()) => Need::sender(),
            _ => Need::default(),
        }
    }

    /// The variables that are empty for this message though the directory is to tell them, and nothing drops out for it.
    pub fn missing(&self, scene: &Scene<'_, '_>) -> Vec<&'static str> {
        let Source::Filled { used, required, .. } = &self.source else { return Vec::new() };
        let of_directory = used.iter().filter(|v| v.is_of_directory() && required.contains(&v.name));
        of_directory.filter(|v| v.value(scene).is_ok_and(|value| !value.is_true())).map(|v| v.name).collect()
    }

    /// Fill in. The error names no value.
    pub fn fill(&self, scene: &Scene<'_, '_>) -> Result<Filled<'_>, ActionError> {
        self.fill_with(scene, &[])
    }

    /// As [`Template::fill`], with the values of its own variables.
    pub fn fill_with(&self, scene: &Scene<'_, '_>, own: &[(&'static str, Value)]) -> Result<Filled<'_>, ActionError> {
        let filled = match &self.source {
            Source::Fixed(text) => Cow::Borrowed(text.as_str()),
            Source::Filled { environment, used, .. } => {
                let mut values = Vec::with_capacity(used.len());
                for variable in used {
                    let given = own.iter().find(|(name, _)| *name == variable.name).map(|(_, value)| value.clone());
                    values.push((variable.name, given.map_or_else(|| variable.value(scene), Ok)?));
                }
                let values = Names::new(values.into_iter());
                // The detail of an error may quote a value.
                let text =
                    render(environment, values).map_err(|e| ActionError::Template(kind_text(e.kind()).to_owned()))?;
                if text.len() > MAX_OUTPUT {
                    return Err(ActionError::Template("it grew too large".to_owned()));
                }
                let text = if self.context == Context::Html { without_scripts(&text) } else { Cow::Borrowed(&*text) };
                Cow::Owned(optional::settled(&text))
            }
        };
        Ok(Filled(if self.context == Context::Header { one_line(filled) } else { filled }))
    }
}

/// Characters that templates and values lose.
fn is_reserved(c: char) -> bool {
    matches!(c, '\u{FDD0}'..='\u{FDD3}')
}

fn environment(context: Context, text: String) -> Result<Environment<'static>, Fault> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(MAX_DEPTH);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(move |_| match context {
        Context::Html => AutoEscape::Html,
        Context::Text | Context::Header => AutoEscape::None,
    });
    // With it a value of the message could become markup.
    environment.remove_filter("safe");
    environment.add_filter("date", filters::date);
    environment.add_filter("urlencode", filters::urlencode);
    environment.set_formatter(move |out, _, value| {
        let raw = value.to_string();
        let mut clean: String = raw.chars().filter(|c| !is_reserved(*c)).collect();
        // Escaped whatever an `autoescape` block says; what a filter has escaped is marked as safe.
        if context == Context::Html && !value.is_safe() {
            clean = escape_html(&clean);
        }
        write!(out, "{OPEN}{clean}{CLOSE}")?;
        Ok(())
    });
    environment.add_template_owned("t", text).map_err(|e| Fault::of(&e))?;
    Ok(environment)
}

fn render(environment: &Environment<'static>, values: Names) -> Result<String, minijinja::Error> {
    environment.get_template("t")?.render(Value::from_object(values))
}

/// The variables that the template names; an unknown one is a fault.
fn used(environment: &Environment<'static>, own: &'static [Variable]) -> Result<Vec<&'static Variable>, Fault> {
    let template = environment.get_template("t").map_err(|e| Fault::of(&e))?;
    let globals: Vec<&str> = environment.globals().map(|(name, _)| name).collect();
    let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
    names.sort_unstable();
    let known = || VARIABLES.iter().chain(own).map(|v| v.name);
    let mut used = Vec::new();
    let mut unknown = Vec::new();
    let mut help = String::new();
    for name in names {
        if let Some(variable) = VARIABLES.iter().chain(own).find(|v| v.name == name) {
            used.push(variable);
        } else if !globals.contains(&name.as_str()) {
            help.push_str(&nearest_line(&name, known()));
            unknown.push(format!("`{}`", shown(&name)));
        }
    }
    let what = match unknown.as_slice() {
        [] => return Ok(used),
        [name] => format!("unknown variable {name}"),
        names => format!("unknown variables {}", names.join(", ")),
    };
    help.push_str("variables: ");
    help.push_str(&known().collect::<Vec<_>>().join(", "));
    Err(Fault { what, line: None, help })
}
