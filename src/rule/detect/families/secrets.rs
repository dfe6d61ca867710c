//! Passwords, private keys, signed tokens and credentials in headers and addresses.

use std::ops::Range;

use super::super::Confidence;
use super::super::catalog::{Find, Spec};
use super::super::check::entropy;
use super::super::literals::run;

const GROUPS: &[&str] = &["secrets"];

/// The range, how sure alone, how sure near a keyword.
type Read = Option<(Range<usize>, Option<Confidence>, Confidence)>;

/// Detectors of secrets.
pub const DETECTORS: &[Spec] = &[
    Spec {
        name: "private-key",
        label: "PRIVATE-KEY",
        groups: GROUPS,
        doc: "blocks of private keys: PEM, OpenSSH, PGP, PuTTY; without an end, to the end of the text",
        keywords: &[],
        find: Find::Led {
            literals: &["-----BEGIN ", "PuTTY-User-Key-File-", "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY"],
            exact: true,
            read: private_key,
        },
    },
    Spec {
        name: "jwt",
        label: "JWT",
        groups: GROUPS,
        doc: "JSON web tokens whose header names an algorithm",
        keywords: &[],
        find: Find::Led { literals: &["eyJ", "ewog", "eyAi"], exact: true, read: jwt },
    },
    Spec {
        name: "bearer-token",
        label: "BEARER-TOKEN",
        groups: GROUPS,
        doc: "tokens behind `Bearer`, as in an Authorization header",
        keywords: &[],
        find: Find::Led { literals: &["bearer "], exact: false, read: bearer },
    },
    Spec {
        name: "basic-auth",
        label: "BASIC-AUTH",
        groups: GROUPS,
        doc: "user and password behind `Basic`, as in an Authorization header",
        keywords: &[],
        find: Find::Led { literals: &["basic "], exact: false, read: basic },
    },
    Spec {
        name: "connection-string",
        label: "PASSWORD",
        groups: GROUPS,
        doc: "the password in an address such as postgres://user:password@host",
        keywords: &[],
        find: Find::Led { literals: &["://"], exact: true, read: connection_string },
    },
    Spec {
        name: "aws-secret-key",
        label: "AWS-SECRET-KEY",
        groups: GROUPS,
        doc: "AWS secret keys and session tokens behind a word that says so or a key id",
        keywords: &[],
        find: Find::Led {
            literals: &[
                "aws_secret",
                "aws secret",
                "secret_access_key",
                "secretaccesskey",
                "secret access key",
                "secret key",
                "secret_key",
                "secretkey",
                "secret-key",
                "aws_session_token",
                "sessiontoken",
                "session token",
                "session_token",
                "AKIA",
                "ASIA",
            ],
            exact: false,
            read: aws_secret,
        },
    },
    Spec {
        name: "password",
        label: "PASSWORD",
        groups: GROUPS,
        doc: "what stands behind `password:` and the like in many languages, where it looks like one",
        keywords: &[],
        find: Find::Led {
            literals: &[
                "password",
                "passwd",
                "passphrase",
                "passcode",
                "pwd",
                "pass",
                "pw",
                "passwort",
                "kennwort",
                "passwd",
                "mot de passe",
                "mdp",
                "contrase\u{f1}a",
                "contrasena",
                "clave",
                "senha",
                "wachtwoord",
                "has\u{142}o",
                "haslo",
                "heslo",
                "l\u{f6}senord",
                "losenord",
                "adgangskode",
                "passord",
                "salasana",
                "parola",
                "jelsz\u{f3}",
                "lozinka",
                "\u{15f}ifre",
                "sifre",
                "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}",
                "\u{41f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}",
                "\u{5bc6}\u{7801}",
                "\u{5bc6}\u{78bc}",
                "\u{30d1}\u{30b9}\u{30ef}\u{30fc}\u{30c9}",
                "\u{be44}\u{bc00}\u{bc88}\u{d638}",
                "client_secret",
                "client secret",
                "api_key",
                "api key",
                "apikey",
                "api-key",
                "secret",
                "auth_token",
                "access_token",
                "access token",
            ],
            exact: false,
            read: password,
        },
    },
];

/// Characters of a header line of a block of keys.
const MAX_HEADER: usize = 80;

