import type { ElementSchema, WrittenElement } from '../domain/convert.js';
import type { Diagnostic, Result } from '../domain/diagnostic.js';
import type { DuckDb } from '../effects/duckdb.js';
import type { Files } from '../effects/files.js';
import type { ProcessFacts } from '../effects/process-facts.js';
import type { JsonObject } from './json.js';
import type { KeptElements } from './written-part.js';

export type ProgressUnit = 'bytes' | 'rows' | 'elements';

export interface ConvertEffects {
  readonly duckdb: DuckDb;
  readonly files: Files;
  /** Told now and then how far the conversion is; `total` may change with `unit`. `element`: which table is being written. */
  readonly progress?: Progress;
  /** For the lock on the folder in which a conversion works; those of this process when left out. */
  readonly processFacts?: ProcessFacts;
  /** Elements that an earlier try finished. Given to formats, not by callers. */
  readonly kept?: KeptElements;
}

/** How much may still come out of an archive and of the archives in it. */
export interface ExpansionAllowance {
  /** How many times its packed size a member may hold. */
  readonly ratio: number;
  /** @throws DiagnosticError (SL0662) when there are too many */
  takeMember(): void;
  /** @throws DiagnosticError (SL0662) when it is too much */
  takeBytes(byteCount: number): void;
}

/** A member of an archive whose format is settled. */
export interface MemberRoute {
  readonly formatName: string;
  /** Absolute paths of all files that it reads, the member's own first. */
  readonly inputs: readonly string[];
  /** What the member is of, by its name: without endings, and without words like "matrix". May be empty. */
  subject(fileName: string): string;
  inspect(effects: FormatEffects): Promise<Result<readonly ElementSchema[]>>;
  convert(folder: string, effects: FormatEffects): Promise<Result<WrittenFormat>>;
  /** As its format takes it, and how the format makes one table of several. */
  readonly raw: RawFile;
  readonly together?: Together;
}

/** Several files that become one table: columns by their names, and no value where a file has not got one of them. */
export interface Together {
  inspect(files: TableFiles, effects: FormatEffects): Promise<Result<readonly ElementSchema[]>>;
  convert(files: TableFiles, folder: string, effects: FormatEffects): Promise<Result<WrittenFormat>>;
}

/** Files that are one table. */
export interface TableFiles {
  /** One at least. */
  readonly raws: readonly RawFile[];
  /** What the table is called. */
  readonly table: string;
  /** Names of the files for a column `filename`; undefined where none is wanted. */
  readonly fileNames: readonly string[] | undefined;
}

/** The file that speaks for all of them where one has to. */
export function firstRaw({ raws: [first] }: TableFiles): RawFile {
  if (first === undefined) throw new Error('a table of no files');
  return first;
}

/** What a format gets to work with. */
export interface FormatEffects extends ConvertEffects {
  /** How deep inside archives the file is, and what they have left. */
  readonly nesting: { readonly depth: number; readonly allowance?: ExpansionAllowance };
  /** Finds the format of a file that an archive held; undefined when it is of none. */
  route(member: Omit<RawFile, 'sizeBytes'>): Promise<MemberRoute | undefined>;
}
export type Progress = (done: number, total: number, unit: ProgressUnit, element?: string) => void;

export interface ConvertRequest {
  /** Absolute path of the raw file. */
  readonly file: string;
  /** How diagnostics call it. */
  readonly displayName: string;
  /** Name of a format; recognised when left out. */
  readonly format?: string;
  /** The format's own options; one that it does not have is an error. */
  readonly options?: Readonly<Record<string, string>>;
  /** Settings of the project or the machine, for the formats that have an option of the name. */
  readonly defaults?: Readonly<Record<string, string>>;
}

/** What recognition may look at. */
export interface Candidate {
  /** Lower-case name without its folder. */
  readonly fileName: string;
  /** The first bytes, at most 512; none of a folder. */
  readonly head: Uint8Array;
  /** The first bytes of what a compressed file holds, at most 512; `head` for a plain one. */
  readonly content: Uint8Array;
  /** Lower-case names of the files right inside a folder; undefined for a file. */
  readonly fileNames?: readonly string[];
}

/** A raw file, or a folder of files that belong together, whose format and options are settled. */
export interface RawFile {
  /** Absolute path. */
  readonly file: string;
  readonly displayName: string;
  readonly sizeBytes: number;
  readonly options: Readonly<Record<string, string>>;
  /** Up to so many expanded bytes no ratio is looked at; 512 MB when left out. */
  readonly harmlessBytes?: number;
}

export interface FormatOption {
  readonly name: string;
  /** One line for the reference page. */
  readonly meaning: string;
}

/** What a format wrote into the folder it was given. */
export interface WrittenFormat {
  readonly elements: readonly WrittenElement[];
  /** Members of the manifest beside those of every format, in their order. */
  readonly manifest: JsonObject;
  readonly warnings: readonly string[];
}

/**
 * One raw format. A new one is a file in `formats/` and a line in `formats/index.ts`.
 *
 * Its functions return what a user can get wrong as values; a `DiagnosticError` thrown inside them is taken as one too.
 */
export interface Format {
  readonly name: string;
  /** Endings of file names, lower case, with their dot, longest first (`.tsv.gz`). */
  readonly endings: readonly string[];
  readonly options: readonly FormatOption[];
  /** True of an archive: options of other formats are handed on to its members of that format. */
  readonly handsOptionsOn?: true;
  /** How several files become one table, where that can be. */
  readonly together?: Together;
  /** What a file is of, by its name, where that is more than the name without its ending. */
  subject?(fileName: string): string;
  /** How surely this is a file of the format: its content says so, only its name does, or neither. */
  recognise(candidate: Candidate): 'by content' | 'by name' | undefined;
  /**
   * Absolute paths of the files that a conversion reads, the most important first: the raw file alone when left out.
   * Their checksums are recorded, and a change during the conversion is an error.
   */
  inputs?(raw: RawFile): readonly string[];
  /** The tables that `convert` would write, from metadata wherever the format has any. */
  inspect(raw: RawFile, effects: FormatEffects): Promise<Result<readonly ElementSchema[]>>;
  /** Writes parquet files into an empty folder. What it leaves there after an error is removed by the caller. */
  convert(raw: RawFile, folder: string, effects: FormatEffects): Promise<Result<WrittenFormat>>;
}

/** An error of the conversion area: SL06 and two digits. */
export function convertError(code: `SL06${string}`, message: string, hint?: string): Diagnostic {
  return { code, severity: 'error', message, ...(hint === undefined ? {} : { hint }) };
}

/** An error at a line of a text file, with the line's text where it is known. */
export function errorAtLine(
  raw: Pick<RawFile, 'displayName'>,
  problem: {
    readonly code: `SL06${string}`;
    readonly line: number;
    readonly text: string;
    readonly message: string;
    readonly hint?: string;
  },
): Diagnostic {
  const { code, line, text, message, hint } = problem;
  return {
    ...convertError(code, `${raw.displayName}: line ${line} ${message}`, hint),
    location: { file: raw.displayName, line, column: 1, length: Math.max(1, text.length), text },
  };
}
