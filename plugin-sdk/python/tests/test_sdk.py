"""Tests of items, arguments and exceptions. Run `python -m unittest` in this folder."""

import dataclasses
import sys
import unittest
from pathlib import Path
from typing import Annotated, Literal, Optional

HERE = Path(__file__).parent
for folder in (HERE.parent / "mtl-plugin", HERE / "probe", HERE / "power"):
    sys.path.insert(0, str(folder))

from power import Power
from probe import Probe

from mtl_plugin import BadItem, Format, Level, Passing, Refused, i64, u8, worker
from mtl_plugin.testing import Instance


def result(instance, item):
    """Returns the result of an item in the notation of the tables."""
    try:
        record = instance.call(item)
    except (BadItem, Refused) as failure:
        return BadItem if isinstance(failure, BadItem) else Refused, str(failure)
    return record if record is None else record.decode()


def of(hint):
    """Returns a worker class with one parameter of this type."""

    class Given:
        def __call__(self, given: hint):
            return repr(given)

    return worker(Given)


class Table(unittest.TestCase):
    def assert_results(self, instance, cases):
        for item, expected in cases:
            with self.subTest(item=item):
                self.assertEqual(result(instance, item), expected)


class Results(Table):
    def test_the_probe_answers_commands(self):
        probe = Instance(Probe, "hello", worker_index=1, worker_count=2)
        self.assert_results(probe, [
            ("", ""),
            ("echo a b", "a b"),
            ("bytes 3", "xxx"),
            ("state", "4"),
            ("init", "hello"),
            ("refuse no é", (Refused, "no é")),
            ("bad no", (BadItem, "no")),
            ("skip", None),
            ("worker", "1/2"),
            ("format", "text"),
            ("log warn take care", "logged"),
            ("dance", (BadItem, "unknown command `dance`")),
            ("", ""),
        ])
        self.assertEqual(probe.logged, [(Level.WARN, "take care")])
        self.assertEqual(probe.finish(), b"calls: 13")

    def test_the_format_that_init_declares_holds_for_every_record(self):
        probe = Instance(Probe, "json")
        self.assertEqual(probe.result_format, Format.JSON)
        self.assertEqual(result(probe, 'echo a "b" é'), '"a \\"b\\" é"')
        with self.assertRaisesRegex(Refused, "^no model$"):
            Instance(Probe, "fail no model")

    def test_an_exception_is_refused_with_its_line(self):
        kind, message = result(Instance(Probe), "bytes many")
        self.assertIs(kind, Refused)
        self.assertRegex(message, r"^ValueError: invalid literal .*'many' \(probe.py, line \d+\)$")

    def test_the_return_type_declares_the_format_of_results(self):
        @worker
        class Parts:
            def __call__(self, item: str) -> Optional[dict]:
                return {"parts": item.split(",")} if item else None

        parts = Instance(Parts)
        self.assertEqual(parts.result_format, Format.JSON)
        self.assertEqual(result(parts, "a,é"), '{"parts":["a","é"]}')
        self.assertIsNone(result(parts, ""))

    def test_a_result_that_json_cannot_represent_is_refused(self):
        @worker
        class Divide:
            def __call__(self, item: float) -> float:
                return float("inf") if item == 0 else 1 / item

        self.assertEqual(result(Instance(Divide), "2"), "0.5")
        self.assertIs(result(Instance(Divide), "0")[0], Refused)

    def test_a_class_without_a_call_is_no_worker(self):
        with self.assertRaisesRegex(TypeError, "`Idle` has no `__call__`"):
            worker(type("Idle", (), {}))


