/**
 * Writes plugins for mtl-host: a worker is started once, keeps its state, and is called for each of its
 * items. An entry file exports what the host calls, and says how the worker is started:
 *
 *     import { Base, Result, Worker, start } from "../mtl-plugin";
 *     export { after_restore, call, call_batch, finish, init, mtl_alloc } from "../mtl-plugin/exports";
 *
 *     class Shout extends Worker {
 *       call(item: string): Result { return Result.text(item.toUpperCase()); }
 *     }
 *     start((args: string): Base => new Shout());
 *
 * What follows a call on its way in:
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
