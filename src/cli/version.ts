import { readFileSync } from 'node:fs';
import { isRecord, textAt } from '../domain/json.js';

/** Version of this package, from its own package.json: the one place where it stands. */
export const version: string = readVersion();

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  return isRecord(parsed) ? textAt(parsed, 'version') : '';
}
