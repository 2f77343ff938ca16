//! Just enough of Rust's grammar to tell code from words, and one function from the next.

use std::ops::Range;

/// The same text, in which comments and the contents of strings and characters are spaces.
pub(super) fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let rest = chars.get(at..).unwrap_or_default();
        let before = at.checked_sub(1).and_then(|i| chars.get(i)).copied();
        let end = at + literal_or_comment(rest, before);
        if end == at {
            out.push(c);
            at += 1;
            continue;
        }
        for c in chars.get(at..end).unwrap_or_default() {
            match c {
                '\n' => out.push('\n'),
                // As many bytes as before, so that places in both texts agree.
                c => out.extend(std::iter::repeat_n(' ', c.len_utf8())),
            }
        }
        at = end;
    }
    out
}

/// Length in characters of the literal or comment that `rest` begins with; 0 if none.
fn literal_or_comment(rest: &[char], before: Option<char>) -> usize {
    match rest {
        ['/', '/', ..] => until(rest, 2, |tail| tail.first() == Some(&'\n')),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => string(rest),
        ['r' | 'b' | 'c', ..] if !before.is_some_and(is_word) => prefixed(rest),
        ['\'', '\\', ..] => 3 + until(rest.get(3..).unwrap_or_default(), 0, is_quote) + 1,
        ['\'', _, '\'', ..] => 3,
        _ => 0,
    }
    .min(rest.len())
}

fn is_quote(tail: &[char]) -> bool {
    tail.first() == Some(&'\'')
}

/// Where, from `from` on, `stop` is first true of the tail; the length if never.
fn until(rest: &[char], from: usize, stop: impl Fn(&[char]) -> bool) -> usize {
    (from..rest.len()).find(|&at| stop(rest.get(at..).unwrap_or_default())).unwrap_or(rest.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest.get(at..).unwrap_or_default() {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] if depth == 1 => return at + 2,
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

/// A string that begins with its quotation mark.
fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while let Some(c) = rest.get(at) {
        match c {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// `r"…"`, `br#"…"#`, `b"…"`, `b'…'`, `c"…"`; 0 for anything else that begins with the letter.
fn prefixed(rest: &[char]) -> usize {
    let letters = rest.iter().take(2).take_while(|c| matches!(c, 'r' | 'b' | 'c')).count();
    let raw = rest.iter().take(letters).any(|c| *c == 'r');
    let tail = rest.get(letters..).unwrap_or_default();
    let hashes = tail.iter().take_while(|c| **c == '#').count();
    match tail.get(hashes) {
        Some('"') if raw => {
            let closing: Vec<char> = std::iter::once('"').chain(vec!['#'; hashes]).collect();
            let body = letters + hashes + 1;
            until(rest, body, |tail| tail.starts_with(&closing)) + closing.len()
        }
        Some('"') if hashes == 0 => letters + string(tail),
        Some('\'') if rest.first() == Some(&'b') && letters == 1 && hashes == 0 => {
            letters + literal_or_comment(tail, None)
        }
        _ => 0,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Blanked code in which what is compiled for tests only is blank too.
pub(super) fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    for range in test_ranges(code) {
        let spaces: String = code
            .get(range.clone())
            .unwrap_or_default()
            .chars()
            .map(|c| if c == '\n' { '\n' } else { ' ' })
            .collect();
        out.replace_range(range, &spaces);
    }
    out
}

/// What is compiled for tests only: the attribute and its item.
pub(super) fn test_ranges(code: &str) -> Vec<Range<usize>> {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (start, _) in code.match_indices(ATTRIBUTE) {
        if ranges.last().is_none_or(|last| start >= last.end) {
            ranges.push(start..item_end(code, start + ATTRIBUTE.len()));
        }
    }
    ranges
}

/// What an attribute that names `lint` covers: the item or statement that follows it.
pub(super) fn covered_by(code: &str, lint: &str) -> Vec<Range<usize>> {
    words(code, lint)
        .filter_map(|range| {
            let behind = range.end + code.get(range.end..)?.find(']')? + 1;
            Some(behind..item_end(code, behind))
        })
        .collect()
}

/// Where the item that starts at `from` ends: behind its braces, or its semicolon.
fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' | b',' if depth == 0 => return at + 1,
            b'{' if depth == 0 => return closing_brace(code, at) + 1,
            _ => {}
        }
    }
    code.len()
}

/// Where the brace that opens at `open` is closed.
fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return at,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    code.len().saturating_sub(1)
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    /// Where its name is, in bytes.
    pub(super) at: usize,
    /// Lines of code in its body, without blank ones and comments.
    pub(super) lines: usize,
}

/// The functions in blanked code.
pub(super) fn functions(code: &str) -> Vec<Function<'_>> {
    words(code, "fn")
        .filter_map(|range| {
            let tail = code.get(range.end..)?;
            let name = tail.trim_start().split(|c: char| !is_word(c)).next()?;
            let at = range.end + (tail.len() - tail.trim_start().len());
            let end = item_end(code, at);
            let whole =
                code.get(at..end).filter(|whole| !name.is_empty() && whole.ends_with('}'))?;
            let body = whole.split_once('{').map_or("", |(_, body)| body).trim_end_matches('}');
            let lines = body.lines().filter(|line| !line.trim().is_empty()).count();
            Some(Function { name, at, lines })
        })
        .collect()
}

/// Where `word` stands for itself, not as a part of another.
pub(super) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    code.match_indices(word).filter_map(move |(at, _)| {
        let before = code.get(..at)?.chars().next_back();
        let after = code.get(at + word.len()..)?.chars().next();
        let alone = !before.is_some_and(is_word) && !after.is_some_and(is_word);
        alone.then_some(at..at + word.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blank_and_nothing_moves() {
        for (text, blanked) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            ("f(\"x\\\"y\", 'z')", "f(      ,    )"),
            ("r#\"a\"b\"# c", "         c"),
            ("b\"x\" b'y' br\"z\"", "               "),
            ("'\\'' '\\u{1f}' x", "              x"),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            ("r#type attr\"s\"", "r#type attr   "),
            ("\"ä\" b", "     b"),
            ("\"open", "     "),
        ] {
            assert_eq!(blank(text), blanked);
        }
    }

    #[test]
    fn what_is_for_tests_is_left_out() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { c } }\nfn d() {}";
        assert_eq!(
            without_tests(code),
            "fn a() {}\n            \n                          \nfn d() {}"
        );
        assert_eq!(without_tests("#[cfg(test)]\nmod tests;\nx").trim(), "x");
    }

    #[test]
    fn functions_are_measured_without_blank_lines() {
        let code =
            "fn long(f: fn(u8)) -> [u8; 2] {\n  a;\n\n  if b {\n  }\n}\ntrait T { fn none(); }";
        let found = functions(code);
        assert_eq!(found, [Function { name: "long", at: 3, lines: 3 }]);
    }
}
