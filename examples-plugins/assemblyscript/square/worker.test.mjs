import assert from "node:assert/strict";
import { test } from "node:test";
import { BadItem, built, run } from "./mtl-plugin/testing.mjs";

const plugin = built(import.meta.dirname);

test("numbers are squared, and other items have a message", () => {
  const worker = run(plugin);
  const cases = [
    ["12", "144"],
    [" -12\r", "144"],
    ["1.5", "2.25"],
    ["1e3", "1000000"],
    ["18446744073709551615", "340282366920938463426481119284349108225"],
  ];
  for (const [item, record] of cases) assert.equal(worker.call(item), record, item);

  assert.throws(() => worker.call("18446744073709551616"), { message: "the square has more than 128 bits" });
  assert.throws(() => worker.call("twelve"), new BadItem("not a number: `twelve`"));
  assert.throws(() => worker.call(""), new BadItem("not a number: ``"));
});
