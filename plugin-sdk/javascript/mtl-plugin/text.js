/** Conversions of text to and from UTF-8. They work in engines without TextEncoder, such as QuickJS. */

import { BadItem } from './failure.js';

const encoder = typeof TextEncoder === 'function' ? new TextEncoder() : undefined;
const decoder = typeof TextDecoder === 'function' ? new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }) : undefined;

/** The whole item is invalid, not one parameter. */
export class NotUtf8 extends BadItem {}

/** Returns the bytes of a text. Half of a surrogate pair becomes U+FFFD. */
export const encoded = (text) => (encoder ? encoder.encode(text) : encodeUtf8(text));

/** Returns the text of bytes. */
export function decoded(bytes) {
  if (!decoder) return decodeUtf8(bytes);
  try {
    return decoder.decode(bytes);
  } catch {
    // TextDecoder does not report the position of the error.
    return decodeUtf8(bytes);
  }
}

/** Encodes like `encoded`, in any engine. */
export function encodeUtf8(text) {
  if (!/[^\x00-\x7f]/.test(text)) return asciiBytes(text);
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

function asciiBytes(text) {
  // In QuickJS this detour through built-in functions is ten times as fast as a loop.
  if (typeof btoa === 'function' && Uint8Array.fromBase64) return Uint8Array.fromBase64(btoa(text));
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** Decodes like `decoded`, in any engine. */
export function decodeUtf8(bytes) {
  const pieces = [];
  for (let at = 0; at < bytes.length; ) {
    const end = endOfCharacters(bytes, at);
    pieces.push(charactersOf(bytes.subarray(at, end), at));
    at = end;
  }
  return pieces.join('');
}

// Engines limit the number of arguments of a call.
const PIECE = 4096;

/** Returns the end of the piece that begins at `at`, so that no character is split. */
function endOfCharacters(bytes, at) {
  let end = Math.min(at + PIECE, bytes.length);
  if (end === bytes.length) return end;
  while (end > at + PIECE - 4 && (bytes[end] & 0xc0) === 0x80) end -= 1;
  return end;
}

function charactersOf(piece, from) {
  // Each byte becomes a character. The engine checks faster than a loop whether all of them are ASCII.
  const text = String.fromCharCode.apply(null, piece);
  if (!/[^\x00-\x7f]/.test(text)) return text;
  const codes = [];
  for (let at = 0; at < piece.length; ) {
    const length = lengthAt(piece, at);
    if (length === 0) throw new NotUtf8(`not UTF-8 from byte ${from + at} on`);
    let code = length === 1 ? piece[at] : piece[at] & (0xff >> (length + 1));
    for (let next = 1; next < length; next += 1) code = (code << 6) | (piece[at + next] & 0x3f);
    codes.push(code);
    at += length;
  }
  return String.fromCodePoint.apply(null, codes);
}

/** Returns the length of the character at `at`; 0 if it is invalid. */
function lengthAt(bytes, at) {
  const first = bytes[at];
  if (first < 0x80) return 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0) return 0;
  // Overlong encodings, surrogates and numbers beyond Unicode are invalid.
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (!(bytes[at + 1] >= low && bytes[at + 1] <= high)) return 0;
  for (let next = 2; next < length; next += 1) {
    if ((bytes[at + next] & 0xc0) !== 0x80) return 0;
  }
  return length;
}
