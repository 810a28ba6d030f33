/** What becomes of a query's column type on its way into the lake. */
export type StoredType =
  | { readonly type: 'kept' }
  | { readonly type: 'cast'; readonly to: string; readonly why: string }
  | { readonly type: 'refused'; readonly why: string };

const replacements: Readonly<Record<string, { readonly to: string; readonly why: string }>> = {
  HUGEINT: { to: 'DECIMAL(38,0)', why: 'DuckLake would store HUGEINT as DOUBLE and lose digits' },
  UHUGEINT: { to: 'DECIMAL(38,0)', why: 'DuckLake would store UHUGEINT as DOUBLE and lose digits' },
  BIT: { to: 'VARCHAR', why: 'DuckLake has no BIT' },
  BIGNUM: { to: 'VARCHAR', why: 'DuckLake has no BIGNUM' },
  TIME_NS: { to: 'TIME', why: 'DuckLake has no TIME_NS: nanoseconds are cut off' },
  ENUM: { to: 'VARCHAR', why: 'DuckLake has no ENUM' },
  SQLNULL: { to: 'VARCHAR', why: 'a column of NULLs only has no type of its own' },
  NULL: { to: 'VARCHAR', why: 'a column of NULLs only has no type of its own' },
};

/**
 * Stands between every query and the lake. DuckLake stores some DuckDB types wrongly without a word and refuses others;
 * each becomes the nearest type that keeps its values. Works inside STRUCT, LIST and MAP as well.
 *
 * @param type as DESCRIBE or the driver prints it
 */
export function storedType(type: string): StoredType {
  if (/^[A-Z]+$/.test(type) && !(type in replacements)) return { type: 'kept' };
  const reasons: string[] = [];
  let refused: string | undefined;
  let to = '';
  for (let at = 0; at < type.length; ) {
    const rest = type.slice(at);
    const quoted = /^"(?:[^"]|"")*"|^'(?:[^']|'')*'/.exec(rest)?.[0];
    const word = quoted === undefined ? /^[A-Za-z_][A-Za-z0-9_]*/.exec(rest)?.[0] : undefined;
    const fixedArray = /^\[\d+\]/.exec(rest)?.[0];
    if (quoted === '"NULL"' && at === 0) {
      to += 'VARCHAR';
      reasons.push('a column of NULLs only has no type of its own');
      at += quoted.length;
    } else if (quoted !== undefined) {
      to += quoted;
      at += quoted.length;
    } else if (fixedArray !== undefined) {
      to += '[]';
      reasons.push('DuckLake has no arrays of fixed length');
      at += fixedArray.length;
    } else if (word !== undefined) {
      // A field name stands before its type: only words at a place where a type can stand are types.
      const replacement = isTypePosition(type, at) ? replacements[word.toUpperCase()] : undefined;
      if (word.toUpperCase() === 'UNION' && rest[word.length] === '(' && isTypePosition(type, at))
        refused = 'DuckLake has no UNION';
      to += replacement === undefined ? word : replacement.to;
      at += word.length;
      if (replacement !== undefined) {
        reasons.push(replacement.why);
        if (word.toUpperCase() === 'ENUM' && type[at] === '(') at = closingParenthesis(type, at) + 1;
      }
    } else {
      to += rest[0];
      at++;
    }
  }
  if (refused !== undefined) return { type: 'refused', why: refused };
  return reasons.length === 0 ? { type: 'kept' } : { type: 'cast', to, why: [...new Set(reasons)].join('; ') };
}

/** True at the top, where MAP's key and value begin, and after a field's name. False where a field's name stands. */
function isTypePosition(type: string, at: number): boolean {
  // The words before the parentheses that are open at this place.
  const owners: string[] = [];
  let previous = '';
  for (const [token] of type.slice(0, at).matchAll(/"(?:[^"]|"")*"|'(?:[^']|'')*'|\w+|\S/g)) {
    if (token === '(') owners.push(previous.toUpperCase());
    else if (token === ')') owners.pop();
    previous = token;
  }
  const beginsItem = previous === '(' || previous === ',';
  return owners.length === 0 || (owners.at(-1) === 'MAP') === beginsItem;
}

function closingParenthesis(type: string, open: number): number {
  let depth = 0;
  let inString = false;
  for (let at = open; at < type.length; at++) {
    if (type[at] === "'") inString = !inString;
    else if (!inString && type[at] === '(') depth++;
    else if (!inString && type[at] === ')' && --depth === 0) return at;
  }
  return type.length - 1;
}
