import type { Command } from 'commander';
import { type ComparisonRequest, compareTables, type TableComparison } from '../../catalog/compare-tables.js';
import { currentSnapshotId, environmentAt, type Moment, snapshotAt } from '../../catalog/state-at.js';
import { orderGraph } from '../../dag/graph.js';
import { noFacts, SelectorError, select } from '../../dag/selector.js';
import { type Diagnostic, DiagnosticError } from '../../domain/diagnostic.js';
import { environmentName, inLake, type TableName } from '../../domain/names.js';
import { didYouMean } from '../../domain/near-miss.js';
import { physicalTable, type Snapshot } from '../../domain/snapshot.js';
import type { Database } from '../../effects/duckdb.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { withLake } from '../../workflow.js';
import {
  type CommandContext,
  type CommandDefinition,
  collect,
  countOption,
  exitCodes,
  flagOption,
  textOption,
  textOptions,
  UsageError,
} from '../command.js';
import { comparisonJson, drawComparison } from '../draw-table-diff.js';
import { momentPattern, readMoment } from '../moment.js';
import { reportErrors, reportWarnings, showJson } from '../report.js';
import { styleOf } from '../style.js';
import { reportQueryError } from './query.js';

/** `scilake table_diff SOURCE:TARGET [MODEL…]`: environments, moments of them, or two tables, by columns and by rows. */
export const tableDiff: CommandDefinition = {
  configure,
  async run(context, [sides = '', ...models], options) {
    const [source, target] = readSides(sides, context);
    const config = parseConfigOnly({ ...context.workspace.outside, projectFolder: context.workspace.projectFolder });
    if (!config.ok) return reportErrors(context, config.errors);
    const selectors = [...models, ...textOptions(options, 'selectModel')];
    const wanted = readOptions(options);
    const found: Diagnostic[] = [];
    const compared: ComparedTable[] = [];
    const code = await withLake(context.workspace, config.value, 'read', (session) =>
      session.exclusively(async (database) => {
        const tables =
          source.table !== undefined && target.table !== undefined
            ? await namedTables(database, { source, target })
            : await modelTables(database, { source, target, selectors });
        for (const pair of tables) {
          try {
            const result = await compareOne(database, pair, wanted);
            compared.push(result.compared);
            found.push(...result.diagnostics);
          } catch (thrown) {
            return reportQueryError(context, thrown);
          }
        }
        return exitCodes.done;
      }),
    );
    return code === exitCodes.done ? show(context, { source, target, compared, found }) : code;
  },
};

function configure(command: Command): void {
  command
    .argument('<source:target>', 'two environments, or two tables; each may be at a snapshot or a time: prod@12:prod')
    .argument('[models...]', 'models to compare; those that differ when left out')
    .option('-o, --on <column>', "key columns; the model's grain when left out; may be repeated", collect)
    .option('-s, --skip-columns <column>', 'columns not to compare; may be repeated', collect)
    .option('-m, --select-model <selector>', 'models by selector; may be repeated', collect)
    .option('--where <condition>', 'compare only such rows')
    .option('--limit <rows>', 'rows in a sample', '20')
    .option('--show-sample', 'show rows that differ')
    .option('-d, --decimals <digits>', 'digits behind the point that count', '3')
    .option('--skip-grain-check', 'compare even where the key is missing or not unique')
    .option('--warn-grain-check', 'only warn where the key is missing or not unique');
}

interface Side {
  /** As written. */
  readonly text: string;
  readonly environment: string;
  /** Set where the side names a table. */
  readonly table: TableName | undefined;
  readonly moment: Moment | undefined;
}

const sidePattern = `((?:"[^"]+"|[^:@"])+)(?:@(${momentPattern}))?`;
const sidesPattern = new RegExp(`^${sidePattern}:${sidePattern}$`);

function readSides(text: string, context: CommandContext): readonly [Side, Side] {
  const match = sidesPattern.exec(text.trim());
  if (match === null) throw new UsageError(`"${text}" is not SOURCE:TARGET, such as prod:dev, prod@12:prod or s.a:s.b`);
  const [, source = '', sourceMoment, target = '', targetMoment] = match;
  const sides = [sideOf(source, sourceMoment, context), sideOf(target, targetMoment, context)] as const;
  if ((sides[0].table === undefined) !== (sides[1].table === undefined))
    throw new UsageError(`"${text}" compares an environment with a table; give two of the same sort`);
  return sides;
}