class Arguments(Table):
    def test_init_fills_the_parameters_of_the_constructor(self):
        @dataclasses.dataclass
        class Settings:
            depth: int
            name: str = "none"

        def worker_class(init):
            class WithInit:
                __init__ = init

                def __call__(self, item):
                    return repr(self.given)

            return WithInit

        def nothing(self):
            self.given = None

        def text(self, given: str):
            self.given = given

        def optional_text(self, given: str | None):
            self.given = given

        def settings(self, given: Settings):
            self.given = (given.depth, given.name)

        def two(self, first: str, second: int = 2):
            self.given = (first, second)

        cases = [
            (nothing, "", "None"),
            (nothing, "what for?", "this worker takes no arguments"),
            (text, "", "''"),
            (text, " a ", "' a '"),
            (optional_text, "", "None"),
            (settings, '{"depth": 3}', "(3, 'none')"),
            (settings, '{"name": "x"}', "missing field `depth`"),
            (settings, '{"depth": 1, "deep": 2}', "unknown field `deep`"),
            (settings, "", "parameter `given` is missing"),
            (two, '["a"]', "('a', 2)"),
            (two, '{"second": 3, "first": "a"}', "('a', 3)"),
            (two, "", "parameter `first` is missing"),
        ]
        for init, given, expected in cases:
            with self.subTest(init=init.__name__, given=given):
                try:
                    answer = Instance(worker_class(init), given).call("").decode()
                except (BadItem, Refused) as failure:
                    answer = str(failure)
                self.assertEqual(answer, expected)

    def test_a_parameter_type_that_json_cannot_fill_is_a_type_error(self):
        with self.assertRaisesRegex(TypeError, "parameter `given`: no JSON value can be read as .*Path"):
            of(Path)


