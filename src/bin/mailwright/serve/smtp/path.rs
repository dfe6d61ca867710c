//! The arguments of `MAIL` and `RCPT`: a path and parameters (RFC 5321 §4.1.2).

use mailwright::envelope::Address;

/// Longest path (RFC 5321 §4.5.3.1.3), and some.
const MAX_PATH: usize = 1_000;
/// Most parameters.
const MAX_PARAMETERS: usize = 20;

/// A path and its parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Argument {
    /// `None` is the null sender, `<>`.
    pub address: Option<Address>,
    /// Names in upper case, and values.
    pub parameters: Vec<(String, Option<String>)>,
}

/// Read `FROM:<path> NAME=value …`; `word` is `FROM` or `TO`.
pub fn argument(text: &str, word: &str) -> Option<Argument> {
    let head = text.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word))?;
    let rest = text.get(head.len()..)?.strip_prefix(':')?;
    // Some clients put a blank here, which the standard does not have.
    let rest = rest.trim_start_matches(' ').strip_prefix('<')?;
    let end = end(rest)?;
    let path = rest.get(..end)?;
    let parameters = rest.get(end + 1..)?;
    if path.len() > MAX_PATH || !(parameters.is_empty() || parameters.starts_with(' ')) {
        return None;
    }
    // A source route is to be passed over (RFC 5321, appendix C).
    let path = if path.starts_with('@') { path.split_once(':')?.1 } else { path };
    let address = if path.is_empty() { None } else { Some(Address::new(path).ok()?) };
    let parameters = parameters.split(' ').filter(|parameter| !parameter.is_empty()).map(|parameter| {
        match parameter.split_once('=') {
            Some((name, value)) => (name.to_ascii_uppercase(), Some(value.to_owned())),
            None => (parameter.to_ascii_uppercase(), None),
        }
    });
    let parameters: Vec<_> = parameters.take(MAX_PARAMETERS + 1).collect();
    (parameters.len() <= MAX_PARAMETERS).then_some(Argument { address, parameters })
}

/// Where the path ends: at the first `>` that no quotes hold.
fn end(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, octet) in text.bytes().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, Vec<String>)> {
        let argument = argument(text, "FROM")?;
        let address = argument.address.map_or(String::new(), |address| address.as_str().to_owned());
        let pair = |(name, value): (String, Option<String>)| format!("{name}={}", value.unwrap_or_default());
        Some((address, argument.parameters.into_iter().map(pair).collect()))
    }

    #[test]
    fn paths_and_parameters_are_read() {
        for (text, address, parameters) in [
            ("FROM:<ann@example.com>", "ann@example.com", vec![]),
            ("from: <ann@example.com> size=10 Body=8BITMIME", "ann@example.com", vec!["SIZE=10", "BODY=8BITMIME"]),
            ("FROM:<> SMTPUTF8", "", vec!["SMTPUTF8="]),
            ("FROM:<@relay.example,@b.example:ann@example.com>", "ann@example.com", vec![]),
            ("FROM:<\"a>b\\\"c\"@example.com>", "\"a>b\\\"c\"@example.com", vec![]),
            ("FROM:<jürgen@bücher.example>", "jürgen@bücher.example", vec![]),
        ] {
            let (read_address, read_parameters) = read(text).unwrap();
            assert_eq!(
                (read_address.as_str(), read_parameters),
                (address, parameters.into_iter().map(str::to_owned).collect()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_path_is_nothing() {
        for text in [
            "",
            "FROM",
            "FROM:",
            "FROM:ann@example.com",
            "FROM:<ann>",
            "FROM:<a@b>x",
            "FROM:<a@b",
            "TO:<a@b>",
            "FRÖM:<a@b>",
            "FROM:<a b@c>",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
