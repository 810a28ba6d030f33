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
    try {
      fs.writeFileSync(file, text, { flag: 'wx' });
      return true;
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') return false;
      throw thrown;
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
};
