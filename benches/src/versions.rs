const LOCK_FILE: &str = include_str!("../Cargo.lock");

/// Returns the version of `package` in `Cargo.lock`.
pub fn version(package: &str) -> &'static str {
    let name = format!("name = \"{package}\"");
    LOCK_FILE
        .split("[[package]]")
        .find(|entry| entry.lines().any(|line| line == name))
        .and_then(|entry| entry.lines().find_map(|line| line.strip_prefix("version = ")))
        .map_or("?", |version| version.trim_matches('"'))
}
