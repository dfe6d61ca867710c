//! Addresses that WorkMail can have.

use crate::envelope::Address;

/// Longest address (WorkMail API Reference, `DescribeEntity`).
const MAX_EMAIL: usize = 254;
/// Longest local part.
const MAX_LOCAL: usize = 64;

/// An address as the API takes it, in lower case, its domain in ASCII: `[a-zA-Z0-9._%+-]{1,64}@[a-zA-Z0-9.-]+\.[a-zA-Z-]{2,}`, at most 254
/// characters. `None` for any other: the request would be refused, and nobody in WorkMail has such an address.
pub(super) fn askable(address: &Address) -> Option<String> {
    let (local, domain) = (address.local(), address.domain().ascii()?);
    let (name, top) = domain.rsplit_once('.')?;
    let odd = |c: char| !c.is_ascii_alphanumeric();
    let fits = !local.is_empty()
        && local.len() + 1 + domain.len() <= MAX_EMAIL
        && local.len() <= MAX_LOCAL
        && !local.contains(|c| odd(c) && !"._%+-".contains(c))
        && !name.is_empty()
        && !name.contains(|c| odd(c) && !".-".contains(c))
        && top.len() >= 2
        && top.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
    fits.then(|| format!("{local}@{domain}").to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_the_api_takes_are_asked_for() {
        for (text, wanted) in [
            ("Ann.Lee+x@Example.com", Some("ann.lee+x@example.com")),
            ("a_b%c-d@mail.xn--bcher-kva.example", Some("a_b%c-d@mail.xn--bcher-kva.example")),
            ("ann@example.com.", Some("ann@example.com")),
            ("o'brien@example.com", None),
            ("a=b@example.com", None),
            ("\"a b\"@example.com", None),
            ("jürgen@example.com", None),
            ("Ann@BÜCHER.example", Some("ann@xn--bcher-kva.example")),
            ("ann@例え.テスト", Some("ann@xn--r8jz45g.xn--zckzah")),
            ("ann@x.рф", None),
            ("ann@example", None),
            ("ann@[192.0.2.1]", None),
            ("ann@example.c0m", None),
        ] {
            assert_eq!(askable(&Address::new(text).unwrap()).as_deref(), wanted, "{text}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        assert_eq!(askable(&Address::new(&long).unwrap()), None);
        let longer = format!("a@{}.example", "a".repeat(245));
        assert_eq!(askable(&Address::new(&longer).unwrap()), None);
    }
}
