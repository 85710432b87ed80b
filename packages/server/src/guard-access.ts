import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { HttpProblem } from './http-problem.ts';

/** Who may ask. */
export interface AccessRules {
  /** Host names and addresses without port, as a URL writes them: `localhost`, `127.0.0.1`, `[::1]`. */
  readonly allowedHosts: readonly string[];
  /** Origins of other sites' pages that may ask as this server's own may: `https://studio.example`. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Bearer token of every route but health; without one, whoever reaches the server may use it. */
  readonly token?: string;
}

/**
 * Denies, whatever the method: a foreign `Host` (a web page whose name was rebound to this address), a foreign `Origin`
 * (another site's page, or one on another port), and a missing or wrong token.
 */
export function guardAccess({ allowedHosts, allowedOrigins = [], token }: AccessRules): MiddlewareHandler {
  const hosts = new Set(allowedHosts.map((host) => host.toLowerCase()));
  const origins = new Set(allowedOrigins.map((origin) => origin.toLowerCase()));
  const expected = token === undefined ? undefined : digest(token);
  return async (context, next) => {
    const url = new URL(context.req.url);
    const host = context.req.header('host') ?? url.host;
    // An absolute request target may name another host than the header: both count.
    for (const name of [url.hostname, hostnameOf(host)]) {
      if (!hosts.has(name)) {
        throw new HttpProblem(
          403,
          'FOREIGN_HOST',
          `Cannot answer as 'Host' must be one of [${[...hosts].join(', ')}]: current value is '${host}'`,
        );
      }
    }
    const origin = context.req.header('origin');
    const isAllowed = origin !== undefined && origins.has(origin.toLowerCase());
    if (origin !== undefined && !isAllowed && hostOf(origin) !== host.toLowerCase()) {
      throw new HttpProblem(
        403,
        'FOREIGN_ORIGIN',
        `Cannot answer as 'Origin' must be that of this server: current value is '${origin}'`,
      );
    }
    // Browsers send this even where they send no Origin, as for an image.
    const site = context.req.header('sec-fetch-site');
    if (!isAllowed && (site === 'cross-site' || site === 'same-site')) {
      throw new HttpProblem(
        403,
        'FOREIGN_ORIGIN',
        `Cannot answer as 'Sec-Fetch-Site' must be same-origin or none: current value is '${site}'`,
      );
    }
    // A browser asks whether it may ask, and does so without the token.
    const isPreflight =
      isAllowed &&
      context.req.method === 'OPTIONS' &&
      context.req.header('access-control-request-method') !== undefined;
    if (expected !== undefined && !isPreflight && !url.pathname.startsWith('/v2/health/')) {
      // The scheme's case is free (RFC 9110, section 11.1).
      const given = /^bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
      if (!timingSafeEqual(expected, digest(given ?? ''))) {
        throw new HttpProblem(
          401,
          'UNAUTHORIZED',
          "Cannot answer as 'Authorization' must be 'Bearer' and the server's token",
          {
            'www-authenticate': 'Bearer realm="dafl"',
          },
        );
      }
    }
    await next();
  };
}

/** Hashing gives both sides one length, which a comparison in constant time needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function hostnameOf(host: string): string {
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname : '';
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
