import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

/**
 * Each folder of `commands/` is a case: `input/` is a project with a file `commands` (one to a line; `copy A B` puts file
 * A in the place of B first), `output/` is what a person sees. A new case is a new folder: its output is written on the
 * first run and fails where CI is set.
 */
const root = 'test/golden/commands';

let rig: Rig;
afterEach(() => rig.dispose());

/** Hides what differs from run to run: ids, durations, the folder. */
function masked(text: string): string {
  return text
    .replaceAll(rig.folder, 'PROJECT')
    .replace(/\b[0-9a-f]{12}\b/g, 'PLAN-ID')
    .replace(/\d+\.\d+ s\b/g, 'N.N s');
}

describe('what a person sees', () => {
  test.each(readdirSync(root))('%s', async (name) => {
    rig = makeRig();
    cpSync(path.join(root, name, 'input'), rig.folder, { recursive: true });
    const lines: string[] = [];
    for (const command of rig.read('commands').trim().split('\n')) {
      const [verb, from = '', to = ''] = command.split(' ');
      if (verb === 'copy') {
        rig.write({ [to]: rig.read(from) });
        continue;
      }
      const { code, out, err } = await rig.run(...(command.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"|"$/g, '')));
      lines.push(`$ scilake ${command}`, masked(`${err}${out}`).trimEnd(), `[exit ${code}]`, '');
    }
    const found = lines.join('\n');
    const golden = path.join(root, name, 'output', 'terminal.txt');
    if (!existsSync(golden)) {
      mkdirSync(path.dirname(golden), { recursive: true });
      writeFileSync(golden, found);
      expect(process.env.CI, `${golden} was missing and has been written; look at it and commit it`).toBeUndefined();
    }
    expect(found).toBe(readFileSync(golden, 'utf8'));
  });
});
