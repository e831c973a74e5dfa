//! Tests with generated types, some of them through a guest that returns its argument.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::item::argument_passing::ArgumentPassing;
use crate::{Engine, Plugin, Pool};

/// A component whose function takes `x`, of any type, and `behind`, a tuple of many numbers. The function returns a
/// tuple of `x` and the first of these numbers. The canonical ABI passes so many arguments in memory, with `x` first.
/// In this memory, `x` and the first number have the layout of the result. Therefore the guest returns the address of
/// its arguments.
const ECHO: &str = r#"(component
  (core module $code
    (memory (export "memory") 17)
    (global $heap (mut i32) (i32.const 64))
    (func (export "realloc") (param i32 i32 i32) (param $len i32) (result i32)
      (local $ptr i32)
      (local.set $ptr (global.get $heap))
      (global.set $heap
        (i32.and (i32.add (i32.add (local.get $ptr) (local.get $len)) (i32.const 7)) (i32.const -8)))
      (local.get $ptr))
    (func (export "post") (param i32) (global.set $heap (i32.const 64)))
    (func (export "call") (param $ptr i32) (result i32) (local.get $ptr)))
  (core instance $code (instantiate $code))
  (alias core export $code "memory" (core memory $memory))
  (alias core export $code "realloc" (core func $realloc))
  (alias core export $code "post" (core func $post))
  TYPES
  (func $call (param "x" TYPE) (param "behind" $behind) (result (tuple TYPE u64))
    (canon lift (core func $code "call") (memory $memory) (realloc $realloc) (post-return $post)))
  (instance $it EXPORTS (export "call" (func $call)))
  (export "acme:test/it" (instance $it)))"#;

/// The declarations of types in WAT, the inner ones first.
#[derive(Default)]
struct Declared {
    types: String,
    exports: String,
    count: usize,
}

impl Declared {
    /// Returns the type in WAT, and declares it if it needs a name.
    fn of(&mut self, shape: &Shape) -> String {
        let text = match shape {
            Shape::Bool | Shape::Int(_) | Shape::F32 | Shape::F64 | Shape::Char | Shape::String => {
                return shape.name().into();
            }
            Shape::Bytes => "(list u8)".into(),
            Shape::List(element) => format!("(list {})", self.of(element)),
            Shape::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.of(part)).collect();
                format!("(tuple {})", parts.join(" "))
            }
            Shape::Option(inner) => format!("(option {})", self.of(inner)),
            Shape::Result(ok, err) => {
                let ok = ok.as_ref().map(|ok| self.of(ok)).unwrap_or_default();
                let err = err.as_ref().map(|err| format!("(error {})", self.of(err)));
                format!("(result {ok} {})", err.unwrap_or_default())
            }
            Shape::Record(fields) => {
                let fields = fields.iter().fold(String::new(), |text, (name, field)| {
                    format!("{text} (field \"{name}\" {})", self.of(field))
                });
                format!("(record {fields})")
            }
            Shape::Variant(cases) => {
                let cases = cases.iter().fold(String::new(), |text, (name, case)| {
                    let payload = case.as_ref().map(|case| self.of(case)).unwrap_or_default();
                    format!("{text} (case \"{name}\" {payload})")
                });
                format!("(variant {cases})")
            }
            Shape::Enum(names) => format!("(enum {})", quoted(names)),
            Shape::Flags(names) => format!("(flags {})", quoted(names)),
        };
        let at = self.count;
        self.count += 1;
        writeln!(self.types, "(type $t{at} {text})").unwrap();
        write!(self.exports, "(export \"t{at}\" (type $t{at}))").unwrap();
        format!("$t{at}")
    }
}

fn quoted(names: &NameMap<()>) -> String {
    names.names().map(|name| format!("\"{name}\" ")).collect()
}

fn echo(shape: &Shape) -> String {
    let mut declared = Declared::default();
    let name = declared.of(shape);
    let behind = format!("(type $behind (tuple {}))", "u64 ".repeat(16));
    ECHO.replace("TYPES", &format!("{}{behind}", declared.types))
        .replace("EXPORTS", &declared.exports)
        .replace("TYPE", &name)
}

