//! A share of all messages, by their ids.
//!
//! Invariant: whether a message is in a share depends on its id and the share alone, so each try and both flows say the same;
//! and who is in a share is in every larger one.

use std::fmt;

use sha2::{Digest, Sha256};

use super::key::MessageId;

/// Parts that all messages are split into: hundredths of a percent.
const WHOLE: u64 = 10_000;

/// A share of all messages, in steps of a hundredth of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u64);

/// Why a text is no share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a share is a percentage from 0 to 100 with at most two decimals, such as 5 or 0.25")]
pub struct ShareError;

impl Share {
    /// No message.
    pub const NONE: Self = Self(0);

    /// Read a percentage, such as `5`, `0.25` or `100`.
    pub fn percent(text: &str) -> Result<Self, ShareError> {
        let (whole, decimals) = text.split_once('.').map_or((text, "0"), |(whole, decimals)| (whole, decimals));
        let digits = |text: &str, most: usize| {
            let sound = (1..=most).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
            if sound { text.parse::<u64>().map_err(|_| ShareError) } else { Err(ShareError) }
        };
        let hundredths = digits(decimals, 2)? * if decimals.len() == 1 { 10 } else { 1 };
        let share = digits(whole, 3)? * 100 + hundredths;
        if share <= WHOLE { Ok(Self(share)) } else { Err(ShareError) }
    }

    /// Is this message one of them?
    pub fn includes(self, id: &MessageId) -> bool {
        let mut hash = Sha256::new();
        hash.update(b"mailwright share\0");
        hash.update(id.as_str().as_bytes());
        let first = hash.finalize().iter().take(8).fold(0_u64, |n, octet| n << 8 | u64::from(*octet));
        // Of 64 bits, what is left over by the division does not matter.
        first % WHOLE < self.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} %", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read() {
        for (text, share) in
            [("0", 0), ("5", 500), ("0.25", 25), ("0.5", 50), ("100", 10_000), ("007.50", 750), ("100.0", 10_000)]
        {
            assert_eq!(Share::percent(text), Ok(Share(share)), "{text}");
        }
        for text in ["", ".", "5.", ".5", "-1", "+1", "101", "100.01", "0.125", "5%", "1e2", " 5", "٥"] {
            assert_eq!(Share::percent(text), Err(ShareError), "{text}");
        }
        assert_eq!(Share(25).to_string(), "0.25 %");
    }

    #[test]
    fn a_share_is_about_as_large_as_it_says_and_grows_by_adding() {
        let ids: Vec<MessageId> =
            (0..20_000).map(|n| MessageId::new(&format!("00000000-0000-4000-8000-{n:012x}")).unwrap()).collect();
        let mut before: Vec<bool> = vec![false; ids.len()];
        for (share, about) in [(0, 0), (10, 20), (500, 1_000), (5_000, 10_000), (10_000, 20_000)] {
            let now: Vec<bool> = ids.iter().map(|id| Share(share).includes(id)).collect();
            assert!(before.iter().zip(&now).all(|(before, now)| now >= before), "{share}: somebody has left");
            let count = now.iter().filter(|is| **is).count();
            assert!(count.abs_diff(about) <= about / 5 + 10 && (about != 0 || count == 0), "{share}: {count}");
            before = now;
        }
        assert!(before.iter().all(|is| *is), "100 % are all");
    }
}
