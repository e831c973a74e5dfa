"""The formats of inputs and outputs. Encodes items for the host, and encodes outcomes as a correct host does."""

from __future__ import annotations

import base64
import json
import re
import struct

from outcomes import FILTERED, RECORD, Outcome, shown
from plan import Plan


def encode_items(plan: Plan, items: list[bytes], is_last: bool) -> bytes:
    """Encodes items as an input. The separator after the last item is optional."""
    if plan.input_format == "frames":
        return b"".join(struct.pack("<I", len(data)) + data for data in items)
    end = b"\0" if plan.input_format == "nul" else b"\n"
    # In JSON Lines, a blank line is not an item.
    between = end + b" " + end if plan.input_format == "jsonl" and plan.seed % 3 == 0 else end
    text = between.join(items)
    # Without its separator, a last empty item would not exist.
    needs_separator = items and (plan.ends_with_separator or not is_last or not items[-1])
    return text + end if needs_separator else text


def render(plan: Plan, index: int, outcome: Outcome) -> bytes:
    """Returns the bytes of an outcome in the output, which are empty for an outcome without a record.

    In JSON Lines, the message of a fault is left out, as in `without_messages`.
    """
    if outcome.kind == FILTERED or (outcome.is_fault and plan.skip_failed):
        return b""
    if plan.output_format == "jsonl":
        return _json_line(plan, index, outcome)
    record = outcome.data if outcome.kind == RECORD and outcome.data is not None else b""
    end = {"lines": b"\n", "nul": b"\0", "frames": b""}[plan.output_format]
    if plan.tag:
        tag = shown(plan, plan.items[index]).replace(b"\t", b" ")
        record = (tag.replace(end, b" ") if end else tag) + b"\t" + record
    if plan.output_format == "frames":
        return struct.pack("<I", len(record)) + record
    return record + end


def _json_line(plan: Plan, index: int, outcome: Outcome) -> bytes:
    line = b'{"index":%d' % index
    if plan.tag:
        line += b',"item":' + json_text(shown(plan, plan.items[index]))
    if outcome.is_fault:
        return line + b',"error":{"kind":"' + outcome.kind.encode() + b'","message":""}}\n'
    record = outcome.data or b""
    return line + b',"ok":' + (record if plan.json_results else json_text(record)) + b"}\n"


def json_text(data: bytes) -> bytes:
    """Returns bytes as JSON: a string, or an object with base64 for bytes that are not UTF-8."""
    try:
        return json.dumps(data.decode("utf-8"), ensure_ascii=False).encode()
    except UnicodeDecodeError:
        return b'{"base64":"' + base64.b64encode(data) + b'"}'


_MESSAGE = re.compile(rb'(,"error":\{"kind":"[a-z-]+","message":)"(?:[^"\\\n]|\\.)*"(?=\}\}\n)')


def without_messages(plan: Plan, output: bytes) -> bytes:
    """Returns the output without the messages of faults, whose text the oracle does not know."""
    return _MESSAGE.sub(rb'\1""', output) if plan.output_format == "jsonl" else output


def records(plan: Plan, output: bytes) -> list[bytes]:
    """Splits an output into records with their separators; the last record may be incomplete."""
    if plan.output_format == "frames":
        found, at = [], 0
        while at < len(output):
            size = struct.unpack_from("<I", output, at)[0] if len(output) - at >= 4 else 1 << 32
            found.append(output[at : at + 4 + size])
            at += 4 + size
        return found
    end = b"\0" if plan.output_format == "nul" else b"\n"
    parts = output.split(end)
    last = [parts[-1]] if parts[-1] else []
    return [part + end for part in parts[:-1]] + last
