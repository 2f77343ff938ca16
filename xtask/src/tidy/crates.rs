//! Checks of crates and what they depend on, by cargo's own metadata.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use toml::Table;

use super::tree::{Tree, line_of};
use super::{Checked, Finding};

/// Which crates of ours a crate may depend on; see the map in ARCHITECTURE.md. `None`: all.
const ARROWS: [(&str, Option<&[&str]>); 11] = [
    ("lotse-agent", Some(&["lotse-client", "lotse-codec", "lotse-hal", "lotse-protocol"])),
    ("lotse-bench", Some(&["lotse-client", "lotse-codec", "lotse-protocol"])),
    ("lotse-client", Some(&["lotse-protocol"])),
    ("lotse-codec", Some(&[])),
    ("lotse-console", Some(&["lotse-client", "lotse-codec", "lotse-protocol"])),
    ("lotse-hal", Some(&[])),
    ("lotse-lab-guest", Some(&[])),
    ("lotse-protocol", Some(&[])),
    ("lotse-server", Some(&["lotse-protocol"])),
    ("lotse-tests", None),
    ("xtask", None),
];

/// What nothing but tests/ and xtask may depend on.
const PROGRAMS: [&str; 3] = ["lotse-agent", "lotse-console", "lotse-server"];

/// What does I/O or waits, and so is out of reach for crates that do neither.
const RUNTIMES: [&str; 8] =
    ["async-std", "mio", "quinn", "rustls", "smol", "socket2", "tokio", "tokio-rustls"];

/// Crates that do no network I/O, not even through somebody else.
const WITHOUT_RUNTIME: [&str; 3] = ["lotse-codec", "lotse-hal", "lotse-protocol"];

/// A package of the dependency graph.
#[derive(Debug, Default)]
struct Package {
    name: String,
    version: String,
    licence: Option<String>,
    /// `None` for ours.
    source: Option<String>,
    /// Relative to the root, for ours.
    manifest: String,
    /// What it depends on itself, as names.
    direct: Vec<String>,
    /// What its tests depend on, as names.
    for_tests: Vec<String>,
    /// Identities of what it is built with, without dev-dependencies.
    built_with: Vec<String>,
}

/// What cargo knows of the packages, by their identities.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    packages: BTreeMap<String, Package>,
}

impl Metadata {
    /// Asks cargo.
    ///
    /// # Errors
    /// When cargo fails, as it does if `Cargo.lock` is not up to date.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["metadata", "--format-version=1", "--locked"])
            .current_dir(root)
            .output()
            .context("cannot start cargo")?;
        if !output.status.success() {
            bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Self::parse(&serde_json::from_slice(&output.stdout)?, root)
            .context("cargo metadata has another shape than expected")
    }

    fn parse(value: &Value, root: &Path) -> Option<Self> {
        let text = |value: &Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
        let mut packages = BTreeMap::new();
        for package in value.get("packages")?.as_array()? {
            let manifest = text(package, "manifest_path")?;
            let dependencies = package.get("dependencies")?.as_array()?;
            packages.insert(
                text(package, "id")?,
                Package {
                    name: text(package, "name")?,
                    version: text(package, "version")?,
                    licence: text(package, "license"),
                    source: text(package, "source"),
                    manifest: Path::new(&manifest)
                        .strip_prefix(root)
                        .map_or_else(|_| manifest.clone(), |path| path.display().to_string()),
                    direct: named(dependencies, |kind| kind != Some("dev")),
                    for_tests: named(dependencies, |kind| kind == Some("dev")),
                    built_with: Vec::new(),
                },
            );
        }
        for node in value.get("resolve")?.get("nodes")?.as_array()? {
            let built_with = node.get("deps")?.as_array()?.iter().filter(|dep| is_built(dep));
            let ids = built_with.filter_map(|dep| text(dep, "pkg")).collect();
            packages.get_mut(node.get("id")?.as_str()?)?.built_with = ids;
        }
        Some(Self { packages })
    }

    /// The packages of this workspace.
    fn ours(&self) -> impl Iterator<Item = (&String, &Package)> {
        self.packages.iter().filter(|(_, package)| package.source.is_none())
    }

    /// A way through the graph from one package to one with that name: names, both included.
    fn path_to(&self, from: &str, name: &str) -> Option<Vec<&str>> {
        let mut seen = BTreeSet::from([from]);
        let mut ways = std::collections::VecDeque::from([vec![from]]);
        while let Some(way) = ways.pop_front() {
            let package = self.packages.get(*way.last()?)?;
            if package.name == name && way.len() > 1 {
                return way.iter().map(|id| Some(self.packages.get(*id)?.name.as_str())).collect();
            }
            for next in &package.built_with {
                if seen.insert(next) {
                    ways.push_back(way.iter().copied().chain([next.as_str()]).collect());
                }
            }
        }
        None
    }
}

