import { convertArchive, inspectArchive } from '../archive/convert-members.js';
import { archiveOptions } from '../archive/members.js';
import type { Format } from '../format.js';
import { readZip } from './zip/read-zip.js';

/** The first member, or the end of an archive without any. */
const BEGINNINGS: readonly string[] = ['PK\x03\x04', 'PK\x05\x06'];
const ENDINGS: readonly string[] = ['.zip'];

/** Zip archives of plain files and folders, stored or deflated. Each member is converted by what it holds. */
export const zip: Format = {
  name: 'zip',
  endings: ENDINGS,
  options: archiveOptions,
  handsOptionsOn: true,

  recognise({ fileName, fileNames, head }) {
    if (BEGINNINGS.includes(Buffer.from(head.subarray(0, 4)).toString('latin1'))) return 'by content';
    return fileNames === undefined && ENDINGS.some((ending) => fileName.endsWith(ending)) ? 'by name' : undefined;
  },

  inspect: (raw, effects) => inspectArchive(raw, readZip, effects),
  convert: (raw, folder, effects) => convertArchive(raw, folder, readZip, effects),
};
