//! Parameters that tell a site who followed a link and from where, and nothing about the page.
//!
//! Invariant: only whole parameters of the query are taken out; path, fragment, order and spelling of the others stay.

use std::collections::HashSet;
use std::ops::Range;

/// Parameters that are known, and whose they are. `*` at the end stands for any end. Left out is what pages need as well
/// (`ref`, `source`, `id`), though it is used for tracking too.
pub(super) const KNOWN: &[(&str, &str)] = &[
    ("utm_*", "Google Analytics and all that read its campaigns"),
    ("_ga", "Google Analytics"),
    ("_gl", "Google Analytics"),
    ("dclid", "Google Campaign Manager"),
    ("gbraid", "Google Ads"),
    ("gclid", "Google Ads"),
    ("gclsrc", "Google Ads"),
    ("gad_campaignid", "Google Ads"),
    ("gad_source", "Google Ads"),
    ("srsltid", "Google Merchant Center"),
    ("wbraid", "Google Ads"),
    ("fbclid", "Meta"),
    ("fb_action_ids", "Meta"),
    ("fb_action_types", "Meta"),
    ("fb_source", "Meta"),
    ("igsh", "Instagram"),
    ("igshid", "Instagram"),
    ("msclkid", "Microsoft Advertising"),
    ("cvid", "Microsoft Bing"),
    ("li_fat_id", "LinkedIn"),
    ("twclid", "X"),
    ("ttclid", "TikTok"),
    ("epik", "Pinterest"),
    ("rdt_cid", "Reddit"),
    ("sccid", "Snapchat"),
    ("_openstat", "Yandex"),
    ("yclid", "Yandex"),
    ("ymclid", "Yandex"),
    ("ysclid", "Yandex"),
    ("mc_cid", "Mailchimp"),
    ("mc_eid", "Mailchimp"),
    ("mkt_tok", "Marketo"),
    ("_hsenc", "HubSpot"),
    ("_hsmi", "HubSpot"),
    ("__hsfp", "HubSpot"),
    ("__hssc", "HubSpot"),
    ("__hstc", "HubSpot"),
    ("hsa_*", "HubSpot"),
    ("hsctatracking", "HubSpot"),
    ("mtm_*", "Matomo"),
    ("matomo_*", "Matomo"),
    ("piwik_*", "Matomo"),
    ("pk_*", "Matomo"),
    ("vero_conv", "Vero"),
    ("vero_id", "Vero"),
    ("_kx", "Klaviyo"),
    ("oly_anon_id", "Omeda"),
    ("oly_enc_id", "Omeda"),
    ("ml_subscriber", "MailerLite"),
    ("ml_subscriber_hash", "MailerLite"),
    ("bsft_clkid", "Blueshift"),
    ("bsft_uid", "Blueshift"),
    ("et_rid", "Salesforce Marketing Cloud"),
    ("elqtrack", "Oracle Eloqua"),
    ("elqtrackid", "Oracle Eloqua"),
    ("s_cid", "Adobe Analytics"),
    ("sc_cid", "Adobe Analytics"),
    ("spjobid", "Acoustic"),
    ("spmailingid", "Acoustic"),
    ("spreportid", "Acoustic"),
    ("spuserid", "Acoustic"),
    ("at_recipient_id", "Piano Analytics"),
    ("at_recipient_list", "Piano Analytics"),
    ("wickedid", "Wicked Reports"),
    ("irclickid", "impact.com"),
    ("_branch_match_id", "Branch"),
    ("_branch_referrer", "Branch"),
];

/// Word in a link by which one leaves a list: nothing that is known is taken out of it, as it may need to know whom.
const LEAVES_LIST: &str = "unsubscribe";

/// Names of parameters to take out.
#[derive(Debug, Default)]
pub(super) struct Tracking {
    known: bool,
    names: HashSet<String>,
    prefixes: Vec<String>,
}

impl Tracking {
    /// Take out what is known.
    pub(super) fn add_known(&mut self) {
        self.known = true;
    }