/// Names of the dependencies of a kind: `None`, `dev` or `build`.
fn named(dependencies: &[Value], is_meant: impl Fn(Option<&str>) -> bool) -> Vec<String> {
    let meant = dependencies.iter().filter(|d| is_meant(d.get("kind").and_then(Value::as_str)));
    meant.filter_map(|d| Some(d.get("name")?.as_str()?.to_owned())).collect()
}

/// Whether a dependency is part of the crate, rather than of its tests.
fn is_built(dep: &Value) -> bool {
    let kinds = dep.get("dep_kinds").and_then(Value::as_array);
    kinds.is_some_and(|kinds| {
        kinds.iter().any(|kind| kind.get("kind").and_then(Value::as_str) != Some("dev"))
    })
}

/// Arrows between crates point where ARCHITECTURE.md says.
pub(super) fn arrows(metadata: &Metadata) -> Checked {
    let mut checked = Checked::default();
    for (id, package) in metadata.ours() {
        checked.looked_at += 1;
        let mut wrong = |what: String, way_out: &str| {
            checked.findings.push(Finding::new(&package.manifest, 1, what, way_out));
        };
        let name = package.name.as_str();
        let Some((_, allowed)) = ARROWS.iter().find(|(of, _)| *of == name) else {
            wrong(
                format!("{name} is not on the map of crates"),
                "say in ARCHITECTURE.md what lives there, and in ARROWS (xtask/src/tidy/crates.rs) \
                 what it may depend on",
            );
            continue;
        };
        if let Some(allowed) = allowed {
            let ours = |dep: &&String| ARROWS.iter().any(|(of, _)| *of == dep.as_str());
            // The tests of a program may use any library, and every crate's its own features.
            let fit = |dep: &&String| {
                let library = PROGRAMS.contains(&name) && !PROGRAMS.contains(&dep.as_str());
                library || dep.as_str() == name
            };
            let in_tests = package.for_tests.iter().filter(|dep| !fit(dep));
            for dep in package.direct.iter().chain(in_tests).filter(ours) {
                if !allowed.contains(&dep.as_str()) {
                    wrong(
                        format!("{name} depends on {dep}"),
                        "move what it needs to where the arrows lead, or the test to tests/",
                    );
                }
            }
        }
        if WITHOUT_RUNTIME.contains(&name) {
            for way in RUNTIMES.iter().filter_map(|runtime| metadata.path_to(id, runtime)) {
                wrong(
                    format!("{name} does network I/O: {}", way.join(" → ")),
                    "leave I/O to client, agent, server or console",
                );
            }
        }
    }
    checked
}

/// `deny.toml`, as text and as a table.
fn deny(tree: &Tree) -> Result<(&str, Table)> {
    let file = tree.file("deny.toml").context("there is no deny.toml")?;
    Ok((&file.text, file.text.parse().context("deny.toml")?))
}

/// The strings of an array at `section.key`, or those under `field` if it holds tables.
fn strings<'a>(table: &'a Table, section: &str, key: &str, field: &'a str) -> Vec<&'a str> {
    let list = table.get(section).and_then(|section| section.get(key)).and_then(|v| v.as_array());
    list.into_iter()
        .flatten()
        .filter_map(|item| item.as_str().or_else(|| item.get(field)?.as_str()))
        .collect()
}

/// What `deny.toml` bans is nowhere in the graph.
///
/// # Errors
/// When `deny.toml` is missing or broken.
pub(super) fn banned(metadata: &Metadata, tree: &Tree) -> Result<Checked> {
    let (_, table) = deny(tree)?;
    let banned = strings(&table, "bans", "deny", "crate");
    let mut checked = Checked { looked_at: metadata.packages.len(), ..Checked::default() };
    for name in banned {
        let way = metadata.ours().find_map(|(id, _)| metadata.path_to(id, name));
        if metadata.packages.values().any(|package| package.name == name) {
            let way = way.map_or_else(|| name.to_owned(), |way| way.join(" → "));
            checked.findings.push(Finding::new(
                "Cargo.lock",
                1,
                format!("banned crate: {way}"),
                "choose other features or another crate; deny.toml says why it is banned",
            ));
        }
    }
    Ok(checked)
}

