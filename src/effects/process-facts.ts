import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import * as path from 'node:path';

/** What a process knows of itself and its neighbours, as far as locking needs it. */
export interface ProcessFacts {
  readonly pid: number;
  readonly host: string;
  isAlive(pid: number): boolean;
  /** Makes a file that must not be there yet; false when it is. Makes its folder. */
  createExclusively(file: string, text: string): boolean;
  readFile(file: string): string | undefined;
  removeFile(file: string): void;
  /** Takes a file away if its text is this one: somebody else's new file of the name stays. */
  removeIf(file: string, text: string): void;
}

export const processFacts: ProcessFacts = {
  pid: process.pid,
  host: hostname(),
  isAlive(pid) {
    try {
      process.kill(pid, 0);
      return true;
    } catch (thrown) {
      // Alive, but not ours to signal.
      return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
    }
  },
  createExclusively(file, text) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    // Whoever sees the file sees all of its text: it gets its name only once it is written.
    const written = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
    fs.writeFileSync(written, text, { flag: 'wx' });
    try {
      fs.linkSync(written, file);
      return true;
    } catch (thrown) {
      const code = thrown instanceof Error && 'code' in thrown ? thrown.code : '';
      if (code === 'EEXIST') return false;
      // A file system without links: a reader may see the file before its text.
      if (code === 'EPERM' || code === 'ENOTSUP') return writtenExclusively(file, text);
      throw thrown;
    } finally {
      fs.rmSync(written, { force: true });
    }
  },
  readFile(file) {
    try {
      return fs.readFileSync(file, 'utf8');
    } catch {
      return undefined;
    }
  },
  removeFile: (file) => fs.rmSync(file, { force: true }),
  removeIf(file, text) {
    const aside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
    try {
      fs.renameSync(file, aside);
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return;
      throw thrown;
    }
    // Somebody was quicker: what was taken is a new one, and goes back unless yet another stands there.
    try {
      if (fs.readFileSync(aside, 'utf8') !== text) fs.linkSync(aside, file);
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
    } finally {
      fs.rmSync(aside, { force: true });
    }
  },
};

function writtenExclusively(file: string, text: string): boolean {
  try {
    fs.writeFileSync(file, text, { flag: 'wx' });
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') return false;
    throw thrown;
  }
}
