import { isRecord, type Json, type JsonRecord } from '../domain/json.js';

/** `TRUE`, `1 = 1`: a condition over constants that always holds, casts of constants included. */
export function isTrue(condition: Json): boolean {
  if (!isRecord(condition)) return false;
  const constant = constantOf(condition);
  if (constant !== undefined)
    return (
      constant.is_null === false && (constant.value === true || constant.value === 't' || constant.value === 'true')
    );
  if (condition.type !== 'COMPARE_EQUAL') return false;
  const [left, right] = [constantOf(condition.left), constantOf(condition.right)];
  return left !== undefined && left.is_null === false && JSON.stringify(left) === JSON.stringify(right);
}

function constantOf(expression: Json): JsonRecord | undefined {
  if (!isRecord(expression)) return undefined;
  if (expression.expression_class === 'BOUND_CAST') return constantOf(expression.child);
  return expression.expression_class === 'BOUND_CONSTANT' && isRecord(expression.value) ? expression.value : undefined;
}
