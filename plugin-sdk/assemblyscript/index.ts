/**
 * The SDK for mtl-host plugins in AssemblyScript. A worker starts once, keeps its state, and is called for each of its
 * items. An entry file exports the functions that the host calls, and sets the function that starts a worker:
 *
 *     import { Base, Result, Worker, start } from "../mtl-plugin";
 *     export { after_restore, call, call_batch, finish, init, mtl_alloc } from "../mtl-plugin/exports";
 *
 *     class Shout extends Worker {
 *       call(item: string): Result { return Result.text(item.toUpperCase()); }
 *     }
 *     start((args: string): Base => new Shout());
 *
 * The way of a call:
 *
 *     mtl_alloc, init, call(_batch), finish ─▶ exports ─▶ Base ─▶ Worker, BytesWorker, TypedWorker
 *                                              (memory)   (items)
 */

export { Arguments, TypedWorker } from "./arguments";
export { Format, Level, itemFormat, log, resultFormat, workerCount, workerIndex } from "./context";
export { formatNumber, parseNumber } from "./number";
export { Result } from "./result";
export { isWhiteSpace, quote } from "./text";
export { Base, BytesWorker, Worker, failed, start } from "./worker";
