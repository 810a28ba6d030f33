import type { Column } from './column.js';

/** What columns lost, gained and changed, a line each: `- name`, `+ name TYPE`, `~ name OLD -> NEW`. */
export function schemaDiff(before: readonly Column[], now: readonly Column[]): readonly string[] {
  const was = new Map(before.map(({ name, type }) => [name, type]));
  const names = new Set(now.map(({ name }) => name));
  return [
    ...before.flatMap(({ name }) => (names.has(name) ? [] : [`- ${name}`])),
    ...now.flatMap(({ name, type }) => {
      const old = was.get(name);
      if (old === undefined) return [`+ ${name} ${type}`];
      return old === type ? [] : [`~ ${name} ${old} -> ${type}`];
    }),
  ];
}
