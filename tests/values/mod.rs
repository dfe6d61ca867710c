//! Values of many sorts, made up with check digits that are computed here, not by the code under test.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::fmt::Write as _;

/// Numbers that look random and are the same each time: Knuth's generator.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
    pub fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }
    pub fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + u8::try_from(self.below(10)).unwrap())).collect()
    }
    pub fn text(&mut self, alphabet: &str, count: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..count).map(|_| alphabet[usize::try_from(self.below(alphabet.len() as u64)).unwrap()]).collect()
    }
    pub fn date(&mut self) -> (u64, u64, u64) {
        (1930 + self.below(90), 1 + self.below(12), 1 + self.below(28))
    }
}

pub const ALPHANUMERIC: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn digit_sum(digits: &str, weights: &[u64]) -> u64 {
    digits.bytes().zip(weights).map(|(d, w)| u64::from(d - b'0') * w).sum()
}

fn luhn(digits: &str) -> u64 {
    let double = |d: u64| if d > 4 { d * 2 - 9 } else { d * 2 };
    let each = digits.bytes().rev().map(|d| u64::from(d - b'0')).enumerate();
    let sum: u64 = each.map(|(at, d)| if at % 2 == 0 { double(d) } else { d }).sum();
    (10 - sum % 10) % 10
}

fn with_luhn(digits: &str) -> String {
    let check = luhn(digits);
    format!("{digits}{check}")
}

fn grouped(value: &str, lengths: &[usize], separator: &str) -> String {
    let mut rest = value;
    let groups: Vec<&str> = lengths
        .iter()
        .map(|&length| {
            let (head, tail) = rest.split_at(length);
            rest = tail;
            head
        })
        .collect();
    groups.join(separator)
}

