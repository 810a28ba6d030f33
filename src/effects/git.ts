import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../domain/diagnostic.js';

const run = promisify(execFile);

/** What Scilake asks of git. */
export interface Git {
  /**
   * Files below a folder that differ from where this branch left `reference`, and files that git does not know yet.
   *
   * @returns paths relative to the folder, with forward slashes; undefined where there is no repository
   * @throws Error with git's own words when there is no such reference
   */
  changedSince(folder: string, reference: string): Promise<readonly string[] | undefined>;
}

export const git: Git = {
  async changedSince(folder, reference) {
    const ask = async (...parameters: readonly string[]): Promise<readonly string[]> => {
      const { stdout } = await run('git', ['-C', folder, ...parameters], { maxBuffer: 2 ** 26 });
      return stdout.split('\0').filter((name) => name !== '');
    };
    try {
      await ask('rev-parse', '--is-inside-work-tree');
    } catch {
      return undefined;
    }
    // A name that begins with a dash would be an option.
    if (reference.startsWith('-')) throw new Error(`"${reference}" is no branch or commit`);
    try {
      const changed = await ask('diff', '--name-only', '--relative', '-z', '--merge-base', reference, '--');
      const unknown = await ask('ls-files', '--others', '--exclude-standard', '-z');
      return [...new Set([...changed, ...unknown])].sort();
    } catch (thrown) {
      throw new Error(messageOf(thrown).split('\n').at(-2) ?? `git does not know "${reference}"`, { cause: thrown });
    }
  },
};
