"""Counts words. The lesson: a worker keeps its state from item to item, and reports it at the end.

The result of an item is the number of its words. What a worker has counted in all is its closing report; the sum over
all workers is the sum over the input.
"""

import re

from mtl_plugin import context, worker

# What Unicode calls white space is between words; `str.split` takes more for it.
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
