import type { Category, ColumnChanges } from '../domain/plan.js';
import { columnKey } from '../domain/query-print.js';
import type { DataPrint, Snapshot } from '../domain/snapshot.js';
import { compareDefinitions, type DefinitionDifference, partInWords, partText } from './definition.js';

/** Which columns of a table differ in name, type or content. */
export function compareColumns(before: DataPrint, after: DataPrint): ColumnChanges {
  const was = new Set(Object.keys(before.columns));
  const is = Object.keys(after.columns);
  return {
    added: is.filter((column) => !was.has(column)),
    removed: [...was].filter((column) => !(column in after.columns)),
    changed: is.filter((column) => was.has(column) && before.columns[column] !== after.columns[column]),
  };
}

export interface Judgement {
  readonly category: Category;
  readonly reason: string;
  readonly columns: ColumnChanges;
}

/** Judges a model whose own file changed, by what the change does to its rows and columns. */
export function judgeModified(before: Snapshot, after: Snapshot): Judgement {
  const difference = compareDefinitions(before.definition, after.definition);
  const columns = compareColumns(before.data, after.data);
  const [part] = difference.rows;
  if (part !== undefined) {
    const reason =
      part === 'kind'
        ? `kind changes from ${partText(before.definition, 'kind')} to ${partText(after.definition, 'kind')}`
        : `${partInWords(part)} change`;
    return { category: 'breaking', reason, columns };
  }
  const isUnknown = !before.lineage.known || !after.lineage.known;
  const rowsChange = before.data.rows !== after.data.rows;
  if (isUnknown && (rowsChange || columns.changed.length > 0)) {
    const why = !after.lineage.known ? after.lineage.reason : 'its earlier version could not be compared';
    return { category: 'undetermined', reason: `what the change does cannot be told: ${why}`, columns };
  }
  if (rowsChange)
    return {
      category: 'breaking',
      reason: `row set changes${listed('; adds', columns.added)}${listed('; removes', columns.removed)}`,
      columns,
    };
  if (columns.changed.length + columns.removed.length > 0) {
    return { category: 'breaking', reason: `${sentence(columns)}; rows unchanged`, columns };
  }
  if (columns.added.length > 0)
    return { category: 'non-breaking', reason: `${sentence(columns)}; rows unchanged`, columns };
  if (before.version !== after.version && before.storage !== 'view')
    return { category: 'non-breaking', reason: rebuildReason(before, after, difference), columns };
  return { category: 'metadata', reason: metadataReason(difference), columns };
}

/** Judges a model of which only something upstream changed. */
export function judgeIndirect(
  before: Snapshot,
  after: Snapshot,
  upstream: { readonly dataBefore: DataOf; readonly dataAfter: DataOf; readonly isMetadataOnly: boolean },
): Judgement {
  const columns = compareColumns(before.data, after.data);
  const rowsChange = before.data.rows !== after.data.rows;
  const reads = changedReads(after, upstream.dataBefore, upstream.dataAfter);
  if (rowsChange || columns.changed.length > 0 || columns.removed.length > 0) {
    return {
      category: 'breaking',
      reason: reads.length > 0 ? `reads changed ${enumerated(reads)}` : 'something that it reads changed',
      columns,
    };
  }
  if (columns.added.length > 0)
    return {
      category: 'non-breaking',
      reason: `takes over ${listed('', columns.added).trim()} from upstream`,
      columns,
    };
  if (upstream.isMetadataOnly) return { category: 'metadata', reason: 'only metadata changed upstream', columns };
  return { category: 'non-breaking', reason: 'reads no changed column', columns };
}

export type DataOf = (table: string) => DataPrint | undefined;

/** The columns and row sets upstream that a model depends on and that changed, in words. */
function changedReads(snapshot: Snapshot, before: DataOf, after: DataOf): readonly string[] {
  if (!snapshot.lineage.known)
    return snapshot.lineage.tables.filter((table) => JSON.stringify(before(table)) !== JSON.stringify(after(table)));
  const { print } = snapshot.lineage;
  const parts = [print.rows, ...print.columns];
  const rowSets = new Set(parts.flatMap((part) => part.rowSets));
  const leaves = new Set(parts.flatMap((part) => part.columns));
  const changedRows = [...rowSets]
    .filter((table) => before(table)?.rows !== after(table)?.rows)
    .map((table) => `rows of ${table}`);
  const changedColumns = print.tables.flatMap((table) => {
    const [was, is] = [before(table), after(table)];
    if (was === undefined || is === undefined) return [];
    return Object.keys(was.columns)
      .filter((column) => was.columns[column] !== is.columns[column])
      .map((column) => columnKey(table, column));
  });
  return [...changedRows, ...changedColumns.filter((column) => leaves.has(column))];
}

function sentence(columns: ColumnChanges): string {
  return [listed('adds', columns.added), listed('removes', columns.removed), listed('changes', columns.changed)]
    .filter((part) => part !== '')
    .join('; ');
}

function listed(verb: string, columns: readonly string[]): string {
  if (columns.length === 0) return '';
  const noun = columns.length === 1 ? 'column' : 'columns';
  return `${verb} ${noun} ${enumerated(columns)}`;
}

function enumerated(names: readonly string[]): string {
  return names.length <= 6 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}

function rebuildReason(before: Snapshot, after: Snapshot, difference: DefinitionDifference): string {
  const [part] = difference.layout;
  if (part !== undefined) return `${partInWords(part)} changes; rows and columns unchanged`;
  const order = (snapshot: Snapshot): string => (snapshot.lineage.known ? snapshot.lineage.print.order : '');
  if (order(before) !== order(after)) return 'only the order of rows changes';
  return 'only the order of columns changes';
}

function metadataReason(difference: DefinitionDifference): string {
  if (difference.metadata.length > 0)
    return `${difference.metadata.map(partInWords).join(', ')} changed; no data affected`;
  return 'the query means the same as before';
}
