// A proxy between page and server that can be as bad as those one meets: it delays, holds back, cuts, or goes silent.
import { createServer, connect, type Server as Listener, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** What it does to what passes; may be changed at any time. */
export interface Manners {
    /** Each piece, either way, is passed on so much later, milliseconds. */
    delay: number;
    /** Streams are held back whole, as by a virus scanner: their reader gets nothing. */
    buffers: boolean;
    /** Each connection is cut so long after it was opened, milliseconds; 0 for never. */
    cutAfter: number;
    /** Nothing passes, either way, and every connection stays open. What came meanwhile passes later. */
    silent: boolean;
}

const POLITE: Manners = { delay: 0, buffers: false, cutAfter: 0, silent: false };

/** The proxy of one test. */
export class Proxy {
    /** Where pages go in: `http://127.0.0.1:40124`. */
    url = '';
    /** Connections that it cut. */
    cuts = 0;
    /** Streams that it holds back, or did. */
    heldBack = 0;
    private manners = { ...POLITE };
    private readonly open = new Set<Socket>();
    private waiting: (() => void)[] = [];
    private listener?: Listener;

    /** Begins to pass on to `server`. */
    async start(server: string): Promise<void> {
        const { hostname, port } = new URL(server);
        this.listener = createServer((near) => this.join(near, connect(Number(port), hostname)));
        await new Promise<void>((done) => this.listener?.listen(0, '127.0.0.1', done));
        this.url = `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
    }

    /** From now on it behaves like this; what is not named is as a good proxy does it. */
    behave(manners: Partial<Manners> = {}): void {
        this.manners = { ...POLITE, ...manners };
        if (!this.manners.silent) {
            const waiting = this.waiting;
            this.waiting = [];
            for (const pass of waiting) pass();
        }
    }

    /** Cuts every connection that is open. */
    cut(): void {
        for (const socket of this.open) socket.destroy();
    }

    async stop(): Promise<void> {
        this.cut();
        await new Promise<void>((done) => (this.listener ? this.listener.close(() => done()) : done()));
    }

    private join(near: Socket, far: Socket): void {
        const ends = [near, far];
        const gone = () => {
            for (const socket of ends) {
                this.open.delete(socket);
                socket.destroy();
            }
        };
        for (const socket of ends) {
            this.open.add(socket);
            socket.setNoDelay(true);
            socket.on('error', gone);
            socket.on('close', gone);
        }
        if (this.manners.cutAfter > 0) {
            setTimeout(() => {
                this.cuts += near.destroyed ? 0 : 1;
                gone();
            }, this.manners.cutAfter).unref();
        }
        near.on('data', (piece) => this.pass(piece, far));
        let held = false;
        far.on('data', (piece) => {
            if (this.manners.buffers && /content-type: text\/event-stream/i.test(piece.toString('latin1'))) {
                held = true;
                this.heldBack += 1;
            }
            if (!held) this.pass(piece, near);
        });
    }

    /** Hands a piece on, now or later, in order. */
    private pass(piece: Buffer, to: Socket): void {
        const hand = () => {
            if (!to.destroyed) to.write(piece);
        };
        const when = () => (this.manners.silent || this.waiting.length > 0 ? void this.waiting.push(hand) : hand());
        if (this.manners.delay > 0) setTimeout(when, this.manners.delay);
        else when();
    }
}
