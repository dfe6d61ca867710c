//! What of a URL is looked through: its query and fragment, and all of `mailto:`, `tel:` and the like.
//!
//! Invariant: scheme, host and path of a web page stay, as it would lead elsewhere without them; so do `cid:` and `data:`.

use crate::message::Spelled;

/// Schemes that name a person or a number.
const PEOPLE: &[&str] =
    &["mailto:", "tel:", "sms:", "smsto:", "callto:", "sip:", "xmpp:", "facetime:", "whatsapp:", "skype:"];

/// Schemes whose value is no text.
const OPAQUE: &[&str] = &["cid:", "mid:", "data:", "blob:"];

/// Hands the pieces of a URL that are looked through to `see`, percent signs decoded: what stands before the query of a URL
/// that names a person, then each `name=value`.
pub(super) fn parts(url: &Spelled, see: &mut dyn FnMut(Spelled)) {
    let text = url.text();
    let blank = text.len() - text.trim_start().len();
    let trimmed = text.trim_start();
    let begins = |schemes: &[&str]| {
        schemes.iter().any(|s| trimmed.get(..s.len()).is_some_and(|start| start.eq_ignore_ascii_case(s)))
    };
    if begins(OPAQUE) {
        return;
    }
    let query = text.find(['?', '#']);
    if begins(PEOPLE) {
        let scheme = trimmed.find(':').map_or(blank, |colon| blank + colon + 1);
        see(url.part(scheme..query.unwrap_or(text.len()).max(scheme)).percent_decoded(false));
    } else if begins(&["javascript:"]) {
        see(url.percent_decoded(false));
        return;
    }
    queries(url, see);
}

/// Each `name=value` of a URL, percent signs decoded.
pub(super) fn queries(url: &Spelled, see: &mut dyn FnMut(Spelled)) {
    let text = url.text();
    let Some(query) = text.find(['?', '#']) else { return };
    let mut start = query + 1;
    let bytes = text.as_bytes();
    for at in query + 1..=text.len() {
        // A second `?` begins the query of a URL inside of this one.
        if bytes.get(at).is_none_or(|b| matches!(b, b'&' | b';' | b'#' | b'?')) {
            if at > start {
                see(url.part(start..at).percent_decoded(true));
            }
            start = at + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(url: &str) -> Vec<String> {
        let mut texts = Vec::new();
        parts(&Spelled::plain(url, 0), &mut |part| texts.push(part.text().to_owned()));
        texts
    }

    #[test]
    fn only_what_does_not_lead_elsewhere() {
        assert_eq!(texts("https://a.example/4111/b?c=d%2De&f+g#h"), ["c=d-e", "f g", "h"]);
        assert_eq!(
            texts(" MailTo:ann%40example.com?subject=a%20b&body=c"),
            ["ann@example.com", "subject=a b", "body=c"]
        );
        assert_eq!(texts("tel:+1%20555"), ["+1 555"]);
        assert_eq!(texts("cid:a@b?c"), Vec::<String>::new());
        assert_eq!(texts("mailto:"), [""]);
        assert_eq!(texts("?"), Vec::<String>::new());
    }
}
