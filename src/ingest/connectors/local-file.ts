import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, succeed } from '../../domain/diagnostic.js';
import { didYouMean } from '../../domain/near-miss.js';
import type { Connector } from './connector.js';

/** Files of this machine: a path relative to the file that declares it, an absolute path, or a `file:` URL. */
export const localFile: Connector = {
  name: 'local file',
  schemes: ['', 'file'],
  async land(source, { files, projectFolder }) {
    const declaredIn = path.dirname(path.join(projectFolder, source.file.path));
    const target = source.uri.startsWith('file:') ? fileURLToPath(source.uri) : path.resolve(declaredIn, source.uri);
    const facts = files.facts(target);
    if (facts !== undefined && !facts.isDirectory) {
      return succeed({ path: target, sizeBytes: facts.sizeBytes, modifiedMs: facts.modifiedMs });
    }
    const folder = path.dirname(target);
    const near = files.facts(folder)?.isDirectory ? didYouMean(path.basename(target), files.list(folder)) : undefined;
    return fail({
      code: 'SL0501',
      severity: 'error',
      message: facts?.isDirectory
        ? `source "${source.name}" points at a folder: ${source.uri}`
        : `source "${source.name}": there is no file ${source.uri}`,
      location: source.uriLocation,
      hint: near ?? `paths start from the folder of the declaration, ${path.dirname(source.file.path)}`,
    });
  },
};
