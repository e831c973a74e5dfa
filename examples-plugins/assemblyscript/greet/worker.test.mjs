import assert from "node:assert/strict";
import { test } from "node:test";
import { built, run } from "./mtl-plugin/testing.mjs";

const plugin = built(import.meta.dirname);

test("everyone is greeted as init was told", () => {
  assert.equal(run(plugin, { init: "Hello" }).call("Ada"), "Hello, Ada!");
});
