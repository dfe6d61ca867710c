//! What an attachment is by its content, whatever its name says: its type, the names in an archive, a password on it.
//!
//! Invariant: no more is said than the octets say. What cannot be read (a broken archive, an unknown type) is nothing.
//! Nothing is unpacked, so an archive that grows without end costs no more than its list of names.

use std::borrow::Cow;
use std::collections::HashSet;

use globset::GlobSet;
use rawzip::ZipArchive;

/// Names of one archive that are looked at.
pub const MAX_NAMES: usize = 10_000;
/// Octets from the end of a PDF or 7-Zip file in which its encryption is written down.
const TAIL: usize = 1 << 16;

/// Words for several types at once.
pub const GROUPS: &[(&str, &[&str])] = &[
    (
        "executable",
        &[
            "application/vnd.microsoft.portable-executable",
            "application/x-dosexec",
            "application/x-executable",
            "application/x-mach-binary",
            "application/java",
            "application/wasm",
            "application/vnd.android.dex",
            "application/vnd.debian.binary-package",
            "application/x-rpm",
            "text/x-shellscript",
        ],
    ),
    (
        "archive",
        &[
            "application/zip",
            "application/x-tar",
            "application/vnd.rar",
            "application/gzip",
            "application/x-bzip2",
            "application/vnd.bzip3",
            "application/x-7z-compressed",
            "application/x-xz",
            "application/vnd.ms-cab-compressed",
            "application/x-compress",
            "application/x-lzip",
            "application/zstd",
            "application/x-lz4",
            "application/x-cpio",
            "application/x-unix-archive",
            "application/x-iso9660-image",
        ],
    ),
    (
        "office",
        &[
            "application/x-ole-storage",
            "application/vnd.openxmlformats-officedocument.*",
            "application/vnd.oasis.opendocument.*",
            "application/rtf",
        ],
    ),
];

/// The media type by the first octets; `None` where they say nothing.
pub fn media_type(octets: &[u8]) -> Option<&'static str> {
    match octets {
        // Word, Excel, PowerPoint before 2007, their encrypted successors, MSI: which of them needs more than a look.
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => return Some("application/x-ole-storage"),
        // Two letters make no program: a text may begin with them.
        [b'M', b'Z', ..] => return program(octets),
        [b'#', b'!', ..] => return Some("text/x-shellscript"),
        _ if octets.get(0x8001..0x8006) == Some(b"CD001") => return Some("application/x-iso9660-image"),
        _ => {}
    }
    infer::get(octets).map(|found| found.mime_type())
}

/// A DOS program, or a Windows one where the header says so (PE format, MS-DOS stub).
fn program(octets: &[u8]) -> Option<&'static str> {
    let at = octets.get(0x3C..0x40).and_then(|place| place.try_into().ok()).map(u32::from_le_bytes);
    let signature = at.and_then(|at| usize::try_from(at).ok()).and_then(|at| octets.get(at..)?.get(..2));
    match signature {
        Some(b"PE" | b"NE" | b"LE" | b"LX") => Some("application/vnd.microsoft.portable-executable"),
        // Its header holds numbers, so octets that no text has.
        _ => octets.iter().take(0x20).any(|octet| *octet == 0).then_some("application/x-dosexec"),
    }
}

/// The file names in a ZIP archive and in what is one (Office, JAR, APK): those of its list, and those that stand before the
/// files themselves. Programs unpack by either, and by the second where the list is cut off. Names that are not UTF-8 are
/// read as Latin-1.
pub fn names(octets: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let text = |name: &[u8]| match String::from_utf8_lossy(name) {
        Cow::Borrowed(name) => name.to_owned(),
        Cow::Owned(_) => name.iter().map(|octet| char::from(*octet)).collect(),
    };
    zip_entries(octets, |entry| names.push(text(entry.file_path().as_bytes())));
    let listed: HashSet<String> = names.iter().cloned().collect();
    let others = local_headers(octets).map(|header| text(header.name)).filter(|name| !listed.contains(name));
    names.extend(others);
    names.truncate(MAX_NAMES);
    names
}

/// Is one of the names, or the last piece of its path, among these?
pub fn holds_name(names: &[String], globs: &GlobSet) -> bool {
    names.iter().any(|name| {
        let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
        // QUIRK: Windows drops dots and blanks at the end of a name, so `a.exe. ` runs.
        let bare = last.trim_end_matches(['.', ' ']);
        globs.is_match(name) || globs.is_match(last) || globs.is_match(bare)
    })
}

