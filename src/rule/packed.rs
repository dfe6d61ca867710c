//! A rule set as one file: to keep, to compare with a later one, to hand on.
//!
//! JSON, `{ "mailwright": 1, "files": { "10-banner.toml": "text", "templates/logo.png": { "base64": "…" } } }`. It is put
//! and read as a whole, so nobody sees half of a new rule set. Invariant: what was packed has the digest of the folder that it
//! was packed from.

use serde_json::{Map, Value, json};

/// Largest packed rule set, in octets.
pub(crate) const MAX_PACKED: usize = 30_000_000;
/// What is written and read here.
const FORMAT: u64 = 1;

/// Pack files, `(relative path, octets)`.
pub(crate) fn pack(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let content = |octets: &Vec<u8>| match std::str::from_utf8(octets) {
        Ok(text) => Value::from(text),
        Err(_) => json!({ "base64": encodify::base64::STANDARD.encode(octets) }),
    };
    let files: Map<String, Value> = files.iter().map(|(name, octets)| (name.clone(), content(octets))).collect();
    json!({ "mailwright": FORMAT, "files": files }).to_string().into_bytes()
}

/// Unpack them. The error says why it is no packed rule set.
pub(crate) fn unpack(packed: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    if packed.len() > MAX_PACKED {
        return Err(format!("the packed rule set has {} octets; {MAX_PACKED} are allowed", packed.len()));
    }
    let read: Value = serde_json::from_slice(packed).map_err(|error| format!("it is no packed rule set: {error}"))?;
    match read.get("mailwright").and_then(Value::as_u64) {
        Some(FORMAT) => {}
        Some(other) => return Err(format!("the rule set was packed in format {other}; this program reads {FORMAT}")),
        None => return Err("it is no packed rule set: it lacks `mailwright`".to_owned()),
    }
    let files = read.get("files").and_then(Value::as_object).ok_or("it is no packed rule set: it lacks `files`")?;
    let file = |(name, content): (&String, &Value)| {
        let octets = match content {
            Value::String(text) => Some(text.clone().into_bytes()),
            other => other.get("base64").and_then(Value::as_str).and_then(|text| {
                let decoded = encodify::base64::STANDARD.decode(text);
                decoded.ok()
            }),
        };
        Ok((name.clone(), octets.ok_or("it is no packed rule set: a file is neither text nor base64")?))
    };
    files.iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::pipeline::Pipeline;

    #[test]
    fn the_shipped_rules_are_the_same_packed_and_unpacked() {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let folder = Pipeline::load(&rules).unwrap();
        let packed = Pipeline::unpack(&Pipeline::pack(&rules).unwrap()).unwrap();
        assert_eq!(packed.digest(), folder.digest());
        assert_eq!(packed.rules().len(), folder.rules().len());
        assert_eq!(packed.organization().domains, folder.organization().domains);
    }

    #[test]
    fn files_that_are_no_text_survive() {
        let files = vec![("a.toml".to_owned(), b"x = 1\n".to_vec()), ("t/logo.png".to_owned(), vec![0x89, 0, 255, 10])];
        assert_eq!(unpack(&pack(&files)).unwrap(), files);
    }

    #[test]
    fn what_is_no_packed_rule_set_is_a_problem_that_says_so() {
        for (packed, why) in [
            ("", "it is no packed rule set"),
            ("[]", "it lacks `mailwright`"),
            ("{\"mailwright\":2}", "was packed in format 2"),
            ("{\"mailwright\":1}", "it lacks `files`"),
            ("{\"mailwright\":1,\"files\":{\"a\":3}}", "neither text nor base64"),
            ("{\"mailwright\":1,\"files\":{\"a.toml\":{\"base64\":\"/w==\"}}}", "is not UTF-8"),
            ("{\"mailwright\":1,\"files\":{}}", "holds no rule files"),
            ("{\"mailwright\":1,\"files\":{\"a.toml\":\"[[rule]]\"}}", "R0"),
        ] {
            let problems = Pipeline::unpack(packed.as_bytes()).unwrap_err().to_string();
            assert!(problems.contains(why), "{packed}: {problems}");
        }
    }
}
