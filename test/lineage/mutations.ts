/** Numbers from a seed (mulberry32): the same mutants at each run. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  }

  of<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }
}

/** Tables of all queries here; every one has the same columns, so that many mutants bind. */
export const tables = ['t', 'u', 'v'] as const;
export const columns: readonly (readonly [name: string, type: string])[] = [
  ['id', 'INTEGER'],
  ['k', 'INTEGER'],
  ['a', 'INTEGER'],
  ['b', 'INTEGER'],
  ['s', 'VARCHAR'],
  ['l', 'INTEGER[]'],
];

/** What mutants are made of: joins of one table with itself, outer joins and set operations above all, where prints are easily confused. */
export const baseQueries: readonly string[] = [
  'SELECT id, a + 1 AS x, b AS y FROM t WHERE a > 1 AND b < 3',
  "SELECT x.id, CASE WHEN x.a > 1 THEN x.b ELSE 0 END AS y, coalesce(x.s, 'p') AS z FROM t x",
  'SELECT x.id AS i, y.a AS p, y.b AS q FROM t x JOIN u y ON x.k = y.k',
  'SELECT x.id AS i, y.id AS j, z.id AS m, y.a AS p, z.a AS q FROM t x JOIN t y ON x.k = y.a JOIN t z ON x.k = z.b',
  'SELECT x.a AS p, z.a AS q FROM t x LEFT JOIN t y ON x.k = y.id LEFT JOIN t z ON y.k = z.id AND z.a > 0',
  'SELECT x.id AS i, y.id AS j, x.a AS p, y.a AS q FROM t x RIGHT JOIN u y ON x.k = y.k',
  'SELECT x.a AS p, y.a AS q, coalesce(x.k, y.k) AS k FROM t x FULL JOIN u y ON x.k = y.k WHERE x.id > 1 OR y.id > 1',
  'SELECT k, x.a AS p, y.b AS q FROM t x JOIN u y USING (k)',
  'SELECT x.id AS i, x.a AS p FROM t x SEMI JOIN u y ON x.k = y.k AND y.a > 1',
  'SELECT x.id AS i, x.a AS p FROM t x ANTI JOIN u y ON x.k = y.k',
  'SELECT x.a AS p, y.a AS q, z.a AS r FROM t x, t y, u z WHERE x.k = y.k AND y.b = z.b',
  'SELECT x.i AS i, y.i AS j FROM (SELECT id AS i, k, 1 AS one FROM t) x FULL JOIN (SELECT id AS i, k, 1 AS one FROM u) y ON x.k = y.k',
  'WITH w AS (SELECT id, k, a + b AS c FROM t WHERE a > 0) SELECT x.c AS p, y.c AS q FROM w x JOIN w y ON x.id = y.k',
  'WITH w AS (SELECT k, sum(a) AS total, count(*) AS n FROM t GROUP BY k), m AS (SELECT max(total) AS top FROM w) SELECT w.k, w.total, w.n, m.top FROM w CROSS JOIN m',
  'SELECT k, sum(a) AS p, min(b) AS q, count(*) AS n FROM t GROUP BY k HAVING count(*) > 1',
  'SELECT k, b, sum(a) AS p FROM t GROUP BY ALL',
  'SELECT k, b, sum(a) AS p, grouping(k) AS g FROM t GROUP BY ROLLUP (k, b)',
  'SELECT k, count(DISTINCT a) AS n, sum(a) FILTER (WHERE b > 1) AS f FROM t GROUP BY k',
  'SELECT max(a) AS p, min(b) AS q, count(a) AS n FROM t WHERE k > 0',
  'SELECT DISTINCT k, a FROM t WHERE b > 0',
  'SELECT DISTINCT x.k, y.a FROM t x JOIN u y ON x.k = y.k',
  'SELECT DISTINCT ON (k) k, a, b FROM t ORDER BY k, id',
  'SELECT k, a FROM t UNION SELECT k, b FROM u',
  'SELECT k, a FROM t UNION ALL SELECT k, a FROM u WHERE b > 1',
  'SELECT k, a FROM t EXCEPT SELECT k, a FROM u',
  'SELECT k FROM t INTERSECT SELECT a FROM u',
  'SELECT k, a FROM t UNION ALL BY NAME SELECT a, b FROM u',
  'SELECT id, a, row_number() OVER (PARTITION BY k ORDER BY id) AS n, sum(b) OVER (ORDER BY id ROWS 1 PRECEDING) AS r FROM t',
  'SELECT id, lag(a) OVER (ORDER BY id) AS p, first_value(b) OVER (PARTITION BY k ORDER BY id DESC) AS q FROM t WHERE b > 0',
  'SELECT id, a FROM t QUALIFY row_number() OVER (PARTITION BY k ORDER BY id) = 1',
  'SELECT x.id, rank() OVER (ORDER BY y.a) AS n FROM t x JOIN u y ON x.k = y.k QUALIFY n < 3',
  'SELECT id, a FROM t ORDER BY id LIMIT 3',
  'SELECT id, a FROM t ORDER BY a, id DESC LIMIT 3 OFFSET 1',
  'SELECT k, count(*) AS n FROM (SELECT * FROM t ORDER BY id LIMIT 4) w GROUP BY k',
  'SELECT id, (SELECT max(y.a) FROM u y WHERE y.k = x.k) AS m FROM t x',
  'SELECT id, (SELECT max(a) FROM u) AS p, (SELECT min(a) FROM u) AS q FROM t',
  'SELECT id, a FROM t x WHERE EXISTS (SELECT 1 FROM u y WHERE y.k = x.k AND y.a > x.a)',
  'SELECT id, a FROM t WHERE k IN (SELECT k FROM u WHERE a > 1)',
  'SELECT id, k NOT IN (SELECT a FROM u WHERE a IS NOT NULL) AS f FROM t WHERE k IS NOT NULL',
  'SELECT id, a > ALL (SELECT b FROM u) AS f FROM t',
  'SELECT x.id, w.m FROM t x, LATERAL (SELECT max(y.a) AS m FROM u y WHERE y.k = x.k) w',
  'SELECT id, unnest(l) AS e FROM t WHERE a > 0',
  'SELECT x.id, e.i AS e FROM t x, unnest(x.l) AS e(i) WHERE e.i > 0',
  'SELECT id, list_transform(l, lambda e: e + a) AS p, l[1] AS q FROM t',
  "SELECT id, {'x': a, 'y': b}.x AS p FROM t",
  "SELECT k, string_agg(s, ',' ORDER BY id) AS p, list(a ORDER BY id DESC) AS q FROM t GROUP BY k",
  'SELECT list(a) AS p FROM (SELECT a FROM t ORDER BY id)',
  'SELECT k, a FROM ((SELECT k, a FROM t ORDER BY id) UNION ALL (SELECT k, a FROM u ORDER BY id)) w LIMIT 3',
  'WITH RECURSIVE r(n, m) AS (SELECT id, k FROM t WHERE id < 3 UNION ALL SELECT r.n, u.k FROM r JOIN u ON r.m = u.id WHERE u.id > r.m) SELECT n, m FROM r',
  'WITH RECURSIVE r(n, d) AS (SELECT k, 0 FROM t UNION SELECT n, d + 1 FROM r WHERE d < 2) SELECT n, d FROM r WHERE d > 0',
  'WITH RECURSIVE r(n, d) USING KEY (n) AS (SELECT id, 0 FROM t UNION SELECT r.n, r.d + 1 FROM r WHERE r.d < r.n) SELECT n, d FROM r',
  'PIVOT (SELECT k, a, b FROM t) ON k IN (1, 2) USING sum(a) AS p GROUP BY b',
  'SELECT x.id, x.n, x.e FROM t UNPIVOT (e FOR n IN (a, b)) x',
  'SELECT x.id AS i, y.a AS p FROM (SELECT * FROM t ORDER BY id) x POSITIONAL JOIN (SELECT * FROM u ORDER BY id) y',
  'SELECT x.id, g.n FROM t x, range(3) g(n) WHERE g.n <= x.a',
  'SELECT x.id, w.p FROM t x JOIN (VALUES (1, 2), (2, 3)) w(k, p) ON x.k = w.k',
  'SELECT x.a AS p, z.c AS q FROM t x JOIN (SELECT y.k, w.a AS c FROM u y LEFT JOIN v w ON y.k = w.k) z ON x.k = z.k',
  'SELECT x.a AS p, y.c AS q FROM t x CROSS JOIN (SELECT 1 AS c) y LEFT JOIN (SELECT k, 1 AS c FROM u) z ON x.k = z.k',
  'SELECT id, a FROM t WHERE a = (SELECT max(a) FROM t) OR b BETWEEN 1 AND 2',
];