fn private_key(bytes: &[u8], at: Range<usize>) -> Read {
    let found = |end: usize| Some((at.start..end, Some(Confidence::High), Confidence::High));
    if bytes.get(at.clone())?.starts_with(b"PuTTY") {
        let rest = bytes.get(at.end..)?;
        let end = memchr::memmem::find(rest, b"Private-MAC:").map_or(bytes.len(), |mac| {
            let mac = at.end + mac + b"Private-MAC:".len();
            let blank = run(bytes, mac, 8, |b| b == b' ');
            mac + blank + run(bytes, mac + blank, 128, |b| b.is_ascii_hexdigit())
        });
        let is_key = rest.first().is_some_and(u8::is_ascii_digit) && rest.get(1) == Some(&b':');
        return if is_key { found(end) } else { None };
    }
    // `RSA PRIVATE KEY-----`, `OPENSSH PRIVATE KEY-----`, `PGP PRIVATE KEY BLOCK-----`.
    let header = bytes.get(at.start..bytes.len().min(at.end + MAX_HEADER))?;
    memchr::memmem::find(header, b"PRIVATE KEY").filter(|&word| {
        header
            .get(at.end - at.start..word)
            .is_none_or(|words| words.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b" -".contains(b)))
    })?;
    let rest = bytes.get(at.end..)?;
    let mut from = 0;
    while let Some(end) = memchr::memmem::find(rest.get(from..)?, b"---END ").map(|end| from + end) {
        let line = rest.get(end..rest.len().min(end + MAX_HEADER))?;
        if let Some(word) = memchr::memmem::find(line, b"PRIVATE KEY") {
            let word = at.end + end + word + b"PRIVATE KEY".len();
            let block = run(bytes, word, 6, |b| b" BLOCK".contains(&b));
            return found(word + block + run(bytes, word + block, 5, |b| b == b'-'));
        }
        from = end + 1;
    }
    found(bytes.len())
}

/// Part of base64 for URLs.
fn is_url64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

/// Base64 of either alphabet, padded or not; no more than `limit` bytes of it.
fn decode(text: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len().min(limit) * 3 / 4);
    let mut bits = 0u32;
    let mut count = 0;
    for &byte in text.iter().take(limit).take_while(|&&b| b != b'=') {
        let worth = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(worth)) & 0xFF_FFFF;
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push(u8::try_from(bits >> count & 0xFF).ok()?);
        }
    }
    Some(decoded)
}

/// Bytes of the largest token that is read, and of its header.
const MAX_JWT: usize = 16_384;
const MAX_JWT_HEADER: usize = 2_048;

/// RFC 7519: header, claims, signature (empty where there is none), parted by dots. Five parts are encrypted (RFC 7516).
fn jwt(bytes: &[u8], at: Range<usize>) -> Read {
    let before = at.start.checked_sub(1).and_then(|at| bytes.get(at));
    if before.is_some_and(|&b| is_url64(b) || b == b'.' || b == b'+' || b == b'/') {
        return None;
    }
    let header = run(bytes, at.start, MAX_JWT_HEADER, is_url64);
    let decoded = decode(bytes.get(at.start..at.start + header)?, MAX_JWT_HEADER)?;
    let json: serde_json::Value = serde_json::from_slice(&decoded).ok()?;
    json.get("alg")?.as_str()?;
    let mut end = at.start + header;
    let mut parts = 1;
    while parts < 5 && bytes.get(end) == Some(&b'.') {
        let length = run(bytes, end + 1, MAX_JWT, is_url64);
        if length == 0 && parts == 1 {
            return None;
        }
        // A dot that ends a sentence is none of the token's.
        if length == 0 && parts > 2 {
            break;
        }
        end += 1 + length;
        parts += 1;
    }
    (parts >= 3 || (parts == 2 && end - at.start > header + 10)).then_some((
        at.start..end,
        Some(Confidence::High),
        Confidence::High,
    ))
}

/// Is the literal at `at` a word of its own?
fn is_word(bytes: &[u8], at: &Range<usize>) -> bool {
    let before = at.start.checked_sub(1).and_then(|at| bytes.get(at));
    let open = !before.is_some_and(u8::is_ascii_alphabetic);
    let wide = bytes.get(at.end.saturating_sub(1)).is_some_and(|b| !b.is_ascii());
    open && (wide || !bytes.get(at.end).is_some_and(u8::is_ascii_alphabetic))
}

