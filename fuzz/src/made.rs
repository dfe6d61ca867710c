//! Messages made of choices: whole ones and odd ones, small, of everything that rules act upon.
//!
//! The same choices make the same message, and few changed choices make one that is nearly the same; so a fuzzer that
//! changes bytes changes structure.

use encoding_rs::Encoding;

/// Multiparts within multiparts.
const MAX_DEPTH: usize = 5;

const FIELDS: &[&str] = &[
    "From: Ann <ann@example.com>\n",
    "To: kim@customer.example,\n\t\"Lee, Jo\" <jo@customer.example>\n",
    "Subject: Harvest plan\n",
    "Subject: Re: [EXT] AW: Harvest plan\n",
    "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n =?utf-8?B?w6k=?= 4111 1111 1111 1111\n",
    "Subject: Re: =?iso-8859-1?Q?[Gr=F6=DFe?= 5\n",
    "Subject:\n",
    "Subject: Fwd: Größe ann@example.com\n",
    "Subject: Re:\n =?utf-8?Q?=5BEXT=5D?=\n Harvest\n",
    "SUBJECT : =?utf-8?Q?secret=2D12?=\n",
    "Thread-Topic: secret-12 DE89 3704 0044 0532 0130 00\n",
    "X-Odd : space before the colon\n",
    "X-Odd:\n",
    "X-Mailer: a\n b\n   c\n",
    "X-Seen: before\n",
    "X-Proof: yes\n",
    "Received: from a by b; Mon, 19 Jan 2026 10:00:00 +0000\n",
    "Message-ID: <1@example.com>\n",
    "In-Reply-To: <0@example.com>\n",
    "List-Id: <list.example.com>\n",
    "Auto-Submitted: auto-replied; owner=a\n",
    "Precedence: bulk\n",
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=customer.example; s=a; h=from;\n bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=eA==\n",
    "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=customer.example; s=a; h=subject:from:mime-version; l=0;\n\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=eA==\n",
    "DKIM-Signature: v=1; a=rsa-sha256; d=customer.example; s=a; h=from; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=eA==\n",
    "Authentication-Results: mx.example.com; dkim=pass header.d=customer.example\n",
    "Autocrypt: addr=ann@example.com; keydata=eA==\n",
    "MIME-Version: 1.0\n",
    "MIME-Version: 1.0\n",
    "mime-version: 1.0 (comment)\n",
];

const CHARSETS: &[&str] = &[
    "utf-8",
    "utf-8",
    "us-ascii",
    "iso-8859-1",
    "windows-1252",
    "iso-8859-15",
    "koi8-r",
    "iso-2022-jp",
    "shift_jis",
    "euc-jp",
    "gb2312",
    "gb18030",
    "big5",
    "ks_c_5601-1987",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "utf-7",
    "iso-2022-kr",
    "hz-gb-2312",
    "x-unknown",
    "\"utf-8\"",
    "UTF8",
    "",
];

/// Texts in which rules find something, or which say where a body begins, is quoted or ends.
const LINES: &[&str] = &[
    "Hello Kim,\n",
    "\n",
    "see you on Monday\n",
    "Grüße aus Köln\n",
    "日本語の本文です\n",
    "привет\n",
    "👍\u{200d}👩 e\u{301}\n",
    "-- \n",
    "--\n",
    "--b\n",
    "--b--\n",
    "> quoted\n",
    ">> quoted twice\n",
    "> > Größe 5 €\n",
    "From here on\n",
    "trailing space \n",
    ".\n",
    "= =20 =E9 =\n",
    "\t\n",
    "On Mon, 19 Jan 2026 at 10:00, Kim <kim@customer.example> wrote:\n",
    "On Mon, 19 Jan 2026 at 10:00, Kim\n<kim@customer.example> wrote:\n",
    "Am 19.01.2026 um 10:00 schrieb Kim:\n",
    "Le lun. 19 janv. 2026 à 10:00, Kim a écrit :\n",
    "2026年1月19日(月) 10:00 Kim <kim@customer.example>:\n",
    "-----Original Message-----\nFrom: Kim\nSent: Monday\nTo: Ann\nSubject: Plan\n\n",
    "________________________________\nVon: Kim\nGesendet: Montag\nAn: Ann\nBetreff: Plan\n\n",
    "---------- Forwarded message ---------\nFrom: Kim <kim@customer.example>\n\n",
    "Please consider the trees before printing this.\n",
    "> Please consider the trees before\n> printing this.\n",
    "Caution: this mail comes from outside.\n",
    "> Caution: this mail comes from outside.\n",
    "Vorsicht: ausländische Nachricht = 100 %\n",
    "Example Ltd, 1 High Street. Registered in Erewhon, number 12345.\n",
    "Example Ltd, Größe 5 €, 日本.\n> This mail is confidential & short.\nFrom here on nothing.\n",
    "外部からのメールです。ご注意ください。👩\u{200d}💻 e\u{301}\n",
    "هذه الرسالة سرية، ١٢٣\n",
    "4111 1111 1111 1111",
    "5555-5555-5555-4444 ",
    "4111\u{a0}1111\u{200b}1111 1111\n",
    "DE89 3704 0044 0532 0130 00 ",
    "123-45-6789\n",
    "kim@customer.example",
    "spring ",
    "[WORD]ing",
    "secret-123",
    "****",
    "[CARD]",
    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nsigned\n-----BEGIN PGP SIGNATURE-----\n\neA==\n-----END PGP SIGNATURE-----\n",
    "-----BEGIN PGP MESSAGE-----\n\neA==\n-----END PGP MESSAGE-----\n",
    "begin 644 a.txt\n#86)C\n`\nend\n",
    "https://example.com/?a=1&b=ann@example.com ",
    "\u{1b}$B",
    "\u{feff}",
    "\0",
    "\r",
    "word word word word word word word word word word word word word word word word word word word word\n",
];

