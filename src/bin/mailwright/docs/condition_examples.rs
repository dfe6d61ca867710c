//! A message for each condition, which it holds for.

use super::example::Example;

/// For each of `conditions::KINDS`.
pub const ALL: &[Example] = &[
    Example::new("direction", PLAIN_OUT),
    Example::new(
        "sender",
        "From: Weekly <offers@news.example.com>\nTo: ann@example.com\nSubject: This week\nDate: Tue, 22 Dec 2026 \
         09:58:00 +0100\nMessage-ID: <1@news.example.com>\n\nEverything must go.\n",
    ),
    Example::new("recipients", PLAIN_OUT),
    Example {
        note: "Ann Lee is a colleague; a mail in her name from elsewhere is not hers.",
        ..Example::new(
            "address",
            "From: Ann Lee <ann.lee@freemail.example>\nTo: bob@example.com\nSubject: Are you at your desk?\nDate: Tue, 22 \
             Dec 2026 09:58:00 +0100\nMessage-ID: <1@freemail.example>\n\nI need a favour.\n",
        )
    },
    Example::new(
        "subject",
        "From: Kim <kim@customer.example>\nTo: ann@example.com\nSubject: =?utf-8?q?Second_payment_=72eminder?=\nDate: Tue, \
         22 Dec 2026 09:58:00 +0100\nMessage-ID: <1@customer.example>\n\nPlease pay.\n",
    ),
    Example::new(
        "header",
        "From: Kim <kim@customer.example>\nTo: ann@example.com\nSubject: Offers\nDate: Tue, 22 Dec 2026 09:58:00 \
         +0100\nMessage-ID: <1@customer.example>\nX-Mailer: Bulkmailer 4.2\n\nEverything must go.\n",
    ),
    Example {
        note: "The HTML has the words in two elements; a reader sees them side by side.",
        ..Example::new(
            "body",
            "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Recipe\nDate: Tue, 22 Dec 2026 09:58:00 \
             +0100\nMessage-ID: <1@example.com>\nMIME-Version: 1.0\nContent-Type: text/html; \
             charset=utf-8\n\n<p>This is a <b>trade</b> <i>secret</i>.</p>\n",
        )
    },
    Example::new(
        "kind",
        "From: Kim <kim@customer.example>\nTo: ann@example.com\nSubject: Lunch\nDate: Tue, 22 Dec 2026 09:58:00 \
         +0100\nMessage-ID: <1@customer.example>\nMIME-Version: 1.0\nContent-Type: text/calendar; method=REQUEST; \
         charset=utf-8\n\nBEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1@customer.example\nDTSTAMP:20261222T085800Z\n\
         DTSTART:20261223T110000Z\nSUMMARY:Lunch\nEND:VEVENT\nEND:VCALENDAR\n",
    ),
    Example::new("size", LARGE),
    Example::new("date", PLAIN_OUT),
    Example {
        note: "The message passes on Tuesday, 22 December 2026, at ten in the morning in Berlin.",
        ..Example::new("schedule", PLAIN_OUT)
    },
    Example::new(
        "attachment",
        "From: Kim <kim@customer.example>\nTo: ann@example.com\nSubject: Your parcel\nDate: Tue, 22 Dec 2026 09:58:00 \
         +0100\nMessage-ID: <1@customer.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; \
         boundary=b\n\n--b\nContent-Type: text/plain\n\nSee the file.\n--b\nContent-Type: application/octet-stream\n\
         Content-Disposition: attachment; filename=\"parcel.pdf.EXE\"\nContent-Transfer-Encoding: base64\n\nTVqQAAMAAAA=\n--b--\n",
    ),
    Example::new(
        "uninspectable",
        "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Figures\nDate: Tue, 22 Dec 2026 09:58:00 \
         +0100\nMessage-ID: <1@example.com>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; \
         boundary=b\n\n--b\nContent-Type: text/plain\n\nSee the file.\n--b\nContent-Type: application/pdf\n\
         Content-Disposition: attachment; filename=\"figures.pdf\"\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjcK\n--b--\n",
    ),
    Example {
        note: "Amazon SES writes its findings on top, below a `Received` of its own; what stands below the next `Received` \
               came with the message, and does not count.",
        ..Example::new(
            "authentication",
            "Received: from mail.customer.example by inbound-smtp.eu-west-1.amazonaws.com; Tue, 22 Dec 2026 08:58:01 \
             +0000\nAuthentication-Results: amazonses.com; spf=fail; dmarc=fail \
             header.from=customer.example\nReceived: from laptop by mail.customer.example; Tue, 22 Dec 2026 08:58:00 \
             +0000\nAuthentication-Results: amazonses.com; dmarc=pass header.from=customer.example\nFrom: Kim \
             <kim@customer.example>\nTo: ann@example.com\nSubject: New account\nDate: Tue, 22 Dec 2026 09:58:00 \
             +0100\nMessage-ID: <1@customer.example>\n\nPlease pay to another bank.\n",
        )
    },
    Example::new(
        "verdict",
        "Received: from mail.customer.example by inbound-smtp.eu-west-1.amazonaws.com; Tue, 22 Dec 2026 08:58:01 \
         +0000\nX-SES-Spam-Verdict: GRAY\nX-SES-Virus-Verdict: PASS\nReceived: from laptop by mail.customer.example; \
         Tue, 22 Dec 2026 08:58:00 +0000\nFrom: Kim <kim@customer.example>\nTo: ann@example.com\nSubject: \
         Winner\nDate: Tue, 22 Dec 2026 09:58:00 +0100\nMessage-ID: <1@customer.example>\n\nYou have won.\n",
    ),
];

const PLAIN_OUT: &str = "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Minutes\nDate: Tue, 22 Dec 2026 \
                         09:58:00 +0100\nMessage-ID: <1@example.com>\n\nHere they are.\n";

const LARGE: &str = "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Photographs\nDate: Tue, 22 Dec 2026 \
                     09:58:00 +0100\nMessage-ID: <1@example.com>\nMIME-Version: 1.0\nContent-Type: image/jpeg; \
                     name=\"all.jpg\"\nContent-Transfer-Encoding: base64\n\n{{many lines}}\n";