fn label(at: usize) -> String {
    const LABELS: [&str; 6] = ["a", "b-c", "x1", "long-name-of-it", "HTTP-y", "z"];
    LABELS[at].into()
}

fn labels(count: usize) -> NameMap<()> {
    NameMap::new((0..count).map(|at| (label(at), ())).collect())
}

fn owned(names: &NameMap<()>) -> Vec<String> {
    names.names().map(str::to_owned).collect()
}

fn shapes() -> impl Strategy<Value = Shape> {
    use Int::*;
    let leaf = prop_oneof![
        Just(Shape::Bool),
        prop::sample::select(vec![S8, U8, S16, U16, S32, U32, S64, U64]).prop_map(Shape::Int),
        Just(Shape::F32),
        Just(Shape::F64),
        Just(Shape::Char),
        Just(Shape::String),
        Just(Shape::Bytes),
        (1..=6_usize).prop_map(|count| Shape::Enum(labels(count))),
        (1..=6_usize).prop_map(|count| Shape::Flags(labels(count))),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let maybe = prop::option::of(inner.clone());
        prop_oneof![
            inner.clone().prop_map(|inner| match inner {
                Shape::Int(U8) => Shape::Bytes,
                other => list(other),
            }),
            inner.clone().prop_map(option),
            prop::collection::vec(inner.clone(), 1..5).prop_map(Shape::Tuple),
            prop::collection::vec(inner, 1..6).prop_map(|fields| {
                Shape::Record(NameMap::new((0..).map(label).zip(fields).collect()))
            }),
            prop::collection::vec(maybe.clone(), 1..6).prop_map(|cases| {
                Shape::Variant(NameMap::new((0..).map(label).zip(cases).collect()))
            }),
            (maybe.clone(), maybe).prop_map(|(ok, err)| result(ok, err)),
        ]
    })
}

/// Returns a strategy for values of the type, as JSON.
fn values(shape: &Shape) -> BoxedStrategy<Value> {
    let member = |name: &'static str, shape: &Option<Box<Shape>>| {
        let value = shape.as_ref().map_or(Just(Value::Null).boxed(), |shape| values(shape));
        value.prop_map(move |value| serde_json::json!({ name: value })).boxed()
    };
    match shape {
        Shape::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Shape::Int(int) => match int {
            Int::S8 => any::<i8>().prop_map(Value::from).boxed(),
            Int::U8 => any::<u8>().prop_map(Value::from).boxed(),
            Int::S16 => any::<i16>().prop_map(Value::from).boxed(),
            Int::U16 => any::<u16>().prop_map(Value::from).boxed(),
            Int::S32 => any::<i32>().prop_map(Value::from).boxed(),
            Int::U32 => any::<u32>().prop_map(Value::from).boxed(),
            Int::S64 => any::<i64>().prop_map(Value::from).boxed(),
            Int::U64 => any::<u64>().prop_map(Value::from).boxed(),
        },
        // This test's JSON library prints other `f32` values with more digits than necessary.
        Shape::F32 => any::<i16>().prop_map(|it| Value::from(f32::from(it) / 4.0)).boxed(),
        Shape::F64 => any::<f64>()
            .prop_filter("JSON has only finite numbers", |it| it.is_finite())
            .prop_map(Value::from)
            .boxed(),
        Shape::Char => any::<char>().prop_map(|it| Value::from(it.to_string())).boxed(),
        Shape::String => any::<String>().prop_map(Value::from).boxed(),
        Shape::Bytes => {
            use base64::Engine as _;
            let encode = |it: Vec<u8>| base64::engine::general_purpose::STANDARD.encode(it);
            any::<Vec<u8>>().prop_map(move |it| Value::from(encode(it))).boxed()
        }
        Shape::List(element) => {
            prop::collection::vec(values(element), 0..4).prop_map(Value::from).boxed()
        }
        Shape::Tuple(parts) => {
            parts.iter().map(values).collect::<Vec<_>>().prop_map(Value::from).boxed()
        }
        Shape::Record(fields) => {
            let names: Vec<_> = fields.iter().map(|(name, _)| name.clone()).collect();
            let values: Vec<_> = fields.iter().map(|(_, field)| values(field)).collect();
            let object = move |values: Vec<Value>| names.iter().cloned().zip(values).collect();
            values.prop_map(object).boxed()
        }
        Shape::Variant(cases) => {
            let case = |(name, payload): &(String, Option<Shape>)| {
                let name = name.clone();
                match payload {
                    None => Just(Value::from(name)).boxed(),
                    Some(payload) => values(payload)
                        .prop_map(move |it| serde_json::json!({ name.clone(): it }))
                        .boxed(),
                }
            };
            prop::strategy::Union::new(cases.iter().map(case)).boxed()
        }
        Shape::Enum(names) => prop::sample::select(owned(names)).prop_map(Value::from).boxed(),
        Shape::Flags(names) => {
            let all = names.len();
            prop::sample::subsequence(owned(names), 0..=all).prop_map(Value::from).boxed()
        }
        Shape::Option(inner) => {
            let is_nested = inner.is_option();
            let wrap = move |value: Option<Value>| match value {
                Some(value) if is_nested => serde_json::json!({ "some": value }),
                value => value.unwrap_or_default(),
            };
            prop::option::of(values(inner)).prop_map(wrap).boxed()
        }
        Shape::Result(ok, err) => prop_oneof![member("ok", ok), member("err", err)].boxed(),
    }
}

