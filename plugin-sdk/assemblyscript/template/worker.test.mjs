import assert from "node:assert/strict";
import { test } from "node:test";
import { BadItem, built, run } from "./mtl-plugin/testing.mjs";

const plugin = built(import.meta.dirname);

test("everyone is greeted", () => {
  const worker = run(plugin, { init: "Hi" });
  assert.equal(worker.call("Ada"), "Hi, Ada!");
  assert.throws(() => worker.call(""), new BadItem("there is nobody to greet"));
  assert.equal(worker.finish(), "greeted: 1");
});
