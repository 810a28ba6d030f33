import * as fs from 'node:fs';
import * as path from 'node:path';
import { isRecord, textAt } from '../../../domain/json.js';
import { algorithmOf, checksumsOf, isKnownChecksum } from '../../checksums.js';
import { spanAt } from '../../json-text.js';
import type { PlaceFacts } from '../connector.js';

/** A file that a program has made, looked at and found right. */
export interface OutputFile {
  /** As the program names it, with forward slashes. */
  readonly name: string;
  /** Absolute, with all links resolved. */
  readonly file: string;
  readonly version: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** What a program has left. */
export interface Output {
  readonly files: readonly OutputFile[];
  /** JSON that it wants to have again; undefined where it says nothing. */
  readonly state?: string;
  /** Whether the files of earlier runs stay. */
  readonly keepsEarlier: boolean;
  readonly facts: PlaceFacts;
  /** What is wrong with it: all of it, and then nothing is taken. */
  readonly problems: readonly string[];
}

interface Listed {
  readonly name: string;
  readonly version: string;
  readonly checksum: string;
}

interface Manifest {
  readonly files: readonly Listed[] | undefined;
  readonly state?: string;
  readonly keepsEarlier: boolean;
  readonly facts: PlaceFacts;
  readonly problems: readonly string[];
}

const noManifest: Manifest = { files: undefined, keepsEarlier: false, facts: {}, problems: [] };
const manifestKeys = ['files', 'state', 'keep_earlier', 'doi', 'license', 'citation', 'title'];

/** Reads the manifest of a program, if there is one, and looks at every file that it has made. */
export async function readOutput(folder: string, manifestFile: string): Promise<Output> {
  const manifest = fs.existsSync(manifestFile) ? readManifest(fs.readFileSync(manifestFile, 'utf8')) : noManifest;
  const problems = [...manifest.problems];
  const root = fs.realpathSync(folder);
  const listed = manifest.files ?? (manifest.problems.length > 0 ? [] : everyFile(root, '', problems));
  const files: OutputFile[] = [];
  const names = new Set<string>();
  for (const { name, version, checksum } of listed) {
    const plain = path.posix.normalize(name.replaceAll('\\', '/'));
    if (names.has(plain)) problems.push(`it names ${name} twice`);
    names.add(plain);
    const found = locate(root, plain);
    if ('problem' in found) {
      problems.push(`${name} ${found.problem}`);
      continue;
    }
    const sums = await checksumsOf(found.file, checksum === '' ? [] : [algorithmOf(checksum)]);
    const own = `${algorithmOf(checksum)}:${sums.get(algorithmOf(checksum)) ?? ''}`;
    if (checksum !== '' && own !== checksum)
      problems.push(`${name} is not what its checksum says (${checksum}, found ${own})`);
    const sha256 = sums.get('sha256') ?? '';
    const { size: sizeBytes } = fs.statSync(found.file);
    files.push({ name: plain, file: found.file, version: version === '' ? sha256 : version, sizeBytes, sha256 });
  }
  const { state, keepsEarlier, facts } = manifest;
  return { files, keepsEarlier, facts, problems, ...(state === undefined ? {} : { state }) };
}

/** Where a name leads, if that is a file inside the folder. */
function locate(root: string, name: string): { readonly file: string } | { readonly problem: string } {
  if (name === '.' || name.includes('\0')) return { problem: 'is no name of a file' };
  if (path.isAbsolute(name) || path.win32.isAbsolute(name) || name.split('/').includes('..'))
    return { problem: 'leads out of the folder of the output' };
  const at = path.join(root, name);
  if (fs.lstatSync(at, { throwIfNoEntry: false }) === undefined) return { problem: 'is not there' };
  let file: string;
  try {
    file = fs.realpathSync(at);
  } catch {
    return { problem: 'is a link that leads nowhere' };
  }
  if (!file.startsWith(`${root}${path.sep}`))
    return { problem: 'is a link that leads out of the folder of the output' };
  return fs.statSync(file).isFile() ? { file } : { problem: 'is no file' };
}

/** Every regular file below a folder but hidden ones. A link inside shows what lands anyway; one that leads out is wrong. */
function everyFile(root: string, below: string, problems: string[]): readonly Listed[] {
  const found: Listed[] = [];
  for (const entry of fs.readdirSync(path.join(root, below), { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) found.push(...everyFile(root, name, problems));
    else if (entry.isFile()) found.push({ name, version: '', checksum: '' });
    else if (entry.isSymbolicLink()) {
      const target = locate(root, name);
      if ('problem' in target && target.problem !== 'is no file') problems.push(`${name} ${target.problem}`);
    }
  }
  return found;
}

function readManifest(text: string): Manifest {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return { ...noManifest, problems: ['its manifest is no JSON'] };
  }
  if (!isRecord(read)) return { ...noManifest, problems: ['its manifest is no object'] };
  const problems: string[] = [];
  for (const key of Object.keys(read))
    if (!manifestKeys.includes(key))
      problems.push(`its manifest has an unknown key ${JSON.stringify(key)} (known are ${manifestKeys.join(', ')})`);
  if (read.keep_earlier !== undefined && typeof read.keep_earlier !== 'boolean')
    problems.push('"keep_earlier" of its manifest is true or false');
  for (const key of ['doi', 'license', 'citation', 'title'])
    if (read[key] !== undefined && typeof read[key] !== 'string') problems.push(`"${key}" of its manifest is no text`);
  const facts: PlaceFacts = {
    ...(textAt(read, 'doi') === '' ? {} : { doi: textAt(read, 'doi') }),
    ...(textAt(read, 'license') === '' ? {} : { license: textAt(read, 'license') }),
    ...(textAt(read, 'citation') === '' ? {} : { citation: textAt(read, 'citation') }),
    ...(textAt(read, 'title') === '' ? {} : { title: textAt(read, 'title') }),
  };
  // As it is written: numbers of any length come back as they were.
  const state = spanAt(text, ['state']);
  return {
    files: read.files === undefined ? undefined : readListed(read.files, problems),
    ...(state === undefined ? {} : { state: text.slice(state.start, state.end) }),
    keepsEarlier: read.keep_earlier === true,
    facts,
    problems,
  };
}

function readListed(read: unknown, problems: string[]): readonly Listed[] {
  if (!Array.isArray(read)) {
    problems.push('"files" of its manifest is no list');
    return [];
  }
  return read.flatMap((item: unknown, at): readonly Listed[] => {
    if (!isRecord(item) || textAt(item, 'path') === '') {
      problems.push(`file ${at + 1} of its manifest has no "path"`);
      return [];
    }
    const checksum = textAt(item, 'checksum').toLowerCase();
    if (item.checksum !== undefined && !isKnownChecksum(checksum))
      problems.push(`the checksum of ${textAt(item, 'path')} is sha256:…, md5:… or crc32c:…`);
    return [
      {
        name: textAt(item, 'path'),
        version: textAt(item, 'version'),
        checksum: isKnownChecksum(checksum) ? checksum : '',
      },
    ];
  });
}
