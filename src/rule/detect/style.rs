//! What stands in place of a find. ASCII only, so that every charset can hold it; nothing that a detector finds again.

/// How a find is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `[CARD]`: the kind of data in brackets.
    Label,
    /// Every digit and letter becomes `*` but the last so many; separators stay: `**** **** **** 1111`. Character for
    /// character, so that a mask can be laid over text that is split by markup. At most half of the digits and letters
    /// are kept, however many are asked for.
    KeepLast(usize),
}

impl Style {
    /// What stands in place of `text`, found by a detector with that label ([`super::DetectorSet::label`]).
    pub fn mask(self, label: &str, text: &str) -> String {
        match self {
            Self::Label => format!("[{label}]"),
            Self::KeepLast(keep) => {
                let count = text.chars().filter(|c| c.is_alphanumeric()).count();
                let mut hidden = count - keep.min(count / 2);
                text.chars()
                    .map(|c| {
                        if hidden > 0 && c.is_alphanumeric() {
                            hidden -= 1;
                            '*'
                        } else {
                            c
                        }
                    })
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        assert_eq!(Style::Label.mask("CARD", "4111 1111 1111 1111"), "[CARD]");
    }

    #[test]
    fn the_last_ones_stay_and_so_do_separators() {
        for (keep, text, want) in [
            (4, "4111 1111 1111 1111", "**** **** **** 1111"),
            (4, "4111-1111\u{a0}1111.1111", "****-****\u{a0}****.1111"),
            (4, "123-45-6789", "***-**-6789"),
            (0, "DE89 3704", "**** ****"),
            (4, "١٢٣٤٥٦٧٨", "****٥٦٧٨"),
            (3, "ann@example.com", "***@*******.com"),
        ] {
            assert_eq!(Style::KeepLast(keep).mask("CARD", text), want);
        }
    }

    #[test]
    fn never_more_than_half_stays() {
        assert_eq!(Style::KeepLast(100).mask("CARD", "4111111111111111"), "********11111111");
        assert_eq!(Style::KeepLast(4).mask("REDACTED", "A1"), "*1");
        assert_eq!(Style::KeepLast(4).mask("REDACTED", "A"), "*");
    }
}