class Passed(Table):
    def test_an_array_fills_the_parameters_by_position(self):
        self.assert_results(Instance(Power, passing=Passing.ARGS), [
            ("[2, 10]", "1024"),
            (" [-3, 3, null]\n", "-27"),
            ("[-3, 3, 10]", "3"),
            ("[-1, 4294967295]", "-1"),
            ("[10, 19]", (Refused, "the power has more than 64 bits")),
            ("[2, 3, 0]", (BadItem, "nothing can be divided by this `modulus`")),
            ("[2]", (BadItem, "parameter `exponent` is missing")),
            ("[2, -1]", (BadItem, "parameter `exponent`: invalid value: integer `-1`, expected u32")),
            ("[2, 1.0]", (BadItem, "parameter `exponent`: invalid type: floating point `1.0`, expected u32")),
            ("[9223372036854775808, 1]", (BadItem, "parameter `base`: invalid value: integer `9223372036854775808`, expected i64")),
            ("[2, 3, 5, 7]", (BadItem, "an array of 4 elements, and the parameters are `base`, `exponent` and `modulus`")),
            ("5", (BadItem, "invalid type: integer `5`, expected an array of the parameters `base`, `exponent` and `modulus`")),
        ])

    def test_an_object_fills_them_by_name(self):
        self.assert_results(Instance(Power, passing=Passing.KWARGS), [
            ('{"exponent": 10, "base": 2}', "1024"),
            ('{"b\\u0061se": 2, "exponent": 10, "modulus": 100}', "24"),
            ('{"base": 2}', (BadItem, "parameter `exponent` is missing")),
            ('{"base": "two", "exponent": 1}', (BadItem, 'parameter `base`: invalid type: string "two", expected i64')),
            ('{"base": 2, "power": 1}', (BadItem, "unknown parameter `power`; the parameters are `base`, `exponent` and `modulus`")),
            ('{"base": 2, "base": 2}', (BadItem, "parameter `base` is given twice")),
            ("[1, 2]", (BadItem, "invalid type: sequence, expected an object with the parameters `base`, `exponent` and `modulus`")),
        ])

    def test_an_item_that_is_not_utf8_is_a_bad_item(self):
        for hint in (str, int):
            self.assertEqual(result(Instance(of(hint)), b"a\xff"), (BadItem, "not UTF-8 from byte 1 on"))

    def test_an_item_that_is_not_json_is_a_bad_item(self):
        for item in ("", "[1", "[1] 2", "[NaN]", b"[\xff]", "[" * 100_000):
            kind, message = result(Instance(Power, passing=Passing.ARGS), item)
            self.assertIs(kind, BadItem)
            self.assertTrue(message.startswith("not a JSON array: "), message)

    def test_a_single_item_cannot_fill_three_parameters(self):
        with self.assertRaisesRegex(Refused, "has 3 parameters, `base`, `exponent` and `modulus`: use `--args args`"):
            Instance(Power)

    def test_a_key_may_have_a_hyphen_for_an_underscore(self):
        @worker
        class Join:
            def __call__(self, first_part: str, *, with_: str = "-", last_part: str = ""):
                return first_part + with_ + last_part

        join = Instance(Join, passing=Passing.KWARGS)
        self.assert_results(join, [
            ('{"last-part": "b", "first_part": "a"}', "a-b"),
            ('{"first-part": "a", "with_": null}', "a-"),
            ('{"first-part": "a", "first_part": "b"}', (BadItem, "parameter `first_part` is given twice")),
        ])

    def test_a_parameter_is_read_by_its_type(self):
        text, json, inside = Format.TEXT, Format.JSON, None
        fitting = [
            # type, passing, item, result
            (str, text, '"a"', "'\"a\"'"),
            (str, json, ' "a\\n" ', "'a\\n'"),
            (str, json, "[1]", "'[1]'"),
            (str, inside, '"a"', "'a'"),
            (bytes, text, "é", repr("é".encode())),
            (bytes, inside, '"é"', repr("é".encode())),
            (Optional[str], text, "null", "'null'"),
            (Optional[str], json, " null ", "None"),
            (int | None, text, "null", "None"),
            (u8, text, " 255\r", "255"),
            (float, inside, "3", "3.0"),
            (list[Annotated[int, "an id"]], inside, "[1,2]", "[1, 2]"),
            (tuple[float, float], inside, "[1,2.5]", "(1.0, 2.5)"),
            (dict[str, int], inside, '{"a":1}', "{'a': 1}"),
            (int | str, inside, '"a"', "'a'"),
            (Literal["a", "b"], inside, '"b"', "'b'"),
            (object, text, "[1]", "'[1]'"),
            (object, json, "[1]", "[1]"),
            (object, inside, '{"a":null}', "{'a': None}"),
        ]
        unfit = [
            (str, inside, "1", "invalid type: integer `1`, expected a string"),
            (str, inside, '"\\ud800"', "half of a surrogate pair in a string"),
            (u8, inside, "256", "invalid value: integer `256`, expected u8"),
            (i64, inside, "true", "invalid type: boolean `true`, expected i64"),
            (int, inside, "1.5", "invalid type: floating point `1.5`, expected int"),
            (int, inside, '"1"', 'invalid type: string "1", expected int'),
            (int, inside, "null", "invalid type: null, expected int"),
            (float, text, "1e999", "number out of range"),
            (bool, inside, "1", "invalid type: integer `1`, expected a boolean"),
            (list[int], inside, '[1,"x"]', 'invalid type: string "x", expected int'),
            (tuple[int, int], inside, "[1]", "invalid type: sequence, expected an array of 2 elements"),
            (int | None, inside, '""', 'invalid type: string "", expected int'),
            (Literal["a"], inside, '"b"', 'invalid type: string "b", expected one of `a`'),
        ]
        unfit = [(*case[:3], (BadItem, f"parameter `given`: {case[3]}")) for case in unfit]
        for hint, given, item, expected in fitting + unfit:
            with self.subTest(hint=hint, given=given, item=item):
                passing = Passing.ARGS if given is inside else Passing.SINGLE
                instance = Instance(of(hint), passing=passing, item_format=given or text)
                self.assertEqual(result(instance, f"[{item}]" if given is inside else item), expected)


if __name__ == "__main__":
    unittest.main()
