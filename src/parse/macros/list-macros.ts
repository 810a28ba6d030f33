import { constantText, NotConstantError, truth } from './constant-expression.js';
import {
  argument,
  type BuiltInMacro,
  type MacroCall,
  MacroProblem,
  requiredArgument,
  sqlArguments,
} from './macro-call.js';
import { bareText, collectionItems, joinPieces, made, type Pieces, textOfPieces, wrapped } from './pieces.js';

/** The items that a list macro runs over, and its lambda, which comes last. */
function itemsAndLambda(call: MacroCall): {
  readonly items: readonly Pieces[];
  readonly apply: (item: Pieces | readonly Pieces[]) => Pieces | undefined;
} {
  const last = call.given.at(-1);
  if (last?.type !== 'lambda') throw new MacroProblem('takes a lambda at its end', 'for example x -> x + 1');
  const given = call.given.slice(0, -1).flatMap((one) => (one.type === 'sql' ? [one.pieces] : []));
  const [only] = given;
  const items = given.length === 1 && only !== undefined ? (collectionItems(only) ?? given) : given;
  return { items, apply: last.apply };
}

const connectors = (token: string): boolean => token === 'AND' || token === 'OR';

function connected(call: MacroCall, word: 'AND' | 'OR'): Pieces {
  const conditions = sqlArguments(call).filter((pieces) => textOfPieces(pieces).trim().toUpperCase() !== 'NULL');
  const [only] = conditions;
  if (only === undefined) return made('TRUE', call.origin);
  if (conditions.length === 1) return only;
  return joinPieces(
    conditions.map((condition) => wrapped(condition, connectors, call.origin)),
    ` ${word} `,
    call.origin,
  );
}

function variable(call: MacroCall): Pieces {
  const name = bareText(textOfPieces(requiredArgument(call, 'var_name', 0))).toLowerCase();
  const value = call.scope.values.get(name);
  if (value !== undefined) return made(value, call.origin);
  return argument(call, 'default', 1) ?? made('NULL', call.origin);
}

/** Macros over lists, conditions and variables. */
export const listMacros: Readonly<Record<string, BuiltInMacro>> = {
  EACH(call) {
    const { items, apply } = itemsAndLambda(call);
    return items.flatMap((item) => {
      const made = apply(item);
      return made === undefined ? [] : [made];
    });
  },
  FILTER(call) {
    const { items, apply } = itemsAndLambda(call);
    return items.filter((item) => truth(call.constant(textOfPieces(apply(item) ?? []))));
  },
  REDUCE(call) {
    const { items, apply } = itemsAndLambda(call);
    const [first, ...rest] = items;
    return first === undefined ? undefined : rest.reduce<Pieces>((left, right) => apply([left, right]) ?? [], first);
  },
  IF(call) {
    const [condition, whenTrue, whenFalse] = sqlArguments(call);
    if (condition === undefined || whenTrue === undefined) throw new MacroProblem('takes a condition and a value');
    return truth(call.constant(textOfPieces(condition))) ? whenTrue : whenFalse;
  },
  EVAL: (call) => made(constantText(call.constant(textOfPieces(requiredArgument(call, 'condition', 0)))), call.origin),
  AND: (call) => connected(call, 'AND'),
  OR: (call) => connected(call, 'OR'),
  SQL(call) {
    const given = textOfPieces(requiredArgument(call, 'sql', 0));
    const bare = bareText(given);
    if (bare !== given.trim()) return made(call.filled(bare), call.origin);
    try {
      return made(constantText(call.constant(given)), call.origin);
    } catch (thrown) {
      if (!(thrown instanceof NotConstantError)) throw thrown;
      return requiredArgument(call, 'sql', 0);
    }
  },
  VAR: variable,
  BLUEPRINT_VAR: variable,
  RESOLVE_TEMPLATE(call) {
    const template = textOfPieces(requiredArgument(call, 'template', 0));
    const mode = bareText(textOfPieces(argument(call, 'mode', 1) ?? made("'literal'", 0))).toLowerCase();
    const model = call.scope.values.get('this_model') ?? '';
    const parts = [...model.matchAll(/"((?:[^"]|"")*)"|([\p{L}_][\p{L}\p{N}_$]*)/gu)].map(
      ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
    );
    const [table = '', schema = '', catalog = ''] = parts.slice(-3).reverse();
    const text = bareText(template)
      .replaceAll('@{catalog_name}', catalog)
      .replaceAll('@{schema_name}', schema)
      .replaceAll('@{table_name}', table);
    return made(mode === 'table' ? text : `'${text.replaceAll("'", "''")}'`, call.origin);
  },
};
