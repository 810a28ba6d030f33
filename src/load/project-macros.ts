import { type Diagnostic, messageOf } from '../domain/diagnostic.js';
import type { MacroContext, MacroFunction } from '../domain/macro.js';
import type { CodeModule } from '../effects/project-code.js';
import { isFunction } from './decode.js';

/** The macros that TypeScript files of `macros/` export: every function among the exports, by its lower-case name. */
export function macroFunctions(modules: readonly CodeModule[]): {
  readonly functions: ReadonlyMap<string, MacroFunction>;
  readonly errors: readonly Diagnostic[];
} {
  const functions = new Map<string, MacroFunction>();
  const errors: Diagnostic[] = [];
  for (const { file, exports } of modules) {
    for (const [name, exported] of exports) {
      const key = name.toLowerCase();
      if (!isFunction<Exported>(exported)) continue;
      if (functions.has(key)) {
        errors.push({
          code: 'SL0303',
          severity: 'error',
          message: `there are two macros named ${key}`,
          location: { file, line: 1, column: 1, length: 1, text: '' },
          hint: 'rename one of them',
        });
      }
      functions.set(key, (context, given, named) => checkedResult(key, call(exported, context, given, named)));
    }
  }
  return { functions, errors };
}

type Exported = (...given: unknown[]) => unknown;

/** Arguments come one by one, named ones in an object at the end where there are any. */
function call(
  exported: Exported,
  context: MacroContext,
  given: readonly string[],
  named: Readonly<Record<string, string>>,
): unknown {
  const last = Object.keys(named).length === 0 ? [] : [named];
  return exported(context, ...given, ...last);
}

function checkedResult(name: string, result: unknown): string | readonly string[] | undefined {
  if (result === undefined || result === null) return undefined;
  if (typeof result === 'string') return result;
  if (typeof result === 'number' || typeof result === 'boolean' || typeof result === 'bigint') return String(result);
  if (Array.isArray(result) && result.every((one) => typeof one === 'string')) return result;
  throw new Error(`macro ${name} gave ${messageOf(result)}, not SQL text, a list of texts, or nothing`);
}
