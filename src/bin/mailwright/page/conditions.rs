//! How each condition of a rule turned out, with what stands in `any`, `all` and `not`.
//!
//! Invariant: at most [`MAX_CONDITIONS`] of a rule are shown and [`MAX_TABLES`] tables of one entry, those first that made it
//! turn out as it did; what is left out is counted.

use std::fmt::Write as _;

use mailwright::pipeline::Checked;

use super::markup::{cut, text};
use crate::explain::begins;

/// Characters of what a condition looked at that are shown.
const SEEN: usize = 120;
/// Most conditions of a rule.
const MAX_CONDITIONS: usize = 200;
/// Most tables of an `any` or `all`.
const MAX_TABLES: usize = 12;

/// All conditions of a rule.
pub fn write(checked: &[Checked], html: &mut String) {
    if checked.is_empty() {
        return;
    }
    let mut left = MAX_CONDITIONS;
    html.push_str("<div class=checked>");
    for (index, entry) in checked.iter().enumerate() {
        // What keeps the rule away stands out: a condition that does not hold, or all of an exception that does.
        let table = || checked.iter().filter(|other| other.exception == entry.exception);
        let keeps_away = if entry.exception.is_some() { table().all(|entry| entry.holds) } else { !entry.holds };
        condition(entry, begins(checked, index).trim_start(), keeps_away, &mut left, html);
    }
    html.push_str("</div>");
}

/// One condition, and what stands in it. Where it `decides`, so does what made it turn out as it did.
fn condition(checked: &Checked, begin: &str, decides: bool, left: &mut usize, html: &mut String) {
    if *left == 0 {
        return;
    }
    *left -= 1;
    let word = if checked.holds { "holds" } else { "does not hold" };
    let seen = checked.seen.as_deref().map(|seen| {
        let seen = seen.split_whitespace().collect::<Vec<_>>().join(" ");
        let (shown, all) = cut(&seen, SEEN);
        format!(": <q>{}{}</q>", text(shown), if all { "" } else { "…" })
    });
    let class = if decides { "no" } else { "yes" };
    let begin = if begin.is_empty() { String::new() } else { format!("{begin} ") };
    let chip = format!(
        "<span class={class} data-holds={} title=\"{word}\">{begin}<b>{}</b>{}</span>",
        checked.holds,
        text(checked.key),
        seen.unwrap_or_default()
    );
    if checked.below.is_empty() {
        html.push_str(&chip);
        return;
    }
    let _ = write!(html, "<div class=nest>{chip}");
    // A table of `not` holds where it does not.
    let wanted = checked.holds != (checked.key == "not");
    let made_it = |table: &[Checked]| table.iter().all(|entry| entry.holds) == wanted;
    let mut order: Vec<usize> = (0..checked.below.len()).collect();
    if order.len() > MAX_TABLES {
        order.sort_by_key(|index| checked.below.get(*index).is_none_or(|table| !made_it(table)));
    }
    let shown = order.len().min(MAX_TABLES);
    for (nth, table) in order.iter().take(shown).filter_map(|index| checked.below.get(*index)).enumerate() {
        let decides = decides && made_it(table);
        html.push_str("<div class=checked>");
        for (index, entry) in table.iter().enumerate() {
            let begin = match (index, nth, checked.key) {
                (0, 0, _) => "",
                (0, _, "any") => "or",
                _ => "and",
            };
            condition(entry, begin, decides && entry.holds == wanted, left, html);
        }
        html.push_str("</div>");
    }
    if let more @ 1.. = order.len() - shown {
        let _ = write!(html, "<div class=checked><i>{more} more</i></div>");
    }
    if *left == 0 {
        html.push_str("<div class=checked><i>and others</i></div>");
    }
    html.push_str("</div>");
}

#[cfg(test)]
mod tests {
    use mailwright::envelope::{Direction, Envelope};
    use mailwright::facts::Facts;
    use mailwright::message::Message;
    use mailwright::pipeline::Pipeline;

    use super::*;

    /// Markup of the conditions of a rule, in short: `+` holds, `-` does not, `!` keeps the rule away.
    fn shown(conditions: &str) -> String {
        let rule = format!("[[rule]]\nname = \"r\"\n{conditions}\naction = {{ kind = \"drop\" }}\n");
        let pipeline = Pipeline::from_sources(vec![("r.toml".to_owned(), rule)]).unwrap().checking_all();
        let message = Message::parse(b"From: kim@customer.example\r\nSubject: Offer <b>\r\n\r\nCheap pens\r\n");
        let envelope = Envelope {
            direction: Direction::Inbound,
            sender: None,
            recipients: Vec::new(),
            message_id: String::new(),
            truncated: false,
        };
        let outcome = pipeline.run(&message, &envelope, &Facts::default(), &|| false).unwrap();
        let mut html = String::new();
        write(&outcome.report.rules[0].checked, &mut html);
        let mut short =
            html.replace("<div class=nest>", "(").replace("<div class=checked>", "[").replace("</span>", " ");
        for (class, sign) in [("yes", ""), ("no", "!")] {
            for (holds, word, mark) in [(true, "holds", '+'), (false, "does not hold", '-')] {
                let old = format!("<span class={class} data-holds={holds} title=\"{word}\">");
                short = short.replace(&old, &format!("{sign}{mark}"));
            }
        }
        let short = short.replace('(', " (").replace("</div>", "]").replace("<b>", "").replace("</b>", "");
        short.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ]", "]")
    }

    #[test]
    fn what_stands_in_any_all_and_not_is_shown_and_what_keeps_the_rule_away_stands_out() {
        assert_eq!(
            shown("when = { any = [{ subject = \"x\" }, { body = \"pens\", not = { size = { over = \"1 MB\" } } }] }"),
            "[ (+when any [-subject: <q>&quot;Offer &lt;b&gt;&quot;</q>]\
             [+or body: <q>Cheap pens</q> (+and not [-size: <q>62 octets</q>]]]]]"
        );
        assert_eq!(
            shown("when = { any = [{ subject = \"x\", body = \"pens\" }, { not = { body = \"pens\" } }] }"),
            "[ (!-when any [!-subject: <q>&quot;Offer &lt;b&gt;&quot;</q> +and body: <q>Cheap pens</q>]\
             [ (!-or not [!+body: <q>Cheap pens</q>]]]]]"
        );
    }

    #[test]
    fn an_exception_keeps_the_rule_away_when_all_of_it_holds() {
        let unless = |second: &str| {
            shown(&format!("unless = [{{ subject = \"Offer\", body = \"{second}\" }}, {{ body = \"none\" }}]"))
        };
        let [subject, body] = ["<q>&quot;Offer &lt;b&gt;&quot;</q>", "<q>Cheap pens</q>"];
        assert_eq!(unless("none"), format!("[+unless subject: {subject} -and body: {body} -unless body: {body}]"));
        assert_eq!(unless("pens"), format!("[!+unless subject: {subject} !+and body: {body} -unless body: {body}]"));
    }

    #[test]
    fn of_many_tables_those_are_shown_that_made_it_so() {
        let none = "{ subject = \"none\" }, ".repeat(40);
        let html = shown(&format!("when = {{ any = [{none} {{ body = \"pens\" }}] }}"));
        assert!(html.contains("[+body: <q>Cheap pens</q>]") && html.contains("<i>29 more</i>"), "{html}");
        let many = format!("{{ any = [{none}] }}, ").repeat(40);
        let html = shown(&format!("when = {{ any = [{many}] }}"));
        assert!(html.len() < 40_000 && html.contains("28 more"), "{}", html.len());
    }
}
