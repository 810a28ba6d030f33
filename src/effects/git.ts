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
  /**
   * The commit that is checked out, and whether files that git tracks differ from it.
   *
   * @param except  paths below the folder that do not count
   * @returns       undefined where there is no repository or no commit yet
   */
  head(folder: string, except: readonly string[]): Promise<GitHead | undefined>;
  /** Puts files into the index. @throws Error with git's own words */
  stage(folder: string, names: readonly string[]): Promise<void>;
  /** Commits these files and nothing else; what is staged beside them stays staged. @throws Error with git's own words */
  commit(folder: string, names: readonly string[], message: string): Promise<void>;
  /** A setting of the repository; empty where it is not set. */
  setting(folder: string, name: string): Promise<string>;
  set(folder: string, name: string, value: string): Promise<void>;
}

export interface GitHead {
  readonly commit: string;
  readonly isDirty: boolean;
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

  async head(folder, except) {
    try {
      const { stdout: commit } = await run('git', ['-C', folder, 'rev-parse', '--verify', 'HEAD']);
      const paths = ['.', ...except.map((name) => `:(exclude)${name}`)];
      const status = ['status', '--porcelain', '--untracked-files=no', '--', ...paths];
      const { stdout: changed } = await run('git', ['-C', folder, ...status], { maxBuffer: 2 ** 26 });
      return { commit: commit.trim(), isDirty: changed.trim() !== '' };
    } catch {
      return undefined;
    }
  },

  async stage(folder, names) {
    await said(folder, ['add', '--', ...names]);
  },

  async commit(folder, names, message) {
    // Unknown files have to be in the index before they can be committed by name.
    await said(folder, ['add', '--', ...names]);
    await said(folder, ['commit', '--quiet', '--only', '--message', message, '--', ...names]);
  },

  async setting(folder, name) {
    try {
      return (await run('git', ['-C', folder, 'config', '--local', '--get', name])).stdout.trim();
    } catch {
      return '';
    }
  },

  async set(folder, name, value) {
    await said(folder, ['config', '--local', name, value]);
  },
};

/** @throws Error with the last line that git said */
async function said(folder: string, parameters: readonly string[]): Promise<void> {
  try {
    await run('git', ['-C', folder, ...parameters], { maxBuffer: 2 ** 26 });
  } catch (thrown) {
    const lines = messageOf(thrown)
      .split('\n')
      .filter((line) => line.trim() !== '');
    throw new Error(lines.at(-1) ?? 'git failed', { cause: thrown });
  }
}
