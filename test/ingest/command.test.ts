import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { files } from '../../src/effects/files.js';
import { splitArguments } from '../../src/ingest/connectors/command/arguments.js';
import { temporaryFolder } from '../convert/support.js';
import { LandRig } from './land-rig.js';
import { buildLander } from './lander.js';

const root = temporaryFolder();
let rig: LandRig;
let number = 0;
beforeEach(() => {
  rig = new LandRig(root);
  rig.environment = { PATH: process.env.PATH ?? '' };
});

/** Properties of a source whose program does this. */
function program(body: string, more = ''): string {
  number += 1;
  const file = path.join(rig.folder, `p${number}.mjs`);
  fs.writeFileSync(
    file,
    `import * as fs from 'node:fs';
const { SCILAKE_OUTPUT: out, SCILAKE_MANIFEST: manifest, SCILAKE_STATE: stateFile, SCILAKE_SOURCE: source } = process.env;
const write = (name, text) => fs.writeFileSync(out + '/' + name, text);
const list = (value) => fs.writeFileSync(manifest, JSON.stringify(value));
${body}`,
  );
  return `uri 'command:${process.execPath} p${number}.mjs'${more}`;
}

/** Names and contents of what has landed. */
const contents = ({ path: at }: { readonly path: string }): Readonly<Record<string, string>> =>
  Object.fromEntries(files.list(at).map((name) => [name, fs.readFileSync(path.join(at, name), 'utf8')]));

describe('files of a program', () => {
  test('land as a set, with what it says of them', async () => {
    const landing = await rig.land(
      program(`
        fs.mkdirSync(out + '/b');
        write('a.csv', 'id\\n1\\n');
        write('b/c.csv', source + fs.readdirSync(out).join() + process.cwd());
        write('notes.tmp', 'not in the manifest');
        list({ files: [{ path: 'b/c.csv' }, { path: './a.csv', checksum: 'sha256:' + (await import('node:crypto')).createHash('sha256').update('id\\n1\\n').digest('hex') }],
          doi: '10.1/x', license: 'CC0-1.0', citation: 'Who', title: 'What' });`),
    );
    expect(contents(landing)).toEqual({ 'a.csv': 'id\n1\n', 'b/c.csv': `studiesa.csv,b${rig.folder}` });
    expect(path.basename(landing.path)).toBe('studies');
    expect(landing.facts).toEqual({ doi: '10.1/x', license: 'CC0-1.0', citation: 'Who', title: 'What' });
    expect(fs.readdirSync(path.join(rig.folder, '.scilake/raw/making'))).toEqual([]);
  });

  test('are all that lie in its folder where it leaves no manifest, but hidden ones', async () => {
    const landing = await rig.land(
      program(
        "write('a.csv', '1'); write('.hidden', '2'); fs.symlinkSync('a.csv', out + '/same.csv'); fs.linkSync(out + '/a.csv', out + '/b.csv');",
      ),
    );
    expect(contents(landing)).toEqual({ 'a.csv': '1', 'b.csv': '1' });
  });

  test('that are equal make the same version', async () => {
    const properties = program("write('a.csv', '1');", ', refresh always');
    expect(await rig.land(properties)).toEqual(await rig.land(properties));
  });

  test('stay apart from files that the program has elsewhere', async () => {
    fs.writeFileSync(path.join(rig.folder, 'mine.csv'), 'mine');
    const landing = await rig.land(program("fs.linkSync('mine.csv', out + '/a.csv');"));
    fs.writeFileSync(path.join(rig.folder, 'mine.csv'), 'else');
    expect(contents(landing)).toEqual({ 'a.csv': 'mine' });
  });
});

