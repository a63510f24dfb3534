//! The codes: short names for why something was decided, refused or raised, in the ledger, in metrics and in JSON.
//!
//! Each group is an enum of its own, declared once with its names, meanings and what to do; docs/codes.md is
//! written from that. No name is in two groups.

mod alert;
mod reason;
mod refusal;

pub use alert::AlertCode;
pub use reason::ReasonCode;
pub use refusal::{RefusalCode, RefusedBy};

/// What all groups of codes have in common.
pub trait Code: Copy + 'static {
    /// All codes of the group, in the order of the page.
    const ALL: &'static [Self];

    /// The name in the ledger.
    fn name(self) -> &'static str;

    /// What the code says, in a line of Markdown.
    fn meaning(self) -> &'static str;

    /// What to do about it, in a line of Markdown.
    fn what_to_do(self) -> &'static str;
}

/// A name that is no code of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no {group} of this version of rescind: a later one may have written it")]
pub struct UnknownCode {
    /// The name that was read.
    pub name: String,
    /// What it should be: an `alert code` or another one.
    pub group: &'static str,
}

/// Declares a group: an enum, its names, and what each of them means.
macro_rules! codes {
    (
        $(#[$doc:meta])*
        $group:ident is $title:literal {
            $($variant:ident $name:literal means $meaning:literal do $what_to_do:literal;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $group {
            $(#[doc = $meaning] $variant,)*
        }

        impl $group {
            /// The name in the ledger.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        impl $crate::remediation::Code for $group {
            const ALL: &'static [Self] = &[$(Self::$variant,)*];

            fn name(self) -> &'static str {
                Self::name(self)
            }

            fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)*
                }
            }

            fn what_to_do(self) -> &'static str {
                match self {
                    $(Self::$variant => $what_to_do,)*
                }
            }
        }

        impl std::fmt::Display for $group {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $group {
            type Err = $crate::remediation::UnknownCode;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                match name {
                    $($name => Ok(Self::$variant),)*
                    _ => Err($crate::remediation::UnknownCode { name: name.to_owned(), group: $title }),
                }
            }
        }

        impl serde::Serialize for $group {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl schemars::JsonSchema for $group {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($group).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "description": $title, "enum": [$($name),*] })
            }
        }

        impl<'de> serde::Deserialize<'de> for $group {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
use codes;

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use std::collections::HashSet;
    use std::fmt;
    use std::str::FromStr;

    fn group<C>(names: &mut HashSet<&'static str>)
    where
        C: Code + PartialEq + fmt::Debug + FromStr<Err = UnknownCode> + Serialize + DeserializeOwned,
    {
        for code in C::ALL {
            let name = code.name();
            assert!(names.insert(name), "{name} stands for two things");
            assert_eq!(name.parse(), Ok(*code));
            let json = serde_json::to_value(code).expect("JSON");
            assert_eq!(json, name);
            assert_eq!(serde_json::from_value::<C>(json).expect("read back"), *code);
            for text in [code.meaning(), code.what_to_do()] {
                assert!(text.ends_with('.') && !text.contains(['|', '\n']), "{name}: {text}");
            }
        }
    }

    #[test]
    fn every_name_is_one_code_and_is_read_back() {
        let mut names = HashSet::new();
        group::<AlertCode>(&mut names);
        group::<ReasonCode>(&mut names);
        group::<RefusalCode>(&mut names);
        assert!(names.len() > 90, "{names:?}");
        for name in ["too_old", "role_gone"] {
            let code: RefusedBy = serde_json::from_value(name.into()).expect("a code");
            assert_eq!((code.name(), serde_json::to_value(code).expect("JSON")), (name, name.into()));
        }
    }

    #[test]
    fn a_code_of_a_later_version_is_an_error_that_says_so() {
        let alert = serde_json::from_str::<AlertCode>("\"made_up\"").expect_err("unknown");
        let refused = serde_json::from_str::<RefusedBy>("\"made_up\"").expect_err("unknown");
        insta::assert_snapshot!(format!("{alert}\n{refused}"), @r#"
        "made_up" is no alert code of this version of rescind: a later one may have written it
        "made_up" is no refusal code of this version of rescind: a later one may have written it
        "#);
    }
}
