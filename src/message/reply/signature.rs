//! Where the signature of the newest text begins.
//!
//! A mail program marks it (RFC 3676 §4.3: a line `-- `, in HTML also an element). Invariant: something is written above
//! it, and nothing but the signature stands between it and the end of the newest text; else it is in doubt.

use super::{Line, Mark, Quote, is_rule, is_sent_from, newest_end};

/// Lines that a signature may have, empty ones left out: below a `-- ` that parts a text, there are more.
const MAX_SIGNATURE: usize = 40;

/// The same below a line of two dashes without the space, which is a signature's less surely.
const MAX_BELOW_DASHES: usize = 15;

/// The place of the line at which the signature begins.
pub(in crate::message) fn start(lines: &[Line]) -> Option<usize> {
    let end = match newest_end(lines) {
        Some(end) => lines.iter().position(|line| line.place.is_some_and(|place| place >= end))?,
        None => lines.len(),
    };
    let newest = lines.get(..end)?;
    let first = newest.iter().position(|line| !line.text.is_empty())?;
    let at = newest.iter().enumerate().skip(first + 1).find(|(at, _)| begins(newest, *at)).map(|(at, _)| at)?;
    newest.get(at)?.place
}

/// Does the signature begin with line `at`, and reach to the end of the newest text?
fn begins(newest: &[Line], at: usize) -> bool {
    let (Some(line), Some(rest)) = (newest.get(at), newest.get(at..)) else { return false };
    if line.quote != Quote::No {
        return false;
    }
    let is_marked = line.mark == Some(Mark::Signature);
    let mut below = rest.iter().skip(1).filter(|line| !line.text.is_empty() && !line.signed).peekable();
    let max = match (is_marked, line.signed) {
        // An element: what a telephone or a mailing list puts below it may follow.
        (true, true) => match below.peek() {
            Some(next) if is_rule(&next.text) || is_sent_from(&next.text) => MAX_BELOW_DASHES,
            _ => 0,
        },
        (true, false) => MAX_SIGNATURE,
        _ if line.mark == Some(Mark::Dashes) => MAX_BELOW_DASHES,
        _ => return false,
    };
    let mut count = 0;
    below.all(|line| {
        count += 1;
        count <= max && line.quote == Quote::No
    })
}

#[cfg(test)]
mod tests {
    use crate::message::html;

    const PLACE: &str = "‸";

    fn holds(labelled: &[&str], start: fn(&str) -> Option<usize>) {
        for labelled in labelled {
            assert_eq!(start(&labelled.replacen(PLACE, "", 1)), labelled.find(PLACE), "{labelled}");
        }
    }

    #[test]
    fn in_text() {
        let long = format!("Hello\n\n-- \n{}", "line\n".repeat(41));
        let longer = format!("One\n--\n{}‸-- \nAnn\n", "line\n".repeat(41));
        holds(
            &[
                "Hello Kim\n\n‸-- \nAnn\nExample Ltd\n",
                "Hello\r\n‸-- \r\nAnn\r\n",
                "Hello\n\n‸--\nAnn\n",
                "Hello\n‸-- \n",
                "Hello\n\n‸-- \nAnn\n-- \nlist\nleave: list-off@example.com\n",
                "Hello\n\n‸-- \nAnn\n____________________\nlist@example.com\n",
                "Fine.\n\n‸-- \nAnn\n\nOn 7 May 2024, Kim wrote:\n> Shall we?\n> -- \n> Kim\n",
                "Fine.\n\n‸-- \nAnn\n\n-----Original Message-----\nFrom: Kim <kim@example.com>\nSent: 7 May 2024\nTo: Ann\n\
                 Subject: Meeting\n\nShall we?\n-- \nKim\n",
                // Answers between the quotes, and a signature below them.
                "> Shall we?\nYes.\n> When?\nToday.\n\n‸-- \nAnn\n",
                &longer,
                // The signature stands below the quote, where the newest text has ended.
                "Fine.\n\nOn 7 May 2024, Kim wrote:\n> Shall we?\n\n-- \nAnn\n",
                // Nothing above it, or something quoted below it.
                "-- \nAnn\n",
                "\n\n-- \nAnn\n\nOn 7 May 2024, Kim wrote:\n> Shall we?\n",
                "Fine.\n-- \nAnn\n> Shall we?\n",
                &long,
                "Hello\n--- \nAnn\n",
                "Hello\n\n    --\n    SELECT 1;\n",
                "> -- \n> Kim\n",
                "Hello\n\nAnn\n",
                "",
            ],
            super::super::signature_start,
        );
    }