describe('a state', () => {
  const counting = (more = ''): string =>
    program(
      `const state = JSON.parse(fs.readFileSync(stateFile, 'utf8'));
       const n = (state.n ?? 0) + 1;
       write(n + '.csv', JSON.stringify(state));
       if (fs.existsSync('fail')) { fs.writeFileSync(manifest, '{"state": {"n": 99}, "files": [{"path": "gone"}]}'); }
       else fs.writeFileSync(manifest, '{"state": {"n": ' + n + ', "big": 12345678901234567890}, "files": [{"path": "' + n + '.csv"}]${more}}');`,
      ', refresh always',
    );

  test('comes back as it was given, once all has landed', async () => {
    const properties = counting();
    expect(contents(await rig.land(properties))).toEqual({ '1.csv': '{}' });
    fs.writeFileSync(path.join(rig.folder, 'fail'), '');
    expect(await rig.error(properties)).toMatch(/^SL0517 .*gone is not there/);
    fs.rmSync(path.join(rig.folder, 'fail'));
    expect(Object.keys(contents(await rig.land(properties)))).toEqual(['2.csv']);
    expect(rig.kept()).toContain('12345678901234567890');
  });

  test('goes with files that stay, where the program says so', async () => {
    const properties = counting(', "keep_earlier": true');
    await rig.land(properties);
    const second = await rig.land(properties);
    expect(Object.keys(contents(second))).toEqual(['1.csv', '2.csv']);
    // Where they are gone, it begins anew.
    fs.rmSync(path.join(rig.folder, '.scilake/raw/sha256'), { recursive: true });
    fs.rmSync(path.join(rig.folder, '.scilake/raw/sets'), { recursive: true });
    expect(contents(await rig.land(properties))).toEqual({ '1.csv': '{}' });
  });
});