const HTML: &[&str] = &[
    "<html>",
    "<html dir=rtl><head><title>a</title></head>",
    "<head><meta charset=iso-8859-1></head>",
    "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=windows-1252\">",
    "<body>",
    "<body bgcolor='red' onload=\"a('</body>')\">\n",
    "</body>",
    "</body></html>\n",
    "</html>",
    "<p>Hello Kim</p>\n",
    "<p>Grüße &amp; K&ouml;ln&nbsp;5&#8364;",
    "<div>",
    "</div>",
    "<span style=\"display:none\">",
    "</span>",
    "<table><tr><td>",
    "</td></tr></table>\n",
    "<a href=\"mailto:kim@customer.example?cc=4111111111111111\">",
    "</a>",
    "<b>4111</b> 1111 <i>1111</i> 1111",
    "<img src=\"cid:1\" alt=\"secret-12 spring\" title=kim@customer.example>",
    "<!-- </body> -->",
    "<!--",
    "-->",
    "<!--[if mso]><p>a</p><![endif]-->",
    "<![if !supportLists]>",
    "<style>p { margin: 0 } </style>",
    "<style>* { display: none } </body>",
    "</style>",
    "<script>var a = '</body>';</script>",
    "<title>",
    "<textarea></body>",
    "</textarea>",
    "<plaintext>",
    "<noscript>",
    "<template><p>a</template>",
    "<svg><title><p>a</svg>",
    "<math><mi>",
    "<select><option>a",
    "<frameset><frame>",
    "<iframe srcdoc=\"<body>a</body>\"></iframe>",
    "<blockquote type=cite>",
    "<blockquote class=\"gmail_quote\" style=\"margin:0\">",
    "</blockquote>",
    "<div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">On Mon, Kim wrote:<br></div>",
    "<div id=\"divRplyFwdMsg\" dir=\"ltr\"><b>From:</b> Kim</div>",
    "<div id=\"appendonsend\"></div><hr>",
    "<div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm\"><p><b>From:</b> Kim<br><b>Sent:</b> Monday<br><b>Subject:</b> a</p></div>",
    "<div class=\"moz-cite-prefix\">On 19.01.26, Kim wrote:<br></div>",
    "<div class=\"yahoo_quoted\">",
    "<div class=\"protonmail_quote\">",
    "<p>Example Ltd, Größe 5 €, 日本. This mail is <b>confidential</b> &amp; short.</p>",
    "<div data-mailwright=\"0123456789ab-0123456789ab\" style=\"display:block!important\"><p>Example Ltd</p></div>",
    "<div style=\"border:1px solid\">Caution: this mail comes from outside.</div>",
    "Please consider the trees before printing this.",
    "<p>Gr&ouml;&szlig;e 5 &euro;: Example Ltd</p>",
    "<br>\n",
    "<br/>-- <br>",
    "<",
    "&",
    "&#",
    "<p title='",
    "<p a=b\"c>",
    "text",
    "\n",
    " ",
];

const BOUNDARIES: &[&str] = &["b", "b1", "b11", "=_x'()+_,./:=?", "--", "b b", "----=_Part_0"];

