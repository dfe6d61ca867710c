//! Reading and writing `xn--` labels (RFC 3492), so that a domain is the same in either spelling.
//!
//! Eighty lines. The `idna` crate would bring tables of several hundred kilobytes to map and to forbid
//! characters, which matters to one who registers or looks up a name. Here names are only compared, and what does not
//! decode stays as it is.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 128;

/// Longest label in ASCII (RFC 1035 §2.3.4): decoding is quadratic in it.
const MAX_LABEL: usize = 63;

fn adapt(delta: u32, count: u32, first: bool) -> u32 {
    let mut delta = if first { delta / DAMP } else { delta / 2 };
    delta += delta / count;
    let mut k = 0;
    while delta > ((BASE - T_MIN) * T_MAX) / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

/// The text of what follows `xn--`; `None` when it is none.
fn decode(label: &str) -> Option<String> {
    if label.len() > MAX_LABEL || !label.is_ascii() {
        return None;
    }
    let (basic, extended) = label.rsplit_once('-').unwrap_or(("", label));
    let mut out: Vec<char> = basic.chars().collect();
    let (mut n, mut i, mut bias) = (INITIAL_N, 0u32, INITIAL_BIAS);
    let mut digits = extended.bytes().peekable();
    while digits.peek().is_some() {
        let before = i;
        let mut weight = 1u32;
        let mut k = BASE;
        loop {
            let digit = match digits.next()? {
                letter @ b'a'..=b'z' => u32::from(letter - b'a'),
                letter @ b'A'..=b'Z' => u32::from(letter - b'A'),
                digit @ b'0'..=b'9' => u32::from(digit - b'0') + 26,
                _ => return None,
            };
            i = i.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            k += BASE;
        }
        let count = u32::try_from(out.len()).ok()? + 1;
        bias = adapt(i - before, count, before == 0);
        n = n.checked_add(i / count)?;
        i %= count;
        out.insert(usize::try_from(i).ok()?, char::from_u32(n)?);
        i += 1;
    }
    Some(out.into_iter().collect())
}

/// What follows `xn--` for a text; `None` where it is too long for a label.
fn encode(text: &str) -> Option<String> {
    let chars: Vec<u32> = text.chars().map(u32::from).collect();
    if chars.len() > MAX_LABEL {
        return None;
    }
    let mut out: String = text.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias, mut handled) = (INITIAL_N, 0u32, INITIAL_BIAS, basic);
    while usize::try_from(handled).ok()? < chars.len() {
        let next = chars.iter().copied().filter(|c| *c >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(handled + 1)?)?;
        n = next;
        for c in &chars {
            if *c < n {
                delta = delta.checked_add(1)?;
            }
            if *c != n {
                continue;
            }
            let mut rest = delta;
            let mut k = BASE;
            loop {
                let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
                if rest < threshold {
                    break;
                }
                out.push(digit(threshold + (rest - threshold) % (BASE - threshold))?);
                rest = (rest - threshold) / (BASE - threshold);
                k += BASE;
            }
            out.push(digit(rest)?);
            bias = adapt(delta, handled + 1, handled == basic);
            delta = 0;
            handled += 1;
        }
        delta = delta.checked_add(1)?;
        n = n.checked_add(1)?;
    }
    Some(out)
}

fn digit(value: u32) -> Option<char> {
    char::from_u32(if value < 26 { u32::from('a') + value } else { u32::from('0') + value - 26 })
        .filter(|_| value < BASE)
}

/// A label in ASCII; `None` where it has no such form.
pub fn ascii_label(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.to_owned());
    }
    encode(label).map(|encoded| format!("xn--{encoded}")).filter(|label| label.len() <= MAX_LABEL)
}

/// A label in its Unicode form, lower case. What is no `xn--` label, does not decode, or decodes to something that no
/// label can be, stays.
pub fn unicode_label(label: &str) -> String {
    let lower = label.to_lowercase();
    let Some(decoded) = lower.strip_prefix("xn--").and_then(decode) else { return lower };
    let odd = |c: char| c.is_whitespace() || c.is_control() || c.is_uppercase() || ".@<>,;\"\u{3002}".contains(c);
    if decoded.is_ascii() || decoded.contains(odd) { lower } else { decoded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        for (ascii, unicode) in [
            ("xn--bcher-kva", "bücher"),
            ("XN--Bcher-KVA", "bücher"),
            ("xn--mnchen-3ya", "münchen"),
            ("xn--p1ai", "рф"),
            ("xn--r8jz45g", "例え"),
            ("xn--zckzah", "テスト"),
            ("xn--wgbl6a", "قطر"),
            ("xn--j6w193g", "香港"),
            ("xn--strae-oqa", "straße"),
            ("example", "example"),
        ] {
            assert_eq!(unicode_label(ascii), unicode);
            assert_eq!(ascii_label(unicode), Some(ascii.to_ascii_lowercase()));
        }
    }

    #[test]
    fn what_is_too_long_has_no_ascii_form() {
        assert_eq!(ascii_label(&"ü".repeat(64)), None);
        assert_eq!(ascii_label(&format!("{}ü", "a".repeat(59))), None);
        assert!(ascii_label(&format!("{}ü", "a".repeat(50))).is_some());
        for text in ["ü", "a-ü", "日本語", "ü-\u{10FFFF}", "éé", "ñandú"] {
            assert_eq!(unicode_label(&ascii_label(text).unwrap()), text);
        }
    }

    #[test]
    fn what_is_no_label_stays() {
        for label in ["xn--", "xn--a-", "xn--99999999999", "xn--\u{e9}", "xn--example-", "xn--!", "xn--a-ecp.ru"] {
            assert_eq!(unicode_label(label), label);
        }
        let long = format!("xn--{}", "a".repeat(100));
        assert_eq!(unicode_label(&long), long);
    }
}
