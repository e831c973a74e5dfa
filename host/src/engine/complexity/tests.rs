use super::*;

fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// Returns components that are nested in one another. The text format cannot nest this deep.
fn nested(depth: usize) -> Vec<u8> {
    const HEAD: &[u8] = b"\0asm\x0d\0\x01\0";
    (1..depth).fold(HEAD.to_vec(), |inner, _| {
        let size = inner.len();
        let digits = [size & 0x7f | 0x80, size >> 7 & 0x7f | 0x80, size >> 14];
        let digits = digits.map(|digit| u8::try_from(digit).unwrap());
        [HEAD, &[4], &digits, &inner].concat()
    })
}

/// Returns components that each instantiate the previous one twice.
fn doubled(times: usize) -> Vec<u8> {
    let first = "(component (core module $m) (core instance (instantiate $m)))".to_owned();
    binary(&(0..times).fold(first, |inner, _| {
        format!("(component {inner} (instance (instantiate 0)) (instance (instantiate 0)))")
    }))
}

/// Returns sibling components that each instantiate the previous one twice, through an alias.
fn doubled_by_aliases(times: usize) -> Vec<u8> {
    let next = |at: usize| {
        let twice = "(instance (instantiate $it))".repeat(2);
        format!("(component $c{at} (alias outer $all $c{} (component $it)) {twice})", at - 1)
    };
    let all: String = (1..=times).map(next).collect();
    binary(&format!("(component $all (component $c0) {all} (instance (instantiate $c{times})))"))
}

#[test]
fn nested_components_and_modules_are_counted() {
    #[rustfmt::skip]
    let cases = [
        ("(module (func))",                                             (1, 1)),
        ("(component)",                                                 (1, 1)),
        ("(component (core module) (component (core module)))",         (3, 4)),
    ];
    for (text, expected) in cases {
        assert_eq!(nesting(&binary(text)), expected, "{text}");
    }
    assert_eq!(nesting(&nested(20_000)), (20_000, 20_000));
}

#[test]
fn excessive_complexity_is_detected() {
    let flat = |parts: usize| binary(&format!("(component {})", "(core module)".repeat(parts - 1)));
    #[rustfmt::skip]
    let cases = [
        (nested(32),                None),
        (nested(33),                Some(Complexity::Depth(33))),
        (nested(20_000),            Some(Complexity::Depth(20_000))),
        (flat(1000),                None),
        (flat(1001),                Some(Complexity::Parts(1001))),
        (doubled(10),               None),
        (doubled_by_aliases(10),    None),
        (b"no binary".to_vec(),     None),
        (Vec::new(),                None),
    ];
    for (at, (binary, expected)) in cases.into_iter().enumerate() {
        assert_eq!(Complexity::exceeded(&binary), expected, "case {at}");
    }
    for binary in [doubled(25), doubled_by_aliases(30), doubled_by_aliases(200)] {
        let exceeded = Complexity::exceeded(&binary);
        assert!(matches!(exceeded, Some(Complexity::Definitions(100_001..))), "{exceeded:?}");
    }
}

#[test]
fn instantiating_a_passed_component_exceeds_the_limit() {
    let imports = "(import \"c\" (component $c)) (instance (instantiate $c))";
    let imported = &format!("(component {imports})");
    let with = "(instance (instantiate $it (with \"c\" (component $c))))";
    let given = format!("(component (component $it {imports}) (component $c) {with})");
    for text in [imported, &given] {
        assert_eq!(Complexity::exceeded(&binary(text)), Some(Complexity::Definitions(u64::MAX)));
    }
    // A component that is not instantiated is harmless, and so is a local component with a second name.
    let known = "(component (import \"c\" (component)) (component $c) \
                 (export $e \"e\" (component $c)) (instance (instantiate $e)))";
    assert_eq!(Complexity::exceeded(&binary(known)), None);
}

#[test]
fn an_instance_has_the_definitions_of_its_component() {
    // For each of the two instances of `$c`: the instance itself and its two core instances.
    let text = "(component (component $c (core module $m) (core instance (instantiate $m)) \
                (core instance (instantiate $m))) (instance (instantiate $c)) (instance (instantiate $c)))";
    assert_eq!(definitions(&binary(text)), 2 * (1 + 2));
}
