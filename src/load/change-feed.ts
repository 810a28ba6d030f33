import type { BoundSource } from '../domain/bound-project.js';
import type { Diagnostic } from '../domain/diagnostic.js';
import type { Model } from '../domain/model.js';
import type { Project } from '../domain/project.js';
import type { Lineage } from '../domain/query-print.js';
import { tokenize } from '../parse/tokenizer.js';
import { sourceTableKeys } from './read-texts.js';
import { statementLocation } from './table-columns.js';

/** Words that make one row of the result depend on how many others there are, and that leave no trace among its columns. */
const limiting = new Set(['LIMIT', 'OFFSET', 'TABLESAMPLE', 'SAMPLE']);

/**
 * Why a query cannot be run over changed rows alone. It can where each of its rows comes from one row of one table: no
 * aggregates, windows, DISTINCT, LIMIT, and no second table, whose changes would go unseen.
 */
export function changeFeedProblems(
  model: Model,
  lineage: Lineage,
  { project, sources }: { readonly project: Project; readonly sources: readonly BoundSource[] },
): readonly Diagnostic[] {
  const why = obstacle(model, lineage, project, sources);
  if (why === undefined || model.query === undefined) return [];
  return [
    {
      code: 'SL0217',
      severity: 'error',
      message: `${model.key} cannot read changes alone: ${why}`,
      location: statementLocation(model.query),
      hint: 'let one model select and compute row by row, and others aggregate or join; or take another kind',
    },
  ];
}

function obstacle(
  model: Model,
  lineage: Lineage,
  project: Project,
  sources: readonly BoundSource[],
): string | undefined {
  if (!lineage.known) return 'its column lineage is unknown';
  const { tables, rows, rowKinds, columns, volatile } = lineage.print;
  const [table] = tables;
  if (table === undefined || tables.length > 1) return `it reads ${tables.length} tables, not one`;
  const parent = project.models.find((candidate) => candidate.key === table);
  if (parent === undefined && !sources.some((source) => sourceTableKeys(source).includes(table)))
    return `${table} is no table of the project`;
  if (parent !== undefined && parent.kind.storage !== 'table')
    return `${table} is a ${parent.kind.name} without rows of its own`;
  const kinds = new Set(Object.values(rowKinds).flat());
  if (kinds.has('join')) return 'it joins';
  if (kinds.has('group') || !rows.rowSets.includes(table)) return 'it aggregates';
  if (kinds.has('distinct') || kinds.has('set operation')) return 'it compares rows with each other';
  const own = columns.slice(0, columns.length - (model.kind.addedColumns ?? []).length);
  const dependent = own.find((column) => column.rowSets.length > 0);
  if (dependent !== undefined) return `column ${dependent.name} depends on other rows`;
  const word = tokenize(model.query?.text ?? '').tokens.find(
    (token) => token.type === 'word' && limiting.has(token.text.toUpperCase()),
  );
  if (word !== undefined) return `it says ${word.text.toUpperCase()}`;
  return volatile.length > 0 ? `it calls ${volatile.join(', ')}, which gives another value at each call` : undefined;
}
