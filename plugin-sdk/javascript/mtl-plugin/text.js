/** Text as UTF-8. By hand where the engine has no TextEncoder, as QuickJS. */

import { BadItem } from './failure.js';

const encoder = typeof TextEncoder === 'function' ? new TextEncoder() : undefined;
const decoder = typeof TextDecoder === 'function' ? new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }) : undefined;

/** The item as a whole is at fault, and no parameter. */
export class NotText extends BadItem {}

/** The bytes of a text. Half of a surrogate pair becomes U+FFFD. */
export const encoded = (text) => (encoder ? encoder.encode(text) : encodedByHand(text));

/** The text of bytes. */
export function decoded(bytes) {
  if (!decoder) return decodedByHand(bytes);
  try {
    return decoder.decode(bytes);
  } catch {
    // It does not say where.
    return decodedByHand(bytes);
  }
}

/** As `encoded`, in any engine. */
export function encodedByHand(text) {
  const bytes = new Uint8Array(text.length * 3);
  let end = 0;
  for (let at = 0; at < text.length; at += 1) {
    let code = text.charCodeAt(at);
    if (code < 0x80) {
      bytes[end++] = code;
      continue;
    }
    if (code >= 0xd800 && code < 0xe000) {
      const pair = text.codePointAt(at);
      if (pair > 0xffff) at += 1;
      code = pair > 0xffff ? pair : 0xfffd;
    }
    if (code < 0x800) {
      bytes[end++] = 0xc0 | (code >> 6);
    } else {
      if (code < 0x10000) {
        bytes[end++] = 0xe0 | (code >> 12);
      } else {
        bytes[end++] = 0xf0 | (code >> 18);
        bytes[end++] = 0x80 | ((code >> 12) & 0x3f);
      }
      bytes[end++] = 0x80 | ((code >> 6) & 0x3f);
    }
    bytes[end++] = 0x80 | (code & 0x3f);
  }
  return bytes.slice(0, end);
}

/** As `decoded`, in any engine. */
export function decodedByHand(bytes) {
  const pieces = [];
  let codes = [];
  for (let at = 0; at < bytes.length; ) {
    const length = lengthAt(bytes, at);
    if (length === 0) throw new NotText(`not UTF-8 from byte ${at} on`);
    let code = length === 1 ? bytes[at] : bytes[at] & (0xff >> (length + 1));
    for (let next = 1; next < length; next += 1) code = (code << 6) | (bytes[at + next] & 0x3f);
    codes.push(code);
    at += length;
    // An engine takes only so many arguments.
    if (codes.length === 4096) {
      pieces.push(String.fromCodePoint(...codes));
      codes = [];
    }
  }
  pieces.push(String.fromCodePoint(...codes));
  return pieces.join('');
}

/** How many bytes the character at `at` has; 0 where there is none. */
function lengthAt(bytes, at) {
  const first = bytes[at];
  if (first < 0x80) return 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0) return 0;
  // What would be too long a notation, half of a surrogate pair, or beyond the last character.
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (!(bytes[at + 1] >= least && bytes[at + 1] <= most)) return 0;
  for (let next = 2; next < length; next += 1) {
    if ((bytes[at + next] & 0xc0) !== 0x80) return 0;
  }
  return length;
}
