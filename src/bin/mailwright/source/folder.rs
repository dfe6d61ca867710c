//! Folders, read with all that is below them, in the order of names.
//!
//! What counts as a message: `*.eml`; each message of `*.mbox`; every entry of a Maildir's `cur` and `new`; and a file
//! without an extension whose first line is a header field or an mbox `From ` line; each also with `.gz` behind its name,
//! as gzip packs it. All else is passed over and
//! counted, as are dot files and symbolic links to folders (a link to a file is read).

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::{Finds, SourceError, add_file, add_mbox, first_octets, has_extension, mbox, unpacked};

/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 200;

/// Find the messages below `root`.
pub fn find(root: &Path, finds: &mut Finds) -> Result<(), SourceError> {
    // Of entries of one folder, paths are in the order of names.
    let by_name = |a: &DirEntry, b: &DirEntry| a.path().as_os_str().cmp(b.path().as_os_str());
    let entries = WalkDir::new(root).max_depth(MAX_DEPTH).sort_by(by_name).into_iter().filter_entry(is_entered);
    // The folder of the file before, and whether it is one of a Maildir.
    let mut folder = (PathBuf::new(), false);
    for entry in entries {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(root).to_owned();
            let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
            SourceError::new("cannot read", &path, why, "make it readable, or leave it out")
        })?;
        let path = entry.path();
        if entry.file_type().is_dir() {
            continue;
        }
        // Follows a link. One that leads nowhere is a path that cannot be read.
        let is_file =
            entry.file_type().is_file() || fs::metadata(path).map_err(|e| SourceError::io(path, &e))?.is_file();
        if !is_file || is_hidden(entry.file_name()) {
            finds.passed_over += 1;
            continue;
        }
        let relative = path.strip_prefix(root).unwrap_or(path);
        let file = File::open(path).map_err(|e| SourceError::io(path, &e))?;
        if let Some(parent) = path.parent().filter(|parent| *parent != folder.0) {
            folder = (parent.to_owned(), holds_maildir(parent));
        }
        let maildir = folder.1;
        // The entries of a Maildir keep their names, packed or not.
        let relative = if maildir { relative.to_owned() } else { unpacked(relative) };
        if maildir || has_extension(&relative, "eml") {
            add_file(path, relative, finds);
        } else if has_extension(&relative, "mbox") {
            add_mbox(path, &relative, finds)?;
        } else if relative.extension().is_none() {
            let start = first_octets(path, file)?;
            if mbox::begins(&start) {
                add_mbox(path, &relative, finds)?;
            } else if begins_with_field(&start) {
                add_file(path, relative, finds);
            } else {
                finds.passed_over += 1;
            }
        } else {
            finds.passed_over += 1;
        }
    }
    Ok(())
}

