import type { Source } from '../domain/model.js';
import type { Connector } from './connectors/connector.js';
import { connectors } from './connectors/index.js';

/** The scheme of an address, lower case; empty for a path. */
export function schemeOf(uri: string): string {
  return /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase() ?? '';
}

/** What reaches a source; undefined where nothing does. */
export function connectorOf(source: Source): Connector | undefined {
  const scheme = schemeOf(source.uri);
  return connectors.find((candidate) => candidate.schemes.includes(scheme) && candidate.takes?.(source) !== false);
}
