"""Tests for `python -m unittest` in this folder."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("mtl-plugin")))

from mtl_plugin import BadItem
from mtl_plugin.testing import Instance
from word_count import WordCount


class WordCountTest(unittest.TestCase):
    def test_each_item_is_counted_and_the_report_sums_them_up(self):
        count = Instance(WordCount, worker_index=1, worker_count=2)
        for item, words in [("to be or not", b"4"), ("", b"0"), ("  naïve\tword ", b"2")]:
            self.assertEqual(count.call(item), words, item)
        with self.assertRaises(BadItem):
            count.call(b"\xff")
        self.assertEqual(count.finish(), b'{"worker":1,"items":3,"words":6,"bytes":26}')


if __name__ == "__main__":
    unittest.main()
