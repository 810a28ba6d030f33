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
  // Casts are part of the value: `1.5::INT = 1.5` does not hold.
  const [left, right] = [constantText(condition.left), constantText(condition.right)];
  return left !== undefined && left === right;
}

/** A constant that is not NULL, with the casts around it. */
function constantText(expression: Json): string | undefined {
  if (!isRecord(expression) || constantOf(expression)?.is_null !== false) return undefined;
  return JSON.stringify(expression, (key, value) => (key === 'query_location' || key === 'alias' ? undefined : value));
}

function constantOf(expression: Json): JsonRecord | undefined {
  if (!isRecord(expression)) return undefined;
  if (expression.expression_class === 'BOUND_CAST') return constantOf(expression.child);
  return expression.expression_class === 'BOUND_CONSTANT' && isRecord(expression.value) ? expression.value : undefined;
}
