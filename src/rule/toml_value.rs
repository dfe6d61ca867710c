//! Values of rule files: what they are, and how a problem shows them.

use toml::de::DeValue;

/// Entries of one list that rules name with `{ file = "…" }`.
pub const MAX_LIST: usize = 50_000;

/// Are two values the same, wherever they stand?
pub(super) fn same(one: &DeValue<'_>, other: &DeValue<'_>) -> bool {
    match (one, other) {
        (DeValue::String(one), DeValue::String(other)) => one == other,
        (DeValue::Boolean(one), DeValue::Boolean(other)) => one == other,
        (DeValue::Integer(one), DeValue::Integer(other)) => one.as_str() == other.as_str(),
        (DeValue::Datetime(one), DeValue::Datetime(other)) => one == other,
        (DeValue::Array(one), DeValue::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other.iter()).all(|(a, b)| same(a.get_ref(), b.get_ref()))
        }
        (DeValue::Table(one), DeValue::Table(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| {
                    other.get(key.get_ref().as_ref()).is_some_and(|there| same(value.get_ref(), there.get_ref()))
                })
        }
        _ => false,
    }
}

/// `did you mean …?` and a line end, or nothing. A name is near when at most a third of it differs.
pub(super) fn nearest_line<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let lower = name.to_lowercase().replace('-', "_");
    let limit = (name.chars().count() / 3).clamp(1, 3);
    // The distance is quadratic in the length; nobody mistypes a name of 64 characters.
    let nearest = known
        .filter(|_| name.len() <= 64)
        .map(|word| (strsim::damerau_levenshtein(&lower, &word.replace('-', "_")), word))
        .min();
    match nearest {
        Some((distance, word)) if distance <= limit => format!("did you mean `{word}`?\n"),
        _ => String::new(),
    }
}

/// A value of a rule file for a problem: cut where it is long, without control characters.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short = String::new();
    for c in text.chars().take(LONGEST) {
        if c == '\'' { short.push(c) } else { short.extend(c.escape_debug()) }
    }
    if text.chars().count() > LONGEST {
        short.push('…');
    }
    short
}

/// The entries of a list: one a line, without white space at its ends; empty lines and those that begin with `#` are not.
pub(super) fn list_entries(text: &str) -> Result<Vec<String>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entries: Vec<String> = lines.map(str::to_owned).collect();
    match entries.len() {
        0 => Err("it holds no entry".to_owned()),
        count if count > MAX_LIST => Err(format!("it holds {count} entries; {MAX_LIST} are allowed")),
        _ => Ok(entries),
    }
}

pub(super) fn whole_number(value: &DeValue<'_>) -> Option<u64> {
    let number = value.as_integer()?;
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

pub(super) fn whole_but_negative(value: &DeValue<'_>) -> bool {
    value.as_integer().is_some_and(|number| number.as_str().starts_with('-'))
}

pub(super) fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" | "k" => 1_000,
        "mb" | "m" => 1_000_000,
        "gb" | "g" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 9 || (number.contains('.') && fraction.is_empty()) {
        return None;
    }
    let octets = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    if fraction.is_empty() {
        return Some(octets);
    }
    let scale = 10u64.pow(u32::try_from(fraction.len()).ok()?);
    octets.checked_add(fraction.parse::<u64>().ok()?.checked_mul(unit)? / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, octets) in [
            ("10", Some(10)),
            ("64 KB", Some(64_000)),
            ("1 KiB", Some(1_024)),
            ("0.5MiB", Some(524_288)),
            ("10 mb", Some(10_000_000)),
            ("1.", None),
            (".5 MB", None),
            ("-1 MB", None),
            ("99999999999 GB", None),
            ("", None),
            ("MB", None),
        ] {
            assert_eq!(parse_size(text), octets, "{text}");
        }
    }
}