/// Parts that rules leave alone: header fields, a blank line, a body.
const FIXED: &[&str] = &[
    "Content-Type: application/pdf; name=\"a.pdf\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"a.pdf\"\n\nZWNobyBzZWNyZXQtMTI=\n",
    "Content-Type: text/plain; name=\"a.txt\"\nContent-Disposition: attachment; filename=\"a.txt\"\n\nsecret-12 4111 1111 1111 1111\n",
    "Content-Type: text/html; name=a.html\n\n<p>Hello</p>\n",
    "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n",
    "Content-Type: message/rfc822\n\nSubject: Inside\nContent-Type: text/plain\n\nHello Kim, secret-12\n",
    "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n",
    "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\nIp8+Ig==\n",
    "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIAG\n",
    "Content-Type: application/pgp-encrypted\n\nVersion: 1\n",
    "Content-Type: application/pgp-signature\n\n-----BEGIN PGP SIGNATURE-----\n",
    "Content-Type: text/x-amp-html\n\n<html amp4email><body>a</body></html>\n",
    "Content-Type: message/partial; id=a; number=1; total=2\n\nHello\n",
    "Content-Type: message/external-body; access-type=local-file; name=a\n\n",
    "Content-Type: image/png\nContent-Transfer-Encoding: base64\nContent-ID: <1>\nContent-Disposition: inline\n\niVBORw==\n",
    "Content-Type: text/enriched\n\n<bold>a</bold>\n",
    "Content-Type: multipart/unheard-of; boundary=\n\n--\n\na\n",
    "\n",
    "no header at all\n",
];

const MULTIPARTS: &[&str] = &[
    "mixed",
    "alternative",
    "related",
    "mixed",
    "alternative",
    "signed; protocol=\"application/pgp-signature\"; micalg=pgp-sha256",
    "encrypted; protocol=\"application/pgp-encrypted\"",
    "report; report-type=delivery-status",
    "digest",
    "x-odd",
    "appledouble",
];

/// What is left of the choices; 0 when there are none left, which stands for what is plain and ends.
struct Choices<'c> {
    left: &'c [u8],
}

impl Choices<'_> {
    fn byte(&mut self) -> usize {
        let Some((first, left)) = self.left.split_first() else { return 0 };
        self.left = left;
        usize::from(*first)
    }

    fn below(&mut self, below: usize) -> usize {
        self.byte() % below.max(1)
    }

    /// Once in so many times; never when there are no choices left.
    fn once_in(&mut self, times: usize) -> bool {
        self.byte() % times == times - 1
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        let at = self.below(all.len());
        all.get(at).copied().unwrap_or_default()
    }
}

/// A message made of these choices.
pub fn message(choices: &[u8]) -> Vec<u8> {
    let mut choices = Choices { left: choices };
    let line_end = choices.below(8);
    let mut raw = Vec::new();
    for _ in 0..choices.below(8) {
        raw.extend_from_slice(choices.of(FIELDS).as_bytes());
    }
    node(&mut choices, 0, &mut raw);
    match line_end {
        6 => raw,
        // Now one, now the other.
        7 => raw.split_inclusive(|b| *b == b'\n').enumerate().flat_map(|(n, line)| ended(line, n % 3 > 0)).collect(),
        _ => raw.split_inclusive(|b| *b == b'\n').flat_map(|line| ended(line, true)).collect(),
    }
}

fn ended(line: &[u8], crlf: bool) -> Vec<u8> {
    match line.strip_suffix(b"\n") {
        Some(text) if crlf && text.last() != Some(&b'\r') => [text, b"\r\n"].concat(),
        _ => line.to_vec(),
    }
}

/// The Content fields of a part, its blank line and its body.
fn node(choices: &mut Choices<'_>, depth: usize, raw: &mut Vec<u8>) {
    match choices.below(16) {
        0..=4 => text(choices, false, raw),
        5..=8 => text(choices, true, raw),
        9..=13 if depth < MAX_DEPTH => multipart(choices, depth, raw),
        _ => raw.extend_from_slice(choices.of(FIXED).as_bytes()),
    }
}

fn multipart(choices: &mut Choices<'_>, depth: usize, raw: &mut Vec<u8>) {
    let subtype = choices.of(MULTIPARTS);
    let mut boundary = choices.of(BOUNDARIES).to_owned();
    // Each level another one, most often: one that begins like that around it.
    if !choices.once_in(6) {
        boundary.push_str(&"n".repeat(depth));
    }
    let boundary = boundary.trim_end();
    let quote = if choices.once_in(4) { "" } else { "\"" };
    push(raw, &["Content-Type: multipart/", subtype, ";\n\tboundary=", quote, boundary, quote, "\n"]);
    if choices.once_in(8) {
        push(raw, &["Content-Transfer-Encoding: ", choices.of(&["quoted-printable", "8bit", "base64"]), "\n"]);
    }
    push(raw, &["\n"]);
    if choices.once_in(3) {
        push(raw, &[choices.of(LINES)]);
    }
    for _ in 0..=choices.below(3) {
        push(raw, &["--", boundary, choices.of(&["\n", "\n", "\n", " \n"])]);
        node(choices, depth + 1, raw);
        if !choices.once_in(8) {
            push(raw, &["\n"]);
        }
    }
    if !choices.once_in(6) {
        push(raw, &["--", boundary, "--\n"]);
    }
    if choices.once_in(4) {
        push(raw, &[choices.of(LINES)]);
    }
}

