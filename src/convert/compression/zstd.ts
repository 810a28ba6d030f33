import { type ByteInput, CompressionError } from './byte-input.js';
import { XxHash64 } from './xxhash64.js';
import { ZstdBlocks } from './zstd-block.js';

const FRAME_MAGIC = 0xfd2fb528;
/** The sixteen magic numbers of frames that hold no data differ in their last four bits. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_BLOCK_BYTES = 1 << 17;
/** What `zstd` itself grants without being told: 128 MiB, as `--long` and `--ultra` need. */
const MAX_WINDOW_BYTES = 1 << 27;

/**
 * What a Zstandard file holds, block by block; sizes and checksums are verified wherever a frame has them. Frames one
 * after another are one content, as `pzstd` writes them. Memory is one and a half windows.
 *
 * @throws CompressionError
 * @source RFC 8878
 */
export function* decodeZstd(input: ByteInput): Generator<Buffer> {
  do {
    const magic = littleEndian(input.bytes(4));
    if ((magic & ~15) >>> 0 === SKIPPABLE_MAGIC) skip(input, littleEndian(input.bytes(4)));
    else if (magic === FRAME_MAGIC) yield* decodeFrame(input);
    else throw new CompressionError('no frame begins here');
  } while (input.peek() >= 0);
}

function* decodeFrame(input: ByteInput): Generator<Buffer> {
  const { windowBytes, contentBytes, hasChecksum } = readHeader(input);
  const blockBytes = Math.min(windowBytes, MAX_BLOCK_BYTES);
  const blocks = new ZstdBlocks(windowBytes, blockBytes);
  const hash = hasChecksum ? new XxHash64() : undefined;
  let total = 0;
  for (let isLast = false; !isLast; ) {
    const head = littleEndian(input.bytes(3));
    isLast = (head & 1) === 1;
    const size = head >> 3;
    if (size > blockBytes) throw new CompressionError('a block is larger than its frame allows');
    const block = decodeBlock(input, { type: (head >> 1) & 3, size, blocks });
    total += block.length;
    if (contentBytes !== undefined && total > contentBytes) throw new CompressionError('holds more than it announces');
    hash?.add(block);
    if (block.length > 0) yield block;
  }
  if (contentBytes !== undefined && total !== contentBytes) throw new CompressionError('holds less than it announces');
  if (hash !== undefined && hash.low32() !== littleEndian(input.bytes(4))) {
    throw new CompressionError('incorrect data check');
  }
}

/** The bytes of one block, a copy. */
function decodeBlock(
  input: ByteInput,
  block: { readonly type: number; readonly size: number; readonly blocks: ZstdBlocks },
): Buffer {
  switch (block.type) {
    case 0:
      return block.blocks.raw(input.bytes(block.size));
    case 1:
      return block.blocks.raw(Buffer.alloc(block.size, input.byte()));
    case 2:
      return block.blocks.compressed(input.bytes(block.size));
    default:
      throw new CompressionError('a block is of a kind that does not exist');
  }
}

interface FrameHeader {
  readonly windowBytes: number;
  readonly contentBytes: number | undefined;
  readonly hasChecksum: boolean;
}

function readHeader(input: ByteInput): FrameHeader {
  const descriptor = input.byte();
  const isSingle = (descriptor & 0x20) !== 0;
  if ((descriptor & 8) !== 0) throw new CompressionError('a frame sets a bit that has no meaning');
  let windowBytes = 0;
  if (!isSingle) {
    const window = input.byte();
    const base = 2 ** (10 + (window >> 3));
    windowBytes = base + (base / 8) * (window & 7);
  }
  const dictionary = littleEndian(input.bytes([0, 1, 2, 4][descriptor & 3] ?? 0));
  if (dictionary !== 0) throw new CompressionError(`needs the dictionary ${dictionary}, which is not in the file`);
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const size = littleEndian(input.bytes(sizeBytes)) + (sizeBytes === 2 ? 256 : 0);
  const contentBytes = sizeBytes === 0 ? undefined : size;
  if (isSingle) windowBytes = size;
  if (windowBytes > MAX_WINDOW_BYTES) {
    throw new CompressionError(
      `needs a window of ${windowBytes} bytes, more than ${MAX_WINDOW_BYTES}: compress it without --long`,
    );
  }
  return { windowBytes, contentBytes, hasChecksum: (descriptor & 4) !== 0 };
}

function skip(input: ByteInput, byteCount: number): void {
  for (let left = byteCount; left > 0; left -= MAX_BLOCK_BYTES) input.bytes(Math.min(left, MAX_BLOCK_BYTES));
}

/** Up to eight bytes as a number; beyond 2^53 it is not exact, and far beyond every limit. */
function littleEndian(bytes: Buffer): number {
  let value = 0;
  for (let i = bytes.length - 1; i >= 0; i--) value = value * 256 + (bytes[i] ?? 0);
  return value;
}
