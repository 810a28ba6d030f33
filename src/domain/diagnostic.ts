/** Where something stands in a file of the project; drawing it needs nothing but this value. */
export interface SourceLocation {
  /** Path relative to the project folder, with forward slashes. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 units, as editors count. */
  readonly column: number;
  /** Length of the marked span on its first line, in UTF-16 units; at least 1. */
  readonly length: number;
  /** The text of that line, without its line break. */
  readonly text: string;
}

/** A second place that helps to understand a diagnostic. */
export interface RelatedLocation {
  readonly message: string;
  readonly location: SourceLocation;
}

/** One thing that is wrong, or worth knowing, in the user's project or data. */
export interface Diagnostic {
  /** Stable code, `SL` and four digits; the first two name the area (01 project files, 02 SQL, 03 graph, 04 plan, 05 sources, 06 conversion, 07 lake, 08 audits and tests, 09 rules of the linter). */
  readonly code: `SL${string}`;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly location?: SourceLocation;
  readonly hint?: string;
  readonly related?: readonly RelatedLocation[];
}

/** The value of an operation that a user's input can make fail, or all that is wrong with that input. */
export type Result<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly errors: readonly Diagnostic[] };

export function succeed<T>(value: T, warnings: readonly Diagnostic[] = []): Result<T> {
  return { ok: true, value, warnings };
}

export function fail(...errors: readonly Diagnostic[]): { readonly ok: false; readonly errors: readonly Diagnostic[] } {
  return { ok: false, errors };
}

/** Gathers all values, or all errors of all parts: nothing that can be found in one go is held back. */
export function gather<T>(parts: Iterable<Result<T>>): Result<readonly T[]> {
  const values: T[] = [];
  const warnings: Diagnostic[] = [];
  const errors: Diagnostic[] = [];
  for (const part of parts) {
    if (part.ok) {
      values.push(part.value);
      warnings.push(...part.warnings);
    } else errors.push(...part.errors);
  }
  return errors.length > 0 ? { ok: false, errors: [...errors, ...warnings] } : succeed(values, warnings);
}

/**
 * Carries diagnostics through code that can only throw (a worker, a driver callback).
 * Callers turn it back into a `Result`; it is never used for our own bugs.
 */
export class DiagnosticError extends Error {
  override readonly name = 'DiagnosticError';
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[], options?: { readonly cause?: unknown }) {
    super(diagnostics.map((d) => d.message).join('\n'), options);
    this.diagnostics = diagnostics;
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
