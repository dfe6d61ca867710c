//! Inputs from other inputs, by a fixed sequence of random numbers.

/// Mutated inputs are no longer than this.
const MAX_INPUT: usize = 128 * 1024;
/// What mail and rule files are made of.
const TOKENS: &[&str] = &[
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\r\n\r\n",
    " ",
    "\t",
    "\0",
    "=",
    "=\n",
    "=3D",
    "=E9",
    "--",
    "--b\r\n",
    "--b--\r\n",
    "Subject: ",
    "Content-Type: text/plain; charset=",
    "Content-Type: text/html\r\n",
    "Content-Type: multipart/mixed; boundary=b\r\n",
    "Content-Type: multipart/signed; boundary=\"b\"\r\n",
    "Content-Type: message/rfc822\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: quoted-printable\r\n",
    "Content-Transfer-Encoding: 8bit\r\n",
    "Content-Disposition: attachment; filename=x\r\n",
    "utf-8",
    "us-ascii",
    "iso-8859-1",
    "windows-1252",
    "utf-16",
    "utf-16le",
    "utf-7",
    "shift_jis",
    "gbk",
    "gb18030",
    "iso-2022-jp",
    "x-unknown",
    "\u{1b}$B",
    "\u{1b}(B",
    "é",
    "日本",
    "\u{feff}",
    "=?utf-8?Q?=C3=A9?=",
    "<html>",
    "<body>",
    "</body></html>",
    "<blockquote type=cite>",
    "<!--",
    "-->",
    "<style>",
    "</style>",
    "<div>",
    "</div>",
    "&nbsp;",
    "<table>",
    "> ",
    "-- \n",
    "From ",
    "On Monday Ann wrote:\n",
    "4111 1111 1111 1111",
    "ann@example.com",
    "spring",
    "-----BEGIN PGP MESSAGE-----\n",
    "Content-Type: text/calendar\r\n",
    "Content-Type: text/plain; format=flowed; delsp=yes; charset=",
    "Content-Type: multipart/alternative; boundary=b\r\n",
    "MIME-Version: 1.0\r\n",
    "Content-Transfer-Encoding: 7bit\r\n",
    "koi8-r",
    "big5",
    "iso-2022-kr",
    "hz-gb-2312",
    "~{",
    "\u{1b}(J",
    "+AGE-",
    "=?iso-8859-1?B?4A==?=",
    "[EXT]",
    "Re: ",
    "</blockquote>",
    "<title>",
    "<textarea>",
    "<plaintext>",
    "<svg>",
    "<![CDATA[",
    "]]>",
    "</",
    "<p title=\"",
    "'",
    "<br>",
    "&#x80;",
    "DE89 3704 0044 0532 0130 00",
    "secret-1",
    "[[rule]]\n",
    "[[rule.action]]\n",
    "[[test]]\n",
    "kind = \"append\"\n",
    "kind = \"redact\"\n",
    "name = \"",
    "when = { ",
    "any = [",
    "not = {",
    " }",
    "]",
    "\"",
    "'''",
    "{{ sender.domain }}",
    "{% if ",
    "%}",
    "regex = \"",
    "(a+)+",
    "*",
    "\\",
];

/// A linear congruential generator: the same sequence everywhere.
pub struct Random(pub u64);

impl Random {
    /// Less than `below`; 0 where that is 0.
    pub fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % below.max(1)
    }

    pub fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }

    /// So many octets at most.
    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| u8::try_from(self.below(256)).unwrap_or(0)).collect()
    }

    /// One of the seeds, changed in a few places.
    pub fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.of(seeds).clone();
        for _ in 0..=self.below(6) {
            self.mutate(&mut input, seeds);
        }
        input.truncate(MAX_INPUT);
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        match self.below(9) {
            0 => {
                let end = (at + self.below(64)).min(input.len());
                input.drain(at..end);
            }
            1 => {
                let end = (at + self.below(200)).min(input.len());
                let copy = input[at..end].to_vec();
                input.splice(at..at, copy);
            }
            2 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            3 => input.truncate(at),
            4 => {
                // Lines of another seed.
                let other = self.of(seeds);
                let start = line_start(other, self.below(other.len() + 1));
                let end = line_start(other, (start + self.below(400)).min(other.len())).max(start);
                let at = line_start(input, at);
                input.splice(at..at, other[start..end].iter().copied());
            }
            5 => {
                // A line goes, or comes twice.
                let start = line_start(input, at);
                let end = input[start..].iter().position(|b| *b == b'\n').map_or(input.len(), |n| start + n + 1);
                let line: Vec<u8> = input.drain(start..end).collect();
                let to = line_start(input, self.below(input.len() + 1));
                for _ in 0..self.below(3) {
                    input.splice(to..to, line.iter().copied());
                }
            }
            6 => {
                // All lines end another way.
                let crlf = self.below(2) == 0;
                let mut out = Vec::with_capacity(input.len());
                for byte in input.iter().filter(|b| **b != b'\r') {
                    if crlf && *byte == b'\n' {
                        out.push(b'\r');
                    }
                    out.push(*byte);
                }
                *input = out;
            }
            _ => {
                let token = *self.of(TOKENS);
                let at = if self.below(2) == 0 { line_start(input, at) } else { at };
                input.splice(at..at, token.bytes());
            }
        }
    }
}

fn line_start(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1)
}
