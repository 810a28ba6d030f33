/** How a CSV text is written, where DuckDB's reader cannot be told. */
export interface SeedLayout {
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string | undefined;
  /** Blanks at the start of a field do not belong to it. */
  readonly skipsBlanks: boolean;
  /** One character; undefined: line breaks of any kind. */
  readonly lineEnd: string | undefined;
  /** Texts that stand for a missing value in one column, by its lower-case name. */
  readonly nulls: ReadonlyMap<string, ReadonlySet<string>>;
  /** A text that stands for one in all columns. */
  readonly nullText: string;
}

/**
 * The same rows as a text that DuckDB reads with its own settings: fields keep their quotes, lines end in `\n`. Read as
 * pandas reads it: a quote opens at the start of a field only, lines that hold nothing are no rows.
 */
export function plainSeedText(text: string, layout: SeedLayout): string {
  const rows = readRows(text, layout);
  const nullsAt = (rows[0] ?? []).map((field) => layout.nulls.get(contentOf(field, layout).toLowerCase()));
  const written = rows.map((fields, row) =>
    fields.map((field, at) => {
      if (row > 0 && nullsAt[at]?.has(contentOf(field, layout)) === true) return layout.nullText;
      const isQuoted = field.startsWith(layout.quote);
      return !isQuoted && /[\r\n]/.test(field) ? `${layout.quote}${field}${layout.quote}` : field;
    }),
  );
  return written.map((fields) => `${fields.join(layout.delimiter)}\n`).join('');
}

function readRows(text: string, layout: SeedLayout): readonly (readonly string[])[] {
  const { delimiter, quote, skipsBlanks, lineEnd } = layout;
  const rows: string[][] = [];
  let fields: string[] = [];
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at < text.length) {
    while (skipsBlanks && text[at] === ' ') at += 1;
    const start = at;
    let isQuoted = text[at] === quote;
    if (isQuoted) at += 1;
    while (at < text.length) {
      const character = text[at] ?? '';
      if (isQuoted && character === layout.escape && character !== quote) at += 1;
      // A doubled quote closes and opens again, which comes to the same.
      else if (character === quote && (isQuoted || text[start] === quote)) isQuoted = !isQuoted;
      else if (!isQuoted && (character === delimiter || isLineEnd(character, lineEnd))) break;
      at += 1;
    }
    fields.push(text.slice(start, at));
    const ended = text[at];
    at += 1;
    if (ended === delimiter && at < text.length) continue;
    if (ended === delimiter) fields.push('');
    if (ended === '\r' && lineEnd === undefined && text[at] === '\n') at += 1;
    if (fields.length > 1 || fields[0] !== '') rows.push(fields);
    fields = [];
  }
  return rows;
}

function isLineEnd(character: string, lineEnd: string | undefined): boolean {
  return lineEnd === undefined ? character === '\n' || character === '\r' : character === lineEnd;
}

/** A field without its quotes. */
function contentOf(field: string, { quote }: SeedLayout): string {
  if (!field.startsWith(quote)) return field;
  const inside = field.slice(1, field.endsWith(quote) && field.length > 1 ? -1 : undefined);
  return inside.replaceAll(quote + quote, quote);
}
