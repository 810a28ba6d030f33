/** What a statement does and which tables it names. */
export interface ClassifiedStatement {
  /** `insert`, `create`, `select` …; `unknown` when the parser does not understand it. */
  readonly type: string;
  /** `schema.table`, lower case. */
  readonly tables: readonly string[];
}

/**
 * Classifies statements that DuckDB has no syntax tree for: the statements around a model's query, and queries such as a
 * dynamic PIVOT. By node-sql-parser, which has no DuckDB dialect: it is a second opinion on names, never an authority,
 * and a statement that it refuses is `unknown`. Its grammar (0.4 s to load) is loaded at the first call.
 */
export async function classifyStatements(statements: readonly string[]): Promise<readonly ClassifiedStatement[]> {
  if (statements.length === 0) return [];
  const module = await import('node-sql-parser/build/postgresql.js');
  const parser = new module.default.Parser();
  return statements.map((statement) => {
    try {
      const { tableList, ast } = parser.parse(statement, { database: 'postgresql' });
      const [first] = Array.isArray(ast) ? ast : [ast];
      const tables = tableList.flatMap((entry: string) => {
        const [, schema, table] = entry.split('::');
        return schema !== undefined && schema !== 'null' && table !== undefined
          ? [`${schema}.${table}`.toLowerCase()]
          : [];
      });
      return { type: String(first?.type ?? 'unknown'), tables };
    } catch {
      return { type: 'unknown', tables: [] };
    }
  });
}
