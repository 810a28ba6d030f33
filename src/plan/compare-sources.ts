import type { BoundSource } from '../domain/bound-project.js';
import type { Column } from '../domain/column.js';
import type { Contract } from '../domain/contract.js';
import type { ElementSchema } from '../domain/convert.js';
import type { Diagnostic } from '../domain/diagnostic.js';
import type { SourceChange } from '../domain/plan.js';
import { schemaDiff } from '../domain/schema-diff.js';
import type { Dataset } from '../domain/snapshot.js';

/**
 * How the sources differ from those that an environment has, with what their tables gained and lost.
 *
 * @param before    version of each source, by name
 * @param datasets  by `source@version`
 */
export function compareSources(
  sources: readonly BoundSource[],
  before: Readonly<Record<string, string>>,
  datasets: ReadonlyMap<string, Dataset>,
): readonly SourceChange[] {
  const changes = sources.flatMap((source): readonly SourceChange[] => {
    const { name } = source.source;
    const was = before[name];
    if (was === source.version) return [];
    if (was === undefined)
      return [
        { source: name, type: 'added', version: source.version, reason: 'new source', schema: [], discarded: [] },
      ];
    const recorded = datasets.get(`${name}@${was}`)?.elements ?? source.elements;
    const schema = linesOf(schemaChanges(recorded, source.elements));
    const discarded = linesOf(schemaChanges(recorded, source.found ?? source.elements)).filter(
      (line) => !schema.includes(line),
    );
    const reason =
      schema.length === 0
        ? 'the raw file or how it is converted changed; its columns are the same'
        : 'the raw file or how it is converted changed, and its columns';
    return [{ source: name, type: 'modified', version: source.version, reason, schema, discarded }];
  });
  const now = new Set(sources.map((source) => source.source.name));
  const removed = Object.entries(before).filter(([name]) => !now.has(name));
  return [
    ...changes,
    ...removed.map(
      ([source, version]): SourceChange => ({
        source,
        type: 'removed',
        version,
        reason: 'no longer in the project',
        schema: [],
        discarded: [],
      }),
    ),
  ];
}

/** Sources whose contract is `freeze` for what changed: tables, columns or types. */
export function frozenProblems(
  sources: readonly BoundSource[],
  before: Readonly<Record<string, string>>,
  datasets: ReadonlyMap<string, Dataset>,
): readonly Diagnostic[] {
  return sources.flatMap(({ source, elements, found }): readonly Diagnostic[] => {
    const recorded = datasets.get(`${source.name}@${before[source.name]}`)?.elements;
    if (recorded === undefined) return [];
    const broken = schemaChanges(recorded, found ?? elements).filter(({ what }) => source.contract[what] === 'freeze');
    if (broken.length === 0) return [];
    return [
      {
        code: 'SL0424',
        severity: 'error',
        message: `source "${source.name}" has other columns than its contract allows: ${linesOf(broken).join('; ')}`,
        location: source.location,
        hint: 'if the change is wanted, write contract evolve and plan again; what the lake has is as it was',
      },
    ];
  });
}

/** One line of a diff, and what it is a change of. */
interface SchemaChange {
  readonly what: keyof Contract;
  readonly line: string;
}

/** By table; the columns are called `table.column`. */
function schemaChanges(before: readonly ElementSchema[], now: readonly ElementSchema[]): readonly SchemaChange[] {
  const tables = [...new Set([...before, ...now].map(({ table }) => table))];
  return tables.flatMap((table): readonly SchemaChange[] => {
    const [was, is] = [before, now].map((elements) => elements.find((element) => element.table === table));
    const named = (columns: readonly Column[] = []): readonly Column[] =>
      columns.map(({ name, type }) => ({ name: `${table}.${name}`, type }));
    return schemaDiff(named(was?.columns), named(is?.columns)).map((line) => ({
      what: was === undefined || is === undefined ? 'tables' : line.startsWith('~') ? 'dataType' : 'columns',
      line,
    }));
  });
}

function linesOf(changes: readonly SchemaChange[]): readonly string[] {
  return changes.map(({ line }) => line);
}
