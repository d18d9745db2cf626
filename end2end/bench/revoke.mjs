// Time from a request that takes access away to the end of the stream: a revoked token, and a changed role of a user.
// Other readers follow the feed meanwhile, and must not be disturbed.
//
//   scripts/bench.sh revoke             [SAMPLES=300] [OTHERS=100]
import http from 'node:http';
import { machine, onStage, row } from './stage.mjs';

const samples = Number(process.env.SAMPLES ?? 300);
const others = Number(process.env.OTHERS ?? 100);
const agent = new http.Agent({ maxSockets: Infinity });

/** Opens a stream and waits for its first message. `ended` resolves with the time at which it ends. */
function stream(url, headers) {
    return new Promise((opened, failed) => {
        const request = http.get(`${url}/api/v1/events`, { agent, headers: { accept: 'text/event-stream', ...headers } });
        request.on('error', failed);
        request.on('response', (answer) => {
            if (answer.statusCode !== 200) return failed(new Error(`the stream was answered with ${answer.statusCode}`));
            const state = { open: true, close: () => request.destroy() };
            state.ended = new Promise((end) => answer.on('close', () => {
                state.open = false;
                end(performance.now());
            }));
            answer.on('error', () => {});
            answer.once('data', () => opened(state));
            answer.resume();
        });
    });
}

await onStage(async ({ url }) => {
    // The first token of an open server; from now on, each request needs one.
    const { secret } = await create('bench-admin', 'admin', {});
    const admin = { authorization: `Bearer ${secret}` };

    async function call(method, where, body, headers = admin) {
        const answer = await fetch(url + where, { method, headers: { 'content-type': 'application/json', ...headers }, body: body && JSON.stringify(body) });
        if (!answer.ok) throw new Error(`${method} ${where}: ${answer.status} ${await answer.text()}`);
        return answer.status === 204 ? undefined : answer.json();
    }
    function create(name, role, headers = admin) {
        return call('POST', '/api/v1/access/tokens', { name, role }, headers);
    }
    /** Signs a new user in, and gives the cookie of the session. */
    async function signIn(name) {
        const first = 'a first phrase of the bench';
        await call('POST', '/api/v1/access/users', { name, role: 'operator', password: first });
        const post = (where, fields) => fetch(url + where, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) });
        const page = await (await post('/sign-in', { name, password: first, to: '/' })).text();
        const ticket = /name="ticket" value="([^"]+)"/.exec(page)?.[1] ?? '';
        const own = 'another phrase of the bench';
        const answer = await post('/sign-in/password', { ticket, password: own, repeat: own, to: '/' });
        return { cookie: answer.headers.get('set-cookie').split(';')[0] };
    }

    const readers = await create('bench-readers', 'viewer');
    const open = await Promise.all(Array.from({ length: others }, () => stream(url, { authorization: `Bearer ${readers.secret}` })));
    const revoked = [];
    for (let n = 0; n < samples; n += 1) {
        const { secret, token } = await create(`bench-${n}`, 'viewer');
        const reader = await stream(url, { authorization: `Bearer ${secret}` });
        const began = performance.now();
        const [at] = await Promise.all([reader.ended, call('DELETE', `/api/v1/access/tokens/${token.id}`)]);
        revoked.push(at - began);
    }
    const session = await signIn('bench-user');
    const changed = [];
    for (let n = 0; n < samples; n += 1) {
        const reader = await stream(url, session);
        const began = performance.now();
        const role = n % 2 === 0 ? 'viewer' : 'operator';
        const [at] = await Promise.all([reader.ended, call('POST', '/api/v1/access/users/bench-user', { role })]);
        changed.push(at - began);
    }
    const disturbed = open.filter((reader) => !reader.open).length;
    open.forEach((reader) => reader.close());

    console.log(machine());
    console.log(`${others} other readers; ${disturbed} of their streams ended\n`);
    console.log('| measurement | samples | p50 | p99 | max |\n|---|---|---|---|---|');
    console.log(row('token revoked: request → end of its stream', revoked));
    console.log(row("role changed: request → end of the session's stream", changed));
});
