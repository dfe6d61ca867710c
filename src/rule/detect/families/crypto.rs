//! Addresses and keys of crypto currencies, by their check sums.

use sha2::{Digest, Sha256};

use super::super::Confidence;
use super::super::catalog::{Find, Spec};
use super::super::check::base36;

const GROUPS: &[&str] = &["crypto", "financial"];
const WORDS: &[&str] = &["wallet", "address", "ethereum", "eth", "crypto", "erc20", "usdt", "send to", "deposit", "0x"];

/// Detectors of crypto currencies.
pub const DETECTORS: &[Spec] = &[
    Spec {
        name: "bitcoin",
        label: "BITCOIN",
        groups: GROUPS,
        doc: "Bitcoin addresses, of SegWit and before",
        keywords: &[],
        find: Find::Word(bitcoin),
    },
    Spec {
        name: "litecoin",
        label: "LITECOIN",
        groups: GROUPS,
        doc: "Litecoin addresses",
        keywords: &[],
        find: Find::Word(litecoin),
    },
    Spec { name: "tron", label: "TRON", groups: GROUPS, doc: "Tron addresses", keywords: &[], find: Find::Word(tron) },
    Spec {
        name: "ethereum",
        label: "ETHEREUM",
        groups: GROUPS,
        doc: "Ethereum addresses; in mixed case with the check sum of EIP-55",
        keywords: WORDS,
        find: Find::Word(ethereum),
    },
    Spec {
        name: "bitcoin-key",
        label: "BITCOIN-KEY",
        groups: &["crypto", "secrets"],
        doc: "private keys of Bitcoin wallets",
        keywords: &[],
        find: Find::Word(bitcoin_key),
    },
];

/// How sure alone and near a keyword.
type Sure = Option<(Option<Confidence>, Confidence)>;

const SURE: Sure = Some((Some(Confidence::High), Confidence::High));

/// Base58 with a check sum: the bytes before it. Words are short, so the square time does not hurt.
fn base58check(word: &[u8]) -> Option<Vec<u8>> {
    const DIGITS: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes: Vec<u8> = Vec::with_capacity(90);
    for c in word {
        let mut carry = DIGITS.iter().position(|digit| digit == c)?;
        for byte in &mut bytes {
            carry += usize::from(*byte) * 58;
            *byte = u8::try_from(carry & 0xFF).ok()?;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push(u8::try_from(carry & 0xFF).ok()?);
            carry >>= 8;
        }
    }
    bytes.extend(word.iter().take_while(|&&c| c == b'1').map(|_| 0));
    bytes.reverse();
    let check = bytes.split_off(bytes.len().checked_sub(4)?);
    let sum = Sha256::digest(Sha256::digest(&bytes));
    (sum.get(..4) == Some(check.as_slice())).then_some(bytes)
}

/// BIP 173 and BIP 350.
fn bech32(word: &[u8], prefix: &[u8]) -> bool {
    const DIGITS: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATOR: [u32; 5] = [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3];
    let lower = word.to_ascii_lowercase();
    if lower != word && word.iter().any(u8::is_ascii_lowercase) {
        return false;
    }
    let Some(data) = lower.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(b"1")) else { return false };
    let step = |check: u32, value: u32| {
        let top = check >> 25;
        let next = (check & 0x1FF_FFFF) << 5 ^ value;
        GENERATOR
            .iter()
            .enumerate()
            .fold(next, |next, (bit, generator)| if top >> bit & 1 == 1 { next ^ generator } else { next })
    };
    let high = prefix.iter().map(|c| u32::from(c >> 5));
    let low = prefix.iter().map(|c| u32::from(c & 31));
    let check = high.chain([0]).chain(low).fold(1, step);
    let data = data.iter().try_fold(check, |check, c| {
        Some(step(check, u32::try_from(DIGITS.iter().position(|digit| digit == c)?).ok()?))
    });
    matches!(data, Some(1 | 0x2BC8_30A3))
}

fn versioned(word: &[u8], length: std::ops::RangeInclusive<usize>, versions: &[u8], size: usize) -> bool {
    length.contains(&word.len())
        && base58check(word)
            .is_some_and(|bytes| bytes.len() == size && bytes.first().is_some_and(|v| versions.contains(v)))
}

fn bitcoin(word: &[u8]) -> Sure {
    let old = matches!(word.first(), Some(b'1' | b'3')) && versioned(word, 25..=35, &[0, 5], 21);
    (old || ((42..=62).contains(&word.len()) && bech32(word, b"bc"))).then_some(SURE)?
}

fn litecoin(word: &[u8]) -> Sure {
    let old = matches!(word.first(), Some(b'L' | b'M')) && versioned(word, 33..=34, &[0x30, 0x32], 21);
    (old || ((43..=63).contains(&word.len()) && bech32(word, b"ltc"))).then_some(SURE)?
}

fn tron(word: &[u8]) -> Sure {
    (word.first() == Some(&b'T') && versioned(word, 34..=34, &[0x41], 21)).then_some(SURE)?
}

/// Wallet import format (a key of 32 bytes, compressed or not) and extended keys (BIP 32).
fn bitcoin_key(word: &[u8]) -> Sure {
    let wif = matches!(word.first(), Some(b'5' | b'K' | b'L'))
        && (versioned(word, 51..=51, &[0x80], 33) || versioned(word, 52..=52, &[0x80], 34));
    let extended = word.starts_with(b"xprv") && versioned(word, 100..=113, &[4], 78);
    (wif || extended).then_some(SURE)?
}

