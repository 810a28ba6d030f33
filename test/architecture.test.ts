import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { formats } from '../src/convert/index.js';
import { connectors } from '../src/ingest/connectors/index.js';
import { kinds } from '../src/kinds/index.js';
import { importsOf, lineAt, readSource, type SourceCode } from './support/source-code.js';

const root = path.resolve(import.meta.dirname, '..');

/** Rooms that look at values only: no file, no clock, no engine, no screen. */
const pureRooms = ['domain', 'parse', 'kinds', 'dag', 'lineage', 'lint', 'plan'];

/** Which rooms each room may look into, beside itself. The line itself stands for the whole of workflow.ts. */
const below = [
  'domain',
  'effects',
  'parse',
  'kinds',
  'dag',
  'lineage',
  'lint',
  'ingest',
  'convert',
  'load',
  'check',
  'metadata',
  'catalog',
  'plan',
  'apply',
  'publish',
  'orchestrate',
];
const mayImport: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  effects: ['domain'],
  kinds: ['domain'],
  parse: ['domain', 'kinds'],
  dag: ['domain'],
  lineage: ['domain', 'parse', 'dag'],
  lint: ['domain', 'parse', 'lineage'],
  plan: ['domain', 'kinds', 'dag', 'lineage'],
  ingest: ['domain', 'effects'],
  convert: ['domain', 'effects'],
  load: ['domain', 'effects', 'parse', 'kinds', 'dag', 'lineage', 'convert', 'ingest'],
  check: ['domain', 'effects', 'parse', 'load'],
  metadata: ['domain', 'effects'],
  catalog: ['domain', 'effects'],
  apply: ['domain', 'effects', 'kinds', 'catalog', 'ingest', 'convert', 'metadata'],
  publish: ['domain', 'effects', 'catalog', 'metadata'],
  orchestrate: ['domain', 'effects'],
  // What the line works on, apart from the line: a command that runs no plan loads no planner.
  'workspace.ts': below,
  'workflow.ts': [...below, 'workspace.ts'],
  // Looking back and going back, beside the line that goes forward.
  'history.ts': [...below, 'workflow.ts'],
  'watch.ts': [...below, 'workflow.ts'],
  'index.ts': [...below, 'workflow.ts', 'watch.ts'],
  tui: [...below, 'workflow.ts', 'watch.ts'],
  cli: [...below, 'workspace.ts', 'workflow.ts', 'history.ts', 'watch.ts', 'tui'],
};

/** Assertions that nothing but the language's own limits force; each with its reason. Every other one belongs into a file named decode.ts. */
const allowedAssertions: readonly { readonly file: string; readonly pattern: RegExp; readonly because: string }[] = [
  {
    file: 'src/effects/duckdb.ts',
    pattern: /Json\(\) as unknown as readonly /,
    because: 'the driver types its JSON rows as any JSON; Row and Cell are that JSON, narrower',
  },
  {
    file: 'src/effects/hdf5-decode.ts',
    pattern: /as unknown as WasmModule/,
    because: 'h5wasm publishes no types for its WebAssembly module',
  },
];

interface SourceFile extends SourceCode {
  readonly path: string;
  readonly room: string;
}

const sources: readonly SourceFile[] = listFiles('src').map((file) => ({
  path: file,
  room: roomOf(file),
  ...readSource(fs.readFileSync(path.join(root, file), 'utf8')),
}));
const known = new Set(sources.map((source) => source.path));

