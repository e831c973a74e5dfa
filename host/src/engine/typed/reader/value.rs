//! Reads the values of each type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wasmtime::component::Val;

use super::{Read, Reader};
use crate::engine::typed::name_map::NameMap;
use crate::engine::typed::shape::{Int, Shape};
use crate::engine::typed::value_error::{ValueError, listed, shortened};

impl Reader<'_> {
    /// Reads one value of this type.
    pub(crate) fn value(&mut self, shape: &Shape) -> Read<Val> {
        self.reserve(size_of::<Val>())?;
        Ok(match shape {
            Shape::Bool => {
                let is_true = self.skip_word("true");
                if !is_true && !self.skip_word("false") {
                    return Err(self.unexpected(shape));
                }
                Val::Bool(is_true)
            }
            Shape::Int(int) => self.int(*int, shape)?,
            Shape::F32 => {
                let number = self.number(shape)?;
                let value = number.parse().expect("Rust parses every JSON number");
                Val::Float32(finite(value, f32::is_finite, number, "f32")?)
            }
            Shape::F64 => {
                let number = self.number(shape)?;
                let value = number.parse().expect("Rust parses every JSON number");
                Val::Float64(finite(value, f64::is_finite, number, "f64")?)
            }
            Shape::Char => {
                let text = self.string(shape)?;
                let mut signs = text.chars();
                match (signs.next(), signs.next()) {
                    (Some(sign), None) => Val::Char(sign),
                    _ => {
                        let found = shortened(&text);
                        return Err(ValueError::new(format!(
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

    /// Returns the bytes of an item as a list.
    pub(crate) fn raw_bytes(bytes: &[u8]) -> Read<Val> {
        Self::new("").reserve(bytes.len().saturating_mul(size_of::<Val>()))?;
        Ok(Val::List(bytes.iter().copied().map(Val::U8).collect()))
    }

    fn int(&mut self, int: Int, shape: &Shape) -> Read<Val> {
        let number = self.number(shape)?;
        // A number that overflows `i128` is too large for each of these types.
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

    fn bytes(&mut self) -> Read<Val> {
        let bytes = if self.peek() == Some(b'"') {
            let text = self.text()?;
            let length = text.len() / 4 * 3;
            self.reserve(length.saturating_mul(size_of::<Val>()))?;
            let decoded = STANDARD.decode(text.as_bytes());
            decoded
                .map_err(|error| ValueError::new(format!("a string that is not base64: {error}")))?
        } else {
            let mut bytes = Vec::new();
            self.array(Shape::Bytes.json(), |reader, _| {
                reader.reserve(size_of::<Val>())?;
                let Val::U8(byte) = reader.int(Int::U8, &Shape::Int(Int::U8))? else {
                    unreachable!("a `u8` was read");
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
        // Many short lists would otherwise waste much capacity.
        values.shrink_to_fit();
        Ok(Val::List(values))
    }

    fn tuple(&mut self, parts: &[Shape], shape: &Shape) -> Read<Val> {
        let mut values = Vec::with_capacity(parts.len());
        self.array(&expected(shape), |reader, index| {
            let part = parts.get(index).ok_or_else(|| {
                ValueError::new(format!("more than the {} elements of the tuple", parts.len()))
            })?;
            values.push(reader.value(part)?);
            Ok(())
        })?;
        match values.len() == parts.len() {
            true => Ok(Val::Tuple(values)),
            false => Err(ValueError::new(format!(
                "{} elements, but the tuple has {}",
                values.len(),
                parts.len()
            ))),
        }
    }

    fn record(&mut self, fields: &NameMap<Shape>, shape: &Shape) -> Read<Val> {
        // Missing fields count, because the value contains all fields.
        let names = fields.names().map(|name| size_of::<(String, Val)>() + name.len());
        self.reserve(names.sum())?;
        let values = self.fields(fields, &expected(shape), "field")?;
        let names = fields.iter().map(|(name, _)| name.clone());
        Ok(Val::Record(names.zip(values).collect()))
    }

    /// Reads an object with the given fields, and returns the values in the order of `fields`. If
    /// an optional field is missing, its value is `none`.
    pub(crate) fn fields(
        &mut self,
        fields: &NameMap<Shape>,
        expected: &str,
        kind: &str,
    ) -> Read<Vec<Val>> {
        let mut values: Vec<Option<Val>> = vec![None; fields.len()];
        self.object(expected, |reader, key| {
            let in_key = |error: ValueError| error.in_key(key);
            let at = fields.find(key).ok_or_else(|| in_key(unknown(kind, fields.names())))?;
            let (name, field) = &fields[at];
            if values[at].is_some() {
                return Err(in_key(ValueError::new("appears twice")));
            }
            values[at] = Some(reader.value(field).map_err(|error| error.in_key(name))?);
            Ok(())
        })?;
        let all = fields.iter().zip(values).map(|((name, field), value)| {
            let none = || field.is_option().then_some(Val::Option(None));
            value.or_else(none).ok_or_else(|| ValueError::new("is missing").in_key(name))
        });
        all.collect()
    }

    fn variant(&mut self, cases: &NameMap<Option<Shape>>, shape: &Shape) -> Read<Val> {
        let find = |key: &str| Ok(&cases[known(key, cases, "case")?]);
        if self.peek() == Some(b'"') {
            let key = self.text()?;
            return match find(&key)? {
                (name, None) => Ok(Val::Variant(name.clone(), None)),
                (name, Some(_)) => Err(ValueError::new(format!(
                    "the case `{name}` has a value: `{{\"{name}\": …}}`"
                ))),
            };
        }
        let mut found = None;
        self.object(&expected(shape), |reader, key| {
            if found.is_some() {
                return Err(ValueError::new("a variant has one case").in_key(key));
            }
            let (name, payload) = find(key)?;
            let Some(payload) = payload else {
                let message = format!("the case `{name}` has no value: `\"{name}\"`");
                return Err(ValueError::new(message));
            };
            let value = reader.value(payload).map_err(|error| error.in_key(name))?;
            found = Some(Val::Variant(name.clone(), Some(Box::new(value))));
            Ok(())
        })?;
        found.ok_or_else(|| ValueError::new("a variant has one case, but the object is empty"))
    }

    /// Reads flags. A type has at most 32 flags, so a linear search is enough.
    fn flags(&mut self, names: &NameMap<()>, shape: &Shape) -> Read<Val> {
        let mut set = Vec::new();
        self.array(&expected(shape), |reader, _| {
            let name = reader.string(&Shape::String)?;
            let (name, ()) = &names[known(&name, names, "flag")?];
            if set.contains(name) {
                return Err(ValueError::new(format!("`{name}` appears twice")));
            }
            reader.reserve(size_of::<String>() + name.len())?;
            set.push(name.clone());
            Ok(())
        })?;
        Ok(Val::Flags(set))
    }

    fn option(&mut self, inner: &Shape, shape: &Shape) -> Read<Val> {
        if self.skip_null() {
            return Ok(Val::Option(None));
        }
        if !inner.is_option() {
            return Ok(Val::Option(Some(Box::new(self.value(inner)?))));
        }
        // `null` means the outer `none`, so an outer `some` must be written out.
        let mut some = None;
        self.object(&expected(shape), |reader, key| {
            if key != "some" || some.is_some() {
                return Err(unknown("key", ["some"]).in_key(key));
            }
            let value = reader.value(inner).map_err(|error| error.in_key("some"))?;
            some = Some(Box::new(value));
            Ok(())
        })?;
        match some {
            Some(_) => Ok(Val::Option(some)),
            None => Err(ValueError::new("is missing").in_key("some")),
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
                None if reader.skip_null() => Ok(None),
                None => Err(reader.mismatch("`null`")),
            };
            let value = value.map_err(|error| error.in_key(key))?;
            found = Some(if key == "ok" { Ok(value) } else { Err(value) });
            Ok(())
        })?;
        let found = found.ok_or_else(|| ValueError::new("neither `ok` nor `err` is present"));
        Ok(Val::Result(found?))
    }
}

pub(crate) fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Option(_) | Shape::Result(..) | Shape::Bytes | Shape::Bool | Shape::String => {
            shape.json().into()
        }
        _ => format!("{} ({})", shape.json(), shape.name()),
    }
}

fn finite<T: Copy>(value: T, is_finite: impl Fn(T) -> bool, number: &str, name: &str) -> Read<T> {
    if is_finite(value) { Ok(value) } else { Err(does_not_fit(number, name)) }
}

fn does_not_fit(number: &str, name: &str) -> ValueError {
    let quoted = shortened(number);
    let is_whole = !number.contains(['.', 'e', 'E']) || name.starts_with('f');
    match is_whole {
        true => ValueError::new(format!("{} does not fit {name}", quoted.trim_matches('"'))),
        false => ValueError::new(format!(
            "expected a whole number ({name}), found {}",
            quoted.trim_matches('"')
        )),
    }
}

/// Returns the index of the entry with this name.
fn known<T>(name: &str, names: &NameMap<T>, kind: &str) -> Read<usize> {
    names.find(name).ok_or_else(|| {
        let (name, names) = (shortened(name), listed(names.names()));
        ValueError::new(format!("there is no {kind} {name}; there are {names}"))
    })
}

/// Returns the error for an unknown key. The path of the error names the key.
fn unknown<'a>(kind: &str, names: impl IntoIterator<Item = &'a str>) -> ValueError {
    ValueError::new(format!("there is no such {kind}; there are {}", listed(names)))
}
