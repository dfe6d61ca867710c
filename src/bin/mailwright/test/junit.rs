//! Results as JUnit XML, which CI servers read.
//!
//! There is no standard: what is written is what Jenkins, GitLab, `CircleCI` and GitHub's reporters take. Coverage stands in the
//! properties of the suite. Invariant: whatever makes the command fail is a test that fails here, too.

use std::fmt::Write as _;

use mailwright::rule::template::escape_html;

use super::coverage::Coverage;
use super::mutation::Mutation;
use super::runner::Ran;
use crate::check::count;
use crate::terminal::Colour;

/// What is to be told beside the tests.
pub struct Also<'a> {
    /// What the tests cover.
    pub coverage: &'a Coverage,
    /// How much they must, in percent.
    pub least: Option<u8>,
    /// Parts of the rules were to be left out.
    pub mutates: bool,
    /// What came of that; nothing where tests fail.
    pub mutation: Option<&'a Mutation>,
}

/// A test, as it is told.
struct Case {
    name: String,
    class: String,
    /// `file` and `line`, as attributes.
    place: String,
    seconds: f64,
    failure: Option<(String, String)>,
    skipped: Option<&'static str>,
}

/// One test suite.
pub fn xml(ran: &[Ran], also: &Also<'_>) -> String {
    let cases: Vec<Case> = ran.iter().map(Case::of).chain(covers(also)).chain(mutates(also)).collect();
    let failed = cases.iter().filter(|case| case.failure.is_some()).count();
    let skipped = cases.iter().filter(|case| case.skipped.is_some()).count();
    let seconds: f64 = cases.iter().map(|case| case.seconds).sum();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuite name=\"mailwright\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"{skipped}\" time=\"{seconds:.3}\">",
        cases.len()
    );
    let (covered, points) = also.coverage.covered();
    out.push_str("  <properties>\n");
    for (name, value) in [("percent", also.coverage.percent() as usize), ("covered", covered), ("points", points)] {
        let _ = writeln!(out, "    <property name=\"coverage.{name}\" value=\"{value}\"/>");
    }
    out.push_str("  </properties>\n");
    for case in &cases {
        case.write(&mut out);
    }
    let _ = writeln!(out, "  <system-out>{}</system-out>", escaped(&also.coverage.text(Colour(false))));
    out.push_str("</testsuite>\n");
    out
}

impl Case {
    /// A test of a rule file.
    fn of(ran: &Ran) -> Self {
        let (file, line) = ran.place.rsplit_once(':').unwrap_or((&ran.place, ""));
        // Readers take what stands before the last dot of a class for its package.
        let class = file.strip_suffix(".toml").unwrap_or(file).trim_start_matches(['.', '/']).replace(['/', '\\'], ".");
        let lines = || ran.misses.iter().map(|miss| format!("{}: {}", miss.key, miss.what)).collect::<Vec<_>>();
        // One failure for each test, as most readers take the first only.
        let failure = ran.misses.first().map(|first| {
            let more = ran.misses.len() - 1;
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            let what = first.what.lines().next().unwrap_or_default();
            (format!("{}: {what}{more}", first.key), lines().join("\n"))
        });
        Self {
            name: ran.name.clone(),
            class,
            place: format!(" file=\"{}\" line=\"{}\"", escaped(file), escaped(line)),
            seconds: ran.took.as_secs_f64(),
            failure,
            skipped: None,
        }
    }

    fn about(name: String, class: &str) -> Self {
        let (class, place) = (class.to_owned(), String::new());
        Self { name, class, place, seconds: 0.0, failure: None, skipped: None }
    }

    fn write(&self, out: &mut String) {
        let (name, class, place) = (escaped(&self.name), escaped(&self.class), &self.place);
        let _ = write!(out, "  <testcase name=\"{name}\" classname=\"{class}\"{place} time=\"{:.3}\"", self.seconds);
        match (&self.failure, self.skipped) {
            (Some((message, what)), _) => {
                let (message, what) = (escaped(message), escaped(what));
                let _ = writeln!(out, ">\n    <failure message=\"{message}\">{what}</failure>\n  </testcase>");
            }
            (None, Some(why)) => {
                let _ = writeln!(out, ">\n    <skipped message=\"{why}\"/>\n  </testcase>");
            }
            (None, None) => out.push_str("/>\n"),
        }
    }
}

/// Whether enough is covered, where that was asked for.
fn covers(also: &Also<'_>) -> Option<Case> {
    let least = also.least?;
    let mut case = Case::about(format!("coverage is at least {least} %"), "mailwright.coverage");
    let percent = also.coverage.percent();
    if percent < u32::from(least) {
        case.failure = Some((format!("it is {percent} %"), also.coverage.text(Colour(false))));
    }
    Some(case)
}

/// Whether tests notice what was left out, where that was asked for.
fn mutates(also: &Also<'_>) -> Option<Case> {
    let mut case = Case::about("a test notices when a part of a rule is left out".to_owned(), "mailwright.mutation");
    match also.mutation {
        Some(mutation) if mutation.is_noticed() => {}
        Some(mutation) => {
            let (unnoticed, tried) = mutation.unnoticed();
            let message = format!("no test notices {unnoticed} of {}", count(tried, "change"));
            case.failure = Some((message, mutation.text(Colour(false))));
        }
        None if also.mutates => case.skipped = Some("nothing was left out of the rules, as tests fail"),
        None => return None,
    }
    Some(case)
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

    use mailwright::pipeline::Pipeline;
    use mailwright::rule::test::Miss;

    use super::*;

    #[test]
    fn markup_and_control_characters_are_escaped() {
        let misses = vec![
            Miss { key: "body".into(), what: "<b>\u{1b}[31m & \"x\"\nmore".into() },
            Miss { key: "subject".into(), what: "another".into() },
        ];
        let ran = Ran {
            name: "a < b".into(),
            place: "rules/r.toml:1".into(),
            misses,
            rules: Vec::new(),
            blessed: Vec::new(),
            took: Duration::ZERO,
        };
        let rule = "[[rule]]\nname = \"r\"\nwhen = { subject = \"x\" }\naction = { kind = \"drop\" }\n".to_owned();
        let pipeline = Pipeline::from_sources(vec![("r.toml".to_owned(), rule)]).unwrap();
        let ran = [ran];
        let coverage = Coverage::of(&pipeline, &ran);
        let also = Also { coverage: &coverage, least: Some(80), mutates: true, mutation: None };
        let xml = xml(&ran, &also);
        for part in [
            "tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"1\"",
            "<property name=\"coverage.percent\" value=\"0\"/>",
            "<testcase name=\"a &lt; b\" classname=\"rules.r\" file=\"rules/r.toml\" line=\"1\" time=\"0.000\">",
            "<failure message=\"body: &lt;b&gt;\\u{1b}[31m &amp; &quot;x&quot;, and 1 more\">body: &lt;b&gt;",
            "\nsubject: another</failure>",
            "<testcase name=\"coverage is at least 80 %\" classname=\"mailwright.coverage\" time=\"0.000\">",
            "<failure message=\"it is 0 %\">coverage: 0 of 2 (0 %)",
            "<skipped message=\"nothing was left out of the rules, as tests fail\"/>",
        ] {
            assert!(xml.contains(part), "{part}\n{xml}");
        }
        assert_eq!(xml.matches("<failure").count(), 2);
    }
}
