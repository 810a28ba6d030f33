import { convertArchive, inspectArchive } from '../archive/convert-members.js';
import { archiveOptions } from '../archive/members.js';
import type { Format } from '../format.js';
import { BLOCK_BYTES, isHeader } from './tar/header.js';
import { readTar } from './tar/read-tar.js';

const PACKINGS: readonly string[] = ['.gz', '.bz2', '.xz', '.zst', ''];
const ENDINGS: readonly string[] = [...PACKINGS.map((packing) => `.tar${packing}`), '.tgz', '.tbz2', '.tbz', '.txz'];

/** Tar archives, compressed or not, of plain files and folders. Each member is converted by what it holds. */
export const tar: Format = {
  name: 'tar',
  endings: ENDINGS,
  options: archiveOptions,
  handsOptionsOn: true,

  recognise({ fileName, fileNames, content }) {
    if (fileNames !== undefined) return undefined;
    if (content.length >= BLOCK_BYTES && isHeader(Buffer.from(content.subarray(0, BLOCK_BYTES)))) return 'by content';
    return ENDINGS.some((ending) => fileName.endsWith(ending)) ? 'by name' : undefined;
  },

  inspect: (raw, effects) => inspectArchive(raw, readTar, effects),
  convert: (raw, folder, effects) => convertArchive(raw, folder, readTar, effects),
};
