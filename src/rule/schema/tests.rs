//! What is described is what is read: each key that the schema knows is put to the reader.

use serde_json::Value;

use crate::pipeline::Pipeline;
use crate::rule::takes::{OptionDoc, Takes};
use crate::rule::{actions, conditions, tables};

/// Where a table stands in a rule file, and what it takes.
struct Place {
    /// `when.recipients.any`, to be followed by `.key = value`.
    path: String,
    /// What has to stand beside it.
    beside: &'static str,
    options: &'static [OptionDoc],
}

/// Every table of a rule file.
fn places() -> Vec<Place> {
    let mut places = Vec::new();
    let rule = "name = \"r\"\naction = { kind = \"drop\" }\n";
    for kind in conditions::KINDS {
        below(&mut places, &format!("when.{}", kind.key), rule, &kind.takes);
    }
    for option in tables::RULE.iter().filter(|option| !matches!(option.key, "when" | "unless" | "action")) {
        below(&mut places, option.key, rule, &option.takes);
    }
    places
}

fn below(places: &mut Vec<Place>, path: &str, beside: &'static str, takes: &Takes) {
    match takes {
        Takes::Table(options) | Takes::Tables(options) => {
            places.push(Place { path: path.to_owned(), beside, options });
            for option in *options {
                below(places, &format!("{path}.{}", option.key), beside, &option.takes);
            }
        }
        Takes::Attributes(value) => below(places, &format!("{path}.department"), beside, value),
        Takes::Either(list) => list.iter().for_each(|one| below(places, path, beside, one)),
        _ => {}
    }
}

/// The problems of a rule file.
fn problems(text: &str) -> String {
    match Pipeline::from_sources(vec![("r.toml".to_owned(), text.to_owned())]) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    }
}

/// A rule with one line, and with an action of a kind.
fn with(place: &Place, line: &str) -> String {
    problems(&format!("[[rule]]\n{}{line}\n", place.beside))
}

fn action(kind: &str, line: &str) -> String {
    problems(&format!(
        "[[rule]]\nname = \"r\"\nwhen.direction = \"inbound\"\n[[rule.action]]\nkind = \"{kind}\"\n{line}\n"
    ))
}

/// `name takes: a, b` of a problem.
fn listed<'t>(problems: &'t str, before: &str) -> &'t str {
    let rest = problems.split_once(before).map_or("", |(_, rest)| rest);
    rest.lines().next().unwrap_or_default().trim()
}

#[test]
fn tables_have_the_keys_that_are_described() {
    for place in places() {
        let name = place.path.rsplit('.').next().unwrap();
        let shown = with(&place, &format!("{}.zzz = 1", place.path));
        let keys = crate::rule::takes::keys(place.options).join(", ");
        assert_eq!(listed(&shown, &format!("`{name}` takes: ")), keys, "{}: {shown}", place.path);
    }
    for kind in actions::KINDS {
        let shown = action(kind.kind, "zzz = 1");
        let keys: Vec<&str> = std::iter::once("kind").chain(kind.options.iter().map(|option| option.key)).collect();
        assert_eq!(listed(&shown, &format!("`{}` takes: ", kind.kind)), keys.join(", "), "{shown}");
    }
}

/// Values of each type, and how a schema calls it.
const VALUES: &[(&str, &str)] = &[
    ("\"$none\"", "string"),
    ("[\"$none\"]", "array"),
    ("7", "number"),
    ("true", "boolean"),
    ("2026-12-01", "date"),
    ("{ zzz = 1 }", "table"),
    ("[{ zzz = 1 }]", "tables"),
];

/// Does what is described have this type? By what it says of itself, not by the schema made of it.
fn has(takes: &Takes, kind: &str) -> bool {
    match takes {
        Takes::Text(_) | Takes::Word(_) | Takes::Time => kind == "string",
        Takes::Array(_) => kind == "array",
        Takes::Texts(_) | Takes::TextsOrNone(_) | Takes::Words(_) | Takes::WordsOr(..) | Takes::Detectors => {
            matches!(kind, "string" | "array")
        }
        Takes::Boolean | Takes::True => kind == "boolean",
        Takes::Number(..) => kind == "number",
        Takes::Size => matches!(kind, "string" | "number"),
        Takes::Date => kind == "date",
        Takes::Template => matches!(kind, "string" | "table"),
        Takes::File | Takes::Table(_) | Takes::Entries(..) | Takes::Attributes(_) => kind == "table",
        Takes::Tables(_) | Takes::Actions => matches!(kind, "table" | "tables"),
        Takes::Conditions { several } => kind == "table" || *several && kind == "tables",
        Takes::Either(list) => list.iter().any(|one| has(one, kind)),
    }
}

/// What a problem says of a value of the wrong type, at this key.
fn wrong_type(problems: &str, key: &str) -> bool {
    let says = |line: &str| line.contains(&format!("`{key}` takes ")) && line.contains(", not ");
    problems.lines().any(|line| line.starts_with("error") && says(line))
}

