//! `{% optional %}…{% endoptional %}`: text that drops out where all variables in it are empty.
//!
//! Works on lines, on rows of tables and in the middle of a line alike, as it is no markup. What stays of it counts as if
//! a variable had brought it, so that a block is known again where somebody has got a telephone since.

use super::fault::Fault;
use super::filled::{CLOSE, OPEN};

/// Where optional text begins and ends, while a template is rendered. Noncharacters, as those of [`super::Filled`].
const BEGIN: char = '\u{FDD2}';
const END: char = '\u{FDD3}';

/// A tag of a template.
struct Tag<'t> {
    word: &'t str,
    /// Whether it takes the white space before and behind it.
    trims: (bool, bool),
    whole: std::ops::Range<usize>,
}

/// The tags `{% … %}` of a template, but for those in comments and in `{% raw %}`.
fn tags(source: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    let (mut at, mut raw) = (0, false);
    while let Some(found) = source.get(at..).and_then(|rest| rest.find('{')) {
        let start = at + found;
        let rest = source.get(start..).unwrap_or_default();
        if rest.starts_with("{#") && !raw {
            at = rest.find("#}").map_or(source.len(), |end| start + end + 2);
            continue;
        }
        let Some(length) = rest.starts_with("{%").then(|| rest.find("%}")).flatten() else {
            at = start + 1;
            continue;
        };
        at = start + length + 2;
        let inner = rest.get(2..length).unwrap_or_default();
        let trims = (inner.starts_with('-'), inner.ends_with('-'));
        let word = inner.trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '+');
        match word {
            "raw" => raw = true,
            "endraw" => raw = false,
            _ if !raw => tags.push(Tag { word, trims, whole: start..at }),
            _ => {}
        }
    }
    tags
}

/// The template with marks in place of the tags.
pub(super) fn marked(source: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(source.len());
    let (mut at, mut open) = (0, Vec::new());
    let line = |at: usize| Some(source.get(..at).map_or(1, |before| before.matches('\n').count() + 1));
    for tag in tags(source) {
        let mark = match tag.word {
            "optional" => {
                open.push(tag.whole.start);
                BEGIN
            }
            "endoptional" => {
                if open.pop().is_none() {
                    let what = "`{% endoptional %}` without `{% optional %}` before it".to_owned();
                    return Err(Fault { what, line: line(tag.whole.start), help: String::new() });
                }
                END
            }
            _ => continue,
        };
        out.push_str(source.get(at..tag.whole.start).unwrap_or_default());
        // A comment takes white space away as the tag would.
        out.push_str(if tag.trims.0 { "{#- #}" } else { "" });
        out.push(mark);
        out.push_str(if tag.trims.1 { "{# -#}" } else { "" });
        at = tag.whole.end;
    }
    if let Some(start) = open.pop() {
        let what = "`{% optional %}` without `{% endoptional %}` behind it".to_owned();
        return Err(Fault { what, line: line(start), help: String::new() });
    }
    out.push_str(source.get(at..).unwrap_or_default());
    Ok(out)
}

/// The template without its optional text.
pub(super) fn outside(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let (mut at, mut depth) = (0, 0_usize);
    for tag in tags(source) {
        match tag.word {
            "optional" => {
                if depth == 0 {
                    out.push_str(source.get(at..tag.whole.start).unwrap_or_default());
                }
                depth += 1;
            }
            "endoptional" => {
                depth = depth.saturating_sub(1);
                at = tag.whole.end;
            }
            _ => {}
        }
    }
    out.push_str(source.get(at..).unwrap_or_default());
    out
}

/// Optional text that is open.
struct Region {
    /// Where it begins in what is written.
    start: usize,
    has_values: bool,
    has_text: bool,
}

