// Cost of the feed's readers for the server: memory per idle reader, deliveries per CPU second, and the time until an
// event arrives, with 1,000 readers at 10 events per second and 10,000 at 5. Compares in the same run with nginx and its
// nchan module, if installed (Debian: nginx-light, libnginx-mod-nchan), and with a program that only writes to its
// connections. Linux only.
//
//   scripts/bench.sh readers            [READERS=1000,10000] [RATE=] [SECONDS_MEASURED=15]
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { firstLine, freePort, machine, onStage, pause, program } from './stage.mjs';

const sizes = (process.env.READERS ?? '1000,10000').split(',').map(Number);
const rateFor = (readers) => Number(process.env.RATE ?? (readers > 5_000 ? 5 : 10));
const seconds = Number(process.env.SECONDS_MEASURED ?? 15);
/** Bytes that nchan adds to each message: names of the lines, and the ID. */
const NCHAN_OVERHEAD = 25;
const files = Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }));

async function measure(run, url, pids, readers) {
    const reading = run(program('feed-readers'), [url, pids.join(','), String(readers), String(seconds)]);
    return JSON.parse(await firstLine(reading));
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
    const publishing = setInterval(() => {
        const message = `called@${Date.now() * 1000} `.padEnd(size, 'x');
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

/** Measures a program that writes the same bytes to each connection: no server can be faster in this way. */
async function bareWriter(run, { size, readers, rate }) {
    const writer = run(program('bare-writer'), [String(rate), String(Math.round(size))]);
    const measured = await measure(run, await firstLine(writer), [writer.pid], readers);
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    return measured;
}

const compare = (readers, rate) => onStage(async ({ url, server, run, tick, folder }) => {
    // One operation, so that events come at equal intervals, as those of the others do.
    await tick(1000 / rate, (seconds + 600) * rate);
    await pause(2_000);
    const idle = await measure(run, `${url}/api/v1/events`, [server.pid], 0);
    const ours = await measure(run, `${url}/api/v1/events`, [server.pid], readers);
    // With the overhead of nchan, an event has as many bytes as ours.
    const peer = await nchan(folder, run, { size: Math.round(ours.bytes_per_event) - NCHAN_OVERHEAD, readers, rate });
    const bare = await bareWriter(run, { size: ours.bytes_per_event, readers, rate });
    console.log(`\n${readers.toLocaleString('en')} readers, about ${rate} events per second, ${seconds} s\n`);
    console.log('| server | deliveries per second | deliveries per CPU second | memory per reader | bytes per event | publish to arrival, p50 and p99 |\n|---|---|---|---|---|---|');
    const line = (name, m) => {
        const n = (value) => Math.round(value).toLocaleString('en');
        console.log(`| ${name} | ${n(m.events_per_second)} | ${n(m.events_per_cpu_second)} | ${(m.bytes_of_memory_per_reader / 1024).toFixed(1)} KiB | ${n(m.bytes_per_event)} | ${m.latencies.p50.toFixed(1)}, ${m.latencies.p99.toFixed(1)} ms |`);
    };
    line('Signalbox', ours);
    line('bare writer', bare);
    if (peer) line('nginx with nchan', peer);
    const share = (other) => (ours.events_per_cpu_second / other.events_per_cpu_second).toFixed(2);
    const cpu = ({ cpu_seconds, seconds }) => (1_000 * cpu_seconds / seconds).toFixed(0);
    console.log(`\nCPU time of Signalbox per second: ${cpu(ours)} ms, without readers ${cpu(idle)} ms.`);
    console.log(`Signalbox relative to the bare writer: ${share(bare)} in deliveries per CPU second.`);
    if (peer) {
        const memory = (ours.bytes_of_memory_per_reader / peer.bytes_of_memory_per_reader).toFixed(2);
        console.log(`Signalbox relative to nginx: ${share(peer)} in deliveries per CPU second, ${memory} in memory.`);
    } else {
        console.log('nginx with nchan is not installed, so this run has no comparison.');
    }
});

console.log(machine());
for (const readers of sizes) {
    // Each reader is a connection, so a file descriptor, of the server and of the reading process.
    if (readers + 200 > files) console.log(`\nSkipped: ${readers} readers, because a process may open only ${files} files here (ulimit -n).`);
    else await compare(readers, rateFor(readers));
}
