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

/// What stands for a constant.
const CONSTANT: &str = "^\\$[a-z][a-z0-9_]*$";
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
    whole(
        "organization.toml",
        "Who is internal: the domains of the organization, its people and groups.",
        tables::ORGANIZATION,
    )
}

fn whole(title: &str, doc: &str, options: &[OptionDoc]) -> Value {
    let mut defs = Defs::default();
    let table = defs.table(options);
    let mut schema = Map::new();
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".into(), title.into());
    schema.insert("description".into(), doc.into());
    if let Value::Object(table) = table {
        schema.extend(table);
    }
    schema.insert("$defs".into(), Value::Object(defs.0));
    Value::Object(schema)
}

/// Schemas that stand in several places, or in themselves, by name.
#[derive(Default)]
struct Defs(Map<String, Value>);

impl Defs {
    /// A table: its keys, those that must be there, and no others.
    fn table(&mut self, options: &[OptionDoc]) -> Value {
        let properties: Map<String, Value> =
            options.iter().map(|option| (option.key.to_owned(), self.option(option))).collect();
        let needed: Vec<&str> =
            options.iter().filter(|option| option.default.is_empty()).map(|option| option.key).collect();
        closed(properties, &needed)
    }

    fn option(&mut self, option: &OptionDoc) -> Value {
        let mut schema = Map::new();
        schema.insert("description".into(), described(option).into());
        if let Some(default) = as_json(option.default) {
            schema.insert("default".into(), default);
        }
        if let Value::Object(takes) = self.takes(&option.takes, option.key) {
            schema.extend(takes);
        }
        Value::Object(schema)
    }

