import type { AuthKind } from '../auth.js';
import { apiKey } from './api-key.js';
import { basic } from './basic.js';
import { bearer } from './bearer.js';
import { oauth2ClientCredentials } from './oauth2-client-credentials.js';

/** Every kind of credentials. */
export const auths: readonly AuthKind[] = [bearer, apiKey, basic, oauth2ClientCredentials];