/// Each key with each type of value is refused for its type where its type is not described, and only there.
fn types(key: &str, path: &str, takes: &Takes, shown: &dyn Fn(&str) -> String) {
    for (value, kind) in VALUES {
        let problems = shown(&format!("{path} = {value}"));
        assert!(!problems.contains(&format!("unknown key `{key}`")), "{path} is described and not read: {problems}");
        let described = has(takes, kind);
        // A list in a file is read where a string is; a table of something else is no such list.
        let refused = wrong_type(&problems, key);
        let other = !described && problems.contains("error");
        assert!(described != refused || other && !described, "{path} = {value}: {takes}\n{problems}");
    }
}

#[test]
fn values_have_the_types_that_are_described() {
    for place in places() {
        for option in place.options {
            let path = format!("{}.{}", place.path, option.key);
            types(option.key, &path, &option.takes, &|line| with(&place, line));
        }
    }
    for kind in actions::KINDS {
        for option in kind.options {
            types(option.key, option.key, &option.takes, &|line| action(kind.kind, line));
        }
    }
}

/// The words of a key that takes words alone.
fn words(takes: &Takes) -> Option<&'static [&'static str]> {
    match takes {
        Takes::Word(words) | Takes::Words(words) => Some(words),
        _ => None,
    }
}

/// In any order.
fn sorted(list: impl Iterator<Item = String>) -> Vec<String> {
    let mut list: Vec<String> = list.collect();
    list.sort();
    list
}

#[test]
fn words_are_those_that_are_described() {
    let mut looked_at = 0;
    let mut check = |path: &str, key: &str, takes: &Takes, shown: &dyn Fn(&str) -> String| {
        let Some(words) = words(takes) else { return };
        let problems = shown(&format!("{path} = \"zzz\""));
        assert!(problems.contains(&format!("`{key}` does not know \"zzz\"")), "{path}: {problems}");
        let told = sorted(listed(&problems, "it takes: ").split(", ").map(str::to_owned));
        let described = sorted(words.iter().map(|word| format!("\"{word}\"")));
        assert_eq!(told, described, "{path}: {problems}");
        looked_at += 1;
    };
    for place in places() {
        for option in place.options {
            check(&format!("{}.{}", place.path, option.key), option.key, &option.takes, &|line| with(&place, line));
        }
    }
    let rule = Place { path: String::new(), beside: "name = \"r\"\naction = { kind = \"drop\" }\n", options: &[] };
    for option in tables::RULE {
        check(option.key, option.key, &option.takes, &|line| with(&rule, line));
    }
    for kind in conditions::KINDS {
        check(&format!("when.{}", kind.key), kind.key, &kind.takes, &|line| with(&rule, line));
    }
    for kind in actions::KINDS {
        for option in kind.options {
            check(option.key, option.key, &option.takes, &|line| action(kind.kind, line));
        }
    }
    assert!(looked_at > 40, "{looked_at}");
}

#[test]
fn what_must_be_given_is_missed() {
    for place in places().iter().filter(|place| place.options.iter().any(|option| option.default.is_empty())) {
        let shown = with(place, &format!("{}.zzz = 1", place.path));
        for option in place.options {
            let missed = shown.contains(&format!("`{}` is missing", option.key));
            assert_eq!(missed, option.default.is_empty(), "{}.{}: {shown}", place.path, option.key);
        }
    }
    for kind in actions::KINDS {
        let shown = action(kind.kind, "zzz = 1");
        for option in kind.options.iter().filter(|option| option.default.is_empty()) {
            assert!(shown.contains(&format!("`{}` is missing", option.key)), "{} {}: {shown}", kind.kind, option.key);
        }
    }
}

#[test]
fn what_is_said_of_people_is_what_the_directory_knows() {
    use crate::directory::Attribute;
    let attributes = Attribute::ALL.iter().filter(|attribute| **attribute != Attribute::Email).map(|a| a.as_str());
    let want: Vec<&str> = ["address", "aliases"].into_iter().chain(attributes).collect();
    assert_eq!(crate::rule::takes::keys(tables::PERSON), want);
}

#[test]
fn every_reference_leads_somewhere_and_every_default_has_the_type_of_its_key() {
    for schema in [super::of_rules(), super::of_organization()] {
        let defs = schema.get("$defs").and_then(Value::as_object).unwrap();
        let mut below = vec![&schema];
        let mut references = 0;
        while let Some(value) = below.pop() {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                references += 1;
                let name = reference.strip_prefix("#/$defs/").unwrap();
                assert!(defs.get(name).is_some_and(Value::is_object), "{reference}");
            }
            match value {
                Value::Object(map) => below.extend(map.values()),
                Value::Array(list) => below.extend(list),
                _ => {}
            }
        }
        assert!(references > 5);
    }
}
