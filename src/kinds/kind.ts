import { cronProblem } from '../domain/cron.js';
import { asText, spanOf } from '../domain/fragment.js';
import type { ModelKind, OnSchemaChange } from '../domain/kind.js';
import type { PropertyReader } from '../domain/property-reader.js';

/** What the header grammar needs to know of a kind. Adding a kind is one file with one of these, its test, and a line in `index.ts`. */
export interface KindDefinition {
  /** Upper case; the first is the kind's own name, others are accepted spellings. */
  readonly names: readonly [string, ...string[]];
  /** Reads the kind's properties; what is wrong with them goes to the reader, and the value is then not used. */
  read(properties: PropertyReader): ModelKind;
}

/** What most kinds have in common; a kind states only where it differs. */
export const ordinaryKind = {
  rowProperties: {},
  metadataProperties: {},
  storage: 'table',
  history: 'whole',
  lookback: 0,
  forwardOnly: false,
  restatable: true,
  onDestructiveChange: 'error',
  onAdditiveChange: 'allow',
} as const satisfies Partial<ModelKind>;

const reactions = ['error', 'warn', 'allow', 'ignore'] as const satisfies readonly OnSchemaChange[];

/** The properties that every incremental kind shares; they change no row that is there already. */
export function readIncrementalProperties(
  properties: PropertyReader,
  defaults: { readonly forwardOnly: boolean; readonly restatable: boolean } = { forwardOnly: false, restatable: true },
): {
  readonly forwardOnly: boolean;
  readonly restatable: boolean;
  readonly onDestructiveChange: OnSchemaChange;
  readonly onAdditiveChange: OnSchemaChange;
  readonly autoRestatement?: NonNullable<ModelKind['autoRestatement']>;
  readonly metadataProperties: { readonly [name: string]: string | number | boolean };
} {
  const forwardOnly = properties.flag('forward_only', defaults.forwardOnly);
  const restatable = !properties.flag('disable_restatement', !defaults.restatable);
  const onDestructiveChange = properties.oneOf('on_destructive_change', reactions, 'error');
  const onAdditiveChange = properties.oneOf('on_additive_change', reactions, 'allow');
  const cronFragment = properties.fragment('auto_restatement_cron');
  const intervals = properties.count('auto_restatement_intervals', 1);
  const cron = cronFragment === undefined ? undefined : asText(cronFragment).toLowerCase();
  const problem = cron === undefined ? undefined : cronProblem(cron);
  if (cronFragment !== undefined && problem !== undefined)
    properties.report('SL0105', spanOf(cronFragment), `"${cron}" is no cron: ${problem}`);
  const isAutomatic = cron !== undefined && problem === undefined;
  return {
    ...(isAutomatic ? { autoRestatement: { cron, ...(intervals === undefined ? {} : { intervals }) } } : {}),
    forwardOnly,
    restatable,
    onDestructiveChange,
    onAdditiveChange,
    metadataProperties: {
      ...(isAutomatic ? { autoRestatementCron: cron, autoRestatementIntervals: intervals ?? 'all' } : {}),
      forwardOnly,
      restatable,
      onDestructiveChange,
      onAdditiveChange,
    },
  };
}

/** `DELETE` what is to be replaced, then `INSERT` the query's rows: the write half of most kinds. */
export function insertStatement(target: string, columns: readonly { readonly name: string }[], query: string): string {
  const names = columns.map((column) => `"${column.name.replaceAll('"', '""')}"`).join(', ');
  return `INSERT INTO ${target} (${names})\n${query}`;
}
