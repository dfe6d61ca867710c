//! What is different in the header, as people read it.

use std::collections::HashMap;

use mailwright::message::{Draft, Message};

use super::marked::marked;

/// Most header fields that are looked at.
const MAX_FIELDS: usize = 400;

/// The fields that were put in, changed or taken out, decoded; empty where there is none.
pub fn differences(before: &Message<'_>, after: &Message<'_>) -> String {
    let (old, new) = (decoded(before), decoded(after));
    if old != new {
        return marked(&old, &new, 0);
    }
    let (old, new) = (raw(before), raw(after));
    if old == new { String::new() } else { marked(&old, &new, 0) }
}

/// One field a line.
fn decoded(message: &Message<'_>) -> String {
    let draft = Draft::new(message);
    let mut values: HashMap<String, std::vec::IntoIter<String>> = HashMap::new();
    let lines = message.fields().iter().take(MAX_FIELDS).map(|field| {
        let name = String::from_utf8_lossy(message.bytes(&field.name)).into_owned();
        let of_name = values.entry(name.to_ascii_lowercase()).or_insert_with(|| draft.values(&name).into_iter());
        let value = of_name.next().unwrap_or_default();
        format!("{name}: {}\n", value.split_whitespace().collect::<Vec<_>>().join(" "))
    });
    lines.collect()
}

fn raw(message: &Message<'_>) -> String {
    let range = message.parts().first().map(|part| part.header.clone()).unwrap_or_default();
    String::from_utf8_lossy(message.bytes(&range)).into_owned()
}
