"""Tests for `python -m unittest`."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("mtl-plugin")))

from mtl_plugin import BadItem
from mtl_plugin.testing import Instance
from worker import MyWorker


class MyWorkerTest(unittest.TestCase):
    def test_everyone_is_greeted(self):
        worker = Instance(MyWorker, "Hi")
        self.assertEqual(worker.call("Ada"), b"Hi, Ada!")
        with self.assertRaises(BadItem):
            worker.call("")
        self.assertEqual(worker.finish(), b"greeted: 1")


if __name__ == "__main__":
    unittest.main()
