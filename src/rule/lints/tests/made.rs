//! Conditions and rule sets that are made up, with few words, so that they often have to do with each other.

use std::fmt::Write as _;

/// Numbers that are the same each time (Knuth's MMIX generator).
pub(super) struct Dice(u64);

impl Dice {
    /// The same as for the other made-up inputs: other numbers with another `PROPTEST_RNG_SEED`.
    pub(super) fn new(salt: u64) -> Self {
        let seed = std::env::var("PROPTEST_RNG_SEED").ok().and_then(|seed| seed.parse::<u64>().ok()).unwrap_or(1);
        Self(seed.wrapping_mul(1 << 20).wrapping_add(salt))
    }
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
    pub(super) fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }
    /// `["a", "b"]`, with one to three of them.
    pub(super) fn some(&mut self, of: &[&str]) -> String {
        let picked: Vec<String> = (0..=self.below(3)).map(|_| format!("{:?}", self.one(of))).collect();
        format!("[{}]", picked.join(", "))
    }
    pub(super) fn flip(&mut self) -> bool {
        self.below(2) == 0
    }
}

pub(super) const PATTERNS: &[&str] = &[
    "internal",
    "external",
    "example.com",
    "news.example.com",
    "example.net",
    "*.example.com",
    "*",
    "*@*",
    "*@example.net",
    "*@*.example.com",
    "ann@example.com",
    "Bob@example.com",
    "ann*@example.com",
    "kim@example.net",
    "/^ann@/",
    "/example/",
    "x@bücher.example",
    "xn--bcher-kva.example",
];
pub(super) const TEXTS: &[&str] =
    &["invoice", "voice", "trade secret", "secret", "Trade  Secret", "re", "[ext]", "ext", "geheim", "köln", "n"];
pub(super) const SORTS: &[&str] = &[
    "new",
    "reply",
    "forward",
    "auto-reply",
    "automatic",
    "calendar",
    "signed",
    "encrypted",
    "report",
    "list",
    "tnef",
    "voice-mail",
    "recall",
    "malformed",
];
pub(super) const KEYS: &[&str] = &[
    "direction",
    "sender",
    "recipients",
    "address",
    "subject",
    "header",
    "body",
    "kind",
    "size",
    "date",
    "schedule",
    "attachment",
    "uninspectable",
    "authentication",
    "verdict",
];

pub(super) fn range(dice: &mut Dice, least: &str, most: &str, of: &[u64]) -> String {
    let (mut one, mut two) = (of[dice.below(of.len())], of[dice.below(of.len())]);
    if one > two {
        (one, two) = (two, one);
    }
    match dice.below(3) {
        0 => format!("{{ {least} = {one} }}"),
        1 => format!("{{ {most} = {} }}", two + 1),
        _ => format!("{{ {least} = {one}, {most} = {} }}", two + 2),
    }
}

pub(super) fn text(dice: &mut Dice) -> String {
    let mut parts = Vec::new();
    for key in ["contains", "words"] {
        if dice.below(3) > 0 {
            parts.push(format!("{key} = {}", dice.some(TEXTS)));
        }
    }
    if parts.is_empty() || dice.below(4) == 0 {
        parts.push(format!("matches = {}", dice.some(&["secret", "(?i)invoice", "^re"])));
    }
    parts.join(", ")
}

pub(super) fn person(dice: &mut Dice, recipient: bool) -> String {
    if dice.flip() {
        return dice.some(PATTERNS);
    }
    let mut parts = Vec::new();
    if dice.flip() {
        parts.push(format!("is = {}", dice.some(PATTERNS)));
        if !recipient && dice.below(3) == 0 {
            return format!("{{ {}, by = {} }}", parts[0], dice.some(&["flow", "From", "Sender", "Return-Path"]));
        }
    }
    if dice.flip() {
        parts.push(format!("group = {}", dice.some(&["sales", "all@example.com", "Sales"])));
    }
    if dice.flip() {
        let value = match dice.below(4) {
            0 => "{ exists = false }".to_owned(),
            1 => "{ exists = true }".to_owned(),
            2 => dice.some(&["Sales", "Finance", "Field Sales"]),
            _ => format!("{{ contains = {} }}", dice.some(&["sales", "field", "finance"])),
        };
        parts.push(format!("attribute = {{ department = {value} }}"));
    }
    if recipient && dice.below(3) == 0 {
        parts.push(format!("{} = {}", dice.one(&["same", "differs"]), dice.some(&["domain", "department"])));
    }
    if parts.is_empty() {
        parts.push("group = \"sales\"".to_owned());
    }
    format!("{{ {} }}", parts.join(", "))
}