    /// Take out a name, or with `*` at its end every one that begins so. The error says what is wrong.
    pub(super) fn add(&mut self, pattern: &str) -> Result<(), &'static str> {
        let name = pattern.trim().to_ascii_lowercase();
        let (stem, is_prefix) = name.strip_suffix('*').map_or((&*name, false), |stem| (stem, true));
        if stem.is_empty() || stem.contains(|c: char| c.is_whitespace() || c.is_control() || "*?&=#/".contains(c)) {
            return Err("a parameter is a name, which may end in `*`");
        }
        if is_prefix {
            self.prefixes.push(stem.to_owned());
        } else {
            self.names.insert(stem.to_owned());
        }
        Ok(())
    }

    /// What to take out of a URL, as ranges of it: in order and apart.
    pub(super) fn ranges(&self, url: &str) -> Vec<Range<usize>> {
        let end = url.find('#').unwrap_or(url.len());
        let Some(question) = url.get(..end).and_then(|page| page.find('?')) else { return Vec::new() };
        let query = url.get(question + 1..end).unwrap_or_default();
        let known = self.known && !url.to_ascii_lowercase().contains(LEAVES_LIST);
        let mut kept = 0_usize;
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut at = question + 1;
        let pieces: Vec<&str> = query.split('&').collect();
        for (i, piece) in pieces.iter().enumerate() {
            let last = i + 1 == pieces.len();
            if self.is_tracking(piece, known) {
                // With the `&` in front where something is kept before it, else with the one behind it.
                let range = if kept > 0 { at - 1..at + piece.len() } else { at..at + piece.len() + usize::from(!last) };
                match ranges.last_mut() {
                    Some(before) if before.end == range.start => before.end = range.end,
                    _ => ranges.push(range),
                }
            } else {
                kept += 1;
            }
            at += piece.len() + 1;
        }
        // Nothing is left of the query.
        if kept == 0
            && let Some(first) = ranges.first_mut()
        {
            first.start = question;
        }
        ranges
    }

    fn is_tracking(&self, piece: &str, known: bool) -> bool {
        let name = piece.split('=').next().unwrap_or_default();
        // Escaped once too often, as in texts that were made from HTML.
        let name = name.strip_prefix("amp;").unwrap_or(name).to_ascii_lowercase();
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(stem) => name.starts_with(stem),
            None => name == pattern,
        };
        !name.is_empty()
            && (known && KNOWN.iter().any(|(pattern, _)| fits(pattern))
                || self.names.contains(&name)
                || self.prefixes.iter().any(|stem| name.starts_with(stem)))
    }
}

/// The URL without these ranges.
pub(super) fn without(url: &str, ranges: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(url.len());
    let mut at = 0;
    for range in ranges {
        out.push_str(url.get(at..range.start).unwrap_or_default());
        at = range.end;
    }
    out.push_str(url.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(url: &str) -> String {
        let mut tracking = Tracking::default();
        tracking.add_known();
        tracking.add("own").unwrap();
        tracking.add("x_*").unwrap();
        without(url, &tracking.ranges(url))
    }

    #[test]
    fn only_whole_parameters_of_the_query_go() {
        for (url, expected) in [
            ("https://a.example/?utm_source=b", "https://a.example/"),
            ("https://a.example/?utm_source=b#c", "https://a.example/#c"),
            ("https://a.example/?utm_source=b&utm_medium=c&d=e", "https://a.example/?d=e"),
            ("https://a.example/?d=e&UTM_source=b&f=g&fbclid=h", "https://a.example/?d=e&f=g"),
            ("https://a.example/?d=e&utm_source=b&utm_medium=c&f", "https://a.example/?d=e&f"),
            ("https://a.example/?d=e&amp;utm_source=b&amp;f=g", "https://a.example/?d=e&amp;f=g"),
            ("https://a.example/?own=1&owner=2&x_1=3&gclid", "https://a.example/?owner=2"),
            ("https://a.example/?utm_source=b&&utm_medium=c", "https://a.example/?"),
        ] {
            assert_eq!(removed(url), expected, "{url}");
            assert_eq!(removed(expected), expected);
        }
        for url in [
            "https://a.example/utm_source=b",
            "https://a.example/#?utm_source=b",
            "https://a.example/?a=utm_source=b",
            "https://a.example/?",
            "https://a.example/unsubscribe?mkt_tok=b",
            "https://a.example/?autm_source=1",
        ] {
            assert_eq!(removed(url), url);
        }
    }

    #[test]
    fn what_is_known_is_written_once_in_lower_case() {
        for (at, (name, of)) in KNOWN.iter().enumerate() {
            assert!(!of.is_empty() && *name == name.to_ascii_lowercase(), "{name}");
            assert!(KNOWN.iter().skip(at + 1).all(|(other, _)| other != name), "{name}");
            assert!(Tracking::default().add(name).is_ok(), "{name}");
        }
    }
}
