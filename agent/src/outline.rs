//! What a command has found, once: printed as JSON for programs, or as an outline for people.

use std::fmt::{self, Write as _};

use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// A value with its name and place in an outline; names keep their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outline {
    /// It is not known, or there is none.
    Nothing,
    /// Yes or no.
    Truth(bool),
    /// A number.
    Number(i64),
    /// Words.
    Text(String),
    /// Several of a kind.
    List(Vec<Self>),
    /// Several, each with its name: lower case, `_` between words.
    Fields(Vec<(&'static str, Self)>),
}

impl Outline {
    /// Words.
    pub fn text(text: impl fmt::Display) -> Self {
        Self::Text(text.to_string())
    }

    /// A list of something.
    pub fn list<T>(items: impl IntoIterator<Item = T>, each: impl FnMut(T) -> Self) -> Self {
        Self::List(items.into_iter().map(each).collect())
    }

    /// It in JSON.
    pub fn to_json(&self) -> String {
        // Fails only for maps whose keys are no texts, and without memory.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    fn is_short(&self) -> bool {
        match self {
            Self::List(items) => items.iter().all(|item| item.is_short() && !item.is_list()),
            Self::Fields(_) => false,
            _ => true,
        }
    }

    const fn is_list(&self) -> bool {
        matches!(self, Self::List(_))
    }

    /// Writes it on one line.
    fn write_short(&self, out: &mut String) {
        match self {
            Self::Nothing => out.push('-'),
            Self::Truth(is_so) => out.push_str(if *is_so { "yes" } else { "no" }),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Text(text) => out.push_str(&text.replace('\n', " ")),
            Self::List(items) if items.is_empty() => out.push_str("none"),
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    item.write_short(out);
                }
            }
            Self::Fields(_) => {}
        }
    }

    /// Writes it on lines of its own, each behind `indent` blanks but for the first, which has them already.
    fn write_long(&self, indent: usize, out: &mut String) {
        match self {
            Self::Fields(fields) => {
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        out.extend(std::iter::repeat_n(' ', indent));
                    }
                    let _ = write!(out, "{}:", name.replace('_', " "));
                    value.write_behind(indent, out);
                }
            }
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.extend(std::iter::repeat_n(' ', indent));
                    }
                    out.push_str("- ");
                    item.write_long(indent + 2, out);
                }
            }
            short => {
                short.write_short(out);
                out.push('\n');
            }
        }
    }

    /// Writes it behind its name: on the same line if it is short.
    fn write_behind(&self, indent: usize, out: &mut String) {
        if self.is_short() {
            out.push(' ');
            self.write_short(out);
            out.push('\n');
        } else {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent + 2));
            self.write_long(indent + 2, out);
        }
    }
}

impl fmt::Display for Outline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.write_long(0, &mut out);
        f.write_str(out.trim_end())
    }
}

impl Serialize for Outline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_none(),
            Self::Truth(is_so) => serializer.serialize_bool(*is_so),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => items.serialize(serializer),
            Self::Fields(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl From<bool> for Outline {
    fn from(is_so: bool) -> Self {
        Self::Truth(is_so)
    }
}

impl From<u32> for Outline {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<i32> for Outline {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for Outline {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Outline {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Outline {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Outline {
        let plane = |id: u32, formats: &[&str]| {
            let formats = Outline::list(formats, Outline::text);
            Outline::Fields(vec![("id", id.into()), ("formats", formats)])
        };
        Outline::Fields(vec![
            ("driver", "virtio_gpu".into()),
            ("has_master", false.into()),
            ("planes", Outline::List(vec![plane(31, &["XR24", "AR24"]), plane(35, &[])])),
            ("error", None::<u32>.into()),
        ])
    }

    #[test]
    fn people_read_an_outline() {
        let text = "driver: virtio_gpu\nhas master: no\nplanes:\n  - id: 31\n    formats: XR24, AR24\n  \
                    - id: 35\n    formats: none\nerror: -";
        assert_eq!(example().to_string(), text);
    }

    #[test]
    fn programs_read_the_same_as_json_in_the_same_order() {
        let json = example().to_json();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["planes"][0]["formats"][1], "AR24");
        assert!(value["error"].is_null() && value["has_master"] == false);
        assert!(json.find("driver").unwrap() < json.find("planes").unwrap());
    }
}
