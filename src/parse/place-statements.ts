import type { ModelKind } from '../domain/kind.js';
import type { Model, SqlText } from '../domain/model.js';
import type { PropertyReader } from '../domain/property-reader.js';
import { isDefinition } from './macros/index.js';
import type { SqlStatement } from './statements.js';

/** Words a query can start with; DuckDB also lets FROM, PIVOT, VALUES and a parenthesis open one. */
const queryKeywords = new Set([
  'SELECT',
  'WITH',
  'FROM',
  'VALUES',
  'PIVOT',
  'UNPIVOT',
  'TABLE',
  'SUMMARIZE',
  'DESCRIBE',
  '',
]);

/** Sorts the statements of the file into before, query, after and on-virtual-update. */
export function placeStatements(
  sql: readonly SqlStatement[],
  kind: ModelKind,
  properties: PropertyReader,
  hasCode: boolean,
): Pick<Model, 'query' | 'preStatements' | 'postStatements' | 'onVirtualUpdate' | 'definitions'> {
  const onVirtualUpdate: SqlText[] = [];
  const definitions: SqlText[] = [];
  const before: SqlText[] = [];
  const after: SqlText[] = [];
  let query: SqlText | undefined;
  let inVirtualUpdate = false;
  for (const statement of sql) {
    if (statement.keyword === 'ON_VIRTUAL_UPDATE_BEGIN') {
      inVirtualUpdate = true;
    } else if (statement.keyword === 'ON_VIRTUAL_UPDATE_END') inVirtualUpdate = false;
    else if (isDefinition(statement.sql)) definitions.push(statement.sql);
    else if (inVirtualUpdate) onVirtualUpdate.push(statement.sql);
    else if (!queryKeywords.has(statement.keyword) || isMacroStatement(statement, sql))
      (query === undefined ? before : after).push(statement.sql);
    else if (query === undefined) query = statement.sql;
    else
      properties.report(
        'SL0107',
        { start: statement.sql.span.start, end: statement.sql.span.start + 1 },
        'a model has one query, this is a second',
        'join them with a CTE or UNION, or make a model of each',
      );
  }
  const needsQuery = !hasCode && kind.seed === undefined && kind.storage !== 'outside';
  if (needsQuery && query === undefined) {
    properties.report(
      'SL0107',
      properties.ownerSpan,
      'this model has no query',
      'write a SELECT after the MODEL block',
    );
  } else if (!needsQuery && query !== undefined) {
    properties.report(
      'SL0107',
      { start: query.span.start, end: query.span.start + 1 },
      `a model of kind ${kind.name} has no query`,
      'remove the query or change the kind',
    );
  }
  return {
    ...(query === undefined ? {} : { query }),
    preStatements: before,
    postStatements: after,
    onVirtualUpdate,
    definitions,
  };
}

const queryMacros = new Set(['@UNION', '@DEDUPLICATE', '@DATE_SPINE', '@WITH']);

/** `@IF(…, CREATE …)` beside the query: a macro that is no query itself. One that stands alone in the file is the query. */
function isMacroStatement(statement: SqlStatement, all: readonly SqlStatement[]): boolean {
  const [first] = statement.tokens;
  if (first?.type !== 'macro' || queryMacros.has(first.text.toUpperCase())) return false;
  return all.filter((other) => !isDefinition(other.sql)).length > 1;
}
