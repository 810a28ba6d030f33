/** Remainders of the polynomial of Castagnoli, reversed: one for each byte. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit += 1) remainder = remainder & 1 ? (remainder >>> 1) ^ 0x82f63b78 : remainder >>> 1;
  return remainder;
});

/** CRC-32C, the checksum that object stores publish. @source RFC 3720, B.4 */
export class Crc32c {
  #remainder = 0xffffffff;

  update(block: Uint8Array): void {
    let remainder = this.#remainder;
    for (let at = 0; at < block.length; at += 1)
      remainder = (TABLE[(remainder ^ (block[at] ?? 0)) & 0xff] ?? 0) ^ (remainder >>> 8);
    this.#remainder = remainder;
  }

  /** Eight lower-case hex digits. */
  hex(): string {
    return ((this.#remainder ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0');
  }
}
