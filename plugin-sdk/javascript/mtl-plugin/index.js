/**
 * The SDK for mtl-host plugins in JavaScript. A worker starts once, keeps its state, and is called for each of its items.
 *
 *     import { plugin } from './mtl-plugin/index.js';
 *
 *     export class Square {
 *       static parameters = { number: 'number' };
 *       static results = 'json';
 *       call(number) { return number * number; }
 *     }
 *     export const worker = plugin(Square);
 */

export * as context from './context.js';
export { log } from './context.js';
export { BadItem, Crash, Refused } from './failure.js';
export { plugin } from './guest.js';
export { decoded, encoded } from './text.js';
