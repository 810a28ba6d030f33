/**
 * Copies of some bytes with damage of many kinds: flipped, overwritten, cut off, spliced, repeated. Every other one is
 * damaged gently instead: a digit is another digit, a letter another letter. Equal for an equal seed.
 */
export function* mutants(original: Buffer, count: number, seed: number): Iterable<Buffer> {
  const random = randomNumbers(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let i = 0; i < count; i++) {
    let bytes: Buffer = Buffer.from(original);
    const changes = 1 + below(3);
    const isGentle = i % 2 === 1;
    for (let change = 0; change < changes; change++) bytes = isGentle ? gentle(bytes, below) : changed(bytes, below);
    yield bytes;
  }
}

const CLASSES = [
  '0123456789',
  'abcdefghijklmnopqrstuvwxyz',
  'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  ' \t\n,;:',
  '+-.eE',
  '"\'[]{}()',
].map((characters) => Buffer.from(characters));

function gentle(bytes: Buffer, below: (limit: number) => number): Buffer {
  if (bytes.length === 0) return bytes;
  const at = below(bytes.length);
  const byte = bytes[at] ?? 0;
  const own = CLASSES.find((characters) => characters.includes(byte));
  bytes[at] = own === undefined ? (byte + (below(2) === 0 ? 1 : 255)) & 0xff : (own[below(own.length)] ?? 0);
  return bytes;
}

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x20, 0x2d, 0x30, 0x39];

function changed(bytes: Buffer, below: (limit: number) => number): Buffer {
  const at = below(Math.max(1, bytes.length));
  switch (below(7)) {
    case 0:
      if (bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
      return bytes;
    case 1:
      if (bytes.length > 0) bytes[at] = INTERESTING[below(INTERESTING.length)] ?? 0;
      return bytes;
    case 2:
      return bytes.subarray(0, at);
    case 3: {
      const to = below(Math.max(1, bytes.length));
      const length = below(40);
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at, at + length), bytes.subarray(to)]);
    }
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(16))]);
    case 5: {
      // A length or a count that says too much, or less than nothing.
      const words = [0xffffffff, 0x7fffffff, 0x80000000, 0x00ffffff, 1];
      if (at + 4 <= bytes.length) bytes.writeUInt32BE(words[below(words.length)] ?? 0, at);
      return bytes;
    }
    default:
      if (bytes.length > 0) bytes[at] = below(256);
      return bytes;
  }
}

/** Numbers from 0 up to 1 (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
