import { fail, type Result, succeed } from '../../../domain/diagnostic.js';
import { didYouMean } from '../../../domain/near-miss.js';
import { convertError, errorAtLine, type FormatOption, type RawFile } from '../../format.js';
import { columnNames } from '../../names.js';
import type { Encoding } from './scan-text.js';

/** Everything that DuckDB needs to know about a text table; recorded in the manifest. */
export interface Dialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly comment: string | undefined;
  readonly nullTexts: readonly string[];
  readonly encoding: Encoding;
  readonly hasHeader: boolean;
  /** Physical lines before the first record: comments and the header. */
  readonly skippedLines: number;
  /** Those of them that do not begin with the comment character. */
  readonly skippedUncommentedLines: number;
  /** As the file spells them. */
  readonly originals: readonly string[];
  /** As the table's columns are called. */
  readonly columns: readonly string[];
}

export const csvOptions: readonly FormatOption[] = [
  { name: 'delim', meaning: 'the character between two values; "tab" for a tab' },
  {
    name: 'header',
    meaning: 'true (default): the first line names the columns; false: columns are called column0, column1 …',
  },
  { name: 'quote', meaning: 'the character around values; empty for none' },
  {
    name: 'nullstr',
    meaning: 'texts that mean "no value" where they stand unquoted, separated by |; default: empty and NA',
  },
  { name: 'comment', meaning: 'the character that starts a comment line anywhere in the file' },
  { name: 'encoding', meaning: 'utf-8 (default) or latin-1' },
];

const ENCODINGS: readonly Encoding[] = ['utf-8', 'latin-1'];

/** The encoding that was asked for: it is needed before anything can be read. */
export function encodingOf(raw: RawFile): Result<Encoding> {
  const wanted = (raw.options.encoding ?? 'utf-8')
    .toLowerCase()
    .replace(/^latin-?1$/, 'latin-1')
    .replace(/^utf-?8$/, 'utf-8');
  const encoding = ENCODINGS.find((known) => known === wanted);
  if (encoding !== undefined) return succeed(encoding);
  return fail(badOption(raw, 'encoding', didYouMean(wanted, ENCODINGS) ?? `it is one of ${ENCODINGS.join(', ')}`));
}

/**
 * Settles the dialect from the options and the first lines: lines that begin with `##` are comments; a last line with
 * a single `#` is the header when it has as many values as the line below it (as in VCF and PLINK tables).
 *
 * @param head  the beginning of the text, without a byte order mark
 */
export function dialectOf(raw: RawFile, head: string, encoding: Encoding): Result<Dialect> {
  const { options } = raw;
  const single = (name: string): string | undefined => (options[name] === 'tab' ? '\t' : options[name]);
  const hasHeader = (options.header ?? 'true').toLowerCase();
  if (hasHeader !== 'true' && hasHeader !== 'false') return fail(badOption(raw, 'header', 'it is true or false'));
  for (const name of ['delim', 'quote', 'comment']) {
    const value = single(name);
    if (value !== undefined && !isAsciiCharacter(value) && !(value === '' && name !== 'delim')) {
      return fail(badOption(raw, name, 'it is one ASCII character'));
    }
  }
  if (!/[^\s]/.test(head)) return fail(convertError('SL0614', `${raw.displayName} is empty`));
  if (!head.includes('\n') && head.includes('\r')) {
    return fail(convertError('SL0614', `${raw.displayName}: its lines end in CR alone`, 'convert the line ends to LF'));
  }
  const lines = head.split('\n').map((line) => line.replace(/\r$/, ''));
  const comment = single('comment') === '' ? undefined : single('comment');
  const marker = comment ?? '#';
  let first = 0;
  while (first < lines.length && (lines[first]?.startsWith(marker) || lines[first] === '')) first++;
  const firstPlain = lines[first] ?? '';
  const marked = first > 0 ? (lines[first - 1] ?? '') : '';
  const delimiter = single('delim') ?? guessDelimiter(raw, firstPlain === '' ? marked : firstPlain);
  const quote = single('quote') ?? '"';
  const markedHeader =
    marked.startsWith(marker) && !marked.startsWith(marker + marker)
      ? splitLine(marked.slice(1), delimiter, quote)
      : [];
  const plain = splitLine(firstPlain, delimiter, quote);
  const isMarked =
    hasHeader === 'true' && markedHeader.length > 1 && (firstPlain === '' || markedHeader.length === plain.length);
  if (!isMarked && first >= lines.length) return fail(convertError('SL0614', `${raw.displayName} holds comments only`));
  const skippedLines = isMarked || hasHeader === 'false' ? first : first + 1;
  const originals = isMarked ? markedHeader : hasHeader === 'true' ? plain : plain.map((_, i) => `column${i}`);
  const mixed = mixedLineEnd(head);
  if (mixed !== undefined) {
    return fail(
      errorAtLine(raw, {
        code: 'SL0613',
        line: mixed,
        text: lines[mixed - 1] ?? '',
        message: 'ends differently from the first line (LF or CR LF)',
        hint: 'convert all line ends to LF',
      }),
    );
  }
  return succeed({
    delimiter,
    quote,
    comment,
    nullTexts: options.nullstr === undefined ? ['', 'NA'] : options.nullstr.split('|'),
    encoding,
    hasHeader: hasHeader === 'true',
    skippedLines,
    skippedUncommentedLines: lines
      .slice(0, skippedLines)
      .filter((line) => comment === undefined || !line.startsWith(comment)).length,
    originals,
    columns: columnNames(originals),
  });
}

function isAsciiCharacter(text: string): boolean {
  return text.length === 1 && text.charCodeAt(0) > 0 && text.charCodeAt(0) < 128;
}

function badOption(raw: RawFile, name: string, hint: string): ReturnType<typeof convertError> {
  return convertError('SL0606', `${raw.displayName}: option ${name} cannot be "${raw.options[name] ?? ''}"`, hint);
}

/** The name decides where it can; otherwise the delimiter that the first line has most of. */
function guessDelimiter(raw: RawFile, line: string): string {
  if (/\.(tsv|tab)(\.(gz|bz2|xz|zst))?$/i.test(raw.file)) return '\t';
  const counts = [',', '\t', ';', '|'].map((delimiter) => ({ delimiter, count: line.split(delimiter).length - 1 }));
  const best = counts.reduce((most, other) => (other.count > most.count ? other : most));
  return best.count === 0 ? ',' : best.delimiter;
}

/** The values of one line, quotes undone. */
function splitLine(line: string, delimiter: string, quote: string): readonly string[] {
  const values: string[] = [];
  let value = '';
  let isQuoted = false;
  let isStart = true;
  for (let i = 0; i < line.length; i++) {
    const character = line.charAt(i);
    if (isQuoted) {
      if (character !== quote) value += character;
      else if (line.charAt(i + 1) === quote) {
        value += quote;
        i++;
      } else isQuoted = false;
    } else if (character === delimiter) {
      values.push(value);
      value = '';
      isStart = true;
      continue;
    } else if (character === quote && isStart && quote !== '') isQuoted = true;
    else value += character;
    isStart = false;
  }
  return [...values, value];
}

/** The first line (1-based) that ends otherwise than the first does, outside quotes as far as a line shows it. */
function mixedLineEnd(head: string): number | undefined {
  if (head.includes('"')) return undefined;
  const ends = head.match(/\r?\n/g) ?? [];
  const at = ends.findIndex((end) => end !== ends[0]);
  return at < 0 ? undefined : at + 1;
}
