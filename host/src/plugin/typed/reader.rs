//! Reads JSON as values of a type, straight from the text.
//!
//! The type leads: at each place it is known what may stand there, so that nothing is built that
//! is not passed on, nothing is skipped, and numbers keep each of their digits until their type
//! says what they are. It goes no deeper than the type does, and takes no more memory than it may.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wasmtime::component::Val;

use super::mistake::{Mistake, listed, shortened};
use super::named::Named;
use super::shape::{Int, Shape};

/// What the values of one item may take in memory: lists of small things become large, as each
/// element is a value of its own.
const ROOM: usize = 128 * 1024 * 1024;

/// A place in a JSON text.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    room: usize,
}

type Read<T> = Result<T, Mistake>;

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self::in_room(text, ROOM)
    }

    /// With so many bytes of memory for values.
    pub(super) fn in_room(text: &'a str, room: usize) -> Self {
        Self { text, at: 0, room }
    }

    /// What is there, as one value.
    pub(super) fn value(&mut self, shape: &Shape) -> Read<Val> {
        self.take_room(size_of::<Val>())?;
        Ok(match shape {
            Shape::Bool => match (self.takes_word("true"), self.takes_word("false")) {
                (true, _) => Val::Bool(true),
                (_, true) => Val::Bool(false),
                (false, false) => return Err(self.unexpected(shape)),
            },
            Shape::Int(int) => self.int(*int, shape)?,
            Shape::F32 => {
                let number = self.number(shape)?;
                let value = number.parse().expect("a number of JSON is one of Rust");
                Val::Float32(finite(value, f32::is_finite, number, "f32")?)
            }
            Shape::F64 => {
                let number = self.number(shape)?;
                let value = number.parse().expect("a number of JSON is one of Rust");
                Val::Float64(finite(value, f64::is_finite, number, "f64")?)
            }
            Shape::Char => {
                let text = self.string(shape)?;
                let mut signs = text.chars();
                match (signs.next(), signs.next()) {
                    (Some(sign), None) => Val::Char(sign),
                    _ => {
                        let found = shortened(&text);
                        return Err(Mistake::new(format!(
                            "expected a string of one character (char), found {found}"
                        )));
                    }
                }
            }
            Shape::String => Val::String(self.owned_string(shape)?),
            Shape::Bytes => self.bytes()?,
            Shape::List(element) => self.list(element, shape)?,
            Shape::Tuple(parts) => self.tuple(parts, shape)?,
            Shape::Record(fields) => self.record(fields, shape)?,
            Shape::Variant(cases) => self.variant(cases, shape)?,
            Shape::Enum(names) => {
                let name = self.string(shape)?;
                Val::Enum(names[known(&name, names, "case")?].0.clone())
            }
            Shape::Flags(names) => self.flags(names, shape)?,
            Shape::Option(inner) => self.option(inner, shape)?,
            Shape::Result(ok, err) => self.result(ok.as_deref(), err.as_deref(), shape)?,
        })
    }

    /// Nothing may come but white space.
    pub(super) fn end(&mut self) -> Read<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Mistake::new(format!("something follows at byte {}", self.at))),
        }
    }

    /// Bytes as they are.
    pub(super) fn raw_bytes(bytes: &[u8]) -> Read<Val> {
        Self::new("").take_room(bytes.len().saturating_mul(size_of::<Val>()))?;
        Ok(Val::List(bytes.iter().copied().map(Val::U8).collect()))
    }

    /// An array's elements, one by one.
    pub(super) fn array(
        &mut self,
        expected: &str,
        mut element: impl FnMut(&mut Self, usize) -> Read<()>,
    ) -> Read<()> {
        if !self.takes(b'[') {
            return Err(self.not(expected));
        }
        if self.takes(b']') {
            return Ok(());
        }
        for index in 0.. {
            element(self, index).map_err(|mistake| mistake.in_index(index))?;
            if self.takes(b']') {
                break;
            }
            self.expect(b',', "`,` or `]`")?;
        }
        Ok(())
    }

    /// An object's members, one by one; `member` reads the value of a key.
    pub(super) fn object(
        &mut self,
        expected: &str,
        mut member: impl FnMut(&mut Self, &str) -> Read<()>,
    ) -> Read<()> {
        if !self.takes(b'{') {
            return Err(self.not(expected));
        }
        if self.takes(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.no_json("a key"));
            }
            let key = self.text()?;
            self.expect(b':', "`:`")?;
            member(self, &key)?;
            if self.takes(b'}') {
                return Ok(());
            }
            self.expect(b',', "`,` or `}`")?;
        }
    }

    /// Whether `null` is next; then it is behind.
    pub(super) fn takes_null(&mut self) -> bool {
        self.takes_word("null")
    }

    /// A string, if one is next.
    pub(super) fn takes_string(&mut self) -> Read<Option<String>> {
        match self.peek() {
            Some(b'"') => self.text().map(|text| Some(text.into_owned())),
            _ => Ok(None),
        }
    }

    /// The byte that comes next, white space left out.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn takes(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_there = self.peek().is_some() && self.word() == word;
        self.at += if is_there { word.len() } else { 0 };
        is_there
    }

    /// The letters and digits that are next.
    fn word(&self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric());
        &rest[..end.unwrap_or(rest.len())]
    }

    fn expect(&mut self, byte: u8, expected: &str) -> Read<()> {
        match self.takes(byte) {
            true => Ok(()),
            false => Err(self.no_json(expected)),
        }
    }

    /// Takes from what values may take in memory.
    fn take_room(&mut self, bytes: usize) -> Read<()> {
        let left = self.room.checked_sub(bytes);
        self.room = left.ok_or_else(|| {
            let most = ROOM / (1024 * 1024);
            Mistake::new(format!("the item's values take more than {most}MiB"))
        })?;
        Ok(())
    }

    fn int(&mut self, int: Int, shape: &Shape) -> Read<Val> {
        let number = self.number(shape)?;
        // More digits than it has room for are too many for all of these types.
        let value: Option<i128> = number.parse().ok();
        let val = value.and_then(|value| {
            Some(match int {
                Int::S8 => Val::S8(value.try_into().ok()?),
                Int::U8 => Val::U8(value.try_into().ok()?),
                Int::S16 => Val::S16(value.try_into().ok()?),
                Int::U16 => Val::U16(value.try_into().ok()?),
                Int::S32 => Val::S32(value.try_into().ok()?),
                Int::U32 => Val::U32(value.try_into().ok()?),
                Int::S64 => Val::S64(value.try_into().ok()?),
                Int::U64 => Val::U64(value.try_into().ok()?),
            })
        });
        val.ok_or_else(|| does_not_fit(number, int.name()))
    }

    /// The digits of a number, as JSON has them.
    fn number(&mut self, shape: &Shape) -> Read<&'a str> {
        if !matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            return Err(self.unexpected(shape));
        }
        let rest = &self.text[self.at..];
        let Some(length) = number_length(rest.as_bytes()) else {
            return Err(self.no_json("a number"));
        };
        self.at += length;
        Ok(&rest[..length])
    }

    fn string(&mut self, shape: &Shape) -> Read<Cow<'a, str>> {
        match self.peek() {
            Some(b'"') => self.text(),
            _ => Err(self.unexpected(shape)),
        }
    }

    fn owned_string(&mut self, shape: &Shape) -> Read<String> {
        let text = self.string(shape)?;
        self.take_room(text.len())?;
        Ok(text.into_owned())
    }

    /// The string that begins here.
    fn text(&mut self) -> Read<Cow<'a, str>> {
        let begin = self.at;
        let bytes = self.text.as_bytes();
        let mut end = begin + 1;
        let mut is_plain = true;
        loop {
            let special = memchr::memchr2(b'"', b'\\', &bytes[end.min(bytes.len())..]);
            let Some(special) = special else {
                self.at = bytes.len();
                return Err(self.no_json("the end of a string"));
            };
            end += special;
            if bytes[end] == b'"' {
                break;
            }
            is_plain = false;
            end += 2;
        }
        self.at = end + 1;
        let inner = &self.text[begin + 1..end];
        if is_plain && !inner.bytes().any(|byte| byte < b' ') {
            return Ok(Cow::Borrowed(inner));
        }
        serde_json::from_str(&self.text[begin..=end]).map(Cow::Owned).map_err(|_| {
            Mistake::new(format!("not JSON: a string that is none begins at byte {begin}"))
        })
    }

    fn bytes(&mut self) -> Read<Val> {
        let bytes = if self.peek() == Some(b'"') {
            let text = self.text()?;
            let length = text.len() / 4 * 3;
            self.take_room(length.saturating_mul(size_of::<Val>()))?;
            let decoded = STANDARD.decode(text.as_bytes());
            decoded
                .map_err(|error| Mistake::new(format!("a string that is not base64: {error}")))?
        } else {
            let mut bytes = Vec::new();
            self.array(Shape::Bytes.json(), |reader, _| {
                reader.take_room(size_of::<Val>())?;
                let Val::U8(byte) = reader.int(Int::U8, &Shape::Int(Int::U8))? else {
                    unreachable!("it was asked for such a number");
                };
                bytes.push(byte);
                Ok(())
            })?;
            bytes
        };
        Ok(Val::List(bytes.into_iter().map(Val::U8).collect()))
    }

    fn list(&mut self, element: &Shape, shape: &Shape) -> Read<Val> {
        let mut values = Vec::new();
        self.array(&expected(shape), |reader, _| {
            values.push(reader.value(element)?);
            Ok(())
        })?;
        Ok(Val::List(values))
    }

    fn tuple(&mut self, parts: &[Shape], shape: &Shape) -> Read<Val> {
        let mut values = Vec::with_capacity(parts.len());
        self.array(&expected(shape), |reader, index| {
            let part = parts.get(index).ok_or_else(|| {
                Mistake::new(format!("more than the {} elements of the tuple", parts.len()))
            })?;
            values.push(reader.value(part)?);
            Ok(())
        })?;
        match values.len() == parts.len() {
            true => Ok(Val::Tuple(values)),
            false => Err(Mistake::new(format!(
                "{} elements, and the tuple has {}",
                values.len(),
                parts.len()
            ))),
        }
    }

    fn record(&mut self, fields: &Named<Shape>, shape: &Shape) -> Read<Val> {
        // Also for those that are missing: the value has all of them.
        let names = fields.names().map(|name| size_of::<(String, Val)>() + name.len());
        self.take_room(names.sum())?;
        let values = self.fields(fields, &expected(shape), "field")?;
        let names = fields.iter().map(|(name, _)| name.clone());
        Ok(Val::Record(names.zip(values).collect()))
    }

    /// An object's values by these names, in their order; what may be left out has no value then.
    pub(super) fn fields(
        &mut self,
        fields: &Named<Shape>,
        expected: &str,
        what: &str,
    ) -> Read<Vec<Val>> {
        let mut values: Vec<Option<Val>> = vec![None; fields.len()];
        self.object(expected, |reader, key| {
            let wrong = |mistake: Mistake| mistake.in_key(key);
            let at = fields.find(key).ok_or_else(|| wrong(unknown(what, fields.names())))?;
            let (name, field) = &fields[at];
            if values[at].is_some() {
                return Err(wrong(Mistake::new("is there twice")));
            }
            values[at] = Some(reader.value(field).map_err(|mistake| mistake.in_key(name))?);
            Ok(())
        })?;
        let all = fields.iter().zip(values).map(|((name, field), value)| {
            let none = || field.is_option().then_some(Val::Option(None));
            value.or_else(none).ok_or_else(|| Mistake::new("is missing").in_key(name))
        });
        all.collect()
    }

    fn variant(&mut self, cases: &Named<Option<Shape>>, shape: &Shape) -> Read<Val> {
        let find = |key: &str| Ok(&cases[known(key, cases, "case")?]);
        if self.peek() == Some(b'"') {
            let key = self.text()?;
            return match find(&key)? {
                (name, None) => Ok(Val::Variant(name.clone(), None)),
                (name, Some(_)) => {
                    Err(Mistake::new(format!("the case `{name}` has a value: `{{\"{name}\": …}}`")))
                }
            };
        }
        let mut found = None;
        self.object(&expected(shape), |reader, key| {
            if found.is_some() {
                return Err(Mistake::new("a variant has one case").in_key(key));
            }
            let (name, payload) = find(key)?;
            let Some(payload) = payload else {
                let what = format!("the case `{name}` has no value: `\"{name}\"`");
                return Err(Mistake::new(what));
            };
            let value = reader.value(payload).map_err(|mistake| mistake.in_key(name))?;
            found = Some(Val::Variant(name.clone(), Some(Box::new(value))));
            Ok(())
        })?;
        found.ok_or_else(|| Mistake::new("a variant has one case, and here is none"))
    }

    /// There are 32 at most: no type has more.
    fn flags(&mut self, names: &Named<()>, shape: &Shape) -> Read<Val> {
        let mut set = Vec::new();
        self.array(&expected(shape), |reader, _| {
            let name = reader.string(&Shape::String)?;
            let (name, ()) = &names[known(&name, names, "flag")?];
            if set.contains(name) {
                return Err(Mistake::new(format!("`{name}` is there twice")));
            }
            reader.take_room(size_of::<String>() + name.len())?;
            set.push(name.clone());
            Ok(())
        })?;
        Ok(Val::Flags(set))
    }

    fn option(&mut self, inner: &Shape, shape: &Shape) -> Read<Val> {
        if self.takes_null() {
            return Ok(Val::Option(None));
        }
        if !inner.is_option() {
            return Ok(Val::Option(Some(Box::new(self.value(inner)?))));
        }
        // `null` is no value already: that there is one which is none has to be said.
        let mut some = None;
        self.object(&expected(shape), |reader, key| {
            if key != "some" || some.is_some() {
                return Err(unknown("key", ["some"]).in_key(key));
            }
            let value = reader.value(inner).map_err(|mistake| mistake.in_key("some"))?;
            some = Some(Box::new(value));
            Ok(())
        })?;
        match some {
            Some(_) => Ok(Val::Option(some)),
            None => Err(Mistake::new("is missing").in_key("some")),
        }
    }

    fn result(&mut self, ok: Option<&Shape>, err: Option<&Shape>, shape: &Shape) -> Read<Val> {
        let mut found = None;
        self.object(&expected(shape), |reader, key| {
            let side = match (key, found.is_some()) {
                ("ok", false) => ok,
                ("err", false) => err,
                _ => return Err(unknown("key", ["ok", "err"]).in_key(key)),
            };
            let value = match side {
                Some(shape) => reader.value(shape).map(|value| Some(Box::new(value))),
                None if reader.takes_null() => Ok(None),
                None => Err(reader.not("`null`")),
            };
            let value = value.map_err(|mistake| mistake.in_key(key))?;
            found = Some(if key == "ok" { Ok(value) } else { Err(value) });
            Ok(())
        })?;
        let found = found.ok_or_else(|| Mistake::new("neither `ok` nor `err` is there"));
        Ok(Val::Result(found?))
    }

    /// Something else is here than what the type wants.
    fn unexpected(&mut self, shape: &Shape) -> Mistake {
        self.not(&expected(shape))
    }

    /// Something else is here than `expected`.
    pub(super) fn not(&mut self, expected: &str) -> Mistake {
        let found = match self.peek() {
            Some(b'"') => "a string",
            Some(b'[') => "an array",
            Some(b'{') => "an object",
            Some(b'-' | b'0'..=b'9') => "a number",
            Some(_) if self.word() == "null" => "`null`",
            Some(_) if self.word() == "true" => "`true`",
            Some(_) if self.word() == "false" => "`false`",
            None | Some(_) => return self.no_json(expected),
        };
        Mistake::new(format!("expected {expected}, found {found}"))
    }

    /// What is here is not JSON.
    fn no_json(&mut self, expected: &str) -> Mistake {
        let found = match (self.peek(), self.text[self.at..].chars().next()) {
            (Some(b'"'), _) => format!("a string at byte {}", self.at),
            (Some(_), Some(sign)) => format!("`{}` at byte {}", sign.escape_debug(), self.at),
            _ => "the end".into(),
        };
        Mistake::new(format!("not JSON: expected {expected}, found {found}"))
    }
}

fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Option(_) | Shape::Result(..) | Shape::Bytes | Shape::Bool | Shape::String => {
            shape.json().into()
        }
        _ => format!("{} ({})", shape.json(), shape.name()),
    }
}

/// How many bytes a number has that begins here, if it is one of JSON.
fn number_length(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let begin = usize::from(bytes.first() == Some(&b'-'));
    let mut end = match bytes.get(begin)? {
        b'0' => begin + 1,
        b'1'..=b'9' => digits(begin),
        _ => return None,
    };
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if fraction == end + 1 {
            return None;
        }
        end = fraction;
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent == end + 1 + sign {
            return None;
        }
        end = exponent;
    }
    Some(end)
}

fn finite<T: Copy>(value: T, is_finite: impl Fn(T) -> bool, number: &str, name: &str) -> Read<T> {
    if is_finite(value) { Ok(value) } else { Err(does_not_fit(number, name)) }
}

fn does_not_fit(number: &str, name: &str) -> Mistake {
    let shown = shortened(number);
    let is_whole = !number.contains(['.', 'e', 'E']) || name.starts_with('f');
    match is_whole {
        true => Mistake::new(format!("{} does not fit {name}", shown.trim_matches('"'))),
        false => Mistake::new(format!(
            "expected a whole number ({name}), found {}",
            shown.trim_matches('"')
        )),
    }
}

/// The place of what a name names.
fn known<T>(name: &str, names: &Named<T>, what: &str) -> Read<usize> {
    names.find(name).ok_or_else(|| {
        let (name, names) = (shortened(name), listed(names.names()));
        Mistake::new(format!("there is no {what} {name}; there are {names}"))
    })
}

/// A key, named by the path, that there is not.
fn unknown<'a>(what: &str, names: impl IntoIterator<Item = &'a str>) -> Mistake {
    Mistake::new(format!("there is no such {what}; there are {}", listed(names)))
}
