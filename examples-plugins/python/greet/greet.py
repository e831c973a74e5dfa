from mtl_plugin import worker


@worker
class Greet:
    def __init__(self, greeting: str):
        self.greeting = greeting

    def __call__(self, name: str) -> str:
        return f"{self.greeting}, {name}!"
