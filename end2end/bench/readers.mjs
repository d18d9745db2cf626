// Cost of the feed's readers for the server: memory per idle reader, and deliveries per CPU second, with 1,000 readers
// at 10 events per second and 10,000 at 5. Compares with nginx and its nchan module in the same run, if installed
// (Debian: nginx-light, libnginx-mod-nchan). Linux only.
//
//   scripts/bench.sh readers            [READERS=1000,10000] [RATE=] [SECONDS_MEASURED=15]
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { firstLine, machine, onStage, pause, program } from './stage.mjs';

const sizes = (process.env.READERS ?? '1000,10000').split(',').map(Number);
const rateFor = (readers) => Number(process.env.RATE ?? (readers > 5_000 ? 5 : 10));
const seconds = Number(process.env.SECONDS_MEASURED ?? 15);
const files = Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }));

async function measure(run, url, pids, readers) {
    const reading = run(program('feed-readers'), [url, pids.join(','), String(readers), String(seconds)]);
    return JSON.parse(await firstLine(reading));
}

async function freePort() {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address();
    probe.close();
    await once(probe, 'close');
    return port;
}

/** Measures nginx with nchan: one worker per core, same rate, fixed message size. */
async function nchan(folder, run, { size, readers, rate }) {
    const modules = '/usr/lib/nginx/modules/ngx_nchan_module.so';
    if (!existsSync(modules) || !existsSync('/usr/sbin/nginx')) return undefined;
    const home = path.join(folder, 'nginx');
    mkdirSync(home);
    const port = await freePort();
    const config = path.join(home, 'nginx.conf');
    writeFileSync(config, `
        load_module ${modules};
        worker_processes auto; daemon off; error_log ${home}/error.log; pid ${home}/pid;
        events { worker_connections 20000; }
        http {
            access_log off; client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy;
            fastcgi_temp_path ${home}/fastcgi; uwsgi_temp_path ${home}/uwsgi; scgi_temp_path ${home}/scgi;
            server { listen 127.0.0.1:${port};
                location = /sub { nchan_subscriber eventsource; nchan_channel_id bench; nchan_subscriber_first_message newest; }
                location = /pub { nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 100; }
            }
        }`);
    const nginx = run('/usr/sbin/nginx', ['-c', config, '-p', home]);
    nginx.stdout.resume();
    while (!existsSync(path.join(home, 'pid')) || readFileSync(path.join(home, 'pid'), 'utf8').trim() === '') await pause(20);
    await pause(300);
    const children = execFileSync('pgrep', ['-P', String(nginx.pid)], { encoding: 'utf8' });
    const pids = [nginx.pid, ...children.split('\n').filter(Boolean).map(Number)];
    const message = 'x'.repeat(size);
    const publishing = setInterval(() => {
        fetch(`http://127.0.0.1:${port}/pub`, { method: 'POST', body: message }).catch(() => {});
    }, 1000 / rate);
    try {
        return await measure(run, `http://127.0.0.1:${port}/sub`, pids, readers);
    } finally {
        clearInterval(publishing);
        if (nginx.exitCode === null) {
            const gone = once(nginx, 'exit');
            nginx.kill('SIGTERM');
            await gone;
        }
    }
}

const compare = (readers, rate) => onStage(async ({ url, server, run, tick, folder }) => {
    // One operation per event and second, each with one report per second.
    for (let n = 0; n < rate; n += 1) await tick(1000, seconds + 600);
    const ours = await measure(run, `${url}/api/v1/events`, [server.pid], readers);
    const peer = await nchan(folder, run, { size: 300, readers, rate });
    console.log(`\n${readers.toLocaleString('en')} readers, about ${rate} events per second, ${seconds} s\n`);
    console.log('| server | deliveries per second | deliveries per CPU second | memory per reader | bytes per event |\n|---|---|---|---|---|');
    const line = (name, m) => {
        const n = (value) => Math.round(value).toLocaleString('en');
        console.log(`| ${name} | ${n(m.events_per_second)} | ${n(m.events_per_cpu_second)} | ${(m.bytes_of_memory_per_reader / 1024).toFixed(1)} KiB | ${n(m.bytes_per_event)} |`);
    };
    line('Signalbox', ours);
    if (peer) {
        line('nginx with nchan', peer);
        console.log(`\nSignalbox relative to nginx: ${(ours.events_per_cpu_second / peer.events_per_cpu_second).toFixed(2)} in deliveries per CPU second, ${(ours.bytes_of_memory_per_reader / peer.bytes_of_memory_per_reader).toFixed(2)} in memory.`);
    } else {
        console.log('\nnginx with nchan is not installed, so this run has no comparison.');
    }
});

console.log(machine());
for (const readers of sizes) {
    // Each reader is a connection, so a file descriptor, of the server and of the reading process.
    if (readers + 200 > files) console.log(`\nSkipped: ${readers} readers, because a process may open only ${files} files here (ulimit -n).`);
    else await compare(readers, rateFor(readers));
}
