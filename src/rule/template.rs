//! Text templates: variables, escaping by context.
//!
//! A template is compiled when the rules are loaded: what it names must exist, and it must render with sample values.
//! Invariant: the value of a variable can inject neither HTML nor header lines, whatever the template says.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::value::{Object, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::problem::Code;
use super::section::{At, Holds, Section, nearest_line, shown};
use super::{ActionError, Scene};

/// The longest text that a template may become, in octets.
pub const MAX_OUTPUT: usize = 256 * 1024;
/// Characters of a subject that templates see.
const MAX_SUBJECT: usize = 1_000;
/// Instructions that one rendering may take.
const FUEL: u64 = 50_000;
/// Depth of nested blocks in a template.
const MAX_DEPTH: usize = 64;

/// What stands between these two came from a variable. Noncharacters: no mail and no template holds them (what does
/// loses them), so a rendering can be told apart into what is always the same and what is not.
const OPEN: char = '\u{FDD0}';
const CLOSE: char = '\u{FDD1}';

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

/// One variable of the templates.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name, such as `sender.address`.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub doc: &'static str,
    /// A value for trying a template out.
    pub sample: &'static str,
    value: fn(&Scene<'_, '_>) -> Value,
}

impl Variable {
    /// A value for trying a template out: the sample, or the emptiest of its type.
    fn trial(&self, sample: bool) -> Value {
        match (self.sample.parse::<u64>(), sample) {
            (Ok(number), true) => Value::from(number),
            (Ok(_), false) => Value::from(0),
            (Err(_), true) => Value::from(self.sample),
            (Err(_), false) => Value::from(""),
        }
    }
}

/// Every variable, in alphabetical order.
pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "direction",
        doc: "`inbound` or `outbound`.",
        sample: "outbound",
        value: |scene| Value::from(scene.envelope.direction.as_str()),
    },
    Variable {
        name: "message.id",
        doc: "The flow's handle for the message; not its Message-ID.",
        sample: "00000000-0000-0000-0000-000000000000",
        value: |scene| Value::from(scene.envelope.message_id.as_str()),
    },
    Variable {
        name: "recipients.count",
        doc: "How many recipients this copy goes to.",
        sample: "1",
        value: |scene| Value::from(scene.envelope.recipients.len()),
    },
    Variable {
        name: "rule.name",
        doc: "The name of the rule.",
        sample: "legal-notice",
        value: |scene| Value::from(scene.rule),
    },
    Variable {
        name: "sender.address",
        doc: "The address of the sender by the flow; empty for bounces.",
        sample: "ann@example.com",
        value: |scene| Value::from(scene.envelope.sender.as_ref().map_or("", |a| a.as_str())),
    },
    Variable {
        name: "sender.domain",
        doc: "The domain of the sender by the flow; empty for bounces.",
        sample: "example.com",
        value: |scene| Value::from(scene.envelope.sender.as_ref().map_or("", |a| a.domain().as_str())),
    },
    Variable {
        name: "subject",
        doc: "The subject as the rules before have left it; empty where there is none.",
        sample: "Minutes of Monday",
        value: |scene| Value::from(subject(&scene.draft.subject().unwrap_or_default())),
    },
];

/// The variables of templates about one attachment.
pub const ATTACHMENT: &[Variable] = &[
    Variable {
        name: "attachment.name",
        doc: "The file name, without what deceives (directions, control characters, folders).",
        sample: "report.pdf",
        value: |_| Value::from(""),
    },
    Variable {
        name: "attachment.sha256",
        doc: "SHA-256 of its content in hex: what a virus scanner or a search knows it by.",
        sample: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        value: |_| Value::from(""),
    },
    Variable {
        name: "attachment.size",
        doc: "Its size in octets, its transfer encoding undone.",
        sample: "48213",
        value: |_| Value::from(0),
    },
    Variable {
        name: "attachment.type",
        doc: "The declared media type.",
        sample: "application/pdf",
        value: |_| Value::from(""),
    },
];

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
    Filled { environment: Box<Environment<'static>>, used: Vec<&'static Variable>, written: String },
}

