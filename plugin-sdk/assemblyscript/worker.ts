/** Workers, and conversions of items for their `call`. */

import { Format, itemFormat } from "./context";
import { Reader, decodeString } from "./json";
import { Result } from "./result";
import { describeInvalidUtf8, textAt } from "./text";

/** The base of all workers. Extend `Worker`, `BytesWorker` or `TypedWorker`, depending on the items. */
export abstract class Base {
  /** Returns the finish report. The host calls it once, after the last item. */
  finish(): Result {
    return Result.none();
  }

  /** Replaces what copies must not share, in a worker that starts from a snapshot. */
  afterRestore(): void {}

  /** Returns the reason why the worker does not suit the run, or null. The SDK calls it. */
  problem(): string | null {
    return null;
  }

  /** Returns the result of an item. The SDK calls it. */
  abstract answer(at: usize, length: usize): Result;
}

/** A worker of text items. An item that is not UTF-8 is a bad item. */
export abstract class Worker extends Base {
  /** Works on one item. If the run's items are JSON, `call` gets JSON strings decoded and other values unchanged. */
  abstract call(item: string): Result;

  answer(at: usize, length: usize): Result {
    const item = Item.of(at, length);
    const problem = item.problem != null ? item.problem : describeInvalidUtf8(item.at, item.length);
    if (problem != null) return Result.badItem(problem);
    return this.call(textAt(item.at, item.length));
  }
}

/** A worker of items that may be any bytes. */
export abstract class BytesWorker extends Base {
  /** Works on one item, like `call` of a `Worker`. */
  abstract call(item: Uint8Array): Result;

  answer(at: usize, length: usize): Result {
    const item = Item.of(at, length);
    if (item.problem != null) return Result.badItem(item.problem!);
    return this.call(item.bytes);
  }
}

/** A text or bytes item: unchanged, or decoded if items are JSON and it is a string. */
export class Item {
  problem: string | null = null;
  private decoded: Uint8Array | null = null;

  private constructor(public at: usize, public length: usize) {}

  static of(at: usize, length: usize): Item {
    const item = new Item(at, length);
    if (items == Format.JSON && startsWithQuote(at, length)) item.decode();
    return item;
  }

  private decode(): void {
    const reader = Reader.whole(this.at, this.length);
    const value = reader.value();
    reader.finish();
    if (reader.problem != null) {
      this.problem = `not a JSON string: ${reader.problem!}`;
      return;
    }
    const text = decodeString(value);
    this.decoded = text;
    this.at = text.dataStart;
    this.length = text.byteLength;
  }

  get bytes(): Uint8Array {
    if (this.decoded != null) return this.decoded!;
    const bytes = new Uint8Array(<i32>this.length);
    memory.copy(bytes.dataStart, this.at, this.length);
    return bytes;
  }
}

function startsWithQuote(at: usize, length: usize): bool {
  for (const end = at + length; at < end; at++) {
    const c = load<u8>(at);
    if (c != 0x20 && c != 0x09 && c != 0x0a && c != 0x0d) return c == 0x22;
  }
  return false;
}

class NotStarted extends Base {
  constructor(private readonly reason: string) {
    super();
  }

  problem(): string | null {
    return this.reason;
  }

  answer(at: usize, length: usize): Result {
    return Result.refused("called before `init`");
  }
}

/** Returns a value for `start` if no worker can start. The message ends the run. */
export function failed(message: string): Base {
  return new NotStarted(message);
}

let registered: ((args: string) => Base) | null = null;

/** The format of the run's items. */
export let items: Format = Format.Text;

/** Sets the function that starts a worker. The host calls it once for each worker, with the text of `--init`. */
export function start(make: (args: string) => Base): void {
  registered = make;
}

/** Starts the worker. If that fails, returns a worker that reports the problem. */
export function startWorker(at: usize, length: usize): Base {
  items = itemFormat();
  const make = registered;
  if (make == null) return failed("no worker: call `start` in the entry file");
  if (describeInvalidUtf8(at, length) != null) return failed("the arguments are not UTF-8");
  return make(textAt(at, length));
}
