import { asText, type Fragment, spanOf } from '../fragment.js';
import type { PropertyReader } from '../property-reader.js';

/** What a declaration says of a text: the text itself, or the variable of the environment that holds it. */
export type SecretText =
  | { readonly type: 'plain'; readonly text: string }
  | { readonly type: 'variable'; readonly variable: string };

/** Values of variables of the environment, by name. */
export type Variables = ReadonlyMap<string, string>;

const variableForm = /^@env\(\s*'?([A-Za-z_][A-Za-z0-9_]*)'?\s*\)$/i;

/** The variable that `@env(NAME)` means; undefined where a value is anything else. */
export function variableOf(value: Fragment): string | undefined {
  return variableForm.exec(asText(value))?.[1];
}

/**
 * A property that may only name a variable of the environment: a secret that is written down would be in git, in plans
 * and in provenance. It is hidden from all that is said of the block.
 */
export function readSecret(properties: PropertyReader, name: string): SecretText {
  const value = properties.required(name, `${name} '@env(MY_${name.toUpperCase()})'`);
  if (value === undefined) return { type: 'plain', text: '' };
  const variable = variableOf(value);
  if (variable !== undefined) return { type: 'variable', variable };
  properties.hide(asText(value));
  properties.report(
    'SL0105',
    spanOf(value),
    `"${name}" is a secret, and is written down here`,
    `keep it in a variable of the environment, or in .env, and write ${name} '@env(MY_${name.toUpperCase()})'`,
  );
  return { type: 'plain', text: '' };
}

/** A property that may be written down or come from the environment; undefined where it is not given. */
export function readEither(properties: PropertyReader, name: string): SecretText | undefined {
  const value = properties.fragment(name);
  if (value === undefined) return undefined;
  const variable = variableOf(value);
  return variable === undefined ? { type: 'plain', text: asText(value) } : { type: 'variable', variable };
}

/** The variables among texts. */
export function variablesOf(...texts: readonly (SecretText | undefined)[]): readonly string[] {
  return texts.flatMap((text) => (text?.type === 'variable' ? [text.variable] : []));
}

/** What a text is, once the environment is known. */
export function textOfSecret(text: SecretText | undefined, values: Variables): string {
  if (text === undefined) return '';
  return text.type === 'plain' ? text.text : (values.get(text.variable) ?? '');
}
