"""my-worker greets, and counts whom it has greeted."""

from mtl_plugin import BadItem, worker


@worker
class MyWorker:
    def __init__(self, greeting: str):
        """Makes a worker, once for each. `greeting` is the text of --init."""
        self.greeting = greeting or "Hello"
        self.greeted = 0

    def __call__(self, name: str) -> str:
        """Makes the record of one item."""
        if not name:
            raise BadItem("there is nobody to greet")
        self.greeted += 1
        return f"{self.greeting}, {name}!"

    def finish(self) -> str:
        """Makes the closing report."""
        return f"greeted: {self.greeted}"
