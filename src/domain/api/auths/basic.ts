import type { AuthKind } from '../auth.js';
import { readEither, readSecret, textOfSecret, variablesOf } from '../secret.js';

/** A user and a password. */
export const basic: AuthKind = {
  name: 'basic',
  read(properties) {
    properties.required('username', "username 'me', or username '@env(MY_USER)'");
    const username = readEither(properties, 'username');
    const password = readSecret(properties, 'password');
    return {
      variables: variablesOf(username, password),
      sign(values) {
        const pair = `${textOfSecret(username, values)}:${textOfSecret(password, values)}`;
        return { headers: { authorization: `Basic ${base64(pair)}` }, query: {} };
      },
    };
  },
};

/** @source RFC 7617, section 2.1: UTF-8 */
function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
