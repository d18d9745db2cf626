// The OpenID Connect provider of a test: the certified `oidc-provider`, as a process with people, keys and a clock.
import { type ChildProcess, fork } from 'node:child_process';
import { generateKeyPairSync, type JsonWebKey, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const CLIENT = 'signalbox';
/** It has characters that must be encoded in a header. */
const CLIENT_SECRET = 's3cret: 100 % + more';
const CALLBACK = '/sign-in/provider/callback';

export interface Person {
    /** ID that never changes. */
    sub: string;
    name: string;
    password: string;
    groups: string[];
}

interface Client {
    client_id: string;
    client_secret?: string;
    redirect_uris: string[];
    post_logout_redirect_uris: string[];
    token_endpoint_auth_method: string;
    id_token_signed_response_alg: string;
}

interface Settings {
    port: number;
    client: Client;
    people: Person[];
    /** Private keys that sign; their public parts are published. The first one of an algorithm signs. */
    keys: JsonWebKey[];
    /** Difference of its clock. */
    clockSeconds: number;
    /** The browser is led back by a link on a page, not at once. */
    leadsBackByLink: boolean;
}

function rsaKey(): JsonWebKey {
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    return { ...key.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig' };
}

function keys(): JsonWebKey[] {
    const others = [generateKeyPairSync('ec', { namedCurve: 'P-256' }), generateKeyPairSync('ed25519')];
    return [rsaKey(), ...others.map(({ privateKey }) => ({ ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig' }))];
}

export class IdentityProvider {
    /** Where it is, also while it does not run. */
    url = '';
    readonly ada: Person = { sub: '0001', name: 'ada', password: 'a phrase of ada', groups: ['readers'] };
    private readonly settings: Settings = {
        port: 0,
        client: {
            client_id: CLIENT,
            client_secret: CLIENT_SECRET,
            redirect_uris: ['http://127.0.0.1/'],
            post_logout_redirect_uris: [],
            token_endpoint_auth_method: 'client_secret_basic',
            id_token_signed_response_alg: 'RS256',
        },
        people: [this.ada],
        keys: keys(),
        clockSeconds: 0,
        leadsBackByLink: false,
    };
    private child?: ChildProcess;
    /** What it wrote. */
    output = '';

    /** Starts it, at the same address as before. It forgets who was signed in. */
    async start(): Promise<void> {
        const env = { ...process.env, NODE_OPTIONS: '', IDENTITY_PROVIDER: JSON.stringify(this.settings) };
        const child = fork(path.join(__dirname, 'identity-provider.mjs'), { env, execArgv: [], silent: true });
        this.child = child;
        for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (this.output += text));
        const { port, issuer } = (await this.answer(child)) as { port: number; issuer: string };
        this.settings.port = port;
        this.url = issuer;
    }

    /** Ends it: nobody answers at its address. */
    async stop(): Promise<void> {
        const child = this.child;
        this.child = undefined;
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
    }

    /** Changes settings while it runs, or before it starts again. */
    async change(changes: Partial<Settings>): Promise<void> {
        Object.assign(this.settings, changes);
        if (this.child === undefined) return;
        const changed = this.answer(this.child);
        this.child.send(changes);
        await changed;
    }

    /** Knows the dashboard at this address as its client. */
    async register(dashboard: string, client: Partial<Client> = {}): Promise<void> {
        const redirect_uris = [`${dashboard}${CALLBACK}`];
        const post_logout_redirect_uris = [`${dashboard}/sign-in`];
        await this.change({ client: { ...this.settings.client, redirect_uris, post_logout_redirect_uris, ...client } });
    }

    async setGroups(...groups: string[]): Promise<void> {
        this.ada.groups = groups;
        await this.change({ people: [this.ada] });
    }

    /** Signs with new keys, and withdraws the old ones. */
    async rotateKeys(): Promise<void> {
        await this.change({ keys: keys() });
    }

    /** Writes the configuration of a server with this provider; returns its path. An empty secret means a public client. */
    configuration(folder: string, secret = CLIENT_SECRET): string {
        const file = path.join(folder, 'signalbox.toml');
        const lines = ['[oidc]', `issuer = "${this.url}"`, `client_id = "${CLIENT}"`, 'name = "Example ID"'];
        lines.push('scopes = ["profile", "groups"]');
        if (secret !== '') {
            const secretFile = path.join(folder, 'client-secret');
            writeFileSync(secretFile, `${secret}\n`);
            lines.push(`client_secret_file = "${secretFile}"`);
        }
        lines.push('[[oidc.role]]', 'group = "readers"', 'role = "viewer"');
        lines.push('[[oidc.role]]', 'group = "ops"', 'role = "operator"');
        writeFileSync(file, lines.join('\n'));
        return file;
    }

    /** Its next message. */
    private async answer(child: ChildProcess): Promise<unknown> {
        const ended = new AbortController();
        const message = once(child, 'message', { signal: ended.signal });
        const failed = once(child, 'exit', { signal: ended.signal }).then(() => {
            throw new Error(`The provider ended.\n${this.output}`);
        });
        try {
            return (await Promise.race([message, failed]))[0];
        } finally {
            failed.catch(() => {});
            message.catch(() => {});
            ended.abort();
        }
    }
}
