//! The examples of docs/templates.md are rule files with tests: they hold.

use std::process::Command;

const PEOPLE: &str = r#"
domains = ["example.com"]
[[person]]
address = "ann@example.com"
display_name = "Ann Lee"
job_title = "Engineer"
telephone = "+49 30 1234567"
[[person]]
address = "bob@example.com"
display_name = "Bob Diaz"
"#;

#[test]
fn the_examples_of_the_page_hold() {
    let page = std::fs::read_to_string("docs/templates.md").unwrap();
    let examples: Vec<&str> =
        page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert!(examples.len() >= 3);
    for (number, example) in examples.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("organization.toml"), PEOPLE).unwrap();
        std::fs::write(folder.path().join("example.toml"), example).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_mailwright")).arg("test").arg(folder.path()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.contains("0 failed"), "example {}: {told}{error}", number + 1);
    }
}
