/** Why an item has no result. */

/** The item itself is at fault: it cannot be read as what it should be. The fault `bad-item`. */
export class BadItem extends Error {}

/** The item is fine, and yet has no result. The fault `refused`, with this text and nothing else. */
export class Refused extends Error {}

/** The worker cannot go on. Its instance is ended, the item has the fault `trap`, and a fresh instance takes the next. */
export class Crash extends Error {}

/** What a failure says: of those that a worker throws on purpose only their text. */
export function told(error) {
  if (error instanceof BadItem || error instanceof Refused) return error.message;
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return String(error);
}
