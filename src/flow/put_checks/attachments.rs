//! Types of attachments that SES does not take, and WorkMail's put says it goes by.
//!
//! Source: Amazon SES Developer Guide, "Unsupported attachment types", to which the WorkMail API Reference
//! (`RawMessageContent`) points. The list is one of file name extensions; so is this.

/// Extensions, in lower case, sorted.
const UNSUPPORTED: &[&str] = &[
    "ade", "adp", "app", "asp", "bas", "bat", "cer", "chm", "cmd", "com", "cpl", "crt", "csh", "der", "exe", "fxp",
    "gadget", "hlp", "hta", "inf", "ins", "isp", "its", "js", "jse", "ksh", "lib", "lnk", "mad", "maf", "mag", "mam",
    "maq", "mar", "mas", "mat", "mau", "mav", "maw", "mda", "mdb", "mde", "mdt", "mdw", "mdz", "msc", "msh", "msh1",
    "msh1xml", "msh2", "msh2xml", "mshxml", "msi", "msp", "mst", "ops", "pcd", "pif", "plg", "prf", "prg", "ps1",
    "ps1xml", "ps2", "ps2xml", "psc1", "psc2", "reg", "scf", "scr", "sct", "shb", "shs", "sys", "tmp", "url", "vb",
    "vbe", "vbs", "vps", "vsmacros", "vss", "vst", "vsw", "vxd", "ws", "wsc", "wsf", "wsh", "xnk",
];

/// The extension of a file name, where it is one that SES does not take.
pub fn unsupported(file_name: &str) -> Option<&'static str> {
    // What Windows would take for the extension: a dot or a space at the end counts for nothing.
    let name = file_name.trim_end_matches([' ', '.', '"', '\'']);
    let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
    UNSUPPORTED.binary_search(&extension.as_str()).ok().and_then(|at| UNSUPPORTED.get(at)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_documented_one_and_sorted() {
        assert!(UNSUPPORTED.is_sorted());
        assert_eq!(UNSUPPORTED.len(), 90);
    }

    #[test]
    fn the_last_extension_counts_in_any_case() {
        assert_eq!(unsupported("Setup.EXE"), Some("exe"));
        assert_eq!(unsupported("plan.pdf.js"), Some("js"));
        assert_eq!(unsupported("evil.exe. "), Some("exe"));
        for name in ["plan.pdf", "exe", "a.exe.txt", "x.jsx", "", "."] {
            assert_eq!(unsupported(name), None, "{name}");
        }
    }
}
