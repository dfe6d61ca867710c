//! Addresses of hosts and devices: IPv4, IPv6, MAC.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::super::Confidence;
use super::super::catalog::{Find, Spec};
use super::super::digits::Group;
use super::super::literals::run;
use super::super::numbers::Read;

const WORDS: &[&str] = &[
    "ip",
    "ips",
    "ipv4",
    "ipv6",
    "address",
    "host",
    "server",
    "gateway",
    "dns",
    "ping",
    "client",
    "login from",
    "adresse",
];

/// Detectors of addresses.
pub const DETECTORS: &[Spec] = &[
    Spec {
        name: "ipv4",
        label: "IP",
        groups: &["network", "ip"],
        doc: "public IPv4 addresses",
        keywords: WORDS,
        find: Find::AtDigits(public_v4),
    },
    Spec {
        name: "ipv6",
        label: "IP",
        groups: &["network", "ip"],
        doc: "public IPv6 addresses",
        keywords: WORDS,
        find: Find::AtDigits(public_v6),
    },
    Spec {
        name: "private-ip",
        label: "IP",
        groups: &["network", "ip"],
        doc: "IP addresses of private networks, of the link and of the host itself",
        keywords: WORDS,
        find: Find::AtDigits(private),
    },
    Spec {
        name: "mac",
        label: "MAC",
        groups: &["network"],
        doc: "hardware addresses",
        keywords: &["mac", "mac address", "ethernet", "hardware address", "bssid", "wlan", "wifi", "physical address"],
        find: Find::AtDigits(mac),
    },
];

/// Longest text of an IPv6 address (RFC 4291 §2.2).
const MAX_V6: usize = 45;
/// How far back a word stands that makes four numbers a version, in bytes.
const VERSION: usize = 24;

fn byte(bytes: &[u8], at: Option<usize>) -> u8 {
    at.and_then(|at| bytes.get(at)).copied().unwrap_or(b' ')
}

fn v4(bytes: &[u8], group: Group) -> Option<(Range<usize>, Ipv4Addr)> {
    if group.len() > 3 || bytes.get(group.end) != Some(&b'.') {
        return None;
    }
    let before = byte(bytes, group.start.checked_sub(1));
    if before.is_ascii_alphanumeric() || b".-_+".contains(&before) {
        return None;
    }
    let length = run(bytes, group.start, 16, |b| b.is_ascii_digit() || b == b'.');
    let text = bytes.get(group.start..group.start + length)?;
    let text = text.strip_suffix(b".").unwrap_or(text);
    let end = group.start + text.len();
    let (next, behind) = (byte(bytes, Some(end)), byte(bytes, Some(end + 1)));
    let goes_on =
        next.is_ascii_alphanumeric() || next == b'_' || (b".-".contains(&next) && behind.is_ascii_alphanumeric());
    let address: Ipv4Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
    let window = bytes.get(group.start.saturating_sub(VERSION)..group.start)?;
    let line = memchr::memrchr(b'\n', window).map_or(window, |end| window.get(end..).unwrap_or_default());
    let window = line.to_ascii_lowercase();
    let version =
        [&b"version"[..], b"ver.", b"ver ", b"release", b"build", b"firmware", b"driver", b"update to", b"section"]
            .iter()
            .any(|word| memchr::memmem::find(&window, word).is_some());
    (!goes_on && !version && !address.is_unspecified() && !address.is_broadcast())
        .then_some((group.start..end, address))
}

/// `fe80::1`, `2001:db8::8a2e:370:7334`: the hex digits and colons round the digits.
fn v6(bytes: &[u8], group: Group) -> Option<(Range<usize>, Ipv6Addr)> {
    let part_of_v6 = |at: Option<usize>| b':' == byte(bytes, at) || byte(bytes, at).is_ascii_hexdigit();
    if group.len() > 4 || !(part_of_v6(Some(group.end)) || part_of_v6(group.start.checked_sub(1))) {
        return None;
    }
    let part_of = |b: u8| b.is_ascii_hexdigit() || b == b':';
    let window = bytes.get(group.start.saturating_sub(MAX_V6)..group.start)?;
    let back = window.iter().rev().position(|&b| !part_of(b)).unwrap_or(window.len());
    // The first digits of a token only: the others have been looked at.
    if window.get(window.len() - back..)?.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let start = group.start - back;
    let length = run(bytes, start, MAX_V6 + 1, |b| part_of(b) || b == b'.');
    let text = bytes.get(start..start + length)?;
    let text = text
        .strip_suffix(b".")
        .or_else(|| text.strip_suffix(b":").filter(|text| !text.ends_with(b":")))
        .unwrap_or(text);
    if memchr::memchr_iter(b':', text).count() < 2 {
        return None;
    }
    let (before, next) = (byte(bytes, start.checked_sub(1)), byte(bytes, Some(start + text.len())));
    let address: Ipv6Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
    let groups = text.split(|&b| b == b':').filter(|group| !group.is_empty()).count();
    let apart =
        !before.is_ascii_alphanumeric() && !b".-_:".contains(&before) && !next.is_ascii_alphanumeric() && next != b'_';
    (apart && (groups >= 3 || address.is_loopback())).then_some((start..start + text.len(), address))
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || (first == 100 && (64..128).contains(&second))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
}

