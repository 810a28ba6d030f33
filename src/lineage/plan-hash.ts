const c1 = 0x239b961b;
const c2 = 0xab0e9789;
const c3 = 0x38b34ae5;
const c4 = 0xa1e38b93;

/**
 * A 128-bit hash of texts, as eight UTF-16 code units: MurmurHash3 x86 128 of the texts' code units, each text with its
 * length before it, so that ("ab", "c") and ("a", "bc") differ. A plan takes hundreds of them, mostly of short texts and of
 * other hashes: SHA-256 costs five times as much there, and hex digits make the texts four times as long. To be kept in
 * memory only; `hexDigits` is what may be written. Not against forgery: no author has a reason to forge their own lineage.
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
  h2 += h1;
  h3 += h1;
  h4 += h1;
  return String.fromCharCode(h1 >>> 16, h1, h2 >>> 16, h2, h3 >>> 16, h3, h4 >>> 16, h4);
}

/** A hash as text that any file can hold: four hex digits for each code unit, 32 for a hash. */
export function hexDigits(hash: string): string {
  let digits = '';
  for (let at = 0; at < hash.length; at += 1) digits += hash.charCodeAt(at).toString(16).padStart(4, '0');
  return digits;
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