/// A rendering without the optional text whose variables are all empty, and without a line that was nothing else.
pub(super) fn settled(rendered: &str) -> String {
    if !rendered.contains([BEGIN, END]) {
        return rendered.to_owned();
    }
    let mut out = String::with_capacity(rendered.len());
    let mut open: Vec<Region> = Vec::new();
    let mut rest = rendered;
    while let Some(at) = rest.find([BEGIN, END, OPEN]) {
        out.push_str(rest.get(..at).unwrap_or_default());
        let mark = rest.get(at..).and_then(|rest| rest.chars().next()).unwrap_or(BEGIN);
        rest = rest.get(at + mark.len_utf8()..).unwrap_or_default();
        match mark {
            OPEN => {
                let (value, behind) = rest.split_once(CLOSE).unwrap_or((rest, ""));
                rest = behind;
                if let Some(region) = open.last_mut() {
                    region.has_values = true;
                    region.has_text |= !value.trim().is_empty();
                    out.push_str(value);
                } else {
                    out.extend([OPEN]);
                    out.push_str(value);
                    out.extend([CLOSE]);
                }
            }
            BEGIN => {
                open.push(Region { start: out.len(), has_values: false, has_text: false });
                if open.len() == 1 {
                    out.push(OPEN);
                }
            }
            _ => {
                let Some(region) = open.pop() else { continue };
                let is_dropped = region.has_values && !region.has_text;
                if is_dropped {
                    out.truncate(region.start + if open.is_empty() { OPEN.len_utf8() } else { 0 });
                }
                match open.last_mut() {
                    Some(outer) => {
                        outer.has_values |= region.has_values;
                        outer.has_text |= region.has_text;
                    }
                    None => out.push(CLOSE),
                }
                let is_blank = |text: &str| text.chars().all(|c| c.is_whitespace() || matches!(c, OPEN | CLOSE));
                let line_end = rest.find('\n');
                if is_dropped
                    && is_blank(out.rsplit('\n').next().unwrap_or_default())
                    && let Some(behind) = line_end.and_then(|end| rest.get(..end)).filter(|behind| is_blank(behind))
                {
                    rest = rest.get(behind.len() + 1..).unwrap_or_default();
                }
            }
        }
    }
    out.push_str(rest);
    if !open.is_empty() {
        out.push(CLOSE);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(text: &str) -> String {
        let marks = [('<', BEGIN), ('>', END), ('[', OPEN), (']', CLOSE)];
        let replaced = marks.iter().fold(text.to_owned(), |text, (from, to)| text.replace(*from, &to.to_string()));
        marks.iter().fold(settled(&replaced), |text, (from, to)| text.replace(*to, &from.to_string()))
    }

    #[test]
    fn what_has_empty_variables_only_drops_out_with_its_line() {
        for (text, expected) in [
            ("a\n<Tel [1]>\nb", "a\n[Tel 1]\nb"),
            ("a\n<Tel []>\nb", "a\n[]b"),
            ("a\n  <Tel [ ]>  \r\nb", "a\n  []b"),
            ("a <Tel []> b\nc", "a [] b\nc"),
            ("<[]><[]>\nb", "[][]b"),
            ("<[][1]>\nb", "[1]\nb"),
            ("<fixed>\nb", "[fixed]\nb"),
            ("<<[]>\n<[2]>>\n", "[2]\n"),
            ("<<[]><[]>>\nb", "[]b"),
            ("x<[]", "x[]"),
            ("x>[1]", "x[1]"),
        ] {
            assert_eq!(settle(text), expected, "{text}");
        }
    }

    #[test]
    fn tags_become_marks_and_have_to_close() {
        let marks =
            |text: &str| marked(text).map(|t| t.replace(BEGIN, "<").replace(END, ">")).map_err(|fault| fault.line);
        assert_eq!(marks("{% optional %}a{%- endoptional -%}").unwrap(), "<a{#- #}>{# -#}");
        assert_eq!(marks("{# {% optional %} #}{% raw %}{% optional %}{% endraw %}{{").unwrap().matches('<').count(), 0);
        assert_eq!(marks("a\n{%optional%}").unwrap_err(), Some(2));
        assert_eq!(marks("{% endoptional %}").unwrap_err(), Some(1));
        assert_eq!(outside("a{% optional %}b{% optional %}c{% endoptional %}d{% endoptional %}e"), "ae");
    }
}
