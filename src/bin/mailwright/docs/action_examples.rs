//! A message for each action, which it does something to.

use super::example::Example;

/// For each of `actions::KINDS`.
pub const ALL: &[Example] = &[
    Example {
        note: "Here the message is a reply: the block stands below what Ann wrote, above what she quotes, in both forms.",
        ..Example::new("append", REPLY)
    },
    Example::new("prepend", PLAIN_IN),
    Example {
        note: "The banner that was put on Kim's mail comes off when Ann quotes it.",
        ..Example::new(
            "remove_block",
            "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Re: Minutes\nDate: Tue, 22 Dec 2026 09:58:00 \
             +0100\nMessage-ID: <2@example.com>\nIn-Reply-To: <1@customer.example>\n\nThank you.\n\nOn 22 Dec 2026 Kim \
             wrote:\n> This mail comes from outside (example.com). Take care with links.\n>\n> Here they are.\n",
        )
    },
    Example::new("tag_subject", PLAIN_IN),
    Example::new(
        "untag_subject",
        "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Re: [External] Minutes\nDate: Tue, 22 Dec 2026 09:58:00 \
         +0100\nMessage-ID: <2@example.com>\nIn-Reply-To: <1@customer.example>\n\nThank you.\n",
    ),
    Example::new("set_header", PLAIN_OUT),
    Example::new("add_header", PLAIN_IN),
    Example::new(
        "remove_header",
        "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Minutes\nDate: Tue, 22 Dec 2026 09:58:00 \
         +0100\nMessage-ID: <1@example.com>\nX-Originating-IP: [192.0.2.17]\n\nHere they are.\n",
    ),
    Example {
        rule: "\n[[rule.action]]\nkind = \"tag_subject\"\ntag = \"[EXT]\"\n",
        note: "The signature covers the subject, which the rule changes.",
        ..Example::new(
            "broken_signatures",
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=customer.example; s=s1; h=from:to:subject:date; \
             bh=y8F6fNDCwpMtYtQpMbj+h9rvrjfPnJKAHeDI1llLKcE=; b=c2lnbmF0dXJl\nFrom: Kim <kim@customer.example>\nTo: \
             ann@example.com\nSubject: Minutes\nDate: Tue, 22 Dec 2026 09:58:00 +0100\nMessage-ID: \
             <1@customer.example>\n\nHere they are.\n",
        )
    },
    Example::new(
        "redact",
        "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Card 4111 1111 1111 1111\nDate: Tue, 22 Dec 2026 \
         09:58:00 +0100\nMessage-ID: <1@example.com>\nMIME-Version: 1.0\nContent-Type: text/html; \
         charset=utf-8\n\n<p>It is 4111&nbsp;1111 <b>1111</b> 1111, invoice 4111 1111 1111 1112.</p>\n",
    ),
    Example {
        note: "What stands within the new text already is left alone, so a second run changes nothing.",
        ..Example::new(
            "replace",
            "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: oldname ltd\nDate: Tue, 22 Dec 2026 09:58:00 \
             +0100\nMessage-ID: <1@example.com>\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n<p>From \
             <b>Oldname</b> Ltd, see <a href=\"https://oldname.example\">oldname.example</a>.</p>\n",
        )
    },
    Example::new(
        "rewrite_links",
        "From: Kim <kim@customer.example>\nTo: ann@example.com\nSubject: Offers\nDate: Tue, 22 Dec 2026 09:58:00 \
         +0100\nMessage-ID: <1@customer.example>\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n<p>See <a \
         href=\"https://shop.example/new?utm_source=mail&amp;id=7\">our shop</a>.</p>\n",
    ),
    Example::new("strip_attachments", PROGRAM),
    Example {
        note: "The function stores the file before the message goes on.",
        ..Example::new(
            "store_attachments",
            "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Plans\nDate: Tue, 22 Dec 2026 09:58:00 \
             +0100\nMessage-ID: <1@example.com>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; \
             boundary=b\n\n--b\nContent-Type: text/plain\n\nHere they are.\n--b\nContent-Type: image/tiff\n\
             Content-Disposition: attachment; filename=\"plans.tiff\"\nContent-Transfer-Encoding: \
             base64\n\n{{many lines}}\n--b--\n",
        )
    },
    Example::new("rename_attachments", PROGRAM),
    Example {
        rule: "when = { direction = \"outbound\", attachment = { extension = \"mov\" } }\n",
        ..Example::new(
            "bounce",
            "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: A film\nDate: Tue, 22 Dec 2026 09:58:00 \
             +0100\nMessage-ID: <1@example.com>\nMIME-Version: 1.0\nContent-Type: video/quicktime; \
             name=\"all.mov\"\nContent-Transfer-Encoding: base64\n\nAAAAFGZ0eXBxdCAg\n",
        )
    },
    Example::new("drop", PLAIN_IN),
    Example::new("junk", PLAIN_IN),
    Example::new("bypass_spam_check", PLAIN_IN),
    Example::new("add_recipients", PLAIN_OUT),
    Example {
        behind: "\n[[rule]]\nname = \"not-reached\"\naction = { kind = \"tag_subject\", tag = \"[late]\" }\n",
        ..Example::new("stop", PLAIN_IN)
    },
];

const PLAIN_IN: &str = "From: Kim <kim@customer.example>\nTo: ann@example.com\nSubject: Minutes\nDate: Tue, 22 Dec 2026 \
                        09:58:00 +0100\nMessage-ID: <1@customer.example>\n\nHere they are.\n";

const PLAIN_OUT: &str = "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Minutes\nDate: Tue, 22 Dec 2026 \
                         09:58:00 +0100\nMessage-ID: <1@example.com>\n\nHere they are.\n";

const REPLY: &str = "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Re: Minutes\nDate: Tue, 22 Dec 2026 \
                     09:58:00 +0100\nMessage-ID: <2@example.com>\nIn-Reply-To: <1@customer.example>\nMIME-Version: \
                     1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; \
                     charset=utf-8\n\nThank you.\n\nOn 22 Dec 2026 Kim wrote:\n> Here they are.\n--b\nContent-Type: \
                     text/html; charset=utf-8\n\n<html><body><div>Thank you.</div>\n<div class=\"gmail_quote\"><div \
                     class=\"gmail_attr\">On 22 Dec 2026 Kim wrote:<br></div>\n<blockquote \
                     class=\"gmail_quote\">Here they are.</blockquote></div>\n</body></html>\n--b--\n";

const PROGRAM: &str = "From: Kim <kim@customer.example>\nTo: ann@example.com\nSubject: Invoice\nDate: Tue, 22 Dec 2026 \
                       09:58:00 +0100\nMessage-ID: <1@customer.example>\nMIME-Version: 1.0\nContent-Type: \
                       multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee the file.\n--b\nContent-Type: \
                       application/octet-stream\nContent-Disposition: attachment; \
                       filename=\"invoice.pdf.exe\"\nContent-Transfer-Encoding: base64\n\nTVqQAAMAAAA=\n--b--\n";