/// One entry of a table of conditions.
pub(super) fn entry(key: &str, dice: &mut Dice) -> String {
    let value = match key {
        "direction" => format!("{:?}", dice.one(&["inbound", "outbound"])),
        "sender" if dice.below(6) == 0 => "\"\"".to_owned(),
        "sender" => person(dice, false),
        "recipients" => {
            let mut parts = Vec::new();
            for key in ["any", "all", "each"] {
                if dice.below(3) == 0 {
                    parts.push(format!("{key} = {}", person(dice, true)));
                }
            }
            if parts.is_empty() || dice.below(4) == 0 {
                parts.push(format!("count = {}", range(dice, "at_least", "at_most", &[0, 1, 2, 3])));
            }
            format!("{{ {} }}", parts.join(", "))
        }
        "address" => {
            let fields = dice.some(&["From", "Reply-To", "To"]);
            let name = if dice.flip() { format!(", name = {{ {} }}", text(dice)) } else { String::new() };
            format!("{{ field = {fields}, is = {}{name} }}", dice.some(PATTERNS))
        }
        "subject" | "body" if dice.flip() => format!("{:?}", dice.one(TEXTS)),
        "subject" | "body" => format!("{{ {} }}", text(dice)),
        "header" => {
            let name = dice.one(&["Subject", "X-A", "x-a", "X-*", "Received"]);
            let rest = match dice.below(6) {
                0 => "exists = false".to_owned(),
                1 => "exists = true".to_owned(),
                2 => format!("count = {}", range(dice, "at_least", "at_most", &[0, 1, 2])),
                3 => format!("is = {}", dice.some(&["yes", "no", "trade secret", "Your invoice"])),
                4 => format!(
                    "is = {}, which = {:?}",
                    dice.some(&["yes", "no"]),
                    dice.one(&["any", "all", "first", "last"])
                ),
                _ => format!("{}, form = {:?}", text(dice), dice.one(&["raw", "decoded"])),
            };
            format!("{{ name = {name:?}, {rest} }}")
        }
        "kind" => dice.some(SORTS),
        "size" => range(dice, "over", "under", &[100, 300, 301, 1_000, 5_000]),
        "date" => {
            let stretches = [
                "from = 2026-01-01, until = 2026-03-31",
                "from = 2026-02-01",
                "until = 2026-01-31",
                "from = 2026-06-01, until = 2026-06-30",
            ];
            let one = |dice: &mut Dice| format!("{{ {}, zone = \"UTC\" }}", dice.one(&stretches));
            if dice.flip() { one(dice) } else { format!("[{}, {}]", one(dice), one(dice)) }
        }
        "schedule" => {
            let days = dice.some(&["mon", "fri", "weekday", "weekend", "sun"]);
            let hours =
                dice.one(&["", ", from = \"08:00\"", ", until = \"18:00\"", ", from = \"22:00\", until = \"06:00\""]);
            format!("{{ days = {days}{hours}, zone = {:?} }}", dice.one(&["UTC", "UTC", "Europe/Berlin"]))
        }
        "attachment" => {
            let mut parts = Vec::new();
            if dice.flip() {
                parts.push(format!("extension = {}", dice.some(&["exe", ".EXE", "txt", "zip"])));
            }
            if dice.below(3) == 0 {
                parts.push(format!("name = {}", dice.some(&["*.txt", "a*"])));
            }
            if dice.below(3) == 0 {
                parts.push(format!("content = {}", dice.some(&["archive", "application/zip", "office"])));
            }
            if dice.below(3) == 0 {
                parts.push(format!("size = {}", range(dice, "over", "under", &[0, 10, 100])));
            }
            if dice.below(3) == 0 {
                parts.push(format!("total = {}", range(dice, "over", "under", &[0, 10, 100])));
            }
            if dice.flip() {
                parts.push(format!("count = {}", range(dice, "at_least", "at_most", &[0, 1, 2])));
            }
            format!("{{ {} }}", parts.join(", "))
        }
        "uninspectable" if dice.below(4) == 0 => "true".to_owned(),
        "uninspectable" => dice.some(&["encrypted", "archive", "pdf", "structure", "charset", "other", "image"]),
        "authentication" => format!(
            "{{ spf = {}, dmarc = {} }}",
            dice.some(&["pass", "fail", "missing"]),
            dice.some(&["pass", "none", "missing"])
        ),
        _ => format!("{{ spam = {} }}", dice.some(&["pass", "gray", "fail", "missing"])),
    };
    format!("{key} = {value}")
}

