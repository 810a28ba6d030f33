/** A condition on a number of rows: `> 10`. */
export interface Threshold {
  readonly operator: '>' | '>=' | '<' | '<=' | '=' | '<>';
  readonly count: number;
}

const form = /^\s*(>=|<=|<>|!=|==|>|<|=)\s*(\d+)\s*$/;
const spelled: Readonly<Record<string, Threshold['operator']>> = {
  '>': '>',
  '>=': '>=',
  '<': '<',
  '<=': '<=',
  '=': '=',
  '==': '=',
  '<>': '<>',
  '!=': '<>',
};

/** Reads `>10`, `>= 1`, `!=0`; undefined for anything else. */
export function parseThreshold(text: string): Threshold | undefined {
  const [, operator = '', count = ''] = form.exec(text) ?? [];
  const known = spelled[operator];
  return known === undefined ? undefined : { operator: known, count: Number(count) };
}

export function isReached({ operator, count }: Threshold, rows: number): boolean {
  switch (operator) {
    case '>':
      return rows > count;
    case '>=':
      return rows >= count;
    case '<':
      return rows < count;
    case '<=':
      return rows <= count;
    case '=':
      return rows === count;
    case '<>':
      return rows !== count;
    default:
      return operator satisfies never;
  }
}

export const anyRow: Threshold = { operator: '>', count: 0 };
