/** Conversions of text to UTF-8 and to JSON strings. */

/** Returns the number of bytes at the start that are valid UTF-8. */
export function validUpTo(at: usize, length: usize): usize {
  const end = at + length;
  let from = at;
  while (from < end) {
    const size = characterLength(from, end - from);
    if (!size) break;
    from += size;
  }
  return from - at;
}

/** Returns the length of the character at this address; 0 if it is invalid. */
function characterLength(at: usize, available: usize): usize {
  const first = load<u8>(at);
  if (first < 0x80) return 1;
  const size: usize = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || size > available) return 0;
  const second = load<u8>(at, 1);
  // Overlong encodings, surrogates and numbers beyond Unicode are invalid.
  const low: u8 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const high: u8 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let index: usize = 2; index < size; index++) {
    if ((load<u8>(at + index) & 0xc0) != 0x80) return 0;
  }
  return size;
}

/** Describes why bytes are not text; null if they are. */
export function describeInvalidUtf8(at: usize, length: usize): string | null {
  const valid = validUpTo(at, length);
  return valid == length ? null : `not UTF-8 from byte ${valid} on`;
}

/** Returns UTF-8 bytes as a string. */
export function textAt(at: usize, length: usize): string {
  return String.UTF8.decodeUnsafe(at, length);
}

/** Returns whether the character has Unicode's property White_Space. */
export function isWhiteSpace(code: i32): bool {
  return (code >= 9 && code <= 13) || code == 0x20 || code == 0x85 || code == 0xa0 || code == 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x205f ||
    code == 0x3000;
}

/** Returns text as a JSON string. */
export function quote(text: string): string {
  const pieces = new Array<string>();
  let from = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x20 && code != 0x22 && code != 0x5c) continue;
    pieces.push(text.substring(from, index));
    pieces.push(escapeCharacter(code));
    from = index + 1;
  }
  pieces.push(text.substring(from));
  return '"' + pieces.join("") + '"';
}

function escapeCharacter(code: i32): string {
  switch (code) {
    case 0x22: return '\\"';
    case 0x5c: return "\\\\";
    case 0x08: return "\\b";
    case 0x09: return "\\t";
    case 0x0a: return "\\n";
    case 0x0c: return "\\f";
    case 0x0d: return "\\r";
    default: return (code < 0x10 ? "\\u000" : "\\u00") + code.toString(16);
  }
}