/// RFC 6750.
fn bearer(bytes: &[u8], at: Range<usize>) -> Read {
    let before = at.start.checked_sub(1).and_then(|at| bytes.get(at));
    if before.is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let start = at.end + run(bytes, at.end, 8, |b| b == b' ');
    let length = run(bytes, start, MAX_JWT, |b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
    let token = bytes.get(start..start + length)?;
    let token = token.strip_suffix(b".").unwrap_or(token);
    let mixed = token.iter().any(u8::is_ascii_digit) && token.iter().any(u8::is_ascii_alphabetic);
    let sound = token.len() >= 16 && mixed && entropy(token.get(..token.len().min(256))?) >= 3.0;
    sound.then(|| (start..start + token.len(), Some(Confidence::High), Confidence::High))
}

/// RFC 7617: base64 of `user:password`.
fn basic(bytes: &[u8], at: Range<usize>) -> Read {
    let before = at.start.checked_sub(1).and_then(|at| bytes.get(at));
    if before.is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let length = run(bytes, at.end, 512, |b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
    let token = bytes.get(at.end..at.end + length).filter(|token| token.len() >= 8 && token.len() < 512)?;
    let text = String::from_utf8(decode(token, 512)?).ok()?;
    let (user, password) = text.split_once(':')?;
    let sound = !password.is_empty() && user.len() < 128 && !text.contains(char::is_control);
    sound.then(|| (at.end..at.end + length, Some(Confidence::High), Confidence::High))
}

/// `scheme://user:password@host`: the password.
fn connection_string(bytes: &[u8], at: Range<usize>) -> Read {
    let scheme = bytes.get(at.start.checked_sub(1)?)?;
    if !scheme.is_ascii_alphanumeric() {
        return None;
    }
    let length = run(bytes, at.end, 256, |b| b.is_ascii_graphic() && !b"/?#<>\"".contains(&b));
    let authority = bytes.get(at.end..at.end + length)?;
    let host = memchr::memrchr(b'@', authority)?;
    let user = memchr::memchr(b':', authority.get(..host)?)?;
    let password = authority.get(user + 1..host)?;
    let hidden =
        password.windows(2).any(|pair| pair == b"**") || password.starts_with(b"[") || is_placeholder(password);
    let host = authority.get(host + 1).is_some_and(u8::is_ascii_alphanumeric);
    let range = at.end + user + 1..at.end + user + 1 + password.len();
    (!password.is_empty() && !hidden && host).then_some((range, Some(Confidence::High), Confidence::High))
}

/// How far behind a word a secret key of AWS may stand, in bytes.
const AWS_WINDOW: usize = 200;
/// Characters of a secret key, and of the shortest session token.
const AWS_SECRET: usize = 40;
const AWS_SESSION: usize = 100;

/// 40 characters of base64 that look like chance, or a long session token.
fn aws_secret(bytes: &[u8], at: Range<usize>) -> Read {
    let word = bytes.get(at.clone())?;
    let session = word.eq_ignore_ascii_case(b"aws_session_token") || word.to_ascii_lowercase().starts_with(b"session");
    let limit = bytes.len().min(at.end + AWS_WINDOW);
    let mut from = at.end;
    while from < limit {
        let part_of = |b: u8| b.is_ascii_alphanumeric() || b"+/".contains(&b);
        from += run(bytes, from, AWS_WINDOW, |b| !part_of(b));
        if from >= limit {
            break;
        }
        let length = run(bytes, from, 2_048, part_of);
        let token = bytes.get(from..from + length)?;
        let fits = if session { length >= AWS_SESSION } else { length == AWS_SECRET };
        let has = |test: fn(&u8) -> bool| token.iter().any(test);
        let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
        if fits && mixed && entropy(token) >= 4.0 {
            let end = from + length + run(bytes, from + length, 2, |b| b == b'=');
            return Some((from..end, Some(Confidence::High), Confidence::High));
        }
        from += length;
    }
    None
}

/// Characters of a password.
const MAX_PASSWORD: usize = 64;

/// Stands for a password in instructions: `<password>`, `$PASSWORD`, `{{ password }}`, `[…]`, `xxxxxxxx`.
fn is_placeholder(value: &[u8]) -> bool {
    let stands_for = [&b"<"[..], b"$", b"{", b"[", b"(", b"%", b"http", b"your", b"YOUR", b"&lt;"];
    let lower = value.to_ascii_lowercase();
    stands_for.iter().any(|start| value.starts_with(start))
        || super::super::check::is_one_character(&lower)
        || [
            &b"password"[..],
            b"changeme",
            b"redacted",
            b"required",
            b"n/a",
            b"none",
            b"null",
            b"undefined",
            b"hidden",
            b"example",
        ]
        .contains(&lower.as_slice())
}

/// What follows a word for a password, a sign that parts them, and perhaps quotes.
fn password(bytes: &[u8], at: Range<usize>) -> Read {
    if !is_word(bytes, &at) {
        return None;
    }
    let blank = |from: usize| run(bytes, from, 8, |b| b == b' ' || b == b'\t');
    let mut from = at.end;
    // A closing quote of a key in JSON or YAML, a bracket.
    from += run(bytes, from, 1, |b| b"\"'*".contains(&b));
    from += blank(from);
    let rest = bytes.get(from..)?;
    let sign = run(bytes, from, 3, |b| b":=>".contains(&b));
    let strong = sign > 0;
    let mut prose = true;
    if strong {
        from += sign;
        from += run(bytes, from, 2, |b| b == b'*');
        let parted = from;
        from += blank(from);
        from += run(bytes, from, 2, |b| b == b'\r' || b == b'\n');
        from += blank(from);
        // `password=a&user=b`, `Password=a;Server=b`: what stands against the sign ends where the next pair may begin.
        prose = from > parted;
    } else {
        // `the password is hunter2`, and what other languages say.
        let verbs = [
            &b"is "[..],
            b"is: ",
            b"ist ",
            b"lautet ",
            b"lautet: ",
            b"est ",
            b"est : ",
            b"es ",
            b"\xc3\xa8 ",
            b"\xc3\xa9 ",
            b"was ",
        ];
        let verb =
            verbs.iter().find(|verb| rest.get(..verb.len()).is_some_and(|head| head.eq_ignore_ascii_case(verb)))?;
        from += verb.len();
        from += blank(from);
    }
    let quote = bytes.get(from).copied().filter(|b| b"\"'`".contains(b));
    let (start, length) = if let Some(quote) = quote {
        let length = run(bytes, from + 1, MAX_PASSWORD + 1, |b| b != quote && b != b'\n');
        (from + 1, if bytes.get(from + 1 + length) == Some(&quote) { length } else { 0 })
    } else {
        let length = run(bytes, from, MAX_PASSWORD + 1, |b| {
            let ends: &[u8] = if prose { b"<>\"" } else { b"<>\"&;,|" };
            !b.is_ascii_whitespace() && !b.is_ascii_control() && !ends.contains(&b)
        });
        (from, length)
    };
    let mut value = bytes.get(start..start + length).filter(|value| (4..=MAX_PASSWORD).contains(&value.len()))?;
    while quote.is_none() && value.last().is_some_and(|b| b".)]:*?,;".contains(b)) {
        value = value.get(..value.len() - 1)?;
    }
    if value.len() < 4 || value.windows(2).any(|pair| pair == b"**") || is_placeholder(value) {
        return None;
    }
    // Cut on a character.
    if !bytes.get(start + value.len()).is_none_or(|b| b.is_ascii() || *b >= 0xC0) {
        return None;
    }
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let sorts = [
        has(u8::is_ascii_lowercase),
        value.iter().skip(1).any(u8::is_ascii_uppercase),
        has(u8::is_ascii_digit),
        value.iter().any(|b| b.is_ascii_punctuation() && !b"-'./_".contains(b)),
        value.iter().any(|b| !b.is_ascii()),
    ];
    let sorts = sorts.iter().filter(|sort| **sort).count();
    let letters = has(u8::is_ascii_alphabetic);
    let confidence = match (sorts, letters) {
        (3.., _) => Confidence::High,
        (2, true) if strong || quote.is_some() || has(u8::is_ascii_digit) => Confidence::Medium,
        (1, false) if has(u8::is_ascii_digit) && value.len() <= 12 && strong => Confidence::Medium,
        _ => Confidence::Low,
    };
    Some((start..start + value.len(), Some(confidence), confidence))
}