type Tokens = readonly string[];

const pattern = /'(?:[^']|'')*'|\d+|\w+|::|<>|<=|>=|[^\s\w]/g;

function tokensOf(sql: string): Tokens {
  return sql.match(pattern) ?? [];
}

function textOf(tokens: Tokens): string {
  return tokens.join(' ').replaceAll(' . ', '.').replaceAll(' :: ', '::');
}

function places(tokens: Tokens, wanted: (token: string, at: number) => boolean): readonly number[] {
  return tokens.flatMap((token, at) => (wanted(token, at) ? [at] : []));
}

/** Puts `made` where `count` tokens stand. */
function spliced(tokens: Tokens, at: number, count: number, ...made: readonly string[]): Tokens {
  return [...tokens.slice(0, at), ...made, ...tokens.slice(at + count)];
}

/** A mutation gives another query, or undefined where it finds nothing to change. */
type Mutation = (tokens: Tokens, random: Random) => Tokens | undefined;

/** Replaces one of the tokens of a group by another of the group. */
function swapWithin(group: readonly string[]): Mutation {
  return (tokens, random) => {
    const found = places(tokens, (token) => group.includes(token));
    if (found.length === 0) return undefined;
    return spliced(tokens, random.of(found), 1, random.of(group));
  };
}

interface SelectList {
  /** Start of each item, and the end of the list. */
  readonly starts: readonly number[];
  readonly end: number;
}

