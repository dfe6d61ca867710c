//! Tokens and keys that services give out, each with a start of its own.

use super::super::Confidence;
use super::super::catalog::{Find, Spec};
use super::super::literals::Alphabet::{Alphanumeric, Base32, Base64, Dotted, Hex, Url};
use super::super::literals::{Alphabet, Token, run};

const GROUPS: &[&str] = &["secrets"];
const KEYWORDS: &[&str] = &["token", "key", "secret", "api", "pat", "credential", "credentials", "password", "auth"];

const fn spec(name: &'static str, label: &'static str, doc: &'static str, tokens: &'static [Token]) -> Spec {
    Spec { name, label, groups: GROUPS, doc, keywords: KEYWORDS, find: Find::Tokens(tokens) }
}

/// The start says it all.
#[expect(clippy::unnecessary_wraps, reason = "one of several checks")]
fn sure(_: &[u8]) -> Option<Confidence> {
    Some(Confidence::High)
}

const fn token(prefix: &'static str, alphabet: Alphabet, least: usize, most: usize) -> Token {
    Token { prefix, alphabet, length: (least, most), check: sure }
}

const fn checked(
    prefix: &'static str,
    alphabet: Alphabet,
    length: usize,
    check: fn(&[u8]) -> Option<Confidence>,
) -> Token {
    Token { prefix, alphabet, length: (length, length), check }
}

/// Detectors of tokens.
pub const DETECTORS: &[Spec] = &[
    spec(
        "aws-key-id",
        "AWS-KEY-ID",
        "AWS access key ids and other unique ids",
        &[
            token("AKIA", Base32, 16, 16),
            token("ASIA", Base32, 16, 16),
            token("AROA", Base32, 16, 16),
            token("AIDA", Base32, 16, 16),
            token("ABIA", Base32, 16, 16),
            token("ACCA", Base32, 16, 16),
            token("AGPA", Base32, 16, 16),
            token("ANPA", Base32, 16, 16),
            token("ANVA", Base32, 16, 16),
            token("APKA", Base32, 16, 16),
        ],
    ),
    spec(
        "github-token",
        "GITHUB-TOKEN",
        "GitHub tokens",
        &[
            checked("ghp_", Alphanumeric, 36, crc32),
            checked("gho_", Alphanumeric, 36, crc32),
            checked("ghu_", Alphanumeric, 36, crc32),
            checked("ghs_", Alphanumeric, 36, crc32),
            token("ghr_", Alphanumeric, 36, 76),
            token("github_pat_", Url, 60, 90),
        ],
    ),
    spec(
        "gitlab-token",
        "GITLAB-TOKEN",
        "GitLab tokens",
        &[
            token("glpat-", Dotted, 20, 60),
            token("gldt-", Dotted, 20, 60),
            token("glrt-", Dotted, 20, 60),
            token("glptt-", Url, 40, 60),
            token("glcbt-", Dotted, 20, 70),
            token("glft-", Url, 20, 60),
            token("glsoat-", Url, 20, 60),
            token("gloas-", Url, 64, 64),
            token("glagent-", Url, 50, 60),
        ],
    ),
    spec(
        "slack-token",
        "SLACK-TOKEN",
        "Slack tokens",
        &[
            token("xoxb-", Url, 20, 250),
            token("xoxp-", Url, 20, 250),
            token("xoxa-", Url, 20, 250),
            token("xoxr-", Url, 20, 250),
            token("xoxs-", Url, 20, 250),
            token("xoxe-", Url, 20, 250),
            token("xoxe.xoxp-", Url, 20, 250),
            token("xapp-", Url, 20, 250),
        ],
    ),
    spec(
        "stripe-key",
        "STRIPE-KEY",
        "Stripe secret and restricted keys",
        &[
            token("sk_live_", Alphanumeric, 16, 250),
            token("rk_live_", Alphanumeric, 16, 250),
            token("sk_test_", Alphanumeric, 16, 250),
            token("rk_test_", Alphanumeric, 16, 250),
            token("whsec_", Base64, 24, 60),
        ],
    ),
    spec(
        "google-key",
        "GOOGLE-KEY",
        "Google API keys, OAuth secrets and tokens",
        &[token("AIza", Url, 35, 35), token("GOCSPX-", Url, 28, 28), token("ya29.", Url, 30, 2048)],
    ),
    spec(
        "azure-key",
        "AZURE-KEY",
        "Azure storage, service bus and shared access keys",
        &[
            Token { prefix: "AccountKey=", alphabet: Base64, length: (88, 88), check: sure },
            Token { prefix: "SharedAccessKey=", alphabet: Base64, length: (44, 88), check: sure },
        ],
    ),
    spec("sendgrid-key", "SENDGRID-KEY", "SendGrid API keys", &[checked("SG.", Dotted, 66, sendgrid)]),
    spec("twilio-key", "TWILIO-KEY", "Twilio API keys", &[token("SK", Hex, 32, 32), token("AC", Hex, 32, 32)]),
    spec("npm-token", "NPM-TOKEN", "npm access tokens", &[checked("npm_", Alphanumeric, 36, crc32)]),
    spec(
        "pypi-token",
        "PYPI-TOKEN",
        "PyPI upload tokens",
        &[token("pypi-AgEIcHlwaS5vcmc", Url, 50, 250), token("pypi-AgENdGVzdC5weXBpLm9yZ", Url, 50, 250)],
    ),
    spec(
        "openai-key",
        "OPENAI-KEY",
        "OpenAI API keys",
        &[
            token("sk-proj-", Url, 40, 250),
            token("sk-svcacct-", Url, 40, 250),
            token("sk-admin-", Url, 40, 250),
            token("sk-None-", Url, 40, 250),
            Token { prefix: "sk-", alphabet: Alphanumeric, length: (40, 64), check: sure },
        ],
    ),
    spec("anthropic-key", "ANTHROPIC-KEY", "Anthropic API keys", &[token("sk-ant-", Url, 40, 250)]),
    spec(
        "api-token",
        "API-TOKEN",
        "tokens of other services, from Hugging Face to Vault",
        &[
            token("hf_", Alphanumeric, 34, 40),
            token("dop_v1_", Hex, 64, 64),
            token("doo_v1_", Hex, 64, 64),
            token("dor_v1_", Hex, 64, 64),
            token("dapi", Hex, 32, 32),
            token("shpat_", Hex, 32, 32),
            token("shpca_", Hex, 32, 32),
            token("shppa_", Hex, 32, 32),
            token("shpss_", Hex, 32, 32),
            token("dckr_pat_", Url, 27, 27),
            token("dckr_oat_", Url, 27, 40),
            token("lin_api_", Alphanumeric, 40, 40),
            token("ntn_", Alphanumeric, 43, 50),
            token("figd_", Url, 40, 60),
            token("hvs.", Url, 24, 250),
            token("hvb.", Url, 24, 500),
            token("AGE-SECRET-KEY-1", Alphanumeric, 58, 58),
            token("NRAK-", Alphanumeric, 27, 27),
            token("glsa_", Url, 40, 50),
            token("glc_", Base64, 32, 400),
            token("PMAK-", Url, 59, 59),
            token("rubygems_", Hex, 48, 48),
            token("pul-", Hex, 40, 40),
            token("sntrys_", Base64, 40, 400),
            token("sbp_", Hex, 40, 40),
            token("CLOJARS_", Alphanumeric, 60, 60),
            token("sq0atp-", Url, 22, 60),
            token("sq0csp-", Url, 43, 60),
            token("EAAAE", Url, 50, 100),
            token("ATATT3", Url, 60, 250),
            token("ATCTT3", Url, 60, 250),
            token("HRKU-", Url, 36, 70),
            token("key-", Hex, 32, 32),
            token("dt0c01.", Dotted, 80, 100),
            token("dp.pt.", Alphanumeric, 43, 43),
            token("fo1_", Url, 43, 43),
            token("r8_", Alphanumeric, 37, 40),
            token("gsk_", Alphanumeric, 48, 60),
            token("xai-", Alphanumeric, 70, 90),
            token("pplx-", Alphanumeric, 40, 60),
            token("tfp_", Alphanumeric, 40, 70),
            token("pscale_tkn_", Dotted, 32, 64),
            token("pscale_pw_", Dotted, 32, 64),
            token("AKCp", Alphanumeric, 60, 80),
            token("cmVmdGtuOj", Alphanumeric, 54, 70),
        ],
    ),
    Spec {
        name: "slack-webhook",
        label: "SLACK-WEBHOOK",
        groups: GROUPS,
        doc: "addresses of Slack web hooks",
        keywords: &[],
        find: Find::Led {
            literals: &["hooks.slack.com/services/", "hooks.slack.com/workflows/"],
            exact: false,
            read: webhook,
        },
    },
];