describe('an output that is wrong', () => {
  test('is told, all of it, and nothing lands', async () => {
    fs.writeFileSync(path.join(root, 'secret'), 'secret');
    const errors = await rig.errors(
      program(`
        write('a.csv', '1');
        fs.symlinkSync('${path.join(root, 'secret')}', out + '/link');
        fs.symlinkSync('nowhere', out + '/broken');
        fs.mkdirSync(out + '/folder');
        list({ files: [{ path: '../x' }, { path: '/etc/passwd' }, { path: 'C:\\\\x' }, { path: 'gone' }, { path: 'link' }, { path: 'broken' },
          { path: 'folder' }, { path: 'a.csv', checksum: 'sha256:' + '0'.repeat(64) }, { path: './a.csv' }, {}, { path: 'a', checksum: 'sha1:1' }], licence: 'x' });`),
    );
    expect(errors.map(({ message }) => message.replace('source "studies": its program ended well, but ', ''))).toEqual([
      'its manifest has an unknown key "licence" (known are files, state, keep_earlier, doi, license, citation, title)',
      'file 10 of its manifest has no "path"',
      'the checksum of a is sha256:…, md5:… or crc32c:…',
      '../x leads out of the folder of the output',
      '/etc/passwd leads out of the folder of the output',
      'C:\\x leads out of the folder of the output',
      'gone is not there',
      'link is a link that leads out of the folder of the output',
      'broken is a link that leads nowhere',
      'folder is no file',
      expect.stringMatching(/^a\.csv is not what its checksum says \(sha256:0+, found sha256:6b86/),
      'it names ./a.csv twice',
      'a is not there',
    ]);
    expect(errors.every(({ code, location }) => code === 'SL0517' && location?.line === 1)).toBe(true);
    expect(fs.existsSync(path.join(rig.folder, '.scilake/raw/sha256'))).toBe(false);
  });

  test.each([
    ["write('.hidden', '')", /it left no file/],
    ["fs.symlinkSync('/etc', out + '/etc'); write('a', '')", /etc is a link that leads out/],
    ["fs.writeFileSync(manifest, '{')", /its manifest is no JSON/],
    ['list([])', /its manifest is no object/],
    ["list({ files: 'a' })", /"files" of its manifest is no list/],
  ])('is an error: %s', async (body, expected) => {
    expect(await rig.error(program(body))).toMatch(expected);
  });
});

describe('a program', () => {
  test('that fails is told with its last lines, and what came before stays', async () => {
    const properties = program(
      "if (fs.existsSync('fail')) { console.log('one'); console.error('key ' + process.env.MY_TOKEN); process.exit(3); } write('a.csv', '1');",
      ', refresh always',
    );
    const first = await rig.land(properties);
    fs.writeFileSync(path.join(rig.folder, 'fail'), '');
    rig.environment.MY_TOKEN = 'a-secret-of-mine';
    const [error] = await rig.errors(properties);
    expect(error).toMatchObject({ code: 'SL0516', message: expect.stringMatching(/exit code 3: (?:key \*\*\*|one)$/) });
    expect(error?.hint).toContain('one');
    expect(JSON.stringify(error)).not.toContain('a-secret-of-mine');
    fs.rmSync(path.join(rig.folder, 'fail'));
    expect(await rig.land(properties)).toEqual(first);
  });

  test('that is not there is told', async () => {
    expect(await rig.error("uri 'command:no-such-program-anywhere x'")).toMatch(
      /^SL0516 .*cannot be started: there is no such program, and said nothing/,
    );
    expect(await rig.error("uri 'command:echo a | sort'")).toMatch(
      /^SL0516 .*no shell runs this command, and "\|" is for one/,
    );
  });

  test('is heard while it runs', async () => {
    const heard: string[] = [];
    await rig.land(program("console.log('half'); console.error('whole'); write('a', '');"), {
      emit: (event) => heard.push(event.type === 'loading' ? event.detail : event.type),
    });
    expect(heard.sort()).toEqual(['studies: half', 'studies: whole']);
  });

  test('is stopped with what it has started when its time is over', async () => {
    const body = `
      const { spawn } = await import('node:child_process');
      spawn(process.execPath, ['-e', "setInterval(() => require('node:fs').appendFileSync('alive', 'x'), 20)"], { stdio: 'ignore' });
      process.on('SIGTERM', () => {});
      setInterval(() => {}, 1000);`;
    const source = { ...rig.source(program(body)), timeoutMs: 700 };
    const { land } = await import('../../src/ingest/land.js');
    const landed = await land(source, rig.effects);
    expect(landed).toMatchObject({
      ok: false,
      errors: [{ code: 'SL0516', message: expect.stringMatching(/was stopped after .* \(timeout\)/) }],
    });
    await expectStill(path.join(rig.folder, 'alive'));
  });

  test('leaves nobody behind that goes on to write', async () => {
    const body = `
      const { spawn } = await import('node:child_process');
      spawn(process.execPath, ['-e', "setInterval(() => require('node:fs').appendFileSync('alive', 'x'), 20)"], { stdio: 'ignore' }).unref();
      write('a.csv', '1');
      await new Promise((resolve) => setTimeout(resolve, 300));`;
    await rig.land(program(body));
    await expectStill(path.join(rig.folder, 'alive'));
  });

  test('is run once a day', async () => {
    const properties = program("fs.appendFileSync('runs', 'x'); write('a', '1');");
    await rig.land(properties);
    await rig.land(properties);
    rig.now = new Date(rig.now.getTime() + 86_400_001);
    await rig.land(properties);
    expect(fs.readFileSync(path.join(rig.folder, 'runs'), 'utf8')).toBe('xx');
  });
});

function read(file: string): string {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
}

/** A file that nobody writes to any more. */
async function expectStill(file: string): Promise<void> {
  const size = (): number => fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = size();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(size()).toBe(before);
}

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
  'a landing that is ended by %s leaves nothing half, and the next one goes on',
  async (signal) => {
    const properties = program(
      `write('a.csv', '1');
       fs.writeFileSync('begun', String(process.pid));
       if (!fs.existsSync('go')) { setInterval(() => fs.appendFileSync('alive', 'x'), 20); await new Promise((resolve) => setTimeout(resolve, 20_000)); }`,
    );
    const child = spawn(process.execPath, [await buildLander(root), rig.folder, properties, 'when due'], {
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    const deadline = Date.now() + 20_000;
    while (!/^\d+$/.test(read(path.join(rig.folder, 'begun'))) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill(signal);
    expect((await ended)[1]).toBe(signal);
    expect(fs.existsSync(path.join(rig.folder, '.scilake/raw/sets'))).toBe(false);
    if (signal === 'SIGKILL') {
      // Nobody is left who could end it.
      process.kill(Number(fs.readFileSync(path.join(rig.folder, 'begun'), 'utf8')), 'SIGKILL');
    } else {
      await expectStill(path.join(rig.folder, 'alive'));
      expect(fs.readdirSync(path.join(rig.folder, '.scilake/raw/making'))).toEqual([]);
    }
    fs.writeFileSync(path.join(rig.folder, 'go'), '');
    expect(contents(await rig.land(properties))).toEqual({ 'a.csv': '1' });
  },
);

test.each([
  ['python3 a.py --year 2024', ['python3', 'a.py', '--year', '2024']],
  [`a 'b c' "d \\" $e" f\\ g ''`, ['a', 'b c', 'd " $e', 'f g', '']],
  [`a"b"'c'  d`, ['abc', 'd']],
  ['a * $X "|"', ['a', '*', '$X', '|']],
])('the line %s is split as a shell does', (line, argv) => {
  expect(splitArguments(line)).toEqual({ type: 'arguments', argv });
});

test.each([
  ["a 'b", /a quote \('\) is never closed/],
  ['', /names no program/],
  ['a > b', /">" is for one/],
  ['a && b', /"&&" is for one/],
])('the line %s is refused', (line, expected) => {
  expect(splitArguments(line)).toMatchObject({ type: 'problem', message: expect.stringMatching(expected) });
});
