"""Does what it is told, so that one table of commands tests every SDK."""

import os

from mtl_plugin import BadItem, Format, Level, Refused, context, log, worker


@worker
class Probe:
    def __init__(self, arguments: str):
        if arguments.startswith("fail "):
            raise Refused(arguments.removeprefix("fail "))
        if arguments == "json":
            context.result_format(Format.JSON)
        self.arguments = arguments
        self.calls = 0

    def __call__(self, item: str):
        self.calls += 1
        command, _, rest = item.partition(" ")
        match command:
            case "":
                return ""
            case "echo":
                return rest
            case "bytes":
                return "x" * int(rest)
            case "state":
                return str(self.calls)
            case "init":
                return self.arguments
            case "refuse":
                raise Refused(rest)
            case "bad":
                raise BadItem(rest)
            case "skip":
                return None
            case "worker":
                return f"{context.worker_index()}/{context.worker_count()}"
            case "format":
                return context.item_format().name.lower()
            case "log":
                level, _, message = rest.partition(" ")
                log(Level[level.upper()], message)
                return "logged"
            case "trap":
                os.abort()
        raise BadItem(f"unknown command `{item}`")

    def finish(self):
        return f"calls: {self.calls}"
