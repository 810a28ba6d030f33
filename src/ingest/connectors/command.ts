import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Diagnostic, fail, succeed } from '../../domain/diagnostic.js';
import type { Source } from '../../domain/model.js';
import { type ProgramEnd, runProgram } from '../../effects/program.js';
import { environmentOf } from '../environment.js';
import { problemOf } from '../land-place.js';
import { landSet } from '../land-set.js';
import { compareNames, readListing, type SetEntry } from '../set-listing.js';
import { splitArguments } from './command/arguments.js';
import { type Output, type OutputFile, readOutput } from './command/output.js';
import type { MakeContext, MakingConnector } from './connector.js';

const KEPT_LINES = 20;
const LONGEST_LINE = 500;
/** Variables whose values a program may say by mistake. */
const secretVariable = /TOKEN|KEY|SECRET|PASSWORD|PASSWD|CREDENTIAL/i;
const SHORTEST_SECRET = 8;

/**
 * Programs of the project: each gets an empty folder, and the files that it leaves there land as a set. Nothing is taken
 * of a program that fails, or that leaves something wrong.
 */
export const command: MakingConnector = {
  name: 'command',
  schemes: ['command'],
  async make(source, context) {
    const problem = (code: Diagnostic['code'], message: string, hint: string): Diagnostic =>
      problemOf(source, code, message, hint);
    const split = splitArguments(source.uri.replace(/^command:/i, ''));
    if (split.type === 'problem') return fail(problem('SL0516', split.message, split.hint));
    const { files, store, state, folder } = context;
    const earlier: SetEntry[] = [];
    for await (const entry of readListing(state.listing)) earlier.push(entry);
    // Without one of its files its state would promise what is not here: it begins anew.
    const isWhole = earlier.every(({ sha256 }) => files.facts(store.stored(sha256)) !== undefined);
    const given = {
      SCILAKE_OUTPUT: path.join(folder, 'output'),
      SCILAKE_MANIFEST: path.join(folder, 'manifest.json'),
      SCILAKE_STATE: path.join(folder, 'state.json'),
      SCILAKE_SOURCE: source.name,
    };
    files.makeFolder(given.SCILAKE_OUTPUT);
    const hasState = isWhole && files.facts(state.programState) !== undefined;
    fs.writeFileSync(given.SCILAKE_STATE, hasState ? files.readText(state.programState) : '{}\n');
    const { end, said } = await run(source, split.argv, given, context);
    const failure = failureOf(end, source);
    if (failure !== undefined)
      return fail(
        problem(
          'SL0516',
          `${failure}${said.length === 0 ? ', and said nothing' : `: ${said.at(-1)}`}`,
          hintOf(said, end),
        ),
      );
    const output = await readOutput(given.SCILAKE_OUTPUT, given.SCILAKE_MANIFEST);
    const kept = isWhole && output.keepsEarlier ? earlier : [];
    const problems = [
      ...output.problems,
      ...(output.problems.length === 0 && output.files.length + kept.length === 0 ? ['it left no file'] : []),
    ];
    if (problems.length > 0)
      return fail(
        ...problems.map((what) =>
          problem(
            'SL0517',
            `its program ended well, but ${what}`,
            'files go below SCILAKE_OUTPUT, and are named from there; see docs/sources.md',
          ),
        ),
      );
    const landed = await landOutput(source, { output, kept }, context);
    return succeed({
      ...landed,
      facts: output.facts,
      afterwards: () => {
        if (output.state !== undefined) files.writeText(state.programState, `${output.state}\n`);
        // What it was told no longer holds, and it says nothing new.
        else if (!isWhole) files.remove(state.programState);
      },
    });
  },
};

async function run(
  source: Source,
  argv: readonly string[],
  given: Readonly<Record<string, string>>,
  context: MakeContext,
): Promise<{ readonly end: ProgramEnd; readonly said: readonly string[] }> {
  const environment = environmentOf(context);
  const secrets = Object.entries(environment).flatMap(([name, value = '']) =>
    secretVariable.test(name) && value.length >= SHORTEST_SECRET ? [value] : [],
  );
  const said: string[] = [];
  const end = await runProgram({
    argv,
    workingFolder: context.projectFolder,
    environment: { ...environment, ...given },
    ...(source.timeoutMs === undefined ? {} : { timeoutMs: source.timeoutMs }),
    onLine: (line) => {
      let shown = line.trimEnd().slice(0, LONGEST_LINE);
      for (const secret of secrets) shown = shown.replaceAll(secret, '***');
      if (shown === '') return;
      said.push(shown);
      if (said.length > KEPT_LINES) said.shift();
      context.emit?.({ type: 'loading', what: 'source', detail: `${source.name}: ${shown}` });
    },
    onStopped: () => context.files.remove(context.folder),
  });
  return { end, said };
}

/** Undefined where it ended well. */
function failureOf(end: ProgramEnd, { timeoutMs = 0 }: Source): string | undefined {
  switch (end.type) {
    case 'exit':
      return end.code === 0 ? undefined : `its program ended with exit code ${end.code}`;
    case 'signal':
      return `its program was ended by ${end.signal}`;
    case 'timeout':
      return `its program was stopped after ${timeoutMs / 60_000} minutes (timeout)`;
    case 'not started':
      return `its program cannot be started: ${end.reason}`;
    default:
      return end satisfies never;
  }
}

function hintOf(said: readonly string[], end: ProgramEnd): string {
  if (end.type === 'not started') return 'it is looked for in PATH, or by a path from the folder of the project';
  return said.length > 1
    ? `the last lines that it said:\n  ${said.join('\n  ')}`
    : 'run it by hand, with SCILAKE_OUTPUT set to an empty folder';
}

async function landOutput(
  source: Source,
  { output, kept }: { readonly output: Output; readonly kept: readonly SetEntry[] },
  { files, store, state }: MakeContext,
): Promise<{ readonly path: string; readonly sizeBytes: number; readonly sha256: string }> {
  for (const file of output.files) takeIn(file, (from) => store.take(from, file.sha256));
  const entries = new Map<string, SetEntry>(kept.map((entry) => [entry.name, entry]));
  for (const { name, version, sizeBytes, sha256 } of output.files)
    entries.set(name, { name, version, sizeBytes, sha256 });
  const ordered = [...entries.values()].sort((a, b) => compareNames(a.name, b.name));
  const landed = await landSet<SetEntry>(
    {
      name: source.name,
      setsFolder: path.join(store.folder, 'sets'),
      listing: state.listing,
      members: (async function* () {
        yield* ordered;
      })(),
      atOnce: 1,
      bring: async (entry) => entry,
      isHere: () => false,
      link: ({ sha256 }, to) => files.linkOrCopy(store.stored(sha256), to),
    },
    files,
  );
  return { path: landed.path, sizeBytes: landed.sizeBytes, sha256: landed.sha256 };
}

/** A file that has another name somewhere could be changed there: of such a one a copy is taken. */
function takeIn({ file, sha256 }: OutputFile, take: (from: string) => void): void {
  const linkCount = fs.statSync(file, { throwIfNoEntry: false })?.nlink ?? 0;
  if (linkCount === 1) take(file);
  // Of two names of one file the first has taken it.
  if (linkCount <= 1) return;
  const own = `${file}.${sha256.slice(0, 8)}.copy`;
  fs.copyFileSync(file, own, fs.constants.COPYFILE_FICLONE);
  take(own);
}