const listEnds = new Set(['FROM', 'WHERE', 'GROUP', 'UNION', 'EXCEPT', 'INTERSECT', 'ORDER', 'LIMIT', 'QUALIFY']);

function selectLists(tokens: Tokens): readonly SelectList[] {
  return places(tokens, (token) => token === 'SELECT').map((select) => {
    let start = select + 1;
    if (tokens[start] === 'DISTINCT') start += 1;
    if (tokens[start] === 'ON') start = tokens.indexOf(')', start) + 1;
    const starts = [start];
    let depth = 0;
    let end = start;
    for (; end < tokens.length; end += 1) {
      const token = tokens[end] ?? '';
      if ('([{'.includes(token)) depth += 1;
      if (')]}'.includes(token)) depth -= 1;
      if (depth < 0 || (depth === 0 && listEnds.has(token))) break;
      if (depth === 0 && token === ',') starts.push(end + 1);
    }
    return { starts, end };
  });
}

/** One item of a select list, without its comma. */
function itemAt({ starts, end }: SelectList, index: number): { readonly from: number; readonly to: number } {
  const next = starts[index + 1];
  return { from: starts[index] ?? end, to: next === undefined ? end : next - 1 };
}

const columnNames = columns.map(([name]) => name);
const integerColumns = ['id', 'k', 'a', 'b'];

/** Columns as a query names them: `x.a` or `a`. */
function columnPlaces(tokens: Tokens, names: readonly string[]): readonly number[] {
  return places(
    tokens,
    (token, at) => names.includes(token) && tokens[at - 1] !== 'AS' && tokens[at + 1] !== '.' && tokens[at + 1] !== '(',
  );
}

function aliasesOf(tokens: Tokens): readonly string[] {
  return [...new Set(places(tokens, (_, at) => tokens[at + 1] === '.').map((at) => tokens[at] ?? ''))];
}