    #[test]
    fn in_html() {
        holds(
            &[
                // Gmail, with the reply above the quote and its signature there.
                "<div dir=\"ltr\"><div>Fine.</div><div><br></div>‸<span class=\"gmail_signature_prefix\">-- </span><br><div \
                 dir=\"ltr\" class=\"gmail_signature\" data-smartmail=\"gmail_signature\"><div>Ann<br>Example</div></div></div><br>\
                 <div class=\"gmail_quote\"><div class=\"gmail_attr\">On 7 May 2024, Kim wrote:<br></div><blockquote \
                 class=\"gmail_quote\">Shall we?<br>-- <br>Kim</blockquote></div>",
                // Thunderbird.
                "<p>Hello</p>‸<div class=\"moz-signature\">-- <br>Ann</div></body>",
                "<p>Hello</p>‸<pre class=\"moz-signature\" cols=\"72\">-- \nAnn</pre>",
                // Outlook on the web, and for telephones.
                "<div class=\"elementToProof\">Hello</div>‸<div id=\"Signature\"><p>Ann</p><p>Example</p></div></body>",
                "<div>Hello</div>‸<div id=\"ms-outlook-mobile-signature\">Get <a href=\"https://aka.ms/o\">Outlook</a></div><hr>\
                 <div id=\"divRplyFwdMsg\"><b>From:</b> Kim<br><b>Sent:</b> Tuesday</div><div>Shall we?</div>",
                // Apple Mail for telephones.
                "Hello<div><br>‸<div id=\"AppleMailSignature\" dir=\"ltr\">Sent from my phone</div><div dir=\"ltr\"><br>On 7 \
                 May 2024, Kim wrote:<br><br></div><blockquote type=\"cite\">Shall we?</blockquote></div>",
                // Proton, Roundcube, without markup.
                "<div>Hello</div>‸<div class=\"protonmail_signature_block\"><div>Ann</div></div>",
                "<p>Hello</p>‸<div id=\"_rc_sig\">Ann</div>",
                "Hello<br><br>‸-- <br>Ann<br>",
                "<p>Hello</p>‸<p>--&nbsp;</p><p>Ann</p>",
                // One signature in another element that says so, and an empty one before.
                "<p>Hello</p><div id=Signature></div><p>Kim</p>‸<div class=signature><div class=moz-signature>Ann</div>x</div>",
                "<p>Hello</p>‸<div id=Signature>Ann</div><p>Sent from my phone</p>",
                // Nothing above it: the sender has written into the signature.
                "<div><br></div><div id=\"ms-outlook-mobile-signature\"><div>Hi,</div><div>thank you.</div></div>",
                // Written below it.
                "<p>Hello</p><div class=moz-signature>Ann</div><p>One more thing.</p>",
                "<p>Hello</p><p>Ann</p>",
                "<p>Fine.</p><blockquote type=cite>Shall we?<div class=moz-signature>Kim</div></blockquote>",
                // In a table.
                "<p>Hello</p>‸<table><tr class=signature><td id=signature>Ann</td></tr></table>",
                "<table><tr><td>Hello</td></tr><tr><td id=signature>‸Ann</td></tr></table>",
            ],
            html::signature_start,
        );
    }
}
