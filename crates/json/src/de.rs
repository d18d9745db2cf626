//! The tree as a deserializer of serde's types.

use crate::error::Error;
use crate::node::Node;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use std::borrow::Cow;

type Members<'de> = &'de [(Cow<'de, str>, Node<'de>)];

/// Value of a missing field.
static MISSING: Node<'static> = Node::Null;

impl Node<'_> {
    #[cold]
    #[inline(never)]
    fn wrong(&self, expected: &dyn de::Expected) -> Error {
        if std::ptr::eq(self, &MISSING) {
            // Nobody reads it, and a document may lack many fields.
            return Error::new(format_args!(""));
        }
        Error::invalid_type(self.unexpected(), expected)
    }
}

fn text<'de, V: Visitor<'de>>(text: &'de Cow<'de, str>, visitor: V) -> Result<V::Value, Error> {
    visitor.visit_borrowed_str(text)
}

fn list<'de, V: Visitor<'de>>(nodes: &'de [Node<'de>], visitor: V) -> Result<V::Value, Error> {
    let mut elements = Elements(nodes.iter());
    let value = visitor.visit_seq(&mut elements)?;
    elements.end()?;
    Ok(value)
}

fn object<'de, V: Visitor<'de>>(members: Members<'de>, visitor: V) -> Result<V::Value, Error> {
    visitor.visit_map(Entries { members: members.iter(), value: None })
}

/// A struct is read like a list, field by field in the order of its declaration: for that, serde derives half the code
/// that it derives for names in any order.
fn record<'de, V: Visitor<'de>>(
    members: Members<'de>,
    names: &'static [&'static str],
    visitor: V,
) -> Result<V::Value, Error> {
    let mut fields = Fields { members, names: names.iter(), next: 0, missing: None };
    match visitor.visit_seq(&mut fields) {
        Ok(value) => fields.end().map(|()| value),
        Err(error) => Err(fields.explain(error)),
    }
}

/// Methods for numbers: integers of any size, as in `serde_json`.
macro_rules! numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self {
                Node::Unsigned(value) => visitor.visit_u64(*value),
                Node::Signed(value) => visitor.visit_i64(*value),
                Node::Float(value) => visitor.visit_f64(*value),
                other => Err(other.wrong(&visitor)),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for &'de Node<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Node::Null => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(*value),
            Node::Unsigned(value) => visitor.visit_u64(*value),
            Node::Signed(value) => visitor.visit_i64(*value),
            Node::Float(value) => visitor.visit_f64(*value),
            Node::Text(value) => text(value, visitor),
            Node::List(nodes) => list(nodes, visitor),
            Node::Object(members) => object(members, visitor),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Node::Bool(value) => visitor.visit_bool(*value),
            other => Err(other.wrong(&visitor)),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Node::Text(value) => text(value, visitor),
            other => Err(other.wrong(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Node::Null => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Node::Null => visitor.visit_unit(),
            other => Err(other.wrong(&visitor)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Node::List(nodes) => list(nodes, visitor),
            other => Err(other.wrong(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Node::Object(members) => object(members, visitor),
            other => Err(other.wrong(&visitor)),
        }
    }

    /// Only from an object; `serde_json` takes a list as well. Unknown fields are ignored, also by types that deny
    /// them: the server checks its requests, and the browser reads the responses of a newer server.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Node::Object(members) => record(members, names, visitor),
            other => Err(other.wrong(&visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (name, content) = match self {
            Node::Text(name) => (name, None),
            Node::Object(members) if members.len() == 1 => (&members[0].0, Some(&members[0].1)),
            other => return Err(other.wrong(&visitor)),
        };
        visitor.visit_enum(Variant { name, content })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

/// Elements of a list.
struct Elements<'de>(std::slice::Iter<'de, Node<'de>>);

impl Elements<'_> {
    /// All elements must have been read.
    fn end(&self) -> Result<(), Error> {
        match self.0.len() {
            0 => Ok(()),
            more => Err(Error::new(format_args!("{more} elements too many"))),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|node| seed.deserialize(node)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// Fields of a struct, in the order of its declaration.
struct Fields<'de> {
    members: Members<'de>,
    names: std::slice::Iter<'static, &'static str>,
    /// Index of the next member, if the document has the same order.
    next: usize,
    /// Name of the last field, if the document has no value of it.
    missing: Option<&'static str>,
}

impl<'de> Fields<'de> {
    /// Value of the next field; null if it is missing.
    #[inline(never)]
    fn value(&mut self) -> &'de Node<'de> {
        let Some(name) = self.names.next() else { return &MISSING };
        let is_it = |at: &usize| self.members.get(*at).is_some_and(|(member, _)| member == name);
        let at = Some(self.next).filter(is_it).or_else(|| (0..self.members.len()).find(is_it));
        self.next = at.map_or(self.next, |at| at + 1);
        self.missing = if at.is_some() { None } else { Some(name) };
        at.map_or(&MISSING, |at| &self.members[at].1)
    }

    /// Every name belongs to one field. Not so if a field has a second name (`alias`), which this reader has no use
    /// for.
    #[inline(never)]
    fn end(&self) -> Result<(), Error> {
        match self.names.as_slice() {
            [] => Ok(()),
            more => Err(Error::new(format_args!("fields with several names: {more:?}"))),
        }
    }

    /// serde reports a missing field by its number.
    #[cold]
    #[inline(never)]
    fn explain(&self, error: Error) -> Error {
        self.missing.map_or(error, Error::missing_field)
    }
}

impl<'de> SeqAccess<'de> for &mut Fields<'de> {
    type Error = Error;

    /// `None` for a missing field that can't be null: serde takes its default, or fails.
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        match seed.deserialize(self.value()) {
            Err(_) if self.missing.is_some() => Ok(None),
            result => result.map(Some),
        }
    }
}

/// Members of an object.
struct Entries<'de> {
    members: std::slice::Iter<'de, (Cow<'de, str>, Node<'de>)>,
    /// Value of the name that was read last.
    value: Option<&'de Node<'de>>,
}

impl<'de> Entries<'de> {
    #[inline(never)]
    fn name(&mut self) -> Option<&'de str> {
        let (name, value) = self.members.next()?;
        self.value = Some(value);
        Some(name)
    }

    #[inline(never)]
    fn value(&mut self) -> &'de Node<'de> {
        self.value.take().unwrap_or(&Node::Null)
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.name().map(|name| seed.deserialize(Name(name))).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.value())
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.members.len())
    }
}

/// Name of a member or of a variant.
struct Name<'de>(&'de str);

impl<'de> Deserializer<'de> for Name<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(Variant { name: self.0, content: None })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A variant of an enum: a string, or an object with one member.
struct Variant<'de> {
    name: &'de str,
    content: Option<&'de Node<'de>>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Error;
    type Variant = Content<'de>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Content<'de>), Error> {
        Ok((seed.deserialize(Name(self.name))?, Content(self.content)))
    }
}

/// Content of a variant.
struct Content<'de>(Option<&'de Node<'de>>);

impl<'de> Content<'de> {
    fn node(self, expected: &'static str) -> Result<&'de Node<'de>, Error> {
        self.0.ok_or_else(|| Error::invalid_type(Unexpected::UnitVariant, &expected))
    }
}

impl<'de> VariantAccess<'de> for Content<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0 {
            None | Some(Node::Null) => Ok(()),
            Some(other) => Err(other.wrong(&"unit variant")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.node("newtype variant")?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.node("tuple variant")?.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.node("struct variant")?.deserialize_struct("", names, visitor)
    }
}
