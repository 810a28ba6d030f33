import { DiagnosticError } from '../../../domain/diagnostic.js';
import { convertError, type RawFile } from '../../format.js';

/** What is being read, for errors: the file, and the place in the object (`df$x`, `assays/counts`). */
export class RInput {
  readonly displayName: string;
  readonly #warnings: string[] = [];

  constructor(raw: RawFile) {
    this.displayName = raw.displayName;
  }

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  warn(place: string, message: string): void {
    this.#warnings.push(`${place}: ${message}`);
  }

  /** An error to be thrown. */
  error(code: `SL06${string}`, place: string, message: string, hint?: string): DiagnosticError {
    const at = place === '' ? '' : `${place}: `;
    return new DiagnosticError([convertError(code, `${this.displayName}: ${at}${message}`, hint)]);
  }
}