/// A table of conditions, in other tables.
pub(super) fn table(dice: &mut Dice, depth: usize) -> String {
    let mut keys: Vec<&str> = (0..=dice.below(2)).map(|_| dice.one(KEYS)).collect();
    keys.sort_unstable();
    keys.dedup();
    if depth > 0 && dice.below(3) == 0 {
        keys.clear();
    }
    let mut entries: Vec<String> = keys.into_iter().map(|key| entry(key, dice)).collect();
    for key in ["any", "all", "not"] {
        if depth == 0 || !(entries.is_empty() || dice.below(4) == 0) {
            continue;
        }
        let below = |dice: &mut Dice| format!("{{ {} }}", table(dice, depth - 1));
        entries.push(match key {
            "not" => format!("not = {}", below(dice)),
            _ => format!("{key} = [{}, {}]", below(dice), below(dice)),
        });
    }
    if entries.is_empty() { entry(dice.one(KEYS), dice) } else { entries.join(", ") }
}

/// A rule set, with a field of its own for each rule that writes one.
pub(super) fn rule_set(dice: &mut Dice) -> String {
    const WAYS: &[&str] = &["direction = \"inbound\", ", "direction = \"outbound\", ", ""];
    let mut text = String::new();
    // About anything, about fields alone, or about tags in subjects: what a rule changes is what others look at.
    let about = dice.below(3);
    let subject = |dice: &mut Dice| format!("subject = {:?}", dice.one(&["ext", "[ext]", "voice"]));
    for rule in 0..4 {
        let way = dice.one(WAYS);
        let keys = ["sender", "size", "subject", "header", "kind", "recipients", "schedule"];
        let any = || "date = { from = 2000-01-01, zone = \"UTC\" }".to_owned();
        let condition = match (dice.below(4), about) {
            (0, _) => any(),
            (1 | 2, 2) => subject(dice),
            _ => entry(dice.one(&keys), dice),
        };
        let _ = write!(text, "[[rule]]\nname = \"r{rule}\"\nwhen = {{ {way}{condition} }}\n");
        if dice.below(3) == 0 {
            let _ = writeln!(text, "unless = {{ {} }}", table(dice, 1));
        }
        let action = match [dice.below(6), 4 + dice.below(2), [0, 1, 3, 3][dice.below(4)]][about] {
            0 => "{ kind = \"stop\" }".to_owned(),
            1 => "{ kind = \"drop\" }".to_owned(),
            2 => "{ kind = \"bounce\", message = \"no\" }".to_owned(),
            3 => "{ kind = \"tag_subject\", tag = \"[ext]\" }".to_owned(),
            4 => format!("{{ kind = \"remove_header\", name = {:?} }}", dice.one(&["X-A", "X-*"])),
            _ => format!(
                "{{ kind = {:?}, name = \"X-A\", value = \"v{rule}\" }}",
                dice.one(&["set_header", "add_header"])
            ),
        };
        let _ = writeln!(text, "action = {action}\n");
    }
    text
}
