const c1 = 0x239b961b;
const c2 = 0xab0e9789;
const c3 = 0x38b34ae5;
const c4 = 0xa1e38b93;

/**
 * A 128-bit hash of texts, as 32 hex digits: MurmurHash3 x86 128 of their UTF-16 code units, each text with its length
 * before it, so that ("ab", "c") and ("a", "bc") differ. A plan takes hundreds of them, mostly of short texts: SHA-256
 * costs five times as much there. Not against forgery; the author of a project has no reason to forge its own lineage.
 *
 * @source Austin Appleby, MurmurHash3 (public domain)
 */
export function planHash(...parts: readonly string[]): string {
  let text = '';
  for (const part of parts) text += `${part.length}:${part}`;
  const byteLength = 2 * text.length;
  let [h1, h2, h3, h4] = [0, 0, 0, 0];
  // Eight code units are one block of 128 bits; the last is filled up with zeros, its length goes in below.
  for (let at = 0; at < text.length; at += 8) {
    h1 ^= Math.imul(rotated(Math.imul(word(text, at), c1), 15), c2);
    h1 = (Math.imul((rotated(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotated(Math.imul(word(text, at + 2), c2), 16), c3);
    h2 = (Math.imul((rotated(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotated(Math.imul(word(text, at + 4), c3), 17), c4);
    h3 = (Math.imul((rotated(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotated(Math.imul(word(text, at + 6), c4), 18), c1);
    h4 = (Math.imul((rotated(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  h1 ^= byteLength;
  h2 ^= byteLength;
  h3 ^= byteLength;
  h4 ^= byteLength;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = spread(h1);
  h2 = spread(h2);
  h3 = spread(h3);
  h4 = spread(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  return hex(h1) + hex(h2 + h1) + hex(h3 + h1) + hex(h4 + h1);
}

/** Two code units as 32 bits; what lies behind the end counts as zero. */
function word(text: string, at: number): number {
  const low = at < text.length ? text.charCodeAt(at) : 0;
  const high = at + 1 < text.length ? text.charCodeAt(at + 1) : 0;
  return low | (high << 16);
}

function rotated(bits: number, by: number): number {
  return (bits << by) | (bits >>> (32 - by));
}

function spread(bits: number): number {
  let h = bits;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function hex(bits: number): string {
  return (bits >>> 0).toString(16).padStart(8, '0');
}
