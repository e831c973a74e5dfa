"""Run by `python -m unittest` in this folder, where `pip install -r requirements.txt` has been."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("mtl-plugin")))

try:
    from markdown import Markdown
except ImportError as missing:
    raise unittest.SkipTest("pip install -r requirements.txt") from missing
from mtl_plugin.testing import Instance


class MarkdownTest(unittest.TestCase):
    def test_a_document_becomes_html(self):
        self.assertEqual(Instance(Markdown).call("# A ~~b~~\n"), b"<h1>A <del>b</del></h1>\n")

    def test_init_says_which_extensions_there_are(self):
        self.assertEqual(Instance(Markdown, '["url"]').call("~~a~~"), b"<p>~~a~~</p>\n")


if __name__ == "__main__":
    unittest.main()
