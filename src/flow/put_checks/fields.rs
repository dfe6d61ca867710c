//! Header fields that the put looks at: which must be there, which may stand once, which must not change.
//!
//! AWS says that there are such fields and names none ("Check the returned error message for more information",
//! WorkMail API Reference, `RawMessageContent`). So each list says what it is taken from.

/// Must be there. Assumed: what RFC 5322 §3.6 demands of every message.
pub const REQUIRED: &[&str] = &["From", "Date"];

/// May stand once in the header of the message. Source: Amazon SES Developer Guide, "Amazon SES header fields". That
/// WorkMail, which words its demands as SES does, goes by the same list is assumed.
pub const ONCE: &[&str] = &[
    "Accept-Language",
    "acceptLanguage",
    "Archived-At",
    "Auto-Submitted",
    "Bounces-to",
    "Comments",
    "Content-Alternative",
    "Content-Base",
    "Content-Class",
    "Content-Description",
    "Content-Disposition",
    "Content-Duration",
    "Content-ID",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-MD5",
    "Content-Transfer-Encoding",
    "Content-Type",
    "Date",
    "Delivered-To",
    "Disposition-Notification-Options",
    "Disposition-Notification-To",
    "DKIM-Signature",
    "DomainKey-Signature",
    "Errors-To",
    "From",
    "Importance",
    "In-Reply-To",
    "Keywords",
    "List-Archive",
    "List-Help",
    "List-Id",
    "List-Owner",
    "List-Post",
    "List-Subscribe",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Message-Context",
    "Message-ID",
    "MIME-Version",
    "Organization",
    "Original-From",
    "Original-Message-ID",
    "Original-Recipient",
    "Original-Subject",
    "Precedence",
    "Priority",
    "References",
    "Reply-To",
    "Return-Path",
    "Return-Receipt-To",
    "Sender",
    "Solicitation",
    "Sensitivity",
    "Subject",
    "Thread-Index",
    "Thread-Topic",
    "User-Agent",
    "VBR-Info",
];

/// Must keep their value. Assumed: those that say who wrote what to whom and when, and those that mail servers write.
/// Known to be changeable, because AWS's own examples change them: Subject, the fields of MIME parts, new fields.
pub const FIXED: &[&str] = &[
    "From",
    "Sender",
    "To",
    "Cc",
    "Bcc",
    "Reply-To",
    "Date",
    "Message-ID",
    "References",
    "In-Reply-To",
    "Return-Path",
    "Received",
    "Received-SPF",
    "Authentication-Results",
    "MIME-Version",
    "X-SES-Spam-Verdict",
    "X-SES-Virus-Verdict",
    "X-SES-RECEIPT",
    "X-SES-DKIM-SIGNATURE",
];

/// True for a field that may stand once.
pub fn stands_once(name: &[u8]) -> bool {
    ONCE.iter().any(|once| once.as_bytes().eq_ignore_ascii_case(name))
}
