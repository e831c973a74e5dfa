"""Counts words. The lesson: a worker keeps its state from item to item and reports it at the end.

The result of an item is its number of words. The finish report is the total of the worker; the
totals of all workers add up to that of the input.
"""

import re

from mtl_plugin import context, worker

# Unicode white space separates words; `str.split` splits at more characters.
WORD = re.compile("[^\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


@worker
class WordCount:
    def __init__(self):
        self.items = self.words = self.bytes = 0

    def __call__(self, item: str) -> int:
        words = len(WORD.findall(item))
        self.items += 1
        self.words += words
        self.bytes += len(item.encode())
        return words

    def finish(self) -> dict:
        return {"worker": context.worker_index(), "items": self.items, "words": self.words, "bytes": self.bytes}
