//! Results as JUnit XML, which CI servers read.

use std::fmt::Write as _;

use mailwright::rule::template::escape_html;

use super::runner::Ran;

/// One test suite.
pub fn xml(ran: &[Ran]) -> String {
    let failed = ran.iter().filter(|ran| !ran.misses.is_empty()).count();
    let seconds: f64 = ran.iter().map(|ran| ran.took.as_secs_f64()).sum();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuite name=\"mailwright\" tests=\"{}\" failures=\"{failed}\" time=\"{seconds:.3}\">",
        ran.len()
    );
    for ran in ran {
        let (name, place) = (escaped(&ran.name), escaped(&ran.place));
        let _ = write!(out, "  <testcase name=\"{name}\" classname=\"{place}\" time=\"{:.3}\"", ran.took.as_secs_f64());
        if ran.misses.is_empty() {
            out.push_str("/>\n");
            continue;
        }
        out.push_str(">\n");
        for miss in &ran.misses {
            let (key, what) = (escaped(&miss.key), escaped(&miss.what));
            let _ = writeln!(out, "    <failure message=\"{key}\">{what}</failure>");
        }
        out.push_str("  </testcase>\n");
    }
    out.push_str("</testsuite>\n");
    out
}

/// Text in XML 1.0, which has no control characters but tab and line ends (§2.2).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in escape_html(text).chars() {
        match c {
            '\t' | '\n' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mailwright::rule::test::Miss;

    use super::*;

    #[test]
    fn markup_and_control_characters_are_escaped() {
        let miss = Miss { key: "body".into(), what: "<b>\u{1b}[31m & \"x\"".into() };
        let ran = Ran {
            name: "a < b".into(),
            place: "r.toml:1".into(),
            misses: vec![miss],
            rules: Vec::new(),
            blessed: Vec::new(),
            took: Duration::ZERO,
        };
        let xml = xml(&[ran]);
        assert!(xml.contains("<testcase name=\"a &lt; b\" classname=\"r.toml:1\""), "{xml}");
        assert!(xml.contains("&lt;b&gt;\\u{1b}[31m &amp; &quot;x&quot;</failure>"), "{xml}");
        assert!(xml.contains("tests=\"1\" failures=\"1\""), "{xml}");
    }
}
