import type { BoundModel } from '../domain/bound-project.js';
import type { Column } from '../domain/column.js';
import type { RelatedLocation, SourceLocation } from '../domain/diagnostic.js';
import type { TableName } from '../domain/names.js';
import type { ShadowCatalog } from '../effects/shadow-catalog.js';

type Pending =
  | { readonly type: 'table'; readonly name: TableName; readonly columns: readonly Column[] }
  | { readonly type: 'view'; readonly name: TableName; readonly sql: string; readonly needs: readonly string[] };

/**
 * Tables of the shadow catalog, made only when a query has to be bound against them: with a warm cache, few or none are.
 * Each has a signature, a text that changes with whatever a reader can see of it.
 */
export class ShadowTables {
  readonly #pending = new Map<string, Pending>();
  readonly #signatures = new Map<string, string>();
  readonly #columns = new Map<string, readonly Column[]>();
  readonly #described = new Map<string, RelatedLocation>();
  readonly #shadow: ShadowCatalog;

  constructor(shadow: ShadowCatalog) {
    this.#shadow = shadow;
  }

  /** @param location where it is defined, for messages; a source's table has none of its own */
  addTable(key: string, name: TableName, columns: readonly Column[], location?: SourceLocation): void {
    this.#describe(key, columns, location);
    this.#columns.set(key, columns);
    this.#signatures.set(key, `${key} (${columns.map((column) => `${column.name} ${column.type}`).join(', ')})`);
    this.#pending.set(key, { type: 'table', name, columns });
  }

  /** An EMBEDDED model: its readers see through it. @param sql rendered */
  addInline(bound: Pick<BoundModel, 'model' | 'parents' | 'columns'>, sql: string): void {
    const { key, name, location } = bound.model;
    this.#describe(key, bound.columns, location);
    this.#columns.set(key, bound.columns);
    this.#signatures.set(key, `${key} ${sql} ${this.signatures(bound.parents).join(' ')}`);
    this.#pending.set(key, { type: 'view', name, sql, needs: bound.parents });
  }

  columns(key: string): readonly Column[] | undefined {
    return this.#columns.get(key);
  }

  /** Where the models among these tables are, and which columns they give. */
  columnsOf(keys: readonly string[]): readonly RelatedLocation[] {
    return keys.flatMap((key) => this.#described.get(key) ?? []);
  }

  #describe(key: string, columns: readonly Column[], location: SourceLocation | undefined): void {
    const names = columns.map((column) => column.name);
    const shown =
      names.length > 12 ? `${names.slice(0, 11).join(', ')} and ${names.length - 11} more` : names.join(', ');
    if (location !== undefined) this.#described.set(key, { message: `${key} gives ${shown}`, location });
  }

  signatures(keys: readonly string[]): readonly string[] {
    return keys.map((key) => this.#signatures.get(key) ?? key);
  }

  /** Makes these tables, and what views among them need, where they are not there yet. */
  async ensure(keys: Iterable<string>): Promise<void> {
    const tables: Extract<Pending, { type: 'table' }>[] = [];
    const views: Extract<Pending, { type: 'view' }>[] = [];
    this.#take(keys, (pending) => {
      if (pending.type === 'table') tables.push(pending);
      else views.push(pending);
    });
    await this.#shadow.declareTables(tables);
    for (const { name, sql } of views) await this.#shadow.declareView(name, sql);
  }

  ensureAll(): Promise<void> {
    return this.ensure([...this.#pending.keys()]);
  }

  /** Hands out what is pending, what a view needs before the view. */
  #take(keys: Iterable<string>, hand: (pending: Pending) => void): void {
    for (const key of keys) {
      const pending = this.#pending.get(key);
      if (pending === undefined) continue;
      this.#pending.delete(key);
      if (pending.type === 'view') this.#take(pending.needs, hand);
      hand(pending);
    }
  }
}
