"""Converts Markdown to HTML. The lesson: a worker may use packages from PyPI that are pure Python.

`requirements.txt` names the package, and `mtl-host build` puts it into the plugin. An item is a document:

    find docs -name '*.md' | mtl-host run examples-plugins/python/markdown --input-format files --output-dir html --multiline
"""

from typing import Literal

import mistune
# The plugin contains only modules that are imported here. An import by name at run time would fail.
from mistune.plugins.formatting import strikethrough
from mistune.plugins.table import table
from mistune.plugins.task_lists import task_lists
from mistune.plugins.url import url

from mtl_plugin import worker

EXTENSIONS = {"strikethrough": strikethrough, "table": table, "task_lists": task_lists, "url": url}


@worker
class Markdown:
    def __init__(self, extensions: list[Literal["strikethrough", "table", "task_lists", "url"]] | None):
        # The parser is created once for all items.
        chosen = EXTENSIONS if extensions is None else extensions
        self.html = mistune.create_markdown(plugins=[EXTENSIONS[name] for name in chosen])

    def __call__(self, document: str) -> str:
        return self.html(document)
