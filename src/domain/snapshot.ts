import type { AuditRun } from './audit-result.js';
import type { Column } from './column.js';
import type { ElementSchema } from './convert.js';
import type { Cron } from './cron.js';
import type { Interval, IntervalUnit } from './interval.js';
import type { JsonObject } from './kind.js';
import { physicalName, type TableName, tableKey } from './names.js';
import type { Lineage } from './query-print.js';

/** Content hashes of a model's rows and columns over those of its parents: equal hashes, equal data. */
export interface DataPrint {
  readonly rows: string;
  /** By lower-case column name. */
  readonly columns: Readonly<Record<string, string>>;
}

/** When a model's intervals are due, and how they are counted. */
export interface Schedule {
  readonly cron: Cron;
  readonly intervalUnit: IntervalUnit;
  /** As written; resolved against the time of a plan. */
  readonly start?: string;
  readonly end?: string;
  readonly allowPartials: boolean;
  readonly lookback: number;
  readonly batchSize?: number;
  readonly autoRestatement?: { readonly cron: string; readonly intervals?: number };
}

/** A model at one fingerprint, as it is recorded in the lake. */
export interface Snapshot {
  readonly key: string;
  readonly name: TableName;
  /** Identity: the definition and all data that it reads. */
  readonly fingerprint: string;
  /** Names the physical table. Snapshots that give the same rows share it. */
  readonly version: string;
  /** The model under whose name the physical table was made: its own, unless it was renamed since. */
  readonly owner: TableName;
  readonly storage: 'table' | 'view' | 'inline' | 'outside';
  readonly history: 'intervals' | 'whole' | 'once';
  readonly kindName: string;
  /** All that the header and the statements say, normalised. */
  readonly definition: JsonObject;
  /** File and text at that time, for the diff that people read. */
  readonly file: string;
  readonly text: string;
  readonly lineage: Lineage;
  readonly data: DataPrint;
  readonly columns: readonly Column[];
  /** Models and source tables that it reads, by key; itself when it reads itself. */
  readonly parents: readonly string[];
  /** False where a restatement would lose rows that cannot be made again. */
  readonly restatable: boolean;
  /** A restatement makes all rows again; absent in what older versions recorded. */
  readonly restatesWhole?: boolean;
  readonly schedule: Schedule;
  /** The table was kept through a change, which applies only to what is built after it. */
  readonly forwardOnly: boolean;
}

/** A source's files at one version, registered in the lake. */
export interface Dataset {
  readonly source: string;
  /** Names the physical tables; from the raw file's checksum and how it is converted. */
  readonly version: string;
  readonly sha256: string;
  readonly format: string;
  readonly elements: readonly ElementSchema[];
}

/** What an environment points at. */
export interface Environment {
  readonly name: string;
  /** The plan that made it so. */
  readonly planId: string;
  /** Counts the promotions of this environment, from 1. */
  readonly sequence: number;
  readonly models: Readonly<Record<string, EnvironmentModel>>;
  /** Version of each source, by name. */
  readonly sources: Readonly<Record<string, string>>;
}

export interface EnvironmentModel {
  readonly fingerprint: string;
  /** The physical table its view reads. */
  readonly version: string;
  /** False where the environment has no view of its own (an unmodified model outside prod). */
  readonly hasView: boolean;
}

/** All that the lake records about itself, read in one go. */
export interface LakeState {
  /** DuckLake's snapshot id; 0 when there is no lake yet. */
  readonly lakeSnapshot: number;
  readonly environments: ReadonlyMap<string, Environment>;
  /** By fingerprint. */
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** Built intervals by `builtKey`; sorted and disjoint. */
  readonly built: ReadonlyMap<string, readonly Interval[]>;
  /** By `source@version`. */
  readonly datasets: ReadonlyMap<string, Dataset>;
  /** Last runs of audits that stand alone, by `auditRunKey`; absent where none was recorded. */
  readonly auditRuns?: ReadonlyMap<string, AuditRun>;
}

/** Key of a physical table's built intervals. */
export function builtKey(snapshot: Pick<Snapshot, 'owner'>, version: string): string {
  return `${tableKey(snapshot.owner)}@${version}`;
}

/** The physical table or view of a model at a version. */
export function physicalTable(snapshot: Pick<Snapshot, 'owner'>, version: string): TableName {
  return physicalName(snapshot.owner, version);
}

export const emptyState: LakeState = {
  lakeSnapshot: 0,
  environments: new Map(),
  snapshots: new Map(),
  built: new Map(),
  datasets: new Map(),
};