function listFiles(folder: string): readonly string[] {
  return fs
    .readdirSync(path.join(root, folder), { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory()
        ? listFiles(`${folder}/${entry.name}`)
        : /\.tsx?$/.test(entry.name)
          ? [`${folder}/${entry.name}`]
          : [],
    )
    .sort();
}

function roomOf(file: string): string {
  return file.split('/')[1] ?? '';
}

/** The file that a relative import means. */
function targetOf(source: SourceFile, specifier: string): string {
  const plain = path.posix.join(path.posix.dirname(source.path), specifier);
  const candidates = [plain.replace(/\.js$/, '.ts'), plain.replace(/\.jsx?$/, '.tsx'), plain];
  return candidates.find((candidate) => known.has(candidate)) ?? plain;
}

/** Places where a pattern stands in the given view of the files, as `file:line  text of the line`. */
function places(files: readonly SourceFile[], view: 'bare' | 'withStrings', pattern: RegExp): readonly string[] {
  return files.flatMap((source) =>
    [
      ...source[view].matchAll(new RegExp(pattern, pattern.flags.includes('g') ? pattern.flags : `${pattern.flags}g`)),
    ].map((match) => place(source, lineAt(source[view], match.index))),
  );
}

function place(source: SourceFile, line: number): string {
  return `${source.path}:${line}  ${(source.text.split('\n')[line - 1] ?? '').trim()}`;
}

describe('the rooms', () => {
  test('every file stands in a room of the table', () => {
    const strangers = sources.filter((source) => mayImport[source.room] === undefined).map((source) => source.path);
    expect(strangers).toEqual([]);
  });

  test('a room looks only into the rooms that the table allows', () => {
    const wrong = sources.flatMap((source) =>
      importsOf(source).flatMap(({ specifier, line }) => {
        if (!specifier.startsWith('.')) return [];
        const target = targetOf(source, specifier);
        const room = roomOf(target);
        if (!known.has(target)) return [`${place(source, line)}  (there is no such file)`];
        return room === source.room || mayImport[source.room]?.includes(room)
          ? []
          : [`${place(source, line)}  (${source.room} may not import ${room})`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('plan and apply never look at each other', () => {
    expect(mayImport.plan).not.toContain('apply');
    expect(mayImport.apply).not.toContain('plan');
  });

  test('no file imports itself through others', () => {
    const edges = new Map(
      sources.map((source) => [
        source.path,
        importsOf(source)
          .filter(({ specifier }) => specifier.startsWith('.'))
          .map(({ specifier }) => targetOf(source, specifier)),
      ]),
    );
    expect(circles(edges)).toEqual([]);
  });

  test('pure rooms import nothing of Node, no driver and no native code', () => {
    const wrong = sources
      .filter((source) => pureRooms.includes(source.room))
      .flatMap((source) =>
        importsOf(source)
          .filter(({ specifier }) => /^(?:node:|@duckdb\/|h5wasm|node-sql-parser)/.test(specifier))
          .map(({ line }) => place(source, line)),
      );
    expect(wrong).toEqual([]);
  });

  test('pure rooms touch no process, console, clock, chance, timer or network', () => {
    const world =
      /\bprocess\b\s*[.[]|\bconsole\b|\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bglobalThis\b|\bperformance\.|\bsetTimeout\b|\bfetch\(/;
    expect(
      places(
        sources.filter((source) => pureRooms.includes(source.room)),
        'bare',
        world,
      ),
    ).toEqual([]);
  });
});

describe('the files', () => {
  test('none has more than 600 lines', () => {
    const sized = sources
      .map((source) => ({ path: source.path, lineCount: source.text.split('\n').length - 1 }))
      .sort((a, b) => b.lineCount - a.lineCount);
    const long = sized
      .filter(({ lineCount }) => lineCount > 400)
      .map(({ path: file, lineCount }) => `${file}: ${lineCount} lines`);
    expect(sized.some(({ lineCount }) => lineCount > 600) ? long : []).toEqual([]);
  });

  test('none exports a default or declares an enum', () => {
    expect(places(sources, 'bare', /\bexport\s+default\b|\bas\s+default\b|\benum\s+[A-Z]/)).toEqual([]);
  });

  test('none says any', () => {
    expect(places(sources, 'bare', /(?::|<|\||&|=>|\bas|,)\s*any\b(?!\s*(?:===|!==|\?|:|\.|\())/)).toEqual([]);
  });

  test('none asserts a type outside a file named decode.ts, but for the exceptions that are listed with their reason', () => {
    const files = sources
      .filter((source) => path.posix.basename(source.path) !== 'decode.ts')
      .map(withoutImportClauses);
    const found = places(files, 'bare', /\bas\s+(?!const\b)(?=[\w{([])/);
    const unlisted = found.filter(
      (at) => !allowedAssertions.some(({ file, pattern }) => at.startsWith(`${file}:`) && pattern.test(at)),
    );
    expect(unlisted).toEqual([]);
  });

  test('every listed exception still stands in the code', () => {
    const unused = allowedAssertions.filter(
      ({ file, pattern }) => !sources.some((source) => source.path === file && pattern.test(source.text)),
    );
    expect(unused).toEqual([]);
  });

  test('none keeps state of its own between calls', () => {
    expect(places(sources, 'bare', /^(?:export )?(?:let|var) /gm)).toEqual([]);
  });
});

describe('registries', () => {
  test('only kinds/ decides by the name of a kind', () => {
    const byField =
      /\b(?:kind(?:\s*\?)?\.name|kindName)\b\s*(?:===|!==|==|!=)\s*['"`]|['"`]\s*(?:===|!==)\s*[\w.?]*(?:kind\.name|kindName)\b|\bswitch\s*\([^)]*(?:kind\.name|kindName)\s*\)/;
    expect(places(outside('kinds'), 'withStrings', byField)).toEqual([]);
  });

  test.each([
    { registry: 'kinds', names: kinds.flatMap((kind) => kind.names) },
    { registry: 'convert', names: formats.map((format) => format.name) },
    {
      registry: 'ingest',
      names: connectors.flatMap((connector) => [
        connector.name,
        ...connector.schemes.filter((scheme) => scheme.length > 1),
      ]),
    },
  ])('no file outside $registry/ compares with a name of its registry', ({ registry, names }) => {
    const literals = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
    const comparison = new RegExp(
      `(?:===|!==|==|!=|\\bcase)\\s*['"\`](?:${literals})['"\`]|['"\`](?:${literals})['"\`]\\s*(?:===|!==)`,
    );
    expect(places(outside(registry), 'withStrings', comparison)).toEqual([]);
  });
});

function outside(room: string): readonly SourceFile[] {
  return sources.filter((source) => source.room !== room);
}

/** `import { a as b }` and `export { a as b }` rename, they assert nothing. */
function withoutImportClauses(source: SourceFile): SourceFile {
  const bare = source.bare.replace(/\b(?:import|export)\s[^'";]*?\}|\bimport\s+\*\s+as\s+\w+/g, (clause) =>
    /^(?:import|export)\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?[{*]/.test(clause) ? clause.replace(/[^\n]/g, ' ') : clause,
  );
  return { ...source, bare };
}

/** One path for each knot of files that import each other. */
function circles(edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file);
    if (at >= 0) found.push([...trail.slice(at), file].join(' → '));
    if (at >= 0 || done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return found;
}
