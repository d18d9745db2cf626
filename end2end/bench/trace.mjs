// Work of the page's main thread per frame, from a trace of Chromium: CPU time in script, layout and paint. CPU time does
// not count while other processes have the processor.

const CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'disabled-by-default-devtools.timeline.frame', 'v8', 'loading'];

/** Which work an event of the trace is; anything else counts as the work around it. */
const WORK = {
    script: /^(FunctionCall|EvaluateScript|FireAnimationFrame|FireIdleCallback|EventDispatch|TimerFire|RunMicrotasks|ResourceReceivedData|MinorGC|MajorGC|V8\..*|v8\..*|BlinkGC\..*)$/,
    layout: /^(UpdateLayoutTree|RecalculateStyles|Layout|HitTest|InvalidateLayout|IntersectionObserverController::computeIntersections)$/,
    paint: /^(PrePaint|Paint|Layerize|UpdateLayer|UpdateLayerTree|CompositeLayers|Commit|PaintImage|DecodeImage)$/,
};
const workOf = (name) => Object.keys(WORK).find((work) => WORK[work].test(name));

/** Traces the page while `work` runs; returns the work of each frame, in milliseconds of CPU time. */
export async function framesWhile(chrome, page, work) {
    await chrome.startTracing(page, { categories: CATEGORIES });
    await work();
    const { traceEvents } = JSON.parse((await chrome.stopTracing()).toString());
    return framesOf(traceEvents);
}

/** The events of the main thread of the renderer that drew most frames. */
function mainThread(events) {
    const threads = events.filter((event) => event.ph === 'M' && event.name === 'thread_name' && event.args.name === 'CrRendererMain');
    const of = (thread) => events.filter((event) => event.pid === thread.pid && event.tid === thread.tid && event.ph !== 'M');
    const busiest = threads.map(of).sort((a, b) => b.length - a.length)[0];
    return busiest.sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
}

/** A frame ends with its commit to the compositor; all work since the frame before belongs to it. */
export function framesOf(events) {
    const frames = [];
    let frame = { script: 0, layout: 0, paint: 0 };
    let open = [];
    /** Ends the events that end before `now`. */
    const endBefore = (now) => {
        while (open.length > 0 && open.at(-1).end <= now) {
            const { name, work, cpu, inner } = open.pop();
            // Own time: without that of the events within it.
            if (work) frame[work] += Math.max(0, cpu - inner) / 1_000;
            if (open.length > 0) open.at(-1).inner += cpu;
            if (name !== 'Commit') continue;
            frames.push(frame);
            frame = { script: 0, layout: 0, paint: 0 };
        }
    };
    for (const event of mainThread(events)) {
        if (event.ph !== 'X') continue;
        endBefore(event.ts);
        const around = open.at(-1)?.work;
        const end = event.ts + (event.dur ?? 0);
        open.push({ name: event.name, work: workOf(event.name) ?? around, cpu: event.tdur ?? event.dur ?? 0, end, inner: 0 });
    }
    endBefore(Infinity);
    // The first one began before the trace.
    return frames.slice(1).map((each) => ({ ...each, all: each.script + each.layout + each.paint }));
}

/** The functions in which the page spends most time while `work` runs: name, place and share of the samples. */
export async function profileWhile(session, work) {
    await session.send('Profiler.enable');
    await session.send('Profiler.setSamplingInterval', { interval: 200 });
    await session.send('Profiler.start');
    await work();
    const { profile } = await session.send('Profiler.stop');
    const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
    const own = new Map();
    let busy = 0;
    profile.samples.forEach((id, i) => {
        const { functionName, url, lineNumber } = nodes.get(id);
        if (functionName === '(idle)') return;
        const file = url.split('/').pop().split('?')[0];
        const key = `${functionName || '(anonymous)'} ${file && !/\.wasm$/.test(file) ? `${file}:${lineNumber + 1}` : file}`.trim();
        own.set(key, (own.get(key) ?? 0) + profile.timeDeltas[i] / 1_000);
        busy += profile.timeDeltas[i] / 1_000;
    });
    return { busy, functions: [...own].sort((a, b) => b[1] - a[1]) };
}
