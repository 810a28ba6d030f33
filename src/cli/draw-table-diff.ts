import type { RowComparison, TableComparison } from '../catalog/compare-tables.js';
import type { Cell } from '../effects/duckdb.js';
import { drawTable } from './draw-table.js';
import type { Style } from './style.js';

/** A comparison with what it is a comparison of. */
interface Compared {
  readonly pair: { readonly model: string | undefined };
  readonly key: readonly string[];
  readonly comparison: TableComparison;
}

interface Layout {
  readonly width: number;
  readonly style: Style;
  /** What people call the two sides. */
  readonly source: string;
  readonly target: string;
}

/** Shares of the rows of both tables: a joined pair is two of them. */
function percentages(
  { sourceRows, targetRows }: TableComparison,
  rows: RowComparison,
): Readonly<Record<string, number>> {
  const all = sourceRows + targetRows;
  return {
    fullMatch: percent(2 * rows.fullMatch, all),
    partialMatch: percent(2 * rows.partialMatch, all),
    joined: percent(2 * rows.joined, all),
    sourceOnly: percent(rows.sourceOnly, all),
    targetOnly: percent(rows.targetOnly, all),
  };
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((10_000 * part) / whole) / 100;
}

/** A comparison as it goes into a JSON document. */
export function comparisonJson({ pair, key, comparison }: Compared): unknown {
  const { schema, sourceRows, targetRows, rows } = comparison;
  const types = (columns: TableComparison['schema']['added']): Readonly<Record<string, string>> =>
    Object.fromEntries(columns.map((column) => [column.name, column.type]));
  const paired = rows === undefined || 'problem' in rows ? undefined : rows;
  return {
    model: pair.model ?? null,
    on: key,
    schema: {
      added: types(schema.added),
      removed: types(schema.removed),
      modified: Object.fromEntries(schema.modified.map(({ name, from, to }) => [name, { from, to }])),
    },
    rows: {
      source: sourceRows,
      target: targetRows,
      ...(paired === undefined
        ? {}
        : {
            joined: paired.joined,
            fullMatch: paired.fullMatch,
            partialMatch: paired.partialMatch,
            sourceOnly: paired.sourceOnly,
            targetOnly: paired.targetOnly,
            percent: percentages(comparison, paired),
          }),
    },
    columns:
      paired === undefined
        ? {}
        : Object.fromEntries(
            Object.entries(paired.matches).map(([name, matches]) => [
              name,
              { matches, percent: percent(matches, paired.joined) },
            ]),
          ),
    samples: paired?.samples ?? { partial: [], sourceOnly: [], targetOnly: [] },
  };
}

/** A comparison as people read it. */
export function drawComparison({ pair, key, comparison }: Compared, layout: Layout): string {
  const { style, source, target } = layout;
  const { rows, sourceRows, targetRows } = comparison;
  const lines = [
    `${style.bold(pair.model ?? 'tables')}  ${source} → ${target}`,
    '',
    ...schemaLines(comparison, layout),
  ];
  if (rows === undefined || 'problem' in rows) {
    lines.push(`Rows  ${count(sourceRows)} in ${source}, ${count(targetRows)} in ${target}; not paired`, '');
    return lines.join('\n');
  }
  const shares = percentages(comparison, rows);
  const line = (name: string, rowCount: number, share: number | undefined): readonly Cell[] => [
    name,
    rowCount,
    (share ?? 0).toFixed(2),
  ];
  lines.push(
    `Rows, paired by ${key.join(', ')}`,
    drawTable(
      ['', 'rows', '%'],
      [
        line('full match', rows.fullMatch, shares.fullMatch),
        line('partial match', rows.partialMatch, shares.partialMatch),
        line(`only in ${source}`, rows.sourceOnly, shares.sourceOnly),
        line(`only in ${target}`, rows.targetOnly, shares.targetOnly),
      ],
      layout,
    ),
  );
  const matches = Object.entries(rows.matches);
  if (matches.length > 0 && rows.joined > 0)
    lines.push(
      'Columns of the paired rows',
      drawTable(
        ['column', 'equal', '%'],
        matches.map(([name, equal]) => line(name, equal, percent(equal, rows.joined))),
        layout,
      ),
    );
  return [...lines, ...sampleLines(rows, key, layout)].join('\n');
}

function schemaLines({ schema }: TableComparison, { style }: Layout): readonly string[] {
  const changes = [
    ...schema.added.map(({ name, type }) => `  ${style.green('+')} ${name} ${type}`),
    ...schema.removed.map(({ name, type }) => `  ${style.red('-')} ${name} ${type}`),
    ...schema.modified.map(({ name, from, to }) => `  ${style.yellow('~')} ${name} ${from} → ${to}`),
  ];
  return changes.length === 0 ? ['Columns are the same', ''] : ['Columns', ...changes, ''];
}

function sampleLines({ samples }: RowComparison, key: readonly string[], layout: Layout): readonly string[] {
  const { source, target } = layout;
  const changed = samples.partial.flatMap((row) =>
    Object.entries(row.columns).map(([column, [before, after]]): readonly Cell[] => [
      ...key.map((name) => cellByName(row.key, name)),
      column,
      before,
      after,
    ]),
  );
  const alone = (title: string, rows: readonly Readonly<Record<string, Cell>>[]): readonly string[] => {
    const [first] = rows;
    if (first === undefined) return [];
    const names = Object.keys(first);
    return [
      title,
      drawTable(
        names,
        rows.map((row) => names.map((name) => row[name] ?? null)),
        layout,
      ),
    ];
  };
  return [
    ...(changed.length === 0
      ? []
      : ['Values that differ', drawTable([...key, 'column', source, target], changed, layout)]),
    ...alone(`Only in ${source}`, samples.sourceOnly),
    ...alone(`Only in ${target}`, samples.targetOnly),
  ];
}

/** By name, whatever its case: the user wrote the key, the table has the column. */
function cellByName(row: Readonly<Record<string, Cell>>, name: string): Cell {
  return Object.entries(row).find(([column]) => column.toLowerCase() === name.toLowerCase())?.[1] ?? null;
}

function count(rows: number): string {
  return rows.toLocaleString('en');
}
