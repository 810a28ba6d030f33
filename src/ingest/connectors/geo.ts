import { fail } from '../../domain/diagnostic.js';
import { ftpStatusOf, openFtp } from '../../effects/ftp.js';
import type { Http } from '../../effects/http.js';
import { asked, StatusError, statusIn } from '../asked.js';
import { addressProblem, chooseFiles, decoded } from '../choose-files.js';
import { baseOf, notThere, openWebApi } from '../web-api.js';
import { type ListEffects, PlaceError, type RemoteConnector, type RemoteFile } from './connector.js';

const IDLE_MS = 60_000;
const LIST = 'filelist.txt';
const ADDRESS = /^geo:(gse|gsm|gpl)(\d+)(?:\/(.*))?$/is;

/**
 * Supplementary files of GEO: of a series (GSE), a sample (GSM) or a platform (GPL). Over the web, or by FTP where that
 * cannot be reached; a file is known by its web address either way.
 *
 * @source the directories of GEO's FTP site: series/GSE12nnn/GSE12345/suppl, with a list of the files and what is in RAW.tar
 */
export const geo: RemoteConnector = {
  name: 'geo',
  schemes: ['geo'],
  web: {
    addressOf({ hostname, pathname, searchParams }) {
      if (!/^(?:www\.)?ncbi\.nlm\.nih\.gov$/.test(hostname)) return undefined;
      if (!/^\/geo\/(?:query\/acc\.cgi|download\/?)$/i.test(pathname)) return undefined;
      const accession = (searchParams.get('acc') ?? '').toUpperCase();
      if (!/^(?:GSE|GSM|GPL)\d+$/.test(accession)) return undefined;
      const file = searchParams.get('file') ?? '';
      return file === '' ? `geo:${accession}` : `geo:${accession}/${file}`;
    },
    pageOf(address) {
      const [, kind, digits] = ADDRESS.exec(address) ?? [];
      return kind === undefined
        ? undefined
        : `https://www.ncbi.nlm.nih.gov/geo/query/acc.cgi?acc=${kind.toUpperCase()}${digits}`;
    },
  },
  async list(source, effects) {
    const [, kind = '', digits = '', part = ''] = ADDRESS.exec(source.uri) ?? [];
    const folder = folders[kind.toUpperCase()];
    if (folder === undefined) {
      const hint = 'geo:GSE12345, geo:GSM12345 or geo:GPL12345, each with /file.txt.gz or /*.txt.gz';
      return fail(addressProblem(source, 'this is no address of a series, a sample or a platform', hint));
    }
    const accession = `${kind.toUpperCase()}${digits}`;
    const below = `${folder}/${kind.toUpperCase()}${digits.slice(0, -3)}nnn/${accession}/suppl/`;
    const web = new URL(below, baseOf('SCILAKE_GEO_URL', 'https://ftp.ncbi.nlm.nih.gov/geo/', effects));
    const facts = { accession };
    const listed = await overWeb(web, accession, effects).catch((thrown: unknown) => {
      if (!(thrown instanceof PlaceError) || thrown.type !== 'unreachable') throw thrown;
      const ftp = new URL(below, baseOf('SCILAKE_GEO_FTP_URL', 'ftp://ftp.ncbi.nlm.nih.gov/geo/', effects));
      return byFtp(ftp, web, effects);
    });
    return chooseFiles(source, part, { files: listed.files, place: { http: listed.http, facts } });
  },
};

const folders: Readonly<Record<string, string>> = { GSE: 'series', GSM: 'samples', GPL: 'platforms' };

interface Listed {
  readonly http: Http;
  readonly files: readonly RemoteFile[];
}