fn shapes_with_values() -> impl Strategy<Value = (Shape, Vec<Value>)> {
    shapes().prop_flat_map(|shape| {
        let values = prop::collection::vec(values(&shape), 1..4);
        (Just(shape), values)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_value_of_any_type_round_trips_through_json((shape, all) in shapes_with_values()) {
        for value in all {
            let json = value.to_string();
            let val = read(&shape, &json).map_err(|it| TestCaseError::fail(format!("{json}: {it}")))?;
            let again = written(&shape, &val).unwrap();
            // Fields are written in the order of the type, but objects of the JSON library are not ordered.
            prop_assert_eq!(&read(&shape, &again).unwrap(), &val);
            let again: Value = serde_json::from_str(&again).unwrap();
            prop_assert_eq!(again.to_string(), Value::to_string(&serde_json::from_str(&json).unwrap()));
        }
    }

    #[test]
    fn invalid_json_is_never_accepted((shape, all) in shapes_with_values(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        // Replace one character.
        let mut signs: Vec<char> = all[0].to_string().chars().collect();
        let at = at.index(signs.len());
        signs[at] = with;
        let text: String = signs.into_iter().collect();
        if read(&shape, &text).is_ok() {
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "{}", text);
        }
    }
}

proptest! {
    // Each case compiles a component.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_value_of_any_type_round_trips_through_a_guest((shape, all) in shapes_with_values()) {
        let wat = echo(&shape);
        let plugin = Plugin::from_bytes(&Engine::new().unwrap(), "echo", wat.as_bytes());
        let plugin = plugin.map_err(|it| TestCaseError::fail(format!("{it:?} of {wat}")))?;
        let pool = Pool::builder(&plugin).argument_passing(ArgumentPassing::Args);
        let mut pool = pool.build().unwrap();
        let behind = vec![0; 16];
        let items: Vec<_> = all.iter().map(|x| serde_json::json!([x, behind]).to_string()).collect();
        for (item, x) in pool.map(items).zip(all) {
            let record = item.unwrap();
            let json = std::str::from_utf8(record.bytes().unwrap()).unwrap();
            let sent = read(&shape, &x.to_string()).unwrap();
            let both = Shape::Tuple(vec![shape.clone(), Shape::Int(Int::U64)]);
            prop_assert_eq!(read(&both, json).unwrap(), Val::Tuple(vec![sent, Val::U64(0)]), "{}", json);
        }
    }
}
