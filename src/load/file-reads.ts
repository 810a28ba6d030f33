import * as path from 'node:path';
import type { Files } from '../effects/files.js';
import type { ReadModel } from './read-texts.js';

/** Whether all that its query reads stands in its text, so that it can be bound beside others. */
export function namesItsReads(one: ReadModel | undefined): boolean {
  return one?.references?.readsUnnamed === false && one.model.preStatements.length === 0;
}

/**
 * One text for each file that a query reads, which changes when its columns may have changed; undefined where that cannot
 * be known without asking: globs, addresses, files that are not there, reads that the text does not name.
 */
export function fileSignatures(
  one: ReadModel,
  { files, projectFolder }: { readonly files: Files; readonly projectFolder: string },
): readonly string[] | undefined {
  if (one.references === undefined || !namesItsReads(one)) return undefined;
  const signatures: string[] = [];
  for (const file of one.references.files) {
    const facts = /[*?[\]]|^[a-z0-9]+:\/\//i.test(file) ? undefined : files.facts(path.resolve(projectFolder, file));
    if (facts === undefined || facts.isDirectory) return undefined;
    signatures.push(`${file} ${facts.sizeBytes} ${facts.modifiedMs}`);
  }
  return signatures;
}
