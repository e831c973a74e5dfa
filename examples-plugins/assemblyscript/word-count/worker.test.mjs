import assert from "node:assert/strict";
import { test } from "node:test";
import { BadItem, built, run } from "./mtl-plugin/testing.mjs";

const plugin = built(import.meta.dirname);

test("each item is counted, and the report sums them up", () => {
  const worker = run(plugin, { workerIndex: 1, workerCount: 2 });
  assert.equal(worker.results, "json");
  assert.equal(worker.call("to be or not"), "4");
  assert.equal(worker.call(""), "0");
  assert.equal(worker.call("  naïve\tword "), "2");
  assert.throws(() => worker.call(Uint8Array.of(0xff)), new BadItem("not UTF-8 from byte 0 on"));
  assert.equal(worker.finish(), '{"worker":1,"items":3,"words":6,"bytes":26}');
});
