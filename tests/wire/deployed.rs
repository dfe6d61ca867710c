//! The function with what the layer brings. With `MAILWRIGHT_BOOTSTRAP` it is the program that would be deployed.

use std::path::Path;

use crate::world::{World, event};
use crate::{default, message};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test]
async fn the_rules_of_the_layer_are_found_where_lambda_unpacks_it() {
    // What the folder holds stands right under /opt, and what other layers hold beside it.
    let opt = tempfile::tempdir().unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    copy(&repository.join("rules"), opt.path());
    for folder in ["extensions", "lib", "python"] {
        copy(&repository.join(".ci"), &opt.path().join(folder));
    }
    let mut world = World::start_with("", &[("MAILWRIGHT_RULES", opt.path().to_str().unwrap())]).await;
    world.insert("m-1", message("Harvest plan"));
    assert_eq!(world.invoke(&event("m-1", "OUTBOUND")).await, Ok(default()), "{}", world.log());
    let rewritten = String::from_utf8(world.message("m-1").to_vec()).unwrap();
    let notice = std::fs::read_to_string(repository.join("rules/templates/legal-notice.txt")).unwrap();
    let words = notice.lines().find(|line| line.contains("confidential")).unwrap();
    assert!(rewritten.contains(words), "{rewritten}");
    assert!(world.log().contains("legal-notice"), "{}", world.log());
}
