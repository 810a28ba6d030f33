import { ident } from '../../domain/names.js';
import { truth } from './constant-expression.js';
import { type BuiltInMacro, MacroProblem, requiredArgument, sqlArguments } from './macro-call.js';
import { bareText, collectionItems, filledPieces, joinPieces, made, textOfPieces } from './pieces.js';

const union: BuiltInMacro = (call) => {
  const rest = [...sqlArguments(call)];
  let isWhole = true;
  const first = rest[0] === undefined ? '' : textOfPieces(rest[0]).trim();
  if (/^(?:true|false)$/i.test(first) || /[=<>]/.test(first)) {
    isWhole = truth(call.constant(first));
    rest.shift();
  }
  let kind = 'ALL';
  if (rest[0] !== undefined && /^'.*'$/s.test(textOfPieces(rest[0]).trim())) {
    kind = bareText(textOfPieces(rest[0])).toUpperCase();
    rest.shift();
  }
  if (kind !== 'ALL' && kind !== 'DISTINCT')
    throw new MacroProblem(`"${kind}" is no kind of union`, "give 'all' or 'distinct'");
  const tables = rest.map((table) => textOfPieces(table).trim());
  const [leading] = tables;
  if (leading === undefined) throw new MacroProblem('takes at least one table');
  const schemas = tables.map((table) => call.columnsOf(table));
  const shared = schemas[0]?.filter((column) =>
    schemas.every((schema) =>
      schema?.some((other) => other.name.toLowerCase() === column.name.toLowerCase() && other.type === column.type),
    ),
  );
  // As long as the columns of a table are not known, all that counts is that the table is read.
  const list =
    shared === undefined || schemas.includes(undefined)
      ? '*'
      : shared.map(({ name, type }) => `CAST(${ident(name)} AS ${type}) AS ${ident(name)}`).join(', ');
  const selects = (isWhole ? tables : [leading]).map((table) => `SELECT ${list} FROM ${table}`);
  return made(selects.join(kind === 'ALL' ? ' UNION ALL ' : ' UNION '), call.origin);
};

const deduplicate: BuiltInMacro = (call) => {
  const relation = requiredArgument(call, 'relation', 0);
  const partition = collectionItems(requiredArgument(call, 'partition_by', 1));
  const order = collectionItems(requiredArgument(call, 'order_by', 2));
  if (partition === undefined)
    throw new MacroProblem('takes a list of columns to partition by', '[a, cast(b AS DATE)]');
  if (order === undefined || order.length === 0)
    throw new MacroProblem('takes a list of strings to order by', "['updated_at DESC NULLS LAST']");
  const terms = order.map((term) => bareText(textOfPieces(term))).join(', ');
  return filledPieces(
    `SELECT * FROM {0} QUALIFY ROW_NUMBER() OVER (PARTITION BY {1} ORDER BY ${terms}) = 1`,
    call.origin,
    relation,
    joinPieces(partition, ', ', call.origin),
  );
};

const dateParts = ['day', 'week', 'month', 'quarter', 'year'];

const dateSpine: BuiltInMacro = (call) => {
  const part = bareText(textOfPieces(requiredArgument(call, 'datepart', 0))).toLowerCase();
  if (!dateParts.includes(part))
    throw new MacroProblem(`"${part}" is no part of a date`, `give ${dateParts.join(', ')}`);
  const bounds = [requiredArgument(call, 'start_date', 1), requiredArgument(call, 'end_date', 2)].map((bound) => {
    const written = textOfPieces(bound).trim();
    if (!/^'.*'$/s.test(written)) return bound;
    const date = bareText(written);
    if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) throw new MacroProblem(`"${date}" is no date`, 'write it as YYYY-MM-DD');
    return filledPieces('CAST({0} AS DATE)', call.origin, bound);
  });
  const texts = bounds.map(textOfPieces);
  if (texts.every((one) => one.startsWith("CAST('")) && (texts[0] ?? '') > (texts[1] ?? ''))
    throw new MacroProblem('starts after its end');
  return filledPieces(
    `SELECT date_${part} FROM UNNEST(CAST(GENERATE_SERIES({0}, {1}, INTERVAL '1' ${part.toUpperCase()}) AS DATE[])) AS _exploded(date_${part})`,
    call.origin,
    ...bounds,
  );
};

/** Macros that give whole queries. */
export const queryMacros: Readonly<Record<string, BuiltInMacro>> = {
  UNION: union,
  DEDUPLICATE: deduplicate,
  DATE_SPINE: dateSpine,
};
