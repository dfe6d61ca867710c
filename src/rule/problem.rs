//! A fault in a rule file: code, place, what, help.

/// What sort of fault. The number stays with its meaning for good: people look it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The file is not TOML.
    Syntax,
    /// A key that nobody knows.
    UnknownKey,
    /// A value of the wrong type, or not among the words allowed.
    WrongValue,
    /// A key that must be given is not.
    Missing,
    /// A regular expression or a glob that does not compile, or grows too large.
    Pattern,
    /// A header name or value that is not safe to write.
    HeaderField,
    /// A template file that cannot be read, or a template that does not compile or names an unknown variable.
    Template,
    /// An action that the direction does not allow.
    Direction,
    /// Two rules of one name.
    Duplicate,
    /// The rules folder or a file cannot be read.
    Unreadable,
}