/** The folder's own page says which files are there; the list says more of them, and names what is inside an archive too. */
async function overWeb(folder: URL, accession: string, effects: ListEffects): Promise<Listed> {
  const api = openWebApi(folder, { headers: {}, hint: 'it is not public' }, effects);
  const list = await api.text(new URL(LIST, folder));
  const page = await api.text(folder);
  if (list === undefined && page === undefined) throw notThere();
  const rows = rowsOf(list?.text ?? '');
  const names = page === undefined ? ownNames(rows, accession) : linkedNames(page.text, folder);
  const files = names.map((name): RemoteFile => {
    const row = rows.get(name);
    return {
      name,
      url: new URL(encodeURIComponent(name), folder),
      ...(row === undefined ? {} : { sizeBytes: row.sizeBytes }),
      // Without it the server is asked whether the file has changed.
      version: row?.version ?? '',
      checksums: [],
    };
  });
  return { http: api.http, files };
}

async function byFtp(folder: URL, web: URL, effects: ListEffects): Promise<Listed> {
  const server = openFtp(effects.environment ?? process.env);
  const found = await asked(() => server.list(folder), ftpStatusOf, effects);
  const names = found.flatMap(({ name, type }) => (type === 'file' ? [name] : []));
  const rows = rowsOf(names.includes(LIST) ? await ftpText(server.http, new URL(LIST, folder), effects) : '');
  const files: RemoteFile[] = [];
  for (const name of names) {
    if (name === LIST) continue;
    const ask = new URL(encodeURIComponent(name), folder);
    // A listing's times are to the minute or the day; the server is asked for what the list does not say.
    const about = rows.get(name) ?? (await asked(() => server.facts(ask), ftpStatusOf, effects));
    if (about !== undefined)
      files.push({ name, url: new URL(encodeURIComponent(name), web), ask, ...about, checksums: [] });
  }
  return { http: server.http, files };
}

function ftpText(http: Http, url: URL, effects: ListEffects): Promise<string> {
  return asked(
    async () => {
      const { status, body } = await http({ url, headers: {}, idleMs: IDLE_MS });
      if (status !== 200) throw new StatusError(status);
      const blocks: Buffer[] = [];
      for await (const block of body) blocks.push(Buffer.from(block));
      return Buffer.concat(blocks).toString('utf8');
    },
    statusIn,
    effects,
  );
}

interface Row {
  readonly sizeBytes: number;
  readonly version: string;
  readonly isArchive: boolean;
}

/** Rows of a list by name: Archive or File, name, time, size in bytes, type, with tabs between. */
function rowsOf(list: string): ReadonlyMap<string, Row> {
  return new Map(
    list.split(/\r?\n/).flatMap((line): readonly (readonly [string, Row])[] => {
      const [what = '', name = '', time = '', size = ''] = line.split('\t').map((cell) => cell.trim());
      if (!/^(?:archive|file)$/i.test(what) || name === '' || !/^\d+$/.test(size)) return [];
      const row = { sizeBytes: Number(size), version: `${size}-${time}`, isArchive: /^archive$/i.test(what) };
      return [[name, row]];
    }),
  );
}

/** Without the folder's page: archives, and what is called like the record. The rest is inside an archive. */
function ownNames(rows: ReadonlyMap<string, Row>, accession: string): readonly string[] {
  return [...rows].flatMap(([name, { isArchive }]) => (isArchive || name.startsWith(`${accession}_`) ? [name] : []));
}

/** Files that a folder's page links to: what is right below it. */
function linkedNames(page: string, folder: URL): readonly string[] {
  const names = [...page.matchAll(/<a\s[^>]*?href\s*=\s*["']([^"'?#]+)["']/gi)].flatMap(([, link = '']) => {
    const address = link.replaceAll('&amp;', '&');
    if (!URL.canParse(address, folder.href)) return [];
    const { href } = new URL(address, folder);
    const rest = href.startsWith(folder.href) ? href.slice(folder.href.length) : '';
    return rest === '' || rest.includes('/') ? [] : [decoded(rest)];
  });
  return [...new Set(names)].filter((name) => name !== LIST);
}
