/**
 * Splits a JSON text into its elements or members.
 *
 * `JSON.parse` keeps the last of two members of the same name and rounds integers above 2^53. Therefore this code finds
 * the text of each value, which is then read on its own.
 */

/** Returns the texts of the elements of a valid JSON array. */
export const elements = (text) => splitValues(text);

/** Returns the members of a valid JSON object: each name, and the text of its value. */
export function members(text) {
  return splitValues(text).map((member) => {
    const colon = endOfValue(member, 0);
    return [JSON.parse(member.slice(0, colon)), member.slice(member.indexOf(':', colon) + 1).trim()];
  });
}

/** Returns the texts between the commas of the outermost array or object. */
function splitValues(text) {
  const inside = text.trim().slice(1, -1);
  const values = [];
  let start = 0;
  for (let at = 0; at < inside.length; ) {
    if (inside[at] === ',') {
      values.push(inside.slice(start, at).trim());
      at += 1;
      start = at;
    } else {
      at = endOfValue(inside, at);
    }
  }
  const last = inside.slice(start).trim();
  if (last !== '') values.push(last);
  return values;
}

/** Returns the end of the string, array or object at `at`; for any other character, the next position. */
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

/** Returns a value as JSON text. A BigInt becomes its digits; JSON has no infinite numbers and no NaN. */
export function toJson(value) {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new TypeError(`the result is \`${value}\`, which JSON cannot represent`);
  }
  return JSON.stringify(value);
}