/// Every licence is one that `deny.toml` allows.
///
/// # Errors
/// When `deny.toml` is missing or broken.
pub(super) fn licences(metadata: &Metadata, tree: &Tree) -> Result<Checked> {
    let (text, table) = deny(tree)?;
    let allowed = strings(&table, "licenses", "allow", "");
    let exceptions = table.get("licenses").and_then(|v| v.get("exceptions")?.as_array());
    let exceptions = exceptions.map_or(&[][..], Vec::as_slice);
    let mut checked = Checked::default();
    let mut unused: BTreeSet<&str> =
        exceptions.iter().filter_map(|e| e.get("crate")?.as_str()).collect();
    for package in metadata.packages.values() {
        checked.looked_at += 1;
        let own = exceptions
            .iter()
            .filter(|e| e.get("crate").and_then(|v| v.as_str()) == Some(package.name.as_str()))
            .filter_map(|e| e.get("allow")?.as_array())
            .flatten()
            .filter_map(|licence| licence.as_str());
        let own: Vec<&str> = own.collect();
        unused.remove(package.name.as_str());
        let licence = package.licence.as_deref().unwrap_or("none stated");
        if !acceptable(licence, &|one| allowed.contains(&one) || own.contains(&one)) {
            checked.findings.push(Finding::new(
                "Cargo.lock",
                1,
                format!("{} {} has the licence {licence}", package.name, package.version),
                "do without the crate, or make an exception with its reason in deny.toml",
            ));
        }
    }
    for name in unused {
        let line = text.find(&format!("\"{name}\"")).map_or(1, |at| line_of(text, at));
        checked.findings.push(Finding::new(
            "deny.toml",
            line,
            format!("the licence exception for {name} is not needed"),
            "take it out",
        ));
    }
    Ok(checked)
}

/// Whether an SPDX expression can be met by allowed licences alone.
fn acceptable(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    // Cargo once wrote a slash for OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let met = any_of(&mut words, allowed);
    met && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_>, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut Words<'_>, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Words<'_>, allowed: &dyn Fn(&str) -> bool) -> bool {
    match words.next() {
        Some("(") => {
            let met = any_of(words, allowed);
            words.next_if_eq(&")").is_some() && met
        }
        Some(licence) => match words.next_if_eq(&"WITH") {
            Some(_) => {
                let exception = words.next().unwrap_or_default();
                allowed(&format!("{licence} WITH {exception}"))
            }
            None => allowed(licence),
        },
        None => false,
    }
}