/// GitHub and npm: the last six characters are CRC-32 of the others in base 62. A token that fails it is one that was
/// mistyped or made up.
fn crc32(token: &[u8]) -> Option<Confidence> {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let (body, check) = token.split_at_checked(token.len().checked_sub(6)?)?;
    let written = check
        .iter()
        .try_fold(0u64, |sum, c| Some(sum * 62 + u64::try_from(DIGITS.iter().position(|digit| digit == c)?).ok()?))?;
    let crc = !body.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    Some(if u64::from(crc) == written { Confidence::High } else { Confidence::Low })
}

/// 22 characters, a dot, 43 more.
fn sendgrid(body: &[u8]) -> Option<Confidence> {
    (body.get(22) == Some(&b'.') && memchr::memchr_iter(b'.', body).count() == 1).then_some(Confidence::High)
}

/// The three segments of the path.
fn webhook(
    bytes: &[u8],
    at: std::ops::Range<usize>,
) -> Option<(std::ops::Range<usize>, Option<Confidence>, Confidence)> {
    let length = run(bytes, at.end, 120, |b| b.is_ascii_alphanumeric() || b == b'/');
    let path = bytes.get(at.end..at.end + length)?;
    let whole = path.len() >= 20 && path.split(|&b| b == b'/').count() >= 3;
    whole.then_some((at.end..at.end + length, Some(Confidence::High), Confidence::High))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token that GitHub gave out as an example and took back.
    #[test]
    fn the_check_of_a_token() {
        let (body, check) = ("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17");
        assert_eq!(crc32(format!("{body}{check}").as_bytes()), Some(Confidence::High));
        assert_eq!(crc32(format!("{body}0mLq18").as_bytes()), Some(Confidence::Low));
        assert_eq!(crc32(b"short"), None);
    }
}