/// A template filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled<'t>(Cow<'t, str>);

impl<'t> Filled<'t> {
    /// A text without variables.
    pub fn fixed(text: &'t str) -> Self {
        Self(Cow::Borrowed(text))
    }
    /// The text.
    pub fn text(&self) -> Cow<'_, str> {
        if self.0.contains([OPEN, CLOSE]) {
            Cow::Owned(self.0.replace([OPEN, CLOSE], ""))
        } else {
            Cow::Borrowed(&self.0)
        }
    }
    /// A text as if it came from a variable, to stand in a text that [`Filled::map`] makes.
    pub fn value(text: &str) -> String {
        format!("{OPEN}{text}{CLOSE}")
    }
    /// All of it in order, each piece with whether it came from a variable.
    pub fn pieces(&self) -> Vec<(bool, &str)> {
        let mut rest: &str = &self.0;
        let mut pieces = Vec::new();
        while let Some((before, after)) = rest.split_once(OPEN) {
            let (value, after) = after.split_once(CLOSE).unwrap_or((after, ""));
            pieces.extend([(false, before), (true, value)]);
            rest = after;
        }
        pieces.push((false, rest));
        pieces
    }
    /// What is the same whatever the variables hold, in order.
    pub fn fixed_pieces(&self) -> Vec<&str> {
        let mut rest: &str = &self.0;
        let mut pieces = Vec::new();
        loop {
            let Some((before, after)) = rest.split_once(OPEN) else {
                pieces.push(rest);
                return pieces;
            };
            pieces.push(before);
            rest = after.split_once(CLOSE).map_or("", |(_, after)| after);
        }
    }
    /// The same text in another form, with the places of the variables kept.
    pub fn map(&self, form: impl FnOnce(&str) -> String) -> Filled<'static> {
        Filled(Cow::Owned(form(&self.0)))
    }
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
        match Self::compile_with(&at.value, context, own) {
            Ok(template) => Some(template),
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
        text.retain(|c| c != OPEN && c != CLOSE);
        if text.len() > MAX_OUTPUT {
            return Err(Fault::new(format!("the template has {} octets; {MAX_OUTPUT} are allowed", text.len())));
        }
        if !text.contains("{{") && !text.contains("{%") && !text.contains("{#") {
            return Ok(Self { context, source: Source::Fixed(text) });
        }
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
        environment.set_formatter(move |out, _, value| {
            let raw = value.to_string();
            let mut clean: String = raw.chars().filter(|c| !matches!(*c, OPEN | CLOSE)).collect();
            // Escaped whatever an `autoescape` block says; what a filter has escaped is marked as safe.
            if context == Context::Html && !value.is_safe() {
                clean = escape_html(&clean);
            }
            write!(out, "{OPEN}{clean}{CLOSE}")?;
            Ok(())
        });
        environment.add_template_owned("t", text.clone()).map_err(|e| Fault::of(&e))?;
        let used = used(&environment, own)?;
        for sample in [true, false] {
            let values = Names::new(used.iter().map(|v| (v.name, v.trial(sample))));
            render(&environment, values).map_err(|e| Fault::of(&e))?;
        }
        Ok(Self { context, source: Source::Filled { environment: Box::new(environment), used, written: text } })
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

    /// Fill in. The error names no value.
    pub fn fill(&self, scene: &Scene<'_, '_>) -> Result<Filled<'_>, ActionError> {
        self.fill_with(scene, &[])
    }

    /// As [`Template::fill`], with the values of its own variables.
    pub fn fill_with(&self, scene: &Scene<'_, '_>, own: &[(&'static str, Value)]) -> Result<Filled<'_>, ActionError> {
        let filled = match &self.source {
            Source::Fixed(text) => Cow::Borrowed(text.as_str()),
            Source::Filled { environment, used, .. } => {
                let values = Names::new(used.iter().map(|v| {
                    let given = own.iter().find(|(name, _)| *name == v.name).map(|(_, value)| value.clone());
                    (v.name, given.unwrap_or_else(|| (v.value)(scene)))
                }));
                // The detail of an error may quote a value.
                let text =
                    render(environment, values).map_err(|e| ActionError::Template(kind_text(e.kind()).to_owned()))?;
                if text.len() > MAX_OUTPUT {
                    return Err(ActionError::Template("it grew too large".to_owned()));
                }
                Cow::Owned(text)
            }
        };
        Ok(Filled(if self.context == Context::Header { one_line(filled) } else { filled }))
    }
}

/// Why a template does not compile.
#[derive(Debug)]
struct Fault {
    what: String,
    line: Option<usize>,
    help: String,
}

impl Fault {
    fn new(what: String) -> Self {
        Self { what, line: None, help: String::new() }
    }
    fn of(error: &minijinja::Error) -> Self {
        let detail = error.detail().map(|d| format!(": {d}")).unwrap_or_default();
        Self {
            what: format!("the template does not work: {}{}", kind_text(error.kind()), shown(&detail)),
            line: error.line(),
            help: String::new(),
        }
    }
}

fn kind_text(kind: minijinja::ErrorKind) -> &'static str {
    use minijinja::ErrorKind as K;
    match kind {
        K::SyntaxError => "syntax error",
        K::UnknownFilter => "unknown filter",
        K::UnknownTest => "unknown test",
        K::UnknownFunction => "unknown function",
        K::UnknownMethod => "unknown method",
        K::UndefinedError => "a name without a value",
        K::OutOfFuel => "it takes too long",
        K::InvalidOperation => "an operation that its values do not allow",
        _ => "it cannot be rendered",
    }
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
    let mut used = Vec::new();
    for name in names {
        if let Some(variable) = VARIABLES.iter().chain(own).find(|v| v.name == name) {
            used.push(variable);
        } else if !globals.contains(&name.as_str()) {
            let mut help = nearest_line(&name, VARIABLES.iter().chain(own).map(|v| v.name));
            help.push_str("variables: ");
            help.push_str(&VARIABLES.iter().chain(own).map(|v| v.name).collect::<Vec<_>>().join(", "));
            let what = format!("unknown variable `{}`", shown(&name));
            return Err(Fault { what, line: None, help });
        }
    }
    Ok(used)
}

/// `a.b` names as nested tables.
#[derive(Debug, Default)]
struct Names(Vec<(&'static str, Value)>);

impl Names {
    fn new(values: impl Iterator<Item = (&'static str, Value)>) -> Self {
        let mut tables: Vec<(&'static str, Vec<(&'static str, Value)>)> = Vec::new();
        let mut top = Vec::new();
        for (name, value) in values {
            match name.split_once('.') {
                None => top.push((name, value)),
                Some((table, name)) => match tables.iter_mut().find(|(t, _)| *t == table) {
                    Some((_, entries)) => entries.push((name, value)),
                    None => tables.push((table, vec![(name, value)])),
                },
            }
        }
        top.extend(tables.into_iter().map(|(table, entries)| (table, Value::from_object(Self(entries)))));
        Self(top)
    }
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
    }
}

/// A subject for templates: line ends and control characters, which encoded words may hold, are spaces; one that is longer
/// than any real one is cut, so that no sender can make a template fail.
fn subject(text: &str) -> String {
    text.chars().take(MAX_SUBJECT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// One line without control characters: safe in a header field.
fn one_line(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains(char::is_control) { Cow::Owned(text.replace(char::is_control, " ")) } else { text }
}

/// Text as HTML: no markup is left in it.
pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        Template::compile(text, Context::Html).expect_err("the template has a fault")
    }

    fn filled(text: &str, context: Context, values: &[(&'static str, &str)]) -> String {
        let template = Template::compile(text, context).unwrap();
        let Source::Filled { environment, .. } = &template.source else { panic!("nothing to fill in") };
        let values = Names::new(values.iter().map(|(name, value)| (*name, Value::from(*value))));
        let text = render(environment, values).unwrap();
        let filled = Filled(if context == Context::Header { one_line(text.into()) } else { text.into() });
        filled.text().into_owned()
    }

    #[test]
    fn a_template_without_variables_is_a_plain_string() {
        let template = Template::compile("<p>5 { 6</p>", Context::Html).unwrap();
        assert_eq!(template.as_fixed(), Some("<p>5 { 6</p>"));
    }

    #[test]
    fn values_are_escaped_by_context_and_templates_are_not() {
        let values = [("subject", "<b>\"&'\r\nBcc: x")];
        let html = filled("<p>{{ subject }}</p>", Context::Html, &values);
        assert_eq!(html, "<p>&lt;b&gt;&quot;&amp;&#39;\r\nBcc: x</p>");
        assert_eq!(filled("{{ subject }}", Context::Text, &values), "<b>\"&'\r\nBcc: x");
        assert_eq!(filled("a {{ subject }}", Context::Header, &values), "a <b>\"&'  Bcc: x");
    }

    #[test]
    fn no_filter_or_block_lets_markup_of_a_value_through() {
        let values = [("subject", "<b>")];
        for text in [
            "{% autoescape false %}{{ subject }}{% endautoescape %}",
            "{% autoescape false %}{% set x %}{{ subject }}{% endset %}{{ x }}{% endautoescape %}",
            "{% set x = subject ~ '' %}{{ x }}",
            "{{ subject | upper }}",
            "{{ [subject] | join(', ') }}",
            "{{ subject | replace('x', 'y') }}",
            "{{ subject | escape }}",
            "{{ '%s' | format(subject) }}",
            "{% filter lower %}{{ subject }}{% endfilter %}",
        ] {
            let html = filled(text, Context::Html, &values).to_lowercase();
            assert!(!html.contains("<b>"), "{text}: {html}");
        }
        assert!(fault("{{ subject | safe }}").what.contains("unknown filter"));
    }

    #[test]
    fn what_it_names_must_exist() {
        let fault = fault("{{ sender.adress }}");
        assert_eq!(fault.what, "unknown variable `sender.adress`");
        assert!(fault.help.starts_with("did you mean `sender.address`?"), "{}", fault.help);
        for text in ["{{ sender }}", "{{ subject.x }}", "{{ nothing }}", "{{ sender['domain'] }}{{ x }}"] {
            assert!(super::tests::fault(text).what.contains("unknown variable"), "{text}");
        }
    }

    #[test]
    fn faults_name_their_line() {
        assert_eq!(fault("a\n{% if subject %}\nb").line, Some(2));
        assert!(Template::compile("{{ recipients.count + 1 }}", Context::Text).is_ok());
        assert!(fault("{{ subject | shout }}").what.contains("unknown filter"));
        assert!(fault("{% for x in range(1000000) %}{{ x }}{% endfor %}").what.contains("template does not work"));
    }

    #[test]
    fn the_fixed_pieces_are_what_no_variable_changes() {
        let template = Template::compile("to {{ subject }}, x{% if subject %}!{% endif %}", Context::Text).unwrap();
        let Source::Filled { environment, .. } = &template.source else { panic!("nothing to fill in") };
        let text = render(environment, Names(vec![("subject", Value::from("you"))])).unwrap();
        let filled = Filled(text.into());
        assert_eq!(filled.text(), "to you, x!");
        assert_eq!(filled.fixed_pieces(), ["to ", ", x!"]);
    }

    #[test]
    fn variables_are_sorted_and_documented() {
        assert!(VARIABLES.is_sorted_by_key(|v| v.name));
        assert!(VARIABLES.iter().all(|v| !v.doc.is_empty() && !v.sample.is_empty()));
    }
}
