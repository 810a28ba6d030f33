import type { AuthKind } from '../auth.js';
import { readSecret, textOfSecret, variablesOf } from '../secret.js';

/** A token in the header `Authorization`. */
export const bearer: AuthKind = {
  name: 'bearer',
  read(properties) {
    const token = readSecret(properties, 'token');
    return {
      variables: variablesOf(token),
      sign: (values) => ({ headers: { authorization: `Bearer ${textOfSecret(token, values)}` }, query: {} }),
    };
  },
};