function sideOf(name: string, moment: string | undefined, context: CommandContext): Side {
  const parts = [...name.matchAll(/"([^"]+)"|([^."]+)/g)].map((part) => part[1] ?? part[2] ?? '');
  const [schema, table] = parts;
  const isTable = parts.length === 2 && schema !== undefined && table !== undefined;
  if (parts.length > 2) throw new UsageError(`"${name}" is neither an environment nor schema.table`);
  return {
    text: moment === undefined ? name : `${name}@${moment}`,
    environment: environmentName(name),
    table: isTable ? { schema, table } : undefined,
    moment: moment === undefined ? undefined : readMoment(moment, context),
  };
}

/** What the options say of every comparison. */
type Wanted = Omit<ComparisonRequest, 'source' | 'target' | 'key'> & {
  readonly on: readonly string[];
  readonly severity: Diagnostic['severity'];
};

function readOptions(options: Readonly<Record<string, unknown>>): Wanted {
  const where = textOption(options, 'where');
  const columns = (name: string): readonly string[] =>
    textOptions(options, name).flatMap((text) => text.split(',').map((part) => part.trim().replaceAll('"', '')));
  return {
    on: columns('on'),
    skippedColumns: columns('skipColumns'),
    ...(where === undefined ? {} : { where }),
    decimals: countOption(options, 'decimals', 0) ?? 3,
    sampleSize: flagOption(options, 'showSample') ? (countOption(options, 'limit', 1) ?? 20) : 0,
    checksGrain: !flagOption(options, 'skipGrainCheck'),
    severity: flagOption(options, 'warnGrainCheck') ? 'warning' : 'error',
  };
}

/** Two tables to compare, as SQL behind FROM. */
interface TablePair {
  /** Undefined where two tables were named. */
  readonly model: string | undefined;
  readonly source: string;
  readonly target: string;
  readonly grain: readonly string[];
}

export interface ComparedTable {
  readonly pair: TablePair;
  readonly key: readonly string[];
  readonly comparison: TableComparison;
}

async function compareOne(
  database: Database,
  pair: TablePair,
  wanted: Wanted,
): Promise<{ readonly compared: ComparedTable; readonly diagnostics: readonly Diagnostic[] }> {
  const key = wanted.on.length > 0 ? wanted.on : pair.grain;
  const comparison = await compareTables(database, { ...wanted, source: pair.source, target: pair.target, key });
  const { rows } = comparison;
  const problem =
    rows === undefined ? 'no grain says which rows belong together' : 'problem' in rows ? rows.problem : undefined;
  // Without a key there is nothing to check: columns and counts are all that was asked for.
  const isSilent = problem === undefined || (rows === undefined && !wanted.checksGrain);
  const diagnostic: Diagnostic = {
    code: 'SL0421',
    severity: wanted.severity,
    message: `${pair.model === undefined ? '' : `${pair.model}: `}rows cannot be paired: ${problem ?? ''}`,
    hint:
      rows === undefined
        ? 'give the key: --on id, or a grain in the header'
        : 'give another key: --on; or --skip-grain-check to pair each with each',
  };
  return { compared: { pair, key, comparison }, diagnostics: isSilent ? [] : [diagnostic] };
}

interface Sides {
  readonly source: Side;
  readonly target: Side;
}

async function namedTables(database: Database, { source, target }: Sides): Promise<readonly TablePair[]> {
  const from = async ({ table, moment, text }: Side): Promise<string> => {
    if (table === undefined) throw new Error(`${text} is no table`);
    return `${inLake(table)}${versionClause(moment === undefined ? undefined : await snapshotAt(database, moment, text))}`;
  };
  return [{ model: undefined, source: await from(source), target: await from(target), grain: [] }];
}

function versionClause(snapshotId: number | undefined): string {
  return snapshotId === undefined ? '' : ` AT (VERSION => ${snapshotId})`;
}

/** A model's table in an environment. */
interface EnvironmentTable {
  readonly sql: string;
  readonly snapshot: Snapshot;
  readonly version: string;
}

