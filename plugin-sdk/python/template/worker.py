"""my-worker: says of each line how long it is."""

from mtl_plugin import BadItem, worker


@worker
class MyWorker:
    def __init__(self, unit: str):
        # The text of `--init`. Runs once in each worker; what is made here is kept from item to item.
        self.unit = unit or "characters"

    def __call__(self, item: str) -> str:
        if not item:
            raise BadItem("an empty line")
        return f"{len(item)} {self.unit}"
