//! `a.b` names as nested tables.

use std::sync::Arc;

use minijinja::value::{Object, Value};

/// Values by their names.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<(String, Value)>);

impl Names {
    pub(super) fn new<'n>(values: impl Iterator<Item = (&'n str, Value)>) -> Self {
        let mut tables: Vec<(&str, Vec<(String, Value)>)> = Vec::new();
        let mut top = Vec::new();
        for (name, value) in values {
            match name.split_once('.') {
                None => top.push((name.to_owned(), value)),
                Some((table, name)) => match tables.iter_mut().find(|(t, _)| *t == table) {
                    Some((_, entries)) => entries.push((name.to_owned(), value)),
                    None => tables.push((table, vec![(name.to_owned(), value)])),
                },
            }
        }
        top.extend(tables.into_iter().map(|(table, entries)| (table.to_owned(), Value::from_object(Self(entries)))));
        Self(top)
    }
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
    }
}
