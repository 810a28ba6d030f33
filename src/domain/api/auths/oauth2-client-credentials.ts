import { asText, spanOf } from '../../fragment.js';
import type { AuthKind } from '../auth.js';
import { readEither, readSecret, textOfSecret, variablesOf } from '../secret.js';

/**
 * A token that a server gives for a client's name and secret.
 *
 * @source RFC 6749, section 4.4; the client's name and secret go in the form (2.3.1), as dlt sends them
 */
export const oauth2ClientCredentials: AuthKind = {
  name: 'oauth2_client_credentials',
  read(properties) {
    const written = properties.required('token_url', "token_url 'https://login.example.org/token'");
    const url = written === undefined ? '' : asText(written);
    if (written !== undefined && (!/^https?:\/\//i.test(url) || !URL.canParse(url)))
      properties.report('SL0105', spanOf(written), `"token_url" is an http or https address, not ${url}`);
    properties.required('client_id', "client_id 'my-client', or client_id '@env(MY_CLIENT)'");
    const id = readEither(properties, 'client_id');
    const secret = readSecret(properties, 'client_secret');
    const scope = readEither(properties, 'scope');
    return {
      variables: variablesOf(id, secret, scope),
      sign: (_, token) => ({ headers: { authorization: `Bearer ${token}` }, query: {} }),
      grant: {
        url,
        form: (values) => ({
          grant_type: 'client_credentials',
          client_id: textOfSecret(id, values),
          client_secret: textOfSecret(secret, values),
          ...(scope === undefined ? {} : { scope: textOfSecret(scope, values) }),
        }),
      },
    };
  },
};
