/** What became of a statement in another dialect. */
export type Translation =
  | { readonly type: 'translated'; readonly sql: string }
  | { readonly type: 'failed'; readonly why: string };

export type SqlTranslator = (sql: string, dialect: string) => Translation;

/**
 * Translates statements into DuckDB's dialect, by polyglot-sql, a WebAssembly build of 23 MB: it is loaded at the first call.
 * What it gives may still mean something else, or nothing: whoever uses it lets DuckDB bind it.
 */
export async function loadSqlTranslator(): Promise<SqlTranslator> {
  const { Dialect, init, transpile } = await import('@polyglot-sql/sdk');
  await init();
  return (sql, dialect) => {
    const from = Object.values(Dialect).find((known) => known === dialect);
    if (from === undefined) return { type: 'failed', why: `${dialect} is not known to the translator` };
    const result = transpile(sql, from, Dialect.DuckDB);
    const [only, second] = result.sql ?? [];
    if (!result.success || only === undefined) return { type: 'failed', why: result.error ?? 'nothing came out' };
    return second === undefined
      ? { type: 'translated', sql: only }
      : { type: 'failed', why: 'several statements came out of one' };
  };
}
