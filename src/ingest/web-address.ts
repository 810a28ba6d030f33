import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Result, succeed } from '../domain/diagnostic.js';
import type { Source } from '../domain/model.js';
import { connectorOf, schemeOf } from './connector-of.js';
import { type ConnectorEffects, PlaceError } from './connectors/connector.js';
import { connectors } from './connectors/index.js';
import { withoutPlace } from './land-place.js';

/**
 * What a source writes for an address that somebody has copied: that of a place's own scheme for one of its web pages, links
 * or DOIs; the text itself for everything else.
 */
export function addressOf(given: string): string {
  if (!/^(?:https?|doi):/i.test(given) || !URL.canParse(given)) return given;
  const page = new URL(given);
  for (const { web } of connectors) {
    const address = web?.addressOf(page);
    if (address !== undefined) return address;
  }
  return given;
}

/**
 * The same for an address that is given in a folder and declared in another: paths are relative to where they are declared.
 *
 * @param folders  absolute
 */
export function declaredAddress(given: string, folders: { readonly given: string; readonly declared: string }): string {
  const address = addressOf(given);
  if (schemeOf(address) !== '' || path.isAbsolute(address)) return address;
  return path.relative(folders.declared, path.resolve(folders.given, address)).replaceAll(path.sep, '/');
}

/**
 * Equal for addresses that are written otherwise and mean the same: paths of one file, a page and the record behind it.
 *
 * @param folder  absolute path of the folder with the declaration
 */
export function identityOf(uri: string, folder: string): string {
  const scheme = schemeOf(uri);
  if (scheme === '') return path.resolve(folder, uri);
  return scheme === 'file' && URL.canParse(uri) ? fileURLToPath(uri) : addressOf(uri);
}

/** The web page about what an address means; undefined where nobody has one. */
export function pageOf(address: string): string | undefined {
  for (const { web } of connectors) {
    const page = web?.pageOf(address);
    if (page !== undefined) return page;
  }
  return undefined;
}

/**
 * Whether an address means bytes that never change.
 *
 * @param resolved  what it stands for at present, by its landing; undefined where it does not move on
 */
export function isFixed(address: string, resolved: string | undefined): boolean {
  return connectors.some((connector) => connector.isFixed?.(address, resolved) === true);
}

/** What a place calls what a source means, without fetching it; empty where it has no title. */
export async function titleOf(source: Source, effects: ConnectorEffects): Promise<Result<string>> {
  const connector = connectorOf(source);
  if (connector === undefined || !('list' in connector)) return succeed('');
  try {
    const place = await connector.list(source, { ...effects, pinned: () => effects.pinOf?.(source)?.resolved });
    return place.ok ? succeed(place.value.facts.title ?? '') : place;
  } catch (thrown) {
    if (!(thrown instanceof PlaceError)) throw thrown;
    const landed = withoutPlace(source, thrown, undefined);
    return landed.ok ? succeed('') : landed;
  }
}
