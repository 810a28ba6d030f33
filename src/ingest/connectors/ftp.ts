import { fail, succeed } from '../../domain/diagnostic.js';
import { ftpStatusOf, openFtp } from '../../effects/ftp.js';
import { asked } from '../asked.js';
import { globMatcher, isGlob } from '../glob.js';
import { compareNames } from '../set-listing.js';
import { type RemoteConnector, type RemoteFile, single } from './connector.js';

/** Files of FTP servers, with TLS (`ftps:`) or without: one, or those of a folder that a pattern in the last part means. */
export const ftp: RemoteConnector = {
  name: 'ftp and ftps',
  schemes: ['ftp', 'ftps'],
  async list(source, effects) {
    const [, start = '', host = '', before = '', last = ''] =
      /^(ftps?:\/\/([^/]+))(\/(?:.*\/)?)([^/]*)$/is.exec(source.uri)?.map(String) ?? [];
    const problem = (message: string, hint: string) =>
      fail({
        code: 'SL0506',
        severity: 'error',
        message: `source "${source.name}": ${message}`,
        location: source.uriLocation,
        hint,
      });
    if (host === '' || last === '' || !URL.canParse(start))
      return problem('this is no address of a file', 'ftp://host/folder/file, or ftp://host/folder/*.csv');
    if (isGlob(before)) return problem('its folders are a pattern', 'only the last part of an FTP address may be one');
    const server = openFtp(effects.environment ?? process.env);
    const urlOf = (file: string): URL => new URL(`${start}${before}${encoded(file)}`);
    const about = (file: string) => asked(() => server.facts(urlOf(file)), ftpStatusOf, effects);
    const remote = (
      name: string,
      { sizeBytes, version }: { readonly sizeBytes: number; readonly version: string },
    ): RemoteFile => ({
      name,
      url: urlOf(name),
      sizeBytes,
      version,
      checksums: [],
    });
    const plain = decoded(last);
    const facts = await about(plain);
    if (facts !== undefined) return succeed(single(remote(plain, facts), server.http));
    if (!isGlob(last))
      return succeed(single({ name: plain, url: urlOf(plain), version: '', checksums: [] }, server.http));
    const means = globMatcher(last);
    const listed = await asked(() => server.list(new URL(`${start}${before}`)), ftpStatusOf, effects);
    const names = listed.flatMap(({ name, type }) => (type === 'file' && means(name) ? [name] : [])).sort(compareNames);
    const files = (async function* () {
      // A listing's times are to the minute or the day; the server is asked for each.
      for (const name of names) {
        const found = await about(name);
        if (found !== undefined) yield remote(name, found);
      }
    })();
    return succeed({ type: 'set', files, http: server.http, facts: {} });
  },
};

function encoded(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoding after all.
    return text;
  }
}
