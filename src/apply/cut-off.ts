import { subtract } from '../domain/interval.js';
import { ident, inLake } from '../domain/names.js';
import type { Change } from '../domain/plan.js';
import { builtKey, type EnvironmentModel, physicalTable, type Snapshot } from '../domain/snapshot.js';
import type { Step } from '../domain/step.js';
import type { Work } from './work.js';

/**
 * Early cut-off: a model that was built again and came out equal gives its readers no reason to be built again. What is
 * cut off keeps the table that the environment has.
 */
export class CutOff {
  readonly #work: Work;
  /** Built again, and equal to what the environment has. */
  readonly #equal = new Set<string>();
  /** Not built again, because all that changed upstream came out equal. */
  readonly #kept = new Set<string>();
  readonly #changes: ReadonlyMap<string, Change>;
  /** Models and sources that this plan makes new rows for. */
  readonly #rebuilt: ReadonlySet<string>;

  constructor(work: Work) {
    this.#work = work;
    this.#changes = new Map(work.plan.changes.map((change) => [change.model, change]));
    this.#rebuilt = new Set(
      work.plan.steps.flatMap((step) =>
        step.type === 'backfill' || step.type === 'create'
          ? [step.model]
          : step.type === 'register'
            ? [step.source]
            : [],
      ),
    );
  }

  /** True when a step need not be done; the environment is then pointed at the table that it has already. */
  covers(step: Step): boolean {
    if (step.type !== 'create' && step.type !== 'backfill') return false;
    if (this.#kept.has(step.model)) return true;
    const snapshot = this.#snapshot(step.model);
    const now = this.#now(step.model);
    if (snapshot === undefined || now === undefined || !this.#canKeep(snapshot, now)) return false;
    this.#kept.add(step.model);
    this.#keep(snapshot, now);
    return true;
  }

  /** Looks at a model whose last interval was just built, if somebody below would be built because of it. */
  async observe(step: Step): Promise<void> {
    if (step.type !== 'backfill' || !this.#isLastOf(step)) return;
    const snapshot = this.#snapshot(step.model);
    const now = this.#now(step.model);
    if (snapshot === undefined || now === undefined || now.version === step.version) return;
    const before = this.#work.state.snapshots.get(now.fingerprint);
    if (before === undefined || !this.#hasWaitingReaders(step.model)) return;
    if (snapshot.storage === 'view') {
      if (
        this.#changes.get(step.model)?.type === 'indirect' &&
        this.#reachingParents(snapshot).every((parent) => this.#isEqual(parent))
      )
        this.#equal.add(step.model);
    } else if (
      snapshot.history !== 'intervals' &&
      (await this.#isSameContent(before, now.version, snapshot, step.version))
    )
      this.#equal.add(step.model);
  }

  #canKeep(snapshot: Snapshot, now: EnvironmentModel): boolean {
    const change = this.#changes.get(snapshot.key);
    if (
      snapshot.storage !== 'table' ||
      change?.type !== 'indirect' ||
      change.forwardOnly ||
      change.columns.added.length > 0
    )
      return false;
    const reaching = this.#reachingParents(snapshot);
    if (reaching.length === 0 || !reaching.every((parent) => this.#isEqual(parent))) return false;
    const before = this.#work.state.snapshots.get(now.fingerprint);
    if (before === undefined || before.storage !== 'table' || this.#isReadByViews(snapshot.key)) return false;
    const built = this.#work.state.built.get(builtKey(before, now.version)) ?? [];
    const wanted = this.#work.plan.steps.flatMap((step) =>
      step.type === 'backfill' && step.model === snapshot.key ? [step.interval] : [],
    );
    return subtract(wanted, built).length === 0;
  }

  /** A view names the tables that it reads, so it would have to be made again for a table that it was not planned for. */
  #isReadByViews(key: string): boolean {
    return this.#work.plan.snapshots.some(
      (reader) => reader.storage !== 'table' && reader.key !== key && reader.parents.includes(key),
    );
  }

  #keep(snapshot: Snapshot, now: EnvironmentModel): void {
    const { plan, state } = this.#work;
    const before = state.snapshots.get(now.fingerprint);
    if (before === undefined) return;
    const kept: Snapshot = { ...snapshot, version: now.version, owner: before.owner };
    const models = {
      ...plan.target.models,
      [snapshot.key]: {
        ...plan.target.models[snapshot.key],
        fingerprint: snapshot.fingerprint,
        version: now.version,
        hasView: plan.target.models[snapshot.key]?.hasView ?? now.hasView,
      },
    };
    this.#work.plan = {
      ...plan,
      target: { ...plan.target, models },
      snapshots: plan.snapshots.map((one) => (one.key === kept.key ? kept : one)),
    };
  }

  async #isSameContent(
    before: Snapshot,
    versionBefore: string,
    after: Snapshot,
    versionAfter: string,
  ): Promise<boolean> {
    const signature = (snapshot: Snapshot): string =>
      snapshot.columns.map((column) => `${column.name} ${column.type}`).join(', ');
    if (signature(before) !== signature(after)) return false;
    const columns = after.columns.map((column) => ident(column.name)).join(', ');
    const content = (table: string): string =>
      `SELECT count(*) AS n, coalesce(sum(hash(${columns})), 0) AS h FROM ${table}`;
    const [row] = await this.#work.session.exclusively((database) =>
      database.rows(
        `SELECT (${rowOf(content(inLake(physicalTable(before, versionBefore))))}) = (${rowOf(content(inLake(physicalTable(after, versionAfter))))}) AS same`,
      ),
    );
    return row?.same === true;
  }

  #reachingParents(snapshot: Snapshot): readonly string[] {
    return snapshot.parents.filter(
      (parent) =>
        parent !== snapshot.key && (this.#rebuilt.has(parent) || this.#rebuilt.has(parent.split('.')[0] ?? '')),
    );
  }

  #isEqual(parent: string): boolean {
    return this.#equal.has(parent) || this.#kept.has(parent);
  }

  #hasWaitingReaders(key: string): boolean {
    return this.#work.plan.snapshots.some(
      (reader) => reader.key !== key && reader.parents.includes(key) && this.#rebuilt.has(reader.key),
    );
  }

  #isLastOf(step: Extract<Step, { readonly type: 'backfill' }>): boolean {
    return this.#work.plan.steps.findLast((other) => other.type === 'backfill' && other.model === step.model) === step;
  }

  #snapshot(key: string): Snapshot | undefined {
    return this.#work.plan.snapshots.find((candidate) => candidate.key === key);
  }

  /** What the environment, or the one that it is based on, reads at present. */
  #now(key: string): EnvironmentModel | undefined {
    const { plan, state } = this.#work;
    return (state.environments.get(plan.environment) ?? state.environments.get(plan.basedOn ?? ''))?.models[key];
  }
}

/** A one-row query as one value that can be compared. */
function rowOf(query: string): string {
  return `SELECT {'n': n, 'h': h} FROM (${query})`;
}
