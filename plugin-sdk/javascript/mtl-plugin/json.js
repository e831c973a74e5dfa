/**
 * Where, in a JSON text, its elements and members are.
 *
 * `JSON.parse` keeps the last of two members of the same name, and rounds whole numbers above 2^53. So an item is looked
 * at as a text: each value is found as a place, and is read on its own.
 */

/** The texts of the elements of an array that is known to be JSON. */
export const elements = (text) => parts(text);

/** The members of an object that is known to be JSON: the name, and the text of the value. */
export function members(text) {
  return parts(text).map((part) => {
    const colon = endOfValue(part, 0);
    return [JSON.parse(part.slice(0, colon)), part.slice(part.indexOf(':', colon) + 1).trim()];
  });
}

/** What is between the commas of the outermost array or object. */
function parts(text) {
  const inside = text.trim().slice(1, -1);
  const found = [];
  let start = 0;
  for (let at = 0; at < inside.length; ) {
    if (inside[at] === ',') {
      found.push(inside.slice(start, at).trim());
      at += 1;
      start = at;
    } else {
      at = endOfValue(inside, at);
    }
  }
  const last = inside.slice(start).trim();
  if (last !== '') found.push(last);
  return found;
}

/** The end of the string, array or object that begins at `at`; of anything else, one character more. */
function endOfValue(text, at) {
  if (text[at] === '"') return endOfString(text, at);
  if (text[at] !== '[' && text[at] !== '{') return at + 1;
  let depth = 0;
  do {
    if (text[at] === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (text[at] === '[' || text[at] === '{') depth += 1;
    if (text[at] === ']' || text[at] === '}') depth -= 1;
    at += 1;
  } while (depth > 0);
  return at;
}

function endOfString(text, at) {
  for (at += 1; text[at] !== '"'; at += 1) {
    if (text[at] === '\\') at += 1;
  }
  return at + 1;
}

/** A value as JSON text. A BigInt is its digits; JSON has nothing for numbers that are not finite. */
export function written(value) {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new TypeError(`the result is \`${value}\`, which JSON cannot say`);
  }
  return JSON.stringify(value);
}
