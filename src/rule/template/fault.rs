//! Why a template does not compile.

use super::super::toml_value::shown;

/// Why a template does not compile.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) what: String,
    pub(super) line: Option<usize>,
    pub(super) help: String,
}

impl Fault {
    pub(super) fn new(what: String) -> Self {
        Self { what, line: None, help: String::new() }
    }
    pub(super) fn of(error: &minijinja::Error) -> Self {
        let detail = error.detail().map(|d| format!(": {d}")).unwrap_or_default();
        // What authors of Jinja and Django write to have a value taken as markup.
        let wants_markup = error.kind() == minijinja::ErrorKind::UnknownFilter && detail.contains("filter safe is");
        let help =
            if wants_markup { "values are always text, so that nobody can bring in markup: leave it out" } else { "" };
        Self {
            what: format!("the template does not work: {}{}", kind_text(error.kind()), shown(&detail)),
            line: error.line(),
            help: help.to_owned(),
        }
    }
}

/// The sort of an error: its detail may quote a value.
pub(super) fn kind_text(kind: minijinja::ErrorKind) -> &'static str {
    use minijinja::ErrorKind as K;
    match kind {
        K::SyntaxError => "syntax error",
        K::UnknownFilter => "unknown filter",
        K::UnknownTest => "unknown test",
        K::UnknownFunction => "unknown function",
        K::UnknownMethod => "unknown method",
        K::MissingArgument | K::TooManyArguments => "a filter with the wrong options",
        K::UndefinedError => "a name without a value",
        K::OutOfFuel => "it takes too long",
        K::InvalidOperation => "an operation that its values do not allow",
        _ => "it cannot be rendered",
    }
}
