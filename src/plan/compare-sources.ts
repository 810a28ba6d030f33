import type { BoundSource } from '../domain/bound-project.js';
import type { Column } from '../domain/column.js';
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
      return [{ source: name, type: 'added', version: source.version, reason: 'new source', schema: [] }];
    const schema = schemaChanges(datasets.get(`${name}@${was}`)?.elements ?? source.elements, source.elements);
    const reason =
      schema.length === 0
        ? 'the raw file or how it is converted changed; its columns are the same'
        : 'the raw file or how it is converted changed, and its columns';
    return [{ source: name, type: 'modified', version: source.version, reason, schema }];
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
      }),
    ),
  ];
}

/** Sources whose contract is `freeze`, and whose columns are others now. */
export function frozenProblems(
  sources: readonly BoundSource[],
  changes: readonly SourceChange[],
): readonly Diagnostic[] {
  return changes.flatMap((change): readonly Diagnostic[] => {
    const source = sources.find((one) => one.source.name === change.source)?.source;
    if (source?.contract !== 'freeze' || change.schema.length === 0) return [];
    return [
      {
        code: 'SL0424',
        severity: 'error',
        message: `source "${source.name}" has other columns than its contract allows: ${change.schema.join('; ')}`,
        location: source.location,
        hint: 'if the change is wanted, write contract evolve and plan again; what the lake has is as it was',
      },
    ];
  });
}

/** By table; the columns are called `table.column`. */
function schemaChanges(before: readonly ElementSchema[], now: readonly ElementSchema[]): readonly string[] {
  const columnsOf = (elements: readonly ElementSchema[]): readonly Column[] =>
    elements.flatMap(({ table, columns }) => columns.map(({ name, type }) => ({ name: `${table}.${name}`, type })));
  return schemaDiff(columnsOf(before), columnsOf(now));
}
