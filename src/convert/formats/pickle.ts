import { DiagnosticError, succeed } from '../../domain/diagnostic.js';
import { EndOfContent, maxExpandedOption, readContent } from '../content.js';
import { type PlannedElement, writeElements } from '../element.js';
import { convertError, type Format, type RawFile } from '../format.js';
import { Namer, tableOfFile } from '../names.js';
import { PickleMachine } from './pickle/machine.js';
import { tablesOf } from './pickle/tables.js';
import { PickleError } from './pickle/values.js';

const PACKINGS: readonly string[] = ['.gz', '.bz2', '.xz', '.zst', ''];
const ENDINGS: readonly string[] = ['.pickle', '.pkl'].flatMap((ending) => PACKINGS.map((packing) => ending + packing));

/**
 * Tables of pandas and NumPy as Python pickles them. Nothing is called: a machine of our own reads the operations, and
 * any name beyond those that such tables need is refused.
 */
export const pickle: Format = {
  name: 'pickle',
  endings: ENDINGS,
  options: [maxExpandedOption],

  recognise({ fileName, fileNames, content }) {
    // PROTO, then FRAME, or any operation that can stand first.
    if (content[0] === 0x80 && (content[1] ?? 255) >= 2 && (content[1] ?? 255) <= 5) return 'by content';
    return fileNames === undefined && ENDINGS.some((ending) => fileName.endsWith(ending)) ? 'by name' : undefined;
  },

  async inspect(raw) {
    return succeed((await open(raw)).map(({ schema }) => schema));
  },

  async convert(raw, folder, effects) {
    const elements = await open(raw);
    const database = await effects.duckdb.open();
    try {
      const { displayName } = raw;
      const parts = await writeElements(elements, {
        database,
        folder,
        displayName,
        progress: effects.progress,
        kept: effects.kept,
      });
      const [version] = await database.rows('SELECT version() AS v');
      return succeed({
        elements: parts.map(({ element }) => element),
        manifest: {
          format: 'scilake-table/1',
          tools: { duckdb: String(version?.v) },
          elements: parts.map(({ manifest }) => manifest),
        },
        warnings: parts.flatMap(({ warnings }) => warnings),
      });
    } finally {
      database.close();
    }
  },
};

async function open(raw: RawFile): Promise<readonly PlannedElement[]> {
  const content = await readContent(raw);
  const refused = (message: string, hint: string): DiagnosticError =>
    new DiagnosticError([convertError('SL0650', `${raw.displayName} ${message}`, hint)]);
  try {
    const value = new PickleMachine(content).run();
    return tablesOf(value, { tableName: tableOfFile(raw.file, ENDINGS), namer: new Namer() });
  } catch (thrown) {
    if (thrown instanceof EndOfContent) {
      throw refused(`is cut off: ${thrown.message}`, 'fetch it again; nothing of it was loaded');
    }
    if (!(thrown instanceof PickleError)) throw thrown;
    throw refused(thrown.message, 'write a DataFrame of plain columns, or save the table as parquet');
  }
}
