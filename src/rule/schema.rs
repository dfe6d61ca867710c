//! JSON Schema of rule files, for editors: made from the descriptions that the readers know their keys by.
//!
//! Draft 2020-12 of <https://json-schema.org>. What it refuses the reader refuses; the reader knows more, such as names of
//! rules and whether a pattern compiles. Dates of TOML are strings to a schema.

use serde_json::{Map, Value, json};
use toml::de::{DeTable, DeValue};

use super::detect::catalog;
use super::takes::{OptionDoc, Takes};
use super::{actions, conditions, tables};
use crate::directory::Attribute;

/// What stands for a constant, as a pattern.
const CONSTANT: &str = "\\$[a-z][a-z0-9_]*";
/// Sizes as [`super::section::Section::size`] reads them.
const SIZE: &str = "^\\s*[0-9]+(\\.[0-9]{1,9})?\\s*([bB]|[kKmMgG]([iI]?[bB])?)?\\s*$";
/// Times of day as [`super::section::Section::time_of_day`] reads them.
const TIME: &str = "^\\s*[0-9]{2}:[0-9]{2}(:[0-9]{2})?\\s*$";

/// The schema of rule files: those of a rule set that are not `organization.toml`.
pub fn of_rules() -> Value {
    whole("Rule file", "Rules that rewrite mail in transit, with their tests, constants and detectors.", tables::FILE)
}

/// The schema of `organization.toml`.
pub fn of_organization() -> Value {
    let doc = "Who is internal: the domains of the organization, its people and groups.";
    whole("organization.toml", doc, tables::ORGANIZATION)
}

fn whole(title: &str, doc: &str, options: &[OptionDoc]) -> Value {
    let mut defs = Defs::default();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": doc,
    });
    let table = defs.table(options);
    extend(&mut schema, table);
    put(&mut schema, "$defs", Value::Object(defs.0));
    schema
}

/// What a value may be, type by type.
///
/// It is written so that a fault is told where it is: no `anyOf` over whole tables, of which a validator says no more than
/// that none fits. Completions are looked for in `anyOf`, and not in `then`: there stand hints, which always fit.
#[derive(Default)]
struct Shape {
    string: Option<Text>,
    /// The least and the most.
    integer: Option<(u64, u64)>,
    boolean: Option<bool>,
    /// The least number of items, and what they may be.
    array: Option<(usize, Vec<Shape>)>,
    /// Names of schemas of tables: one must fit; the first is the list in a file where there are two.
    tables: Vec<String>,
}

