"""Tests for `python -m unittest` in this folder. They need the package from `mtl-host build`, or an installed one."""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "mtl-plugin"), str(HERE / "build" / "packages")]

try:
    from markdown import Markdown
except ImportError as missing:
    raise unittest.SkipTest("mtl-host build") from missing
from mtl_plugin.testing import Instance


class MarkdownTest(unittest.TestCase):
    def test_a_document_becomes_html(self):
        self.assertEqual(Instance(Markdown).call("# A ~~b~~\n"), b"<h1>A <del>b</del></h1>\n")

    def test_init_says_which_extensions_there_are(self):
        self.assertEqual(Instance(Markdown, '["url"]').call("~~a~~"), b"<p>~~a~~</p>\n")


if __name__ == "__main__":
    unittest.main()
