/**
 * Answers commands, so that one table of items in tests/integration/languages.rs tests every part of every SDK.
 */

import {
  Base, BytesWorker, Format, Level, Result, failed, itemFormat, log, resultFormat, start, workerCount, workerIndex,
} from "../mtl-plugin";
export { after_restore, call, call_batch, finish, init, mtl_alloc } from "../mtl-plugin/exports";

class Probe extends BytesWorker {
  private calls: i32 = 0;

  constructor(private readonly args: string) {
    super();
  }

  call(bytes: Uint8Array): Result {
    this.calls++;
    const isRaw = startsWith(bytes, "echo ") && this.args != "json";
    if (isRaw) return Result.bytes(bytes.subarray(5));
    return this.obey(String.UTF8.decode(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)));
  }

  private obey(item: string): Result {
    const space = item.indexOf(" ");
    const command = space < 0 ? item : item.substring(0, space);
    const rest = space < 0 ? "" : item.substring(space + 1);
    if (command == "") return this.record("");
    if (command == "echo") return this.record(rest);
    if (command == "bytes" && isCount(rest)) return this.record("x".repeat(I32.parseInt(rest)));
    if (command == "state") return this.record(this.calls.toString());
    if (command == "init") return this.record(this.args);
    if (command == "refuse") return Result.refused(rest);
    if (command == "bad") return Result.badItem(rest);
    if (command == "skip") return Result.none();
    if (command == "worker") return this.record(`${workerIndex()}/${workerCount()}`);
    if (command == "format") return this.record(itemFormat() == Format.JSON ? "json" : "text");
    if (command == "log" && logged(rest)) return this.record("logged");
    if (command == "trap") throw new Error("trap requested");
    return Result.badItem(`unknown command \`${item}\``);
  }

  finish(): Result {
    return Result.text(`calls: ${this.calls}`);
  }

  private record(text: string): Result {
    return this.args == "json" ? Result.json<string>(text) : Result.text(text);
  }
}

function startsWith(bytes: Uint8Array, text: string): bool {
  for (let at = 0; at < text.length; at++) {
    if (at >= bytes.length || bytes[at] != <u8>text.charCodeAt(at)) return false;
  }
  return true;
}

function isCount(text: string): bool {
  for (let at = 0; at < text.length; at++) {
    if (<u32>(text.charCodeAt(at) - 0x30) >= 10) return false;
  }
  return text.length > 0;
}

function logged(rest: string): bool {
  const space = rest.indexOf(" ");
  const level = ["trace", "debug", "info", "warn", "error"].indexOf(rest.substring(0, space));
  if (space < 0 || level < 0) return false;
  log(<Level>level, rest.substring(space + 1));
  return true;
}

start((args: string): Base => {
  if (args.startsWith("fail ")) return failed(args.substring(5));
  if (args == "json") resultFormat(Format.JSON);
  return new Probe(args);
});