/// Dot folders are not entered, but for the folders of a Maildir (Maildir++: `.Sent`); nor is a Maildir's `tmp`, which
/// holds what is still being delivered.
fn is_entered(entry: &DirEntry) -> bool {
    if entry.depth() == 0 || !entry.file_type().is_dir() {
        return true;
    }
    let path = entry.path();
    if entry.file_name() == "tmp" {
        return !path.parent().is_some_and(is_maildir);
    }
    !is_hidden(entry.file_name()) || is_maildir(path)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn is_maildir(folder: &Path) -> bool {
    folder.join("cur").is_dir() && folder.join("new").is_dir()
}

/// True for `cur` and `new` of a Maildir, also where one of them was given by name.
fn holds_maildir(folder: &Path) -> bool {
    let whole = folder.canonicalize();
    let folder = whole.as_deref().unwrap_or(folder);
    matches!(folder.file_name().and_then(OsStr::to_str), Some("cur" | "new")) && folder.parent().is_some_and(is_maildir)
}

/// A field name and a colon (RFC 5322 §2.2).
fn begins_with_field(start: &[u8]) -> bool {
    let name = start.iter().take_while(|b| b.is_ascii_graphic() && **b != b':').count();
    name > 0 && start.get(name) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn write(folder: &Path, name: &str, content: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn found(root: &Path) -> (Vec<PathBuf>, usize) {
        let mut finds = Finds::default();
        find(root, &mut finds).unwrap();
        (finds.messages.into_iter().map(|m| m.relative).collect(), finds.passed_over)
    }

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn mail_is_taken_in_order_and_the_rest_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in
            ["b/2.eml", "b/1.EML", "a b.eml", "MANIFEST.tsv", "README.md", "gen.py", ".hidden.eml", ".git/x.eml"]
        {
            write(root, name, "Subject: x\n\n");
        }
        write(root, "17", "Subject: MH\n\n");
        write(root, "LICENSE", "Permission is hereby granted\n");
        write(root, "list.mbox", "From a\nSubject: x\n\n");
        assert_eq!(found(root), (paths(&["17", "a b.eml", "b/1.EML", "b/2.eml", "list.mbox/000001.eml"]), 5));
    }

    #[test]
    fn packed_files_are_what_they_are_unpacked() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (name, content) in [
            ("a.eml.gz", "Subject: a\n\n"),
            ("list.mbox.gz", "From a 10:00\nSubject: 1\n\nx\n\nFrom b 10:00\nSubject: 2\n\n>From y\n"),
            ("b.gz", "Subject: b\n\n"),
            ("sent.gz", "From a 10:00\nSubject: 3\n\n"),
            ("notes.txt.gz", "Subject: no\n\n"),
            ("box/cur/1:2,Z", "Subject: 4\n\n"),
        ] {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(content.as_bytes()).unwrap();
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), packer.finish().unwrap()).unwrap();
        }
        fs::create_dir_all(root.join("box/new")).unwrap();
        let mut finds = Finds::default();
        find(root, &mut finds).unwrap();
        let all: Vec<_> = finds.messages.iter().map(|m| (m.relative.clone(), m.read().unwrap())).collect();
        let wanted = [
            ("a.eml", "Subject: a\n\n"),
            ("b", "Subject: b\n\n"),
            ("box/cur/1:2,Z", "Subject: 4\n\n"),
            ("list.mbox/000001.eml", "Subject: 1\n\nx\n"),
            ("list.mbox/000002.eml", "Subject: 2\n\nFrom y\n"),
            ("sent/000001.eml", "Subject: 3\n"),
        ];
        assert_eq!(all, wanted.map(|(name, content)| (PathBuf::from(name), content.as_bytes().to_vec())));
        assert_eq!(finds.passed_over, 1);
    }

    #[test]
    fn a_maildir_gives_what_is_in_cur_and_new_and_in_its_folders() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "cur/1700000000.M1P2.host.example,S=12:2,S", "no header\n");
        write(root, "new/1700000001.M1P2.host.example", "A: 1\n\n");
        write(root, "tmp/1700000002.M1P2.host.example", "half");
        write(root, ".Sent/cur/1700000003.host:2,", "A: 1\n\n");
        fs::create_dir_all(root.join(".Sent/new")).unwrap();
        let wanted = [
            ".Sent/cur/1700000003.host:2,",
            "cur/1700000000.M1P2.host.example,S=12:2,S",
            "new/1700000001.M1P2.host.example",
        ];
        assert_eq!(found(root), (paths(&wanted), 0));
        assert_eq!(found(&root.join("cur")).0, paths(&["1700000000.M1P2.host.example,S=12:2,S"]));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_file_is_read_a_loop_is_not_entered_and_a_dangling_link_is_named() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "a.eml", "A: 1\n\n");
        symlink(root.join("a.eml"), root.join("b.eml")).unwrap();
        symlink(root, root.join("loop")).unwrap();
        assert_eq!(found(root), (paths(&["a.eml", "b.eml"]), 1));
        symlink(root.join("gone"), root.join("c.eml")).unwrap();
        let error = find(root, &mut Finds::default()).unwrap_err().to_string();
        assert!(error.contains("c.eml"), "{error}");
    }
}
