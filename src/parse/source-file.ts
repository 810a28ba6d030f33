import { type Contract, type ContractMode, evolving } from '../domain/contract.js';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import { asDottedName, asText, type Fragment, insideParentheses, listItems, spanOf } from '../domain/fragment.js';
import { type Freshness, parseDurationMs } from '../domain/freshness.js';
import { locate, type TextFile } from '../domain/location.js';
import type { Refresh, Source } from '../domain/model.js';
import { didYouMean } from '../domain/near-miss.js';
import { PropertyReader } from '../domain/property-reader.js';
import { readApi, secretInAddress } from './api-block.js';
import { type HeaderBlock, splitStatements } from './statements.js';

const DAY_MS = 86_400_000;
const checksumForm = /^(?:sha256:[0-9a-f]{64}|md5:[0-9a-f]{32})$/i;

/** Reads a file of the sources folder: one or several `SOURCE (…);`. */
export function parseSourceFile(file: TextFile): Result<readonly Source[]> {
  const { statements, errors } = splitStatements(file);
  const sources: Source[] = [];
  const found: Diagnostic[] = [...errors];
  for (const statement of statements) {
    if (statement.type === 'sql' || statement.name !== 'SOURCE') {
      const span =
        statement.type === 'sql'
          ? { start: statement.sql.span.start, end: statement.sql.span.start + 1 }
          : statement.nameSpan;
      found.push({
        code: 'SL0107',
        severity: 'error',
        message: 'expected a SOURCE block',
        location: locate(file, span),
        hint: "SOURCE (name my_data, uri 'data/my_data.h5ad', license 'CC-BY-4.0');",
      });
      continue;
    }
    const source = readSource(statement);
    if (source.ok) sources.push(source.value);
    else found.push(...source.errors);
  }
  return found.length > 0 ? fail(...found) : succeed(sources);
}