async function modelTables(
  database: Database,
  request: Sides & { readonly selectors: readonly string[] },
): Promise<readonly TablePair[]> {
  const source = await environmentTables(database, request.source);
  const target = await environmentTables(database, request.target);
  const chosen =
    request.selectors.length === 0
      ? [...source.keys()].filter((key) => isDifferent(request, source.get(key), target.get(key)))
      : chosenModels(request.selectors, new Map([...source, ...target]));
  const missing = chosen.filter((key) => !source.has(key) || !target.has(key));
  if (missing.length > 0)
    throw new DiagnosticError(
      missing.map((key) => ({
        code: 'SL0409',
        severity: 'error',
        message: `${(source.has(key) ? request.target : request.source).text} has no table of model "${key}"`,
        hint:
          didYouMean(
            key,
            [...source.keys()].filter((one) => target.has(one)),
          ) ?? 'scilake environments lists what there is',
      })),
    );
  return chosen.flatMap((key) => {
    const [before, after] = [source.get(key), target.get(key)];
    if (before === undefined || after === undefined) return [];
    return [
      {
        model: key,
        source: before.sql,
        target: after.sql,
        grain: grainOf(after.snapshot) ?? grainOf(before.snapshot) ?? [],
      },
    ];
  });
}

function isDifferent(sides: Sides, a: EnvironmentTable | undefined, b: EnvironmentTable | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  const isSameMoment = JSON.stringify(sides.source.moment) === JSON.stringify(sides.target.moment);
  return a.version !== b.version || !isSameMoment;
}

/** A model's first grain, as its plan recorded it. */
function grainOf({ definition }: Snapshot): readonly string[] | undefined {
  const grains = definition.grains;
  const first = Array.isArray(grains) ? grains[0] : undefined;
  return typeof first === 'string' ? first.split(',').map((part) => part.trim()) : undefined;
}

async function environmentTables(database: Database, side: Side): Promise<ReadonlyMap<string, EnvironmentTable>> {
  const id =
    side.moment === undefined ? await currentSnapshotId(database) : await snapshotAt(database, side.moment, side.text);
  const found = await environmentAt(database, side.environment, id);
  if (found === undefined)
    throw new DiagnosticError([
      {
        code: 'SL0710',
        severity: 'error',
        message: `there is no environment "${side.text}" in the lake`,
        hint: 'scilake environments lists them; tables are written schema.table',
      },
    ]);
  const { environment, state } = found;
  return new Map(
    Object.entries(environment.models).flatMap(([key, { fingerprint, version }]) => {
      const snapshot = state.snapshots.get(fingerprint);
      if (snapshot === undefined || (snapshot.storage !== 'table' && snapshot.storage !== 'view')) return [];
      const at = side.moment === undefined ? '' : versionClause(id);
      return [[key, { sql: `${inLake(physicalTable(snapshot, version))}${at}`, snapshot, version }] as const];
    }),
  );
}

function chosenModels(selectors: readonly string[], tables: ReadonlyMap<string, EnvironmentTable>): readonly string[] {
  const { graph } = orderGraph(new Map([...tables].map(([key, { snapshot }]) => [key, snapshot.parents])));
  const facts = {
    ...noFacts,
    tagsOf: (key: string) => {
      const tags = tables.get(key)?.snapshot.definition.tags;
      return Array.isArray(tags) ? tags.map(String) : [];
    },
    pathOf: (key: string) => tables.get(key)?.snapshot.file,
  };
  try {
    const { nodes, unmatched } = select(
      selectors.map((selector) => selector.toLowerCase()),
      graph,
      facts,
    );
    const [first] = unmatched;
    if (first === undefined) return graph.order.filter((key) => nodes.has(key));
    throw new DiagnosticError([
      {
        code: 'SL0409',
        severity: 'error',
        message: `no model with a table is called "${first}"`,
        hint: didYouMean(first, graph.order) ?? `there are ${graph.order.join(', ')}`,
      },
    ]);
  } catch (thrown) {
    if (thrown instanceof SelectorError) throw new UsageError(thrown.message);
    throw thrown;
  }
}

function show(
  context: CommandContext,
  {
    source,
    target,
    compared,
    found,
  }: Sides & { readonly compared: readonly ComparedTable[]; readonly found: readonly Diagnostic[] },
): number {
  const { shell } = context;
  const errors = found.filter((diagnostic) => diagnostic.severity === 'error');
  if (context.options.json) {
    showJson(shell, {
      source: source.text,
      target: target.text,
      tables: compared.map(comparisonJson),
      ...(found.length === 0 ? {} : { diagnostics: found }),
    });
  } else {
    const layout = { width: shell.columns, style: styleOf(shell.hasColor), source: source.text, target: target.text };
    shell.out(compared.map((one) => drawComparison(one, layout)).join('\n'));
    if (compared.length === 0) shell.out(`No model of ${source.text} has another table in ${target.text}.\n`);
  }
  reportWarnings(context, found);
  return errors.length > 0 ? exitCodes.errors : exitCodes.done;
}
