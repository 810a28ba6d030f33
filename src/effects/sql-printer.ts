/**
 * Lays out DuckDB SQL: white space only, words keep their case. By sql-formatter, which parses loosely and throws where it
 * cannot; it is loaded at the first call.
 */
export async function loadSqlPrinter(): Promise<(sql: string) => string> {
  const { formatDialect, duckdb } = await import('sql-formatter');
  return (sql) =>
    formatDialect(sql, {
      dialect: duckdb,
      tabWidth: 2,
      expressionWidth: 80,
      keywordCase: 'preserve',
      functionCase: 'preserve',
      dataTypeCase: 'preserve',
      identifierCase: 'preserve',
    });
}