function readSource(header: HeaderBlock): Result<Source> {
  const { file } = header;
  const properties = new PropertyReader({
    file,
    owner: 'SOURCE',
    ownerSpan: header.nameSpan,
    properties: header.properties,
  });
  const name = properties.required('name', 'SOURCE (name my_data, …); the name becomes a schema');
  const uri = properties.required('uri', "say where the raw file is: uri 'data/my_data.h5ad'");
  const checksum = properties.fragment('checksum');
  const format = properties.text('format')?.toLowerCase();
  const formatOptions = Object.fromEntries(
    properties.pairs('format_options').map((pair) => [pair.name.toLowerCase(), asText(pair.value)]),
  );
  if (name !== undefined && !/^[\p{L}_][\p{L}\p{N}_]*$/u.test(asText(name))) {
    properties.report(
      'SL0105',
      spanOf(name),
      `a source's name becomes a schema: letters, digits and underscores, not ${asText(name)}`,
    );
  }
  if (checksum !== undefined && !checksumForm.test(asText(checksum))) {
    properties.report('SL0105', spanOf(checksum), 'a checksum is sha256:<64 hex digits> or md5:<32 hex digits>');
  }
  const freshness = readFreshness(properties);
  const contract = readContract(properties);
  const api = readApi(properties);
  // A program runs and an interface is gone through page by page for each asking: that is not done at every plan.
  const isProgram = /^command:/i.test(textOr(uri));
  const refresh = readRefresh(properties, isProgram || api !== undefined ? { afterMs: DAY_MS } : 'always');
  const timeoutMs = readDuration(properties, 'timeout');
  const timeout = properties.fragment('timeout');
  if (timeout !== undefined && !isProgram)
    properties.report('SL0105', spanOf(timeout), '"timeout" is for programs', "uri 'command:python3 ingest/fetch.py'");
  if (api !== undefined && uri !== undefined && !/^https?:/i.test(asText(uri)))
    properties.report(
      'SL0105',
      spanOf(uri),
      'an "api" has an http or https address',
      'leave the api block out for a file',
    );
  const source: Source = {
    name: textOr(name).toLowerCase(),
    location: locate(file, header.nameSpan),
    file,
    uri: textOr(uri),
    uriLocation: locate(file, uri === undefined ? header.nameSpan : spanOf(uri)),
    ...(format === undefined ? {} : { format }),
    formatOptions,
    ...(checksum === undefined
      ? {}
      : { checksum: asText(checksum).toLowerCase(), checksumLocation: locate(file, spanOf(checksum)) }),
    doi: properties.text('doi') ?? '',
    accession: properties.text('accession') ?? '',
    license: properties.text('license') ?? '',
    citation: properties.text('citation') ?? '',
    homepage: properties.text('homepage') ?? '',
    description: properties.text('description') ?? '',
    contract,
    ...(freshness === undefined ? {} : { freshness }),
    ...(api === undefined ? {} : { api }),
    refresh,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  properties.text('owner');
  properties.texts('tags');
  properties.finish();
  const problems = [...properties.diagnostics, ...credentialsProblem(source), ...secretInAddress(source)];
  return problems.length > 0 ? fail(...problems) : succeed(source);
}

/** An address is written into plans, the lake and provenance: what opens it must not be part of it, nor of the message. */
function credentialsProblem({ name, uri, uriLocation }: Source): readonly Diagnostic[] {
  const credentials = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i;
  if (!credentials.test(uri)) return [];
  return [
    {
      code: 'SL0105',
      severity: 'error',
      message: `the address of source "${name}" holds a user or a password`,
      location: { ...uriLocation, text: uriLocation.text.replace(/:\/\/[^/?#]*@/, '://***@') },
      hint: 'leave it out: addresses are kept and shown; download a file that needs it, and give its path',
    },
  ];
}

const contractModes: readonly (readonly [string, ContractMode])[] = [
  ['evolve', 'evolve'],
  ['freeze', 'freeze'],
  ['discard', 'discard_value'],
  ['discard_value', 'discard_value'],
  ['discard_row', 'discard_row'],
];

/** `contract freeze`, or by what changes: `contract (tables evolve, columns discard, data_type freeze)`. */
function readContract(properties: PropertyReader): Contract {
  const written = properties.fragment('contract');
  if (written === undefined) return evolving;
  const modeOf = (fragment: Fragment, reader: PropertyReader): ContractMode => {
    const said = asText(fragment).toLowerCase();
    const known = contractModes.find(([name]) => name === said)?.[1];
    if (known === undefined)
      reader.report(
        'SL0105',
        spanOf(fragment),
        `a contract is evolve, freeze, discard_value or discard_row, not ${asText(fragment)}`,
        didYouMean(
          said,
          contractModes.map(([name]) => name),
        ) ?? 'contract freeze refuses other columns than the lake has',
      );
    return known ?? 'evolve';
  };
  if (insideParentheses(written) === undefined) {
    const mode = modeOf(written, properties);
    return { tables: mode, columns: mode, dataType: mode };
  }
  const own = new PropertyReader({
    file: properties.file,
    owner: 'contract',
    ownerSpan: spanOf(written),
    properties: listItems(written),
  });
  const part = (name: string): ContractMode => {
    const fragment = own.fragment(name);
    return fragment === undefined ? 'evolve' : modeOf(fragment, own);
  };
  const contract = { tables: part('tables'), columns: part('columns'), dataType: part('data_type') };
  own.finish();
  properties.adopt(own.diagnostics);
  return contract;
}

/** `freshness (warn_after '7 days', error_after '30 days', column ts)` */
function readFreshness(properties: PropertyReader): Freshness | undefined {
  const value = properties.fragment('freshness');
  if (value === undefined) return undefined;
  const own = new PropertyReader({
    file: properties.file,
    owner: 'freshness',
    ownerSpan: spanOf(value),
    properties: listItems(value),
  });
  const warnAfterMs = readDuration(own, 'warn_after');
  const errorAfterMs = readDuration(own, 'error_after');
  const written = own.fragment('column');
  const parts = written === undefined ? [] : asDottedName(written);
  if (written !== undefined && (parts === undefined || parts.length > 2))
    own.report(
      'SL0105',
      spanOf(written),
      `"column" names a column, not ${asText(written)}`,
      'write column ts or column obs.ts',
    );
  if (warnAfterMs === undefined && errorAfterMs === undefined && own.diagnostics.length === 0)
    own.report(
      'SL0104',
      spanOf(value),
      'freshness needs "warn_after" or "error_after"',
      "freshness (warn_after '7 days')",
    );
  own.finish();
  properties.adopt(own.diagnostics);
  const column = parts?.at(-1);
  const table = parts?.length === 2 ? parts[0]?.toLowerCase() : undefined;
  return {
    ...(warnAfterMs === undefined ? {} : { warnAfterMs }),
    ...(errorAfterMs === undefined ? {} : { errorAfterMs }),
    ...(column === undefined ? {} : { column }),
    ...(table === undefined ? {} : { table }),
    location: locate(properties.file, spanOf(value)),
  };
}

/** A time span in ms; undefined where it is not given, or is none. */
function readDuration(properties: PropertyReader, name: string): number | undefined {
  const written = properties.fragment(name);
  const durationMs = written === undefined ? undefined : parseDurationMs(asText(written));
  if (written !== undefined && durationMs === undefined)
    properties.report(
      'SL0105',
      spanOf(written),
      `"${name}" is a time span, not ${asText(written)}`,
      "write '7 days' or '12 hours'",
    );
  return durationMs;
}

/** `refresh '1 day'`, `refresh always` or `refresh never`. */
function readRefresh(properties: PropertyReader, fallback: Refresh): Refresh {
  const written = properties.fragment('refresh');
  if (written === undefined) return fallback;
  const said = asText(written).toLowerCase();
  if (said === 'always' || said === 'never') return said;
  const afterMs = parseDurationMs(said);
  if (afterMs !== undefined) return { afterMs };
  properties.report(
    'SL0105',
    spanOf(written),
    `"refresh" is always, never or a time span, not ${asText(written)}`,
    "write refresh '1 day': what came within a day is taken without asking",
  );
  return fallback;
}

function textOr(fragment: Fragment | undefined): string {
  return fragment === undefined ? '' : asText(fragment);
}
