"""Run by `python -m unittest`."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("mtl-plugin")))

from mtl_plugin import BadItem
from mtl_plugin.testing import Instance
from worker import MyWorker


class MyWorkerTest(unittest.TestCase):
    def test_a_line_is_measured(self):
        self.assertEqual(Instance(MyWorker).call("hello"), b"5 characters")
        self.assertEqual(Instance(MyWorker, "letters").call("hello"), b"5 letters")

    def test_an_empty_line_is_a_bad_item(self):
        with self.assertRaises(BadItem):
            Instance(MyWorker).call("")


if __name__ == "__main__":
    unittest.main()
