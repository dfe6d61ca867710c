//! What each detector finds that has no check digits of its own to be tested by, and what it leaves alone. Keys are put
//! together here: none was ever given out.

use crate::rule::detect::DetectorSet;
use crate::rule::detect::catalog::{self, Find};
use crate::rule::detect::literals::{Alphabet, Token};

/// Letters and digits that look like chance, of one alphabet.
fn chance(alphabet: Alphabet, length: usize) -> String {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'0' + u8::try_from(state >> 24).unwrap() % 75)
    };
    std::iter::repeat_with(&mut next)
        .filter(|c| c.is_ascii_alphanumeric() && alphabet.has(u8::try_from(*c).unwrap()))
        .take(length)
        .collect()
}

fn hits<'t>(detector: &str, text: &'t str) -> Vec<&'t str> {
    let set = DetectorSet::built_in(&[detector]).unwrap();
    set.find(text).into_iter().map(|found| &text[found.range()]).collect()
}

/// `»` and `«` mark what is found; without them it is nothing.
fn check(detector: &str, examples: &[&str]) {
    let mut wrong = Vec::new();
    for example in examples {
        let wanted: Vec<&str> =
            example.split('»').skip(1).map(|rest| rest.split_once('«').expect("both marks").0).collect();
        let text = example.replace(['»', '«'], "");
        let found = hits(detector, &text);
        if found != wanted {
            wrong.push(format!("{detector}: {text:?} has {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn key_block(kind: &str, end: bool) -> String {
    let dashes = "-".repeat(5);
    let body = format!("{}\n{}", chance(Alphabet::Alphanumeric, 64), chance(Alphabet::Alphanumeric, 20));
    let end = if end { format!("\n{dashes}END {kind}{dashes}") } else { String::new() };
    format!("»{dashes}BEGIN {kind}{dashes}\n{body}{end}«")
}

/// The detectors in words that vouch for them, or with a form that nothing else has.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "swift",
        &[
            "SWIFT: »DEUTDEFF«",
            "BIC code »NWBKGB2LXXX«, thanks",
            "Swift/BIC: »INGBNL2A«.",
            "DEUTDEFF",
            "a swift delivery",
            "BIC: DEUTXXFF",
            "BIC: DEUTDEF",
            "swift1 DEUTDEFFX",
        ],
    ),
    ("us-bank-account", &["checking account »123456789012«", "account 123456789012", "bank account 1234567"]),
    ("us-passport", &["passport number »C01234567«", "passport no »512345678«", "C01234567", "passport 812345678"]),
    ("us-driver-license", &["driver's license »D1234567«", "drivers license: »F255-9215-0094«", "number D1234567"]),
    ("uk-passport", &["UK passport »925665416«", "passport number 025665416", "925665416"]),
    (
        "uk-bank-account",
        &["sort code »12-34-56 12345678«", "sort code: »12-34-56«", "on 12-34-56", "sort code 00-00-00"],
    ),
    ("fr-id-card", &["CNI »880692310285«", "passeport »04DA12345«", "880692310285", "CNI 881392310285"]),
    ("ar-dni", &["DNI »20.123.456«", "documento nacional »30123456«", "20.123.456", "DNI 00123456"]),
    (
        "phone",
        &[
            "»+49 30 901820«",
            "»+44 (0)20 7946 0018«",
            "call me: »(212) 555-0142«",
            "Tel. »030 901820«",
            "order 030 901820",
            "+0 123 456",
            "on 12.05.2026",
        ],
    ),
    (
        "ipv4",
        &[
            "from »203.0.113.9«, port 22",
            "[»198.51.100.7«]",
            "10.0.0.1",
            "version 203.0.113.9",
            "203.0.113.256",
            "203.0.113.9.1",
            "0.0.0.0",
        ],
    ),
    ("ipv6", &["»2001:db8::8a2e:370:7334«", "12:30:15", "fe80::1", "::1"]),
    (
        "private-ip",
        &["»10.1.2.30«", "»192.168.0.100«", "IP »127.0.0.1«", "203.0.113.9", "host »fe80::1ff:fe23:4567:890a«"],
    ),
    ("mac", &["»00:1b:44:11:3a:b7«", "MAC »10-11-12-13-14-15«", "00:00:00:00:00:00", "10-11-12-13-14-15", "12:30:15"]),
    ("bitcoin", &["to »1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa«.", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"]),
    ("litecoin", &["»LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz«", "LaMT348PWRnrqeeWArpwQPbuanpXDZGEUy"]),
    ("tron", &["»TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t«", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u"]),
    (
        "ethereum",
        &["»0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed«", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "0x5aAeb6053F"],
    ),
    ("bitcoin-key", &["»5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ«"]),
    (
        "jwt",
        &[
            "token »eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJlLW9mLTE2«.",
            "»eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NSJ9.«",
            "eyJ0eXAiOiJhIn0.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl",
            "eyJhbGciOiJIUzI1NiJ9",
        ],
    ),
    (
        "bearer-token",
        &["Authorization: Bearer »mF_9.B5f-4.1JqM12x0«", "the bearer of this card", "bearer 0123456789012345678"],
    ),
    ("basic-auth", &["Authorization: Basic »dXNlcjpwYXNzd29yZA==«", "basic equipment", "Basic YWJjZGVmZ2g="]),
    (
        "connection-string",
        &[
            "postgres://app:»s3cret«@db.example.com/x",
            "https://user:»p:w@d«@example.com/",
            "https://user@example.com/",
            "mysql://app:****@db.example.com",
            "amqp://app:<password>@db.example.com",
            "https://example.com:8080/a@b",
        ],
    ),
    (
        "password",
        &[
            "Password: »Tr0ub4dor&3«",
            "your password is »hunter2hunter«",
            "Passwort: »Sommer2026«",
            "{\"password\": \"»abc123def«\"}",
            "\u{5bc6}\u{7801}: »abc123def«",
            "Password: ********",
            "Password: <password>",
            "please change your password",
            "the password is required",
        ],
    ),
];

#[test]
fn with_and_without_the_words_that_vouch() {
    for (detector, examples) in EXAMPLES {
        check(detector, examples);
    }
}

#[test]
fn blocks_of_private_keys() {
    for kind in ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
        let block = key_block(kind, true);
        check("private-key", &[&format!("here:\n{block}\nbye"), &block, &key_block(kind, false)]);
    }
    check("private-key", &[&key_block("CERTIFICATE", true).replace(['»', '«'], "")]);
    let putty = "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-MAC: 0123abcd";
    check("private-key", &[&format!("»{putty}«\nbye")]);
}

#[test]
fn keys_of_aws() {
    let secret = chance(Alphabet::Alphanumeric, 40);
    check(
        "aws-secret-key",
        &[
            &format!("aws_secret_access_key = »{secret}«"),
            &format!("{}{} »{secret}«", "AKIA", chance(Alphabet::Base32, 16)),
            &format!("commit {secret}"),
            &format!("secret key {}", chance(Alphabet::Hex, 40)),
        ],
    );
}

#[test]
fn addresses_of_web_hooks() {
    let path = format!("T{}/B{}/{}", "01ABCDEF2", "01ABCDEF3", chance(Alphabet::Alphanumeric, 24));
    check(
        "slack-webhook",
        &[&format!("https://hooks.slack.com/services/»{path}«"), "https://hooks.slack.com/services/x"],
    );
}

/// A body that passes the check of the token; `None` where no number of tries finds one.
fn body(token: &Token, length: usize) -> String {
    let plain = chance(token.alphabet, length);
    match token.prefix {
        "SG." => format!("{}.{}", &plain[..22], &plain[23..]),
        _ if token.length.0 == token.length.1
            && (token.check)(plain.as_bytes()).is_none_or(|sure| sure < super::super::Confidence::High) =>
        {
            with_crc32(&plain[..length - 6])
        }
        _ => plain,
    }
}

fn with_crc32(body: &str) -> String {
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut crc = !body.bytes().fold(!0_u32, |crc, b| {
        (0..8).fold(crc ^ u32::from(b), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    let mut check = [0; 6];
    for place in check.iter_mut().rev() {
        *place = digits[(crc % 62) as usize];
        crc /= 62;
    }
    format!("{body}{}", String::from_utf8_lossy(&check))
}

#[test]
fn tokens_are_found_at_their_shortest_and_longest_and_no_other_length() {
    let mut count = 0;
    for spec in catalog::all() {
        let Find::Tokens(tokens) = spec.find else { continue };
        for token in tokens {
            count += 1;
            let (least, most) = token.length;
            for length in [least, most] {
                let value = format!("{}{}", token.prefix, body(token, length));
                let text = format!("it is {value}, thanks");
                assert_eq!(hits(spec.name, &text), [value.as_str()], "{}", spec.name);
            }
            for length in [least - 1, most + 1] {
                let value = format!("{}{}", token.prefix, chance(token.alphabet, length));
                let found = hits(spec.name, &value);
                // What is too long for one may be another one.
                assert!(found.is_empty() || tokens.len() > 1, "{}: {value}", spec.name);
            }
        }
    }
    assert!(count >= 80, "{count}");
}

/// Where the examples of those with check digits stand.
const SOURCES: &[&str] = &[
    include_str!("americas.rs"),
    include_str!("asia.rs"),
    include_str!("benelux_france.rs"),
    include_str!("dach.rs"),
    include_str!("east_europe.rs"),
    include_str!("north_europe.rs"),
    include_str!("oceania_africa.rs"),
    include_str!("south_europe.rs"),
    include_str!("uk_ie.rs"),
    include_str!("us.rs"),
];

#[test]
fn every_detector_has_examples() {
    let elsewhere = ["private-key", "aws-secret-key", "slack-webhook", "card", "iban", "email"];
    for spec in catalog::all() {
        let is_here = EXAMPLES.iter().any(|(name, _)| *name == spec.name) || elsewhere.contains(&spec.name);
        let call = format!("check(\"{}\",", spec.name);
        let checked = SOURCES.iter().any(|source| source.split_whitespace().collect::<String>().contains(&call));
        assert!(is_here || checked || matches!(spec.find, Find::Tokens(_)), "{} has no example", spec.name);
    }
}
