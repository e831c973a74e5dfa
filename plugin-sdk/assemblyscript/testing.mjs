/** Runs a built plugin under `node --test`. It takes text and returns text, as in the host. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** The error that `call` throws for an invalid item. For a refused item, it throws an `Error`. */
export class BadItem extends Error {}

/** Builds the plugin of a folder with `mtl-host build`, or returns the file that `MTL_PLUGIN` names. */
export function built(folder) {
  return process.env.MTL_PLUGIN ?? execFileSync("mtl-host", ["build", folder], { encoding: "utf8" }).trim();
}

/**
 * Starts a worker as in the host. The worker has `call(item)`, which returns the record as text or null, `finish()`, and
 * `results`, the declared format of its results.
 */
export function run(plugin, { init = "", workerIndex = 0, workerCount = 1, args = "single", items = "text" } = {}) {
  let results = "text";
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(plugin)), {
    "mtl:plugin/context@1.0.0": {
      "worker-index": () => workerIndex,
      "worker-count": () => workerCount,
      "argument-passing": () => ["single", "args", "kwargs"].indexOf(args),
      "item-format": () => ["text", "json"].indexOf(items),
      "result-format": (format) => { results = ["text", "json"][format]; },
      log: (level, at, length) => console.error(text(at, length)),
    },
  });
  const { memory, mtl_alloc, ...functions } = instance.exports;
  const text = (at, length) => new TextDecoder().decode(new Uint8Array(memory.buffer, at, length));
  const write = (item) => {
    const bytes = typeof item === "string" ? new TextEncoder().encode(item) : item;
    const at = mtl_alloc(Math.max(bytes.length, 8)) >>> 0;
    new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
    return [at, bytes.length];
  };
  const decode = (word) => {
    const message = text(Number(BigInt.asUintN(32, word >> 32n)), Number(word & 0x3fffffffn));
    const isNone = (word & 0x40000000n) !== 0n;
    if ((word & 0x80000000n) === 0n) return isNone ? null : message;
    throw isNone ? new BadItem(message) : new Error(message);
  };
  functions._initialize?.();
  decode(functions.init(...write(init)));
  return {
    call: (item) => decode(functions.call(...write(item))),
    finish: () => decode(functions.finish()),
    get results() { return results; },
  };
}
