import { expandedCall } from '../domain/anndata-macros.js';
import type { Token } from '../domain/fragment.js';
import { utf16Offset } from '../domain/location.js';
import { ident, tableKey } from '../domain/names.js';
import type { References } from '../domain/references.js';
import { tokenize } from './tokenizer.js';

/** Words before a table's name that let no alias follow it. */
const takesNoAlias = new Set(['TABLE', 'DESCRIBE', 'DESC', 'SHOW', 'SUMMARIZE']);

/**
 * Puts other names in place of the tables that a query reads, at the positions that DuckDB's parser gives, and leaves
 * every other character alone. A table without an alias gets its old name as one, so that `table.column` still means it;
 * `schema.table.column` loses its schema.
 *
 * @param tableOf SQL for a table's key; undefined leaves the name as it is
 * @returns undefined when a name does not stand where it is said to: then the text must not be used
 */
export function patchReferences(
  sql: string,
  references: References,
  tableOf: (key: string) => string | undefined,
): string | undefined {
  const { tokens } = tokenize(sql);
  const indexByStart = new Map(tokens.map((token, index) => [token.start, index]));
  const edits: { readonly start: number; readonly end: number; readonly text: string }[] = [];
  for (const reference of references.tables) {
    if (reference.schema === '') continue;
    const replacement = tableOf(
      tableKey({ schema: reference.schema.toLowerCase(), table: reference.table.toLowerCase() }),
    );
    if (replacement === undefined) continue;
    const index = indexByStart.get(utf16Offset(sql, reference.byteOffset ?? -1));
    // A catalog in front goes with the schema.
    const first = index === undefined ? undefined : tokens[index];
    const skipped = reference.catalog === '' ? 0 : 2;
    const [schema, dot, table] = index === undefined ? [] : tokens.slice(index + skipped, index + skipped + 3);
    if (
      first === undefined ||
      schema === undefined ||
      dot?.text !== '.' ||
      table === undefined ||
      table.value.toLowerCase() !== reference.table.toLowerCase()
    )
      return undefined;
    const before = tokens[(index ?? 0) - 1];
    const isAlone = before?.type === 'word' && takesNoAlias.has(before.text.toUpperCase());
    const alias = reference.alias === '' && !isAlone ? ` AS ${ident(reference.table)}` : '';
    edits.push({ start: first.start, end: table.end, text: `${replacement}${alias}` });
  }
  for (const column of references.qualifiedColumns) {
    if (tableOf(tableKey({ schema: column.schema.toLowerCase(), table: column.table.toLowerCase() })) === undefined)
      continue;
    const index = indexByStart.get(utf16Offset(sql, column.byteOffset ?? -1));
    const [schema, dot, table] = index === undefined ? [] : tokens.slice(index, index + 3);
    if (schema === undefined || dot?.text !== '.' || table === undefined) return undefined;
    edits.push({ start: schema.start, end: table.start, text: '' });
  }
  for (const call of references.macroCalls) {
    const replacement = expandedCall(call, tableOf);
    const index = indexByStart.get(utf16Offset(sql, call.byteOffset ?? -1));
    const name = index === undefined ? undefined : tokens[index];
    const close = index === undefined ? undefined : closingToken(tokens, index + 1);
    if (replacement === undefined || close === undefined || name?.value.toLowerCase() !== call.name) return undefined;
    edits.push({ start: name.start, end: close.end, text: replacement });
  }
  let patched = '';
  let copied = 0;
  for (const edit of edits.sort((a, b) => a.start - b.start)) {
    if (edit.start < copied) return undefined;
    patched += sql.slice(copied, edit.start) + edit.text;
    copied = edit.end;
  }
  return patched + sql.slice(copied);
}

/** The parenthesis that closes the one at a position. */
function closingToken(tokens: readonly Token[], open: number): Token | undefined {
  if (tokens[open]?.text !== '(') return undefined;
  let depth = 0;
  for (const token of tokens.slice(open)) {
    depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0;
    if (depth === 0) return token;
  }
  return undefined;
}
