//! The kind of an event, as serde writes it: there is no second list of names.
//!
//! [`Tag`] is a serializer that takes the tag of an enum and stops there: what the event holds is not looked at,
//! and nothing is allocated.

use serde::ser::{Error, Impossible, Serialize, SerializeStruct, Serializer};
use std::fmt;

/// The tag of a value that serializes as `{"kind": tag, …}`; empty for any other value.
pub(super) fn tag(value: &impl Serialize) -> &'static str {
    match value.serialize(Tag) {
        Err(Stop(tag)) => tag,
        Ok(never) => match never {},
    }
}

/// Why serializing ends: the tag was read, or there is none.
#[derive(Debug)]
struct Stop(&'static str);

/// What serializing never gives.
enum Never {}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Stop {}

impl Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self("")
    }
}

struct Tag;

/// The first field of an enum with `tag` and `content` is the tag: a unit variant.
impl SerializeStruct for Tag {
    type Ok = Never;
    type Error = Stop;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<(), Stop> {
        value.serialize(Self).map(|never| match never {})
    }

    fn end(self) -> Result<Never, Stop> {
        Err(Stop(""))
    }
}

/// What has no tag.
macro_rules! untagged {
    ($($name:ident($($argument:ty),*) -> $answer:ty;)*) => {
        $(fn $name(self, $(_: $argument),*) -> Result<$answer, Stop> {
            Err(Stop(""))
        })*
    };
}

impl Serializer for Tag {
    type Ok = Never;
    type Error = Stop;
    type SerializeSeq = Impossible<Never, Stop>;
    type SerializeTuple = Impossible<Never, Stop>;
    type SerializeTupleStruct = Impossible<Never, Stop>;
    type SerializeTupleVariant = Impossible<Never, Stop>;
    type SerializeMap = Impossible<Never, Stop>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<Never, Stop>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Stop> {
        Ok(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, tag: &'static str) -> Result<Never, Stop> {
        Err(Stop(tag))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Never, Stop> {
        Err(Stop(""))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Result<Never, Stop> {
        Err(Stop(""))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Never, Stop> {
        Err(Stop(""))
    }

    untagged! {
        serialize_bool(bool) -> Never;
        serialize_i8(i8) -> Never;
        serialize_i16(i16) -> Never;
        serialize_i32(i32) -> Never;
        serialize_i64(i64) -> Never;
        serialize_u8(u8) -> Never;
        serialize_u16(u16) -> Never;
        serialize_u32(u32) -> Never;
        serialize_u64(u64) -> Never;
        serialize_f32(f32) -> Never;
        serialize_f64(f64) -> Never;
        serialize_char(char) -> Never;
        serialize_str(&str) -> Never;
        serialize_bytes(&[u8]) -> Never;
        serialize_none() -> Never;
        serialize_unit() -> Never;
        serialize_unit_struct(&'static str) -> Never;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}