fn mod97(text: &str) -> u64 {
    text.chars().fold(0, |rest, c| {
        let worth = u64::from(c.to_digit(36).unwrap());
        (if worth > 9 { rest * 100 } else { rest * 10 } + worth) % 97
    })
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, &b| bits << 8 | u32::from(b)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            out.push(char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]));
        }
    }
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &b| {
        (0..8).fold(crc ^ u32::from(b), |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

/// A sort of value: the detector that must find it, words before it, how it is made.
pub struct Sort {
    pub detector: &'static str,
    /// What stands before it; without a word that says what it is where the detector needs none.
    pub before: &'static [&'static str],
    pub make: fn(&mut Chance) -> String,
    /// The same, and no longer valid; empty where nothing tells.
    pub broken: fn(&str) -> String,
}

/// Another last digit or letter.
fn last_changed(value: &str) -> String {
    let mut out = value.to_owned();
    let last = out.pop().unwrap_or('0');
    out.push(match last {
        '9' => '8',
        'Z' => 'Y',
        'z' => 'y',
        last => char::from_u32(u32::from(last) + 1).unwrap_or('0'),
    });
    out
}

fn nothing(_: &str) -> String {
    String::new()
}

pub const SORTS: &[Sort] = &[
    Sort {
        detector: "card",
        before: &["", "Card: ", "please charge ", "pay with "],
        make: |chance| {
            let prefix = chance.of(&["4", "51", "55", "2221", "2720", "6011", "3530", "2200"]);
            let value = with_luhn(&format!("{prefix}{}", chance.digits(15 - prefix.len())));
            let separator = chance.of(&["", " ", "-", ".", "\u{a0}", "\u{2009}", "\u{2013}", "\u{200b}"]);
            grouped(&value, &[4, 4, 4, 4], separator)
        },
        broken: last_changed,
    },
    Sort {
        detector: "iban",
        before: &["", "IBAN: ", "to the account "],
        make: |chance| {
            let (country, bban) = match chance.below(3) {
                0 => ("DE", chance.digits(18)),
                1 => ("GB", format!("NWBK{}", chance.digits(14))),
                _ => ("NL", format!("ABNA{}", chance.digits(10))),
            };
            let check = 98 - mod97(&format!("{bban}{country}00"));
            let value = format!("{country}{check:02}{bban}");
            let mut spaced = String::new();
            let separator = chance.of(&["", " ", "\u{a0}", "-"]);
            for (at, c) in value.chars().enumerate() {
                if at > 0 && at % 4 == 0 {
                    spaced.push_str(separator);
                }
                spaced.push(c);
            }
            if chance.below(3) == 0 { spaced.to_lowercase() } else { spaced }
        },
        broken: last_changed,
    },
    Sort {
        detector: "ssn",
        before: &["", "SSN ", "social security number: "],
        make: |chance| {
            let (area, group, serial) = (1 + chance.below(600), 1 + chance.below(99), 1 + chance.below(9_999));
            let separator = chance.of(&["-", "-", " ", "\u{2013}", "\u{a0}"]);
            format!("{area:03}{separator}{group:02}{separator}{serial:04}")
        },
        broken: |value| format!("9{}", value.get(1..).unwrap_or_default()),
    },
    Sort {
        detector: "email",
        before: &["", "write to ", "mailto:"],
        make: |chance| {
            let name = chance.text("abcdefghijklmnopqrstuvwxyz", 6);
            let host = chance.of(&["example.com", "mail.example.net", "b\u{fc}cher.example", "example.co.uk"]);
            let n = chance.below(100);
            format!("{name}.{n}@{host}")
        },
        broken: |value| value.replace('@', " (at the) "),
    },
    Sort {
        detector: "phone",
        before: &["Tel. ", "call me: ", ""],
        make: |chance| match chance.below(4) {
            0 => format!("+49 {} {}", 151 + chance.below(20), chance.digits(7)),
            1 => format!("+44 20 7946 {}", 1000 + chance.below(9_000)),
            2 => {
                format!("+1 (2{:02}) 5{:02}-{:04}", 12 + chance.below(80), 20 + chance.below(70), chance.below(10_000))
            }
            _ => format!("+33 1 {0} {1} {0} {1}", 10 + chance.below(90), 10 + chance.below(90)),
        },
        broken: nothing,
    },
    Sort {
        detector: "ipv4",
        before: &["", "from ", "IP address "],
        make: |chance| format!("203.0.113.{}", chance.below(256)),
        broken: |value| format!("{value}9.7"),
    },
    Sort {
        detector: "mac",
        before: &["", "MAC "],
        make: |chance| {
            let pairs: Vec<String> = (0..6).map(|_| format!("{:02x}", chance.below(256))).collect();
            pairs.join(":")
        },
        broken: |value| format!("{value}:0"),
    },
    Sort {
        detector: "uk-nhs",
        before: &["NHS number ", "NHS no: "],
        make: |chance| loop {
            let digits = chance.digits(9);
            let check = (11 - digit_sum(&digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
            if check < 10 && digits != "000000000" {
                return grouped(&format!("{digits}{check}"), &[3, 3, 4], chance.of(&["", " ", "-", "\u{a0}"]));
            }
        },
        broken: last_changed,
    },
    Sort {
        detector: "uk-nino",
        before: &["", "NI number "],
        make: |chance| {
            let value =
                format!("{}{}{}", chance.of(&["AB", "JG", "PX", "SE"]), chance.digits(6), chance.text("ABCD", 1));
            grouped(&value, &[2, 2, 2, 2, 1], chance.of(&["", " "]))
        },
        broken: |value| format!("D{}", value.get(1..).unwrap_or_default()),
    },
    Sort {
        detector: "nl-bsn",
        before: &["BSN ", "burgerservicenummer: "],
        make: |chance| loop {
            let digits = chance.digits(8);
            let check = digit_sum(&digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
            if check < 10 && digits != "00000000" {
                return format!("{digits}{check}");
            }
        },
        broken: last_changed,
    },
    Sort {
        detector: "pl-pesel",
        before: &["PESEL ", "numer PESEL: "],
        make: |chance| {
            let (year, month, day) = chance.date();
            let month = if year < 2000 { month } else { month + 20 };
            let head = format!("{:02}{month:02}{day:02}{}", year % 100, chance.digits(4));
            let check = (10 - digit_sum(&head, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10;
            format!("{head}{check}")
        },
        broken: last_changed,
    },
    Sort {
        detector: "br-cpf",
        before: &["", "CPF "],
        make: |chance| {
            let mut value = chance.digits(9);
            for first in [10, 11] {
                let weights: Vec<u64> = (2..=first).rev().collect();
                let rest = digit_sum(&value, &weights) % 11;
                let _ = write!(value, "{}", if rest < 2 { 0 } else { 11 - rest });
            }
            format!("{}-{}", grouped(&value[..9], &[3, 3, 3], "."), &value[9..])
        },
        broken: last_changed,
    },
    Sort {
        detector: "es-nif",
        before: &["", "DNI "],
        make: |chance| {
            let digits = chance.digits(8);
            let letter =
                "TRWAGMYFPDXBNJZSQVHLCKE".as_bytes()[usize::try_from(digits.parse::<u64>().unwrap() % 23).unwrap()];
            format!("{digits}{}{}", chance.of(&["", "-"]), char::from(letter))
        },
        broken: last_changed,
    },
    Sort {
        detector: "se-personnummer",
        before: &["personnummer ", "pnr: "],
        make: |chance| {
            let (year, month, day) = chance.date();
            let value = with_luhn(&format!("{:02}{month:02}{day:02}{}", year % 100, chance.digits(3)));
            format!("{}-{}", &value[..6], &value[6..])
        },
        broken: last_changed,
    },
    Sort {
        detector: "fi-hetu",
        before: &["", "henkil\u{f6}tunnus "],
        make: |chance| {
            let (year, month, day) = chance.date();
            let (head, serial) =
                (format!("{day:02}{month:02}{:02}", year % 100), format!("{:03}", 2 + chance.below(898)));
            let rest = format!("{head}{serial}").parse::<u64>().unwrap() % 31;
            let check = "0123456789ABCDEFHJKLMNPRSTUVWXY".as_bytes()[usize::try_from(rest).unwrap()];
            format!("{head}{}{serial}{}", if year < 2000 { '-' } else { 'A' }, char::from(check))
        },
        broken: last_changed,
    },
    Sort {
        detector: "be-national-number",
        before: &["", "rijksregisternummer "],
        make: |chance| {
            let (year, month, day) = chance.date();
            let (year, serial) = (year % 100, 1 + chance.below(997));
            let head: u64 = format!("{year:02}{month:02}{day:02}{serial:03}").parse().unwrap();
            format!("{year:02}.{month:02}.{day:02}-{serial:03}.{:02}", 97 - head % 97)
        },
        broken: last_changed,
    },
    Sort {
        detector: "ca-sin",
        before: &["SIN ", "social insurance number "],
        make: |chance| {
            let value = with_luhn(&format!("{}{}", 1 + chance.below(7), chance.digits(7)));
            grouped(&value, &[3, 3, 3], chance.of(&["", " ", "-"]))
        },
        broken: last_changed,
    },
    Sort {
        detector: "us-npi",
        before: &["NPI ", "provider identifier "],
        make: |chance| {
            let head = format!("1{}", chance.digits(8));
            format!("{head}{}", luhn(&format!("80840{head}")))
        },
        broken: last_changed,
    },
    Sort {
        detector: "us-aba",
        before: &["ABA ", "routing number "],
        make: |chance| {
            let head = format!("{:02}{}", 1 + chance.below(12), chance.digits(6));
            let check = (10 - digit_sum(&head, &[3, 7, 1, 3, 7, 1, 3, 7]) % 10) % 10;
            format!("{head}{check}")
        },
        broken: last_changed,
    },
    Sort {
        detector: "au-tfn",
        before: &["TFN ", "tax file number: "],
        make: |chance| loop {
            let digits = chance.digits(8);
            let sum = digit_sum(&digits, &[1, 4, 3, 7, 5, 8, 6, 9]);
            if let Some(check) = (0..10).find(|check| (sum + check * 10).is_multiple_of(11))
                && sum > 0
            {
                return grouped(&format!("{digits}{check}"), &[3, 3, 3], chance.of(&["", " "]));
            }
        },
        broken: last_changed,
    },
    Sort {
        detector: "github-token",
        before: &["", "token "],
        make: |chance| {
            let body = chance.text(ALPHANUMERIC, 30);
            let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
            let mut crc = crc32(body.as_bytes());
            let mut check = [b'0'; 6];
            for place in check.iter_mut().rev() {
                *place = digits[(crc % 62) as usize];
                crc /= 62;
            }
            format!("gh{}_{body}{}", chance.of(&["p", "o", "u", "s"]), String::from_utf8_lossy(&check))
        },
        broken: |value| value.get(..30).unwrap_or_default().to_owned(),
    },
    Sort {
        detector: "aws-key-id",
        before: &["", "key id "],
        make: |chance| {
            format!("{}{}", chance.of(&["AKIA", "ASIA"]), chance.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16))
        },
        broken: |value| format!("{value}A1"),
    },
    Sort {
        detector: "jwt",
        before: &["", "token: "],
        make: |chance| {
            let header = base64url(br#"{"alg":"HS256","typ":"JWT"}"#);
            let claims = base64url(format!("{{\"sub\":\"{}\"}}", chance.digits(8)).as_bytes());
            format!("{header}.{claims}.{}", chance.text(ALPHANUMERIC, 43))
        },
        broken: |value| value.replace("hbGci", "XXXci"),
    },
    Sort {
        detector: "password",
        before: &["Password: ", "the password is ", "pwd=", "Passwort: "],
        make: |chance| {
            let (word, n) = (chance.text("abcdefghijkmnopqrstuvwxyz", 6), 10 + chance.below(90));
            format!("{}{word}{n}", chance.text("ABCDEFGH", 1))
        },
        broken: nothing,
    },
    Sort {
        detector: "connection-string",
        before: &["postgres://app:", "mysql://root:", "amqp://me:"],
        make: |chance| chance.text(ALPHANUMERIC, 12),
        broken: nothing,
    },
    Sort {
        detector: "private-key",
        before: &["", "here it is:\n"],
        make: |chance| {
            let body: Vec<String> = (0..4).map(|_| chance.text(ALPHANUMERIC, 64)).collect();
            let kind = chance.of(&["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY"]);
            let dashes = "-".repeat(5);
            format!("{dashes}BEGIN {kind}{dashes}\n{}\n{dashes}END {kind}{dashes}", body.join("\n"))
        },
        broken: |value| value.replace("PRIVATE", "PUBLIC"),
    },
];