/// EIP-55: an upper-case letter where the hash of the address in lower case has a digit of 8 or more.
fn ethereum(word: &[u8]) -> Sure {
    let address =
        word.strip_prefix(b"0x").filter(|address| address.len() == 40 && address.iter().all(u8::is_ascii_hexdigit))?;
    let lower = address.to_ascii_lowercase();
    if address.iter().all(u8::is_ascii_digit) || super::super::check::entropy(&lower) < 2.5 {
        return None;
    }
    if lower == address || address.to_ascii_uppercase() == address {
        return Some((Some(Confidence::Medium), Confidence::High));
    }
    let hash = keccak256(&lower);
    let fits = address.iter().enumerate().filter(|(_, c)| c.is_ascii_alphabetic()).all(|(place, c)| {
        let byte = hash.get(place / 2).copied().unwrap_or_default();
        let nibble = if place % 2 == 0 { byte >> 4 } else { byte & 15 };
        (nibble >= 8) == c.is_ascii_uppercase() && base36(*c).is_some()
    });
    fits.then_some(SURE)?
}

/// Keccak-256 as Ethereum uses it (the padding of before FIPS 202), for less than one block of 136 bytes.
fn keccak256(message: &[u8]) -> [u8; 32] {
    const ROUNDS: [u64; 24] = [
        0x0000_0000_0000_0001,
        0x0000_0000_0000_8082,
        0x8000_0000_0000_808A,
        0x8000_0000_8000_8000,
        0x0000_0000_0000_808B,
        0x0000_0000_8000_0001,
        0x8000_0000_8000_8081,
        0x8000_0000_0000_8009,
        0x0000_0000_0000_008A,
        0x0000_0000_0000_0088,
        0x0000_0000_8000_8009,
        0x0000_0000_8000_000A,
        0x0000_0000_8000_808B,
        0x8000_0000_0000_008B,
        0x8000_0000_0000_8089,
        0x8000_0000_0000_8003,
        0x8000_0000_0000_8002,
        0x8000_0000_0000_0080,
        0x0000_0000_0000_800A,
        0x8000_0000_8000_000A,
        0x8000_0000_8000_8081,
        0x8000_0000_0000_8080,
        0x0000_0000_8000_0001,
        0x8000_0000_8000_8008,
    ];
    const ROTATIONS: [u32; 24] =
        [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];
    const LANES: [usize; 24] = [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];
    const RATE: usize = 136;
    let mut block = [0u8; RATE];
    for (to, from) in block.iter_mut().zip(message.iter().take(RATE - 1)) {
        *to = *from;
    }
    if let Some(end) = block.get_mut(message.len().min(RATE - 1)) {
        *end ^= 1;
    }
    if let Some(last) = block.last_mut() {
        *last ^= 0x80;
    }
    let mut state = [0u64; 25];
    for (lane, bytes) in state.iter_mut().zip(block.chunks_exact(8)) {
        *lane = bytes.iter().rev().fold(0, |lane, &byte| lane << 8 | u64::from(byte));
    }
    #[expect(clippy::indexing_slicing, reason = "constant indices below 25")]
    for round in ROUNDS {
        let mut columns = [0u64; 5];
        for (x, column) in columns.iter_mut().enumerate() {
            *column = (0..5).fold(0, |sum, y| sum ^ state[x + 5 * y]);
        }
        for x in 0..5 {
            let mixed = columns[(x + 4) % 5] ^ columns[(x + 1) % 5].rotate_left(1);
            for y in 0..5 {
                state[x + 5 * y] ^= mixed;
            }
        }
        let mut lane = state[1];
        for (place, rotation) in LANES.into_iter().zip(ROTATIONS) {
            let next = state[place];
            state[place] = lane.rotate_left(rotation);
            lane = next;
        }
        for row in state.chunks_exact_mut(5) {
            let old = [row[0], row[1], row[2], row[3], row[4]];
            for x in 0..5 {
                row[x] = old[x] ^ (!old[(x + 1) % 5] & old[(x + 2) % 5]);
            }
        }
        state[0] ^= round;
    }
    let mut hash = [0u8; 32];
    for (bytes, lane) in hash.chunks_exact_mut(8).zip(state) {
        bytes.copy_from_slice(&lane.to_le_bytes());
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::hex;

    #[test]
    fn keccak_of_nothing_and_of_a_word() {
        assert_eq!(hex(&keccak256(b"")), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
        assert_eq!(hex(&keccak256(b"abc")), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    }

    /// Examples of the Bitcoin wiki, of BIP 173, BIP 350 and EIP-55.
    #[test]
    fn published_addresses() {
        for address in [
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
            "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        ] {
            assert_eq!(bitcoin(address.as_bytes()), SURE, "{address}");
            let mut wrong = address.to_owned();
            let last = wrong.pop().unwrap();
            wrong.push(if last == '4' { '5' } else { '4' });
            assert_eq!(bitcoin(wrong.as_bytes()), None, "{wrong}");
        }
        for address in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            assert_eq!(ethereum(address.as_bytes()), SURE, "{address}");
            assert_eq!(ethereum(address.replace('E', "e").replace("7b", "7B").as_bytes()), None, "{address}");
        }
        assert_eq!(bitcoin_key(b"5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"), SURE);
        assert_eq!(tron(b"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"), SURE);
        assert_eq!(litecoin(b"LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz"), SURE);
    }
}
