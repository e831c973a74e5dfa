"""Tests for `python -m unittest` in this folder."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("mtl-plugin")))

from mtl_plugin import BadItem, Refused
from mtl_plugin.testing import Instance
from square import Square


class SquareTest(unittest.TestCase):
    def test_numbers_are_squared_and_other_items_have_a_message(self):
        square = Instance(Square)
        for item, expected in [
            ("12", b"144"),
            (" -12\r", b"144"),
            ("1.5", b"2.25"),
            ("1e11", b"10000000000000000000000"),
            ("1e-4", b"0.00000001"),
            ("18446744073709551615", b"340282366920938463426481119284349108225"),
            ("18446744073709551616", Refused("the square has more than 128 bits")),
            ("twelve", BadItem("not a number: `twelve`")),
            ("inf", BadItem("not a number: `inf`")),
        ]:
            with self.subTest(item=item):
                if isinstance(expected, bytes):
                    self.assertEqual(square.call(item), expected)
                    continue
                with self.assertRaises(type(expected)) as raised:
                    square.call(item)
                self.assertEqual(str(raised.exception), str(expected))


if __name__ == "__main__":
    unittest.main()
