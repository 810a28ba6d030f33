/**
 * A token of whoever works here, by Google's application default credentials (a file that a variable names, that of
 * `gcloud`, or the machine's own); undefined where there are none: public files are for everybody.
 */
export async function googleToken(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const { GoogleAuth } = await import('google-auth-library');
  const keyFilename = environment.GOOGLE_APPLICATION_CREDENTIALS;
  const auth = new GoogleAuth({
    scopes: ['https://www.googleapis.com/auth/devstorage.read_only'],
    ...(keyFilename === undefined ? {} : { keyFilename }),
  });
  try {
    return (await auth.getAccessToken()) ?? undefined;
  } catch (thrown) {
    // Credentials that somebody has named are meant to be used.
    if (keyFilename !== undefined) throw thrown;
    return undefined;
  }
}
