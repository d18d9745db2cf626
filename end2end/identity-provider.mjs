// OpenID Connect provider of the browser tests: `oidc-provider`, which is certified, with plain pages. It is a process of
// its own, so that a test can end it, start it again and give it a wrong clock. Each message replaces settings.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const NAME = 'Example ID';
/** Its address, client, people and keys; identity-provider.ts describes them. */
const settings = JSON.parse(process.env.IDENTITY_PROVIDER);
const realTime = Date.now;
let provider;

Date.now = () => realTime() + settings.clockSeconds * 1_000;

/** A page without anything from elsewhere. */
function page(title, content) {
    const head = `<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>${title}</title>`;
    return `<!DOCTYPE html><html lang="en"><head>${head}</head><body><h1>${title}</h1>${content}</body></html>`;
}

/** What the provider stores, such as sessions. It outlives a change of the settings. */
const stored = new Map();

class Store {
    constructor(model) {
        this.model = model;
    }

    async upsert(id, payload) {
        stored.set(`${this.model}:${id}`, payload);
    }

    async find(id) {
        return stored.get(`${this.model}:${id}`);
    }

    async findByUid(uid) {
        return [...stored.values()].find((payload) => payload.kind === this.model && payload.uid === uid);
    }

    async consume(id) {
        stored.get(`${this.model}:${id}`).consumed = Math.floor(Date.now() / 1_000);
    }

    async destroy(id) {
        stored.delete(`${this.model}:${id}`);
    }

    async revokeByGrantId(grantId) {
        for (const [key, payload] of stored) if (payload.grantId === grantId) stored.delete(key);
    }
}

/** Provider by the current settings. */
function configured() {
    const { issuer, client, keys } = settings;
    const one = new Provider(issuer, {
        adapter: Store,
        claims: { openid: ['sub'], profile: ['preferred_username'], groups: ['groups'] },
        clients: [client],
        // Claims of scopes are in the ID token, which Signalbox requires, and not only in the response of UserInfo.
        conformIdTokenClaims: false,
        cookies: { keys: ['cookies of tests'] },
        enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
        features: {
            devInteractions: { enabled: false },
            rpInitiatedLogout: {
                enabled: true,
                logoutSource: (ctx, form) => {
                    const yes = '<button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>';
                    const no = '<button form="op.logoutForm">No, stay signed in</button>';
                    ctx.body = page(`Sign out of ${NAME}?`, form + yes + no);
                },
                postLogoutSuccessSource: (ctx) => {
                    ctx.body = page(`Signed out of ${NAME}`, '');
                },
            },
        },
        findAccount: (_, sub) => {
            const person = settings.people.find((one) => one.sub === sub);
            return person && { accountId: sub, claims: () => ({ sub, preferred_username: person.name, groups: person.groups }) };
        },
        interactions: { url: (_, { uid }) => `/interaction/${uid}` },
        jwks: { keys },
        renderError: (ctx, { error, error_description: description }) => {
            ctx.type = 'html';
            ctx.body = page('Error', `<p>${error}</p><p>${String(description).replaceAll('<', '&lt;')}</p>`);
        },
        ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 3_600, IdToken: 300, Interaction: 600, Session: 3_600 },
    });
    // Some providers lead back by a link on a page of theirs.
    one.use(async (ctx, next) => {
        await next();
        const back = String(ctx.response.get('location'));
        if (!settings.leadsBackByLink || !back.startsWith(client.redirect_uris[0])) return;
        ctx.remove('location');
        ctx.status = 200;
        ctx.type = 'html';
        ctx.body = page('Signed in', `<a href="${back.replaceAll('&', '&amp;')}">Back to Signalbox</a>`);
    });
    return one;
}

/** The pages on which a person signs in, and allows Signalbox to read the name and the groups. */
async function interact(request, response) {
    const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
    const show = (title, content) => {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
        response.end(page(title, `<form method="post">${content}<button name="cancel">Cancel</button></form>`));
    };
    let form;
    if (request.method === 'POST') {
        let body = '';
        for await (const piece of request) body += piece;
        form = new URLSearchParams(body);
    }
    const finish = (result, merge) =>
        provider.interactionFinished(request, response, result, { mergeWithLastSubmission: merge });
    if (form?.has('cancel')) return finish({ error: 'access_denied', error_description: 'The person cancelled.' }, false);

    if (prompt.name === 'login') {
        const is = (one) => one.name === form.get('name') && one.password === form.get('password');
        const person = form && settings.people.find(is);
        if (person) return finish({ login: { accountId: person.sub } }, false);
        const fields = '<label>Name <input name="name"></label><label>Password <input name="password" type="password"></label>';
        const wrong = form ? '<p role="alert">The name or the password is wrong.</p>' : '';
        return show(`Sign in to ${NAME}`, `${wrong}${fields}<button>Continue</button>`);
    }
    if (!form) return show('Allow access', '<p>Signalbox wants to read your name and your groups.</p><button>Allow</button>');
    const grant = grantId
        ? await provider.Grant.find(grantId)
        : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '));
    grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? []);
    return finish({ consent: { grantId: await grant.save() } }, true);
}

const listener = createServer((request, response) => {
    if (!request.url.startsWith('/interaction/')) return provider.callback()(request, response);
    interact(request, response).catch((error) => {
        console.error(error);
        response.writeHead(error.statusCode ?? 500, { 'content-type': 'text/html' }).end(page('Error', `<p>${error.name}</p>`));
    });
});

process.on('message', (changes) => {
    Object.assign(settings, changes);
    provider = configured();
    process.send('changed');
});
// The test has ended.
process.on('disconnect', () => process.exit());

listener.listen(settings.port, '127.0.0.1', () => {
    settings.port = listener.address().port;
    // Another site than the dashboard, which is at 127.0.0.1.
    settings.issuer = `http://localhost:${settings.port}`;
    provider = configured();
    process.send({ port: settings.port, issuer: settings.issuer });
});
