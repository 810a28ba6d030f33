import { DiagnosticError } from '../../domain/diagnostic.js';
import { maxExpandedBytes, maxExpandedOption } from '../content.js';
import { convertError, type ExpansionAllowance, type FormatOption, type RawFile } from '../format.js';

/** One file inside an archive, as the archive announces it; its bytes can be read once. */
export interface ArchivedFile {
  /** As the archive spells it. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly content: AsyncIterable<Buffer>;
}

export const archiveOptions: readonly FormatOption[] = [
  maxExpandedOption,
  { name: 'max_members', meaning: 'how many files and folders the archive may hold (default 10000)' },
  { name: 'max_ratio', meaning: 'how many times its packed size a member may hold (default 200)' },
  {
    name: 'members',
    meaning: 'which members are converted, separated by |; * and ? stand for any text and any character (default: all)',
  },
];

/** Members up to this size are harmless however well they are packed. */
export const HARMLESS_BYTES = 16 * 2 ** 20;
const MAX_NAME_LENGTH = 4096;

/** What is wrong with an archive, or too much of it. */
export function archiveError(
  raw: Pick<RawFile, 'displayName'>,
  code: 'SL0660' | 'SL0661' | 'SL0662' | 'SL0663',
  message: string,
  hint?: string,
): DiagnosticError {
  const usual = code === 'SL0660' ? 'fetch it again; nothing of it was loaded' : 'nothing of it was loaded';
  return new DiagnosticError([convertError(code, `${raw.displayName} ${message}`, hint ?? usual)]);
}

/** How much may still come out of an archive and of the archives in it. */
export class Allowance implements ExpansionAllowance {
  readonly ratio: number;
  readonly #raw: RawFile;
  #members: number;
  readonly #maxMembers: number;
  #bytes: number;

  /** @throws DiagnosticError (SL0606) when an option is no number */
  constructor(raw: RawFile) {
    this.#raw = raw;
    this.#maxMembers = countOption(raw, 'max_members', 10_000);
    this.#members = this.#maxMembers;
    this.ratio = countOption(raw, 'max_ratio', 200);
    this.#bytes = maxExpandedBytes(raw);
  }

  /** @throws DiagnosticError (SL0662) */
  takeMember(): void {
    if (--this.#members >= 0) return;
    throw archiveError(
      this.#raw,
      'SL0662',
      `holds more than ${this.#maxMembers} members`,
      'raise the option max_members if it is meant to',
    );
  }

  /** @throws DiagnosticError (SL0662) */
  takeBytes(byteCount: number): void {
    this.#bytes -= byteCount;
    if (this.#bytes >= 0) return;
    throw archiveError(
      this.#raw,
      'SL0662',
      'expands to more than it may',
      'raise the option max_expanded_mb if it is meant to',
    );
  }
}

function countOption(raw: RawFile, name: string, usual: number): number {
  const text = raw.options[name];
  if (text === undefined) return usual;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1e9) return value;
  throw new DiagnosticError([
    convertError(
      'SL0606',
      `${raw.displayName}: option ${name} cannot be "${text}"`,
      'it is a whole number, at least 1',
    ),
  ]);
}

/** Names that an archive used so far: each may stand for one file only, on every file system. */
export class MemberNames {
  readonly #raw: RawFile;
  /** By the name in lower case, as it was spelled. */
  readonly #files = new Map<string, string>();
  readonly #folders = new Map<string, string>();

  constructor(raw: RawFile) {
    this.#raw = raw;
  }

  /**
   * The path of a file in plain form, with forward slashes.
   *
   * @throws DiagnosticError (SL0661) when it leads out of the archive, or stands for another member, too
   */
  file(name: string): string {
    const parts = this.#parts(name);
    const plain = parts.join('/');
    if (parts.length === 0) throw this.#refused(name, 'is no name of a file');
    const other = this.#files.get(key(plain)) ?? this.#folders.get(key(plain));
    if (other !== undefined) {
      throw this.#refused(name, other === plain ? 'is there twice' : `cannot be told from ${JSON.stringify(other)}`);
    }
    this.#files.set(key(plain), plain);
    for (let depth = 1; depth < parts.length; depth++) this.#folder(name, parts.slice(0, depth).join('/'));
    return plain;
  }

  /** @throws DiagnosticError (SL0661) */
  folder(name: string): void {
    const parts = this.#parts(name);
    for (let depth = 1; depth <= parts.length; depth++) this.#folder(name, parts.slice(0, depth).join('/'));
  }

  #folder(name: string, plain: string): void {
    if (this.#files.has(key(plain)))
      throw this.#refused(name, `goes through ${JSON.stringify(plain)}, which is a file`);
    this.#folders.set(key(plain), plain);
  }

  #parts(name: string): readonly string[] {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (name.length > MAX_NAME_LENGTH || /[\u0000-\u001f\u007f]/.test(name)) {
      throw this.#refused(name.slice(0, 100), 'has a name that no file should have');
    }
    if (/^[\\/]|^[A-Za-z]:/.test(name)) throw this.#refused(name, 'has an absolute path');
    const parts = name.split(/[\\/]/).filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw this.#refused(name, 'leads out of the archive');
    return parts;
  }

  #refused(name: string, what: string): DiagnosticError {
    return refusedMember(this.#raw, name, what);
  }
}

/** Equal for names that some file system would not tell apart. */
function key(plain: string): string {
  return plain.normalize('NFC').toLowerCase();
}

export function refusedMember(raw: Pick<RawFile, 'displayName'>, name: string, what: string): DiagnosticError {
  return archiveError(
    raw,
    'SL0661',
    `is refused: its member ${JSON.stringify(name)} ${what}`,
    'make the archive again with plain files only',
  );
}