/// Every crate comes from the registry, where it can't change under its version.
pub(super) fn sources(metadata: &Metadata) -> Checked {
    let mut checked = Checked::default();
    for package in metadata.packages.values() {
        checked.looked_at += 1;
        let Some(source) = &package.source else { continue };
        if !source.starts_with("registry+") {
            checked.findings.push(Finding::new(
                "Cargo.lock",
                1,
                format!("{} comes from {source}", package.name),
                "use a released version",
            ));
        }
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Packages as (name, source, licence, dependencies).
    type Made<'a> = (&'a str, Option<&'a str>, &'a str, &'a [&'a str]);

    fn metadata(packages: &[Made<'_>]) -> Metadata {
        let package = |(name, source, licence, deps): &Made<'_>| {
            let deps: Vec<_> = deps.iter().map(|name| json!({ "name": name })).collect();
            json!({ "id": name, "name": name, "version": "1.0.0", "license": licence, "source": source,
                "manifest_path": format!("/root/{name}/Cargo.toml"), "dependencies": deps })
        };
        let node = |(name, _, _, deps): &Made<'_>| {
            let dep = |name: &&str| json!({ "pkg": name, "dep_kinds": [{ "kind": null }] });
            json!({ "id": name, "deps": deps.iter().map(dep).collect::<Vec<_>>() })
        };
        let value = json!({
            "packages": packages.iter().map(package).collect::<Vec<_>>(),
            "resolve": { "nodes": packages.iter().map(node).collect::<Vec<_>>() },
        });
        Metadata::parse(&value, Path::new("/root")).unwrap()
    }

    const REGISTRY: Option<&str> = Some("registry+index");

    fn said(checked: &Checked) -> Vec<&str> {
        checked.findings.iter().map(|finding| finding.what.as_str()).collect()
    }

    #[test]
    fn arrows_that_point_the_wrong_way_are_found() {
        let good = metadata(&[
            ("lotse-protocol", None, "MIT", &[]),
            ("lotse-server", None, "MIT", &["lotse-protocol"]),
            ("lotse-tests", None, "MIT", &["lotse-server"]),
        ]);
        assert_eq!(said(&arrows(&good)), [""; 0]);
        let bad = metadata(&[
            ("lotse-agent", None, "MIT", &[]),
            ("lotse-server", None, "MIT", &["lotse-agent"]),
            ("lotse-new", None, "MIT", &[]),
        ]);
        assert_eq!(
            said(&arrows(&bad)),
            ["lotse-new is not on the map of crates", "lotse-server depends on lotse-agent"]
        );
        assert_eq!(arrows(&bad).findings[0].file, "lotse-new/Cargo.toml");
    }

    #[test]
    fn tests_of_a_program_use_any_library_but_no_other_program() {
        let server = |deps: &[(&str, &str)]| Metadata {
            packages: BTreeMap::from([(
                "lotse-server".to_owned(),
                Package {
                    name: "lotse-server".to_owned(),
                    direct: deps.iter().filter(|d| d.1 != "dev").map(|d| d.0.to_owned()).collect(),
                    for_tests: deps
                        .iter()
                        .filter(|d| d.1 == "dev")
                        .map(|d| d.0.to_owned())
                        .collect(),
                    ..Package::default()
                },
            )]),
        };
        let good = server(&[("lotse-client", "dev"), ("lotse-server", "dev")]);
        assert_eq!(said(&arrows(&good)), [""; 0]);
        let bad = server(&[("lotse-client", ""), ("lotse-agent", "dev")]);
        assert_eq!(
            said(&arrows(&bad)),
            ["lotse-server depends on lotse-client", "lotse-server depends on lotse-agent"]
        );
    }

    #[test]
    fn a_runtime_behind_a_friendly_name_is_found() {
        let bad = metadata(&[
            ("lotse-protocol", None, "MIT", &["friendly"]),
            ("lotse-client", None, "MIT", &["tokio"]),
            ("friendly", REGISTRY, "MIT", &["tokio"]),
            ("tokio", REGISTRY, "MIT", &[]),
        ]);
        assert_eq!(
            said(&arrows(&bad)),
            ["lotse-protocol does network I/O: lotse-protocol → friendly → tokio"]
        );
    }

    #[test]
    fn licences_are_read_as_expressions() {
        let allowed = |one: &str| ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&one);
        for good in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "MIT AND ISC",
            "(GPL-2.0 OR MIT) AND ISC",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(acceptable(good, &allowed), "{good}");
        }
        for bad in
            ["GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0", "(MIT", "MIT ISC", "", "none stated"]
        {
            assert!(!acceptable(bad, &allowed), "{bad}");
        }
    }

    const DENY: &str = r#"
        [licenses]
        allow = ["MIT"]
        exceptions = [{ crate = "framebuffer", allow = ["WTFPL"] }]
        [bans]
        deny = [{ crate = "openssl", reason = "rustls" }]
    "#;

    #[test]
    fn unlisted_licences_and_needless_exceptions_are_found() {
        let tree = Tree::of(&[("deny.toml", DENY)]);
        let good = metadata(&[("framebuffer", REGISTRY, "WTFPL", &[])]);
        assert_eq!(said(&licences(&good, &tree).unwrap()), [""; 0]);
        let bad = metadata(&[("other", REGISTRY, "WTFPL", &[])]);
        assert_eq!(
            said(&licences(&bad, &tree).unwrap()),
            [
                "other 1.0.0 has the licence WTFPL",
                "the licence exception for framebuffer is not needed"
            ]
        );
        assert_eq!(licences(&bad, &tree).unwrap().findings[1].line, 4);
        assert!(licences(&bad, &Tree::default()).is_err());
    }

    #[test]
    fn banned_crates_are_found_with_the_way_to_them() {
        let tree = Tree::of(&[("deny.toml", DENY)]);
        let bad = metadata(&[
            ("lotse-server", None, "MIT", &["http"]),
            ("http", REGISTRY, "MIT", &["openssl"]),
            ("openssl", REGISTRY, "MIT", &[]),
        ]);
        let found = banned(&bad, &tree).unwrap();
        assert_eq!(said(&found), ["banned crate: lotse-server → http → openssl"]);
        let good = metadata(&[("lotse-server", None, "MIT", &[])]);
        assert_eq!(said(&banned(&good, &tree).unwrap()), [""; 0]);
    }

    #[test]
    fn crates_from_git_are_found() {
        let found = metadata(&[
            ("a", REGISTRY, "MIT", &[]),
            ("b", Some("git+https://example.org/b"), "MIT", &[]),
        ]);
        assert_eq!(said(&sources(&found)), ["b comes from git+https://example.org/b"]);
    }
}
