import type { AuthKind } from '../auth.js';
import { nameOf } from '../paginator.js';
import { readSecret, textOfSecret, variablesOf } from '../secret.js';

/** A key in a header, or in the query, under a name. */
export const apiKey: AuthKind = {
  name: 'api_key',
  read(properties) {
    const key = readSecret(properties, 'key');
    const location = properties.oneOf('location', ['header', 'query'], 'header');
    const name = nameOf(properties, 'name', location === 'header' ? 'x-api-key' : 'api_key');
    return {
      variables: variablesOf(key),
      sign(values) {
        const text = textOfSecret(key, values);
        return location === 'header'
          ? { headers: { [name.toLowerCase()]: text }, query: {} }
          : { headers: {}, query: { [name]: text } };
      },
    };
  },
};
