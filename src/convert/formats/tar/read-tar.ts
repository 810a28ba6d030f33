import { archiveError, refusedMember } from '../../archive/members.js';
import { type ArchiveEntry, translated } from '../../archive/unpack.js';
import { CompressionError, contentBlocks } from '../../compression/index.js';
import { maxExpandedBytes } from '../../content.js';
import type { ExpansionAllowance, RawFile } from '../../format.js';
import { BLOCK_BYTES, decoded, readAttributes, readHeader, TarError, type TarHeader } from './header.js';

const MAX_EXTENSION_BYTES = 1 << 20;
/** What is neither a file nor a folder, in words. */
const KINDS: Readonly<Record<string, string>> = {
  '1': 'is a hard link',
  '2': 'is a symbolic link',
  '3': 'is a device',
  '4': 'is a device',
  '6': 'is a named pipe',
  S: 'is a sparse file',
  M: 'continues a member of another volume',
  V: 'is the name of a volume',
};

/**
 * Files and folders of a tar archive, in their order. Strict: anything but plain files and folders is refused, and the
 * archive has to end as one ends.
 *
 * @throws DiagnosticError (SL0660 damaged, SL0661 refused, SL0662 too much)
 */
export async function* readTar(raw: RawFile, allowance: ExpansionAllowance): AsyncGenerator<ArchiveEntry> {
  const input = new BlockInput(raw);
  const translate = (thrown: unknown): unknown => {
    if (thrown instanceof CompressionError) return archiveError(raw, 'SL0660', `is a ${thrown.message}`);
    if (!(thrown instanceof TarError)) return thrown;
    return archiveError(raw, 'SL0660', `is damaged: ${thrown.message} (byte ${input.offset} of the archive)`);
  };
  try {
    for await (const entry of entriesOf(raw, input, allowance)) {
      if (entry.type === 'folder') yield entry;
      else yield { ...entry, file: { ...entry.file, content: translated(entry.file.content, translate) } };
    }
  } catch (thrown) {
    throw translate(thrown);
  } finally {
    await input.close();
  }
}

/** What headers before a member say of it. */
interface Extension {
  readonly name?: string;
  readonly sizeBytes?: number;
}

async function* entriesOf(
  raw: RawFile,
  input: BlockInput,
  allowance: ExpansionAllowance,
): AsyncGenerator<ArchiveEntry> {
  let extension: Extension | undefined;
  for (;;) {
    const block = await input.block();
    if (block.every((byte) => byte === 0)) {
      if (extension !== undefined) throw new TarError('an extended header has no member');
      return checkEnd(input);
    }
    const header = readHeader(block);
    if (header.type === 'L' || header.type === 'x' || header.type === 'g' || header.type === 'K') {
      extension = { ...extension, ...(await readExtension(raw, header, input)) };
      allowance.takeBytes(header.sizeBytes);
      continue;
    }
    allowance.takeMember();
    const name = extension?.name ?? header.name;
    const sizeBytes = extension?.sizeBytes ?? header.sizeBytes;
    extension = undefined;
    if (header.type === '5' || (header.type === '0' && name.endsWith('/'))) {
      if (sizeBytes !== 0) throw refusedMember(raw, name, 'is a folder with content');
      yield { type: 'folder', name };
      continue;
    }
    if (header.type !== '0') {
      throw refusedMember(raw, name, KINDS[header.type] ?? `is of the kind ${JSON.stringify(header.type)}`);
    }
    const end = input.offset + sizeBytes;
    yield { type: 'file', file: { name, sizeBytes, content: input.bytes(sizeBytes) } };
    if (input.offset !== end) throw new Error('a member was not read to its end');
    await input.skipPadding(sizeBytes);
  }
}

async function readExtension(raw: RawFile, header: TarHeader, input: BlockInput): Promise<Extension> {
  if (header.sizeBytes > MAX_EXTENSION_BYTES) throw new TarError('an extended header is larger than 1 MB');
  const parts: Buffer[] = [];
  for await (const part of input.bytes(header.sizeBytes)) parts.push(Buffer.from(part));
  await input.skipPadding(header.sizeBytes);
  const body = Buffer.concat(parts);
  if (header.type === 'K') return {};
  if (header.type === 'L') {
    const end = body.indexOf(0);
    return { name: decoded(end < 0 ? body : body.subarray(0, end)) };
  }
  const attributes = readAttributes(body);
  const name = attributes.get('path');
  const size = attributes.get('size');
  if ([...attributes.keys()].some((key) => key.startsWith('GNU.sparse'))) {
    throw refusedMember(raw, name ?? header.name, 'is a sparse file');
  }
  if (header.type === 'g') {
    if (name !== undefined || size !== undefined) throw new TarError('one header names all members');
    return {};
  }
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw new TarError('an extended header does not read');
  return { ...(name === undefined ? {} : { name }), ...(size === undefined ? {} : { sizeBytes: Number(size) }) };
}

/** After the first block of zeros there is another one, and nothing but zeros to the end of the file. */
async function checkEnd(input: BlockInput): Promise<void> {
  const second = await input.block();
  if (second.some((byte) => byte !== 0)) throw new TarError('a member follows the end');
  for await (const rest of input.rest()) {
    if (rest.some((byte) => byte !== 0)) throw new TarError('it goes on after its end');
  }
}

/** The bytes of the archive, decompressed, within their limit. */
class BlockInput {
  readonly #raw: RawFile;
  readonly #limitBytes: number;
  readonly #blocks: AsyncGenerator<Buffer>;
  #held: Buffer = Buffer.alloc(0);
  /** How much was taken. */
  offset = 0;
  #pulledBytes = 0;

  constructor(raw: RawFile) {
    this.#raw = raw;
    this.#blocks = contentBlocks(raw.file);
    // Headers and padding count as well, so this one is a little wider than that of the members.
    this.#limitBytes = maxExpandedBytes(raw) * 2 + 2 ** 20;
  }

  /** The next block of 512 bytes. */
  async block(): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.bytes(BLOCK_BYTES)) parts.push(part);
    return Buffer.concat(parts);
  }

  /** The next bytes. @throws TarError when the archive has fewer */
  async *bytes(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0; ) {
      if (this.#held.length === 0 && !(await this.#pull())) throw new TarError('it is cut off');
      const part = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(part.length);
      this.offset += part.length;
      left -= part.length;
      yield part;
    }
  }

  async skipPadding(sizeBytes: number): Promise<void> {
    const padding = (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
    for await (const _ of this.bytes(padding));
  }

  /** Everything that is left. */
  async *rest(): AsyncGenerator<Buffer> {
    while (this.#held.length > 0 || (await this.#pull())) {
      const part = this.#held;
      this.#held = Buffer.alloc(0);
      this.offset += part.length;
      yield part;
    }
  }

  async close(): Promise<void> {
    await this.#blocks.return(undefined);
  }

  async #pull(): Promise<boolean> {
    const next = await this.#blocks.next();
    if (next.done === true) return false;
    this.#held = next.value;
    this.#pulledBytes += next.value.length;
    if (this.#pulledBytes <= this.#limitBytes) return true;
    const hint = 'raise the option max_expanded_mb if it is meant to';
    throw archiveError(this.#raw, 'SL0662', 'expands to more than it may', hint);
  }
}
