"""my-worker greets names and counts its greetings."""

from mtl_plugin import BadItem, worker


@worker
class MyWorker:
    def __init__(self, greeting: str):
        """Starts a worker. `greeting` is the text of --init."""
        self.greeting = greeting or "Hello"
        self.greeted = 0

    def __call__(self, name: str) -> str:
        """Returns the record of one item."""
        if not name:
            raise BadItem("there is nobody to greet")
        self.greeted += 1
        return f"{self.greeting}, {name}!"

    def finish(self) -> str:
        """Returns the finish report."""
        return f"greeted: {self.greeted}"
