import * as path from 'node:path';
import type { ApiDeclaration, Incremental } from '../../domain/api/declaration.js';
import type { Variables } from '../../domain/api/secret.js';
import { type Diagnostic, DiagnosticError, fail, type Result, succeed } from '../../domain/diagnostic.js';
import type { Source } from '../../domain/model.js';
import { requestHttp } from '../../effects/http.js';
import { environmentOf } from '../environment.js';
import { problemOf } from '../land-place.js';
import { landSet } from '../land-set.js';
import { LineFile } from '../line-file.js';
import { readListing, type SetEntry } from '../set-listing.js';
import type { Made, MakeContext, MakingConnector } from './connector.js';
import { ApiClient } from './rest-api/client.js';
import { Credentials } from './rest-api/credentials.js';
import { recordPages } from './rest-api/pages.js';
import { RecordWindow } from './rest-api/window.js';

/** How often somebody who waits hears how far it is, ms. */
const HEARD_MS = 5_000;

/**
 * Interfaces that answer with JSON, page by page. Their records land as lines: in one file, or, where only what is new is
 * asked for, in a set to which each asking that brings something adds a file.
 *
 * @source dlt's rest_api source, for what paginators and credentials there are and where they stop
 */
export const restApi: MakingConnector = {
  name: 'interfaces that answer with JSON (api)',
  schemes: ['http', 'https'],
  takes: ({ api }) => api !== undefined,
  async make(source, context) {
    const { api } = source;
    if (api === undefined) throw new Error(`source ${source.name} has no api block`);
    if (!URL.canParse(source.uri))
      return fail(
        problemOf(source, 'SL0506', 'this is no address of the web', 'write https://host/path, percent-encoded'),
      );
    const values = variablesOf(source, api, context);
    if (!values.ok) return values;
    const { http = requestHttp, now = () => new Date() } = context;
    const home = new URL(source.uri);
    home.hash = '';
    const asking: Asking = {
      source,
      api,
      home,
      client: new ApiClient(
        home,
        {
          headers: api.headers,
          credentials: new Credentials(api.auth, { values: values.value, http, now }),
          hasLanded: context.state.last() !== undefined,
        },
        context,
      ),
    };
    return api.incremental === undefined ? makeFile(asking, context) : makeSet(asking, api.incremental, context);
  },
};

interface Asking {
  readonly source: Source;
  readonly api: ApiDeclaration;
  readonly home: URL;
  readonly client: ApiClient;
}

/** Values of the variables that the credentials name: all that are not set, at once. */
function variablesOf(
  { name }: Source,
  { auth, authLocation }: ApiDeclaration,
  context: MakeContext,
): Result<Variables> {
  const environment = environmentOf(context);
  const values = new Map<string, string>();
  const missing: Diagnostic[] = [];
  for (const variable of auth?.variables ?? []) {
    const value = environment[variable] ?? '';
    if (value !== '') values.set(variable, value);
    else
      missing.push({
        code: 'SL0512',
        severity: 'error',
        message: `source "${name}": the variable ${variable} is not set`,
        location: authLocation,
        hint: 'set it in the environment, or in .env beside scilake.yaml, which is not for git',
      });
  }
  return missing.length > 0 ? fail(...missing) : succeed(values);
}

async function makeFile(asking: Asking, { store, folder, emit }: MakeContext): Promise<Result<Made>> {
  const { source } = asking;
  const written = await writeRecords(asking, { file: path.join(folder, 'records.jsonl'), emit, takes: () => true });
  if (written.lineCount === 0) return noRecords(source);
  const { sizeBytes, sha256 } = written;
  store.take(written.file, sha256);
  const fileName = `${source.name}.jsonl`;
  return succeed({ path: store.named({ url: `${source.uri}#${source.name}`, sha256, fileName }), sizeBytes, sha256 });
}

async function makeSet(
  asking: Asking,
  incremental: Incremental,
  { store, state, files, folder, emit }: MakeContext,
): Promise<Result<Made>> {
  const { source } = asking;
  const pathOf = ({ sha256 }: SetEntry): string => store.stored(sha256);
  const entries: SetEntry[] = [];
  for await (const entry of readListing(state.listing)) entries.push(entry);
  // Without one of its files the cursor would promise records that are not here.
  if (entries.some((entry) => files.facts(pathOf(entry)) === undefined)) entries.length = 0;
  const window = await RecordWindow.open(source.name, incremental, { entries, pathOf });
  const written = await writeRecords(asking, {
    file: path.join(folder, 'records.jsonl'),
    emit,
    takes: (line) => window.takes(line),
    ...(incremental.param === undefined || window.from === undefined
      ? {}
      : { since: { [incremental.param]: window.from.text } }),
  });
  if (written.lineCount > 0) {
    const { sizeBytes, sha256 } = written;
    const number = 1 + Number(/^\d+/.exec(entries.at(-1)?.name ?? '')?.[0] ?? 0);
    store.take(written.file, sha256);
    // The cursor is part of the listing: what has landed and how far it goes are one thing.
    entries.push({ name: `${String(number).padStart(9, '0')}.jsonl`, version: window.version, sizeBytes, sha256 });
  }
  if (entries.length === 0) return noRecords(source);
  const {
    path: at,
    sizeBytes,
    sha256,
  } = await landSet<SetEntry>(
    {
      name: source.name,
      setsFolder: path.join(store.folder, 'sets'),
      listing: state.listing,
      members: (async function* () {
        yield* entries;
      })(),
      atOnce: 1,
      bring: async (entry) => entry,
      isHere: () => false,
      link: (entry, to) => files.linkOrCopy(pathOf(entry), to),
    },
    files,
  );
  return succeed({ path: at, sizeBytes, sha256 });
}

interface WrittenRecords {
  readonly file: string;
  readonly lineCount: number;
  readonly sizeBytes: number;
  readonly sha256: string;
}

async function writeRecords(
  { source, api, home, client }: Asking,
  how: {
    readonly file: string;
    readonly emit: MakeContext['emit'];
    takes(line: string): boolean;
    /** Parameters that say from where on. */
    readonly since?: Readonly<Record<string, string>>;
  },
): Promise<WrittenRecords> {
  const first = new URL(home);
  for (const [name, value] of api.params) first.searchParams.append(name, value);
  for (const [name, value] of Object.entries(how.since ?? {})) first.searchParams.set(name, value);
  const lines = new LineFile(how.file);
  let heardMs = Date.now();
  let pageCount = 0;
  try {
    for await (const records of recordPages({ name: source.name, api, first, client })) {
      for (const record of records) if (how.takes(record)) lines.write(record);
      pageCount += 1;
      if (Date.now() - heardMs < HEARD_MS) continue;
      heardMs = Date.now();
      const detail = `${source.name}: ${pageCount} pages, ${lines.lineCount} records`;
      how.emit?.({ type: 'loading', what: 'source', detail });
    }
  } catch (thrown) {
    lines.abandon();
    if (!(thrown instanceof DiagnosticError)) throw thrown;
    // Records are quoted in messages, and a server may say what it was told.
    throw new DiagnosticError(thrown.diagnostics.map((one) => ({ ...one, message: client.clean(one.message) })));
  }
  return { file: how.file, lineCount: lines.lineCount, ...lines.close() };
}

function noRecords(source: Source): Result<never> {
  return fail(
    problemOf(
      source,
      'SL0514',
      'the interface has no records',
      'look at its parameters; of nothing no table can be made',
    ),
  );
}
