import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

/** A real OpenID provider, which lets in whoever gives any name and password. */
export class IdentityProvider {
  private constructor(
    private readonly listener: HttpServer,
    readonly issuer: string,
    readonly secret: string,
  ) {}

  /** Starts one that sends people back to an address. */
  static async start(redirect: string): Promise<IdentityProvider> {
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    const secret = crypto.randomUUID();
    const provider = new Provider(issuer, {
      clients: [{ client_id: 'fechatter', client_secret: secret, redirect_uris: [redirect], grant_types: ['authorization_code'], response_types: ['code'] }],
      claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
      findAccount: (_ctx, id) => ({
        accountId: id,
        claims: () => ({ sub: id, preferred_username: id, name: `${id[0]!.toUpperCase()}${id.slice(1)} Example`, email: `${id}@example.org`, email_verified: true }),
      }),
      cookies: { keys: [crypto.randomUUID()] },
    });
    listener.on('request', provider.callback());
    return new IdentityProvider(listener, issuer, secret);
  }

  async stop(): Promise<void> {
    this.listener.closeAllConnections();
    await new Promise((resolve) => this.listener.close(resolve));
  }
}
