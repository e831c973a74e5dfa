"""Tests for `python -m unittest` in this folder."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("mtl-plugin")))

from greet import Greet
from mtl_plugin.testing import Instance


class GreetTest(unittest.TestCase):
    def test_everyone_is_greeted_as_init_was_told(self):
        self.assertEqual(Instance(Greet, "Hello").call("Ada"), b"Hello, Ada!")


if __name__ == "__main__":
    unittest.main()
