import { ident } from '../../domain/names.js';
import {
  argument,
  type BuiltInMacro,
  type MacroCall,
  MacroProblem,
  requiredArgument,
  sqlArguments,
} from './macro-call.js';
import {
  bareText,
  collectionItems,
  filledPieces,
  joinPieces,
  made,
  type Pieces,
  textOfPieces,
  wrapped,
} from './pieces.js';

const anyOperator = (token: string): boolean => /^(?:[-+*/%<>=|^~]+|<>|!=|AND|OR|NOT|IS|IN|LIKE|BETWEEN)$/.test(token);
const additive = (token: string): boolean => token === '+' || token === '-';

/** `COALESCE(a, 0) + COALESCE(b, 0)`, NULL only where all are NULL. */
function nullSafe(operator: '+' | '-'): BuiltInMacro {
  return (call) => {
    const fields = sqlArguments(call);
    if (fields.length === 0) throw new MacroProblem('takes at least one column');
    const { origin } = call;
    const areNull = joinPieces(
      fields.map((field) => filledPieces('{0} IS NULL', origin, wrapped(field, anyOperator, origin))),
      ' AND ',
      origin,
    );
    const sum = joinPieces(
      fields.map((field) => filledPieces('COALESCE({0}, 0)', origin, field)),
      ` ${operator} `,
      origin,
    );
    return filledPieces('CASE WHEN {0} THEN NULL ELSE {1} END', origin, areNull, sum);
  };
}

function text(call: MacroCall, name: string, at: number, otherwise: string): string {
  const given = argument(call, name, at);
  return given === undefined ? otherwise : bareText(textOfPieces(given));
}

function flag(call: MacroCall, name: string, at: number, otherwise: boolean): boolean {
  const given = argument(call, name, at);
  return given === undefined ? otherwise : textOfPieces(given).trim().toUpperCase() === 'TRUE';
}

const star: BuiltInMacro = (call) => {
  const relation = textOfPieces(requiredArgument(call, 'relation', 0)).trim();
  const alias = text(call, 'alias', 1, '');
  const listed = argument(call, 'exclude', 2) ?? call.named.get('except_');
  const excluded = (listed === undefined ? [] : (collectionItems(listed) ?? [listed])).map((item) =>
    bareText(textOfPieces(item)),
  );
  const [prefix, suffix] = [text(call, 'prefix', 3, ''), text(call, 'suffix', 4, '')];
  const isQuoted = flag(call, 'quote_identifiers', 5, true);
  const columns = call.columnsOf(relation);
  const name = (plain: string): string => (isQuoted ? ident(plain) : plain);
  const table = name(alias === '' ? (relation.split('.').at(-1) ?? relation).replaceAll('"', '') : alias);
  if (columns === undefined) {
    // Which columns there are is said by DuckDB, as long as the parent is not bound.
    const exclude = excluded.length === 0 ? '' : ` EXCLUDE (${excluded.map(ident).join(', ')})`;
    return made(`${table}.*${exclude}`, call.origin);
  }
  const left = new Set(excluded.map((column) => column.toLowerCase()));
  return columns
    .filter((column) => !left.has(column.name.toLowerCase()))
    .map((column) =>
      made(
        `CAST(${table}.${name(column.name)} AS ${column.type}) AS ${name(`${prefix}${column.name}${suffix}`)}`,
        call.origin,
      ),
    );
};

const pivot: BuiltInMacro = (call) => {
  const column = requiredArgument(call, 'column', 0);
  const listed = requiredArgument(call, 'values', 1);
  const values = collectionItems(listed) ?? [listed];
  const [aggregate, comparison] = [text(call, 'agg', 3, 'SUM'), text(call, 'cmp', 4, '=')];
  const [prefix, suffix] = [text(call, 'prefix', 5, ''), text(call, 'suffix', 6, '')];
  const hasAlias = flag(call, 'alias', 2, true);
  const distinct = flag(call, 'distinct', 10, false) ? 'DISTINCT ' : '';
  const whenEqual = argument(call, 'then_value', 7) ?? made('1', call.origin);
  const otherwise = argument(call, 'else_value', 8) ?? made('0', call.origin);
  const bare = (pieces: Pieces): Pieces => made(bareText(textOfPieces(pieces)), call.origin);
  return values.map((value) => {
    const label = `${prefix}${bareText(textOfPieces(value))}${suffix}`;
    const alias = !hasAlias ? '' : ` AS ${flag(call, 'quote', 9, true) ? ident(label) : label}`;
    return filledPieces(
      `${aggregate}(${distinct}CASE WHEN {0} ${comparison} {1} THEN {2} ELSE {3} END)${alias}`,
      call.origin,
      column,
      value,
      bare(whenEqual),
      bare(otherwise),
    );
  });
};

const surrogateKey: BuiltInMacro = (call) => {
  const fields = sqlArguments(call);
  if (fields.length === 0) throw new MacroProblem('takes at least one column');
  const hash = bareText(textOfPieces(call.named.get('hash_function') ?? made("'MD5'", 0)));
  const texts = fields.map((field) =>
    filledPieces("COALESCE(CAST({0} AS TEXT), '_sqlmesh_surrogate_key_null_')", call.origin, field),
  );
  return filledPieces(`${hash}({0})`, call.origin, joinPieces(texts, " || '|' || ", call.origin));
};

const haversine: BuiltInMacro = (call) => {
  const part = (name: string, at: number): Pieces => requiredArgument(call, name, at);
  const unit = text(call, 'unit', 4, 'mi');
  const rate = { mi: '1.0', km: '1.60934' }[unit];
  if (rate === undefined) throw new MacroProblem(`"${unit}" is no unit`, "give 'mi' or 'km'");
  const [lat1, lon1, lat2, lon2] = [part('lat1', 0), part('lon1', 1), part('lat2', 2), part('lon2', 3)];
  const inside = (pieces: Pieces): Pieces => wrapped(pieces, additive, call.origin);
  return filledPieces(
    `7922 * ASIN(SQRT((POWER(SIN(RADIANS(({2} - {0}) / 2)), 2)) + (COS(RADIANS({4})) * COS(RADIANS({5})) * POWER(SIN(RADIANS(({3} - {1}) / 2)), 2)))) * ${rate}`,
    call.origin,
    inside(lat1),
    inside(lon1),
    inside(lat2),
    inside(lon2),
    lat1,
    lat2,
  );
};

/** Macros that give projections or single expressions. */
export const columnMacros: Readonly<Record<string, BuiltInMacro>> = {
  STAR: star,
  PIVOT: pivot,
  GENERATE_SURROGATE_KEY: surrogateKey,
  SAFE_ADD: nullSafe('+'),
  SAFE_SUB: nullSafe('-'),
  SAFE_DIV: (call) =>
    filledPieces(
      '{0} / NULLIF({1}, 0)',
      call.origin,
      wrapped(requiredArgument(call, 'numerator', 0), anyOperator, call.origin),
      requiredArgument(call, 'denominator', 1),
    ),
  HAVERSINE_DISTANCE: haversine,
};
