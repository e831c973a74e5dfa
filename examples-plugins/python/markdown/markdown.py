"""Makes HTML of Markdown. The lesson: a worker may use a package from PyPI that is written in Python alone.

`requirements.txt` names it, and `mtl-host build` puts it into the plugin. An item is a document:

    find docs -name '*.md' | mtl-host run examples-plugins/python/markdown --input-format files --output-dir html --multiline
"""

import mistune

from mtl_plugin import worker


@worker
class Markdown:
    def __init__(self, plugins: list[str] | None):
        # What is made once serves all items.
        self.html = mistune.create_markdown(plugins=plugins or ["strikethrough", "table", "task_lists"])

    def __call__(self, document: str) -> str:
        return self.html(document)