const joins = ['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'SEMI JOIN', 'ANTI JOIN'];
const kindsOfJoin = new Set(['LEFT', 'RIGHT', 'FULL', 'SEMI', 'ANTI']);

/** Expressions that treat NULL otherwise than a join does: where they stand, below or above the join, matters. */
const pushed: readonly ((column: string) => string)[] = [
  (column) => `coalesce ( ${column} , 0 )`,
  (column) => `( ${column} + 1 )`,
  (column) => `( ${column} IS NULL ) :: INT`,
];

const newItems = [
  '1 AS more',
  'NULL AS more',
  'count(*) AS more',
  'a + b AS more',
  'k AS more',
  'max(a) AS more',
  '(SELECT count(*) FROM u) AS more',
  '(SELECT max(a) FROM v) AS more',
  'row_number() OVER (ORDER BY id) AS more',
  'unnest([1, 2]) AS more',
  'id IN (SELECT k FROM v) AS more',
  '(SELECT max(v.a) FROM v WHERE v.k = x.k) AS more',
  'x.a AS more',
  'y.a AS more',
  'z.a AS more',
  'x.k + y.k AS more',
  'b AS more',
];

const newConditions = [
  'TRUE',
  '1 = 1',
  '1.5::INT = 1.5',
  'a > 1',
  'k IS NOT NULL',
  'x.a > 0',
  'y.a IS NULL',
  'id IN (1, 2, 3)',
  'k = k',
];

export const mutations: Readonly<Record<string, Mutation>> = {
  'another number': (tokens, random) => {
    const found = places(tokens, (token) => /^\d+$/.test(token));
    return found.length === 0 ? undefined : spliced(tokens, random.of(found), 1, String(random.below(4)));
  },
  'another comparison': swapWithin(['<', '<=', '=', '<>', '>', '>=']),
  'another operator': swapWithin(['+', '-', '*']),
  'another aggregate': swapWithin(['sum', 'min', 'max', 'count', 'avg']),
  'another window function': swapWithin(['row_number', 'rank', 'dense_rank']),
  'AND or OR': swapWithin(['AND', 'OR']),
  'another direction': (tokens, random) => {
    const order = places(tokens, (token) => token === 'ORDER');
    if (order.length === 0) return undefined;
    const at = random.of(order) + 2;
    let end = at;
    while (end < tokens.length && ![',', ')', 'LIMIT', 'DESC', 'ROWS'].includes(tokens[end] ?? '')) end += 1;
    return tokens[end] === 'DESC' ? spliced(tokens, end, 1) : spliced(tokens, end, 0, 'DESC');
  },
  'another column': (tokens, random) => {
    const found = columnPlaces(tokens, columnNames);
    return found.length === 0 ? undefined : spliced(tokens, random.of(found), 1, random.of(integerColumns));
  },
  'another alias': (tokens, random) => {
    const aliases = aliasesOf(tokens);
    const found = places(tokens, (_, at) => tokens[at + 1] === '.');
    return found.length === 0 ? undefined : spliced(tokens, random.of(found), 1, random.of(aliases));
  },
  'another table': swapWithin(tables),
  'tables of two aliases swapped': (tokens, random) => {
    const aliases = aliasesOf(tokens);
    if (aliases.length < 2) return undefined;
    const [one, other] = [random.of(aliases), random.of(aliases)];
    return tokens.map((token, at) =>
      tokens[at + 1] === '.' ? (token === one ? other : token === other ? one : token) : token,
    );
  },
  'an alias renamed everywhere': (tokens, random) => {
    const aliases = aliasesOf(tokens);
    if (aliases.length === 0) return undefined;
    const one = random.of(aliases);
    return tokens.map((token) => (token === one ? `${one}2` : token));
  },
  'another join': (tokens, random) => {
    const found = places(tokens, (token) => token === 'JOIN');
    if (found.length === 0) return undefined;
    const at = random.of(found);
    const isKind = kindsOfJoin.has(tokens[at - 1] ?? '');
    return spliced(tokens, isKind ? at - 1 : at, isKind ? 2 : 1, ...random.of(joins).split(' '));
  },
  'another set operation': (tokens, random) => {
    const found = places(tokens, (token) => ['UNION', 'EXCEPT', 'INTERSECT'].includes(token));
    if (found.length === 0) return undefined;
    const at = random.of(found);
    const operation = random.of(['UNION', 'UNION ALL', 'EXCEPT', 'EXCEPT ALL', 'INTERSECT', 'INTERSECT ALL']);
    return spliced(tokens, at, tokens[at + 1] === 'ALL' ? 2 : 1, ...operation.split(' '));
  },
  'a column more': (tokens, random) => {
    const { end } = random.of(selectLists(tokens));
    return spliced(tokens, end, 0, ',', ...tokensOf(random.of(newItems)));
  },
  'a column more in every select list': (tokens, random) => {
    const item = random.of(['b AS more', 'k + 1 AS more', '1 AS more', 'a AS more']);
    return [...selectLists(tokens)]
      .reverse()
      .reduce((made, { end }) => spliced(made, end, 0, ',', ...tokensOf(item)), tokens);
  },
  'a column less': (tokens, random) => {
    const list = random.of(selectLists(tokens));
    if (list.starts.length < 2) return undefined;
    const index = random.below(list.starts.length);
    const { from, to } = itemAt(list, index);
    return index === 0 ? spliced(tokens, from, to - from + 1) : spliced(tokens, from - 1, to - from + 1);
  },
  'columns in another order': (tokens, random) => {
    const list = random.of(selectLists(tokens));
    if (list.starts.length < 2) return undefined;
    const [first, second] = [itemAt(list, 0), itemAt(list, 1)];
    return [
      ...tokens.slice(0, first.from),
      ...tokens.slice(second.from, second.to),
      ',',
      ...tokens.slice(first.from, first.to),
      ...tokens.slice(second.to),
    ];
  },
  'a column under another name': (tokens, random) => {
    const found = places(
      tokens,
      (token, at) => token === 'AS' && /^\w+$/.test(tokens[at + 1] ?? '') && tokens[at + 2] !== '(',
    );
    return found.length === 0 ? undefined : spliced(tokens, random.of(found) + 1, 1, 'renamed');
  },
  'one column for all': (tokens, random) => {
    const list = random.of(selectLists(tokens));
    const index = random.below(list.starts.length);
    const { from, to } = itemAt(list, index);
    const as = tokens.slice(from, to).lastIndexOf('AS');
    if (as < 0) return undefined;
    const other = random.of([
      '1',
      'NULL::INT',
      'x.a',
      'y.a',
      'z.a',
      'a',
      'coalesce(x.a, 0)',
      'coalesce(y.a, 0)',
      'x.one',
      'y.one',
      'z.c',
      'y.c',
    ]);
    return spliced(tokens, from, as, ...tokensOf(other));
  },
  'DISTINCT or not': (tokens, random) => {
    const at = random.of(places(tokens, (token) => token === 'SELECT')) + 1;
    return tokens[at] === 'DISTINCT' ? spliced(tokens, at, 1) : spliced(tokens, at, 0, 'DISTINCT');
  },
  'a condition more': (tokens, random) => {
    const found = places(tokens, (token) => token === 'WHERE');
    const condition = tokensOf(random.of(newConditions));
    if (found.length > 0) return spliced(tokens, random.of(found) + 1, 0, ...condition, 'AND');
    const last = tokens.findIndex((token) =>
      ['GROUP', 'ORDER', 'QUALIFY', 'UNION', 'EXCEPT', 'INTERSECT'].includes(token),
    );
    return spliced(tokens, last < 0 ? tokens.length : last, 0, 'WHERE', ...condition);
  },
  'conditions in another order': (tokens, random) => {
    // a > 1 AND b < 3: three tokens on each side where both are plain.
    const found = places(tokens, (token) => token === 'AND');
    if (found.length === 0) return undefined;
    const at = random.of(found);
    const width = (from: number, step: number): number => {
      let end = from;
      while (
        /^[\w.<>=]+$/.test(tokens[end] ?? '') &&
        !/^(?:WHERE|ON|AND|OR|ORDER|GROUP|JOIN|THEN|BETWEEN)$/.test(tokens[end] ?? '')
      )
        end += step;
      return Math.abs(end - from);
    };
    const [left, right] = [width(at - 1, -1), width(at + 1, 1)];
    if (left === 0 || right === 0) return undefined;
    return spliced(
      tokens,
      at - left,
      left + 1 + right,
      ...tokens.slice(at + 1, at + 1 + right),
      'AND',
      ...tokens.slice(at - left, at),
    );
  },
  'a cast': (tokens, random) => {
    const found = columnPlaces(tokens, integerColumns);
    return found.length === 0
      ? undefined
      : spliced(tokens, random.of(found) + 1, 0, '::', random.of(['INTEGER', 'INTEGER', 'BIGINT', 'DOUBLE']));
  },
  'an expression above the join': (tokens, random) => {
    const found = columnPlaces(tokens, ['a', 'b']).filter((at) => tokens[at - 1] === '.');
    if (found.length === 0) return undefined;
    const at = random.of(found);
    return spliced(tokens, at - 2, 3, ...tokensOf(random.of(pushed)(tokens.slice(at - 2, at + 1).join(' '))));
  },
  'an expression below the join': (tokens, random) => {
    const found = places(
      tokens,
      (token, at) => tables.some((table) => table === token) && /^[wxyz]$/.test(tokens[at + 1] ?? ''),
    );
    if (found.length === 0) return undefined;
    const at = random.of(found);
    const column = random.of(['a', 'b']);
    const inner = `(SELECT * REPLACE (${random.of(pushed)(column)} AS ${column}) FROM ${tokens[at]})`;
    return spliced(tokens, at, 1, ...tokensOf(inner));
  },
  'a table behind a subquery': (tokens, random) => {
    const found = places(
      tokens,
      (token, at) => tables.some((table) => table === token) && ['FROM', 'JOIN', ','].includes(tokens[at - 1] ?? ''),
    );
    if (found.length === 0) return undefined;
    const at = random.of(found);
    const table = tokens[at] ?? '';
    const inner = random.of([
      `(SELECT * FROM ${table})`,
      `(SELECT id, k, a, b, s, l FROM ${table})`,
      `(FROM ${table} WHERE TRUE)`,
      `(FROM ${table} WHERE a > 0)`,
      `(SELECT DISTINCT * FROM ${table})`,
      `(SELECT * FROM ${table} ORDER BY id)`,
      `(SELECT * FROM ${table} ORDER BY id DESC LIMIT 4)`,
      `(SELECT * RENAME (a AS b, b AS a) FROM ${table})`,
      `(SELECT * REPLACE (1 AS a) FROM ${table})`,
    ]);
    const isNamed = /^[\w]$/.test(tokens[at + 1] ?? '');
    return spliced(tokens, at, 1, ...tokensOf(inner), ...(isNamed ? [] : [table]));
  },
  'all of it behind a subquery': (tokens, random) => {
    const text = textOf(tokens);
    return tokensOf(
      random.of([
        `SELECT * FROM (${text}) AS wrapped`,
        `FROM (${text}) AS wrapped`,
        `WITH wrapped AS (${text}) SELECT * FROM wrapped`,
        `WITH wrapped AS MATERIALIZED (${text}) SELECT wrapped.* FROM wrapped`,
        `SELECT DISTINCT * FROM (${text}) AS wrapped`,
        `SELECT *, 1 AS more FROM (${text}) AS wrapped`,
        `SELECT * FROM (${text}) AS wrapped UNION ALL SELECT * FROM (${text}) AS again`,
        `SELECT * FROM (${text}) AS wrapped ORDER BY ALL`,
        `SELECT * FROM (${text}) AS wrapped ORDER BY ALL LIMIT 2`,
        `SELECT wrapped.* FROM (${text}) AS wrapped CROSS JOIN (SELECT max(a) AS top FROM v) AS one`,
        `SELECT wrapped.* FROM (${text}) AS wrapped LEFT JOIN v ON v.id = 99`,
        `SELECT wrapped.* FROM v RIGHT JOIN (${text}) AS wrapped ON v.id = 99`,
        `SELECT again.* FROM (${text}) AS wrapped JOIN (${text}) AS again ON TRUE`,
        `SELECT wrapped.* FROM (${text}) AS wrapped JOIN (${text}) AS again ON TRUE`,
        `WITH unused AS (SELECT 1) ${text.startsWith('WITH') ? `SELECT * FROM (${text}) AS wrapped` : text}`,
      ]),
    );
  },
  'ordered or limited': (tokens, random) => {
    if (tokens.includes('LIMIT')) return tokens.slice(0, tokens.lastIndexOf('LIMIT'));
    return [
      ...tokens,
      ...tokensOf(random.of(['ORDER BY ALL', 'ORDER BY 1', 'ORDER BY ALL LIMIT 3', 'ORDER BY ALL DESC LIMIT 3'])),
    ];
  },
  'other groups': swapWithin(['ROLLUP', 'CUBE']),
};

/** A query one to three mutations away, with their names. */
export function mutantOf(sql: string, random: Random): { readonly sql: string; readonly how: string } {
  const names = Object.keys(mutations);
  let tokens = tokensOf(sql);
  const done: string[] = [];
  for (let step = 1 + (random.below(4) % 3); step > 0; step -= 1) {
    const name = random.of(names);
    const mutated = mutations[name]?.(tokens, random);
    if (mutated === undefined) continue;
    tokens = mutated;
    done.push(name);
  }
  return { sql: textOf(tokens), how: done.join(', then ') };
}

/** INSERTs that fill the tables with few values, so that joins meet and groups form; NULLs and duplicates among them. */
export function randomContent(random: Random): readonly { readonly table: string; readonly rows: readonly string[] }[] {
  const value = (): string => (random.below(6) === 0 ? 'NULL' : String(random.below(4)));
  return tables.map((table) => {
    const rows = Array.from({ length: 4 + random.below(4) }, (_, at) => {
      const text = random.of(["'p'", "'q'", 'NULL']);
      const list = random.of(['[]', '[1]', '[2, 1]', '[NULL, 3]', 'NULL']);
      return `(${at + 1}, ${value()}, ${value()}, ${value()}, ${text}, ${list})`;
    });
    // Rows that differ from another one in nothing but their key.
    const copied = rows.slice(0, 2).map((row, at) => row.replace(/^\(\d+/, `(${rows.length + at + 1}`));
    return { table, rows: [...rows, ...copied] };
  });
}
