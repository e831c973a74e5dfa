/** Reads numbers and writes them again, for `worker.test.mjs`. */

import { Base, Result, Worker, formatNumber, parseNumber, start } from "../mtl-plugin";
export { after_restore, call, call_batch, finish, init, mtl_alloc } from "../mtl-plugin/exports";

class Numbers extends Worker {
  call(item: string): Result {
    const number = parseNumber(item);
    return Result.text(reinterpret<u64>(number).toString(16) + " " + formatNumber(number));
  }
}

start((args: string): Base => new Numbers());
