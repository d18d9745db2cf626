// An OpenID Connect provider for one test, with a page on which a person continues.
import { createHash, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server as Listener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { URLSearchParams } from 'node:url';

const CLIENT = 'signalbox';
const KEY = 'key-of-tests';

function base64url(value: string | Buffer): string {
    return Buffer.from(value).toString('base64url');
}

/** The provider: who is signed in there, and how it behaves. */
export class Provider {
    /** Another site than the dashboard, which is at 127.0.0.1. */
    url = '';
    person = { sub: '0001', preferred_username: 'ada', groups: ['ops'] };
    /** Every request fails. */
    away = false;
    private readonly keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
    private readonly codes = new Map<string, URLSearchParams>();
    private readonly listener: Listener = createServer((request, response) => void this.answer(request, response));

    async start(): Promise<void> {
        await new Promise<void>((done) => this.listener.listen(0, '127.0.0.1', done));
        this.url = `http://localhost:${(this.listener.address() as AddressInfo).port}`;
    }

    async stop(): Promise<void> {
        this.listener.closeAllConnections();
        await new Promise<void>((done) => this.listener.close(() => done()));
    }

    /** Writes the configuration of a server with this provider; returns its path. */
    configuration(folder: string): string {
        const file = path.join(folder, 'signalbox.toml');
        const lines = ['[oidc]', `issuer = "${this.url}"`, `client_id = "${CLIENT}"`, 'name = "Example ID"'];
        lines.push('[[oidc.role]]', 'group = "ops"', 'role = "operator"');
        writeFileSync(file, lines.join('\n'));
        return file;
    }

    private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
        const json = (value: object, status = 200) => {
            response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
        };
        const html = (title: string, content: string) => {
            const head = `<!DOCTYPE html><html lang="en"><title>${title}</title><h1>${title}</h1>`;
            response.writeHead(200, { 'content-type': 'text/html' }).end(head + content);
        };
        if (this.away) return json({}, 503);
        if (pathname === '/.well-known/openid-configuration') {
            return json({
                issuer: this.url,
                authorization_endpoint: `${this.url}/authorize`,
                token_endpoint: `${this.url}/token`,
                jwks_uri: `${this.url}/keys`,
                end_session_endpoint: `${this.url}/sign-out`,
            });
        }
        if (pathname === '/keys') {
            return json({ keys: [{ ...this.keys.publicKey.export({ format: 'jwk' }), kid: KEY, use: 'sig' }] });
        }
        if (pathname === '/authorize' && request.method === 'GET') {
            const name = this.person.preferred_username;
            return html('Example ID', `<form method="post"><button autofocus>Continue as ${name}</button></form>`);
        }
        if (pathname === '/authorize') {
            const code = randomUUID();
            this.codes.set(code, searchParams);
            const back = new URL(searchParams.get('redirect_uri') ?? '');
            back.search = new URLSearchParams({ code, state: searchParams.get('state') ?? '' }).toString();
            response.writeHead(303, { location: back.href }).end();
            return;
        }
        if (pathname === '/token') {
            let body = '';
            for await (const piece of request) body += piece;
            return this.token(new URLSearchParams(body), json);
        }
        if (pathname === '/sign-out') return html('Signed out of Example ID', '');
        // Browsers ask for an icon of the page.
        if (pathname === '/favicon.ico') response.writeHead(204).end();
        else json({}, 404);
    }

    private token(form: URLSearchParams, json: (value: object, status?: number) => void): void {
        const asked = this.codes.get(form.get('code') ?? '');
        this.codes.delete(form.get('code') ?? '');
        const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
        if (asked?.get('code_challenge') !== challenge || asked.get('redirect_uri') !== form.get('redirect_uri')) {
            return json({ error: 'invalid_grant' }, 400);
        }
        const now = Math.floor(Date.now() / 1_000);
        const times = { iat: now, exp: now + 300 };
        const claims = { iss: this.url, aud: CLIENT, nonce: asked.get('nonce'), ...times, ...this.person };
        const header = base64url(JSON.stringify({ alg: 'RS256', kid: KEY }));
        const message = `${header}.${base64url(JSON.stringify(claims))}`;
        const signature = createSign('RSA-SHA256').update(message).sign(this.keys.privateKey);
        json({ token_type: 'Bearer', access_token: 'unused', id_token: `${message}.${base64url(signature)}` });
    }
}
