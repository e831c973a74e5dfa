"""Answers commands, so that one table of items in tests/integration/languages.rs tests every part of every SDK."""

import os

from mtl_plugin import BadItem, Format, Level, Refused, context, log, worker


@worker
class Probe:
    def __init__(self, arguments: str):
        if arguments.startswith("fail "):
            raise Refused(arguments.removeprefix("fail "))
        self.is_json = arguments == "json"
        if self.is_json:
            context.result_format(Format.JSON)
        self.arguments = arguments
        self.calls = 0

    def __call__(self, item: bytes):
        self.calls += 1
        command, _, rest = item.partition(b" ")
        match command.decode(errors="replace"):
            case "":
                return ""
            case "echo":
                return rest.decode() if self.is_json else rest
            case "bytes":
                return "x" * int(rest)
            case "state":
                return str(self.calls)
            case "init":
                return self.arguments
            case "refuse":
                raise Refused(rest.decode())
            case "bad":
                raise BadItem(rest.decode())
            case "skip":
                return None
            case "worker":
                return f"{context.worker_index()}/{context.worker_count()}"
            case "format":
                return context.item_format().name.lower()
            case "log":
                level, _, message = rest.decode().partition(" ")
                log(Level[level.upper()], message)
                return "logged"
            case "trap":
                os.abort()
        raise BadItem(f"unknown command `{item.decode(errors='replace')}`")

    def finish(self):
        return f"calls: {self.calls}"
