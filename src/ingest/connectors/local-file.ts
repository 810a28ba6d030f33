import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, succeed } from '../../domain/diagnostic.js';
import { didYouMean } from '../../domain/near-miss.js';
import { globBase, globMatcher, isGlob } from '../glob.js';
import type { LocalConnector } from './connector.js';

/**
 * Files of this machine: a path relative to the file that declares it, an absolute path, or a `file:` URL; or a pattern
 * of paths. A file whose name is the pattern, letter by letter, goes before what the pattern would mean.
 */
export const localFile: LocalConnector = {
  name: 'local file',
  schemes: ['', 'file'],
  async find(source, { files, projectFolder }) {
    const declaredIn = path.dirname(path.join(projectFolder, source.file.path));
    const target = source.uri.startsWith('file:') ? fileURLToPath(source.uri) : path.resolve(declaredIn, source.uri);
    const facts = files.facts(target);
    if (facts !== undefined && !facts.isDirectory) {
      const { sizeBytes, modifiedMs } = facts;
      return succeed({ type: 'file', file: { path: target, sizeBytes, modifiedMs } });
    }
    const problem = (message: string, hint: string) =>
      fail({
        code: 'SL0501',
        severity: 'error',
        message: `source "${source.name}"${message}`,
        location: source.uriLocation,
        hint,
      });
    const start = `paths start from the folder of the declaration, ${path.dirname(source.file.path)}`;
    const pattern = target.replaceAll(path.sep, '/');
    if (facts === undefined && isGlob(source.uri)) {
      // What stands before the pattern is a folder, whatever characters its name has.
      const base = isGlob(declaredIn) && pattern.startsWith(`${declaredIn}/`) ? `${declaredIn}/` : globBase(pattern);
      const means = globMatcher(pattern.slice(base.length));
      const names = files
        .list(base)
        .filter((name) => means(name) && files.facts(path.join(base, name))?.isDirectory === false);
      if (names.length === 0) return problem(`: no file is meant by ${source.uri}`, start);
      return succeed({ type: 'set', folder: base, names });
    }
    const folder = path.dirname(target);
    const near = files.facts(folder)?.isDirectory ? didYouMean(path.basename(target), files.list(folder)) : undefined;
    return facts?.isDirectory
      ? problem(` points at a folder: ${source.uri}`, `name its files: ${source.uri.replace(/\/$/, '')}/*`)
      : problem(`: there is no file ${source.uri}`, near ?? start);
  },
};