/// What stands before a file in an archive (APPNOTE.TXT §4.3.7).
struct LocalHeader<'o> {
    flags: u16,
    name: &'o [u8],
}

/// Those of an archive that begins as one, in order. Where an archive lies in it as it is, its own are among them.
fn local_headers(octets: &[u8]) -> impl Iterator<Item = LocalHeader<'_>> {
    const SIGNATURE: &[u8] = b"PK\x03\x04";
    let archive = if octets.starts_with(b"PK") { octets } else { &[] };
    let header = |at: usize| {
        let number = |from: usize| {
            let number = archive.get(at + from..at + from + 2)?;
            Some(u16::from_le_bytes(number.try_into().ok()?))
        };
        let length = usize::from(number(26)?);
        let name = archive.get(at + 30..at + 30 + length).filter(|name| !name.is_empty())?;
        Some(LocalHeader { flags: number(6)?, name })
    };
    memchr::memmem::find_iter(archive, SIGNATURE).filter_map(header).take(MAX_NAMES)
}

/// Does it take a password to read it, as far as can be told: ZIP, RAR and 7-Zip with encrypted names, PDF, Office?
pub fn is_locked(octets: &[u8]) -> bool {
    let tail = octets.get(octets.len().saturating_sub(TAIL)..).unwrap_or_default();
    let tail_holds = |needle: &[u8]| memchr::memmem::find(tail, needle).is_some();
    match octets {
        [b'P', b'K', ..] => {
            let mut locked = false;
            zip_entries(octets, |entry| {
                locked |= entry.flags().is_encrypted() || entry.flags().has_strong_encryption();
            });
            // Bits 0 and 6 (APPNOTE.TXT §4.4.4).
            locked || local_headers(octets).any(|header| header.flags & 0x41 != 0)
        }
        // RAR 4: MAIN_HEAD with encrypted headers, or a first file with a password. RAR 5: an encryption header first.
        [b'R', b'a', b'r', b'!', 0x1A, 0x07, 0x00, _, _, 0x73, low, ..] => {
            low & 0x80 != 0 || rar4_file_is_locked(octets)
        }
        [b'R', b'a', b'r', b'!', 0x1A, 0x07, 0x01, 0x00, _, _, _, _, _, 0x04, ..] => true,
        // The id of AES-256 with SHA-256, in the header at the end.
        [b'7', b'z', 0xBC, 0xAF, 0x27, 0x1C, ..] => tail_holds(&[0x06, 0xF1, 0x07, 0x01]),
        // ISO 32000-1 §7.5.5: the trailer's Encrypt entry. A cross-reference stream has it before its data.
        [b'%', b'P', b'D', b'F', b'-', ..] => memchr::memmem::find(octets, b"/Encrypt").is_some(),
        // MS-OFFCRYPTO §2.3: the stream in which an encrypted Office file lies, its name in UTF-16.
        [0xD0, 0xCF, 0x11, 0xE0, ..] => memchr::memmem::find(octets, &utf16("EncryptedPackage")).is_some(),
        _ => false,
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The header behind the main header of RAR 4: a file (0x74) with the password flag.
fn rar4_file_is_locked(octets: &[u8]) -> bool {
    let main = octets.get(7..).unwrap_or_default();
    let size = main.get(5..7).and_then(|size| size.try_into().ok()).map_or(0, u16::from_le_bytes);
    matches!(main.get(usize::from(size)..), Some([_, _, 0x74, low, ..]) if low & 0x04 != 0)
}

fn zip_entries(octets: &[u8], mut see: impl FnMut(&rawzip::ZipFileHeaderRecord<'_>)) {
    let Ok(archive) = ZipArchive::from_slice(octets) else { return };
    let mut entries = archive.entries();
    for _ in 0..MAX_NAMES {
        match entries.next_entry() {
            Ok(Some(entry)) => see(&entry),
            _ => return,
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A ZIP archive of empty, stored files (APPNOTE.TXT §4.3), each with these general purpose flags.
    pub fn zip(names: &[&str], flags: u16) -> Vec<u8> {
        let (mut local, mut central) = (Vec::new(), Vec::new());
        let fixed = |name: &str| {
            let length = u16::try_from(name.len()).unwrap().to_le_bytes();
            // Version, flags, stored, time, date, CRC and both sizes 0, lengths of name and extra field.
            [&[20, 0][..], &flags.to_le_bytes(), &[0; 18], &length, &[0, 0]].concat()
        };
        for name in names {
            let at = u32::try_from(local.len()).unwrap().to_le_bytes();
            central.extend([&b"PK\x01\x02\x14\0"[..], &fixed(name), &[0; 10], &at, name.as_bytes()].concat());
            local.extend([&b"PK\x03\x04"[..], &fixed(name), name.as_bytes()].concat());
        }
        let count = u16::try_from(names.len()).unwrap().to_le_bytes();
        let sizes = [central.len(), local.len()].map(|n| u32::try_from(n).unwrap().to_le_bytes());
        [&local[..], &central, b"PK\x05\x06\0\0\0\0", &count, &count, &sizes[0], &sizes[1], &[0, 0]].concat()
    }

    #[test]
    fn types_by_content() {
        let mut pe = [0; 0x90];
        pe[..2].copy_from_slice(b"MZ");
        pe[0x3C] = 0x80;
        pe[0x80..0x84].copy_from_slice(b"PE\0\0");
        for (octets, want) in [
            (&pe[..], Some("application/vnd.microsoft.portable-executable")),
            (b"MZ\x90\0\x03\0", Some("application/x-dosexec")),
            (b"MZ is how this text begins, and it is no program", None),
            (b"#!/bin/sh\n", Some("text/x-shellscript")),
            (b"%PDF-1.7\n", Some("application/pdf")),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1rest", Some("application/x-ole-storage")),
            (b"\x89PNG\r\n\x1a\n", Some("image/png")),
            (&zip(&["a.txt"], 0), Some("application/zip")),
            (b"hello", None),
            (b"", None),
        ] {
            assert_eq!(media_type(octets), want);
        }
    }

    #[test]
    fn names_in_archives() {
        assert_eq!(names(&zip(&["a/b.txt", "run.EXE"], 0)), ["a/b.txt", "run.EXE"]);
        assert_eq!(names(b"PK\x03\x04 broken"), Vec::<String>::new());
        // Without its list, as some programs unpack it.
        let mut cut = zip(&["a.txt", "run.exe"], 0);
        cut.truncate(cut.len() - 30);
        assert_eq!(names(&cut), ["a.txt", "run.exe"]);
        // Another name in the list than before the file.
        let mut other = zip(&["run.exe"], 0);
        let listed = other.len() - 22 - 7;
        other[listed..listed + 7].copy_from_slice(b"run.txt");
        assert_eq!(names(&other), ["run.txt", "run.exe"]);
        assert_eq!(names(&[b"MZ".as_slice(), &zip(&["a.txt"], 0)].concat()), ["a.txt"]);
    }

    #[test]
    fn names_as_windows_takes_them() {
        let globs = GlobSet::builder().add(globset::Glob::new("*.exe").unwrap()).build().unwrap();
        for (name, want) in
            [("a/b.exe", true), ("b.exe. .", true), ("a\\b.exe ", true), ("b.exe.txt", false), ("...", false)]
        {
            assert_eq!(holds_name(&[name.to_owned()], &globs), want, "{name}");
        }
    }

    #[test]
    fn passwords() {
        assert!(is_locked(&zip(&["a.txt"], 1)));
        assert!(!is_locked(&zip(&["a.txt"], 0)));
        let locked = zip(&["a.txt"], 1);
        assert!(is_locked(&locked[..locked.len() - 40]), "without its list");
        assert!(is_locked(b"%PDF-1.7\ntrailer << /Encrypt 5 0 R >>"));
        assert!(!is_locked(b"%PDF-1.7\ntrailer << /Root 1 0 R >>"));
        let mut office = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
        assert!(!is_locked(&office));
        office.extend(utf16("EncryptedPackage"));
        assert!(is_locked(&office));
        let rar4 = |main: u8, file: u8| {
            [b"Rar!\x1A\x07\0\0\0\x73".as_slice(), &[main, 0, 13, 0, 0, 0, 0, 0, 0, 0], &[0, 0, 0x74, file, 0]].concat()
        };
        assert!(is_locked(&rar4(0x80, 0)));
        assert!(is_locked(&rar4(0, 4)));
        assert!(!is_locked(&rar4(0, 0)));
        assert!(is_locked(b"Rar!\x1A\x07\x01\0crc4\x0D\x04\0\0"));
        assert!(is_locked(b"7z\xBC\xAF\x27\x1C....\x06\xF1\x07\x01"));
        assert!(!is_locked(b"hello"));
    }

    #[test]
    fn a_list_without_end_is_cut() {
        let many: Vec<String> = (0..MAX_NAMES + 5).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(names(&zip(&many, 0)).len(), MAX_NAMES);
    }
}
