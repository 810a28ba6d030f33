import { statfsSync } from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Diagnostic, fail, succeed } from '../../domain/diagnostic.js';
import type { Files } from '../../effects/files.js';
import { requestHttp } from '../../effects/http.js';
import { download, plainUrl } from '../download.js';
import { type LandedRecord, RawStore } from '../raw-store.js';
import type { Connector, LandedFile } from './connector.js';

/**
 * Files of web servers. Each is asked once per plan whether it has changed (ETag, Last-Modified); where it cannot be
 * reached, what came the last time is used, with a warning.
 */
export const httpFile: Connector = {
  name: 'http and https',
  schemes: ['http', 'https'],
  async land(source, { files, projectFolder, ...effects }) {
    const problem = (code: Diagnostic['code'], message: string, hint: string) => ({
      code,
      severity: 'error' as const,
      message: `source "${source.name}": ${message}`,
      location: source.uriLocation,
      hint,
    });
    if (!URL.canParse(source.uri))
      return fail(problem('SL0506', 'this is no address of the web', 'write https://host/path, percent-encoded'));
    const url = new URL(source.uri);
    const shown = plainUrl(url);
    const store = new RawStore(path.join(projectFolder, '.scilake', 'raw'), files);
    files.makeFolder(store.folder);
    // A file whose checksum is declared cannot change: once it is here, nobody has to be asked.
    const known = store.landed(shown);
    if (known !== undefined && source.checksum === `sha256:${known.sha256}`)
      return succeed(landedFile(store, known, files));
    const fetched = await download(
      { url, headers: {}, checksum: source.checksum },
      {
        http: effects.http ?? requestHttp,
        store,
        now: () => new Date(),
        sleep: effects.sleep ?? ((ms) => sleep(ms)),
        random: Math.random,
        freeBytes: (folder) => {
          const { bavail, bsize } = statfsSync(folder);
          return bavail * bsize;
        },
        ...(effects.progress === undefined ? {} : { progress: effects.progress }),
      },
    );
    switch (fetched.type) {
      case 'fetched':
      case 'unchanged':
        return succeed(landedFile(store, fetched.record, files));
      case 'refused':
        return fail(problem('SL0506', `${shown} cannot be had: ${fetched.reason}`, fetched.hint));
      case 'mismatch':
        return fail(
          problem(
            'SL0502',
            `the file's checksum is not the declared one (found ${fetched.found})`,
            `it is put aside as ${path.relative(projectFolder, fetched.quarantine)}; declare the new checksum if the change is wanted`,
          ),
        );
      case 'unreachable': {
        if (fetched.landed === undefined)
          return fail(
            problem('SL0507', `${shown} cannot be reached: ${fetched.reason}`, 'try again once the server is there'),
          );
        const { fetchedAt } = fetched.landed;
        return succeed(landedFile(store, fetched.landed, files), [
          {
            ...problem(
              'SL0507',
              `${shown} cannot be reached (${fetched.reason}); what came at ${fetchedAt} is used`,
              'plan again once the server is there',
            ),
            severity: 'warning',
          },
        ]);
      }
      default:
        return fetched satisfies never;
    }
  },
};

function landedFile(store: RawStore, record: LandedRecord, files: Files): LandedFile {
  const file = store.linkOf(record);
  return { path: file, sizeBytes: record.sizeBytes, modifiedMs: files.facts(file)?.modifiedMs ?? 0 };
}