/// Four small numbers are as often a section or a version.
fn sure(address: Ipv4Addr) -> Confidence {
    if address.octets().iter().all(|&octet| octet < 20) { Confidence::Low } else { Confidence::Medium }
}

fn public_v4(bytes: &[u8], group: Group) -> Option<Read> {
    let (range, address) = v4(bytes, group)?;
    (!is_private_v4(address)).then_some(Read {
        range,
        alone: Some(sure(address)),
        near: Confidence::High,
        elsewhere: false,
    })
}

fn public_v6(bytes: &[u8], group: Group) -> Option<Read> {
    let (range, address) = v6(bytes, group)?;
    (!is_private_v6(address)).then_some(Read {
        range,
        alone: Some(Confidence::Medium),
        near: Confidence::High,
        elsewhere: false,
    })
}

fn private(bytes: &[u8], group: Group) -> Option<Read> {
    let found =
        v4(bytes, group).filter(|(_, address)| is_private_v4(*address)).map(|(range, address)| (range, sure(address)));
    let found = found.or_else(|| {
        let (range, _) = v6(bytes, group).filter(|(_, address)| is_private_v6(*address))?;
        Some((range, Confidence::Medium))
    });
    found.map(|(range, sure)| Read { range, alone: Some(sure), near: Confidence::High, elsewhere: false })
}

/// Six pairs of hex digits parted by colons or dashes, or three groups of four parted by dots.
fn mac(bytes: &[u8], group: Group) -> Option<Read> {
    let touches = |at: Option<usize>| byte(bytes, at).is_ascii_hexdigit() || b":-.".contains(&byte(bytes, at));
    if group.len() > 4 || !(touches(Some(group.end)) || touches(group.start.checked_sub(1))) {
        return None;
    }
    let part_of = |b: u8| b.is_ascii_hexdigit() || b":-.".contains(&b);
    let window = bytes.get(group.start.saturating_sub(18)..group.start)?;
    let back = window.iter().rev().position(|&b| !part_of(b)).unwrap_or(window.len());
    if window.get(window.len() - back..)?.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let start = group.start - back;
    let length = run(bytes, start, 19, part_of);
    let text = bytes.get(start..start + length)?;
    let text = text.strip_suffix(b".").unwrap_or(text);
    let (before, next) = (byte(bytes, start.checked_sub(1)), byte(bytes, Some(start + text.len())));
    if before.is_ascii_alphanumeric() || next.is_ascii_alphanumeric() {
        return None;
    }
    let pairs = |sign: u8, width: usize, count: usize| {
        text.split(|&b| b == sign).all(|part| part.len() == width) && text.split(|&b| b == sign).count() == count
    };
    let dotted = pairs(b'.', 4, 3);
    if !pairs(b':', 2, 6) && !pairs(b'-', 2, 6) && !dotted {
        return None;
    }
    let digits: Vec<u8> = text.iter().copied().filter(u8::is_ascii_hexdigit).collect();
    let letters = digits.iter().any(u8::is_ascii_alphabetic);
    // `10-11-12-13-14-15` and `2024.1101.1200` may be anything.
    let alone = if dotted || (pairs(b'-', 2, 6) && !letters) { Confidence::Low } else { Confidence::Medium };
    let varied = !super::super::check::is_one_character(&digits);
    varied.then_some(Read {
        range: start..start + text.len(),
        alone: Some(alone),
        near: Confidence::High,
        elsewhere: false,
    })
}