/// What a string may be.
enum Text {
    Any,
    /// These words, or any other where that is allowed.
    Words(Vec<&'static str>, bool),
    Pattern(&'static str),
}

impl Shape {
    fn text(text: Text) -> Self {
        Self { string: Some(text), ..Self::default() }
    }
    fn table(name: String) -> Self {
        Self { tables: vec![name], ..Self::default() }
    }
    /// What fits this or the other. Both have no part that differs but tables and arrays.
    fn or(mut self, other: Self) -> Self {
        self.tables.extend(other.tables);
        self.array = match (self.array, other.array) {
            (Some((least, mut items)), Some((_, more))) => {
                items.extend(more);
                Some((least, items))
            }
            (one, other) => one.or(other),
        };
        Self {
            string: match (self.string, other.string) {
                (Some(Text::Words(words, _)), Some(Text::Any)) => Some(Text::Words(words, true)),
                (one, other) => one.or(other),
            },
            integer: self.integer.or(other.integer),
            boolean: self.boolean.or(other.boolean),
            ..self
        }
    }
    /// The schema, without a description.
    fn schema(self) -> Value {
        let mut schema = json!({ "type": null });
        let mut types = Vec::new();
        let mut hints = Vec::new();
        match self.string {
            None => {}
            Some(text) => {
                types.push("string");
                match text {
                    Text::Any => {}
                    Text::Pattern(pattern) => put(&mut schema, "pattern", pattern.into()),
                    Text::Words(words, others) => {
                        if !others {
                            put(&mut schema, "pattern", format!("^(?:{}|{CONSTANT})$", escaped(&words)).into());
                        }
                        hints.push(json!({ "enum": words }));
                    }
                }
            }
        }
        if let Some((least, most)) = self.integer {
            types.push("integer");
            put(&mut schema, "minimum", least.into());
            if most != u64::MAX {
                put(&mut schema, "maximum", most.into());
            }
        }
        if let Some(both) = self.boolean {
            types.push("boolean");
            if !both {
                put(&mut schema, "not", json!({ "const": false }));
            }
        }
        if let Some((least, items)) = self.array {
            types.push("array");
            put(&mut schema, "minItems", least.into());
            let one = items.into_iter().reduce(Self::or).unwrap_or_default();
            put(&mut schema, "items", one.schema());
        }
        if !self.tables.is_empty() {
            types.push("object");
            hints.extend(self.tables.iter().map(|name| reference_to(name)));
            let then = match self.tables.as_slice() {
                [one] => reference_to(one),
                // A list in a file, or the table that is meant.
                [file, other, ..] => {
                    json!({ "if": { "required": ["file"] }, "then": reference_to(file), "else": reference_to(other) })
                }
                [] => Value::Bool(true),
            };
            put(&mut schema, "if", json!({ "type": "object" }));
            put(&mut schema, "then", then);
        }
        if !hints.is_empty() {
            hints.push(json!({}));
            put(&mut schema, "anyOf", hints.into());
        }
        let types = match types.as_slice() {
            [one] => Value::from(*one),
            several => Value::from(several),
        };
        put(&mut schema, "type", types);
        schema
    }
}

/// Schemas of tables, by name.
#[derive(Default)]
struct Defs(Map<String, Value>);

impl Defs {
    /// A table: its keys, those that must be there, and no others.
    fn table(&mut self, options: &[OptionDoc]) -> Value {
        let properties = options.iter().map(|option| (option.key.to_owned(), self.option(option))).collect();
        let needed: Vec<&str> =
            options.iter().filter(|option| option.default.is_empty()).map(|option| option.key).collect();
        closed(properties, &needed)
    }

    fn option(&mut self, option: &OptionDoc) -> Value {
        let mut schema = json!({ "description": described(option) });
        if let Some(default) = as_json(option.default) {
            put(&mut schema, "default", default);
        }
        let takes = match option.takes {
            Takes::Entries(_, value) => self.entries(value),
            takes => self.shape(&takes, option.key).schema(),
        };
        extend(&mut schema, takes);
        schema
    }

    /// What a key takes. `key` names what is made for it.
    fn shape(&mut self, takes: &Takes, key: &str) -> Shape {
        let words = |words: &[&'static str], others| Text::Words(words.to_vec(), others);
        match takes {
            Takes::Text(_) | Takes::Date => Shape::text(Text::Any),
            Takes::Word(list) => Shape::text(words(list, false)),
            Takes::Time => Shape::text(Text::Pattern(TIME)),
            Takes::Array(_) => Shape { array: Some((1, vec![Shape::text(Text::Any)])), ..Shape::default() },
            Takes::Texts(_) => self.several(|| Text::Any, 1),
            Takes::TextsOrNone(_) => self.several(|| Text::Any, 0),
            Takes::Words(list) => self.several(|| words(list, false), 1),
            Takes::WordsOr(list, _) => self.several(|| words(list, true), 1),
            Takes::Detectors => {
                let names: Vec<_> = catalog::groups().into_iter().chain(catalog::all().map(|spec| spec.name)).collect();
                self.several(|| words(&names, true), 1)
            }
            Takes::Boolean => Shape { boolean: Some(true), ..Shape::default() },
            Takes::True => Shape { boolean: Some(false), ..Shape::default() },
            Takes::Number(least, most) => Shape { integer: Some((*least, *most)), ..Shape::default() },
            Takes::Size => Shape { integer: Some((0, u64::MAX)), ..Shape::text(Text::Pattern(SIZE)) },
            Takes::Template => Shape { tables: vec![self.file()], ..Shape::text(Text::Any) },
            Takes::File => Shape::table(self.file()),
            Takes::Table(options) => {
                let table = self.table(options);
                Shape::table(self.named(key, table))
            }
            Takes::Tables(options) => {
                let table = self.table(options);
                one_or_more(self.named(key, table))
            }
            Takes::Entries(_, value) => {
                let table = self.entries(value);
                Shape::table(self.named(key, table))
            }
            Takes::Attributes(value) => {
                let value = self.shape(value, "attribute").schema();
                let attributes = Attribute::ALL.iter().map(|name| (name.as_str().to_owned(), value.clone()));
                let mut table = closed(attributes.collect(), &[]);
                put(&mut table, "minProperties", 1.into());
                Shape::table(self.named(key, table))
            }
            Takes::Conditions { several: false } => Shape::table(self.conditions()),
            Takes::Conditions { several: true } => one_or_more(self.conditions()),
            Takes::Actions => one_or_more(self.action()),
            Takes::Either(list) => list.iter().map(|one| self.shape(one, key)).reduce(Shape::or).unwrap_or_default(),
        }
    }

    /// A table whose keys are the author's: what stands there is what is meant, no constant and no file.
    fn entries(&mut self, value: &Takes) -> Value {
        let value = match value {
            Takes::Word(words) => json!({ "enum": words }),
            other => self.shape(other, "entry").schema(),
        };
        json!({ "type": "object", "additionalProperties": value })
    }

    /// A text, an array of them, and a list in a file in place of any.
    fn several(&mut self, text: impl Fn() -> Text, least: usize) -> Shape {
        let one = |file| Shape { tables: vec![file], ..Shape::text(text()) };
        let items = vec![one(self.file())];
        Shape { array: Some((least, items)), ..one(self.file()) }
    }

    fn file(&mut self) -> String {
        let doc = "The path of a file, relative to the folder of the rule files.";
        let path = Map::from_iter([("file".to_owned(), json!({ "type": "string", "description": doc }))]);
        self.named("file", closed(path, &["file"]))
    }

    /// A table of conditions.
    fn conditions(&mut self) -> String {
        const NAME: &str = "conditions";
        // It holds itself: the name is there before what it stands for.
        if self.0.contains_key(NAME) {
            return NAME.to_owned();
        }
        self.0.insert(NAME.to_owned(), Value::Null);
        let mut properties = Map::new();
        for kind in conditions::KINDS {
            let mut schema = json!({ "description": format!("{}\n\nFor example: `{}`", kind.doc, kind.example) });
            let takes = self.shape(&kind.takes, kind.key).schema();
            extend(&mut schema, takes);
            properties.insert(kind.key.to_owned(), schema);
        }
        for (key, doc, shape) in [
            ("any", "One of these tables must hold.", one_or_more(NAME.to_owned())),
            ("all", "Each of these tables must hold.", one_or_more(NAME.to_owned())),
            ("not", "This table must not hold.", Shape::table(NAME.to_owned())),
        ] {
            let mut schema = json!({ "description": doc });
            extend(&mut schema, shape.schema());
            properties.insert(key.to_owned(), schema);
        }
        let mut table = closed(properties, &[]);
        put(&mut table, "minProperties", 1.into());
        self.0.insert(NAME.to_owned(), table);
        NAME.to_owned()
    }

    /// A table of an action: which keys it has depends on `kind`.
    fn action(&mut self) -> String {
        let mut choices = Vec::new();
        let mut hints = Vec::new();
        for kind in actions::KINDS {
            let mut table = self.table(kind.options);
            if let Some(Value::Object(properties)) = table.get_mut("properties") {
                properties.insert("kind".to_owned(), json!({ "const": kind.kind, "description": kind.doc }));
            }
            put(&mut table, "description", kind.doc.into());
            let table = reference_to(&self.named(&format!("action_{}", kind.kind), table));
            let is = json!({ "properties": { "kind": { "const": kind.kind } }, "required": ["kind"] });
            choices.push(json!({ "if": is, "then": table.clone() }));
            hints.push(table);
        }
        hints.push(json!({}));
        let words: Vec<&str> = actions::KINDS.iter().map(|kind| kind.kind).collect();
        let pattern = format!("^(?:{}|{CONSTANT})$", escaped(&words));
        let kind = json!({ "description": "What it does.", "type": "string", "pattern": pattern });
        // One after another: `allOf` would hide the hints.
        let chosen = choices.into_iter().rev().reduce(|rest, mut choice| {
            put(&mut choice, "else", rest);
            choice
        });
        let mut table =
            json!({ "type": "object", "required": ["kind"], "properties": { "kind": kind }, "anyOf": hints });
        extend(&mut table, chosen.unwrap_or_default());
        self.named("action", table)
    }

    /// The name of a schema: this one, or another where that stands for something else.
    fn named(&mut self, name: &str, schema: Value) -> String {
        if let Some((known, _)) = self.0.iter().find(|(_, known)| **known == schema) {
            return known.clone();
        }
        let mut free = name.to_owned();
        let mut nth = 2;
        while self.0.contains_key(&free) {
            free = format!("{name}_{nth}");
            nth += 1;
        }
        self.0.insert(free.clone(), schema);
        free
    }
}

fn reference_to(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// A table, or an array of them.
fn one_or_more(name: String) -> Shape {
    Shape { array: Some((1, vec![Shape::table(name.clone())])), ..Shape::table(name) }
}

/// A table of these keys and no others.
fn closed(properties: Map<String, Value>, needed: &[&str]) -> Value {
    let mut table = json!({ "type": "object", "additionalProperties": false });
    if !needed.is_empty() {
        put(&mut table, "required", needed.into());
    }
    put(&mut table, "properties", Value::Object(properties));
    table
}

/// Words as a pattern.
fn escaped(words: &[&str]) -> String {
    words.iter().map(|word| regex::escape(word)).collect::<Vec<_>>().join("|")
}

fn put(schema: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = schema {
        map.insert(key.to_owned(), value);
    }
}

fn extend(schema: &mut Value, more: Value) {
    if let (Value::Object(map), Value::Object(more)) = (schema, more) {
        map.extend(more);
    }
}

/// What an editor shows beside a key.
fn described(option: &OptionDoc) -> String {
    let without = match option.default {
        "" => "Must be given.".to_owned(),
        default => format!("Without it: {default}."),
    };
    format!("{}\n\nTakes: {}\n\n{without}", option.doc, option.takes)
}

/// A default that is written as a value.
fn as_json(default: &str) -> Option<Value> {
    file_as_json(&format!("value = {default}")).ok()?.get("value").cloned()
}

/// A TOML file as a schema sees it: dates are strings. The error is TOML's own.
pub fn file_as_json(text: &str) -> Result<Value, String> {
    let table = DeTable::parse(text).map_err(|error| error.message().to_owned())?;
    Ok(table_as_json(table.get_ref()))
}

fn table_as_json(table: &DeTable<'_>) -> Value {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), value_as_json(value.get_ref()))).collect()
}

fn value_as_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Boolean(value) => (*value).into(),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Datetime(date) => date.to_string().into(),
        DeValue::Array(items) => items.iter().map(|item| value_as_json(item.get_ref())).collect(),
        DeValue::Table(table) => table_as_json(table),
    }
}

#[cfg(test)]
mod tests;
