import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { drawDiagnostic } from '../../src/cli/draw-diagnostic.js';
import { styleOf } from '../../src/cli/style.js';
import { parseAuditFile } from '../../src/parse/audit-file.js';
import { parseModelFile } from '../../src/parse/model-file.js';
import { parseSourceFile } from '../../src/parse/source-file.js';
import { errorsOf, modelDefaults, textFile } from '../support/project-text.js';

/** One folder a case: input.sql, and expected.txt as people read it. The name's first word says which kind of file it is. */
const folder = path.resolve(import.meta.dirname, '../golden/diagnostics');
const cases = fs.readdirSync(folder).sort();

function drawn(name: string, text: string): string {
  const parse = { model: parseModelFile, source: parseSourceFile, audit: parseAuditFile }[name.split('-')[0] ?? ''];
  if (parse === undefined) throw new Error(`a case begins with model, source or audit, not ${name}`);
  return errorsOf(parse(textFile(text, `${name}.sql`), modelDefaults))
    .map((error) => drawDiagnostic(error, styleOf(false)))
    .join('\n');
}

test.each(cases)('%s reads as expected.txt has it', (name) => {
  const found = drawn(name, fs.readFileSync(path.join(folder, name, 'input.sql'), 'utf8'));
  const expectation = path.join(folder, name, 'expected.txt');
  // A new case writes its own expectation, to be read and committed; a missing one on CI was forgotten.
  if (!fs.existsSync(expectation) && process.env.CI !== 'true') fs.writeFileSync(expectation, found);
  expect(found).toBe(fs.readFileSync(expectation, 'utf8'));
});
