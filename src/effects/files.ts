import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';

export interface FileFacts {
  readonly sizeBytes: number;
  /** Last modification, ms since 1970 UTC. */
  readonly modifiedMs: number;
  readonly isDirectory: boolean;
}

/** The file system as Scilake needs it. Paths are absolute. Missing files are values, other failures throw with their path. */
export interface Files {
  facts(file: string): FileFacts | undefined;
  readText(file: string): string;
  readBytes(file: string): Uint8Array;
  /** Writes to a neighbour, syncs and renames: a reader sees the old text or the new. Makes the folder. */
  writeText(file: string, text: string): void;
  /**
   * Keeps what can be computed again. A place that cannot be written is no error: it is then computed again. Readers see
   * the old text or the new; after a power failure perhaps neither, since nothing waits for the disk.
   */
  writeCache(file: string, text: string): void;
  /** All files below a folder, sorted, relative with forward slashes; hidden ones and `node_modules` left out. Empty when there is no such folder. */
  list(folder: string): readonly string[];
  /** Names right inside a folder, hidden ones included; none where there is no folder. */
  entries(folder: string): readonly string[];
  /** Lower-case hex digest. Reads in blocks; memory is flat. */
  sha256(file: string): Promise<string>;
  /** The same with MD5, for archives that publish no better checksum. */
  md5(file: string): Promise<string>;
  makeFolder(folder: string): void;
  /** A new, empty folder beside others of its kind. */
  makeTemporaryFolder(parent: string, prefix: string): string;
  /** A hard link; a copy where the file system has no links between the two places. */
  linkOrCopy(from: string, to: string): 'link' | 'copy';
  /** A symbolic link, which shows the file as it is at any time; a hard link or a copy where none can be made. */
  pointTo(from: string, to: string): void;
  /** A copy with bytes of its own (shared until either is changed, where the file system can); `to` must not exist. */
  copy(from: string, to: string): void;
  rename(from: string, to: string): void;
  remove(fileOrFolder: string): void;
  /** The path with all links resolved. */
  real(file: string): string;
}

export const files: Files = {
  facts(file) {
    const facts = statOf(file);
    return facts === undefined
      ? undefined
      : { sizeBytes: facts.size, modifiedMs: facts.mtimeMs, isDirectory: facts.isDirectory() };
  },

  readText: (file) => fs.readFileSync(file, 'utf8'),
  readBytes: (file) => fs.readFileSync(file),

  writeText: (file, text) => writeBeside(file, text, 'synced'),

  writeCache(file, text) {
    try {
      writeBeside(file, text, 'not synced');
    } catch (thrown) {
      if (!hasCode(thrown, ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR'])) throw thrown;
    }
  },

  list(folder) {
    const found: string[] = [];
    const walk = (relative: string): void => {
      for (const entry of fs.readdirSync(path.join(folder, relative), { withFileTypes: true })) {
        if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
        const below = relative === '' ? entry.name : `${relative}/${entry.name}`;
        if (entry.isDirectory()) walk(below);
        else if (entry.isFile() || entry.isSymbolicLink()) found.push(below);
      }
    };
    if (statOf(folder)?.isDirectory() === true) walk('');
    return found.sort();
  },

  entries: (folder) => (statOf(folder)?.isDirectory() === true ? fs.readdirSync(folder).sort() : []),

  sha256: (file) => hashOf(file, 'sha256'),
  md5: (file) => hashOf(file, 'md5'),

  makeFolder(folder) {
    fs.mkdirSync(folder, { recursive: true });
  },

  makeTemporaryFolder(parent, prefix) {
    fs.mkdirSync(parent, { recursive: true });
    return fs.mkdtempSync(path.join(parent, prefix));
  },

  linkOrCopy(from, to) {
    try {
      fs.linkSync(from, to);
      return 'link';
    } catch (thrown) {
      // Another file system, one without links, or a system that forbids them: a copy keeps the promise that the original survives.
      if (!hasCode(thrown, ['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK'])) throw thrown;
      fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE);
      return 'copy';
    }
  },

  pointTo(from, to) {
    try {
      fs.symlinkSync(from, to);
    } catch (thrown) {
      // Windows asks for a right that few have.
      if (!hasCode(thrown, ['EPERM', 'ENOTSUP'])) throw thrown;
      files.linkOrCopy(from, to);
    }
  },

  copy(from, to) {
    fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE);
    // Of a read-only file the copy would be read-only too.
    fs.chmodSync(to, 0o644);
  },

  rename: (from, to) => fs.renameSync(from, to),

  remove(fileOrFolder) {
    fs.rmSync(fileOrFolder, { recursive: true, force: true });
  },

  real: (file) => fs.realpathSync(file),
};

/** Writes to a neighbour and renames it. */
function writeBeside(file: string, text: string, mode: 'synced' | 'not synced'): void {
  const neighbour = `${file}.${randomBytes(4).toString('hex')}.part`;
  let handle: number;
  try {
    handle = fs.openSync(neighbour, 'wx');
  } catch (thrown) {
    if (!hasCode(thrown, ['ENOENT'])) throw thrown;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    handle = fs.openSync(neighbour, 'wx');
  }
  try {
    fs.writeFileSync(handle, text);
    if (mode === 'synced') fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
  fs.renameSync(neighbour, file);
}

async function hashOf(file: string, algorithm: 'sha256' | 'md5'): Promise<string> {
  const hash = createHash(algorithm);
  for await (const block of fs.createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(block);
  return hash.digest('hex');
}

function statOf(file: string): fs.Stats | undefined {
  try {
    return fs.statSync(file, { throwIfNoEntry: false });
  } catch (thrown) {
    // A file stands where a folder of the path should be: what is asked for is not there.
    if (hasCode(thrown, ['ENOTDIR'])) return undefined;
    throw thrown;
  }
}

function hasCode(thrown: unknown, codes: readonly string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code));
}
