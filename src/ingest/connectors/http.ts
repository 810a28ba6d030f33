import { fail, succeed } from '../../domain/diagnostic.js';
import { requestHttp } from '../../effects/http.js';
import { safeFileName } from '../raw-store.js';
import { type RemoteConnector, single } from './connector.js';

/** Files of web servers. Each is asked once per plan whether it has changed (ETag, Last-Modified). */
export const httpFile: RemoteConnector = {
  name: 'http and https',
  schemes: ['http', 'https'],
  async list(source, { http = requestHttp }) {
    if (!URL.canParse(source.uri)) {
      return fail({
        code: 'SL0506',
        severity: 'error',
        message: `source "${source.name}": this is no address of the web`,
        location: source.uriLocation,
        hint: 'write https://host/path, percent-encoded',
      });
    }
    const url = new URL(source.uri);
    return succeed(single({ name: safeFileName(url), url, version: '', checksums: [] }, http));
  },
};
