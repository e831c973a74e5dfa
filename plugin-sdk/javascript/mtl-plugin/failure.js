/** The reasons why an item has no result. */

/** The item itself is invalid: the fault `bad-item`. */
export class BadItem extends Error {}

/** The item is valid but has no result: the fault `refused`, with only this text as its message. */
export class Refused extends Error {}

/** The worker cannot continue. Its instance ends, the item gets the fault `trap`, and a fresh instance takes the next item. */
export class Crash extends Error {}

/** Returns the message of a failure: for `BadItem` and `Refused` only their text. */
export function failureMessage(error) {
  if (error instanceof BadItem || error instanceof Refused) return error.message;
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return String(error);
}