fn push(raw: &mut Vec<u8>, pieces: &[&str]) {
    for piece in pieces {
        raw.extend_from_slice(piece.as_bytes());
    }
}

fn text(choices: &mut Choices<'_>, html: bool, raw: &mut Vec<u8>) {
    let charset = choices.of(CHARSETS);
    let encoding =
        choices.of(&["7bit", "8bit", "quoted-printable", "base64", "", "binary", "Quoted-Printable ", "x-odd"]);
    let kind = choices.of(&["", "", "", "; format=flowed", "; format=flowed; delsp=yes", "; name=a", " (comment)"]);
    if !(charset.is_empty() && !html && choices.once_in(2)) {
        push(raw, &["Content-Type: text/", if html { "html" } else { "plain" }, kind]);
        if !charset.is_empty() {
            push(raw, &[choices.of(&["; charset=", ";\n charset=", ";charset = "]), charset]);
        }
        push(raw, &["\n"]);
    }
    if !encoding.is_empty() {
        push(raw, &["Content-Transfer-Encoding: ", encoding, "\n"]);
    }
    push(raw, &[choices.of(&["", "", "", "Content-Disposition: inline\n", "Content-Language: de\n"]), "\n"]);
    let mut body = String::new();
    for _ in 0..choices.below(10) {
        let from = if html && !choices.once_in(4) { HTML } else { LINES };
        body.push_str(choices.of(from));
    }
    if choices.once_in(64) {
        body.push_str(&"long ".repeat(150 + choices.byte()));
    }
    if choices.once_in(3) {
        body.truncate(body.trim_end().len());
    }
    let bytes = encoded(choices, &body, charset.trim_matches('"'));
    match encoding.trim_end().to_ascii_lowercase().as_str() {
        "base64" => base64(choices, &bytes, raw),
        "quoted-printable" => quoted_printable(choices, &bytes, raw),
        _ => raw.extend_from_slice(&bytes),
    }
}

/// The text in its charset, or now and then in another.
fn encoded(choices: &mut Choices<'_>, text: &str, charset: &str) -> Vec<u8> {
    let charset = if choices.once_in(16) { choices.of(CHARSETS) } else { charset };
    match charset {
        "utf-16" | "utf-16be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "utf-16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "us-ascii" | "utf-7" | "iso-2022-kr" | "hz-gb-2312" => {
            text.chars().filter(char::is_ascii).collect::<String>().into_bytes()
        }
        _ => match Encoding::for_label(charset.as_bytes()) {
            Some(encoding) => encoding.encode(text).0.into_owned(),
            None => text.as_bytes().to_vec(),
        },
    }
}

fn base64(choices: &mut Choices<'_>, bytes: &[u8], raw: &mut Vec<u8>) {
    let text = encodify::base64::MIME.encode(bytes).replace('\r', "");
    let odd = choices.below(12);
    match odd {
        8 => push(raw, &[text.trim_end_matches(['=', '\n'])]),
        9 => push(raw, &[&text, "\n\n", &text, "\n"]),
        10 => push(raw, &["!", &text, "--\n"]),
        11 => push(raw, &[&text.replace('\n', "")]),
        _ => push(raw, &[&text, "\n"]),
    }
}

fn quoted_printable(choices: &mut Choices<'_>, bytes: &[u8], raw: &mut Vec<u8>) {
    let odd = choices.below(12);
    let mut column = 0;
    for byte in bytes {
        let literal = match byte {
            b'\n' => true,
            b'=' => odd == 9,
            b'!'..=b'~' | b' ' | b'\t' => odd != 10,
            _ => odd == 11,
        };
        if column > 70 && *byte != b'\n' {
            push(raw, &["=\n"]);
            column = 0;
        }
        if literal {
            raw.push(*byte);
            column += 1;
        } else {
            push(raw, &[&format!("={byte:02X}")]);
            column += 3;
        }
        if *byte == b'\n' {
            column = 0;
        }
    }
    if odd == 8 {
        push(raw, &["="]);
    }
}