    /// What a key takes. `key` names what is made for it.
    fn takes(&mut self, takes: &Takes, key: &str) -> Value {
        let constant = json!({ "type": "string", "pattern": CONSTANT });
        let text = json!({ "type": "string" });
        match takes {
            Takes::Text(_) => text,
            Takes::Array(_) => json!({ "type": "array", "minItems": 1, "items": { "type": "string" } }),
            Takes::Texts(_) => self.several(vec![text], 1),
            Takes::TextsOrNone(_) => self.several(vec![text], 0),
            Takes::Word(words) => any_of(vec![json!({ "enum": words }), constant]),
            Takes::Words(words) => self.several(vec![json!({ "enum": words }), constant], 1),
            Takes::WordsOr(words, _) => self.several(vec![json!({ "enum": words }), text], 1),
            Takes::Detectors => {
                let names = catalog::groups().into_iter().chain(catalog::all().map(|spec| spec.name));
                self.several(vec![json!({ "enum": names.collect::<Vec<_>>() }), text], 1)
            }
            Takes::Boolean => json!({ "type": "boolean" }),
            Takes::True => json!({ "const": true }),
            Takes::Number(least, u64::MAX) => json!({ "type": "integer", "minimum": least }),
            Takes::Number(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Takes::Size => {
                any_of(vec![json!({ "type": "integer", "minimum": 0 }), json!({ "type": "string", "pattern": SIZE })])
            }
            Takes::Date => text,
            Takes::Time => json!({ "type": "string", "pattern": TIME }),
            Takes::Template => {
                let file = self.file();
                any_of(vec![text, file])
            }
            Takes::File => self.file(),
            Takes::Table(options) => {
                let table = self.table(options);
                self.named(key, table)
            }
            Takes::Tables(options) => {
                let table = self.table(options);
                one_or_more(self.named(key, table))
            }
            Takes::Entries(_, value) => json!({ "type": "object", "additionalProperties": self.written(value) }),
            Takes::Attributes(value) => {
                let value = self.takes(value, "attribute");
                let value = self.named("attribute_value", value);
                let attributes = Attribute::ALL.iter().map(|name| (name.as_str().to_owned(), value.clone()));
                let mut table = closed(attributes.collect(), &[]);
                put(&mut table, "minProperties", 1.into());
                self.named(key, table)
            }
            Takes::Conditions { several } => {
                let conditions = self.conditions();
                if *several { one_or_more(conditions) } else { conditions }
            }
            Takes::Actions => {
                let action = self.action();
                one_or_more(action)
            }
            Takes::Either(list) => {
                let mut alternatives = Vec::new();
                for one in *list {
                    // An alternative of alternatives is as many of them.
                    match self.takes(one, key) {
                        Value::Object(mut map) if map.len() == 1 && map.contains_key("anyOf") => {
                            match map.remove("anyOf") {
                                Some(Value::Array(inner)) => alternatives.extend(inner),
                                other => alternatives.extend(other),
                            }
                        }
                        other => alternatives.push(other),
                    }
                }
                any_of(alternatives)
            }
        }
    }

    /// The value of an entry whose key is the author's: what stands there is what is meant, no constant and no file.
    fn written(&mut self, takes: &Takes) -> Value {
        match takes {
            Takes::Word(words) => json!({ "enum": words }),
            Takes::Either(list) => any_of(list.iter().map(|one| self.written(one)).collect()),
            other => self.takes(other, "entry"),
        }
    }

    /// One of these, or an array of them, or a list in a file in place of any.
    fn several(&mut self, one: Vec<Value>, least: usize) -> Value {
        let mut items = one.clone();
        items.push(self.file());
        let mut all = items.clone();
        all.push(json!({ "type": "array", "minItems": least, "items": any_of(items) }));
        any_of(all)
    }

    fn file(&mut self) -> Value {
        let doc = "The path of a file, relative to the folder of the rule files.";
        let path = Map::from_iter([("file".to_owned(), json!({ "type": "string", "description": doc }))]);
        self.named("file", closed(path, &["file"]))
    }

    /// A table of conditions.
    fn conditions(&mut self) -> Value {
        const NAME: &str = "conditions";
        let reference = reference_to(NAME);
        if self.0.contains_key(NAME) {
            return reference;
        }
        // It holds itself: the name is there before what it stands for.
        self.0.insert(NAME.to_owned(), Value::Null);
        let mut properties = Map::new();
        for kind in conditions::KINDS {
            let mut schema = self.takes(&kind.takes, kind.key);
            put(&mut schema, "description", format!("{}\n\nFor example: `{}`", kind.doc, kind.example).into());
            properties.insert(kind.key.to_owned(), schema);
        }
        let mut all = one_or_more(reference.clone());
        put(&mut all, "description", "Each of these tables must hold.".into());
        let mut any = one_or_more(reference.clone());
        put(&mut any, "description", "One of these tables must hold.".into());
        let mut not = reference.clone();
        put(&mut not, "description", "This table must not hold.".into());
        properties.extend([("any".to_owned(), any), ("all".to_owned(), all), ("not".to_owned(), not)]);
        let mut table = closed(properties, &[]);
        put(&mut table, "minProperties", 1.into());
        self.0.insert(NAME.to_owned(), table);
        reference
    }

    /// A table of an action: which keys it has depends on `kind`.
    fn action(&mut self) -> Value {
        let mut kinds = Vec::new();
        for kind in actions::KINDS {
            let mut table = self.table(kind.options);
            if let Some(Value::Object(properties)) = table.get_mut("properties") {
                let word = json!({ "const": kind.kind, "description": kind.doc });
                properties.insert("kind".to_owned(), word);
            }
            put(&mut table, "title", kind.kind.into());
            put(&mut table, "description", kind.doc.into());
            kinds.push((kind.kind, self.named(&format!("action_{}", kind.kind), table)));
        }
        let words: Vec<&str> = kinds.iter().map(|(word, _)| *word).collect();
        let choices = kinds.iter().map(|(word, table)| {
            let is = json!({ "properties": { "kind": { "const": word } }, "required": ["kind"] });
            json!({ "if": is, "then": table })
        });
        let table = json!({
            "type": "object",
            "required": ["kind"],
            "properties": { "kind": { "description": "What it does.", "enum": words } },
            "allOf": choices.collect::<Vec<_>>(),
        });
        self.named("action", table)
    }

    /// A reference to a schema that has a name: this one, or another where the name stands for something else.
    fn named(&mut self, name: &str, schema: Value) -> Value {
        if let Some((known, _)) = self.0.iter().find(|(_, known)| **known == schema) {
            return reference_to(known);
        }
        let mut free = name.to_owned();
        let mut nth = 2;
        while self.0.contains_key(&free) {
            free = format!("{name}_{nth}");
            nth += 1;
        }
        self.0.insert(free.clone(), schema);
        reference_to(&free)
    }
}

fn reference_to(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn any_of(list: Vec<Value>) -> Value {
    json!({ "anyOf": list })
}

fn one_or_more(one: Value) -> Value {
    json!({ "anyOf": [one.clone(), { "type": "array", "minItems": 1, "items": one }] })
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

fn put(schema: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = schema {
        map.insert(key.to_owned(), value);
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
