//! Which files of a folder are read, and in which order.

use std::fs;
use std::path::{Path, PathBuf};

use partywall::manifests::files;

use super::told;

fn pod(name: &str, label: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{at: {label}}}}}\n")
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn names(paths: &[PathBuf]) -> Vec<String> {
    let reading = files::read(paths);
    reading.snapshot.namespace("default").map(|facts| facts.pods.keys().map(ToString::to_string).collect()).unwrap_or_default()
}

#[test]
fn folders_are_walked_and_only_manifests_are_read() {
    let root = tempfile::tempdir().unwrap();
    for (path, name) in
        [("a.yaml", "a"), ("x/b.yml", "b"), ("x/y/c.JSON", "c"), ("x/notes.txt", "d"), (".git/e.yaml", "e"), (".f.yaml", "f")]
    {
        let text = if path.ends_with("JSON") {
            format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}"}}}}"#)
        } else {
            pod(name, "x")
        };
        write(root.path(), path, &text);
    }
    assert_eq!(names(&[root.path().to_owned()]), ["a", "b", "c"]);
    assert_eq!(names(&[root.path().join("x/notes.txt"), root.path().join(".git")]), ["d", "e"], "what is named is read");
}

#[test]
fn of_two_objects_the_one_in_the_later_file_counts() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "2.yaml", &pod("a", "second"));
    write(root.path(), "1.yaml", &pod("a", "first"));
    let reading = files::read(&[root.path().to_owned()]);
    assert_eq!(reading.snapshot.namespace("default").unwrap().pods["a"].labels.get("at").map(AsRef::as_ref), Some("second"));
    assert!(told(&reading)[0].contains("2.yaml: document 1") && told(&reading)[0].contains("1.yaml, document 1"), "{:?}", told(&reading));
}

#[cfg(unix)]
#[test]
fn links_lead_neither_in_circles_nor_to_a_file_twice() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "real/a.yaml", &pod("a", "x"));
    std::os::unix::fs::symlink(root.path(), root.path().join("real/up")).unwrap();
    std::os::unix::fs::symlink("real/a.yaml", root.path().join("b.yaml")).unwrap();
    std::os::unix::fs::symlink("nowhere", root.path().join("c.yaml")).unwrap();
    let reading = files::read(&[root.path().to_owned(), root.path().join("real")]);
    assert_eq!(reading.objects, 1);
    let told = told(&reading);
    assert!(told.len() == 1 && told[0].contains("c.yaml"), "only the broken link is told: {told:?}");
}

#[test]
fn a_path_that_is_not_there_is_told() {
    let reading = files::read(&[PathBuf::from("/nowhere/at/all.yaml")]);
    assert!(told(&reading)[0].contains("/nowhere/at/all.yaml") && reading.lost());
}

#[test]
fn many_documents_are_read_in_their_order() {
    let root = tempfile::tempdir().unwrap();
    let text: Vec<String> = (0..500).map(|i| pod("a", &format!("n{i}"))).collect();
    write(root.path(), "a.yaml", &text.join("---\n"));
    let reading = files::read(&[root.path().to_owned()]);
    assert_eq!(reading.snapshot.namespace("default").unwrap().pods["a"].labels.get("at").map(AsRef::as_ref), Some("n499"));
    assert_eq!(reading.problems.len(), 499);
}
