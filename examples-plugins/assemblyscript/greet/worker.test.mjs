import assert from "node:assert/strict";
import { test } from "node:test";
import { built, run } from "./mtl-plugin/testing.mjs";

const plugin = built(import.meta.dirname);

test("everyone is greeted with the text of init", () => {
  assert.equal(run(plugin, { init: "Hello" }).call("Ada"), "Hello, Ada!");
});
